/** Parameters of paths, queries and headers: what a value is, from the function that reads it, and what it is for. */
import { microversions } from '../wire/http/microversion.ts'
import { limit, DEFAULT_LIMIT, marker, MAX_LIMIT, offset } from '../wire/http/paging.ts'
import { flagged, given, type Parameters } from '../wire/http/query.ts'
import { bitLength, dateFilter, sortOrder } from '../wire/secret-filters.ts'
import { sortNames } from '../state/secrets/secret-list.ts'
import type { JsonSchema } from './schemas.ts'

const text: JsonSchema = { type: 'string' }
const boolean: JsonSchema = { type: 'boolean' }
const uuid: JsonSchema = { type: 'string', format: 'uuid' }

/** What is meant by the values that a function reads. What it is lenient about is not part of the contract. */
const readers = new Map<unknown, JsonSchema>([
  [limit, { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT }],
  [offset, { type: 'integer', minimum: 0, default: 0 }],
  [marker, text],
  [given, text],
  [flagged, { type: 'boolean', default: false }],
  [dateFilter, { type: 'string', examples: ['gt:2026-01-01,lte:2026-02-01'] }],
  [
    sortOrder,
    {
      type: 'string',
      pattern: `^(${sortNames.join('|')})(:(asc|desc))?(,(${sortNames.join('|')})(:(asc|desc))?)*$`,
      examples: ['name,created:desc'],
    },
  ],
  [bitLength, { type: 'integer', minimum: 1 }],
])

/** Parameters whose functions stand in the operations that declare them. */
const named: Readonly<Record<string, JsonSchema>> = {
  acl_only: boolean,
  force: boolean,
  revoke: boolean,
  transport_key_id: text,
  trans_wrapped_session_key: text,
}

const queryTexts: Readonly<Record<string, string>> = {
  limit: `How many entries a page has. More than ${MAX_LIMIT} is ${MAX_LIMIT}, and what is no number ${DEFAULT_LIMIT}.`,
  offset: 'How many entries precede the page. What is no number is 0.',
  marker: 'The entry before the page, as the link `next` has it; empty for the first page.',
  name: 'Only those of this name.',
  alg: 'Only those of this algorithm.',
  mode: 'Only those of this mode.',
  bits: 'Only those of this bit length.',
  secret_type: 'Only those of this type.',
  type: 'Only those of this type.',
  meta: 'Only those whose `meta` contains this text.',
  created: 'Only those created at these times: comparisons `gt`, `gte`, `lt`, `lte`, or a time alone.',
  updated: 'Only those updated at these times.',
  expiration: 'Only those that expire at these times.',
  acl_only: 'Only those whose ACL names the caller, of any project.',
  sort: 'Keys in order of precedence, each with `:asc` or `:desc`. Not together with `marker`.',
  force: 'From microversion 1.2 on: delete the secret although it has consumers.',
  revoke: 'Revoke the certificate that the container holds.',
  head: 'Also return the end of the log, and what does not match it.',
  transport_key_id: 'There are no transport keys.',
  trans_wrapped_session_key: 'Only with `transport_key_id`.',
}

/** The query parameters of an operation. Throws for one that nothing here describes. */
export function queryParameters(declared: Parameters): JsonSchema[] {
  return Object.entries(declared).map(([name, read]) => {
    const schema = readers.get(read) ?? named[name] ?? (name === 'marker' ? { type: 'integer', minimum: 0 } : undefined)
    const description = queryTexts[name]
    if (!schema || description === undefined) throw new Error(`contract/parameters.ts does not describe ${name}`)
    return { name, in: 'query', description, schema }
  })
}

const pathParameterTexts: Readonly<Record<string, readonly [schema: JsonSchema, description: string]>> = {
  secret: [uuid, 'The id of a secret.'],
  container: [uuid, 'The id of a container.'],
  consumer: [uuid, 'The id of a consumer.'],
  order: [uuid, 'The id of an order.'],
  version: [{ type: 'string', pattern: '^([1-9][0-9]{0,14}|current|previous)$' }, 'A version, by number or word.'],
  key: [text, 'The key of a metadatum, in lower case; the id of a transport key.'],
  store: [text, 'The id of a secret store.'],
  project: [{ type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' }, 'The id of a project.'],
  user: [text, 'The id of a user.'],
  role: [text, 'The id of a role.'],
  credential: [text, 'The id of an application credential.'],
  service: [text, 'The id of a service.'],
  endpoint: [text, 'The id of an endpoint.'],
  region: [text, 'The id of a region.'],
  domain: [text, 'The id of a domain.'],
  authority: [text, 'The id of a certificate authority.'],
  serial: [text, 'The serial number of a certificate.'],
}

/** The parameters of a path, as references. Throws for one that nothing here describes. */
export function pathParameters(path: string): JsonSchema[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
    if (!pathParameterTexts[name]) throw new Error(`contract/parameters.ts does not describe {${name}}`)
    return { $ref: `#/components/parameters/${name}` }
  })
}

const version = (name: string) => `key-manager ${name}`

const headers: Readonly<Record<string, JsonSchema>> = {
  'OpenStack-API-Version': {
    name: 'OpenStack-API-Version',
    in: 'header',
    description: 'The microversion. The answer names the one that was used.',
    schema: {
      type: 'string',
      enum: [...microversions, 'latest'].map(version),
      default: version(microversions[0]),
    },
  },
  'X-Subject-Token': {
    name: 'X-Subject-Token',
    in: 'header',
    description: 'The token that the request is about.',
    schema: text,
  },
  'If-Match': {
    name: 'If-Match',
    in: 'header',
    description: 'The version that is to be replaced, as `ETag` has it: 412 if another is current.',
    schema: { type: 'string', examples: ['"3"'] },
  },
  'Content-Encoding': {
    name: 'Content-Encoding',
    in: 'header',
    description: 'Of octets: how they are encoded in the body.',
    schema: { type: 'string', enum: ['base64'] },
  },
  'Cache-Control': {
    name: 'Cache-Control',
    in: 'header',
    description: 'How old the answer may be: `max-age=N` in seconds, `no-cache` for what holds now.',
    schema: { type: 'string', examples: ['max-age=5', 'no-cache'] },
  },
  'X-D1-Bookmark': {
    name: 'X-D1-Bookmark',
    in: 'header',
    description: 'What an answer to a change had: this read shows at least that change.',
    schema: text,
  },
  'If-None-Match': {
    name: 'If-None-Match',
    in: 'header',
    description: '`*`: only if there is no payload; 412 if there is one.',
    schema: text,
  },
}

export const headerRef = (name: keyof typeof headers) => ({ $ref: `#/components/parameters/${name}` })

/** The parameters that operations refer to. */
export const parameterComponents = {
  ...Object.fromEntries(
    Object.entries(pathParameterTexts).map(([name, [schema, description]]) => [
      name,
      { name, in: 'path', required: true, description, schema },
    ]),
  ),
  ...headers,
}
