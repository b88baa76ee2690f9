/** Encryption with stored keys over HTTP: `encrypt`, `decrypt`, `rewrap`, `datakey`, batches, limits and failures. */
import { KeyObject } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { importMaterial, openMessage } from '../../src/crypto/transit/ciphertexts.ts'
import { call } from '../support/client.ts'
import { owner, type Person } from '../support/people.ts'
import { idOf } from '../support/stored.ts'
import { aesKey, base64, bytesOf, NOT_DECRYPTED, storedKey, use } from '../support/transit.ts'

let who: Person
let key: string

beforeAll(async () => {
  who = await owner()
  key = await aesKey(who)
})

const encrypted = async (plaintext: string, members: object = {}, ref = key): Promise<string> =>
  (await use(who, ref, 'encrypt', { plaintext: base64(plaintext), ...members })).json.ciphertext

describe('encryption with a symmetric key', () => {
  it.each([16, 24, 32, 64])(
    'what a key of %d bytes encrypts it decrypts, and so does whoever has it',
    async (length) => {
      const raw = crypto.getRandomValues(new Uint8Array(length))
      const ref = await storedKey(who, raw)
      const context = base64('a context')
      const answer = await use(who, ref, 'encrypt', { plaintext: base64('hello'), context })
      const named = { key_id: `${idOf(ref)}@1`, key_version: 1 }
      expect([answer.status, answer.json]).toEqual([200, { ciphertext: expect.any(String), ...named }])
      expect(bytesOf(answer.json.ciphertext)).toHaveLength(62 + 5)
      const opened = await use(who, ref, 'decrypt', { ciphertext: answer.json.ciphertext, context })
      expect([opened.status, opened.json]).toEqual([200, { plaintext: base64('hello'), ...named }])
      const own = { id: idOf(ref), version: 1, material: await importMaterial(raw) }
      const byItself = await openMessage(own, bytesOf(answer.json.ciphertext), bytesOf(context))
      expect(new TextDecoder().decode(byItself!)).toBe('hello')
    },
  )

  it.each([15, 31, 33, 44])('a payload of %d bytes is no key for encryption', async (length) => {
    const ref = await storedKey(who, new Uint8Array(length).fill(1))
    const answer = await use(who, ref, 'encrypt', { plaintext: '' })
    const description = 'Conflict. The payload is not a key for this: a key for encryption has 16, 24, 32, 64 bytes.'
    expect([answer.status, answer.json.description]).toEqual([409, description])
  })

  it('every bit of a ciphertext that is flipped gives the one failure', async () => {
    const ciphertext = bytesOf(await encrypted('x'))
    const batch = Array.from({ length: ciphertext.length * 8 }, (_, bit) => {
      const flipped = ciphertext.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      return { ciphertext: base64(flipped) }
    })
    for (let at = 0; at < batch.length; at += 100) {
      const items = batch.slice(at, at + 100)
      const { status, json } = await use(who, key, 'decrypt', { batch: items })
      const error = { code: 400, description: NOT_DECRYPTED }
      expect([status, json.results]).toEqual([200, items.map(() => ({ error }))])
    }
  })

  it('a ciphertext of another key, context, version or format gives the one failure', async () => {
    const context = base64('context')
    const ciphertext = await encrypted('x', { context })
    const bytes = bytesOf(ciphertext)
    const other = await encrypted('x', { context }, await aesKey(who))
    const wrong = [
      { ciphertext },
      { ciphertext, context: base64('contex') },
      { ciphertext, context: base64('context ') },
      { ciphertext, context, key_version: 2 },
      { ciphertext: other, context },
      { ciphertext: '', context },
      { ciphertext: base64(bytes.subarray(0, 61)), context },
      { ciphertext: base64(Uint8Array.of(...bytes, 0)), context },
    ]
    for (const [at, body] of wrong.entries()) {
      for (const operation of ['decrypt', 'rewrap']) {
        const answer = await use(who, key, operation, body)
        expect([at, answer.status, answer.json.description]).toEqual([at, 400, NOT_DECRYPTED])
      }
    }
    expect((await use(who, key, 'decrypt', { ciphertext, context })).status).toBe(200)
  })

  it('rewrap gives another ciphertext of the same plaintext, under another context if one is given', async () => {
    const [context, new_context] = [base64('old'), base64('new')]
    const ciphertext = await encrypted('hello', { context })
    const kept = await use(who, key, 'rewrap', { ciphertext, context })
    expect(Object.keys(kept.json)).toEqual(['ciphertext', 'key_id', 'key_version'])
    expect((await use(who, key, 'decrypt', { ciphertext: kept.json.ciphertext, context })).json.plaintext).toBe(
      base64('hello'),
    )
    const moved = await use(who, key, 'rewrap', { ciphertext, context, new_context })
    expect((await use(who, key, 'decrypt', { ciphertext: moved.json.ciphertext, context })).status).toBe(400)
    expect(
      (await use(who, key, 'decrypt', { ciphertext: moved.json.ciphertext, context: new_context })).json.plaintext,
    ).toBe(base64('hello'))
  })

  it.each([
    [undefined, 32],
    [128, 16],
    [256, 32],
    [512, 64],
  ])('a data key of %s bits has %d bytes and opens by decryption', async (bits, length) => {
    const answer = await use(who, key, 'datakey', { ...(bits && { bits }), context: base64('c') })
    expect(bytesOf(answer.json.plaintext)).toHaveLength(length)
    const opened = await use(who, key, 'decrypt', { ciphertext: answer.json.ciphertext, context: base64('c') })
    expect(opened.json.plaintext).toBe(answer.json.plaintext)
    const hidden = await use(who, key, 'datakey', { plaintext: false })
    expect(Object.keys(hidden.json)).toEqual(['ciphertext', 'key_id', 'key_version'])
  })

  it('a batch has a result for each item in order, and failures of items are their own', async () => {
    const batch = [{ plaintext: base64('a') }, { plaintext: 'no base64' }, {}, { plaintext: base64('b'), more: 1 }]
    const { status, json } = await use(who, key, 'encrypt', { batch })
    expect(status).toBe(200)
    const failed = (description: string) => ({ error: { code: 400, description } })
    const schema = (reason: string, property: string) =>
      failed(`Provided object does not match schema 'Encryption': ${reason}. Invalid property: '${property}'`)
    expect(json.results).toEqual([
      { ciphertext: expect.any(String), key_id: `${idOf(key)}@1`, key_version: 1 },
      schema("the value of 'plaintext' is not base64", 'plaintext'),
      schema("'plaintext' is a required property", 'None'),
      schema("Additional properties are not allowed ('more' was unexpected)", 'None'),
    ])
  })
})

