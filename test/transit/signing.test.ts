/** Signatures and codes of stored keys over HTTP: `sign`, `verify` and `mac`, and their failures. */
import { KeyObject } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/client.ts'
import { owner, type Person } from '../support/people.ts'
import { base64, bytesOf, storedKey, use } from '../support/transit.ts'

let who: Person

beforeAll(async () => {
  who = await owner()
})

const parameters = {
  rsa: { name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) },
  'P-256': { name: 'ECDSA', namedCurve: 'P-256' },
  'P-384': { name: 'ECDSA', namedCurve: 'P-384' },
  'P-521': { name: 'ECDSA', namedCurve: 'P-521' },
  Ed25519: { name: 'Ed25519' },
}

async function storedPair(kind: keyof typeof parameters) {
  const made = (await crypto.subtle.generateKey(parameters[kind], true, ['sign', 'verify'])) as CryptoKeyPair
  const pem = (half: CryptoKey, type: 'pkcs8' | 'spki') =>
    new Uint8Array(Buffer.from(KeyObject.from(half as never).export({ type, format: 'pem' })))
  return {
    privateRef: await storedKey(who, pem(made.privateKey, 'pkcs8'), { secret_type: 'private', extractable: false }),
    publicRef: await storedKey(who, pem(made.publicKey, 'spki'), { secret_type: 'public' }),
  }
}

const input = base64('a message')
const rsaNames = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const names = { rsa: rsaNames, 'P-256': ['ES256'], 'P-384': ['ES384'], 'P-521': ['ES512'], Ed25519: ['EdDSA'] }
const rawBytes = { rsa: 256, 'P-256': 64, 'P-384': 96, 'P-521': 132, Ed25519: 64 }

describe.each(Object.keys(parameters) as (keyof typeof parameters)[])('a key pair of %s', (kind) => {
  it(`a key of ${kind} signs, and both halves verify`, async () => {
    const { privateRef, publicRef } = await storedPair(kind)
    for (const algorithm of names[kind]) {
      for (const format of ['der', 'raw']) {
        const options = { input, format, ...(kind === 'rsa' && { algorithm }) }
        const signed = await use(who, privateRef, 'sign', options)
        expect([signed.status, signed.json.algorithm]).toEqual([200, algorithm])
        if (format === 'raw') expect(bytesOf(signed.json.signature)).toHaveLength(rawBytes[kind])
        for (const ref of [privateRef, publicRef]) {
          const checked = (members: object) =>
            use(who, ref, 'verify', { ...options, signature: signed.json.signature, ...members })
          expect((await checked({})).json).toMatchObject({ valid: true, key_version: 1 })
          expect((await checked({ input: base64('another') })).json.valid).toBe(false)
          expect((await checked({ signature: '' })).json.valid).toBe(false)
          expect((await checked({ signature: base64(new Uint8Array(70)) })).json.valid).toBe(false)
        }
      }
    }
    const other = kind === 'rsa' ? 'ES256' : 'RS256'
    const answer = await use(who, privateRef, 'sign', { input, algorithm: other })
    expect([answer.status, answer.json.description]).toEqual([
      400,
      expect.stringMatching(/^Signature issue seen - The algorithm .* is not for this key/),
    ])
    expect((await use(who, publicRef, 'sign', { input })).status).toBe(409)
  })
})

