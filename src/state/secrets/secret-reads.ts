/**
 * Secrets for those who only read them. With READ_CACHE_SECONDS the metadata of a secret is cached in this isolate; who
 * may see it is decided for each request. Payloads and keys are never cached. The operations evict a secret where they
 * write it, through `Scope.recorded`.
 */
import { cacheOf } from '../../cache.ts'
import { fault } from '../../faults.ts'
import { isWithin } from '../../times.ts'
import type { Backend } from '../backend.ts'
import type { Session } from '../database/session.ts'
import type { Secret } from '../entities.ts'
import { findSealedSecret, findSecret, type SealedSecret } from './secrets.ts'

/** Secrets of which an isolate has an entry, and the bytes that their metadata may take together. */
export const MOST_CACHED = 1_000
const MOST_CACHED_BYTES = 16_000_000

interface Cached {
  /** Null: it is to be read. */
  readonly secret: Secret | null
  /** Not later than it was read. */
  readonly since: string
  /** The bookmark of the state in which this isolate has changed it. */
  readonly changed: string | null
}

const cacheOfDatabase = cacheOf<Cached>({
  entries: MOST_CACHED,
  bytes: { most: MOST_CACHED_BYTES, of: (cached) => JSON.stringify(cached).length },
})

/** Evicts a secret that was changed, or may have been: from now on its readers see this state or a later one. */
export function evictSecret({ binding, observed }: Session, now: string, id: string): void {
  cacheOfDatabase(binding).set(id, { secret: null, since: now, changed: observed.bookmark })
}

/** A cached secret may have expired since it was read. */
function stillLive<Found extends Secret>(secret: Found, now: string): Found {
  if (secret.expiration !== null && secret.expiration <= now) throw fault('secretNotFound')
  return secret
}

/** Has the session read no older state of the secret than this isolate has written. */
function followChanges({ db }: Backend, cached: Cached | undefined): void {
  if (cached?.changed) db.observe({ bookmark: cached.changed, lagging: false })
}

/** Whether a cached secret may be shown instead of reading it. */
function isUsable(
  { db, now, readCacheSeconds }: Backend,
  cached: Cached | undefined,
  withConsumers: boolean,
): cached is Cached & { secret: Secret } {
  if (!cached?.secret || (withConsumers && cached.secret.consumers === null)) return false
  return db.from === 'first-unconstrained' && isWithin(readCacheSeconds, cached.since, now)
}

/**
 * Like `findSecret`, for readers: what is returned may be as old as READ_CACHE_SECONDS allows, unless the session is bound
 * to the primary or to a bookmark.
 */
export async function readSecret(backend: Backend, id: string, withConsumers: boolean): Promise<Secret> {
  const { db, now, readCacheSeconds } = backend
  const cache = cacheOfDatabase(db.binding)
  const before = cache.get(id)
  if (isUsable(backend, before, withConsumers)) {
    db.observe({ bookmark: null, lagging: true })
    return stillLive(before.secret, now)
  }
  followChanges(backend, before)
  const secret = await findSecret(backend, id, withConsumers)
  // A change that came during the read must not be hidden by what was read before it.
  if (readCacheSeconds > 0 && cache.get(id) === before) {
    cache.set(id, { secret, since: now, changed: before?.changed ?? null })
  }
  return secret
}

/** Like `findSealedSecret`, for readers. Nothing of it is cached. */
export function readSealedSecret(backend: Backend, id: string): Promise<SealedSecret> {
  followChanges(backend, cacheOfDatabase(backend.db.binding).get(id))
  return findSealedSecret(backend, id)
}
