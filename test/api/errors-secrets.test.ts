/** Refusals of secrets and payloads: the schema's messages, bodies, sizes, types, paths and queries. */
import { beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/client.ts'
import { itDiffers } from '../support/differences.ts'
import { callAs, owner, type Person } from '../support/people.ts'
import { consumer, idOf, limit, secret } from '../support/stored.ts'
import {
  badQuery,
  bodyTooLarge,
  expectBodyTooLarge,
  expectRefusal,
  illFormedText,
  mismatch,
  payloadTooLarge,
  wrongType,
} from '../support/refusals.ts'

const over = 'x'.repeat(256)
const types = "['symmetric', 'passphrase', 'private', 'public', 'certificate', 'opaque']"
const contentTypes =
  "['text/plain', 'text/plain;charset=utf-8', 'text/plain; charset=utf-8', 'application/octet-stream', 'application/pkcs8']"
const unsupported = `payload_content_type is not one of ${contentTypes}`
const supplied = "If 'payload' is supplied, 'payload_content_type' must also be supplied."
const encodings = "payload_content_encoding is not one of ['base64', 'binary']"
const noSuchType = 'payload must be provided when payload_content_type is specified'

let who: Person
/** The ref of a secret without a payload. */
let bare: string
/** The ref of a secret whose payload is text. */
let full: string
/** The ref of a secret whose payload is not UTF-8. */
let binary: string

beforeAll(async () => {
  who = await owner()
  bare = await secret(who)
  full = await secret(who, { payload: 'x', payload_content_type: 'text/plain' })
  binary = await secret(who, {
    payload: '//79',
    payload_content_type: 'application/octet-stream',
    payload_content_encoding: 'base64',
  })
})

const send = callAs(() => who)

describe('POST /v1/secrets with an invalid body', () => {
  it.each<[unknown, reason: string, property: string | null]>([
    [1, "1 is not of type 'object'", null],
    [[], "[] is not of type 'object'", null],
    ['x', "'x' is not of type 'object'", null],
    [null, "None is not of type 'object'", null],
    [{ name: 1 }, "1 is not of type 'string', 'null'", 'name'],
    [{ algorithm: 1 }, "1 is not of type 'string'", 'algorithm'],
    [{ algorithm: null }, "None is not of type 'string'", 'algorithm'],
    [{ mode: 1 }, "1 is not of type 'string'", 'mode'],
    [{ mode: null }, "None is not of type 'string'", 'mode'],
    [{ bit_length: 0 }, '0 is less than the minimum of 1', 'bit_length'],
    [{ bit_length: -1 }, '-1 is less than the minimum of 1', 'bit_length'],
    [{ bit_length: 32768 }, '32768 is greater than the maximum of 32767', 'bit_length'],
    [{ bit_length: [] }, "[] is not of type 'integer'", 'bit_length'],
    [{ bit_length: '256' }, "'256' is not of type 'integer'", 'bit_length'],
    [{ bit_length: true }, "True is not of type 'integer'", 'bit_length'],
    [{ bit_length: null }, "None is not of type 'integer'", 'bit_length'],
    [{ bit_length: 1.5 }, "1.5 is not of type 'integer'", 'bit_length'],
    [{ bit_length: { a: [1, "it's"] } }, `{'a': [1, "it's"]} is not of type 'integer'`, 'bit_length'],
    [{ expiration: null }, "None is not of type 'string'", 'expiration'],
    [{ expiration: 'abc' }, "Invalid date for 'expiration'", 'expiration'],
    [{ expiration: '2000-01-01' }, "'expiration' is before current time", 'expiration'],
    [{ secret_type: 1 }, "1 is not of type 'string'", 'secret_type'],
    [{ secret_type: '' }, `'' is not one of ${types}`, 'secret_type'],
    [{ secret_type: 'Opaque' }, `'Opaque' is not one of ${types}`, 'secret_type'],
    [{ transport_key_id: null }, "None is not of type 'string'", 'transport_key_id'],
    [{ transport_key_needed: true }, "True is not of type 'string'", 'transport_key_needed'],
    [{ transport_key_needed: 'x' }, "'x' is not one of ['true', 'false']", 'transport_key_needed'],
    [{ transport_key_needed: 'True' }, "'True' is not one of ['true', 'false']", 'transport_key_needed'],
    [{ payload: null }, "None is not of type 'string'", 'payload'],
    [{ payload: 'x' }, supplied, 'payload_content_type'],
    [{ payload: '' }, supplied, 'payload_content_type'],
    [{ payload: 'x', payload_content_type: null }, supplied, 'payload_content_type'],
    [{ payload: 'abcd', payload_content_type: '' }, unsupported, 'payload_content_type'],
    [{ payload: 'abcd', payload_content_type: 'text/html' }, unsupported, 'payload_content_type'],
    [
      { payload: 'aGVsbG8=', payload_content_type: 'text/plain', payload_content_encoding: '' },
      "'' is not one of ['base64']",
      'payload_content_encoding',
    ],
    [
      { payload: 'aGVsbG8=', payload_content_type: 'text/plain', payload_content_encoding: null },
      "None is not of type 'string'",
      'payload_content_encoding',
    ],
    [
      { payload: 'aGVsbG8=', payload_content_type: 'text/plain', payload_content_encoding: 'BASE64' },
      "'BASE64' is not one of ['base64']",
      'payload_content_encoding',
    ],
    [
      { payload: 'aGVsbG8=', payload_content_type: 'text/plain', payload_content_encoding: 'base64' },
      'payload_content_encoding is not one of None',
      'payload_content_encoding',
    ],
    [{ payload: 'abcd', payload_content_type: 'application/pkcs8' }, encodings, 'payload_content_encoding'],
    [{ payload: 'abcd', payload_content_type: 'application/octet-stream' }, encodings, 'payload_content_encoding'],
    [{ payload: '', payload_content_type: 'text/plain' }, "If 'payload' specified, must be non empty", 'payload'],
    [{ payload: ' \n ', payload_content_type: 'text/plain' }, "If 'payload' specified, must be non empty", 'payload'],
    [
      { payload: 'a', payload_content_type: 'application/octet-stream', payload_content_encoding: 'base64' },
      'Invalid payload for payload_content_encoding',
      'payload',
    ],
    [{ payload_content_type: '' }, noSuchType, 'payload'],
    [{ payload_content_type: null }, noSuchType, 'payload'],
    [{ payload_content_type: 'text/plain' }, noSuchType, 'payload'],
  ])('POST /v1/secrets refuses %j in the words of the schema', async (json, reason, property) => {
    expectRefusal(await send('POST', '/v1/secrets', { json }), 400, mismatch('Secret', reason, property))
  })

  it.each(['name', 'algorithm', 'mode', 'expiration', 'secret_type'])(
    'POST /v1/secrets refuses %s of 256 characters',
    async (member) => {
      const refusal = mismatch('Secret', `'${over}' is too long`, member)
      expectRefusal(await send('POST', '/v1/secrets', { json: { [member]: over } }), 400, refusal)
    },
  )

  it('POST /v1/secrets refuses a content type of 256 characters', async () => {
    const json = { payload: 'abcd', payload_content_type: over }
    const refusal = mismatch('Secret', `'${over}' is too long`, 'payload_content_type')
    expectRefusal(await send('POST', '/v1/secrets', { json }), 400, refusal)
  })

  it('POST /v1/secrets reports the first invalid member in the order of the schema', async () => {
    const json = { bit_length: 0, mode: 1, algorithm: 2, name: 3 }
    const refusal = mismatch('Secret', "3 is not of type 'string', 'null'", 'name')
    expectRefusal(await send('POST', '/v1/secrets', { json }), 400, refusal)
  })

  it('POST /v1/secrets counts code points, not bytes', async () => {
    const name = 'é'.repeat(256)
    const refusal = mismatch('Secret', `'${name}' is too long`, 'name')
    expectRefusal(await send('POST', '/v1/secrets', { json: { name } }), 400, refusal)
    await secret(who, { name: 'é'.repeat(255) })
  })
})

describe('POST /v1/secrets', () => {
  const json = { 'Content-Type': 'application/json' }

  it.each([
    ['an empty body', ''],
    ['a broken body', '{"name": '],
    ['trailing text', '{} x'],
    ['a byte order mark', '\ufeff{}'],
  ])('POST /v1/secrets is 400 for %s', async (_, body) => {
    expectRefusal(await send('POST', '/v1/secrets', { body, headers: json }), 400, 'Malformed JSON')
  })

  it.each([
    ['a longer member', `{"foo": "${'x'.repeat(32_000)}"}`],
    ['JSON that is complete only behind the limit', `{"name": "x"${' '.repeat(32_000)}}`],
    ['no JSON', 'x'.repeat(32_001)],
  ])('POST /v1/secrets is 413 for a body over the limit: %s', async (_, body) => {
    expectBodyTooLarge(await send('POST', '/v1/secrets', { body, headers: json }))
  })

  itDiffers('limits say so')('POST /v1/secrets counts white space behind JSON like the rest of a body', async () => {
    const of = (length: number) => send('POST', '/v1/secrets', { body: '{}'.padEnd(length), headers: json })
    expect((await of(32_000)).status).toBe(201)
    expectRefusal(await of(32_001), 413, bodyTooLarge)
    const forced = { headers: json, body: '{"force": true}'.padEnd(32_001), microversion: '1.2' }
    const made = await secret(who)
    expectRefusal(await send('DELETE', made, forced), 413, bodyTooLarge)
    expect((await send('DELETE', made, { ...forced, body: '{"force": true}' })).status).toBe(204)
  })

  it('POST /v1/secrets is 400 with an empty description for a body that is not UTF-8', async () => {
    const body = Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)
    expectRefusal(await send('POST', '/v1/secrets', { body, headers: json }), 400, '')
  })

  itDiffers('whole characters')('POST /v1/secrets is 400 for half of a surrogate pair', async () => {
    for (const body of ['{"name": "\\ud83d"}', '{"payload": "p\\ud83dw", "payload_content_type": "text/plain"}']) {
      expectRefusal(await send('POST', '/v1/secrets', { body, headers: json }), 400, illFormedText)
    }
  })

  it('POST /v1/secrets is 413 for a payload of 20 001 bytes, and accepts 20 000', async () => {
    const payload = 'é'.repeat(10_000)
    const members = { payload_content_type: 'text/plain' }
    const answer = await send('POST', '/v1/secrets', { json: { payload: `${payload}x`, ...members } })
    expectRefusal(answer, 413, payloadTooLarge)
    await secret(who, { payload, ...members })
  })

  it('POST /v1/secrets is 400 for a transport key that does not exist', async () => {
    const members = { transport_key_id: 'abc', payload: 'x', payload_content_type: 'text/plain' }
    const answer = await send('POST', '/v1/secrets', { json: members })
    expectRefusal(answer, 400, 'Secret creation issue seen - Provided transport key was not found..')
  })

  itDiffers('unspoken payloads')('POST /v1/secrets does not quote a payload that is not text', async () => {
    for (const payload of [0, ['a secret'], { a: 'secret' }]) {
      const answer = await send('POST', '/v1/secrets', { json: { payload, payload_content_type: 'text/plain' } })
      expectRefusal(answer, 400, mismatch('Secret', "The value is not of type 'string'", 'payload'))
    }
  })

  itDiffers('transport keys')('POST /v1/secrets is 400 when a transport key is requested', async () => {
    const answer = await send('POST', '/v1/secrets', { json: { transport_key_needed: 'true' } })
    const words = 'Secret creation issue seen - No plugin was found that could support your request.'
    expectRefusal(answer, 400, words)
  })

  it.each([
    ['without a type', {}],
    ['as text', { 'Content-Type': 'text/plain' }],
    ['as JSON in capitals', { 'Content-Type': 'Application/JSON' }],
  ])('POST /v1/secrets is 415 for a body %s', async (_, headers) => {
    const body = new TextEncoder().encode('{}')
    const answer = await send('POST', '/v1/secrets', { body, headers })
    expectRefusal(answer, 415, wrongType("['application/json']"))
  })

  itDiffers('always an answer')('POST /v1/secrets is 415 for a form', async () => {
    const headers = { 'Content-Type': 'multipart/form-data; boundary=x' }
    const answer = await send('POST', '/v1/secrets', { body: '--x--', headers })
    expectRefusal(answer, 415, wrongType("['application/json']"))
  })

  it('POST /v1/secrets is 403 beyond the quota', async () => {
    const limited = await owner()
    await limit(limited.projectId, { secrets: 0 })
    const answer = await call('POST', '/v1/secrets', { token: limited.token, json: {} })
    expectRefusal(answer, 403, 'Secret creation issue seen - Creation not allowed because a quota has been reached.')
  })
})

