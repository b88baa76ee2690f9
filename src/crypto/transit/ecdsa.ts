/**
 * The two forms of an ECDSA signature: r ‖ s in bytes of the curve's size (IEEE P1363, RFC 7518 section 3.4), as
 * WebCrypto makes and JOSE wants it, and DER of `SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279 section 2.2.3), as X.509
 * and OpenSSL have it.
 */
import { elementsOf, readElement, tags } from '../der.ts'

/** Encodes an element of less than 64 KiB. */
function encoded(tag: number, content: readonly number[]): number[] {
  const { length } = content
  if (length < 0x80) return [tag, length, ...content]
  return length < 0x100 ? [tag, 0x81, length, ...content] : [tag, 0x82, length >> 8, length & 0xff, ...content]
}

/** Encodes an unsigned number in the fewest bytes, with a zero before a set sign bit (X.690 section 8.3). */
function integer(bytes: Uint8Array): number[] {
  const start = bytes.findIndex((byte) => byte !== 0)
  const digits = start < 0 ? [0] : [...bytes.subarray(start)]
  return encoded(tags.integer, (digits[0] ?? 0) >= 0x80 ? [0, ...digits] : digits)
}

/** Converts r ‖ s to DER. */
export function toDer(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const half = raw.length / 2
  return Uint8Array.from(encoded(tags.sequence, [...integer(raw.subarray(0, half)), ...integer(raw.subarray(half))]))
}

/** The unsigned number in an INTEGER, in `size` bytes; null if it is negative, not minimal, or larger. */
function unsigned(content: Uint8Array, size: number): Uint8Array | null {
  const [first = 0x80, second = 0] = content
  if (first >= 0x80 || (first === 0 && content.length > 1 && second < 0x80)) return null
  const digits = first === 0 ? content.subarray(1) : content
  if (digits.length > size) return null
  const number = new Uint8Array(size)
  number.set(digits, size - digits.length)
  return number
}

/**
 * Converts DER to r ‖ s, each in `size` bytes. Null for everything but the one DER encoding of two unsigned numbers of
 * this size: a signature has one form only.
 */
export function fromDer(der: Uint8Array, size: number): Uint8Array<ArrayBuffer> | null {
  const elements = elementsOf(readElement(der), tags.sequence)
  if (elements?.length !== 2 || elements.some(({ tag }) => tag !== tags.integer)) return null
  const raw = new Uint8Array(2 * size)
  for (const [at, { content }] of elements.entries()) {
    const number = unsigned(content, size)
    if (!number) return null
    raw.set(number, at * size)
  }
  return raw
}
