/**
 * Requests that are generated from the contract: none is answered with a failure of the server, what the schema of a body
 * admits is not refused for its form, what it does not admit is refused, and every answer is one that the contract has.
 * `npm run generated` sends 20,000, `npm test` a few of each operation.
 */
import { Validator, type Schema } from '@cfworker/json-schema'
import { env } from 'cloudflare:workers'
import * as fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import contract from '../../src/contract/openapi.json'
import { stripValues } from '../../src/wire/http/python.ts'
import { base, call, type Answer } from '../support/client.ts'
import { entitiesOf } from '../support/entities.ts'
import { adminToken, someAddress } from '../support/identity.ts'
import { HOOK_MILLISECONDS, person, type Account } from '../support/people.ts'
import { nearly, valuesOf, type JsonSchema, type Notable } from '../support/schema-values.ts'
import { rulesBeside } from './rules-beside-schemas.ts'

const isFull = (env as unknown as { readonly GENERATED: string }).GENERATED === 'full'
const REQUESTS = isFull ? 20_000 : 500
const SEED = 20_261_130
/** The time of a request on a busy machine, in milliseconds. */
const MOST_MILLISECONDS = 2_000

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly schema: JsonSchema
}

interface Body {
  readonly content: Readonly<Record<string, { readonly schema?: JsonSchema }>>
}

interface Operation {
  readonly operationId: string
  readonly parameters: readonly (Parameter | { readonly $ref: string })[]
  readonly requestBody?: Body
}

const components = contract.components as unknown as Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>
const resolve = (ref: string): JsonSchema => {
  const [kind = '', name = ''] = ref.split('/').slice(-2)
  return components[kind]?.[name] ?? {}
}

const operations = Object.entries(
  contract.paths as unknown as Readonly<Record<string, Readonly<Record<string, Operation>>>>,
)
  .filter(([path]) => !path.startsWith('/v1/{tenant}'))
  .flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, { operationId }]) => operationId !== undefined)
      .map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  )

type Served = (typeof operations)[number]

const RUNS = Math.ceil(REQUESTS / operations.length)

let who: Account
let entities: ReturnType<typeof entitiesOf>
let operator: string
beforeAll(async () => {
  who = await person(['admin', 'creator', 'member', 'key-manager:service-admin'])
  entities = entitiesOf(who)
  operator = await adminToken()
}, HOOK_MILLISECONDS)

/** Words of the service, of which some are right in some places. */
const words = [
  'aes',
  'rsa',
  'ec',
  'gcm',
  'cbc',
  'symmetric',
  'opaque',
  'passphrase',
  'generic',
  'certificate',
  'base64',
  'SHA-256',
  'text/plain',
  'application/octet-stream',
  'application/pkcs8',
  '2030-01-01T00:00:00',
  '2020-01-01',
  'default',
  'AAAAAAAAAAAAAAAAAAAAAA==',
  'id',
  'name',
  'password',
  'token',
  'unscoped',
  '1',
  'current',
  'gt:2026-01-01',
  '',
  `${base}/v1/secrets/11111111-1111-4111-8111-111111111111`,
  '11111111-1111-4111-8111-111111111111',
  '\u0000',
  '%',
  '../..',
]
const notable: Notable = { texts: words, numbers: [0, 1, -1, 128, 256, 2048, 2 ** 31, 2 ** 53, 0.5] }

const parametersOf = ({ parameters = [] }: Partial<Pick<Served, 'parameters'>>): Parameter[] =>
  parameters.map((parameter) => ('$ref' in parameter ? (resolve(parameter.$ref) as unknown as Parameter) : parameter))

const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** Texts for parameters in one place of a request, of which some are left out. */
function given(operation: Served, place: Parameter['in']): fc.Arbitrary<Readonly<Record<string, string | undefined>>> {
  const those = parametersOf(operation).filter((parameter) => parameter.in === place)
  const values = those.map(({ name, schema }): [string, fc.Arbitrary<string>] => [
    name,
    fc.oneof(
      { arbitrary: valuesOf(schema, notable, resolve).map(textOf), weight: 3 },
      { arbitrary: fc.constantFrom(...words), weight: 1 },
    ),
  ])
  return fc.record(Object.fromEntries(values), { requiredKeys: [] })
}

interface Sent {
  readonly type: string
  readonly text: string
  readonly document?: unknown
}

/** Bodies: most of them such as the schema admits, some not quite, and some of another media type. */
function bodies({ requestBody }: Served): fc.Arbitrary<Sent | undefined> {
  if (!requestBody) return fc.constant(undefined)
  const types = Object.keys(requestBody.content)
  const { schema } = Object.values(requestBody.content)[0] ?? {}
  const type = fc.oneof(
    { arbitrary: fc.constantFrom(...types), weight: 20 },
    { arbitrary: fc.constantFrom('application/json', 'text/plain', 'application/xml', ''), weight: 1 },
  )
  const raw = fc.string({ unit: 'grapheme' })
  if (!schema) return fc.record({ type, text: raw })
  const values = valuesOf(schema, notable, resolve)
  const documents = fc.oneof(
    { arbitrary: values, weight: 6 },
    { arbitrary: nearly(values), weight: 4 },
    { arbitrary: fc.jsonValue({ maxDepth: 2 }), weight: 1 },
  )
  const asJson = documents.map((value) => {
    const text = JSON.stringify(value)
    return { text, document: JSON.parse(text) as unknown }
  })
  const broken = raw.map((text) => ({ text: `{${text}` }))
  return fc
    .tuple(type, fc.oneof({ arbitrary: asJson, weight: 15 }, { arbitrary: broken, weight: 1 }))
    .map(([sent, body]) => ({ type: sent, ...body }))
}

