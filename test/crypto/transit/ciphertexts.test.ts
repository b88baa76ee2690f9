/** Ciphertexts of stored keys: the published vectors of format 1, those that must fail, and every bit flipped. */
import { describe, expect, it } from 'vitest'
import {
  encryptMessage,
  importMaterial,
  keyNamedIn,
  openMessage,
  OVERHEAD_BYTES,
} from '../../../src/crypto/transit/ciphertexts.ts'
import vectors from '../../vectors/transit.json'

const fromHex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const keyOf = async ({
  key,
  id,
  version,
}: {
  readonly key: string
  readonly id: string
  readonly version: number
}) => ({
  id,
  version,
  material: await importMaterial(fromHex(key)),
})

describe('a ciphertext of format 1', () => {
  it.each(vectors.valid)('the published ciphertext of version $version opens', async (vector) => {
    const ciphertext = fromHex(vector.ciphertext)
    expect(keyNamedIn(ciphertext)).toEqual({ id: vector.id, version: vector.version })
    expect(await openMessage(await keyOf(vector), ciphertext, fromHex(vector.context))).toEqual(
      fromHex(vector.plaintext),
    )
  })

  it.each(vectors.mustFail.ciphertexts)('a ciphertext with $what does not open', async ({ ciphertext }) => {
    const { context } = vectors.mustFail
    expect(await openMessage(await keyOf(vectors.mustFail), fromHex(ciphertext), fromHex(context))).toBeNull()
  })

  it.each([0, 1, 100])('a ciphertext of %d bytes opens, and with any bit flipped it does not', async (length) => {
    const key = await keyOf(vectors.mustFail)
    const [plaintext, context] = [crypto.getRandomValues(new Uint8Array(length)), Uint8Array.of(1, 2, 3)]
    const ciphertext = await encryptMessage(key, plaintext, context)
    expect(ciphertext.length).toBe(length + OVERHEAD_BYTES)
    expect(await openMessage(key, ciphertext, context)).toEqual(plaintext)
    for (let bit = 0; bit < 8 * ciphertext.length; bit += 1) {
      const flipped = ciphertext.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(await openMessage(key, flipped, context), `bit ${bit}`).toBeNull()
    }
  })

  it('a ciphertext that was cut off names no key, and one without content names one', async () => {
    const ciphertext = await encryptMessage(await keyOf(vectors.mustFail), new Uint8Array(0), new Uint8Array(0))
    expect(keyNamedIn(ciphertext)?.id).toBe(vectors.mustFail.id)
    for (let length = 0; length < ciphertext.length; length += 1)
      expect(keyNamedIn(ciphertext.subarray(0, length)), `${length} bytes`).toBeNull()
  })

  it('two ciphertexts of the same message share their names and nothing random', async () => {
    const key = await keyOf(vectors.mustFail)
    const [one, other] = [
      await encryptMessage(key, Uint8Array.of(1), new Uint8Array(0)),
      await encryptMessage(key, Uint8Array.of(1), new Uint8Array(0)),
    ]
    expect(one.subarray(0, 22)).toEqual(other.subarray(0, 22))
    expect(one.subarray(22, 34)).not.toEqual(other.subarray(22, 34))
    expect(one.subarray(34, 46)).not.toEqual(other.subarray(34, 46))
  })
})
