/** What the operations with keys answer: one result, or one for each item of a batch. */
import * as z from 'zod/mini'
import { described, list } from './members.ts'

const base64 = () => z.string().check(z.meta({ contentEncoding: 'base64' }))

const keyMembers = () => ({
  key_id: described(z.string(), 'The version of the key that did it.'),
  key_version: z.int(),
})

const ItemFailure = z.object({ error: z.object({ code: z.int(), description: z.nullable(z.string()) }) })

const results = <Members extends z.core.$ZodLooseShape>(members: Members) => {
  const result = z.object({ ...members, ...keyMembers() })
  return z.union([result, z.object({ results: list(z.union([result, ItemFailure])) })])
}

export const keyOperationShapes = {
  Encrypted: results({ ciphertext: base64() }),
  Decrypted: results({ plaintext: base64() }),
  Rewrapped: results({ ciphertext: base64() }),
  DataKey: results({
    plaintext: described(z.optional(base64()), 'Absent if the request says `"plaintext": false`.'),
    ciphertext: base64(),
  }),
  Signed: results({ signature: base64(), algorithm: z.string() }),
  Verified: results({ valid: z.boolean() }),
  Authenticated: results({
    mac: described(z.optional(base64()), 'Unless the request has a code to compare.'),
    valid: described(z.optional(z.boolean()), 'If the request has a code to compare.'),
  }),
}
