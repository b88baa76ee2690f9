/**
 * PEM (RFC 7468) as bytes. Nothing of it becomes a string, which could not be erased: neither the text nor its base64.
 */
import { encodeUtf8 } from '../encoding.ts'

const BEGIN = '-----BEGIN '
const DASHES = '-----'
/** Longer than every label that is used: `ENCRYPTED PRIVATE KEY`. */
const MOST_LABEL_CHARACTERS = 40
/** More than a certificate with its chain has. */
const MOST_BLOCKS = 10

const PADDING = 0x3d
/** Values of the base64 alphabet by character; 64 or more for other characters. */
const sixBits = new Uint8Array(128).fill(255)
const alphabet = encodeUtf8('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
for (const [value, character] of alphabet.entries()) sixBits[character] = value

const isSpace = (byte: number) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)

/** Decodes base64 with white space and complete padding; null for anything else, and if unused bits are not zero. */
export function decodedBase64(ascii: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const bytes = new Uint8Array(Math.ceil((ascii.length * 3) / 4))
  let [bits, held, length, characters, padding] = [0, 0, 0, 0, 0]
  for (const byte of ascii) {
    if (isSpace(byte)) continue
    characters += 1
    if (byte === PADDING) {
      padding += 1
      continue
    }
    const value = sixBits[byte] ?? 255
    if (value > 63 || padding > 0) return null
    bits = ((bits << 6) | value) & 0xffff
    held += 6
    if (held < 8) continue
    held -= 8
    bytes[length] = bits >> held
    length += 1
  }
  const isComplete = characters % 4 === 0 && padding === (held === 4 ? 2 : held / 2) && padding < 3
  const unused = bits & ((1 << held) - 1)
  return isComplete && unused === 0 ? bytes.subarray(0, length) : null
}

/** The index of an ASCII text in bytes, from `start`; -1 if there is none. */
function indexOf(bytes: Uint8Array, text: string, start: number): number {
  const codes = encodeUtf8(text)
  for (let at = start; at <= bytes.length - codes.length; at += 1) {
    if (codes.every((code, offset) => bytes[at + offset] === code)) return at
  }
  return -1
}

export interface PemBlock {
  /** Such as `PRIVATE KEY`. */
  readonly label: string
  readonly der: Uint8Array<ArrayBuffer>
}

/** The block at this `BEGIN`, and where it ends; null if it cannot be read. */
function blockAt(bytes: Uint8Array, begin: number): { readonly block: PemBlock; readonly end: number } | null {
  const labelAt = begin + BEGIN.length
  const labelEnd = indexOf(bytes.subarray(0, labelAt + MOST_LABEL_CHARACTERS), DASHES, labelAt)
  if (labelEnd < 0) return null
  const label = String.fromCharCode(...bytes.subarray(labelAt, labelEnd))
  const end = indexOf(bytes, `-----END ${label}-----`, labelEnd)
  const der = end < 0 ? null : decodedBase64(bytes.subarray(labelEnd + DASHES.length, end))
  return der && { block: { label, der }, end }
}

/** The blocks of PEM in these bytes, at most {@link MOST_BLOCKS}; null if one of them cannot be read. */
export function pemBlocks(bytes: Uint8Array): readonly PemBlock[] | null {
  const blocks: PemBlock[] = []
  for (let at = indexOf(bytes, BEGIN, 0); at >= 0 && blocks.length < MOST_BLOCKS; at = indexOf(bytes, BEGIN, at)) {
    const found = blockAt(bytes, at)
    if (!found) return null
    blocks.push(found.block)
    at = found.end
  }
  return blocks
}
