/**
 * Requests that are generated from the contract: none is answered with a failure of the server, what the schema of a body
 * admits is not refused for its form, what it does not admit is 400 (`before-bodies.ts` has what is refused earlier), and
 * every answer is one that the contract has.
 * `npm run generated` sends 20,000, `npm test` a few of each operation.
 */
import { env } from 'cloudflare:workers'
import * as fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { base, call, type Answer } from '../support/client.ts'
import { someAddress } from '../support/identity.ts'
import { HOOK_MILLISECONDS } from '../support/people.ts'
import { nearly, valuesOf, type Notable } from '../support/schema-values.ts'
import { isRefused } from './before-bodies.ts'
import { ABSENT, actor, isAdmitted, operations, parametersOf, resolve } from './operations.ts'
import type { Actor, Parameter, Served } from './operations.ts'
import { rulesBeside } from './rules-beside-schemas.ts'

const isFull = (env as unknown as { readonly GENERATED: string }).GENERATED === 'full'
const REQUESTS = isFull ? 20_000 : 500
const SEED = 20_261_130
/** The time of a request on a busy machine, in milliseconds. */
const MOST_MILLISECONDS = 2_000

const RUNS = Math.ceil(REQUESTS / operations.length)

let somebody: Actor
beforeAll(async () => {
  somebody = await actor()
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

async function send(
  { method, path }: Served,
  url: string,
  { query, headers, body }: Omit<Generated, 'other'>,
): Promise<Answer> {
  const search = new URLSearchParams(query).toString()
  const type = body?.type ? { 'Content-Type': body.type } : {}
  return call(method, `${url}${search && `?${search}`}`, {
    token: somebody.tokenFor(path),
    headers: { ...headers, ...type, 'CF-Connecting-IP': someAddress() },
    ...(body && { body: new TextEncoder().encode(body.text) }),
  })
}

/** Undoes what would keep the next request from the same operation. */
async function restore({ method, path }: Served): Promise<void> {
  if (path === '/admin/read-only') await call('PUT', path, { token: somebody.who.token, json: { read_only: false } })
  if (method === 'DELETE' || method === 'PATCH' || path.includes('destruction')) {
    for (const [, name = ''] of path.matchAll(/\{(\w+)\}/g)) somebody.entities.forget(name)
  }
}

const describedAs = ({ json, text }: Answer): string => String(json?.description ?? json?.error?.message ?? text)

const isAboutForm = (answer: Answer) =>
  answer.status === 400 && describedAs(answer).startsWith('Provided object does not')

it.each(operations)(
  'requests that are generated for $operationId are answered as the contract says',
  async (operation) => {
    const property = fc.asyncProperty(requestsFor(operation), async ({ other, ...generated }) => {
      const url = await somebody.filled(operation.path, other)
      const answer = await send(operation, url, generated)
      await restore(operation)
      expect(answer.status, describedAs(answer)).toBeLessThan(500)
      const { body } = generated
      if (!body || !('document' in body) || body.type !== 'application/json') return
      const admitted = isAdmitted(operation, body.document)
      const isExpected = rulesBeside(operation.operationId).some((rule) => rule.test(describedAs(answer)))
      if (admitted === true && !isExpected) expect(isAboutForm(answer), describedAs(answer)).toBe(false)
      if (admitted !== false) return
      const refusal = `${answer.status} ${describedAs(answer)}`
      expect(isRefused(operation, url, body.document, answer), refusal).toBe(true)
    })
    await fc.assert(property, { numRuns: RUNS, seed: SEED, includeErrorInReport: true })
  },
  RUNS * MOST_MILLISECONDS,
)
