/** Secrets: creation, what is shown, expiration, deletion and methods. */
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { base, call, type Request } from '../support/client.ts'
import { differs, either, itDiffers, onPeer, timeOf } from '../support/differences.ts'
import { callAs, owner, type Person } from '../support/people.ts'
import { idOf, secret } from '../support/stored.ts'
import { expectRefusal, notPermitted } from '../support/refusals.ts'

const A_TIME = either('times with microseconds', {
  ours: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/,
  peer: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/,
})
const TEXT = { payload: 'x', payload_content_type: 'text/plain' }
const NOT_FOUND = 'Secret not found.'

let who: Person
beforeAll(async () => {
  who = await owner()
})

const send = callAs(() => who)
const post = (json: unknown) => send('POST', '/v1/secrets', { json })
const shown = async (members: object) => (await send('GET', await secret(who, members))).json

describe('POST /v1/secrets', () => {
  it('POST /v1/secrets answers 201 with the ref of the secret', async () => {
    const answer = await post({ name: 'n' })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('Content-Type')).toBe('application/json')
    expect(Object.keys(answer.json)).toEqual(['secret_ref'])
    expect(answer.json.secret_ref).toMatch(
      new RegExp(`^${base}/v1/secrets/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`),
    )
    expect(answer.headers.get('Location')).toBe(answer.json.secret_ref)
  })

  it('POST /v1/secrets answers with the version it used and a request id', async () => {
    const answer = await post({})
    expect(answer.headers.get('OpenStack-API-Version')).toBe('key-manager 1.0')
    expect(answer.headers.get('Vary')?.toLowerCase()).toContain('openstack-api-version')
    expect(answer.headers.get('X-OpenStack-Request-Id')).toMatch(/^req-[0-9a-f-]{36}$/)
  })

  it('POST /v1/secrets accepts a trailing slash and a charset of the type', async () => {
    const headers = { 'Content-Type': 'application/json; charset=utf-8' }
    const answer = await send('POST', '/v1/secrets/', { body: new TextEncoder().encode('{}'), headers })
    expect(answer.status).toBe(201)
  })

  it('POST /v1/secrets uses the last of two equal members', async () => {
    const headers = { 'Content-Type': 'application/json' }
    const answer = await send('POST', '/v1/secrets', { body: '{"name": "a", "name": "b"}', headers })
    expect((await send('GET', answer.json.secret_ref)).json.name).toBe('b')
  })

  it('POST /v1/secrets takes the creator from the token and nothing else', async () => {
    const json = { creator_id: 'x', status: 'ERROR', id: 'y', content_types: { default: 'z' }, created: '2000-01-01' }
    const { json: found } = await send('GET', (await post(json)).json.secret_ref)
    expect(found.creator_id).toBe(who.userId)
    expect(found.status).toBe('ACTIVE')
    expect(found.created).toMatch(/^20[2-9]/)
    expect(found).not.toHaveProperty('content_types')
  })

  it.each(['X-User-Id', 'X-Roles', 'X-Project-Id', 'X-Identity-Status'])(
    'POST /v1/secrets ignores the header %s',
    async (name) => {
      const ref = (await send('POST', '/v1/secrets', { json: {}, headers: { [name]: 'x' } })).json.secret_ref
      expect((await send('GET', ref)).json.creator_id).toBe(who.userId)
    },
  )

  itDiffers('no reserved names').each(['external_project_id', 'project_id', '__proto__', 'constructor'])(
    'POST /v1/secrets ignores a member named %s',
    async (name) => {
      const headers = { 'Content-Type': 'application/json' }
      const answer = await send('POST', '/v1/secrets', { body: `{"name": "n", "${name}": "x"}`, headers })
      expect(answer.status).toBe(201)
      expect((await send('GET', answer.json.secret_ref)).json.name).toBe('n')
    },
  )
})

