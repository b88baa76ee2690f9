/**
 * The order in which a request is checked: token, microversion, entity, method, Accept, rule, type, body and quota.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { call, type Answer, type Request } from '../support/client.ts'
import { differs, itDiffers } from '../support/differences.ts'
import { callAs, owner, person, type Person } from '../support/people.ts'
import { limit, secret } from '../support/stored.ts'
import {
  badQuery,
  expectRefusal,
  mismatch,
  notPermitted,
  payloadTooLarge,
  quotaReached,
  wrongType,
} from '../support/refusals.ts'

const UNKNOWN = '6a1a6a3e-22a7-4c5b-8d60-52a1ad3fd25b'
const NOT_FOUND = 'Secret not found.'
const WRONG_ACCEPT = 'Secret payload retrieval issue seen - Wrong payload content-type.'
const text = { 'Content-Type': 'text/plain' }

let who: Person
/** A user in the same project, without a role that any rule requires. */
let reader: Person
let bare: string
let full: string

beforeAll(async () => {
  who = await owner()
  reader = await person(['reader'], { projectId: who.projectId })
  bare = await secret(who)
  full = await secret(who, { payload: 'x', payload_content_type: 'text/plain' })
})

const send = callAs(() => who)
const sendAsReader = callAs(() => reader)

async function expectUnauthenticated(answer: Answer): Promise<void> {
  expect(answer.status).toBe(401)
  expect(answer.headers.get('Content-Type')).toBe('application/json')
  expect(answer.headers.get('WWW-Authenticate')).toMatch(/^Keystone uri="https?:\/\/.+"$/)
  expect(answer.headers.get('OpenStack-API-Version')).toBeNull()
  expect(answer.headers.get('Vary')).toBeNull()
  const message = 'The request you have made requires authentication.'
  expect(answer.json.error).toEqual({ code: 401, title: 'Unauthorized', message })
  await differs('members of 401', () =>
    expect(answer.json).toMatchObject({ code: 401, title: 'Unauthorized', description: message }),
  )
}

describe('the first check: the token', () => {
  it.each<[string, Request]>([
    ['none', {}],
    ['an empty one', { token: '' }],
    ['no token at all', { token: 'abc' }],
    ['one in the wrong header', { headers: { Authorization: 'Bearer abc' } }],
    ['identity headers instead', { headers: { 'X-User-Id': 'x', 'X-Roles': 'admin', 'X-Project-Id': 'y' } }],
    ['a confirmed identity instead', { headers: { 'X-Identity-Status': 'Confirmed' } }],
  ])('a request is 401 with this token: %s', async (_, request) => {
    await expectUnauthenticated(await call('GET', '/v1/secrets', request))
  })

  it('a request is 401 for a token that is sent as a bearer', async () => {
    const headers = { Authorization: `Bearer ${who.token}` }
    await expectUnauthenticated(await call('GET', '/v1/secrets', { headers }))
  })

  it('a request is 401 for an invalid service token', async () => {
    await expectUnauthenticated(await send('GET', '/v1/secrets', { headers: { 'X-Service-Token': 'abc' } }))
  })

  it('a request is 401 for a token with a change in its middle', async () => {
    const { token } = who
    const at = Math.floor(token.length / 2)
    const damaged = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
    await expectUnauthenticated(await call('GET', '/v1/secrets', { token: damaged }))
  })

  it('a token in X-Storage-Token is accepted like one in X-Auth-Token', async () => {
    expect((await call('GET', '/v1/secrets', { headers: { 'X-Storage-Token': who.token } })).status).toBe(200)
  })

  it('the token is checked before the microversion', async () => {
    await expectUnauthenticated(await call('GET', '/v1/secrets', { microversion: '9.9' }))
  })

  it.each(['/v1/nothing', '/v1/secrets/abc', '/v1/orders/abc', '/v1/a/b/c/d'])(
    'the token is checked before the route: %s',
    async (path) => {
      await expectUnauthenticated(await call('GET', path))
    },
  )

  it('the token is checked before the method, Accept and the body', async () => {
    await expectUnauthenticated(await call('PATCH', '/v1/secrets'))
    await expectUnauthenticated(await call('GET', '/v1/secrets', { headers: { Accept: 'text/html' } }))
    await expectUnauthenticated(await call('POST', '/v1/secrets', { body: '{' }))
  })

  it('a 401 for HEAD has no body', async () => {
    const answer = await call('HEAD', '/v1/secrets')
    expect(answer.status).toBe(401)
    expect(answer.bytes).toHaveLength(0)
  })
})

