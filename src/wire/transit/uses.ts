/**
 * Uses of keys, whoever asks for them: HTTP (`operations.ts`) or a service binding (`binding-uses.ts`). None of them
 * stores anything, so they are served like reads, and may be repeated.
 */
import type { Config } from '../../config.ts'
import { Fault, fault } from '../../faults.ts'
import { recordRefusal } from '../../state/audit/refusals.ts'
import type { Backend } from '../../state/backend.ts'
import type { KeyOperation } from '../../state/entities.ts'
import { resealSoon } from '../../state/keys/project-key-versions.ts'
import { isWritable, requireWritable } from '../../state/read-only.ts'
import type { StoredKey } from '../../state/secrets/secret-versions.ts'
import { recordRead, type SealedSecret } from '../../state/secrets/secrets.ts'
import { keyInUse, type KeyInUse, type UsedKey } from '../../state/secrets/used-keys.ts'
import { MAX_RSA_ITEMS } from './limits.ts'

export type Bytes = Uint8Array<ArrayBuffer>

/** What a use results in, by the names of the answer's members. */
export type Members = Readonly<Record<string, Uint8Array | string | boolean | undefined>>

/** The result of an item, with the version of the key that did it. */
export interface Outcome<Result extends Members> {
  readonly key: UsedKey
  readonly members: Result
}

/** What can be done with a key, as item and result. */
export interface Use<Item, Result extends Members> {
  /** The name in failure messages. */
  readonly name: string
  readonly operation: KeyOperation
  /** The version of the key that an item needs; undefined: the current one. */
  readonly versionOf: (item: Item) => number | undefined
  readonly run: (key: KeyInUse, item: Item) => Promise<Outcome<Result>>
}

/** The items of a request, each read or with its failure. */
export interface Requested<Item> {
  readonly isBatch: boolean
  readonly items: readonly (Item | Fault)[]
}

/** The id of a version, which is never given to another one. */
export const keyId = (id: string, version: number): string => `${id}@${version}`

/** Returns the result, or the failure of one item of a batch. Throws what concerns the request: its size, and errors. */
export async function unlessWhole<Result>(run: () => Promise<Result> | Result): Promise<Result | Fault> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof Fault && error.status !== 413) return error
    throw error
  }
}

/** The versions that a request needs, so that they are read together with the key. */
export function versionsFor<Item>(
  { versionOf }: Pick<Use<Item, Members>, 'versionOf'>,
  items: readonly (Item | Fault)[],
): ReadonlySet<number> {
  const versions = items.map((item) => (item instanceof Fault ? undefined : versionOf(item)))
  return new Set(versions.filter((version) => version !== undefined))
}

const isUnopened = (result: unknown) => result instanceof Fault && result.failure === 'notDecrypted'

/** Records that ciphertexts did not open. The event says nothing about them. */
async function recordUnopened(backend: Backend, { id, projectId }: SealedSecret): Promise<void> {
  await recordRefusal(backend, { target: 'secret/key', id, projectId, action: 'read', failure: '400' })
}

/**
 * Uses a key, whose access rule was asked, for each item, and records it. Returns a result for each item; of a request
 * that is no batch the failure is thrown.
 */
export async function useKey<Item, Result extends Members>(
  { operation, run }: Use<Item, Result>,
  { backend, config }: { readonly backend: Backend; readonly config: Pick<Config, 'auditReads'> },
  secret: StoredKey,
  { isBatch, items }: Requested<Item>,
): Promise<readonly (Outcome<Result> | Fault)[]> {
  const key = await keyInUse(backend, secret, operation)
  const isRsa = key.current.kind === 'pair' && key.current.pair.kind === 'rsa'
  if (isRsa && items.length > MAX_RSA_ITEMS)
    throw fault('useTooLarge', 'a batch for an RSA key', `${MAX_RSA_ITEMS} items`)
  const results: (Outcome<Result> | Fault)[] = []
  for (const item of items) results.push(item instanceof Fault ? item : await unlessWhole(() => run(key, item)))
  const [only] = results
  const failed = !isBatch && only instanceof Fault ? only : null
  // A replica may lack the version that a ciphertext names. The request is then attempted again on the primary.
  const mayBeBehind = backend.db.observed.lagging && results.some((result) => result instanceof Fault)
  if (mayBeBehind) throw failed ?? fault('notDecrypted')
  if (results.some(isUnopened) && (await isWritable(backend))) await recordUnopened(backend, secret)
  if (failed) throw failed
  if (config.auditReads === 'strict') {
    await requireWritable(backend)
    await recordRead(backend, secret, 'secret/key')
  }
  if (secret.superseded !== null) resealSoon(backend, secret.id, () => isWritable(backend))
  return results
}
