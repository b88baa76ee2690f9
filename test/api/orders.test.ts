/** Orders for symmetric keys: creation, meta, lengths, listing and deletion. */
import { beforeAll, describe, expect, it } from 'vitest'
import { base, call } from '../support/client.ts'
import { differs, either, itDiffers, timeOf } from '../support/differences.ts'
import { callAs, owner, person, type Person } from '../support/people.ts'
import { idOf } from '../support/stored.ts'
import { expectRefusal, notPermitted } from '../support/refusals.ts'

const A_TIME = either('times with microseconds', {
  ours: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/,
  peer: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/,
})
const FAILURE = 'Process TypeOrder failure seen - please contact site administrator.'
const NO_SUCH_KIND = 'Process TypeOrder issue seen - Requested algorithm is not supported.'
const NO_PLUGIN = 'Process TypeOrder issue seen - Secret generate supported plugin not found..'

let who: Person
beforeAll(async () => {
  who = await owner()
})

const send = callAs(() => who)

/** Places an order for a key and returns its ref. */
async function placed(meta: object, by: Person = who): Promise<string> {
  const answer = await call('POST', '/v1/orders', { token: by.token, json: { type: 'key', meta } })
  expect(answer.status).toBe(202)
  return answer.json.order_ref
}

async function made(meta: object) {
  const { json: order } = await send('GET', await placed(meta))
  const { json: secret } = await send('GET', order.secret_ref)
  const payload = await send('GET', `${order.secret_ref}/payload`)
  return { order, secret, payload }
}

describe('POST /v1/orders', () => {
  it('POST /v1/orders answers 202 with the ref of the order', async () => {
    const meta = { name: 'k', algorithm: 'aes', bit_length: 256, mode: 'cbc' }
    const answer = await send('POST', '/v1/orders', { json: { type: 'key', meta } })
    expect(answer.status).toBe(202)
    expect(answer.headers.get('Content-Type')).toBe('application/json')
    expect(Object.keys(answer.json)).toEqual(['order_ref'])
    expect(answer.json.order_ref).toMatch(new RegExp(`^${base}/v1/orders/[0-9a-f-]{36}$`))
    expect(answer.headers.get('Location')).toBe(answer.json.order_ref)
  })

  it('POST /v1/orders has finished the order when it answers', async () => {
    const meta = {
      name: 'k',
      algorithm: 'aes',
      bit_length: 256,
      mode: 'cbc',
      payload_content_type: 'application/octet-stream',
    }
    const ref = await placed(meta)
    const { json: order } = await send('GET', ref)
    expect(order).toEqual({
      created: expect.stringMatching(A_TIME),
      updated: expect.stringMatching(A_TIME),
      status: 'ACTIVE',
      type: 'key',
      meta: { ...meta, expiration: null },
      sub_status: 'Unknown',
      sub_status_message: 'Unknown',
      creator_id: who.userId,
      secret_ref: expect.stringMatching(new RegExp(`^${base}/v1/secrets/[0-9a-f-]{36}$`)),
      order_ref: ref,
    })
    expect(Object.keys(order)).toEqual([
      'created',
      'updated',
      'status',
      'type',
      'meta',
      'sub_status',
      'sub_status_message',
      'creator_id',
      'secret_ref',
      'order_ref',
    ])
  })

  it('POST /v1/orders makes a symmetric secret as meta describes it', async () => {
    const meta = {
      name: 'made',
      algorithm: 'AES',
      bit_length: 128,
      mode: 'GCM',
      expiration: '2999-01-01T02:00:00+02:00',
    }
    const { secret, payload } = await made(meta)
    expect(secret).toMatchObject({
      status: 'ACTIVE',
      name: 'made',
      secret_type: 'symmetric',
      algorithm: 'AES',
      bit_length: 128,
      mode: 'GCM',
      expiration: timeOf('2999-01-01T00:00:00'),
      creator_id: who.userId,
      content_types: { default: 'application/octet-stream' },
    })
    expect(payload.status).toBe(200)
    expect(payload.bytes).toHaveLength(16)
  })

  it('two POSTs to /v1/orders make two different keys', async () => {
    const keys = await Promise.all(Array.from({ length: 5 }, () => made({ algorithm: 'aes', bit_length: 256 })))
    expect(new Set(keys.map(({ payload }) => payload.bytes.join())).size).toBe(5)
    expect(new Set(keys.map(({ order }) => order.secret_ref)).size).toBe(5)
  })

  it('POST /v1/orders accepts a trailing slash and ignores further members', async () => {
    const json = { type: ' key ', meta: { algorithm: 'aes', bit_length: 128 }, status: 'PENDING', creator_id: 'x' }
    const answer = await send('POST', '/v1/orders/', { json })
    expect(answer.status).toBe(202)
    const { json: order } = await send('GET', answer.json.order_ref)
    expect(order).toMatchObject({ type: 'key', status: 'ACTIVE', creator_id: who.userId })
  })
})

