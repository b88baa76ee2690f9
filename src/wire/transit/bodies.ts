/**
 * Bodies of operations with keys: one object, or a batch of them. Bytes are base64 of RFC 4648 section 4 with padding and
 * without white space. Error messages do not quote them.
 */
import * as z from 'zod/mini'
import { decodeBase64 } from '../../crypto/encoding.ts'
import { Fault, fault } from '../../faults.ts'
import { documentAsSent, JSON_TYPES, reader, type BodyReader } from '../http/body.ts'
import { checked, closedObject, integer, list, schemaFault, type Schema } from '../http/schema.ts'

/** Limits of an operation, in bytes once base64 is decoded. */
export const MAX_INPUT_BYTES = 65_536
export const MAX_CONTEXT_BYTES = 8_192
/** More than any ciphertext is longer than its plaintext. */
const MAX_OVERHEAD_BYTES = 1_024
export const MAX_CIPHERTEXT_BYTES = MAX_INPUT_BYTES + MAX_OVERHEAD_BYTES
/** Four times the signature of the largest RSA key. */
export const MAX_SIGNATURE_BYTES = 4_096
/** The limit of a body; MAX_REQUEST_BYTES does not apply. */
export const MAX_BODY_BYTES = 1_048_576
/** Items of a batch; fewer for RSA keys, whose private operations take up to 12 ms each. */
export const MAX_ITEMS = 100
export const MAX_RSA_ITEMS = 10

const MAX_VERSION = 4_294_967_295

/** The schema of a version's number. */
export const versionNumber = () => integer({ min: 1, max: MAX_VERSION })

/** Decodes a member. Throws `useTooLarge` for more than `max` bytes, and `schema` for text that is not base64. */
export function bytesIn(text: string, schema: string, member: string, max: number): Uint8Array<ArrayBuffer> {
  const tooLarge = () => fault('useTooLarge', `'${member}'`, `${max} bytes`)
  if (text.length > 4 * Math.ceil(max / 3)) throw tooLarge()
  const bytes = /\s/.test(text) ? null : decodeBase64(text)
  if (!bytes) throw schemaFault(schema, `the value of '${member}' is not base64`, member)
  if (bytes.length > max) throw tooLarge()
  return bytes
}

/** The items of a request, each read or with its failure. */
export interface Requested<Item> {
  readonly isBatch: boolean
  readonly items: readonly (Item | Fault)[]
}

const batchBody = z.lazy(() => closedObject({ batch: list(z.unknown()) }))

function itemsIn(document: unknown, name: string): readonly unknown[] | null {
  if (typeof document !== 'object' || document === null || !Object.hasOwn(document, 'batch')) return null
  const { batch } = checked({ name, type: batchBody }, document)
  if (batch.length === 0) throw schemaFault(name, '[] is too short', 'batch')
  if (batch.length > MAX_ITEMS) throw fault('useTooLarge', 'a batch', `${MAX_ITEMS} items`)
  return batch
}

/** Returns the result, or the failure of one item of a batch. Throws what concerns the request: its size, and errors. */
export async function unlessWhole<Result>(run: () => Promise<Result> | Result): Promise<Result | Fault> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof Fault && error.status !== 413) return error
    throw error
  }
}

/** Returns a reader for bodies of such items. `read` makes an item of what its schema admits. */
export function keyBody<Raw, Item>(schema: Schema<Raw>, read: (raw: Raw) => Item): BodyReader<Requested<Item>> {
  return reader({ types: JSON_TYPES, schema: schema.type, inBatch: true }, async (c) => {
    const document = await documentAsSent(c, MAX_BODY_BYTES)
    const batch = itemsIn(document, schema.name)
    const readItem = (item: unknown) => read(checked(schema, item))
    if (!batch) return { isBatch: false, items: [readItem(document)] }
    const items: (Item | Fault)[] = []
    for (const item of batch) items.push(await unlessWhole(() => readItem(item)))
    return { isBatch: true, items }
  })
}
