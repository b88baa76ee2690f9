/**
 * Sealed values: authenticated encryption of payloads, bound to the place where each is stored.
 *
 *     sealed  = 01 ‖ key version (4 bytes, big endian) ‖ nonce (12 bytes) ‖ AES-256-GCM ciphertext ‖ tag (16 bytes)
 *     key     = HKDF-SHA-256(project key, salt: none, info: context) → 32 bytes
 *     context = "portcullis", "value", format, project, kind, id, key version; each as length (4 bytes) ‖ UTF-8
 *
 * The context is also the associated data. Every value therefore has its own key, and a value that is moved to another
 * row, project or kind does not open.
 *
 * NIST SP 800-38D allows 2^32 messages with random nonces per key. A derived key seals one value in one place under one
 * version of the project key: ids are random and never reused, every payload of a secret has a number that is given
 * once and is part of its id, and resealing uses another version of the key. A derived key therefore seals one message, plus one for each attempt that was interrupted or superseded, and
 * a nonce could only repeat among those few. The project key is only used to derive keys.
 */

const FORMAT = 1
const VERSION_BYTES = 4
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEADER_BYTES = 1 + VERSION_BYTES
/** The bytes by which a box is longer than its plaintext. */
export const BOX_OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES

/** The place that a sealed value is bound to. `kind` separates the values of one id (`payload`, `passphrase`). */
export interface Place {
  readonly project: string
  readonly kind: string
  readonly id: string
}

/** A project's key: non-extractable HKDF key material, and the version that sealed values refer to. */
export interface ProjectKey {
  readonly version: number
  readonly material: CryptoKey
}

/**
 * A stored value did not open: it is damaged, was moved, or is sealed under another key. The error does not say which.
 */
export class SealError extends Error {
  override readonly name = 'SealError'
}

const utf8 = new TextEncoder()

/** Encodes fields with length prefixes, so that different lists of fields have different encodings. */
export function context(...fields: readonly string[]): Uint8Array<ArrayBuffer> {
  // A UTF-16 code unit takes at most three bytes of UTF-8.
  const bytes = new Uint8Array(fields.reduce((most, field) => most + 4 + 3 * field.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const field of fields) {
    const { written } = utf8.encodeInto(field, bytes.subarray(at + 4))
    view.setUint32(at, written)
    at += 4 + written
  }
  return bytes.subarray(0, at)
}

/** Derives the AES-256-GCM key for one context, and one salt if any, from `material`, with HKDF-SHA-256 (RFC 5869). */
export function deriveKey(
  material: CryptoKey,
  info: Uint8Array<ArrayBuffer>,
  usages: KeyUsage[],
  salt = new Uint8Array(0),
): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt, info },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    usages,
  )
}

type KeyUsage = 'encrypt' | 'decrypt' | 'wrapKey' | 'unwrapKey'

/** Returns the WebCrypto arguments to open a box: AES-GCM with 96-bit nonces and 128-bit tags (NIST SP 800-38D). */
export function boxParts(box: Uint8Array, associated: Uint8Array<ArrayBuffer>) {
  const algorithm = { name: 'AES-GCM', iv: box.subarray(0, NONCE_BYTES), additionalData: associated }
  return { algorithm, ciphertext: box.subarray(NONCE_BYTES) }
}

/** Encrypts under a fresh random nonce: nonce ‖ ciphertext ‖ tag. */
export async function sealBox(
  key: CryptoKey,
  plaintext: Uint8Array,
  associated: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
  const algorithm = { name: 'AES-GCM', iv, additionalData: associated }
  const ciphertext = await crypto.subtle.encrypt(algorithm, key, plaintext)
  const box = new Uint8Array(NONCE_BYTES + ciphertext.byteLength)
  box.set(iv)
  box.set(new Uint8Array(ciphertext), NONCE_BYTES)
  return box
}

/** Opens the result of {@link sealBox} for the same key and associated data; throws {@link SealError} otherwise. */
export async function openBox(
  key: CryptoKey,
  box: Uint8Array,
  associated: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const { algorithm, ciphertext } = boxParts(box, associated)
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, ciphertext))
  } catch {
    throw new SealError('the value does not open in its place')
  }
}

function contextOf(place: Place, version: number): Uint8Array<ArrayBuffer> {
  return context('portcullis', 'value', String(FORMAT), place.project, place.kind, place.id, String(version))
}

/** Seals `plaintext`, which may be empty, for its place under the project's key. */
export async function seal(key: ProjectKey, place: Place, plaintext: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const info = contextOf(place, key.version)
  const valueKey = await deriveKey(key.material, info, ['encrypt'])
  const box = await sealBox(valueKey, plaintext, info)
  const sealed = new Uint8Array(HEADER_BYTES + box.length)
  sealed[0] = FORMAT
  new DataView(sealed.buffer).setUint32(1, key.version)
  sealed.set(box, HEADER_BYTES)
  return sealed
}

/** Returns the project key version in a sealed value. Throws {@link SealError} if the format is invalid. */
export function keyVersionOf(sealed: Uint8Array): number {
  if (sealed.length < HEADER_BYTES + BOX_OVERHEAD_BYTES || sealed[0] !== FORMAT)
    throw new SealError('not a sealed value')
  return new DataView(sealed.buffer, sealed.byteOffset).getUint32(1)
}

/** What opens one value: its key, the version of the project key that this is derived from, and the context. */
export interface ValueKey {
  readonly version: number
  readonly key: CryptoKey
  readonly info: Uint8Array<ArrayBuffer>
}

/** Derives what opens the value of a place. It can be kept, because its inputs never change. */
export async function valueKeyOf({ version, material }: ProjectKey, place: Place): Promise<ValueKey> {
  const info = contextOf(place, version)
  return { version, key: await deriveKey(material, info, ['decrypt']), info }
}

/** Opens the result of {@link seal} for the same place and key; throws {@link SealError} otherwise. */
export async function openValue(
  { version, key, info }: ValueKey,
  sealed: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  if (keyVersionOf(sealed) !== version) throw new SealError('sealed under another key')
  return openBox(key, sealed.subarray(HEADER_BYTES), info)
}

/** As {@link openValue}, of a value that is opened once. */
export const open = async (key: ProjectKey, place: Place, sealed: Uint8Array): Promise<Uint8Array<ArrayBuffer>> =>
  openValue(await valueKeyOf(key, place), sealed)