describe('GET /v1/secrets with an invalid query', () => {
  it.each([
    'sort=foo',
    'sort=name:',
    'sort=name,name',
    'created=foo',
    'created=gt:',
    'updated=GT:2020-01-01',
    'expiration=2020-01-01,',
    'created=gt:2020-01-01,gte:2020-01-01',
  ])('GET /v1/secrets is 400 for ?%s', async (query) => {
    expectRefusal(await send('GET', `/v1/secrets?${query}`), 400, badQuery)
  })

  it('GET /v1/secrets is 400 with an empty description for a query that is not UTF-8', async () => {
    expectRefusal(await send('GET', '/v1/secrets?name=%ff'), 400, '')
  })
})

describe('a path that does not exist', () => {
  it.each([
    ['GET', '/v1/foo', ''],
    ['GET', '/v1/secrets/abc', 'Not Found. Provided secret id is invalid.'],
    ['PUT', '/v1/secrets/abc', 'Not Found. Provided secret id is invalid.'],
    ['DELETE', '/v1/secrets/abc', 'Not Found. Provided secret id is invalid.'],
    ['GET', '/v1/secrets/abc/payload', 'Not Found. Provided secret id is invalid.'],
    ['GET', '/v1/secrets/6a1a6a3e-22a7-4c5b-8d60-52a1ad3fd25b', 'Secret not found.'],
    ['PUT', '/v1/secrets/6a1a6a3e-22a7-4c5b-8d60-52a1ad3fd25b', 'Secret not found.'],
    ['DELETE', '/v1/secrets/6a1a6a3e-22a7-4c5b-8d60-52a1ad3fd25b', 'Secret not found.'],
    ['GET', '/v1/secrets/6a1a6a3e-22a7-4c5b-8d60-52a1ad3fd25b/payload', 'Secret not found.'],
  ])('%s %s is 404', async (method, path, description) => {
    expectRefusal(await send(method, path), 404, description)
  })

  it('an unknown path below a secret is 404', async () => {
    expectRefusal(await send('GET', `${bare}/foo`), 404, '')
  })

  it.each(['6A1A6A3E-22A7-4C5B-8D60-52A1AD3FD25B', '{}', 'urn:uuid:', '', 'version 1'])(
    'the id of a secret has one spelling, so that this one is 404: %s',
    async (spelling) => {
      const id = idOf(bare)
      const other =
        { '{}': `{${id}}`, 'urn:uuid:': `urn:uuid:${id}`, '': id.replaceAll('-', '') }[spelling] ??
        (spelling === 'version 1' ? '6a1a6a3e-22a7-1c5b-8d60-52a1ad3fd25b' : id.toUpperCase())
      const answer = await send('GET', `/v1/secrets/${encodeURIComponent(other)}`)
      expectRefusal(answer, 404, 'Not Found. Provided secret id is invalid.')
    },
  )

  it('a secret is 404 after DELETE', async () => {
    const gone = await secret(who)
    expect((await send('DELETE', gone)).status).toBe(204)
    for (const [method, path] of [
      ['GET', gone],
      ['PUT', gone],
      ['DELETE', gone],
      ['GET', `${gone}/payload`],
    ] as const) {
      expectRefusal(await send(method, path), 404, 'Secret not found.')
    }
  })
})