describe('meta of an order', () => {
  it.each([
    [{ algorithm: ' AeS ' }, { algorithm: 'AeS' }],
    [{ name: ' a b ' }, { name: 'a b' }],
    [{ name: null }, { name: null }],
    [{ name: '' }, { name: '' }],
    [{ mode: '' }, { mode: '' }],
    [{ bit_length: 256.0 }, { bit_length: 256 }],
    [{ expiration: '' }, { expiration: null }],
    [{ expiration: '2999-01-01T02:00:00+02:00' }, { expiration: '2999-01-01T00:00:00.000000' }],
    [{ expiration: '2999-01-01T00:00:00.5' }, { expiration: '2999-01-01T00:00:00.500000' }],
    [{ payload_content_type: 'text/plain;charset=utf-8' }, { payload_content_type: 'text/plain;charset=utf-8' }],
    [{ payload_content_type: '' }, { payload_content_type: '' }],
  ])('the meta %j of an order is shown as %j', async (given, shown) => {
    const { json: order } = await send('GET', await placed({ algorithm: 'aes', bit_length: 256, ...given }))
    expect(order.status).toBe('ACTIVE')
    expect(order.meta).toEqual({ algorithm: 'aes', bit_length: 256, name: null, expiration: null, ...shown })
  })

  it('the meta of an order always shows a name and an expiration', async () => {
    const { json: order } = await send('GET', await placed({ algorithm: 'aes', bit_length: 64 }))
    expect(order.meta).toEqual({ algorithm: 'aes', bit_length: 64, name: null, expiration: null })
  })

  it.each([
    [undefined, 'application/octet-stream'],
    ['text/plain', 'text/plain'],
    ['application/octet-stream', 'application/octet-stream'],
    ['application/pkcs8', 'application/pkcs8'],
    ['text/plain;charset=utf-8', undefined],
    ['Application/Octet-Stream', undefined],
    ['', undefined],
  ])(
    'the meta of an order with payload_content_type %j makes a secret of type %j',
    async (payload_content_type, shown) => {
      const { secret, payload } = await made({ algorithm: 'aes', bit_length: 128, payload_content_type })
      expect(secret.content_types).toEqual(shown && { default: shown })
      expect(payload.status).toBe(200)
      expect(payload.bytes).toHaveLength(16)
    },
  )

  itDiffers('absent types')('the meta of an order may have null as the content type', async () => {
    const { order, secret } = await made({ algorithm: 'aes', bit_length: 128, payload_content_type: null })
    expect(order.status).toBe('ACTIVE')
    expect(secret.content_types).toEqual({ default: 'application/octet-stream' })
  })

  it('the meta of an order does not decide the type of the secret', async () => {
    const { secret } = await made({ algorithm: 'aes', bit_length: 128, secret_type: 'private' })
    expect(secret.secret_type).toBe('symmetric')
  })

  it('the meta of an order does not decide the creator', async () => {
    const meta = { algorithm: 'aes', bit_length: 128, creator_id: 'somebody' }
    const { order, secret } = await made(meta)
    expect(order.creator_id).toBe(who.userId)
    await differs('closed meta', () => {
      expect(secret.creator_id).toBe(who.userId)
      expect(order.meta).not.toHaveProperty('creator_id')
    })
  })

  itDiffers('closed meta')('the meta of an order has only the members that clients know', async () => {
    const meta = {
      algorithm: 'aes',
      bit_length: 128,
      foo: 'x',
      secret_type: 'opaque',
      payload_content_encoding: 'base64',
    }
    const { json: order } = await send('GET', await placed(meta))
    expect(order.meta).toEqual({ algorithm: 'aes', bit_length: 128, name: null, expiration: null })
  })
})

