/**
 * Encryption for a stored RSA key: RSAES-OAEP (RFC 8017 section 7.1), by the names of JOSE (RFC 7518 section 4.3). The
 * context is the label, and a ciphertext is bare RSA, so that others can make it with the public key alone.
 */
import { importPrivate, importPublic, type KeyPair } from './key-pairs.ts'

const hashes = {
  'RSA-OAEP': { hash: 'SHA-1', bytes: 20 },
  'RSA-OAEP-256': { hash: 'SHA-256', bytes: 32 },
  'RSA-OAEP-384': { hash: 'SHA-384', bytes: 48 },
  'RSA-OAEP-512': { hash: 'SHA-512', bytes: 64 },
} as const

export type OaepName = keyof typeof hashes
export const oaepNames = Object.keys(hashes) as OaepName[]
export const DEFAULT_OAEP: OaepName = 'RSA-OAEP-256'

/** The longest plaintext of this key, in bytes. */
export const mostOaepBytes = ({ bits }: KeyPair, name: OaepName): number =>
  Math.ceil(bits / 8) - 2 * hashes[name].bytes - 2

/** Encrypts with the public half. */
export async function encryptOaep(
  key: KeyPair,
  name: OaepName,
  plaintext: Uint8Array<ArrayBuffer>,
  label: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await importPublic(key, { name: 'RSA-OAEP', hash: hashes[name].hash }, 'encrypt')
  return new Uint8Array(await crypto.subtle.encrypt({ name: 'RSA-OAEP', label }, imported, plaintext))
}

/** Decrypts with the private half. Null if it does not open, for whatever reason. */
export async function decryptOaep(
  key: KeyPair,
  name: OaepName,
  ciphertext: Uint8Array<ArrayBuffer>,
  label: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const imported = await importPrivate(key, { name: 'RSA-OAEP', hash: hashes[name].hash }, 'decrypt')
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'RSA-OAEP', label }, imported, ciphertext))
  } catch {
    return null
  }
}
