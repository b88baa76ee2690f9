/** The resource `/secrets/{id}/key`: what can be told about a key, and what it may be used for. */
import * as z from 'zod/mini'
import { permits } from '../../access/policy.ts'
import type { KeyView } from '../../client/contract.ts'
import { publicPem } from '../../crypto/transit/key-pairs.ts'
import type { Backend } from '../../state/backend.ts'
import { keyOperations, type KeyOperation } from '../../state/entities.ts'
import { narrowUse, type NarrowerUse } from '../../state/secrets/key-uses.ts'
import { readSealedSecret } from '../../state/secrets/secret-reads.ts'
import { currentVersion, describeKey } from '../../state/secrets/used-keys.ts'
import type { SealedSecret } from '../../state/secrets/secrets.ts'
import { allowsOperation, isExtractable, usagesOfSecret } from '../../state/secrets/usages.ts'
import type { ReplyOf } from '../http/replies.ts'
import { json } from '../http/body.ts'
import { operation, resource, type Call } from '../http/resource.ts'
import { closedObject } from '../http/schema.ts'
import { useMembers } from '../key-use-members.ts'
import { secretFaults, secretIdOfPath } from '../secrets.ts'
import { keyId } from './uses.ts'

const answers = { 200: 'KeyUse' } as const

/** What can be told about the current version of a key, and what its caller may do with it. */
export async function keyView(
  backend: Backend,
  secret: SealedSecret,
  mayUse: (operation: KeyOperation) => boolean,
): Promise<KeyView> {
  const { algorithm, bits, pair, fits } = await describeKey(backend, secret)
  const version = currentVersion(secret)
  const operations = keyOperations.filter((each) => fits(each) && allowsOperation(secret, each) && mayUse(each))
  return {
    keyId: keyId(secret.id, version),
    version,
    algorithm,
    bitLength: bits,
    extractable: isExtractable(secret),
    usages: usagesOfSecret(secret).toSorted(),
    operations: operations.toSorted(),
    publicKey: pair && publicPem(pair),
  }
}

async function view({ backend, caller, config }: Call, secret: SealedSecret): Promise<ReplyOf<typeof answers>> {
  const mayUse = (operation: KeyOperation) => permits(config.policy, 'secret:use', caller, secret, operation)
  const { keyId: id, bitLength, publicKey, ...rest } = await keyView(backend, secret, mayUse)
  return { status: 200, json: { key: { key_id: id, ...rest, bit_length: bitLength, public_key: publicKey } } }
}

const keyBody = json({ name: 'Key', type: z.lazy(() => closedObject(useMembers())) })

export const keyResource = resource<SealedSecret>({
  path: '/secrets/:secret/key',
  auditTarget: 'secret/key',
  // Who rotates keys asks for the newest version.
  reads: 'primary',
  find: ({ backend, param }) => readSealedSecret(backend, secretIdOfPath(param)),
  faults: secretFaults,
  operations: {
    GET: operation({ name: 'Key retrieval', rule: 'secret_key:get', answers, faults: ['noPayload'], answer: view }),
    PATCH: operation({
      name: 'Key update',
      rule: 'secret_key:patch',
      body: keyBody,
      answers,
      faults: ['keyWidened', 'keyKind', 'noPayload', 'changedConcurrently'],
      async answer(call, secret, { extractable, usages }) {
        const asked: NarrowerUse = { extractable, usages }
        const narrowed = await narrowUse(call.backend, secret, asked)
        return view(call, { ...secret, ...narrowed, consumers: null })
      },
    }),
  },
})