describe('GET /v1/secrets/{id}', () => {
  it('GET of a secret shows one that was made without any members', async () => {
    const ref = await secret(who)
    const answer = await send('GET', ref)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Content-Type')).toBe('application/json')
    expect(answer.json).toEqual({
      created: expect.stringMatching(A_TIME),
      updated: expect.stringMatching(A_TIME),
      status: 'ACTIVE',
      name: null,
      secret_type: 'opaque',
      expiration: null,
      algorithm: null,
      bit_length: null,
      mode: null,
      creator_id: who.userId,
      secret_ref: ref,
    })
    expect(answer.json.updated).toBe(answer.json.created)
  })

  it('GET of a secret shows what was given, in the order of the contract', async () => {
    const given = { name: 'n', secret_type: 'symmetric', algorithm: 'AES', bit_length: 256, mode: 'CBC' }
    const ref = await secret(who, { ...given, expiration: '2999-01-02T03:04:05', ...TEXT })
    const { json, text } = await send('GET', ref, { microversion: '1.1' })
    expect(json).toEqual({
      created: expect.stringMatching(A_TIME),
      updated: expect.stringMatching(A_TIME),
      status: 'ACTIVE',
      ...given,
      expiration: timeOf('2999-01-02T03:04:05'),
      creator_id: who.userId,
      consumers: [],
      content_types: { default: 'text/plain' },
      secret_ref: ref,
    })
    expect(Object.keys(json)).toEqual([
      'created',
      'updated',
      'status',
      'name',
      'secret_type',
      'expiration',
      'algorithm',
      'bit_length',
      'mode',
      'creator_id',
      'consumers',
      'content_types',
      'secret_ref',
    ])
    expect(text).not.toContain('"payload"')
  })

  it('GET of a secret writes characters beyond ASCII as escapes', async () => {
    const { text } = await send('GET', await secret(who, { name: 'é–' }))
    expect(text).toContain(String.raw`\u00e9\u2013`)
  })

  it.each([
    [{ name: 'a  b' }, { name: 'a  b' }],
    [{ name: ' \t\n\u00a0\u2003x\u001c ' }, { name: 'x' }],
    [{ name: '\ufeffx' }, { name: '\ufeffx' }],
    [{ name: '' }, { name: '' }],
    [{ name: '  ' }, { name: '' }],
    [{ name: null }, { name: null }],
    [{ algorithm: ' ' }, { algorithm: '' }],
    [{ algorithm: 'AeS' }, { algorithm: 'AeS' }],
    [{ mode: '' }, { mode: '' }],
    [{ bit_length: 1 }, { bit_length: 1 }],
    [{ bit_length: 257 }, { bit_length: 257 }],
    [{ bit_length: 32_767 }, { bit_length: 32_767 }],
    [{ expiration: '' }, { expiration: null }],
    [{ payload_content_encoding: 'base64' }, {}],
    [{ transport_key_needed: 'false' }, {}],
    [{ transport_key_id: 'abc' }, {}],
  ])('GET of a secret made of %j shows %j', async (given, expected) => {
    expect(await shown(given)).toMatchObject(expected)
  })

  it('GET of a secret shows a bit length that was given as a float as an integer', async () => {
    const headers = { 'Content-Type': 'application/json' }
    for (const bits of ['256.0', '2.56e2']) {
      const answer = await send('POST', '/v1/secrets', { body: `{"bit_length": ${bits}}`, headers })
      expect((await send('GET', answer.json.secret_ref)).text).toContain(
        '"bit_length": 256,'.replaceAll(' ', onPeer ? ' ' : ''),
      )
    }
  })

  it.each(['symmetric', 'public', 'private', 'passphrase', 'certificate', 'opaque'])(
    'GET of a secret shows the type %s',
    async (type) => {
      expect((await shown({ secret_type: ` ${type} ` })).secret_type).toBe(type)
    },
  )

  it('GET of a secret shows names, algorithms and modes of 255 characters', async () => {
    const long = 'é'.repeat(255)
    expect(await shown({ name: long, algorithm: long, mode: long })).toMatchObject({
      name: long,
      algorithm: long,
      mode: long,
    })
  })

  itDiffers('any character')('GET of a secret shows any text without lone surrogates as a name', async () => {
    // The brackets keep white space at the ends of the text from being stripped.
    const names = fc.string({ unit: 'grapheme', maxLength: 100 }).map((text) => `<${text}>`)
    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        expect((await shown({ name })).name).toBe(name)
      }),
      { numRuns: 60, examples: [['😀'], ['\u0000'], ["'; drop table secrets --"], ['"\\'], ['%_']] },
    )
  })

  it.each(['transport_key_needed=false', 'foo=bar', 'limit=x'])('GET of a secret ignores ?%s', async (query) => {
    expect((await send('GET', `${await secret(who)}?${query}`)).status).toBe(200)
  })

  itDiffers('transport keys')('GET of a secret needs no transport key', async () => {
    expect((await send('GET', `${await secret(who)}?transport_key_needed=true`)).status).toBe(200)
  })

  it('GET of a secret is refused to other projects', async () => {
    const ref = await secret(who, TEXT)
    const stranger = await owner()
    const refused = (method: string, path: string, request: Request = {}) =>
      call(method, path, { ...request, token: stranger.token })
    expectRefusal(await refused('GET', ref), 403, notPermitted('Secret retrieval'))
    expectRefusal(await refused('GET', `${ref}/payload`), 403, notPermitted('Secret payload retrieval'))
    const bytes = { body: 'y', headers: { 'Content-Type': 'text/plain' } }
    expectRefusal(await refused('PUT', ref, bytes), 403, notPermitted('Secret update'))
    expectRefusal(await refused('DELETE', ref), 403, notPermitted('Secret deletion'))
    expect((await send('GET', `${ref}/payload`)).text).toBe('x')
  })
})

