/**
 * Reads of secrets by requests that do not change them. With READ_CACHE_SECONDS the metadata of a secret is cached in
 * this isolate; access is still checked for each request. Payloads are never cached. Operations that write a secret
 * evict it through `Scope.recorded`, and changes of its consumers, which the project's object makes, evict it directly.
 * A secret that expires is noticed at each read.
 */
import { cacheOf } from '../../cache.ts'
import { fault } from '../../faults.ts'
import { isWithin } from '../../times.ts'
import type { Backend } from '../backend.ts'
import type { Session } from '../database/session.ts'
import type { Secret } from '../entities.ts'
import { findSealedVersion, type SealedVersion, type WhichVersion } from './secret-versions.ts'
import { findSealedSecret, findSecret, type SealedSecret } from './secrets.ts'

/** Bounds of the cache of one isolate: secrets, and the total bytes of their metadata. */
export const MOST_CACHED = 1_000
const MOST_CACHED_BYTES = 16_000_000

interface Cached {
  /** Null if the secret was evicted and must be read. */
  readonly secret: Secret | null
  /** A time at or before the read. */
  readonly since: string
  /** The bookmark of the last change by this isolate; null if there was none. */
  readonly changed: string | null
}

const cacheOfDatabase = cacheOf<Cached>({
  entries: MOST_CACHED,
  bytes: { most: MOST_CACHED_BYTES, of: (cached) => JSON.stringify(cached).length },
})

/** Evicts a secret that was, or may have been, changed: later reads in this isolate see this state or a newer one. */
export function evictSecret({ binding, observed }: Session, now: string, id: string): void {
  cacheOfDatabase(binding).set(id, { secret: null, since: now, changed: observed.bookmark })
}

/** Returns a cached secret unless it has expired since it was read; then throws `secretNotFound`. */
function stillLive<Found extends Secret>(secret: Found, now: string): Found {
  if (secret.expiration !== null && secret.expiration <= now) throw fault('secretNotFound')
  return secret
}

/** Makes the session read the secret in the state that this isolate has written, or a newer one. */
function observeChanges({ db }: Backend, cached: Cached | undefined): void {
  if (cached?.changed) db.observe({ bookmark: cached.changed, lagging: false })
}

/** Reports whether a cached secret may be returned without reading it. */
function isUsable(
  { db, now, readCacheSeconds }: Backend,
  cached: Cached | undefined,
  withConsumers: boolean,
): cached is Cached & { secret: Secret } {
  if (!cached?.secret || (withConsumers && cached.secret.consumers === null)) return false
  return db.from === 'first-unconstrained' && isWithin(readCacheSeconds, cached.since, now)
}

/**
 * Like `findSecret`, but the result may be as old as READ_CACHE_SECONDS allows, unless the session is bound to the
 * primary or to a bookmark.
 */
export async function readSecret(backend: Backend, id: string, withConsumers: boolean): Promise<Secret> {
  const { db, now, readCacheSeconds } = backend
  const cache = cacheOfDatabase(db.binding)
  const before = cache.get(id)
  if (isUsable(backend, before, withConsumers)) {
    db.observe({ bookmark: null, lagging: true })
    return stillLive(before.secret, now)
  }
  observeChanges(backend, before)
  const secret = await findSecret(backend, id, withConsumers)
  // If the entry was changed during the read, the secret was changed concurrently and the result may be outdated.
  if (readCacheSeconds > 0 && cache.get(id) === before) {
    cache.set(id, { secret, since: now, changed: before?.changed ?? null })
  }
  return secret
}

/** Like `findSealedSecret`, for requests that do not change the secret. The result is not cached. */
export function readSealedSecret(backend: Backend, id: string): Promise<SealedSecret> {
  observeChanges(backend, cacheOfDatabase(backend.db.binding).get(id))
  return findSealedSecret(backend, id)
}

/** Like `findSealedVersion`, for requests that do not change the secret. The result is not cached. */
export function readSealedVersion(backend: Backend, id: string, which: WhichVersion): Promise<SealedVersion> {
  observeChanges(backend, cacheOfDatabase(backend.db.binding).get(id))
  return findSealedVersion(backend, id, which)
}
