/**
 * Bodies of operations with keys: one object, or a batch of them. Bytes are base64 of RFC 4648 section 4 with padding and
 * without white space. Error messages do not quote them.
 */
import * as z from 'zod/mini'
import { decodeBase64 } from '../../crypto/encoding.ts'
import { fault, type Fault } from '../../faults.ts'
import { documentAsSent, JSON_TYPES, reader, type BodyReader } from '../http/body.ts'
import { checked, closedObject, integer, list, schemaFault, secretText, type Schema } from '../http/schema.ts'
import { MAX_BODY_BYTES, MAX_ITEMS, MAX_VERSION } from './limits.ts'
import { unlessWhole, type Requested } from './uses.ts'

/** The schema of a version's number. */
export const versionNumber = () => integer({ min: 1, max: MAX_VERSION })

const BASE64 = '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$'

/** The schema of a member with bytes, which {@link bytesIn} decodes. */
export const base64Text = () => secretText().check(z.meta({ contentEncoding: 'base64', pattern: BASE64 }))

/** Decodes a member. Throws `useTooLarge` for more than `max` bytes, and `schema` for text that is not base64. */
export function bytesIn(text: string, schema: string, member: string, max: number): Uint8Array<ArrayBuffer> {
  const tooLarge = () => fault('useTooLarge', `'${member}'`, `${max} bytes`)
  if (text.length > 4 * Math.ceil(max / 3)) throw tooLarge()
  const bytes = /\s/.test(text) ? null : decodeBase64(text)
  if (!bytes) throw schemaFault(schema, `the value of '${member}' is not base64`, member)
  if (bytes.length > max) throw tooLarge()
  return bytes
}

const batchBody = z.lazy(() => closedObject({ batch: list(z.unknown()) }))

function itemsIn(document: unknown, name: string): readonly unknown[] | null {
  if (typeof document !== 'object' || document === null || !Object.hasOwn(document, 'batch')) return null
  const { batch } = checked({ name, type: batchBody }, document)
  if (batch.length === 0) throw schemaFault(name, '[] is too short', 'batch')
  if (batch.length > MAX_ITEMS) throw fault('useTooLarge', 'a batch', `${MAX_ITEMS} items`)
  return batch
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