describe('expiration', () => {
  it.each([
    ['2999', '2999-01-01T00:00:00'],
    ['2999-02', '2999-02-01T00:00:00'],
    ['2999-2-3', '2999-02-03T00:00:00'],
    ['29990203', '2999-02-03T00:00:00'],
    ['2999-01-02T03', '2999-01-02T03:00:00'],
    ['2999-01-02T03:04', '2999-01-02T03:04:00'],
    ['2999-01-02 03:04:05', '2999-01-02T03:04:05'],
    ['29990102T030405', '2999-01-02T03:04:05'],
    ['2999-01-02T03:04:05Z', '2999-01-02T03:04:05'],
    ['2999-01-02T03:04:05+02:00', '2999-01-02T01:04:05'],
    ['2999-01-02T03:04:05-0530', '2999-01-02T08:34:05'],
    ['2999-01-02T03:04:05+02', '2999-01-02T01:04:05'],
    ['  2999-01-02  ', '2999-01-02T00:00:00'],
    ['2999-01-02T03:04:05.0', '2999-01-02T03:04:05'],
  ])('the expiration %j is stored as %s', async (expiration, seconds) => {
    expect((await shown({ expiration })).expiration).toBe(timeOf(seconds))
  })

  it.each([
    ['2999-01-02T03:04:05.5', '500000'],
    ['2999-01-02T03:04:05,123', '123000'],
    ['2999-01-02T03:04:05.1234567', '123456'],
  ])('the expiration %j keeps its microseconds', async (expiration, microseconds) => {
    expect((await shown({ expiration })).expiration).toBe(timeOf('2999-01-02T03:04:05', microseconds))
  })

  it.each([
    'tomorrow',
    '2999-13-01',
    '2999-02-30',
    '2999-00-01',
    '2999-01-02T24:00:00',
    '2999-01-02T03:04:60',
    '2999-01-02 03:04:05 Z',
    '2999-01-02Z',
    '2999-W01-1',
    '2999-001',
    '299901',
    '32503680000',
    '10000-01-01',
    '2999-01-02t03:04:05',
    '2999-01-02T03:04:05+24:00',
    '2999-01-02T3:04:05',
  ])('the expiration %j is refused', async (expiration) => {
    const answer = await post({ expiration })
    expect(answer.status).toBe(400)
    expect(answer.json.description).toContain("Invalid date for 'expiration'")
  })

  it('the expiration ends a secret at that second, on every route', { timeout: 30_000 }, async () => {
    const soon = new Date(Date.now() + 2500).toISOString().slice(0, 19)
    const ref = await secret(who, { expiration: `${soon}Z`, ...TEXT, name: 'ending' })
    expect((await send('GET', '/v1/secrets?name=ending')).json.total).toBe(1)
    await expect.poll(async () => (await send('GET', ref)).status, { timeout: 10_000, interval: 100 }).toBe(404)
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(`${soon}Z`))
    expectRefusal(await send('GET', ref), 404, NOT_FOUND)
    expectRefusal(await send('GET', `${ref}/payload`), 404, NOT_FOUND)
    expectRefusal(await send('PUT', ref), 404, NOT_FOUND)
    expectRefusal(await send('DELETE', ref), 404, NOT_FOUND)
    expect((await send('GET', '/v1/secrets?name=ending')).json).toEqual({ secrets: [], total: 0 })
    expect((await send('GET', '/v1/secrets?expiration=gt:2000-01-01&name=ending')).json.total).toBe(0)
  })
})

