/**
 * What clients of Barbican see of a secret that has versions: random requests to it and to a twin that was created with
 * the last payload. The answers are the same, but for the value of `ETag`; and preconditions of a PUT, which Barbican does
 * not read, decide only where there are versions.
 */
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Answer, Request } from '../support/client.ts'
import { either, onPeer } from '../support/differences.ts'
import { callAs, owner, type Person } from '../support/people.ts'
import { expectRefusal } from '../support/refusals.ts'
import { idOf, secret } from '../support/stored.ts'

/** Requests to both, and PUTs; a real Barbican takes some 50 ms for each. */
const RUNS = 100
const PUTS = 40
const LAST = 'the last payload'

let who: Person
const send = callAs(() => who)

interface Twins {
  readonly versioned: string
  readonly plain: string
}
let twins: Twins

const text = (payload: string) => ({ payload, payload_content_type: 'text/plain', algorithm: 'aes', bit_length: 256 })

/** A secret with three versions, of which Barbican has the last one alone. */
async function withVersions(name: string): Promise<string> {
  const ref = await secret(who, { ...text(either('versions of secrets', { ours: 'first', peer: LAST })), name })
  for (const payload of onPeer ? [] : ['second', LAST]) {
    const json = { payload, payload_content_type: 'text/plain' }
    expect((await send('POST', `${ref}/versions`, { json })).status).toBe(201)
  }
  return ref
}

beforeAll(async () => {
  who = await owner()
  const name = `twin ${crypto.randomUUID()}`
  twins = { versioned: await withVersions(name), plain: await secret(who, { ...text(LAST), name }) }
})

type Asked = readonly [method: string, path: string, request: Request]

const accepts = [undefined, '*/*', 'application/json', 'text/plain', 'application/octet-stream', 'text/*;q=0.5', 'x/y']
const consumer = { service: 'compute', resource_type: 'instance', resource_id: 'x' }
/** What is negotiated, and what is JSON alone. For another `Accept`, Barbican breaks the connection on some of the latter. */
const negotiated = ['', '/payload']
const others = ['/acl', '/metadata', '/metadata/none', '/consumers', '/consumers?limit=1', '/nothing']
const changes: readonly Asked[] = [
  ['PUT', '/acl', { json: { read: { 'project-access': true } } }],
  ['PATCH', '/acl', { json: { read: { users: ['somebody'] } } }],
  ['DELETE', '/acl', {}],
  ['PUT', '/metadata', { json: { metadata: { key: 'value' } } }],
  ['POST', '/metadata', { json: { key: 'other', value: 'x' } }],
  ['POST', '/consumers', { json: consumer }],
  ['DELETE', '/consumers', { json: consumer }],
  ['PATCH', '', {}],
  ['POST', '', {}],
  ['PUT', '', { body: 'x', headers: { 'Content-Type': 'text/plain' } }],
  ['PUT', '', { body: '', headers: { 'Content-Type': 'text/plain' } }],
  ['PUT', '/payload', {}],
]
const versions = fc.constantFrom('1.0', '1.1')
const reading = fc
  .tuple(
    fc.oneof(
      fc.tuple(fc.constantFrom(...negotiated), fc.constantFrom(...accepts)),
      fc.tuple(fc.constantFrom(...others), fc.constant('application/json')),
    ),
    versions,
  )
  .map(([[path, accept], microversion]): Asked => [
    'GET',
    path,
    { microversion, ...(accept !== undefined && { headers: { Accept: accept } }) },
  ])
const changing = fc
  .tuple(fc.constantFrom(...changes), versions)
  .map(([[method, path, request], microversion]): Asked => [method, path, { ...request, microversion }])

/** What differs between any two answers, or between any two secrets. */
const passing = new Set(['date', 'x-openstack-request-id', 'x-d1-bookmark', 'etag', 'age'])
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?/g

/** The order of members is not compared: that of user metadata is not defined in Barbican. */
function seen({ status, text: body, json, headers }: Answer, ref: string) {
  const plain = (given: string) => given.replaceAll(idOf(ref), '<id>').replaceAll(TIME, '<time>')
  const shown = [...headers].filter(([name]) => !passing.has(name)).map(([name, value]) => [name, plain(value)])
  const content: unknown = json === undefined ? plain(body) : JSON.parse(plain(body))
  return { status, content, headers: Object.fromEntries(shown) }
}

describe('a secret that has versions', () => {
  it('a secret that has versions is answered as its twin without, but for the value of ETag', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(reading, changing), async ([method, path, request]) => {
        const [versioned, plain] = [
          await send(method, twins.versioned + path, request),
          await send(method, twins.plain + path, request),
        ]
        expect(seen(versioned, twins.versioned)).toEqual(seen(plain, twins.plain))
        const tags = [versioned.headers.get('ETag'), plain.headers.get('ETag')]
        expect(tags).toEqual(tags[0] === null ? [null, null] : ['"3"', '"1"'])
      }),
      { numRuns: RUNS },
    )
    const tag = either('versions of secrets', { ours: '"3"', peer: null })
    for (const path of ['', '/payload']) {
      const answer = await send('GET', twins.versioned + path)
      expect([path, answer.status, answer.headers.get('ETag')]).toEqual([path, 200, tag])
    }
  })

  it('lists show a secret that has versions with the members of its twin', async () => {
    const { name } = (await send('GET', twins.plain)).json
    const { secrets, total } = (await send('GET', `/v1/secrets?name=${encodeURIComponent(name)}`)).json
    expect(total).toBe(2)
    const shapes = secrets.map((one: object) => Object.keys(one).toSorted())
    expect(shapes[0]).toEqual(shapes[1])
  })

  const tags = fc.constantFrom('"1"', '"3"', '"4"', '*', 'W/"3"', '"1", "3"', '3', '""', '"x"', undefined)
  const without = fc.constantFrom(undefined, '*')

  it('the preconditions of a PUT are not read by a service without versions, and decide here', async () => {
    await fc.assert(
      fc.asyncProperty(tags, without, async (match, none) => {
        const ref = await withVersions('put')
        const headers = {
          'Content-Type': 'text/plain',
          ...(match !== undefined && { 'If-Match': match }),
          ...(none !== undefined && { 'If-None-Match': none }),
        }
        const answer = await send('PUT', ref, { body: 'next', headers })
        const isNamed = match !== undefined && (match === '*' || match.includes('"3"'))
        const refused = match === undefined ? 409 : isNamed && none === undefined ? 204 : 412
        const status = either('versions of secrets', { ours: refused, peer: 409 })
        expect([match, none, answer.status]).toEqual([match, none, status])
        if (status === 409) expectRefusal(answer, 409, 'Secret already has data, cannot modify it.')
        const payload = await send('GET', `${ref}/payload`, { headers: { Accept: 'text/plain' } })
        expect(payload.text).toBe(status === 204 ? 'next' : LAST)
      }),
      { numRuns: PUTS },
    )
  })

  it('a secret that has versions is deleted as its twin', async () => {
    for (const ref of [twins.versioned, twins.plain]) {
      await send('DELETE', `${ref}/consumers`, { json: consumer, microversion: '1.1' })
      expect((await send('DELETE', ref)).status).toBe(204)
      expectRefusal(await send('GET', ref), 404, 'Secret not found.')
    }
  })
})
