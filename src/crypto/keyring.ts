/**
 * The master keyring, and the project keys that its master keys wrap.
 *
 *     MASTER_KEYS = <id>:<base64 of 32 bytes>[,<id>:<base64>…]     the first key is the primary
 *     wrapped     = 01 ‖ length of id (1 byte) ‖ master key id ‖ nonce (12 bytes) ‖ AES-256-GCM of 32 bytes ‖ tag
 *     wrapping key = HKDF-SHA-256(master key, info: context of "project-key", project, store, version)
 *     signing key  = HKDF-SHA-256(master key, info: context of "signing", purpose, token epoch)
 *
 * New project keys are wrapped under the primary key. A wrapped key contains the id of its master key, and opens as
 * long as the ring has that key. The context is also the associated data, so a wrapped key that is copied to another
 * project, store or version does not open.
 */
import {
  BOX_OVERHEAD_BYTES,
  boxParts,
  context,
  deriveKey,
  openBox,
  sealBox,
  SealError,
  type ProjectKey,
} from './envelope.ts'

const FORMAT = 1
const MASTER_KEY_BYTES = 32
const PROJECT_KEY_BYTES = 32
/** 32 random bytes have about 30 distinct values; the probability of fewer than this is below 10^-15. */
const LEAST_DISTINCT_BYTES = 16
const MASTER_KEY_ID = /^[A-Za-z0-9._-]{1,64}$/

/** The place that a wrapped key is bound to. */
export interface KeyPlace {
  readonly project: string
  readonly store: string
  readonly version: number
}

interface MasterKey {
  readonly id: string
  readonly material: CryptoKey
}

/** The deployment's master keys, imported as non-extractable keys. */
export interface Keyring {
  readonly primary: MasterKey
  readonly keys: ReadonlyMap<string, MasterKey>
  /** TOKEN_EPOCH, an input of the signing keys: tokens of other epochs are invalid. */
  readonly tokenEpoch: number
}

/** MASTER_KEYS is invalid. The message has the reason and never the key. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError'
}

/** Returns why these bytes must not be a master key, or null. Rejects values that are not random (threat T31). */
function weakness(bytes: Uint8Array): string | null {
  if (bytes.length !== MASTER_KEY_BYTES) return `is not ${MASTER_KEY_BYTES} bytes long`
  if (new Set(bytes).size < LEAST_DISTINCT_BYTES) return 'is not random: too few different bytes'
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return 'is not random: it is text'
  const step = ((bytes[1] ?? 0) - (bytes[0] ?? 0)) & 0xff
  if (bytes.every((byte, i) => i === 0 || ((byte - (bytes[i - 1] ?? 0)) & 0xff) === step)) {
    return 'is not random: it is a sequence'
  }
  return null
}

function decodeMasterKey(id: string, text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) {
    throw new KeyringError(`key '${id}' is not base64`)
  }
  // Not `fromBase64`, which Node 24 does not have: `npm start` checks the keyring in Node.
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  const reason = weakness(bytes)
  if (reason) throw new KeyringError(`key '${id}' ${reason}`)
  return bytes
}

/**
 * Parses MASTER_KEYS; throws {@link KeyringError} if a key is missing, malformed, short, repeated or not random.
 * `tokenEpoch` selects the signing keys, see {@link deriveSigningKey}.
 */
export async function readKeyring(masterKeys: string | undefined, tokenEpoch = 0): Promise<Keyring> {
  if (!masterKeys?.trim()) throw new KeyringError('no master key is set')
  const keys = new Map<string, MasterKey>()
  for (const entry of masterKeys.split(',')) {
    const [id = '', text = ''] = entry.trim().split(':')
    if (!MASTER_KEY_ID.test(id)) throw new KeyringError('each key is written <id>:<base64 of 32 bytes>')
    if (keys.has(id)) throw new KeyringError(`key id '${id}' stands twice`)
    const bytes = decodeMasterKey(id, text)
    const material = await crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveKey'])
    bytes.fill(0)
    keys.set(id, { id, material })
  }
  const [primary] = keys.values()
  if (!primary) throw new KeyringError('no master key is set')
  return { primary, keys, tokenEpoch }
}