describe('limits and failures of encryption', () => {
  const tooLarge = 'Provided information too large to process'

  it.each([
    ['a plaintext', 'encrypt', { plaintext: base64(new Uint8Array(65_537)) }],
    ['a context', 'encrypt', { plaintext: '', context: base64(new Uint8Array(8_193)) }],
    [
      'a plaintext in a batch',
      'encrypt',
      { batch: [{ plaintext: '' }, { plaintext: base64(new Uint8Array(65_537)) }] },
    ],
    ['a batch', 'encrypt', { batch: Array.from({ length: 101 }, () => ({ plaintext: '' })) }],
    ['a ciphertext', 'decrypt', { ciphertext: base64(new Uint8Array(66_561)) }],
  ])('%s over its limit is 413', async (_what, operation, body) => {
    const answer = await use(who, key, operation, body)
    expect([answer.status, answer.json.description]).toEqual([413, expect.stringContaining(tooLarge)])
  })

  it('a body has 1 MiB at most, whatever MAX_REQUEST_BYTES says, and the largest plaintext fits', async () => {
    const answer = await use(who, key, 'encrypt', { plaintext: 'A'.repeat(1_048_576) })
    expect([answer.status, answer.json.description]).toEqual([
      413,
      'The request body is too large: it may have 1048576 bytes at most.',
    ])
    const largest = { plaintext: base64(new Uint8Array(65_536)), context: base64(new Uint8Array(8_192)) }
    const { json } = await use(who, key, 'encrypt', largest)
    const opened = await use(who, key, 'decrypt', { ciphertext: json.ciphertext, context: largest.context })
    expect(opened.json.plaintext === largest.plaintext).toBe(true)
  })

  it.each(['AA=', 'AA', ' AAAA', 'AAAA\n', 'AB==', '_-8=', 'ä'])('the text %j is not base64', async (plaintext) => {
    const answer = await use(who, key, 'encrypt', { plaintext })
    expect([answer.status, answer.json.description]).toEqual([
      400,
      "Provided object does not match schema 'Encryption': the value of 'plaintext' is not base64. Invalid property: 'plaintext'",
    ])
  })

  it.each([
    ['encrypt', null],
    ['encrypt', []],
    ['encrypt', {}],
    ['encrypt', { plaintext: 1 }],
    ['encrypt', { plaintext: '', context: null }],
    ['encrypt', { plaintext: '', nonce: 'AAAA' }],
    ['encrypt', { plaintext: '', key_version: 0 }],
    ['encrypt', { plaintext: '', key_version: 1.5 }],
    ['encrypt', { plaintext: '', algorithm: 'RSA1_5' }],
    ['encrypt', { plaintext: '', algorithm: 'RSA-OAEP' }],
    ['encrypt', { batch: [] }],
    ['encrypt', { batch: {} }],
    ['encrypt', { batch: [], plaintext: '' }],
    ['decrypt', { plaintext: '' }],
    ['datakey', { bits: 64 }],
    ['datakey', { plaintext: 'true' }],
  ])('the body of %s is refused: %j', async (operation, body) => {
    expect((await use(who, key, operation, body)).status).toBe(400)
  })

  it('the checks come in the order of the contract', async () => {
    const { token } = who
    const absent = '/v1/secrets/11111111-1111-4111-8111-111111111111'
    const empty = (await call('POST', '/v1/secrets', { token, json: { secret_type: 'symmetric' } })).json.secret_ref
    const statusOf = async (method: string, path: string, request: object = {}) =>
      (await call(method, path, { token, ...request })).status
    expect(await statusOf('POST', `${absent}/encrypt`, { json: {} })).toBe(404)
    expect(await statusOf('POST', '/v1/secrets/x/encrypt', { json: {} })).toBe(404)
    expect(await statusOf('GET', `${key}/encrypt`)).toBe(405)
    expect(await statusOf('POST', `${key}/encrypt`, { json: {}, headers: { Accept: 'text/plain' } })).toBe(406)
    expect(await statusOf('POST', `${key}/encrypt`, { body: '{}', headers: { 'Content-Type': 'text/plain' } })).toBe(
      415,
    )
    expect(await statusOf('POST', `${empty}/encrypt`, { json: {} })).toBe(400)
    expect(await statusOf('POST', `${empty}/encrypt`, { json: { plaintext: '' } })).toBe(404)
    expect(await statusOf('POST', `${key}/encrypt`, { json: { plaintext: '', key_version: 2 } })).toBe(409)
    expect(await statusOf('POST', `${key}/sign`, { json: { input: '' } })).toBe(409)
  })
})

