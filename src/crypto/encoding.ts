/** Bytes as text and back: base64, UTF-8, hexadecimal. */

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const valueOf: ReadonlyMap<string, number> = new Map(Array.from(alphabet, (character, value) => [character, value]))

/** Base64 of RFC 4648 section 4, with padding; also where there is no `toBase64` yet, as in Node 24. */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(characters(bytes))
}

/** One character U+0000 to U+00FF for each byte. In chunks, because the arguments of a call are limited. */
function characters(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += 8192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8192))
  }
  return text
}

/**
 * Decodes base64 as forgivingly as Python's `binascii.a2b_base64`: characters outside the alphabet are skipped, and the
 * `=` that completes a group ends the data, whatever follows. Null for non-ASCII text and for an unfinished last group.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (/\P{ASCII}/u.test(text)) return null
  const bytes: number[] = []
  let group = 0
  let bits = 0
  let padding = 0
  for (const character of text) {
    const sextet = valueOf.get(character)
    if (sextet !== undefined) {
      padding = 0
      bits = ((bits << 6) | sextet) & 0xffffff
      group = (group + 1) % 4
      // The second, third and fourth character of a group each complete a byte.
      if (group !== 1) bytes.push((bits >> (((4 - group) % 4) * 2)) & 0xff)
    } else if (character === '=' && group >= 2) {
      padding += 1
      if (group + padding === 4) return Uint8Array.from(bytes)
    }
  }
  return group === 0 ? Uint8Array.from(bytes) : null
}

/** UTF-8. A lone surrogate, which UTF-8 cannot say, becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** The text of valid UTF-8, a byte order mark included; null for anything else. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}

/** Two lower-case digits for each byte. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
