/** Orders with their generated keys, in the form that the project's object receives. */
import type { Owner } from '../../src/caller.ts'
import type { Backend } from '../../src/state/backend.ts'
import { withMac } from '../../src/state/integrity/row-authentication.ts'
import { sealedRow, type NewSecret } from '../../src/state/secrets/secrets.ts'

/** The description of a key without a name. */
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

/**
 * Creates an order of the caller with its key. `keyVersion` overrides the version that the key claims to be sealed
 * under.
 */
export async function sealedOrder(backend: Backend, { projectId, userId }: Owner, keyVersion?: number) {
  const common = { status: 'ACTIVE', created: backend.now, updated: backend.now, contentType: null }
  const row = {
    ...common,
    id: crypto.randomUUID(),
    projectId,
    creatorId: userId,
    requesterId: userId,
    type: 'key',
    meta: '{}',
  }
  const secret = await sealedRow(backend, { projectId, userId }, described)
  return {
    order: await withMac(backend, 'orders', row),
    secret: keyVersion === undefined ? secret : { ...secret, keyVersion },
  }
}
