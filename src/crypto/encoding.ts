/** Bytes as text and back, where the platform's own methods do not answer with null. */

/**
 * The bytes of base64 (RFC 4648 section 4): white space is skipped, padding must be complete, and unused bits must be
 * zero. Null for anything else, base64url included: decoding it to other bytes would change what was sent.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' })
  } catch {
    return null
  }
}

/** UTF-8. A lone surrogate, which UTF-8 cannot encode, becomes U+FFFD. */
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

/** Two lower-case digits for each byte; also in Node 24, which has no `toHex` yet. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
