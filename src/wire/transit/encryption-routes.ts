/** The routes of `encrypt`, `decrypt`, `rewrap` and `datakey`. */
import * as z from 'zod/mini'
import { oaepNames, type OaepName } from '../../crypto/transit/oaep.ts'
import { closedObject, flag, integer, schemaFault, text } from '../http/schema.ts'
import { base64Text, bytesIn, versionNumber } from './bodies.ts'
import { DATA_KEY_BITS, dataKey, decrypt, DEFAULT_DATA_KEY_BITS, encrypt, rewrap, type Terms } from './encryption.ts'
import { MAX_CIPHERTEXT_BYTES, MAX_CONTEXT_BYTES, MAX_INPUT_BYTES } from './limits.ts'
import { keyOperation } from './operations.ts'

/** Members of every body. */
const common = () => ({
  context: z.optional(base64Text()),
  algorithm: z.optional(text({ oneOf: oaepNames })),
  key_version: z.optional(versionNumber()),
})

interface Common {
  readonly context?: string | undefined
  readonly algorithm?: OaepName | undefined
  readonly key_version?: number | undefined
}

const contextIn = (context: string | undefined, schema: string, member: string) =>
  context === undefined ? new Uint8Array(0) : bytesIn(context, schema, member, MAX_CONTEXT_BYTES)

const termsOf = ({ context, algorithm, key_version: version }: Common, schema: string): Terms => ({
  context: contextIn(context, schema, 'context'),
  algorithm,
  version,
})

const ciphertextIn = (text: string, schema: string) => bytesIn(text, schema, 'ciphertext', MAX_CIPHERTEXT_BYTES)

const DATA_KEY_SCHEMA = 'Data key'

function dataKeyBits(bits: number = DEFAULT_DATA_KEY_BITS) {
  const known = DATA_KEY_BITS.find((one) => one === bits)
  if (known === undefined)
    throw schemaFault(DATA_KEY_SCHEMA, `${bits} is not one of [${DATA_KEY_BITS.join(', ')}]`, 'bits')
  return known
}

export const encryptionResources = [
  keyOperation(encrypt, {
    answers: { 200: 'Encrypted' },
    faults: ['rsaAlgorithm'],
    schema: { name: encrypt.name, type: z.lazy(() => closedObject({ plaintext: base64Text(), ...common() })) },
    read: (raw) => ({
      ...termsOf(raw, encrypt.name),
      plaintext: bytesIn(raw.plaintext, encrypt.name, 'plaintext', MAX_INPUT_BYTES),
    }),
  }),
  keyOperation(decrypt, {
    answers: { 200: 'Decrypted' },
    faults: ['rsaAlgorithm', 'notDecrypted'],
    schema: { name: decrypt.name, type: z.lazy(() => closedObject({ ciphertext: base64Text(), ...common() })) },
    read: (raw) => ({ ...termsOf(raw, decrypt.name), ciphertext: ciphertextIn(raw.ciphertext, decrypt.name) }),
  }),
  keyOperation(rewrap, {
    answers: { 200: 'Rewrapped' },
    faults: ['rsaAlgorithm', 'notDecrypted'],
    schema: {
      name: rewrap.name,
      type: z.lazy(() =>
        closedObject({ ciphertext: base64Text(), new_context: z.optional(base64Text()), ...common() }),
      ),
    },
    read: (raw) => ({
      ...termsOf(raw, rewrap.name),
      ciphertext: ciphertextIn(raw.ciphertext, rewrap.name),
      newContext: contextIn(raw.new_context ?? raw.context, rewrap.name, 'new_context'),
    }),
  }),
  keyOperation(dataKey, {
    answers: { 200: 'DataKey' },
    faults: ['rsaAlgorithm'],
    schema: {
      name: DATA_KEY_SCHEMA,
      type: z.lazy(() =>
        closedObject({
          bits: z.optional(integer().check(z.meta({ enum: DATA_KEY_BITS }))),
          plaintext: z.optional(flag()),
          ...common(),
        }),
      ),
    },
    read: (raw) => ({ ...termsOf(raw, DATA_KEY_SCHEMA), bits: dataKeyBits(raw.bits), shown: raw.plaintext ?? true }),
  }),
]
