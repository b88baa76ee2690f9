/** The operations `sign`, `verify` and `mac`. */
import * as z from 'zod/mini'
import { isMac, mac, macNames } from '../../crypto/transit/macs.ts'
import {
  sign,
  signatureAlgorithm,
  signatureNames,
  verify,
  type SignatureOptions,
} from '../../crypto/transit/signatures.ts'
import { fault } from '../../faults.ts'
import type { KeyInUse } from '../../state/secrets/used-keys.ts'
import { closedObject, flag, secretText, text } from '../http/schema.ts'
import { bytesIn, MAX_INPUT_BYTES, MAX_SIGNATURE_BYTES, versionNumber } from './bodies.ts'
import { keyOperation } from './operations.ts'

const signatureMembers = () => ({
  input: secretText(),
  algorithm: z.optional(text({ oneOf: signatureNames })),
  prehashed: z.optional(flag()),
  format: z.optional(text({ oneOf: ['der', 'raw'] })),
  key_version: z.optional(versionNumber()),
})

/** The key pair and the algorithm for an item. Throws `notSigned` if the options are not for this key. */
async function chosenFor(
  { current, at }: KeyInUse,
  item: SignatureOptions & { readonly input: Uint8Array; readonly version: number | undefined },
) {
  const key = item.version === undefined ? current : await at(item.version)
  if (key.kind !== 'pair') throw fault('keyKind', 'it does not sign')
  const algorithm = signatureAlgorithm(key.pair, item, item.input)
  if (typeof algorithm === 'string') throw fault('notSigned', algorithm)
  return { key, pair: key.pair, algorithm }
}

const signBody = { name: 'Signature', type: z.lazy(() => closedObject(signatureMembers())) }

const signing = keyOperation({
  name: 'Signature',
  use: 'sign',
  answers: { 200: 'Signed' },
  faults: ['notSigned'],
  schema: signBody,
  read: ({ input, key_version: version, ...options }) => ({
    ...options,
    version,
    input: bytesIn(input, signBody.name, 'input', MAX_INPUT_BYTES),
  }),
  async run(inUse, item) {
    const { key, pair, algorithm } = await chosenFor(inUse, item)
    const signature = await sign(pair, algorithm, item.input, item)
    return { key, members: { signature: signature.toBase64(), algorithm: algorithm.name } }
  },
})

const verifyBody = {
  name: 'Verification',
  type: z.lazy(() => closedObject({ ...signatureMembers(), signature: secretText() })),
}

const verification = keyOperation({
  name: 'Verification',
  use: 'verify',
  answers: { 200: 'Verified' },
  faults: ['notSigned'],
  schema: verifyBody,
  read: ({ input, signature, key_version: version, ...options }) => ({
    ...options,
    version,
    input: bytesIn(input, verifyBody.name, 'input', MAX_INPUT_BYTES),
    signature: bytesIn(signature, verifyBody.name, 'signature', MAX_SIGNATURE_BYTES),
  }),
  async run(inUse, item) {
    const { key, pair, algorithm } = await chosenFor(inUse, item)
    return { key, members: { valid: await verify(pair, algorithm, item.input, item.signature, item) } }
  },
})

const macBody = {
  name: 'Message authentication',
  type: z.lazy(() =>
    closedObject({
      input: secretText(),
      algorithm: text({ oneOf: macNames }),
      mac: z.optional(secretText()),
      key_version: z.optional(versionNumber()),
    }),
  ),
}

const codes = keyOperation({
  name: 'Message authentication',
  use: 'mac',
  answers: { 200: 'Authenticated' },
  faults: [],
  schema: macBody,
  read: ({ input, algorithm, mac: code, key_version: version }) => ({
    algorithm,
    version,
    input: bytesIn(input, macBody.name, 'input', MAX_INPUT_BYTES),
    code: code === undefined ? null : bytesIn(code, macBody.name, 'mac', MAX_SIGNATURE_BYTES),
  }),
  async run({ current, at }, { algorithm, version, input, code }) {
    const key = version === undefined ? current : await at(version)
    if (key.kind !== 'mac') throw fault('keyKind', 'it makes no codes')
    const members = code
      ? { valid: await isMac(key.keys, algorithm, input, code) }
      : { mac: (await mac(key.keys, algorithm, input)).toBase64() }
    return { key, members }
  },
})

export const signingResources = [signing, verification, codes]
