/**
 * Authentication by an external Keystone. `X-Auth-Token` is validated with `GET /v3/auth/tokens`. The token
 * authenticates that request itself, so the service needs no password. An expired token is only accepted together with
 * a valid `X-Service-Token` that has the role `service` (the rule of keystonemiddleware), which then authenticates the
 * request.
 */
import * as z from 'zod/mini'
import { boundedCache } from '../cache.ts'
import { fault, type Fault } from '../faults.ts'
import type { Caller } from '../caller.ts'
import { digestOf } from '../crypto/digest.ts'
import { logProblem } from '../log.ts'
import { repeated } from '../repetition.ts'

/** How long a validated token is cached: the maximum delay until a revocation takes effect. */
export const TOKEN_CACHE_MILLISECONDS = 60_000
const MOST_CACHED_TOKENS = 10_000
/** How long a refusal is cached, so that a client that repeats an invalid token costs Keystone little. */
const REFUSAL_CACHE_SECONDS = 5
const MOST_CACHED_REFUSALS = 10_000
/** The time for all tries of one validation. */
const KEYSTONE_TIMEOUT_MILLISECONDS = 10_000
/** How often an isolate logs that Keystone cannot be reached, in milliseconds. */
const REPORT_INTERVAL_MILLISECONDS = 60_000
const MOST_TOKEN_CHARACTERS = 16_384
const SERVICE_ROLE = 'service'
const ADMIN_ROLE = 'admin'

/** An id without lone surrogates, which UTF-8 cannot store. */
const id = () => z.string().check(z.refine((text) => text.isWellFormed()))

const tokenDocument = z.lazy(() =>
  z.object({
    token: z.object({
      expires_at: z.string(),
      user: z.object({ id: id() }),
      project: z.optional(z.object({ id: id() })),
      roles: z.optional(z.array(z.object({ name: z.string() }))),
      is_admin_project: z.optional(z.unknown()),
      system: z.optional(z.unknown()),
    }),
  }),
)

type TokenDocument = z.infer<typeof tokenDocument>['token']

interface Checked {
  readonly caller: Caller | 'unscoped'
  readonly until: number
}

const cache = new Map<string, Checked>()
/** Tokens that Keystone refused, in a cache of their own so that they cannot evict valid tokens. */
const refusals = boundedCache<true>({ entries: MOST_CACHED_REFUSALS, seconds: REFUSAL_CACHE_SECONDS })

const cacheKey = async (keystoneUrl: string, token: string, serviceToken: string): Promise<string> =>
  (await digestOf(JSON.stringify([keystoneUrl, token, serviceToken]))).toBase64()

function cacheToken(key: string, checked: Checked): void {
  if (cache.size >= MOST_CACHED_TOKENS)
    for (const oldest of [...cache.keys()].slice(0, cache.size / 2)) cache.delete(oldest)
  cache.set(key, checked)
}

/** Keystone did not answer, or not with a token. The message contains no part of a token. */
class NoAnswer extends Error {
  /** Whether the same request may be answered in a moment. */
  readonly passes: boolean

  constructor(reason: string, passes: boolean) {
    super(reason)
    this.passes = passes
  }
}

/** When this isolate last logged that the Keystone at a URL cannot be reached, in milliseconds. */
const reported = new Map<string, number>()

/** Returns the fault `identityUnreachable`, and logs the cause unless it was logged within the last minute. */
function unreachable(keystoneUrl: string, cause: string): Fault {
  const now = Date.now()
  if (now >= (reported.get(keystoneUrl) ?? 0) + REPORT_INTERVAL_MILLISECONDS) {
    reported.set(keystoneUrl, now)
    logProblem({ event: 'Keystone cannot be reached', host: new URL(keystoneUrl).host, cause })
  }
  return fault('identityUnreachable')
}

/** Statuses of a Keystone, or of a proxy before it, that may answer in a moment. */
const BUSY_STATUSES: ReadonlySet<number> = new Set([502, 503, 504])

/** The value of a JSON text; null for other text, which no document is. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Sends one validation. Returns the token's document, or null if Keystone rejects it; throws {@link NoAnswer}. */
async function requestToken(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal) {
  let status: number
  let body: string
  try {
    // A redirect would send the token to another host (threat T21).
    const response = await fetch(url, { headers, redirect: 'manual', signal })
    status = response.status
    body = await response.text()
  } catch (error) {
    throw new NoAnswer(error instanceof Error ? `${error.name}: ${error.message}` : 'no answer', !signal.aborted)
  }
  if ([400, 401, 403, 404].includes(status)) return null
  if (status !== 200) throw new NoAnswer(`status ${status}`, BUSY_STATUSES.has(status))
  const document = tokenDocument.safeParse(parsed(body))
  if (document.success) return document.data.token
  throw new NoAnswer('the answer is not the document of a token', false)
}