describe('PUT /v1/secrets/{id}', () => {
  const text = { 'Content-Type': 'text/plain' }
  const octets = { 'Content-Type': 'application/octet-stream' }

  it('PUT of a payload is 400 with an empty body', async () => {
    const answer = await send('PUT', bare, { body: '', headers: text })
    expectRefusal(answer, 400, 'Secret update issue seen - No data supplied to process..')
  })

  it('PUT of a payload is 400 for a transport key that does not exist', async () => {
    const path = `${bare}?transport_key_id=6a1a6a3e-22a7-4c5b-8d60-52a1ad3fd25b`
    const answer = await send('PUT', path, { body: 'y', headers: text })
    expectRefusal(answer, 400, 'Secret update issue seen - Provided transport key was not found..')
  })

  it.each(['binary', 'gzip', 'identity', 'base64, base64'])(
    'PUT of a payload is 400 for octets encoded as %s',
    async (encoding) => {
      const answer = await send('PUT', bare, { body: 'eA==', headers: { ...octets, 'Content-Encoding': encoding } })
      const words = "Text-based binary secret payloads must specify a content-encoding of 'base64'."
      expectRefusal(answer, 400, `Secret update issue seen - ${words}`)
    },
  )

  itDiffers('undecodable payloads')('PUT of a payload is 400 for octets that are not base64', async () => {
    const answer = await send('PUT', bare, { body: 'ab', headers: { ...octets, 'Content-Encoding': 'base64' } })
    expect(answer.status).toBe(400)
    expect(answer.json).toMatchObject({ code: 400, title: 'Bad Request' })
    expect(answer.json.description).toMatch(/^Secret update issue seen - .+\.$/)
  })

  it('PUT of a payload is 409 when the secret has one', async () => {
    const answer = await send('PUT', full, { body: 'y', headers: text })
    expectRefusal(answer, 409, 'Secret already has data, cannot modify it.')
  })

  itDiffers('stored bytes count')('PUT of a payload counts base64 once it is decoded', async () => {
    const of = (length: number, encoding = 'base64') => {
      const body = new Uint8Array(length).toBase64()
      return send('PUT', bare, { body, headers: { ...octets, 'Content-Encoding': encoding } })
    }
    const tooLarge = `Secret update issue seen - ${payloadTooLarge}.`
    for (const length of [20_001, 30_000, 60_000]) expectRefusal(await of(length), 413, tooLarge)
    // What is not decoded counts as it is sent.
    expectRefusal(await of(15_001, 'gzip'), 413, tooLarge)
    const undecodable = { body: '*'.repeat(20_001), headers: { ...octets, 'Content-Encoding': 'base64' } }
    expectRefusal(await send('PUT', bare, undecodable), 413, tooLarge)
    expect((await send('GET', bare)).json.content_types).toBeUndefined()
    const ref = await secret(who)
    const body = new Uint8Array(20_000).toBase64().replaceAll(/.{64}/g, '$&\r\n')
    const headers = { ...octets, 'Content-Encoding': 'BASE64' }
    expect((await send('PUT', ref, { body, headers })).status).toBe(204)
    const read = await send('GET', `${ref}/payload`, { headers: { Accept: octets['Content-Type'] } })
    expect(read.bytes).toEqual(new Uint8Array(20_000))
  })

  it('PUT of a payload is 413 for 20 001 bytes', async () => {
    const answer = await send('PUT', bare, { body: 'x'.repeat(20_001), headers: text })
    expectRefusal(answer, 413, `Secret update issue seen - ${payloadTooLarge}.`)
  })

  it.each([
    ['none', {}],
    ['JSON', { 'Content-Type': 'application/json' }],
    ['PKCS#8', { 'Content-Type': 'application/pkcs8' }],
    ['text in capitals', { 'Content-Type': 'TEXT/PLAIN' }],
  ])('PUT of a payload is 415 for a type that cannot be set this way: %s', async (_, headers) => {
    const answer = await send('PUT', bare, { body: Uint8Array.of(1), headers })
    expectRefusal(answer, 415, wrongType("['application/octet-stream', 'text/plain']"))
  })
})

