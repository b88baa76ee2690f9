/** The routes of `sign`, `verify` and `mac`. */
import * as z from 'zod/mini'
import { macNames } from '../../crypto/transit/macs.ts'
import { signatureNames } from '../../crypto/transit/signatures.ts'
import { closedObject, flag, text } from '../http/schema.ts'
import { base64Text, bytesIn, versionNumber } from './bodies.ts'
import { MAX_INPUT_BYTES, MAX_SIGNATURE_BYTES } from './limits.ts'
import { keyOperation } from './operations.ts'
import { authentication, signature, verification } from './signing.ts'

const signatureMembers = () => ({
  input: base64Text(),
  algorithm: z.optional(text({ oneOf: signatureNames })),
  prehashed: z.optional(flag()),
  format: z.optional(text({ oneOf: ['der', 'raw'] })),
  key_version: z.optional(versionNumber()),
})

const inputIn = (text: string, schema: string) => bytesIn(text, schema, 'input', MAX_INPUT_BYTES)

export const signingResources = [
  keyOperation(signature, {
    answers: { 200: 'Signed' },
    faults: ['notSigned'],
    schema: { name: signature.name, type: z.lazy(() => closedObject(signatureMembers())) },
    read: ({ input, key_version: version, ...options }) => ({
      ...options,
      version,
      input: inputIn(input, signature.name),
    }),
  }),
  keyOperation(verification, {
    answers: { 200: 'Verified' },
    faults: ['notSigned'],
    schema: {
      name: verification.name,
      type: z.lazy(() => closedObject({ ...signatureMembers(), signature: base64Text() })),
    },
    read: ({ input, signature: signed, key_version: version, ...options }) => ({
      ...options,
      version,
      input: inputIn(input, verification.name),
      signature: bytesIn(signed, verification.name, 'signature', MAX_SIGNATURE_BYTES),
    }),
  }),
  keyOperation(authentication, {
    answers: { 200: 'Authenticated' },
    faults: [],
    schema: {
      name: authentication.name,
      type: z.lazy(() =>
        closedObject({
          input: base64Text(),
          algorithm: text({ oneOf: macNames }),
          mac: z.optional(base64Text()),
          key_version: z.optional(versionNumber()),
        }),
      ),
    },
    read: ({ input, algorithm, mac: code, key_version: version }) => ({
      algorithm,
      version,
      input: inputIn(input, authentication.name),
      code: code === undefined ? null : bytesIn(code, authentication.name, 'mac', MAX_SIGNATURE_BYTES),
    }),
  }),
]