/**
 * Validates the token `subject` with Keystone and returns its document; null if Keystone rejects one of the tokens. A
 * request that is not answered is repeated. Throws `identityUnreachable`.
 */
async function fetchToken(keystoneUrl: string, authToken: string, subject: string, expired: boolean) {
  const url = `${keystoneUrl}/v3/auth/tokens?nocatalog${expired ? '&allow_expired=1' : ''}`
  const headers = { 'X-Auth-Token': authToken, 'X-Subject-Token': subject, Accept: 'application/json' }
  const signal = AbortSignal.timeout(KEYSTONE_TIMEOUT_MILLISECONDS)
  const request = () => requestToken(url, headers, signal)
  try {
    return await request().catch((error: unknown) => repeated(error, passes, request))
  } catch (error) {
    throw error instanceof NoAnswer ? unreachable(keystoneUrl, error.message) : error
  }
}

const passes = (error: unknown): boolean => error instanceof NoAnswer && error.passes

async function check(keystoneUrl: string, token: string, serviceToken: string | undefined): Promise<Checked | null> {
  if (serviceToken) {
    const service = await fetchToken(keystoneUrl, serviceToken, serviceToken, false)
    if (!service) return null
    const trusted = service.roles?.some(({ name }) => name.toLowerCase() === SERVICE_ROLE) ?? false
    const user = await fetchToken(keystoneUrl, trusted ? serviceToken : token, token, trusted)
    return user && asChecked(keystoneUrl, user, trusted)
  }
  const user = await fetchToken(keystoneUrl, token, token, false)
  return user && asChecked(keystoneUrl, user, false)
}

/**
 * Whether the token belongs to the admin of the cloud: it has the role `admin` in the project that Keystone is configured
 * to treat as administrative, or for the whole system. If neither is configured, Keystone sends neither member and nobody
 * is the admin of the cloud, because the role `admin` of any project must not grant access to other projects.
 */
function isCloudAdmin({ is_admin_project: adminProject, system }: TokenDocument, roles: readonly string[]): boolean {
  const ofSystem = typeof system === 'object' && system !== null && 'all' in system && system.all === true
  return roles.includes(ADMIN_ROLE) && (adminProject === true || ofSystem)
}

function asChecked(keystoneUrl: string, token: TokenDocument, expiredAllowed: boolean): Checked {
  const expires = Date.parse(token.expires_at)
  if (Number.isNaN(expires)) throw unreachable(keystoneUrl, 'the token has no valid time of expiry')
  const roles = (token.roles ?? []).map(({ name }) => name.toLowerCase())
  return {
    caller: token.project
      ? { userId: token.user.id, projectId: token.project.id, roles, cloudAdmin: isCloudAdmin(token, roles) }
      : 'unscoped',
    until: Math.min(Date.now() + TOKEN_CACHE_MILLISECONDS, expiredAllowed ? Infinity : expires),
  }
}

/**
 * Authenticates a token and returns its caller: `unscoped` if it has no project, null if Keystone rejects it or the
 * service token. Throws the fault `identityUnreachable` if Keystone cannot be reached or fails: access is then denied.
 */
export async function authenticateKeystone(
  keystoneUrl: string,
  token: string,
  serviceToken: string | undefined,
): Promise<Caller | 'unscoped' | null> {
  // Keystone's tokens are printable ASCII; other text could not be forwarded in a header.
  const isSendable = (text: string) => text.length <= MOST_TOKEN_CHARACTERS && /^[\x21-\x7e]+$/.test(text)
  if (!isSendable(token) || (serviceToken && !isSendable(serviceToken))) return null
  const key = await cacheKey(keystoneUrl, token, serviceToken ?? '')
  const cached = cache.get(key)
  if (cached && cached.until > Date.now()) return cached.caller
  cache.delete(key)
  if (refusals.has(key)) return null
  const checked = await check(keystoneUrl, token, serviceToken)
  if (!checked || checked.until <= Date.now()) {
    refusals.set(key, true)
    return null
  }
  cacheToken(key, checked)
  return checked.caller
}