const common = [64, 128, 192, 256]
const xts = new Set([128, 256, 384, 512])
const lengths = [8, 64, 128, 192, 256, 384, 512, 1024]
const served: Readonly<Record<string, readonly number[]>> = {
  aes: common,
  des: common,
  hmacsha1: common,
  hmacsha256: common,
  hmacsha384: either('long HMAC keys', { ours: [...common, 384], peer: common }),
  hmacsha512: either('long HMAC keys', { ours: [...common, 384, 512], peer: common }),
}

describe('the algorithm of an order', () => {
  it.each(Object.keys(served))('an order for %s is served in its lengths', async (algorithm) => {
    for (const bit_length of lengths) {
      const ref = await placed({ algorithm, bit_length })
      const { json: order } = await send('GET', ref)
      if (served[algorithm]?.includes(bit_length)) {
        expect([order.status, bit_length]).toEqual(['ACTIVE', bit_length])
        const payload = await send('GET', `${order.secret_ref}/payload`)
        expect(payload.bytes).toHaveLength(bit_length / 8)
      } else {
        expect([order.status, bit_length]).toEqual(['ERROR', bit_length])
        expect(order).toMatchObject({ error_status_code: '500', error_reason: FAILURE })
      }
    }
  })

  it.each(['xts', 'XTS'])('an order for aes in mode %s is served in the lengths of two keys', async (mode) => {
    for (const bit_length of lengths) {
      const { json: order } = await send('GET', await placed({ algorithm: 'aes', bit_length, mode }))
      expect([order.status, bit_length]).toEqual([xts.has(bit_length) ? 'ACTIVE' : 'ERROR', bit_length])
    }
  })

  it.each(['gcm', 'foo', 'XTS2'])('an order for aes in mode %s is served in the common lengths', async (mode) => {
    const { json: order } = await send('GET', await placed({ algorithm: 'aes', bit_length: 192, mode }))
    expect(order.status).toBe('ACTIVE')
  })

  it.each([
    ['rsa', NO_SUCH_KIND],
    ['DSA', NO_SUCH_KIND],
    ['ec', NO_SUCH_KIND],
    ['diffie_hellman', NO_SUCH_KIND],
    ['desede', NO_SUCH_KIND],
    ['3des', NO_PLUGIN],
    ['blowfish', NO_PLUGIN],
    ['rc4', NO_PLUGIN],
    ['chacha20', NO_PLUGIN],
    ['camellia', NO_PLUGIN],
    ['__proto__', NO_PLUGIN],
    ['constructor', NO_PLUGIN],
    ['anything at all', NO_PLUGIN],
  ])('an order for %s is accepted and ends in ERROR', async (algorithm, reason) => {
    const ref = await placed({ algorithm, bit_length: 256 })
    const { json: order } = await send('GET', ref)
    expect(order).toEqual({
      created: expect.stringMatching(A_TIME),
      updated: expect.stringMatching(A_TIME),
      status: 'ERROR',
      type: 'key',
      meta: { algorithm, bit_length: 256, name: null, expiration: null },
      error_status_code: '400',
      error_reason: reason,
      creator_id: who.userId,
      order_ref: ref,
    })
  })
})

