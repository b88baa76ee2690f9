/**
 * Secrets for those who only read them. Look-ups of the same secret are shared, and with READ_CACHE_SECONDS its
 * metadata is remembered in this isolate; who may see it is settled anew for each request. Payloads and keys never are.
 */
import { fault } from '../../faults.ts'
import { isWithin } from '../../times.ts'
import type { Backend } from '../backend.ts'
import { shared } from '../database/look-ups.ts'
import type { Secret } from './secret-rows.ts'
import { findSealedSecret, findSecret, type SealedSecret } from './secrets.ts'

/** Of how many secrets something is known at a time. */
export const MOST_KNOWN = 1_000

/** What this isolate knows of a secret. */
interface Known {
  /** Null: it is to be looked up. */
  readonly secret: Secret | null
  /** Not later than it was looked up. */
  readonly since: string
  /** The state in which this isolate has changed it. */
  readonly changed: string | null
}

/** By database, then by id. Those that became known first come first. */
const known = new WeakMap<D1Database, Map<string, Known>>()

function knownOf({ session }: Backend): Map<string, Known> {
  const secrets = known.get(session.binding) ?? new Map<string, Known>()
  known.set(session.binding, secrets)
  return secrets
}

function note(backend: Backend, id: string, what: Known): void {
  const secrets = knownOf(backend)
  secrets.delete(id)
  const [oldest] = secrets.keys()
  if (oldest !== undefined && secrets.size >= MOST_KNOWN) secrets.delete(oldest)
  secrets.set(id, what)
}

/** Forgets a secret that this request has changed, or may have: it is seen as it is now, whichever copy is asked. */
export function forgetSecret(backend: Backend, id: string): void {
  note(backend, id, { secret: null, since: backend.now, changed: backend.session.seen.bookmark })
}

/** A look-up is shared with those who came a moment later. */
function stillLive<Found extends Secret>(secret: Found, now: string): Found {
  if (secret.expiration !== null && secret.expiration <= now) throw fault('secretNotFound')
  return secret
}

/** `question` tells one kind of look-up from another. */
async function lookUp<Found extends Secret>(
  backend: Backend,
  id: string,
  question: string,
  find: () => Promise<Found>,
): Promise<Found> {
  const changed = knownOf(backend).get(id)?.changed
  if (changed) backend.session.follow({ bookmark: changed, lagging: false })
  return stillLive(await shared(backend.session, `${question} ${id}`, find), backend.now)
}

/** Whether what is known of a secret may be told instead of looking it up. */
function mayTell(
  backend: Backend,
  known: Known | undefined,
  withConsumers: boolean,
): known is Known & { secret: Secret } {
  const { session, now, readCacheSeconds } = backend
  if (!known?.secret || (withConsumers && known.secret.consumers === null)) return false
  return session.from === 'first-unconstrained' && isWithin(readCacheSeconds, known.since, now)
}

/**
 * Like `findSecret`, for readers: what is found may be as old as READ_CACHE_SECONDS allows, unless the session is bound
 * to the primary or to a bookmark.
 */
export async function readSecret(backend: Backend, id: string, withConsumers: boolean): Promise<Secret> {
  const { session, now, readCacheSeconds } = backend
  const before = knownOf(backend).get(id)
  if (mayTell(backend, before, withConsumers)) {
    session.follow({ bookmark: null, lagging: true })
    return stillLive(before.secret, now)
  }
  const question = withConsumers ? 'secret with consumers' : 'secret'
  const secret = await lookUp(backend, id, question, () => findSecret(backend, id, withConsumers))
  // What has changed meanwhile is not to be hidden by what was seen before.
  if (readCacheSeconds > 0 && knownOf(backend).get(id) === before) {
    note(backend, id, { secret, since: now, changed: before?.changed ?? null })
  }
  return secret
}

/** Like `findSealedSecret`, for readers. Nothing of it is remembered. */
export function readSealedSecret(backend: Backend, id: string): Promise<SealedSecret> {
  return lookUp(backend, id, 'payload', () => findSealedSecret(backend, id))
}
