/**
 * Ciphertexts that a stored symmetric key makes for its users: format 1. It is public, with vectors in
 * `test/vectors/transit.json`, so that whoever may read a key can open its ciphertexts without the service.
 *
 *     offset  bytes
 *     0       1   format, 01
 *     1       16  id of the secret
 *     17      4   version of the key, big endian
 *     21      1   algorithm, 01: HKDF-SHA-256 and AES-256-GCM
 *     22      12  salt, random
 *     34      12  nonce, random
 *     46      n   ciphertext, and 16 bytes of its tag
 *
 *     key              = HKDF-SHA-256(stored key, salt, context("portcullis", "transit", "1", "A256GCM")), 32 bytes
 *     associated data  = bytes 0 to 45 ‖ context of the client
 *
 * Each message has a key of its own, so messages need not be counted: salt and nonce are 192 random bits together. The
 * stored key is only used to derive keys, so it does not matter what else was encrypted with its bytes.
 */
import { context, deriveKey } from '../envelope.ts'
import { toHex } from '../encoding.ts'

const FORMAT = 1
const HKDF_SHA256_AES_256_GCM = 1
const KEY_ID_AT = 1
const VERSION_AT = 17
const ALGORITHM_AT = 21
const SALT_AT = 22
const NONCE_AT = 34
const HEADER_BYTES = 46
const TAG_BYTES = 16
/** The bytes by which a ciphertext is longer than its plaintext. */
export const OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES
/** Lengths of stored keys, in bytes: those of AES, and of two AES keys. */
export const ENCRYPTION_KEY_BYTES: readonly number[] = [16, 24, 32, 64]

const info = context('portcullis', 'transit', String(FORMAT), 'A256GCM')

/** Which key a ciphertext names. */
export interface KeyName {
  /** The id of the secret, a UUID in canonical form. */
  readonly id: string
  readonly version: number
}

/** A version of a stored key, as non-extractable HKDF key material. */
export interface EncryptionKey extends KeyName {
  readonly material: CryptoKey
}

/** Imports the bytes of a stored key. The caller may erase them afterwards. */
export function importMaterial(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveKey'])
}

function idBytes(id: string): Uint8Array {
  return Uint8Array.from(id.replaceAll('-', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

/** The key that a ciphertext names; null if this is no ciphertext of format 1. */
export function keyNamedIn(ciphertext: Uint8Array): KeyName | null {
  const isKnown = ciphertext[0] === FORMAT && ciphertext[ALGORITHM_AT] === HKDF_SHA256_AES_256_GCM
  if (ciphertext.length < OVERHEAD_BYTES || !isKnown) return null
  const [, ...parts] = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/.exec(toHex(ciphertext.subarray(KEY_ID_AT, VERSION_AT))) ?? []
  const version = new DataView(ciphertext.buffer, ciphertext.byteOffset).getUint32(VERSION_AT)
  return { id: parts.join('-'), version }
}

/** The WebCrypto arguments for a message with this header. */
async function partsOf(
  { material }: EncryptionKey,
  header: Uint8Array<ArrayBuffer>,
  clientContext: Uint8Array,
  usage: 'encrypt' | 'decrypt',
) {
  const key = await deriveKey(material, info, [usage], header.subarray(SALT_AT, NONCE_AT))
  const additionalData = new Uint8Array(HEADER_BYTES + clientContext.length)
  additionalData.set(header)
  additionalData.set(clientContext, HEADER_BYTES)
  return { algorithm: { name: 'AES-GCM', iv: header.subarray(NONCE_AT, HEADER_BYTES), additionalData }, key }
}

/** Encrypts a message under a key of its own. It opens only with the same context. */
export async function encryptMessage(
  key: EncryptionKey,
  plaintext: Uint8Array,
  clientContext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const header = new Uint8Array(HEADER_BYTES)
  header[0] = FORMAT
  header.set(idBytes(key.id), KEY_ID_AT)
  new DataView(header.buffer).setUint32(VERSION_AT, key.version)
  header[ALGORITHM_AT] = HKDF_SHA256_AES_256_GCM
  crypto.getRandomValues(header.subarray(SALT_AT))
  const { algorithm, key: messageKey } = await partsOf(key, header, clientContext, 'encrypt')
  const encrypted = await crypto.subtle.encrypt(algorithm, messageKey, plaintext)
  const ciphertext = new Uint8Array(HEADER_BYTES + encrypted.byteLength)
  ciphertext.set(header)
  ciphertext.set(new Uint8Array(encrypted), HEADER_BYTES)
  return ciphertext
}

/**
 * Opens a message. Null if it is none of this version of this key, is damaged, or belongs to another context: the
 * answer is the same for all of them. The names are compared before anything is decrypted.
 */
export async function openMessage(
  key: EncryptionKey,
  ciphertext: Uint8Array<ArrayBuffer>,
  clientContext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const named = keyNamedIn(ciphertext)
  if (named?.id !== key.id || named.version !== key.version) return null
  const header = ciphertext.subarray(0, HEADER_BYTES)
  const { algorithm, key: messageKey } = await partsOf(key, header, clientContext, 'decrypt')
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, messageKey, ciphertext.subarray(HEADER_BYTES)))
  } catch {
    return null
  }
}