describe('the signature of a digest', () => {
  it('an RSA key signs a digest of the right length, and the message verifies', async () => {
    const { privateRef } = await storedPair('rsa')
    for (const algorithm of rsaNames) {
      const hash = `SHA-${algorithm.slice(2)}`
      const digest = base64(new Uint8Array(await crypto.subtle.digest(hash, Buffer.from(input, 'base64'))))
      const signed = await use(who, privateRef, 'sign', { input: digest, algorithm, prehashed: true })
      const { signature } = signed.json
      expect((await use(who, privateRef, 'verify', { input, algorithm, signature })).json.valid).toBe(true)
      const again = await use(who, privateRef, 'verify', { input: digest, algorithm, signature, prehashed: true })
      expect(again.json.valid).toBe(true)
    }
    const short = await use(who, privateRef, 'sign', { input, algorithm: 'RS256', prehashed: true })
    expect([short.status, short.json.description]).toEqual([
      400,
      'Signature issue seen - A digest for RS256 has 32 bytes.',
    ])
    const unnamed = await use(who, privateRef, 'sign', { input })
    expect([unnamed.status, unnamed.json.description]).toEqual([
      400,
      `Signature issue seen - An RSA key needs an algorithm: ${rsaNames.join(', ')}.`,
    ])
  })

  it('an elliptic key does not sign a digest', async () => {
    const { privateRef } = await storedPair('P-256')
    const answer = await use(who, privateRef, 'sign', { input: base64(new Uint8Array(32)), prehashed: true })
    expect([answer.status, answer.json.description]).toEqual([
      400,
      'Signature issue seen - Only RSA keys sign a digest; this key needs the message.',
    ])
  })
})

describe('codes', () => {
  it('a key for HMAC makes codes that are those of WebCrypto, and verifies whole codes only', async () => {
    const raw = crypto.getRandomValues(new Uint8Array(14))
    const ref = await storedKey(who, raw, { algorithm: 'hmacsha256', extractable: false })
    for (const [algorithm, hash] of [
      ['HS256', 'SHA-256'],
      ['HS384', 'SHA-384'],
      ['HS512', 'SHA-512'],
    ] as const) {
      const key = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash }, false, ['sign'])
      const expected = base64(new Uint8Array(await crypto.subtle.sign('HMAC', key, Buffer.from(input, 'base64'))))
      const made = await use(who, ref, 'mac', { input, algorithm })
      expect([made.status, made.json.mac]).toEqual([200, expected])
      const valid = async (mac: string) => (await use(who, ref, 'mac', { input, algorithm, mac })).json.valid
      expect(await valid(expected)).toBe(true)
      expect(await valid(base64(bytesOf(expected).subarray(0, 16)))).toBe(false)
      expect(await valid('')).toBe(false)
    }
    expect((await use(who, ref, 'mac', { input })).status).toBe(400)
    expect((await use(who, ref, 'encrypt', { plaintext: '' })).status).toBe(409)
  })

  it('a key of 64 bits, which an order for HMAC can have, makes no codes', async () => {
    const json = { type: 'key', meta: { algorithm: 'hmacsha1', bit_length: 64 } }
    const order = await call('POST', '/v1/orders', { token: who.token, json })
    const { secret_ref: ref } = (await call('GET', order.json.order_ref, { token: who.token })).json
    const answer = await use(who, ref, 'mac', { input, algorithm: 'HS256' })
    expect([answer.status, answer.json.description]).toEqual([
      409,
      'Conflict. The payload is not a key for this: a key for codes has at least 14 bytes.',
    ])
  })
})

describe('a payload that is no key', () => {
  it.each([
    ['private', 'no key', 'it is neither PEM nor DER of such a key'],
    ['public', 'no key', 'it is neither PEM nor DER of such a key'],
    ['certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'it is neither PEM nor DER'],
    ['private', '-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n', 'it is PEM that cannot be read'],
  ])('a %s secret with the payload %j is 409 with the reason', async (secret_type, text, reason) => {
    const ref = await storedKey(who, new TextEncoder().encode(text), { secret_type })
    const answer = await use(who, ref, 'verify', { input, signature: '' })
    expect(answer.status).toBe(409)
    expect(answer.json.description).toContain(reason)
    const shown = (await call('GET', `${ref}/key`, { token: who.token })).json.key
    expect(shown).toMatchObject({ algorithm: null, bit_length: null, operations: [], public_key: null })
  })

  it.each(['opaque', 'passphrase'])('a secret of type %s has no usages', async (secret_type) => {
    const ref = await storedKey(who, new Uint8Array(32), { secret_type })
    const answer = await use(who, ref, 'encrypt', { plaintext: '' })
    expect([answer.status, answer.json.description]).toEqual([
      409,
      "Conflict. The usages of this key do not allow 'encrypt'.",
    ])
  })
})
