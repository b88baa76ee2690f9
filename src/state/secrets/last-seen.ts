/**
 * Secrets as this isolate saw them last, so that a change which is stored only over the row that it was made from need not
 * read that row first. The MAC in its condition covers the owner, the ACL and the version, so that such a change is stored
 * with the rights and over the version that it was made for, or not at all. Nothing is answered, and nothing refused, by
 * what is kept here.
 */
import { cacheOf } from '../../cache.ts'
import type { Backend } from '../backend.ts'
import type { Secret } from '../entities.ts'

/** Bounds of an isolate: secrets, and their total characters as JSON. */
const MOST_SEEN = 1_000
const MOST_SEEN_CHARACTERS = 2_000_000

const lastSeen = cacheOf<Secret>({
  entries: MOST_SEEN,
  bytes: { most: MOST_SEEN_CHARACTERS, of: (secret) => JSON.stringify(secret).length },
})

/** Keeps an authentic secret, without its consumers, which no change depends on. Returns it. */
export function sawSecret<Seen extends Secret>({ keyring }: Pick<Backend, 'keyring'>, secret: Seen): Seen {
  lastSeen(keyring).set(secret.id, secret.consumers ? { ...secret, consumers: null } : secret)
  return secret
}

/** The secret as it was seen last, unless it has expired since; undefined if it was not seen. */
export function secretLastSeen({ keyring, now }: Pick<Backend, 'keyring' | 'now'>, id: string): Secret | undefined {
  const secret = lastSeen(keyring).get(id)
  return secret && (secret.expiration === null || secret.expiration > now) ? secret : undefined
}

/** Forgets a secret that was, or may have been, changed through this isolate. */
export function forgetSecret({ keyring }: Pick<Backend, 'keyring'>, id: string): void {
  lastSeen(keyring).delete(id)
}
