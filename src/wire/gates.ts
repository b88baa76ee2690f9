/** The checks that every call passes, by HTTP and by a service binding: transport, configuration, caller, master keys. */
import type { Context } from 'hono'
import { authenticateEmbedded } from '../access/embedded.ts'
import { authenticateKeystone } from '../access/keystone.ts'
import type { Caller } from '../caller.ts'
import { ConfigError, readConfig, type Config, type Environment } from '../config.ts'
import { fault } from '../faults.ts'
import { logProblem } from '../log.ts'
import type { Backend } from '../state/backend.ts'
import type { Session } from '../state/database/session.ts'
import { missingMasterKey } from '../state/keys/rotation.ts'
import type { Service } from './http/context.ts'
import { isLoopback, originOf, transportOf } from './http/request-url.ts'
import { setHeader } from './http/response.ts'

/** Configurations for which the missing HOST_HREF has been logged. */
const reported = new WeakSet<Config>()

/**
 * Returns the base URL of all hrefs: HOST_HREF, or the request's origin, which the client chooses. The latter is logged
 * once, unless the service is reached at a loopback address. null: the configuration is invalid. Throws `hostInvalid`.
 */
export function baseOf(config: Config | null, url: string): string {
  if (config?.hostHref) return config.hostHref
  const origin = originOf(url)
  if (config !== null && !isLoopback(origin) && !reported.has(config)) {
    reported.add(config)
    logProblem({ event: 'HOST_HREF is not set: hrefs contain the host that the request names' })
  }
  return origin
}

/** In seconds, a year: how long a browser that was here uses https alone for this host (RFC 6797). */
const HTTPS_ONLY_SECONDS = 31_536_000

/**
 * Throws `plainHttp` (403) for a request whose token can be read on the way. It is refused and not redirected: a client
 * that is redirected sends its token in clear each time, and nobody notices.
 */
export function requireHttps(c: Context<Service>): void {
  const transport = transportOf(c.req.url)
  if (transport === 'http') throw fault('plainHttp')
  if (transport === 'https') setHeader(c, 'Strict-Transport-Security', `max-age=${HTTPS_ONLY_SECONDS}`)
}

/** Returns the configuration of this isolate. Throws `misconfigured` (503) if it is invalid. */
export async function configOf(env: Environment): Promise<Config> {
  try {
    return await readConfig(env)
  } catch (error) {
    throw error instanceof ConfigError ? fault('misconfigured', error.message) : error
  }
}

/**
 * Returns the caller of a token. Throws `unauthenticated` if the token or the service token is invalid, and
 * `projectRequired` if the token has no project. With the embedded identity both may still be open questions of the
 * backend's sessions.
 */
export async function callerOfToken(
  { identity, keystoneUrl }: Config,
  backend: Backend,
  token: string,
  serviceToken?: string,
): Promise<Caller> {
  const isKeystone = identity === 'keystone'
  const caller = isKeystone
    ? await authenticateKeystone(keystoneUrl, token, serviceToken)
    : await authenticateEmbedded(token, backend)
  // Keystone has validated both. The embedded identity grants nothing for a service token, but rejects an invalid one.
  const isService = isKeystone || !serviceToken || (await authenticateEmbedded(serviceToken, backend)) !== null
  if (!caller || !isService) throw fault('unauthenticated')
  if (caller !== 'unscoped') return caller
  await backend.db.requireAnswers()
  throw fault('projectRequired')
}

/**
 * Throws `notPermitted` unless it is permitted. A refusal is not based on what this isolate remembers of the caller: the
 * primary is asked first, here or by {@link lookNear}.
 */
export async function requirePermission(db: Session, isPermitted: () => boolean): Promise<void> {
  // What is remembered of a secret was read without the live check.
  await db.requireAnswers()
  if (isPermitted()) return
  if (db.isRemembered && db.consistency === 'first-primary') {
    db.reopen()
    await db.requireAnswers()
    if (isPermitted()) return
  }
  if (db.isRemembered) db.observe({ bookmark: null, lagging: true })
  throw fault('notPermitted')
}

/**
 * Runs `look`, then requires the answers to all questions of the session, so that nothing leaves this isolate before. At the
 * primary a failure of `look` does not precede one of theirs: who may not ask is not told what is wrong with the request.
 */
export async function afterAnswers<Value>({ db }: Backend, look: () => Promise<Value> | Value): Promise<Value> {
  try {
    const value = await look()
    await db.requireAnswers()
    return value
  } catch (error) {
    if (db.consistency === 'first-primary' && !db.isRefusal(error)) await db.requireAnswers()
    throw error
  }
}

/**
 * Runs `look` on a backend that reads from any replica, and again on the primary if it fails there and the primary may
 * know better. A replica, and the memory of this isolate, may lack a row or a grant that was written a moment ago, or a new
 * table, or may be too old for the request. So no refusal is based on them.
 */
export async function lookNear<Value>(
  near: Backend,
  primary: Backend,
  look: (backend: Backend) => Promise<Value>,
): Promise<Value> {
  const { db } = near
  try {
    return await afterAnswers(near, () => look(near))
  } catch (error) {
    const isFinal = db.consistency === 'first-primary' || (!db.observed.lagging && (db.isRefusal(error) || !db.isOpen))
    if (isFinal) throw error
    db.reopen()
    return afterAnswers(primary, () => look(primary))
  }
}

/**
 * Throws `masterKeyMissing` (503) while MASTER_KEYS lacks a key that project keys are wrapped under, so that an operator
 * who removed it too early restores it before data is lost.
 */
export async function refuseWithoutMasterKeys(backend: Backend): Promise<void> {
  const missing = await missingMasterKey(backend)
  if (missing !== null) throw fault('masterKeyMissing', missing)
}
