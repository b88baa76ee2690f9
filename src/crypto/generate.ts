/**
 * What an order can generate: one table from algorithm to the lengths that are served.
 *
 * Names are compared without regard to case. Lengths are bits. Source: the peer's behaviour; HMAC keys of 384 and 512
 * bits, on which the peer fails although it lists the algorithms, are served.
 */

export type SymmetricOutcome = 'generated' | 'length' | 'kind' | 'unknown'

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

/** Known to the peer's plugin, but not as algorithms of symmetric keys. */
const otherKinds = new Set(['rsa', 'dsa', 'ec', 'diffie_hellman', 'desede'])

/** Whether a symmetric key of this description is served, and if not, for which of the peer's three reasons. */
export function symmetricOutcome(algorithm: string, bits: number, mode: string | null): SymmetricOutcome {
  const name = algorithm.toLowerCase()
  const lengths = lengthsOf.get(name)
  if (!lengths) return otherKinds.has(name) ? 'kind' : 'unknown'
  const served = mode?.toLowerCase() === 'xts' ? XTS_BITS : lengths
  return served.includes(bits) ? 'generated' : 'length'
}

/** Random bytes of a symmetric key; `bits` is a multiple of 8. */
export function symmetricKey(bits: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(bits / 8))
}