describe('DELETE /v1/secrets/{id}', () => {
  it('DELETE of a secret answers 204 without a body or a type', async () => {
    const answer = await send('DELETE', await secret(who, TEXT))
    expect(answer.status).toBe(204)
    expect(answer.text).toBe('')
    expect(answer.headers.get('Content-Type')).toBeNull()
  })

  it('DELETE of a secret takes effect at once', async () => {
    const ref = await secret(who, { name: 'leaving' })
    await send('DELETE', ref)
    expectRefusal(await send('GET', ref), 404, NOT_FOUND)
    expect((await send('GET', '/v1/secrets?name=leaving')).json).toEqual({ secrets: [], total: 0 })
  })

  it('DELETE of a secret ignores a body', async () => {
    const answer = await send('DELETE', await secret(who), { json: { force: 'maybe' } })
    expect(answer.status).toBe(204)
  })

  it.each(['text/plain', 'application/json', 'image/png, */*;q=0.1'])(
    'DELETE of a secret may have Accept %s',
    async (Accept) => {
      expect((await send('DELETE', await secret(who), { headers: { Accept } })).status).toBe(204)
    },
  )

  it('DELETE of a secret is 406 when Accept has only unknown types', async () => {
    const ref = await secret(who)
    expectRefusal(await send('DELETE', ref, { headers: { Accept: 'foo/bar' } }), 406, null)
    expect((await send('GET', ref)).status).toBe(200)
  })
})

describe('a method that secrets do not have', () => {
  it.each([
    ['/v1/secrets', ['PUT', 'PATCH', 'DELETE', 'HEAD'], 'GET, POST'],
    ['/v1/secrets/{id}', ['POST', 'PATCH', 'HEAD'], 'DELETE, GET, PUT'],
  ])('other methods on %s are 405', async (path, methods, allowed) => {
    const id = idOf(await secret(who))
    for (const method of methods) {
      const answer = await send(method, path.replace('{id}', id))
      expect(answer.status).toBe(405)
      expect(answer.headers.get('Allow')).toBe(allowed)
      if (method !== 'HEAD') expectRefusal(answer, 405, '')
    }
  })

  it('other methods on /v1/secrets/{id}/payload are 405', async () => {
    const ref = await secret(who, TEXT)
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'HEAD']) {
      const answer = await send(method, `${ref}/payload`)
      expect(answer.status).toBe(405)
      await differs('Allow everywhere', () => expect(answer.headers.get('Allow')).toBe('GET'))
    }
  })
})