describe('a payload that cannot be returned', () => {
  it('GET of a payload is 404 when there is none', async () => {
    const words = 'Not Found. Sorry but your secret has no payload.'
    expectRefusal(await send('GET', `${bare}/payload`), 404, words)
    expectRefusal(await send('GET', bare, { headers: { Accept: 'text/plain' } }), 404, words)
  })

  it.each([
    ['/payload', 'Secret payload retrieval'],
    ['', 'Secret retrieval'],
  ])('GET of a payload in another spelling of its type is 400, at the secret’s %j', async (suffix, operation) => {
    const answer = await send('GET', full + suffix, { headers: { Accept: 'TEXT/PLAIN' } })
    expectRefusal(answer, 400, `${operation} issue seen - content-type of 'TEXT/PLAIN' not supported.`)
  })

  it.each(['application/json', 'text/*', 'text/plain, */*'])('GET of a payload as %s is 406', async (Accept) => {
    const answer = await send('GET', `${full}/payload`, { headers: { Accept } })
    expectRefusal(answer, 406, 'Secret payload retrieval issue seen - Wrong payload content-type.')
  })

  it.each(['text/html', 'application/octet-stream, application/json'])(
    'GET of a payload at the secret as %s is 406',
    async (Accept) => {
      const answer = await send('GET', full, { headers: { Accept } })
      expectRefusal(answer, 406, 'Secret retrieval issue seen - Wrong payload content-type.')
    },
  )

  it('GET of a binary payload as text is 406', async () => {
    const answer = await send('GET', `${binary}/payload`, { headers: { Accept: 'text/plain' } })
    expectRefusal(answer, 406, 'Secret payload retrieval issue seen - Wrong payload content-type.')
  })

  it('GET of a payload with a wrapped session key is 400 without its transport key', async () => {
    const words =
      'Transport key wrapped session key has been provided to wrap secrets for retrieval, but the transport key id has not been provided.'
    expectRefusal(await send('GET', `${full}/payload?trans_wrapped_session_key=abc`), 400, words)
  })
})

describe('DELETE /v1/secrets/{id} at 1.2', () => {
  itDiffers('microversion 1.2')('DELETE of a secret at 1.2 is 400 while it has consumers, unless forced', async () => {
    const used = await secret(who)
    await consumer(used, who)
    const refused = await send('DELETE', used, { microversion: '1.2' })
    const words = 'Secret deletion issue seen - Secret cannot be deleted as it has consumers..'
    expectRefusal(refused, 400, words)
    expectRefusal(await send('DELETE', `${used}?force=no`, { microversion: '1.2' }), 400, words)
    expect((await send('DELETE', `${used}?force=1`, { microversion: '1.2' })).status).toBe(204)
  })

  itDiffers('microversion 1.2')(
    'DELETE of a secret at 1.2 is 400 for a force that is neither true nor false',
    async () => {
      for (const query of ['force=x', 'force=', 'force=2', 'force=1&force=1']) {
        expectRefusal(await send('DELETE', `${bare}?${query}`, { microversion: '1.2' }), 400, badQuery)
      }
      expect((await send('GET', bare)).status).toBe(200)
    },
  )
})
