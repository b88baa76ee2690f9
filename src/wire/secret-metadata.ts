/** The resources `/secrets/{id}/metadata` and `/secrets/{id}/metadata/{key}`: user metadata. */
import * as z from 'zod/mini'
import { fault } from '../faults.ts'
import {
  addMetadatum,
  findDescribedSecret,
  removeMetadatum,
  replaceMetadata,
  setMetadatum,
  type DescribedSecret,
} from '../state/secrets/secret-metadata.ts'
import { located } from './http/answers.ts'
import { json } from './http/body.ts'
import { codePoints } from './http/python.ts'
import { isCanonicalId } from './http/refs.ts'
import { operation, resource, type Call } from './http/resource.ts'
import { NO_CONTENT } from './http/replies.ts'
import { anyObject, closedObject, object, text } from './http/schema.ts'
import { secretFaults } from './secrets.ts'

const MAX_CHARACTERS = 255
const URL_SAFE = /^[A-Za-z0-9_-]*$/

const mapBody = {
  name: 'SecretMetadata',
  type: z.lazy(() => object({ metadata: anyObject() })),
  missingNames: 'member',
} as const
const pairBody = {
  name: 'SecretMetadatum',
  type: z.lazy(() => closedObject({ key: text({ max: MAX_CHARACTERS }), value: text({ max: MAX_CHARACTERS }) })),
  missingNames: 'member',
  extraFirst: true,
} as const
type MapBody = z.infer<typeof mapBody.type>
const mapReader = json(mapBody)
const pairReader = json(pairBody)

/** Returns a key in stored form, which is lower case. Throws `metadataKey` unless it is URL-safe. */
function checkedKey(key: string): string {
  if (!URL_SAFE.test(key)) throw fault('metadataKey')
  return key.toLowerCase()
}

/**
 * Validates the pairs of a body. As in Barbican, of keys that differ only in case, one with upper-case letters wins.
 */
function checkedMap(metadata: MapBody['metadata']): Map<string, string> {
  const pairs = Object.entries(metadata).map(([key, value]): [string, string] => {
    const stored = checkedKey(key)
    if (typeof value !== 'string') throw fault('metadataStrings')
    if (codePoints(key) > MAX_CHARACTERS || codePoints(value) > MAX_CHARACTERS) throw fault('metadataLength')
    return [stored, value]
  })
  const mixedCase = (key: string) => key !== key.toLowerCase()
  const keys = Object.keys(metadata)
  return new Map([
    ...pairs.filter((_, i) => !mixedCase(keys[i] ?? '')),
    ...pairs.filter((_, i) => mixedCase(keys[i] ?? '')),
  ])
}

function describedSecretOfPath({ backend, param }: Call): Promise<DescribedSecret> {
  const id = param('secret')
  if (!isCanonicalId(id)) throw fault('secretId')
  return findDescribedSecret(backend, id)
}

const collection = resource<DescribedSecret>({
  path: '/secrets/:secret/metadata',
  find: describedSecretOfPath,
  faults: secretFaults,
  operations: {
    GET: operation({
      name: 'Secret metadata retrieval',
      rule: 'secret_meta:get',
      accept: 'known',
      answers: { 200: 'Metadata' },
      faults: [],
      answer: (_call, { metadata }) => ({ status: 200, json: { metadata: Object.fromEntries(metadata) } }),
    }),
    PUT: operation({
      name: 'Secret metadata creation',
      rule: 'secret_meta:put',
      body: mapReader,
      answers: { 201: 'MetadataRef' },
      faults: ['metadataKey', 'metadataStrings', 'metadataLength', 'metadataFull'],
      async answer({ backend, refs }, secret, { metadata }) {
        await replaceMetadata(backend, secret, checkedMap(metadata))
        return { status: 201, json: { metadata_ref: refs.to('secrets', secret.id, 'metadata') } }
      },
    }),
    POST: operation({
      name: 'Secret metadatum creation',
      rule: 'secret_meta:post',
      body: pairReader,
      answers: { 201: 'Metadatum' },
      faults: ['metadataKey', 'metadatumExists', 'metadataFull'],
      async answer({ c, backend, refs }, secret, { key: given, value }) {
        const key = checkedKey(given)
        await addMetadatum(backend, secret, key, value)
        located(c, refs.to('secrets', secret.id, 'metadata', key))
        return { status: 201, json: { key, value } }
      },
    }),
  },
})

const item = resource<DescribedSecret>({
  path: '/secrets/:secret/metadata/:key',
  find: describedSecretOfPath,
  faults: secretFaults,
  operations: {
    GET: operation({
      name: 'Secret metadatum retrieval',
      rule: 'secret_meta:get',
      answers: { 200: 'Metadatum' },
      faults: ['metadatumNotFound'],
      answer({ param }, { metadata }) {
        const key = param('key')
        const value = metadata.get(key)
        if (value === undefined) throw fault('metadatumNotFound')
        return { status: 200, json: { key, value } }
      },
    }),
    PUT: operation({
      name: 'Secret metadatum update',
      rule: 'secret_meta:put',
      accept: 'known',
      body: pairReader,
      answers: { 200: 'Metadatum' },
      faults: ['metadataKey', 'metadatumNotFound', 'metadatumKeyMismatch', 'metadataFull'],
      async answer({ backend, param }, secret, { key: given, value }) {
        const key = checkedKey(given)
        if (!secret.metadata.has(param('key'))) throw fault('metadatumNotFound')
        if (key !== param('key')) throw fault('metadatumKeyMismatch')
        await setMetadatum(backend, secret, key, value)
        return { status: 200, json: { key, value } }
      },
    }),
    DELETE: operation({
      name: 'Secret metadatum removal',
      rule: 'secret_meta:delete',
      answers: { 204: null },
      faults: [],
      async answer({ backend, param }, secret) {
        await removeMetadatum(backend, secret, param('key'))
        return NO_CONTENT
      },
    }),
  },
})

export const secretMetadataResources = [collection, item]