describe('GET /v1/orders', () => {
  let lister: Person
  let refs: string[]
  beforeAll(async () => {
    lister = await owner()
    refs = []
    for (const name of ['first', 'second', 'third%', 'fourth', 'fifth']) {
      refs.push(await placed({ name, algorithm: 'aes', bit_length: 128 }, lister))
    }
  })

  const list = (query = '') => call('GET', `/v1/orders${query}`, { token: lister.token })
  const refsOf = (json: { orders: { order_ref: string }[] }) => json.orders.map(({ order_ref }) => order_ref)

  it('GET /v1/orders lists the project’s orders, oldest first, each as GET shows it', async () => {
    const answer = await list()
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.json)).toEqual(['orders', 'total'])
    expect(answer.json.total).toBe(5)
    expect(new Set(refsOf(answer.json))).toEqual(new Set(refs))
    await differs('oldest first', () => expect(refsOf(answer.json)).toEqual(refs))
    const [first] = answer.json.orders
    expect((await call('GET', first.order_ref, { token: lister.token })).json).toEqual(first)
  })

  it('GET /v1/orders lists orders in pages with links', async () => {
    const at = (offset: number) => `${base}/v1/orders?limit=2&offset=${offset}`
    const first = await list('?limit=2')
    expect(first.json).toMatchObject({ next: at(2), total: 5 })
    expect(first.json).not.toHaveProperty('previous')
    const second = await call('GET', first.json.next, { token: lister.token })
    expect(second.json).toMatchObject({ previous: at(0), next: at(4), total: 5 })
    const last = await call('GET', second.json.next, { token: lister.token })
    expect(last.json).toMatchObject({ previous: at(2), total: 5 })
    expect(last.json).not.toHaveProperty('next')
    const seen = [first, second, last].flatMap(({ json }) => refsOf(json))
    expect(seen.toSorted()).toEqual(refs.toSorted())
  })

  it('GET /v1/orders answers a page after the end without links', async () => {
    expect((await list('?offset=100')).json).toEqual({ orders: [], total: 5 })
  })

  it('GET /v1/orders with meta lists the orders whose meta contains the text', async () => {
    const answer = await list('?meta=second')
    expect(refsOf(answer.json)).toEqual([refs[1]])
    expect(answer.json.total).toBe(1)
    expect((await list('?meta=')).json.total).toBe(5)
    expect((await list('?meta=nothing')).json).toEqual({ orders: [], total: 0 })
  })

  itDiffers('parts of meta')('GET /v1/orders compares the characters of the meta text literally', async () => {
    expect(refsOf((await list('?meta=econ')).json)).toEqual([refs[1]])
    expect(refsOf((await list('?meta=d%25')).json)).toEqual([refs[2]])
    expect((await list('?meta=%25')).json.total).toBe(1)
    expect((await list('?meta=a_s')).json.total).toBe(0)
  })

  it.each(['status=ERROR', 'type=asymmetric', 'name=zzz', 'sort=foo', 'created=foo'])(
    'GET /v1/orders ignores ?%s',
    async (query) => {
      expect((await list(`?${query}`)).json.total).toBe(5)
    },
  )

  it('GET /v1/orders lists nothing of other projects', async () => {
    expect(
      (await send('GET', '/v1/orders?limit=100')).json.orders.map((one: { order_ref: string }) => one.order_ref),
    ).not.toContain(refs[0])
    const stranger = await owner()
    expect((await call('GET', '/v1/orders', { token: stranger.token })).json).toEqual({ orders: [], total: 0 })
  })
})

describe('DELETE /v1/orders/{id}', () => {
  it('DELETE of an order deletes the order and leaves its secret', async () => {
    const ref = await placed({ algorithm: 'aes', bit_length: 128 })
    const { json: order } = await send('GET', ref)
    const answer = await send('DELETE', ref)
    expect(answer.status).toBe(204)
    expect(answer.text).toBe('')
    expect(answer.headers.get('Content-Type')).toBeNull()
    expectRefusal(await send('GET', ref), 404, 'Order not found.')
    expectRefusal(await send('DELETE', ref), 404, 'Order not found.')
    expect((await send('GET', order.secret_ref)).status).toBe(200)
  })

  it('DELETE of an order is for admins', async () => {
    const creator = await person(['creator'])
    const ref = await placed({ algorithm: 'aes', bit_length: 128 }, creator)
    const answer = await call('DELETE', ref, { token: creator.token })
    expectRefusal(answer, 403, notPermitted('Order deletion'))
    expect((await call('GET', ref, { token: creator.token })).status).toBe(200)
  })
})

it("an order still shows its secret's ref after the secret is deleted", async () => {
  const ref = await placed({ algorithm: 'aes', bit_length: 128 })
  const before = await send('GET', ref)
  expect((await send('DELETE', before.json.secret_ref)).status).toBe(204)
  expect((await send('GET', ref)).json).toEqual(before.json)
  expect(idOf(before.json.secret_ref)).toHaveLength(36)
})