describe('the second check: the microversion', () => {
  it.each(['/v1/nothing', `/v1/secrets/${UNKNOWN}`, '/v1/secrets/abc'])(
    'the microversion is checked before the entity is read: %s',
    async (path) => {
      expect((await send('GET', path, { microversion: '9.9' })).status).toBe(406)
      expect((await send('GET', path, { microversion: 'x' })).status).toBe(400)
    },
  )

  it('the microversion is checked before the method, the rule and the body', async () => {
    expect((await send('PATCH', '/v1/secrets', { microversion: '9.9' })).status).toBe(406)
    expect((await sendAsReader('GET', '/v1/secrets', { microversion: '9.9' })).status).toBe(406)
    expect((await send('POST', '/v1/secrets', { body: '{', microversion: '9.9' })).status).toBe(406)
  })
})

describe('the third check: the entity', () => {
  it.each([
    ['abc', 'Not Found. Provided secret id is invalid.'],
    [UNKNOWN, NOT_FOUND],
  ])('a secret that does not exist is 404 before every other check: %s', async (id, description) => {
    const path = `/v1/secrets/${id}`
    expectRefusal(await send('PATCH', path), 404, description)
    expectRefusal(await send('GET', path, { headers: { Accept: 'text/html' } }), 404, description)
    expectRefusal(await send('GET', `${path}/payload`, { headers: { Accept: 'text/html' } }), 404, description)
    expectRefusal(await send('DELETE', path, { headers: { Accept: 'foo/bar' } }), 404, description)
    expectRefusal(await sendAsReader('GET', path), 404, description)
    expectRefusal(await sendAsReader('DELETE', path), 404, description)
    expectRefusal(await send('PUT', path, { body: Uint8Array.of(1) }), 404, description)
    expectRefusal(await send('PUT', path, { body: 'x'.repeat(20_001), headers: text }), 404, description)
  })

  it('an order that does not exist is 404 before the method, Accept and the rule are checked', async () => {
    const path = `/v1/orders/${UNKNOWN}`
    expectRefusal(await send('PATCH', path), 404, 'Order not found.')
    expectRefusal(await send('GET', path, { headers: { Accept: 'text/html' } }), 404, 'Order not found.')
    expectRefusal(await sendAsReader('DELETE', path), 404, 'Order not found.')
  })

  it('a secret of another project exists, and is then refused with 403', async () => {
    const stranger = await owner()
    const answer = await call('GET', bare, { token: stranger.token })
    expectRefusal(answer, 403, notPermitted('Secret retrieval'))
  })
})

describe('the fourth check: the method', () => {
  it('the method is checked before the rule and the body', async () => {
    expectRefusal(await sendAsReader('PATCH', '/v1/secrets'), 405, '')
    expectRefusal(await sendAsReader('PATCH', bare), 405, '')
    expectRefusal(await send('PATCH', '/v1/orders', { body: '{', headers: text }), 405, '')
  })

  itDiffers('always 405')('the method is checked before Accept', async () => {
    for (const Accept of ['application/json', 'text/plain', 'foo/bar']) {
      expectRefusal(await send('PATCH', '/v1/secrets', { headers: { Accept } }), 405, '')
      expectRefusal(await send('PATCH', bare, { headers: { Accept } }), 405, '')
    }
  })
})

describe('the fifth check: Accept', () => {
  it.each(['text/html', 'text/plain', 'application/xml', 'application/vnd.openstack.key-manager-v1+json'])(
    'Accept is checked before the rule: %s',
    async (Accept) => {
      expectRefusal(await sendAsReader('GET', '/v1/secrets', { headers: { Accept } }), 406, null)
      expectRefusal(await sendAsReader('POST', '/v1/orders', { json: {}, headers: { Accept } }), 406, null)
    },
  )

  it('Accept is checked before the type and the body, and nothing is stored', async () => {
    const headers = { Accept: 'text/html' }
    const counter = await owner()
    const post = (path: string, json: unknown) => call('POST', path, { token: counter.token, json, headers })
    expectRefusal(await post('/v1/secrets', {}), 406, null)
    expectRefusal(await post('/v1/orders', { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } }), 406, null)
    expectRefusal(await send('POST', '/v1/secrets', { body: Uint8Array.of(1), headers }), 406, null)
    expect((await call('GET', '/v1/secrets', { token: counter.token })).json.total).toBe(0)
    expect((await call('GET', '/v1/orders', { token: counter.token })).json.total).toBe(0)
  })

  it.each([
    '',
    'foo',
    '*/*',
    'application/*',
    'APPLICATION/JSON',
    'application/json; charset=utf-8',
    'text/html, application/json;q=0.1',
  ])('Accept %j is admitted', async (Accept) => {
    expect((await send('GET', '/v1/secrets', { headers: { Accept } })).status).toBe(200)
  })

  it.each(['foo/bar', 'application/aes'])(
    'Accept of PUT and DELETE may be any well-known type, so %s is refused',
    async (Accept) => {
      expectRefusal(await sendAsReader('DELETE', bare, { headers: { Accept } }), 406, null)
      expectRefusal(await sendAsReader('PUT', bare, { body: 'x', headers: { ...text, Accept } }), 406, null)
      expect((await send('GET', bare)).status).toBe(200)
    },
  )
})

