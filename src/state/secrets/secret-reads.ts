/**
 * Reads of secrets by requests that do not change them: from the memory of this isolate if the request accepts that,
 * otherwise from the database.
 */
import type { Backend } from '../backend.ts'
import type { Secret } from '../entities.ts'
import { metadata, observeChanges, payloads, recall } from './memory.ts'
import { findSealedVersion, type SealedVersion, type WhichVersion } from './secret-versions.ts'
import { findSealedSecret, findSecret, type SealedSecret } from './secrets.ts'

/** Like `findSecret`; the result is no older than the request accepts. */
export const readSecret = (backend: Backend, id: string, withConsumers: boolean): Promise<Secret> =>
  recall(
    backend,
    { memory: metadata, key: id, about: id },
    (one) => findSecret(one, id, withConsumers),
    ({ consumers }) => !withConsumers || consumers !== null,
  )

/** Like `findSealedSecret`; the result is no older than the request accepts. */
export const readSealedSecret = (backend: Backend, id: string): Promise<SealedSecret> =>
  recall(backend, { memory: payloads, key: id, about: id }, (one) => findSealedSecret(one, id))

/** Like `findSealedVersion`. The result is not remembered. */
export function readSealedVersion(backend: Backend, id: string, which: WhichVersion): Promise<SealedVersion> {
  observeChanges(backend, id)
  return findSealedVersion(backend, id, which)
}
