/**
 * Operations with keys: what encryption, signatures and codes have in common. None of them stores anything, so they are
 * served like reads, and may be repeated.
 */
import { Fault, fault, type FailureName } from '../../faults.ts'
import { recordRefusal } from '../../state/audit/refusals.ts'
import type { Backend } from '../../state/backend.ts'
import type { KeyOperation } from '../../state/entities.ts'
import { resealSoon } from '../../state/keys/project-key-versions.ts'
import { isWritable, requireWritable } from '../../state/read-only.ts'
import { readSealedSecret } from '../../state/secrets/secret-reads.ts'
import { recordRead, type SealedSecret } from '../../state/secrets/secrets.ts'
import { keyInUse, type KeyInUse, type UsedKey } from '../../state/secrets/used-keys.ts'
import type { Shapes } from '../../shapes/index.ts'
import type { ReplyOf } from '../http/replies.ts'
import { operation, resource, type Call, type Resource } from '../http/resource.ts'
import type { Schema } from '../http/schema.ts'
import { secretFaults, secretIdOfPath } from '../secrets.ts'
import { keyBody, MAX_RSA_ITEMS, unlessWhole, type Requested } from './bodies.ts'

type ResultName = 'Encrypted' | 'Decrypted' | 'Rewrapped' | 'DataKey' | 'Signed' | 'Verified' | 'Authenticated'

/** The members of a result that are not about the key. */
type MembersOf<Name extends ResultName> = Name extends ResultName
  ? Omit<Exclude<Shapes[Name], { readonly results: unknown }>, 'key_id' | 'key_version'>
  : never

/** What an item results in, with the version of the key that did it. */
export interface Outcome<Name extends ResultName> {
  readonly key: UsedKey
  readonly members: MembersOf<Name>
}

interface Definition<Raw, Item, Name extends ResultName> {
  /** The name in failure messages. */
  readonly name: string
  readonly use: KeyOperation
  readonly schema: Schema<Raw>
  /** Makes an item of what the schema admits. */
  readonly read: (raw: Raw) => Item
  readonly run: (key: KeyInUse, item: Item) => Promise<Outcome<Name>>
  readonly answers: { readonly 200: Name }
  /** What it refuses, beside what all of these operations do. */
  readonly faults: readonly FailureName[]
}

/** The id of a version, which is never given to another one. */
export const keyId = (id: string, version: number): string => `${id}@${version}`

const view = ({ key, members }: Outcome<ResultName>) => ({
  ...members,
  key_id: keyId(key.id, key.version),
  key_version: key.version,
})

const isUnopened = (result: unknown) => result instanceof Fault && result.failure === 'notDecrypted'

/** Records that ciphertexts did not open. The event says nothing about them. */
async function recordUnopened(backend: Backend, { id, projectId }: SealedSecret): Promise<void> {
  await recordRefusal(backend, { target: 'secret/key', id, projectId, action: 'read', failure: '400' })
}

async function answerWith<Raw, Item>(
  { use, name, run }: Definition<Raw, Item, ResultName>,
  { backend, config }: Call,
  secret: SealedSecret,
  { isBatch, items }: Requested<Item>,
): Promise<ReplyOf<{ readonly 200: ResultName }>> {
  const key = await keyInUse(backend, secret, use)
  const isRsa = key.current.kind === 'pair' && key.current.pair.kind === 'rsa'
  if (isRsa && items.length > MAX_RSA_ITEMS)
    throw fault('useTooLarge', 'a batch for an RSA key', `${MAX_RSA_ITEMS} items`)
  const results: (Outcome<ResultName> | Fault)[] = []
  for (const item of items) results.push(item instanceof Fault ? item : await unlessWhole(() => run(key, item)))
  const [only] = results
  const failed = !isBatch && only instanceof Fault ? only : null
  // A replica may lack the version that a ciphertext names. The request is then attempted again on the primary.
  const mayBeBehind = backend.db.observed.lagging && results.some((result) => result instanceof Fault)
  if (mayBeBehind) throw failed ?? fault('notDecrypted')
  if (results.some(isUnopened)) await recordUnopened(backend, secret)
  if (failed) throw failed
  if (config.auditReads === 'strict') {
    await requireWritable(backend)
    await recordRead(backend, secret, 'secret/key')
  }
  if (secret.superseded !== null) resealSoon(backend, secret.id, () => isWritable(backend))
  if (!isBatch && only && !(only instanceof Fault)) return { status: 200, json: view(only) }
  const views = results.map((result) =>
    result instanceof Fault ? { error: { code: result.status, description: result.describe(name) } } : view(result),
  )
  return { status: 200, json: { results: views } }
}

/** What refuses the use of a key, whatever it is used for. */
const useFaults = [
  'noPayload',
  'keyUsage',
  'keyKind',
  'keyVersion',
  'versionDisabled',
  'versionIsDestroyed',
  'useTooLarge',
] as const

/** Defines the resource of an operation: `POST /secrets/{id}/{operation}`. */
export function keyOperation<Raw, Item, const Name extends ResultName>(
  definition: Definition<Raw, Item, Name>,
): Resource {
  const { name, use, schema, read, answers, faults } = definition
  const body = keyBody(schema, read)
  const said: { readonly 200: ResultName } = answers
  return resource<SealedSecret>({
    path: `/secrets/:secret/${use}`,
    auditTarget: 'secret/key',
    find: ({ backend, param }) => readSealedSecret(backend, secretIdOfPath(param)),
    faults: secretFaults,
    operations: {
      POST: operation({
        name,
        rule: 'secret:use',
        use,
        readsOnly: true,
        body,
        answers: said,
        faults: [...useFaults, ...faults],
        answer: (call, secret, requested) => answerWith(definition, call, secret, requested),
      }),
    },
  })
}
