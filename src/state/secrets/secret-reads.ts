/**
 * Reads of secrets by requests that do not change them: from the memory of this isolate if the request accepts that,
 * otherwise from the database.
 */
import type { Backend } from '../backend.ts'
import type { Secret } from '../entities.ts'
import { sawSecret } from './last-seen.ts'
import { observeChanges, recall, rows } from './memory.ts'
import { findKey, findSealedVersion } from './secret-versions.ts'
import type { SealedVersion, StoredKey, WhichVersion } from './secret-versions.ts'
import { findSealedSecret, findSecret, type SealedSecret } from './secrets.ts'

const placeOf = (id: string) => ({ memory: rows, key: id, about: id })

/** The secret alone. */
const withoutPayload = ({
  store: _s,
  keyVersion: _k,
  sealed: _p,
  wrapped: _w,
  superseded: _t,
  ...secret
}: SealedSecret): Secret => secret

async function findAndKeep(backend: Backend, id: string, withConsumers = false): Promise<SealedSecret> {
  const found = await findSealedSecret(backend, id, withConsumers)
  sawSecret(backend, withoutPayload(found))
  return found
}

/** Like `findSealedSecret`; the result is no older than the request accepts. */
export const readSealedSecret = (backend: Backend, id: string): Promise<SealedSecret> =>
  recall(backend, placeOf(id), (one) => findAndKeep(one, id))

/**
 * Like `findSecret`; the result is no older than the request accepts. Who accepts what is remembered is given the payload's
 * row, since clients ask for the payload next: both are one look-up.
 */
export async function readSecret(backend: Backend, id: string, withConsumers: boolean): Promise<Secret> {
  if (backend.accepts.memory === 0) {
    observeChanges(backend, id)
    return sawSecret(backend, await findSecret(backend, id, withConsumers))
  }
  const read = (one: Backend) => findAndKeep(one, id, withConsumers)
  const suits = ({ consumers }: Secret) => !withConsumers || consumers !== null
  return withoutPayload(await recall(backend, placeOf(id), read, suits))
}

/** Like `findSealedVersion`. The result is not remembered. */
export function readSealedVersion(backend: Backend, id: string, which: WhichVersion): Promise<SealedVersion> {
  observeChanges(backend, id)
  return findSealedVersion(backend, id, which)
}

/** Like `findKey`, for requests that do not change the secret. The result is not cached. */
export function readKey(backend: Backend, id: string, numbers: ReadonlySet<number>): Promise<StoredKey> {
  observeChanges(backend, id)
  return findKey(backend, id, numbers)
}
