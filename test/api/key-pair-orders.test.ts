/** Orders for key pairs, end to end: what is generated, in which encoding, and which orders end in ERROR. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { base } from '../support/client.ts'
import { differs, either, itDiffers, timeOf } from '../support/differences.ts'
import { callAs, owner, type Person } from '../support/people.ts'
import { limit } from '../support/stored.ts'

const FAILURE = 'Process TypeOrder failure seen - please contact site administrator.'
const NO_SUCH_KIND = 'Process TypeOrder issue seen - Requested algorithm is not supported.'
const NO_PLUGIN = 'Process TypeOrder issue seen - Secret generate supported plugin not found..'
const ENDED = 25_000

let who: Person
beforeAll(async () => {
  who = await owner()
})
const send = callAs(() => who)

/** Waits until the order has ended and returns it. */
async function ordered(meta: object, by = send) {
  const answer = await by('POST', '/v1/orders', { json: { type: 'asymmetric', meta } })
  expect(answer.status, answer.text).toBe(202)
  for (const until = Date.now() + ENDED; Date.now() < until;) {
    const { json } = await by('GET', answer.json.order_ref)
    if (json.status !== 'PENDING') return json
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the order did not end')
}

/** The container of an order that is ACTIVE, and the refs of its secrets by name. */
async function made(meta: object) {
  const order = await ordered(meta)
  expect(order).toMatchObject({ status: 'ACTIVE', sub_status: 'Unknown', sub_status_message: 'Unknown' })
  const { json: container } = await send('GET', order.container_ref)
  const refs = Object.fromEntries(
    (container.secret_refs as { name: string; secret_ref: string }[]).map(({ name, secret_ref }) => [name, secret_ref]),
  )
  const payload = async (name: string, accept = '*/*') =>
    (await send('GET', `${refs[name]}/payload`, { headers: { Accept: accept } })).text
  return { order, container, refs, payload }
}

describe('an order for an RSA pair', () => {
  const meta = { name: 'pair', algorithm: 'RSA', bit_length: 2048, mode: 'cbc', expiration: '2999-01-01T00:00:00' }

  it('an order for an RSA pair ends with a container of both halves, each with what meta holds', async () => {
    const { order, container, refs } = await made(meta)
    expect(order).toMatchObject({ type: 'asymmetric', meta: { ...meta, expiration: '2999-01-01T00:00:00.000000' } })
    expect(order.container_ref).toMatch(new RegExp(`^${base}/v1/containers/[0-9a-f-]{36}$`))
    expect(order).not.toHaveProperty('secret_ref')
    expect(container).toMatchObject({
      type: 'rsa',
      name: 'pair',
      status: 'ACTIVE',
      creator_id: who.userId,
      consumers: [],
    })
    expect(Object.keys(refs).toSorted()).toEqual(['private_key', 'public_key'])
    for (const [name, secret_type] of [
      ['private_key', 'private'],
      ['public_key', 'public'],
    ] as const) {
      expect((await send('GET', refs[name] ?? '')).json).toMatchObject({
        secret_type,
        name: 'pair',
        algorithm: 'RSA',
        bit_length: 2048,
        mode: 'cbc',
        expiration: timeOf('2999-01-01T00:00:00'),
        creator_id: who.userId,
        content_types: { default: 'application/octet-stream' },
      })
    }
  })

  it.each(['*/*', 'text/plain', 'application/octet-stream', 'application/pkcs8'])(
    'the halves of an RSA pair are returned as PEM for Accept %s',
    async (accept) => {
      const { payload } = await made({ algorithm: 'rsa', bit_length: 1024 })
      const [privateKey, publicKey] = [await payload('private_key', accept), await payload('public_key', accept)]
      expect(privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----\n[\s\S]+\n-----END PRIVATE KEY-----\n$/)
      expect(createPublicKey(createPrivateKey(privateKey)).export({ type: 'spki', format: 'pem' })).toBe(publicKey)
    },
  )

  it.each([1024, 2048, 4096])(
    'an order for an RSA pair of %d bits makes that length with the exponent 65537',
    async (bit_length) => {
      const { payload } = await made({ algorithm: 'rsa', bit_length })
      const { asymmetricKeyDetails } = createPublicKey(await payload('public_key'))
      expect(asymmetricKeyDetails).toMatchObject({ modulusLength: bit_length, publicExponent: 65537n })
    },
  )

  itDiffers('more key pairs')('an order for an RSA pair of 3072 bits is served', async () => {
    const { payload } = await made({ algorithm: 'rsa', bit_length: 3072 })
    expect(createPublicKey(await payload('public_key')).asymmetricKeyDetails?.modulusLength).toBe(3072)
  })

  it.each([8, 512, 2056, 32_760])('an order for an RSA pair of %d bits ends in ERROR', async (bit_length) => {
    const order = await ordered({ algorithm: 'rsa', bit_length })
    expect(order).toMatchObject({ status: 'ERROR', error_status_code: '500', error_reason: FAILURE })
    for (const absent of ['container_ref', 'sub_status']) expect(order).not.toHaveProperty(absent)
  })

  it.each([
    ['text/plain', { default: 'text/plain' }],
    ['application/pkcs8', { default: 'application/pkcs8' }],
    ['', undefined],
  ])('an order for an RSA pair with payload_content_type %j shows %j', async (payload_content_type, shown) => {
    const { refs } = await made({ algorithm: 'rsa', bit_length: 1024, payload_content_type })
    for (const ref of Object.values(refs)) expect((await send('GET', ref)).json.content_types).toEqual(shown)
  })

  it('two orders for an RSA pair make two different pairs, whose secrets can be deleted one by one', async () => {
    const [one, two] = [
      await made({ algorithm: 'rsa', bit_length: 1024 }),
      await made({ algorithm: 'rsa', bit_length: 1024 }),
    ]
    expect(await one.payload('public_key')).not.toBe(await two.payload('public_key'))
    for (const ref of Object.values(one.refs)) expect((await send('DELETE', ref)).status).toBe(204)
    expect((await send('GET', one.order.container_ref)).status).toBe(200)
    expect((await send('GET', one.order.order_ref)).json).toEqual(one.order)
  })

  it('an order for an RSA pair is not limited by the quotas of secrets and containers', async () => {
    const full = await owner()
    await limit(full.projectId, { secrets: 0, containers: 0 })
    expect(
      (
        await ordered(
          { algorithm: 'rsa', bit_length: 1024 },
          callAs(() => full),
        )
      ).status,
    ).toBe('ACTIVE')
  })
})

describe('an order for a pair with a passphrase', () => {
  it.each(['secret', 'très 漢字', 'x'.repeat(1023)])(
    'an order for a pair with a passphrase encrypts the private half under %.20j and stores it',
    async (passphrase) => {
      const { order, refs, payload } = await made({ algorithm: 'rsa', bit_length: 1024, passphrase })
      expect(Object.keys(refs).toSorted()).toEqual(['private_key', 'private_key_passphrase', 'public_key'])
      expect((await send('GET', refs['private_key_passphrase'] ?? '')).json.secret_type).toBe('passphrase')
      expect(await payload('private_key_passphrase')).toBe(passphrase)
      const key = await payload('private_key')
      expect(key).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/)
      const opened = createPublicKey(createPrivateKey({ key, passphrase }))
      expect(opened.export({ type: 'spki', format: 'pem' })).toBe(await payload('public_key'))
      expect(() => createPrivateKey({ key, passphrase: 'wrong' })).toThrow()
      await differs('closed meta', () => expect(JSON.stringify(order)).not.toContain(passphrase))
    },
  )

  it.each([[''], [null]])('an order for a pair treats the passphrase %j as none', async (passphrase) => {
    const { refs } = await made({ algorithm: 'rsa', bit_length: 1024, passphrase })
    expect(Object.keys(refs).toSorted()).toEqual(['private_key', 'public_key'])
  })

  it.each([[1], ['x'.repeat(1024)], ['漢'.repeat(342)]])(
    'an order for a pair ends in ERROR with the passphrase %.20j',
    async (passphrase) => {
      const order = await ordered({ algorithm: 'rsa', bit_length: 1024, passphrase })
      expect(order).toMatchObject({ status: 'ERROR', error_status_code: '500', error_reason: FAILURE })
    },
  )
})

