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
import { json as answer, noContent } from './http/answers.ts'
import { json } from './http/body.ts'
import { codePoints } from './http/python.ts'
import { isCanonicalId } from './http/refs.ts'
import { operation, resource, type Call } from './http/resource.ts'
import { setHeader } from './http/response.ts'
import { anyObject, closedObject, object, text } from './http/schema.ts'

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
type PairBody = z.infer<typeof pairBody.type>
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
  operations: {
    GET: operation<DescribedSecret>({
      name: 'Secret metadata retrieval',
      rule: 'secret_meta:get',
      accept: 'known',
      answer: ({ c }, { metadata }) => answer(c, 200, { metadata: Object.fromEntries(metadata) }),
    }),
    PUT: operation<DescribedSecret, MapBody>({
      name: 'Secret metadata creation',
      rule: 'secret_meta:put',
      body: mapReader,
      async answer({ c, backend, refs }, secret, { metadata }) {
        await replaceMetadata(backend, secret, checkedMap(metadata))
        return answer(c, 201, { metadata_ref: refs.to('secrets', secret.id, 'metadata') })
      },
    }),
    POST: operation<DescribedSecret, PairBody>({
      name: 'Secret metadatum creation',
      rule: 'secret_meta:post',
      body: pairReader,
      async answer({ c, backend, refs }, secret, { key: given, value }) {
        const key = checkedKey(given)
        await addMetadatum(backend, secret, key, value)
        setHeader(c, 'Location', refs.to('secrets', secret.id, 'metadata', key))
        return answer(c, 201, { key, value })
      },
    }),
  },
})

const item = resource<DescribedSecret>({
  path: '/secrets/:secret/metadata/:key',
  find: describedSecretOfPath,
  operations: {
    GET: operation<DescribedSecret>({
      name: 'Secret metadatum retrieval',
      rule: 'secret_meta:get',
      answer({ c, param }, { metadata }) {
        const key = param('key')
        const value = metadata.get(key)
        if (value === undefined) throw fault('metadatumNotFound')
        return answer(c, 200, { key, value })
      },
    }),
    PUT: operation<DescribedSecret, PairBody>({
      name: 'Secret metadatum update',
      rule: 'secret_meta:put',
      accept: 'known',
      body: pairReader,
      async answer({ c, backend, param }, secret, { key: given, value }) {
        const key = checkedKey(given)
        if (!secret.metadata.has(param('key'))) throw fault('metadatumNotFound')
        if (key !== param('key')) throw fault('metadatumKeyMismatch')
        await setMetadatum(backend, secret, key, value)
        return answer(c, 200, { key, value })
      },
    }),
    DELETE: operation<DescribedSecret>({
      name: 'Secret metadatum removal',
      rule: 'secret_meta:delete',
      async answer({ c, backend, param }, secret) {
        await removeMetadatum(backend, secret, param('key'))
        return noContent(c)
      },
    }),
  },
})

export const secretMetadataResources = [collection, item]
