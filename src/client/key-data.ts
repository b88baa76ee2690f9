/** The bytes of a key as WebCrypto imports them. */
import { decodeBase64 } from './base64.ts'
import type { Payload } from './contract.ts'

export type KeyFormat = 'raw' | 'pkcs8' | 'spki'

const PEM = /-----BEGIN (PRIVATE|PUBLIC) KEY-----([\s\w+/=]+)-----END/

/** Returns the format that is given, or that of the payload, and the key without PEM's armour. */
export function keyData(
  { bytes, type }: Payload,
  given: KeyFormat | undefined,
): { format: KeyFormat; data: Uint8Array } {
  const [, kind, body] = PEM.exec(String.fromCharCode(...bytes.subarray(0, MOST_PEM_BYTES))) ?? []
  if (kind === undefined || body === undefined || given === 'raw') {
    return { format: given ?? (type === 'application/pkcs8' ? 'pkcs8' : 'raw'), data: bytes }
  }
  const data = decodeBase64(body.replace(/\s/g, ''))
  return { format: given ?? (kind === 'PRIVATE' ? 'pkcs8' : 'spki'), data }
}

/** A private RSA key of 16,384 bits has some 13,000 bytes in PEM. */
const MOST_PEM_BYTES = 32_768