describe('the sixth check: the rule', () => {
  it('the rule is checked before the query', async () => {
    expectRefusal(await sendAsReader('GET', '/v1/secrets?created=foo'), 403, notPermitted('Secret(s) retrieval'))
  })

  it('the rule is checked before the type and the body', async () => {
    const refusals: readonly (readonly [string, string, string])[] = [
      ['POST', '/v1/secrets', 'Secret creation'],
      ['POST', '/v1/orders', 'Order creation'],
      ['PUT', bare, 'Secret update'],
    ]
    for (const [method, path, operation] of refusals) {
      for (const request of [{ body: Uint8Array.of(1) }, { body: '{', headers: text }, { body: '' }]) {
        expectRefusal(await sendAsReader(method, path, request), 403, notPermitted(operation))
      }
    }
  })

  it('the rule is checked before the payload is read and its type is negotiated', async () => {
    for (const Accept of ['text/plain', 'text/html']) {
      const headers = { Accept }
      const refused = notPermitted('Secret payload retrieval')
      expectRefusal(await sendAsReader('GET', `${bare}/payload`, { headers }), 403, refused)
      expectRefusal(await sendAsReader('GET', full, { headers }), 403, notPermitted('Secret retrieval'))
    }
  })

  it('reading the payload at the secret needs the right to decrypt', async () => {
    const auditor = await person(['audit'], { projectId: who.projectId })
    const as = (Accept: string) => call('GET', full, { token: auditor.token, headers: { Accept } })
    expect((await as('application/json')).status).toBe(200)
    expectRefusal(await as('text/plain'), 403, notPermitted('Secret retrieval'))
  })
})

describe('the seventh check: the content type', () => {
  it('the content type is checked before the body', async () => {
    const bodies = [Uint8Array.of(0xff), new TextEncoder().encode('x'.repeat(30_000))]
    for (const body of bodies) {
      const expected = wrongType("['application/json']")
      expectRefusal(await send('POST', '/v1/secrets', { body, headers: text }), 415, expected)
      expectRefusal(await send('POST', '/v1/orders', { body }), 415, expected)
    }
  })

  it('the content type of PUT is checked before the body, its size and the existing payload', async () => {
    const expected = wrongType("['application/octet-stream', 'text/plain']")
    for (const size of [0, 1, 20_001]) {
      expectRefusal(await send('PUT', full, { body: new Uint8Array(size) }), 415, expected)
    }
  })
})

