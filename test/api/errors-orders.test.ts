/** Refusals of orders: the schema's messages, bodies, quotas, absent orders and methods. */
import { beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/client.ts'
import { either, itDiffers } from '../support/differences.ts'
import { callAs, owner, person, type Person } from '../support/people.ts'
import { limit } from '../support/stored.ts'
import { expectBodyTooLarge, expectRefusal, mismatch, notPermitted, wrongType } from '../support/refusals.ts'

const META = "Secret' within 'Order"
const over = 'x'.repeat(256)
const secretTypes = "['symmetric', 'passphrase', 'private', 'public', 'certificate', 'opaque']"
const contentTypes =
  "['text/plain', 'text/plain;charset=utf-8', 'text/plain; charset=utf-8', 'application/octet-stream', 'application/pkcs8']"
const orderTypes = "['key', 'asymmetric', 'certificate']"
const supplied = "If 'payload' is supplied, 'payload_content_type' must also be supplied."
const unknown = '6a1a6a3e-22a7-4c5b-8d60-52a1ad3fd25b'

let who: Person
beforeAll(async () => {
  who = await owner()
})

const send = callAs(() => who)
const order = (json: unknown) => send('POST', '/v1/orders', { json })

describe('POST /v1/orders with an invalid body', () => {
  it.each<[unknown, reason: string, property: string | null]>([
    [[], "[] is not of type 'object'", null],
    [{}, "'meta' is a required property", 'meta'],
    [{ type: 'key' }, "'meta' is a required property", 'meta'],
    [{ meta: {} }, "'type' is a required property", 'type'],
    [{ type: 1, meta: {} }, "1 is not of type 'string'", 'type'],
    [{ type: null, meta: {} }, "None is not of type 'string'", 'type'],
    [{ type: 5, meta: 5 }, "5 is not of type 'object'", 'meta'],
    [{ type: 'key', meta: [] }, "[] is not of type 'object'", 'meta'],
    [{ type: 'key', meta: null }, "None is not of type 'object'", 'meta'],
    [{ type: 'foo', meta: {} }, `'foo' is not one of ${orderTypes}`, 'type'],
    [{ type: 'KEY', meta: {} }, `'KEY' is not one of ${orderTypes}`, 'type'],
    [{ type: 'key', meta: {} }, "'algorithm' is required field for key type order", 'meta'],
    [{ type: 'key', meta: { algorithm: '' } }, "'algorithm' is required field for key type order", 'meta'],
    [{ type: 'key', meta: { bit_length: 256 } }, "'algorithm' is required field for key type order", 'meta'],
    [{ type: 'key', meta: { algorithm: 'aes' } }, "'bit_length' is required field for key type order", 'meta'],
    [
      {
        type: 'key',
        meta: { algorithm: 'aes', bit_length: 256, payload: 'x', payload_content_type: 'text/plain' },
      },
      "'payload' not allowed for key type order",
      'meta',
    ],
    [{ type: 'asymmetric', meta: {} }, "'algorithm' is required field for asymmetric key type order", 'meta'],
    [
      { type: 'asymmetric', meta: { algorithm: 'rsa' } },
      "'bit_length' is required field for asymmetric key type order",
      'meta',
    ],
    [
      {
        type: 'asymmetric',
        meta: { algorithm: 'rsa', bit_length: 1024, payload: 'x', payload_content_type: 'text/plain' },
      },
      "'payload' not allowed for asymmetric type order",
      'meta',
    ],
  ])('POST /v1/orders refuses %j in the words of the schema', async (json, reason, property) => {
    expectRefusal(await order(json), 400, mismatch('Order', reason, property))
  })

  it('POST /v1/orders requires meta before it checks the type', async () => {
    expectRefusal(await order({ type: 'foo' }), 400, mismatch('Order', "'meta' is a required property", 'meta'))
  })
})

describe('POST /v1/orders with an invalid meta', () => {
  const aes = { algorithm: 'aes', bit_length: 256 }

  it.each<[object, reason: string, property: string]>([
    [{ name: 1, bit_length: 'x' }, "1 is not of type 'string', 'null'", 'name'],
    [{ algorithm: 1, bit_length: 256 }, "1 is not of type 'string'", 'algorithm'],
    [{ algorithm: null, bit_length: 256 }, "None is not of type 'string'", 'algorithm'],
    [{ algorithm: 'aes', bit_length: 0 }, '0 is less than the minimum of 1', 'bit_length'],
    [{ algorithm: 'aes', bit_length: 32768 }, '32768 is greater than the maximum of 32767', 'bit_length'],
    [{ algorithm: 'aes', bit_length: null }, "None is not of type 'integer'", 'bit_length'],
    [{ algorithm: 'aes', bit_length: '256' }, "'256' is not of type 'integer'", 'bit_length'],
    [{ algorithm: 'aes', bit_length: true }, "True is not of type 'integer'", 'bit_length'],
    [{ ...aes, mode: null }, "None is not of type 'string'", 'mode'],
    [{ ...aes, expiration: 'foo' }, "Invalid date for 'expiration'", 'expiration'],
    [{ ...aes, expiration: '2000-01-01' }, "'expiration' is before current time", 'expiration'],
    [{ ...aes, expiration: null }, "None is not of type 'string'", 'expiration'],
    [{ ...aes, secret_type: 'foo' }, `'foo' is not one of ${secretTypes}`, 'secret_type'],
    [{ ...aes, payload: null }, "None is not of type 'string'", 'payload'],
    [{ ...aes, payload: '' }, supplied, 'payload_content_type'],
    [{ ...aes, payload: 'x' }, supplied, 'payload_content_type'],
    [
      { ...aes, payload_content_type: 'foo' },
      `payload_content_type is not one of ${contentTypes}`,
      'payload_content_type',
    ],
    [{ ...aes, payload_content_encoding: 'foo' }, "'foo' is not one of ['base64']", 'payload_content_encoding'],
  ])('POST /v1/orders refuses the meta %j in the words of the schema of secrets', async (meta, reason, property) => {
    expectRefusal(await order({ type: 'key', meta }), 400, mismatch(META, reason, property))
  })

  it.each(['name', 'algorithm', 'mode'])('POST /v1/orders refuses a meta with %s of 256 characters', async (member) => {
    const meta = { ...aes, [member]: over }
    expectRefusal(await order({ type: 'key', meta }), 400, mismatch(META, `'${over}' is too long`, member))
  })
})

describe('POST /v1/orders', () => {
  const json = { 'Content-Type': 'application/json' }

  it.each([7, 1, 9, 32_767])('POST /v1/orders is 400 for %d bits, which is no multiple of 8', async (bit_length) => {
    const answer = await order({ type: 'key', meta: { algorithm: 'aes', bit_length } })
    expectRefusal(answer, 400, 'Provided field value is not supported')
  })

  it.each([
    ['an empty body', ''],
    ['a broken body', '{"type": '],
  ])('POST /v1/orders is 400 for %s', async (_, body) => {
    expectRefusal(await send('POST', '/v1/orders', { body, headers: json }), 400, 'Malformed JSON')
  })

  it('POST /v1/orders refuses a body over the limit', async () => {
    expectBodyTooLarge(await send('POST', '/v1/orders', { body: `{"foo": "${'x'.repeat(32_000)}"}`, headers: json }))
  })

  it('POST /v1/orders is 400 with an empty description for a body that is not UTF-8', async () => {
    const body = Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)
    expectRefusal(await send('POST', '/v1/orders', { body, headers: json }), 400, '')
  })

  it('POST /v1/orders is 415 unless the body is declared as JSON', async () => {
    for (const headers of [{}, { 'Content-Type': 'text/plain' }]) {
      const answer = await send('POST', '/v1/orders', { body: Uint8Array.of(0x7b, 0x7d), headers })
      expectRefusal(answer, 415, wrongType("['application/json']"))
    }
  })

  it('POST /v1/orders is 403 beyond the quota', async () => {
    const limited = await owner()
    await limit(limited.projectId, { orders: 0 })
    const meta = { algorithm: 'aes', bit_length: 128 }
    const answer = await call('POST', '/v1/orders', { token: limited.token, json: { type: 'key', meta } })
    expectRefusal(answer, 403, 'Order creation issue seen - Creation not allowed because a quota has been reached.')
  })

  it('POST /v1/orders is 403 without a role for it', async () => {
    const reader = await person(['reader'])
    const answer = await call('POST', '/v1/orders', { token: reader.token, json: {} })
    expectRefusal(answer, 403, notPermitted('Order creation'))
  })
})

