/** Symmetric keys: which algorithms, modes and lengths are generated, and that the bytes are random. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { symmetricKey, symmetricOutcome } from '../../src/crypto/generate.ts'

const common = [64, 128, 192, 256]
const served: Readonly<Record<string, readonly number[]>> = {
  aes: common,
  des: common,
  hmacsha1: common,
  hmacsha256: common,
  hmacsha384: [...common, 384],
  hmacsha512: [...common, 384, 512],
}

describe('a symmetric key', () => {
  it.each(Object.entries(served))('a key of %s is generated in %j bits and no others', (algorithm, lengths) => {
    for (const name of [algorithm, algorithm.toUpperCase()]) {
      for (let bits = 8; bits <= 1024; bits += 8) {
        expect([bits, symmetricOutcome(name, bits, null)]).toEqual([
          bits,
          lengths.includes(bits) ? 'generated' : 'length',
        ])
      }
      expect(symmetricOutcome(name, 32_760, null)).toBe('length')
    }
  })

  it.each(['xts', 'XTS', 'Xts'])('a key in mode %s is generated in the lengths of two keys', (mode) => {
    for (let bits = 8; bits <= 1024; bits += 8) {
      const made = [128, 256, 384, 512].includes(bits)
      expect([bits, symmetricOutcome('aes', bits, mode)]).toEqual([bits, made ? 'generated' : 'length'])
    }
  })

  it.each(['cbc', 'gcm', '', 'anything', 'xts '])('a key in mode %j is generated in the common lengths', (mode) => {
    expect(symmetricOutcome('aes', 192, mode)).toBe('generated')
    expect(symmetricOutcome('aes', 512, mode)).toBe('length')
  })

  it.each(['rsa', 'DSA', 'ec', 'diffie_hellman', 'DESede'])(
    'no symmetric key is generated for %s, which is an algorithm of another kind',
    (algorithm) => {
      expect(symmetricOutcome(algorithm, 256, null)).toBe('kind')
    },
  )

  it.each(['3des', 'blowfish', 'rc4', 'chacha20', '', ' aes', '__proto__', 'constructor', 'toString', 'ﬀ'])(
    'no symmetric key is generated for the unknown algorithm %j',
    (algorithm) => {
      expect(symmetricOutcome(algorithm, 256, null)).toBe('unknown')
    },
  )

  it('every description of a symmetric key has an outcome', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer(), fc.option(fc.string()), (algorithm, bits, mode) => {
        expect(['generated', 'length', 'kind', 'unknown']).toContain(symmetricOutcome(algorithm, bits, mode))
      }),
    )
  })

  it('a symmetric key has one byte for every eight bits', () => {
    for (const bits of [8, 64, 128, 192, 256, 384, 512]) expect(symmetricKey(bits)).toHaveLength(bits / 8)
  })

  it('two generated symmetric keys differ, and every bit can be 0 or 1', () => {
    const keys = Array.from({ length: 200 }, () => symmetricKey(64))
    expect(new Set(keys.map((key) => key.join())).size).toBe(200)
    for (let bit = 0; bit < 64; bit += 1) {
      const ones = keys.filter((key) => ((key[bit >> 3] ?? 0) >> (bit & 7)) & 1).length
      expect(ones).toBeGreaterThan(40)
      expect(ones).toBeLessThan(160)
    }
  })
})
