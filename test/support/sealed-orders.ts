/** Orders with the keys that they made, as the project's object is given them. */
import type { Owner } from '../../src/caller.ts'
import type { Backend } from '../../src/state/backend.ts'
import { withMac } from '../../src/state/integrity/row-authentication.ts'
import { sealedRow, type NewSecret } from '../../src/state/secrets/secrets.ts'

/** A key without a name. */
export const described: NewSecret = {
  name: null,
  secretType: 'symmetric',
  algorithm: 'aes',
  mode: null,
  bitLength: 256,
  expiration: null,
  contentType: 'application/octet-stream',
  payload: new Uint8Array(32),
}

/** An order of the caller with its key; with `keyVersion` that is said to be sealed under this version. */
export async function sealedOrder(backend: Backend, { projectId, userId }: Owner, keyVersion?: number) {
  const made = { status: 'ACTIVE', created: backend.now, updated: backend.now, contentType: null }
  const row = { ...made, id: crypto.randomUUID(), projectId, creatorId: userId, type: 'key', meta: '{}' }
  const secret = await sealedRow(backend, { projectId, userId }, described)
  return {
    order: await withMac(backend, 'orders', row),
    secret: keyVersion === undefined ? secret : { ...secret, keyVersion },
  }
}