describe('an order that does not exist', () => {
  it.each([unknown, 'abc', unknown.toUpperCase()])('the order %s, which does not exist, is 404', async (id) => {
    expectRefusal(await send('GET', `/v1/orders/${id}`), 404, 'Order not found.')
    expectRefusal(await send('DELETE', `/v1/orders/${id}`), 404, 'Order not found.')
  })

  it('an order of another project is 404', async () => {
    const placed = await order({ type: 'key', meta: { algorithm: 'aes', bit_length: 128 } })
    const stranger = await owner()
    for (const method of ['GET', 'DELETE']) {
      const answer = await call(method, placed.json.order_ref, { token: stranger.token })
      expectRefusal(answer, 404, 'Order not found.')
    }
    expect((await send('GET', placed.json.order_ref)).status).toBe(200)
  })

  itDiffers('no stray segments')('a path below an order is 404', async () => {
    const placed = await order({ type: 'key', meta: { algorithm: 'aes', bit_length: 128 } })
    expectRefusal(await send('GET', `${placed.json.order_ref}/foo`), 404, '')
  })
})

describe('a method that orders do not have', () => {
  it('PUT /v1/orders is 405 with a message of its own', async () => {
    const answer = await send('PUT', '/v1/orders', { json: {} })
    expectRefusal(answer, 405, 'Order update is not supported.')
    expect(answer.headers.get('Allow')).toBeNull()
  })

  it('PUT /v1/orders is 403 without a role for orders', async () => {
    const reader = await person(['reader'])
    const answer = await call('PUT', '/v1/orders', { token: reader.token, json: {} })
    expectRefusal(answer, 403, notPermitted('Order update'))
  })

  it.each(['PATCH', 'DELETE'])('%s /v1/orders is 405', async (method) => {
    const answer = await send(method, '/v1/orders')
    expectRefusal(answer, 405, '')
    expect(answer.headers.get('Allow')).toBe('GET, POST, PUT')
  })

  it.each(['POST', 'PATCH'])('%s of an order is 405', async (method) => {
    const placed = await order({ type: 'key', meta: { algorithm: 'aes', bit_length: 128 } })
    const answer = await send(method, placed.json.order_ref, { json: {} })
    expectRefusal(answer, 405, '')
    expect(answer.headers.get('Allow')).toBe(either('order types', { ours: 'DELETE, GET, PUT', peer: 'DELETE, GET' }))
  })
})
