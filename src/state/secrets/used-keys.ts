/** Stored keys as the service uses them: imported, not extractable, and their bytes erased. */
import { ENCRYPTION_KEY_BYTES, importMaterial } from '../../crypto/transit/ciphertexts.ts'
import { readKeyPair, type KeyPair } from '../../crypto/transit/key-pairs.ts'
import { importMacKeys, LEAST_MAC_KEY_BYTES, type MacKeys } from '../../crypto/transit/macs.ts'
import { fault } from '../../faults.ts'
import type { Backend } from '../backend.ts'
import type { KeyOperation } from '../entities.ts'
import { FIRST_VERSION, presentVersion } from './secret-rows.ts'
import { openKeyVersion, type StoredKey } from './secret-versions.ts'
import { openPayload, type SealedSecret } from './secrets.ts'
import { allowsOperation, usagesOf } from './usages.ts'

/** What a key is imported for. */
type Purpose = 'encryption' | 'signature' | 'mac'

export type ImportedKey =
  | { readonly kind: 'material'; readonly material: CryptoKey }
  | { readonly kind: 'mac'; readonly keys: MacKeys }
  | { readonly kind: 'pair'; readonly pair: KeyPair }

/** A version of a key that is used. */
export type UsedKey = ImportedKey & { readonly id: string; readonly version: number }

const purposeOf = (operation: KeyOperation): Purpose => {
  const [usage] = usagesOf[operation]
  if (usage === 'mac') return 'mac'
  return usage === 'sign' || usage === 'verify' ? 'signature' : 'encryption'
}

/** Imports the bytes of a key and erases them. Throws `keyKind` if they are no key for this purpose. */
async function imported(secretType: string, purpose: Purpose, bytes: Uint8Array<ArrayBuffer>): Promise<ImportedKey> {
  try {
    if (secretType !== 'symmetric') {
      const pair = readKeyPair(bytes, secretType === 'private')
      if (typeof pair === 'string') throw fault('keyKind', pair)
      if (purpose === 'encryption' && pair.kind !== 'rsa') throw fault('keyKind', 'of key pairs only RSA encrypts')
      return { kind: 'pair', pair }
    }
    if (purpose === 'mac') {
      if (bytes.length < LEAST_MAC_KEY_BYTES)
        throw fault('keyKind', `a key for codes has at least ${LEAST_MAC_KEY_BYTES} bytes`)
      return { kind: 'mac', keys: await importMacKeys(bytes) }
    }
    if (!ENCRYPTION_KEY_BYTES.includes(bytes.length))
      throw fault('keyKind', `a key for encryption has ${ENCRYPTION_KEY_BYTES.join(', ')} bytes`)
    return { kind: 'material', material: await importMaterial(bytes) }
  } finally {
    bytes.fill(0)
  }
}

/** The key of a secret, for one operation of one request. */
export interface KeyInUse {
  readonly secret: StoredKey
  readonly current: UsedKey
  /** Whether there is or was a version with this number. */
  readonly has: (version: number) => boolean
  /** A version that was found with the key. Throws `keyVersion` if there is none with this number. */
  readonly at: (version: number) => Promise<UsedKey>
}

/** The number of the payload of a secret that has one. */
export const currentVersion = (secret: SealedSecret): number => presentVersion(secret) ?? FIRST_VERSION

/**
 * Imports the current version of the secret's key for an operation. Throws `noPayload`, `keyUsage` if the usages of the
 * secret do not allow the operation, and `keyKind` if the payload is no key for it.
 */
export async function keyInUse(backend: Backend, secret: StoredKey, operation: KeyOperation): Promise<KeyInUse> {
  if (!secret.sealed) throw fault('noPayload')
  if (!allowsOperation(secret, operation)) throw fault('keyUsage', operation)
  const bytes = await openPayload(backend, secret)
  const key = await imported(secret.secretType, purposeOf(operation), bytes)
  const current = { ...key, id: secret.id, version: currentVersion(secret) }
  // The items of a batch share what was opened for one of them.
  const opened = new Map<number, Promise<UsedKey>>([[current.version, Promise.resolve(current)]])
  const older = async (version: number): Promise<UsedKey> => {
    const bytesOfVersion = await openKeyVersion(backend, secret, version)
    return { ...(await imported(secret.secretType, purposeOf(operation), bytesOfVersion)), id: secret.id, version }
  }
  return {
    secret,
    current,
    has: (version) => version >= FIRST_VERSION && version <= current.version,
    at(version) {
      const key = opened.get(version) ?? older(version)
      opened.set(version, key)
      return key
    },
  }
}

/** What can be told about the current version of a key. */
export interface KeyDescription {
  readonly algorithm: string | null
  readonly bits: number | null
  readonly pair: KeyPair | null
  /** Whether the payload is a key that the operation can be done with. */
  readonly fits: (operation: KeyOperation) => boolean
}

const none: KeyDescription = { algorithm: null, bits: null, pair: null, fits: () => false }

function pairDescribed(pair: KeyPair): KeyDescription {
  const fits = (operation: KeyOperation) => {
    const purpose = purposeOf(operation)
    return purpose === 'signature' || (purpose === 'encryption' && pair.kind === 'rsa')
  }
  return { algorithm: pair.kind, bits: pair.bits, pair, fits }
}

/** Describes the current version of the secret's key. A payload that is no key is described as none. */
export async function describeKey(backend: Backend, secret: SealedSecret): Promise<KeyDescription> {
  const { secretType } = secret
  const isPrivate = secretType === 'private'
  if (!['symmetric', 'private', 'public', 'certificate'].includes(secretType)) {
    if (!secret.sealed) throw fault('noPayload')
    return none
  }
  const bytes = await openPayload(backend, secret)
  try {
    if (secretType !== 'symmetric') {
      const pair = readKeyPair(bytes, isPrivate)
      return typeof pair === 'string' ? none : pairDescribed(pair)
    }
    const { length } = bytes
    const algorithm = allowsOperation(secret, 'mac') ? 'hmac' : 'aes'
    const fits = (operation: KeyOperation) =>
      purposeOf(operation) === 'mac' ? length >= LEAST_MAC_KEY_BYTES : ENCRYPTION_KEY_BYTES.includes(length)
    return { algorithm, bits: 8 * length, pair: null, fits }
  } finally {
    bytes.fill(0)
  }
}