function contextOf(place: KeyPlace): Uint8Array<ArrayBuffer> {
  return context('portcullis', 'project-key', String(FORMAT), place.project, place.store, String(place.version))
}

/** Wraps a project key under the primary master key and overwrites its bytes with zeros. */
async function wrap(keyring: Keyring, place: KeyPlace, raw: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const info = contextOf(place)
  const wrappingKey = await deriveKey(keyring.primary.material, info, ['encrypt'])
  const box = await sealBox(wrappingKey, raw, info)
  raw.fill(0)
  const id = new TextEncoder().encode(keyring.primary.id)
  return Uint8Array.from([FORMAT, id.length, ...id, ...box])
}

/** Generates a project key and returns it wrapped under the primary master key. */
export function newWrappedKey(keyring: Keyring, place: KeyPlace): Promise<Uint8Array> {
  return wrap(keyring, place, crypto.getRandomValues(new Uint8Array(PROJECT_KEY_BYTES)))
}

/** Returns the id of the master key that wrapped a project key. Throws {@link SealError} if the format is invalid. */
export function masterKeyIdOf(wrapped: Uint8Array): string {
  const idBytes = wrapped[1] ?? 0
  if (wrapped[0] !== FORMAT || wrapped.length !== 2 + idBytes + PROJECT_KEY_BYTES + BOX_OVERHEAD_BYTES) {
    throw new SealError('not a wrapped key')
  }
  return new TextDecoder().decode(wrapped.subarray(2, 2 + idBytes))
}

/** Derives the key that opens a wrapped key; throws {@link SealError} if its master key is not in the keyring. */
async function unwrapping(keyring: Keyring, place: KeyPlace, wrapped: Uint8Array, usage: 'decrypt' | 'unwrapKey') {
  const master = keyring.keys.get(masterKeyIdOf(wrapped))
  if (!master) throw new SealError('wrapped under a master key that is not in the keyring')
  const info = contextOf(place)
  const wrappingKey = await deriveKey(master.material, info, [usage])
  return { wrappingKey, box: wrapped.subarray(2 + (wrapped[1] ?? 0)), info }
}

/** Unwraps a project key to a non-extractable WebCrypto key; throws {@link SealError} if it does not open. */
export async function unwrapKey(keyring: Keyring, place: KeyPlace, wrapped: Uint8Array): Promise<ProjectKey> {
  const { wrappingKey, box, info } = await unwrapping(keyring, place, wrapped, 'unwrapKey')
  const { algorithm, ciphertext } = boxParts(box, info)
  try {
    const material = await crypto.subtle.unwrapKey('raw', ciphertext, wrappingKey, algorithm, 'HKDF', false, [
      'deriveKey',
    ])
    return { version: place.version, material }
  } catch {
    throw new SealError('the project key does not open in its place')
  }
}

/** Rewraps a project key under the primary master key; throws {@link SealError} if it does not open. */
export async function rewrapKey(keyring: Keyring, place: KeyPlace, wrapped: Uint8Array): Promise<Uint8Array> {
  const { wrappingKey, box, info } = await unwrapping(keyring, place, wrapped, 'decrypt')
  return wrap(keyring, place, await openBox(wrappingKey, box, info))
}

/**
 * Derives the deployment's HMAC-SHA-256 key for one purpose (`tokens`) from the master key `id` and the token epoch of
 * the keyring; null: no such key.
 */
export async function deriveSigningKey(keyring: Keyring, id: string, purpose: string): Promise<CryptoKey | null> {
  const master = keyring.keys.get(id)
  if (!master) return null
  const info = context('portcullis', 'signing', purpose, String(keyring.tokenEpoch))
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info },
    master.material,
    { name: 'HMAC', hash: 'SHA-256', length: 256 },
    false,
    ['sign', 'verify'],
  )
}