const validators = new Map<string, Validator>()

/** Whether the schema admits the document. */
function admits({ operationId, requestBody }: Served, document: unknown): boolean {
  const [media] = Object.values(requestBody?.content ?? {})
  const found = validators.get(operationId)
  const whole = { ...media?.schema, components: contract.components } as unknown as Schema
  const validator = found ?? new Validator(whole, '2020-12')
  validators.set(operationId, validator)
  return validator.validate(document).valid
}

const singles: Readonly<Record<string, string>> = {
  version: 'current',
  key: 'one',
  service: 'identity',
  endpoint: 'identity-public',
  region: 'RegionOne',
  domain: 'default',
}

const ABSENT = '11111111-1111-4111-8111-111111111111'

/** The path, with what is there in most places. */
async function filled(path: string, other: Readonly<Record<string, string>>): Promise<string> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  let whole = path
  for (const name of names) {
    const isOwn = name === 'user' && /application_credentials|password/.test(path)
    const there = isOwn ? who.userId : (singles[name] ?? (await entities.of(name)) ?? ABSENT)
    whole = whole.replace(`{${name}}`, encodeURIComponent(other[name] ?? there))
  }
  return whole
}

interface Generated {
  readonly other: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly body: Sent | undefined
}

const requestsFor = (operation: Served): fc.Arbitrary<Generated> =>
  fc.record({
    other: fc.oneof(
      { arbitrary: fc.constant({}), weight: 9 },
      {
        arbitrary: fc.dictionary(
          fc.constantFrom('secret', 'order', 'user', 'project', 'key', 'version', 'serial'),
          fc.constantFrom(ABSENT, 'x', '0', '%00', '…'),
          { maxKeys: 2 },
        ),
        weight: 1,
      },
    ),
    query: given(operation, 'query').map(texts),
    headers: given(operation, 'header').map(sendable),
    body: bodies(operation),
  })

/** Without what is left out. */
const texts = (members: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))

/** Without what no client can send: a header has no characters but these. */
const sendable = (headers: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> =>
  texts(Object.fromEntries(Object.entries(headers).filter(([, value]) => value && /^[\x20-\x7e]*$/.test(value))))

async function send({ method, path }: Served, { other, query, headers, body }: Generated): Promise<Answer> {
  const search = new URLSearchParams(query).toString()
  const url = `${await filled(path, other)}${search && `?${search}`}`
  const ofAdmin = path.startsWith('/identity') && !/application_credentials|password/.test(path)
  const type = body?.type ? { 'Content-Type': body.type } : {}
  return call(method, url, {
    token: ofAdmin ? operator : who.token,
    headers: { ...headers, ...type, 'CF-Connecting-IP': someAddress() },
    ...(body && { body: new TextEncoder().encode(body.text) }),
  })
}

/** Undoes what would keep the next request from the same operation. */
async function restore({ method, path }: Served): Promise<void> {
  if (path === '/admin/read-only') await call('PUT', path, { token: who.token, json: { read_only: false } })
  if (method === 'DELETE' || method === 'PATCH' || path.includes('destruction')) {
    for (const [, name = ''] of path.matchAll(/\{(\w+)\}/g)) entities.forget(name)
  }
}

const describedAs = ({ json, text }: Answer): string => String(json?.description ?? json?.error?.message ?? text)

/** A batch says of each item what is wrong with it. */
const hasFailedItem = ({ json }: Answer): boolean =>
  Array.isArray(json?.results) && json.results.some((result: { readonly error?: object }) => result.error)

const isAboutForm = (answer: Answer) =>
  answer.status === 400 && describedAs(answer).startsWith('Provided object does not')

it.each(operations)(
  'requests that are generated for $operationId are answered as the contract says',
  async (operation) => {
    const property = fc.asyncProperty(requestsFor(operation), async (generated) => {
      const answer = await send(operation, generated)
      await restore(operation)
      expect(answer.status, describedAs(answer)).toBeLessThan(500)
      const { body } = generated
      if (!body || !('document' in body) || body.type !== 'application/json') return
      // Most operations of the key manager strip texts, and two schemas may then disagree.
      const admitted = [body.document, stripValues(body.document)].map((document) => admits(operation, document))
      const [isAdmitted, isRefused] = [admitted.every(Boolean), !admitted.some(Boolean)]
      const isExpected = rulesBeside(operation.operationId).some((rule) => rule.test(describedAs(answer)))
      if (isAdmitted && !isExpected) expect(isAboutForm(answer), describedAs(answer)).toBe(false)
      if (isRefused && !hasFailedItem(answer)) expect(answer.status, describedAs(answer)).toBeGreaterThanOrEqual(400)
    })
    await fc.assert(property, { numRuns: RUNS, seed: SEED, includeErrorInReport: true })
  },
  RUNS * MOST_MILLISECONDS,
)
