/** The operations `encrypt`, `decrypt`, `rewrap` and `datakey`. */
import * as z from 'zod/mini'
import { encryptMessage, keyNamedIn, openMessage } from '../../crypto/transit/ciphertexts.ts'
import {
  decryptOaep,
  DEFAULT_OAEP,
  encryptOaep,
  mostOaepBytes,
  oaepNames,
  type OaepName,
} from '../../crypto/transit/oaep.ts'
import { fault } from '../../faults.ts'
import type { KeyInUse, UsedKey } from '../../state/secrets/used-keys.ts'
import { closedObject, flag, integer, schemaFault, secretText, text } from '../http/schema.ts'
import { bytesIn, MAX_CIPHERTEXT_BYTES, MAX_CONTEXT_BYTES, MAX_INPUT_BYTES, versionNumber } from './bodies.ts'
import { keyOperation, type Outcome } from './operations.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** Members of every body. `algorithm` is for RSA keys alone. */
const common = () => ({
  context: z.optional(secretText()),
  algorithm: z.optional(text({ oneOf: oaepNames })),
  key_version: z.optional(versionNumber()),
})

interface Common {
  readonly context?: string | undefined
  readonly algorithm?: OaepName | undefined
  readonly key_version?: number | undefined
}

/** How an item is to be encrypted or opened. */
interface Terms {
  readonly context: Bytes
  readonly algorithm: OaepName | undefined
  readonly version: number | undefined
}

const contextIn = (context: string | undefined, schema: string, member: string) =>
  context === undefined ? new Uint8Array(0) : bytesIn(context, schema, member, MAX_CONTEXT_BYTES)

const termsOf = ({ context, algorithm, key_version: version }: Common, schema: string): Terms => ({
  context: contextIn(context, schema, 'context'),
  algorithm,
  version,
})

async function encryptedWith(
  key: UsedKey,
  plaintext: Bytes,
  { context, algorithm }: Terms,
): Promise<Outcome<'Encrypted'>> {
  if (key.kind === 'material') {
    if (algorithm) throw fault('rsaAlgorithm', algorithm)
    return { key, members: { ciphertext: (await encryptMessage(key, plaintext, context)).toBase64() } }
  }
  if (key.kind !== 'pair') throw fault('keyKind', 'it does not encrypt')
  const name = algorithm ?? DEFAULT_OAEP
  const most = mostOaepBytes(key.pair, name)
  if (plaintext.length > most) throw fault('useTooLarge', "'plaintext' under this key", `${most} bytes`)
  return { key, members: { ciphertext: (await encryptOaep(key.pair, name, plaintext, context)).toBase64() } }
}

const versionOrCurrent = ({ current, at }: KeyInUse, version: number | undefined) =>
  version === undefined ? current : at(version)

/**
 * Opens a ciphertext. Whatever is wrong with it, the failure is `notDecrypted`: it is of another key or version, damaged,
 * of another context or of no known format.
 */
async function opened(key: KeyInUse, ciphertext: Bytes, { context, algorithm, version }: Terms) {
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

const encryptBody = {
  name: 'Encryption',
  type: z.lazy(() => closedObject({ plaintext: secretText(), ...common() })),
}

const encrypt = keyOperation({
  name: 'Encryption',
  use: 'encrypt',
  answers: { 200: 'Encrypted' },
  faults: ['rsaAlgorithm'],
  schema: encryptBody,
  read: (raw) => ({
    ...termsOf(raw, encryptBody.name),
    plaintext: bytesIn(raw.plaintext, encryptBody.name, 'plaintext', MAX_INPUT_BYTES),
  }),
  run: async (key, item) => encryptedWith(await versionOrCurrent(key, item.version), item.plaintext, item),
})

const decryptBody = {
  name: 'Decryption',
  type: z.lazy(() => closedObject({ ciphertext: secretText(), ...common() })),
}

const decrypt = keyOperation({
  name: 'Decryption',
  use: 'decrypt',
  answers: { 200: 'Decrypted' },
  faults: ['rsaAlgorithm', 'notDecrypted'],
  schema: decryptBody,
  read: (raw) => ({
    ...termsOf(raw, decryptBody.name),
    ciphertext: bytesIn(raw.ciphertext, decryptBody.name, 'ciphertext', MAX_CIPHERTEXT_BYTES),
  }),
  async run(key, item) {
    const { key: used, plaintext } = await opened(key, item.ciphertext, item)
    return { key: used, members: { plaintext: plaintext.toBase64() } }
  },
})

const rewrapBody = {
  name: 'Rewrapping',
  type: z.lazy(() => closedObject({ ciphertext: secretText(), new_context: z.optional(secretText()), ...common() })),
}

const rewrap = keyOperation({
  name: 'Rewrapping',
  use: 'rewrap',
  answers: { 200: 'Rewrapped' },
  faults: ['rsaAlgorithm', 'notDecrypted'],
  schema: rewrapBody,
  read: (raw) => ({
    ...termsOf(raw, rewrapBody.name),
    ciphertext: bytesIn(raw.ciphertext, rewrapBody.name, 'ciphertext', MAX_CIPHERTEXT_BYTES),
    newContext: contextIn(raw.new_context ?? raw.context, rewrapBody.name, 'new_context'),
  }),
  async run(key, item) {
    const { plaintext } = await opened(key, item.ciphertext, item)
    try {
      return await encryptedWith(key.current, plaintext, { ...item, context: item.newContext })
    } finally {
      plaintext.fill(0)
    }
  },
})

const DATA_KEY_BITS: readonly number[] = [128, 256, 512]
const DEFAULT_DATA_KEY_BITS = 256

const dataKeyBody = {
  name: 'Data key',
  type: z.lazy(() => closedObject({ bits: z.optional(integer()), plaintext: z.optional(flag()), ...common() })),
}

function dataKeyBits(bits = DEFAULT_DATA_KEY_BITS): number {
  if (!DATA_KEY_BITS.includes(bits))
    throw schemaFault(dataKeyBody.name, `${bits} is not one of [${DATA_KEY_BITS.join(', ')}]`, 'bits')
  return bits
}

const dataKey = keyOperation({
  name: 'Data key creation',
  use: 'datakey',
  answers: { 200: 'DataKey' },
  faults: ['rsaAlgorithm'],
  schema: dataKeyBody,
  read: (raw) => ({
    ...termsOf(raw, dataKeyBody.name),
    bits: dataKeyBits(raw.bits),
    shown: raw.plaintext ?? true,
  }),
  async run(key, item) {
    const made = crypto.getRandomValues(new Uint8Array(item.bits / 8))
    try {
      const { key: used, members } = await encryptedWith(await versionOrCurrent(key, item.version), made, item)
      return { key: used, members: { ...(item.shown && { plaintext: made.toBase64() }), ...members } }
    } finally {
      made.fill(0)
    }
  },
})

export const encryptionResources = [encrypt, decrypt, rewrap, dataKey]