describe('an order for a pair of another kind', () => {
  itDiffers('more key pairs').each([
    ['ec', 256, 'ec', 'prime256v1'],
    ['EC', 384, 'ec', 'secp384r1'],
    ['ecdsa', 528, 'ec', 'secp521r1'],
    ['ecdh', 256, 'ec', 'prime256v1'],
    ['ed25519', 256, 'ed25519', undefined],
    ['X25519', 256, 'x25519', undefined],
  ])(
    'an order for %s of %d bits makes a generic container of both halves',
    async (algorithm, bit_length, type, curve) => {
      const { container, payload } = await made({ name: 'n', algorithm, bit_length, passphrase: 'secret' })
      expect(container).toMatchObject({ type: 'generic', name: 'n' })
      const key = createPrivateKey({ key: await payload('private_key'), passphrase: 'secret' })
      expect([key.asymmetricKeyType, key.asymmetricKeyDetails?.namedCurve]).toEqual([type, curve])
      expect(createPublicKey(key).export({ type: 'spki', format: 'pem' })).toBe(await payload('public_key'))
    },
  )

  itDiffers('no DSA').each([1024, 2048])(
    'an order for dsa of %d bits ends in ERROR and names the reason',
    async (bit_length) => {
      expect(await ordered({ algorithm: 'DSA', bit_length })).toMatchObject({
        status: 'ERROR',
        error_status_code: '400',
        error_reason: 'Process TypeOrder issue seen - DSA is not generated: FIPS 186-5 withdrew it for new signatures.',
      })
    },
  )

  it.each([
    ['diffie_hellman', NO_SUCH_KIND],
    ['aes', NO_SUCH_KIND],
    ['des', NO_SUCH_KIND],
    ['DESede', NO_SUCH_KIND],
    ['hmacsha256', NO_SUCH_KIND],
    ['ec', either('more key pairs', { ours: FAILURE, peer: NO_SUCH_KIND })],
    ['ed25519', either('more key pairs', { ours: FAILURE, peer: NO_PLUGIN })],
    ['camellia', NO_PLUGIN],
    ['__proto__', NO_PLUGIN],
    ['anything at all', NO_PLUGIN],
  ])('an order for %s of 1024 bits ends in ERROR', async (algorithm, error_reason) => {
    const error_status_code = error_reason === FAILURE ? '500' : '400'
    expect(await ordered({ algorithm, bit_length: 1024 })).toMatchObject({
      status: 'ERROR',
      error_status_code,
      error_reason,
    })
  })
})