describe('encryption with an RSA key', () => {
  const pair = async () => {
    const made = (await crypto.subtle.generateKey(
      { name: 'RSA-OAEP', hash: 'SHA-256', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) },
      true,
      ['encrypt', 'decrypt'],
    )) as CryptoKeyPair
    const pem = (half: CryptoKey, type: 'pkcs8' | 'spki') =>
      new Uint8Array(Buffer.from(KeyObject.from(half as never).export({ type, format: 'pem' })))
    return {
      made,
      privateRef: await storedKey(who, pem(made.privateKey, 'pkcs8'), {
        secret_type: 'private',
        usages: ['decrypt', 'encrypt'],
        extractable: false,
      }),
      publicRef: await storedKey(who, pem(made.publicKey, 'spki'), { secret_type: 'public', usages: ['encrypt'] }),
    }
  }

  it('the public half encrypts, the private half decrypts, and the context is the label', async () => {
    const { made, privateRef, publicRef } = await pair()
    const context = base64('label')
    for (const algorithm of [undefined, 'RSA-OAEP', 'RSA-OAEP-256', 'RSA-OAEP-384', 'RSA-OAEP-512']) {
      const sealed = await use(who, publicRef, 'encrypt', { plaintext: base64('hello'), context, algorithm })
      const { ciphertext } = sealed.json
      expect(bytesOf(ciphertext)).toHaveLength(256)
      const opened = await use(who, privateRef, 'decrypt', { ciphertext, context, algorithm })
      expect(opened.json.plaintext).toBe(base64('hello'))
      for (const wrong of [
        { ciphertext, algorithm },
        { ciphertext: ciphertext.slice(4), context, algorithm },
      ]) {
        const answer = await use(who, privateRef, 'decrypt', wrong)
        expect([answer.status, answer.json.description]).toEqual([400, NOT_DECRYPTED])
      }
    }
    const elsewhere = await crypto.subtle.encrypt(
      { name: 'RSA-OAEP', label: new TextEncoder().encode('label') },
      made.publicKey,
      new TextEncoder().encode('hi'),
    )
    const opened = await use(who, privateRef, 'decrypt', { ciphertext: base64(new Uint8Array(elsewhere)), context })
    expect(opened.json.plaintext).toBe(base64('hi'))
    const rewrapped = await use(who, privateRef, 'rewrap', {
      ciphertext: base64(new Uint8Array(elsewhere)),
      context,
      new_context: '',
    })
    const again = await use(who, privateRef, 'decrypt', { ciphertext: rewrapped.json.ciphertext })
    expect(again.json.plaintext).toBe(base64('hi'))
  })

  it('a plaintext has k − 66 bytes at most, and a batch ten items', async () => {
    const { publicRef } = await pair()
    const sealed = (length: number) => use(who, publicRef, 'encrypt', { plaintext: base64(new Uint8Array(length)) })
    expect((await sealed(190)).status).toBe(200)
    expect((await sealed(191)).status).toBe(413)
    const batch = (length: number) => ({ batch: Array.from({ length }, () => ({ plaintext: '' })) })
    expect((await use(who, publicRef, 'encrypt', batch(10))).status).toBe(200)
    expect((await use(who, publicRef, 'encrypt', batch(11))).status).toBe(413)
    expect((await use(who, publicRef, 'decrypt', { ciphertext: '' })).status).toBe(409)
  })
})
