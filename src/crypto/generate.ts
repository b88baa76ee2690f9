/**
 * Symmetric keys that an order can generate: one table from algorithm to the supported lengths.
 *
 * Names are case-insensitive. Lengths are in bits. The table follows Barbican's behaviour, with one addition: HMAC keys
 * of 384 and 512 bits, on which Barbican fails although it lists the algorithms.
 */

type SymmetricOutcome = 'generated' | 'length' | 'kind' | 'unknown'

const COMMON_BITS = [64, 128, 192, 256]
/** XTS uses two keys of one length each (NIST SP 800-38E). */
const XTS_BITS = [128, 256, 384, 512]

const lengthsOf: ReadonlyMap<string, readonly number[]> = new Map([
  ['aes', COMMON_BITS],
  ['des', COMMON_BITS],
  ['hmacsha1', COMMON_BITS],
  ['hmacsha256', COMMON_BITS],
  ['hmacsha384', [...COMMON_BITS, 384]],
  ['hmacsha512', [...COMMON_BITS, 384, 512]],
])

/** Algorithms that Barbican's plugin supports, but not for symmetric keys. */
const otherKinds = new Set(['rsa', 'dsa', 'ec', 'diffie_hellman', 'desede'])

/** Reports whether such a symmetric key can be generated and, if not, which of Barbican's three reasons applies. */
export function symmetricOutcome(algorithm: string, bits: number, mode: string | null): SymmetricOutcome {
  const name = algorithm.toLowerCase()
  const lengths = lengthsOf.get(name)
  if (!lengths) return otherKinds.has(name) ? 'kind' : 'unknown'
  const supported = mode?.toLowerCase() === 'xts' ? XTS_BITS : lengths
  return supported.includes(bits) ? 'generated' : 'length'
}

/** Generates a random symmetric key; `bits` must be a multiple of 8. */
export function symmetricKey(bits: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(bits / 8))
}