describe('the eighth check: the body and its size', () => {
  it('a payload that is too large for its type is refused for its type first', async () => {
    const payload = 'x'.repeat(20_001)
    const answer = await send('POST', '/v1/secrets', { json: { payload, payload_content_type: 'text/html' } })
    expect(answer.status).toBe(400)
  })

  it('the name and the expiration are checked before the payload', async () => {
    const payload = { payload: 'x'.repeat(20_001), payload_content_type: 'text/plain' }
    const name = await send('POST', '/v1/secrets', { json: { name: 1, ...payload } })
    expectRefusal(name, 400, mismatch('Secret', "1 is not of type 'string', 'null'", 'name'))
    const expiration = await send('POST', '/v1/secrets', { json: { expiration: '2000', ...payload } })
    expectRefusal(expiration, 400, mismatch('Secret', "'expiration' is before current time", 'expiration'))
  })

  it('the size of a payload is checked before its emptiness and its encoding', async () => {
    const members = { payload_content_type: 'application/octet-stream', payload_content_encoding: 'base64' }
    const answer = await send('POST', '/v1/secrets', { json: { payload: 'a'.repeat(20_001), ...members } })
    expectRefusal(answer, 413, payloadTooLarge)
  })

  it('the body of PUT is checked before the existing payload', async () => {
    const words = 'Secret update issue seen - '
    expectRefusal(await send('PUT', full, { body: '', headers: text }), 400, `${words}No data supplied to process..`)
    const tooLarge = await send('PUT', full, { body: 'x'.repeat(20_001), headers: text })
    expectRefusal(tooLarge, 413, `${words}${payloadTooLarge}.`)
  })

  itDiffers('limits say so')('the size of a JSON body is checked after its type and before its text', async () => {
    const body = '\u00ff'.repeat(32_001)
    const bytes = new Uint8Array(32_001).fill(0xff)
    expectRefusal(await send('POST', '/v1/secrets', { body, headers: text }), 415, wrongType("['application/json']"))
    for (const large of [body, bytes]) {
      const headers = { 'Content-Type': 'application/json' }
      expect((await send('POST', '/v1/secrets', { body: large, headers })).status).toBe(413)
      expect((await sendAsReader('POST', '/v1/secrets', { body: large, headers })).status).toBe(403)
    }
  })

  it('the existing payload is checked before the encoding of the new one', async () => {
    const headers = { 'Content-Type': 'application/octet-stream', 'Content-Encoding': 'gzip' }
    const answer = await send('PUT', full, { body: 'x', headers })
    expectRefusal(answer, 409, 'Secret already has data, cannot modify it.')
  })

  it('the query is checked in the order of its times, then the sort', async () => {
    expectRefusal(await send('GET', '/v1/secrets?sort=foo&created=foo&limit=x'), 400, badQuery)
  })
})

describe('the last check: the quota', () => {
  it('the quota is checked after the body', async () => {
    const limited = await owner()
    await limit(limited.projectId, { secrets: 0, orders: 0 })
    const post = (path: string, json: unknown) => call('POST', path, { token: limited.token, json })
    expect((await post('/v1/secrets', { name: 1 })).status).toBe(400)
    const large = { payload: 'x'.repeat(20_001), payload_content_type: 'text/plain' }
    expect((await post('/v1/secrets', large)).status).toBe(413)
    expectRefusal(await post('/v1/secrets', {}), 403, `Secret creation issue seen - ${quotaReached}`)
    expect((await post('/v1/orders', {})).status).toBe(400)
    expect((await post('/v1/orders', { type: 'key', meta: { algorithm: 'aes', bit_length: 7 } })).status).toBe(400)
    const order = { type: 'key', meta: { algorithm: 'nothing known', bit_length: 128 } }
    expectRefusal(await post('/v1/orders', order), 403, `Order creation issue seen - ${quotaReached}`)
  })
})

describe("the order of checks of a payload's reading", () => {
  it('reading a payload checks for a payload first, then for a session key’s transport key, then for the type', async () => {
    const query = '?trans_wrapped_session_key=abc'
    const headers = { Accept: 'text/html' }
    const absent = 'Not Found. Sorry but your secret has no payload.'
    expectRefusal(await send('GET', `${bare}/payload`, { headers }), 404, absent)
    expectRefusal(await send('GET', `${full}/payload`, { headers }), 406, WRONG_ACCEPT)
    expect((await send('GET', `${full}/payload${query}`)).status).toBe(400)
  })
})

itDiffers('request ids')('every answer has a request id of its own', async () => {
  const mine = { 'X-OpenStack-Request-Id': 'req-mine' }
  const answers = [
    await call('GET', '/'),
    await call('GET', '/v1/secrets', { headers: mine }),
    await send('GET', '/v1/secrets', { headers: mine }),
    await send('GET', '/v1/secrets', { headers: mine, microversion: '9.9' }),
    await send('GET', '/v1/nothing', { headers: mine }),
  ]
  const ids = answers.map(({ headers }) => headers.get('X-OpenStack-Request-Id') ?? '')
  for (const id of ids) expect(id).toMatch(/^req-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(new Set(ids).size).toBe(answers.length)
})

it('errors have the version they used in a header', async () => {
  for (const answer of [
    await send('GET', '/v1/nothing', { microversion: '1.1' }),
    await send('GET', `/v1/secrets/${UNKNOWN}`, { microversion: '1.1' }),
    await send('PATCH', '/v1/secrets', { microversion: '1.1' }),
    await send('POST', '/v1/secrets', { microversion: '1.1', json: 1 }),
  ]) {
    expect(answer.headers.get('OpenStack-API-Version')).toBe('key-manager 1.1')
    expect(answer.headers.get('Vary')?.toLowerCase()).toContain('openstack-api-version')
  }
})
