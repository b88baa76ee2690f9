/** What can be done with keys for encryption: `encrypt`, `decrypt`, `rewrap` and `datakey`. */
import { encryptMessage, keyNamedIn, openMessage } from '../../crypto/transit/ciphertexts.ts'
import { decryptOaep, DEFAULT_OAEP, encryptOaep, mostOaepBytes, type OaepName } from '../../crypto/transit/oaep.ts'
import { fault } from '../../faults.ts'
import type { KeyInUse, UsedKey } from '../../state/secrets/used-keys.ts'
import type { Bytes, Use } from './uses.ts'

/** How an item is to be encrypted or opened. `algorithm` is for RSA keys alone. */
export interface Terms {
  readonly context: Bytes
  readonly algorithm: OaepName | undefined
  readonly version: number | undefined
}
type WithPlaintext = Terms & { readonly plaintext: Bytes }
type WithCiphertext = Terms & { readonly ciphertext: Bytes }
type Sealed = { readonly ciphertext: Bytes }

async function encryptedWith(key: UsedKey, plaintext: Bytes, { context, algorithm }: Terms) {
  if (key.kind === 'material') {
    if (algorithm) throw fault('rsaAlgorithm', algorithm)
    return { key, members: { ciphertext: await encryptMessage(key, plaintext, context) } }
  }
  if (key.kind !== 'pair') throw fault('keyKind', 'it does not encrypt')
  const name = algorithm ?? DEFAULT_OAEP
  const most = mostOaepBytes(key.pair, name)
  if (plaintext.length > most) throw fault('useTooLarge', "'plaintext' under this key", `${most} bytes`)
  return { key, members: { ciphertext: await encryptOaep(key.pair, name, plaintext, context) } }
}

const versionOrCurrent = ({ current, at }: KeyInUse, version: number | undefined) =>
  version === undefined ? current : at(version)

/**
 * Opens a ciphertext. Whatever is wrong with it, the failure is `notDecrypted`: it is of another key or version, damaged,
 * of another context or of no known format.
 */
async function opened(key: KeyInUse, { ciphertext, context, algorithm, version }: WithCiphertext) {
  if (key.current.kind === 'pair') {
    const used = await versionOrCurrent(key, version)
    if (used.kind !== 'pair') throw fault('notDecrypted')
    const plaintext = await decryptOaep(used.pair, algorithm ?? DEFAULT_OAEP, ciphertext, context)
    if (!plaintext) throw fault('notDecrypted')
    return { key: used, plaintext }
  }
  if (algorithm) throw fault('rsaAlgorithm', algorithm)
  const named = keyNamedIn(ciphertext)
  const isOfKey = named?.id === key.secret.id && (version === undefined || version === named.version)
  if (!named || !isOfKey || !key.has(named.version)) throw fault('notDecrypted')
  const used = await key.at(named.version)
  const plaintext = used.kind === 'material' ? await openMessage(used, ciphertext, context) : null
  if (!plaintext) throw fault('notDecrypted')
  return { key: used, plaintext }
}

const askedVersion = ({ version }: Terms) => version
/** A ciphertext of a symmetric key names its version itself. */
const versionNamedIn = ({ version, ciphertext }: WithCiphertext) => version ?? keyNamedIn(ciphertext)?.version

export const encrypt: Use<WithPlaintext, Sealed> = {
  name: 'Encryption',
  operation: 'encrypt',
  versionOf: askedVersion,
  run: async (key, item) => encryptedWith(await versionOrCurrent(key, item.version), item.plaintext, item),
}

export const decrypt: Use<WithCiphertext, { readonly plaintext: Bytes }> = {
  name: 'Decryption',
  operation: 'decrypt',
  versionOf: versionNamedIn,
  async run(key, item) {
    const { key: used, plaintext } = await opened(key, item)
    return { key: used, members: { plaintext } }
  },
}

export const rewrap: Use<WithCiphertext & { readonly newContext: Bytes }, Sealed> = {
  name: 'Rewrapping',
  operation: 'rewrap',
  versionOf: versionNamedIn,
  async run(key, item) {
    const { plaintext } = await opened(key, item)
    try {
      return await encryptedWith(key.current, plaintext, { ...item, context: item.newContext })
    } finally {
      plaintext.fill(0)
    }
  },
}

export const DATA_KEY_BITS = [128, 256, 512] as const
export const DEFAULT_DATA_KEY_BITS = 256

interface DataKey extends Terms {
  readonly bits: (typeof DATA_KEY_BITS)[number]
  /** Whether the answer has the data key in clear. */
  readonly shown: boolean
}

export const dataKey: Use<DataKey, Sealed & { readonly plaintext?: Bytes | undefined }> = {
  name: 'Data key creation',
  operation: 'datakey',
  versionOf: askedVersion,
  async run(key, item) {
    const plaintext = crypto.getRandomValues(new Uint8Array(item.bits / 8))
    const { key: used, members } = await encryptedWith(await versionOrCurrent(key, item.version), plaintext, item)
    if (item.shown) return { key: used, members: { plaintext, ...members } }
    plaintext.fill(0)
    return { key: used, members }
  },
}
