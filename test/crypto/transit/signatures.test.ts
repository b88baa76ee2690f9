/**
 * Signatures and codes of stored keys: published vectors through the code that uses each primitive, every algorithm
 * against the same operation of WebCrypto, and the digests that RSA signs.
 */
import { KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fromDer, toDer } from '../../../src/crypto/transit/ecdsa.ts'
import { readKeyPair, type KeyPair } from '../../../src/crypto/transit/key-pairs.ts'
import { importMacKeys, isMac, mac } from '../../../src/crypto/transit/macs.ts'
import { decryptOaep } from '../../../src/crypto/transit/oaep.ts'
import { sign, signatureAlgorithm, verify, type SignatureName } from '../../../src/crypto/transit/signatures.ts'
import ecdsaDer from '../../vectors/ecdsa-der.json'
import hmac from '../../vectors/hmac-sha256.json'
import hmac512 from '../../vectors/hmac-sha512.json'
import rsaOaep from '../../vectors/rsa-oaep.json'
import rsaPss from '../../vectors/rsa-pss.json'
import signatures from '../../vectors/signatures.json'

const fromHex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const digest = async (hash: string, message: Uint8Array<ArrayBuffer>) =>
  new Uint8Array(await crypto.subtle.digest(hash, message))

function pairOf(stored: Uint8Array, isPrivate: boolean): KeyPair {
  const pair = readKeyPair(stored, isPrivate)
  if (typeof pair === 'string') throw new Error(pair)
  return pair
}

async function verifies(
  pair: KeyPair,
  algorithm: SignatureName,
  message: string,
  signature: string,
  options: { readonly format?: 'der' | 'raw'; readonly prehashed?: boolean } = {},
) {
  const input = fromHex(message)
  const chosen = signatureAlgorithm(pair, { algorithm }, input)
  if (typeof chosen === 'string') throw new Error(chosen)
  const given = options.prehashed ? await digest(chosen.hash, input) : input
  return verify(pair, chosen, given, fromHex(signature), options)
}

describe.each(ecdsaDer.groups)('ECDSA signatures in DER', ({ publicKeyDer, tests }) => {
  it.each(tests)('the DER signature $tcId, $comment: $result', async ({ msg, sig, result }) => {
    expect(await verifies(pairOf(fromHex(publicKeyDer), false), 'ES256', msg, sig)).toBe(result === 'valid')
    const raw = fromDer(fromHex(sig), 32)
    if (result === 'valid') expect(toDer(raw!)).toEqual(fromHex(sig))
  })
})

const names: Readonly<Record<string, SignatureName>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'EdDSA',
  'RSASSA-PKCS1-v1_5': 'RS256',
}

describe.each(signatures.groups)('$algorithm.name $algorithm.namedCurve', ({ algorithm, publicKeyDer, tests }) => {
  const name = names[algorithm.namedCurve ?? algorithm.name]!

  it.each(tests)(`the ${name} signature $tcId, $comment: $result`, async ({ msg, sig, result }) => {
    const pair = pairOf(fromHex(publicKeyDer), false)
    expect(await verifies(pair, name, msg, sig, { format: 'raw' })).toBe(result === 'valid')
    if (name === 'RS256') expect(await verifies(pair, name, msg, sig, { prehashed: true })).toBe(result === 'valid')
  })
})

describe('RSASSA-PSS signatures', () => {
  it.each(rsaPss.tests)(
    'the PS256 signature $tcId verifies by message and by digest, and damaged by neither',
    async ({ msg, sig }) => {
      const pair = pairOf(fromHex(rsaPss.publicKeyDer), false)
      for (const prehashed of [false, true]) {
        expect(await verifies(pair, 'PS256', msg, sig, { prehashed })).toBe(true)
        expect(await verifies(pair, 'PS256', `${msg}00`, sig, { prehashed })).toBe(false)
        expect(await verifies(pair, 'PS384', msg, sig, { prehashed })).toBe(false)
        expect(await verifies(pair, 'RS256', msg, sig, { prehashed })).toBe(false)
        for (const damaged of [
          sig.slice(2),
          `${sig}00`,
          `00${sig}`,
          sig.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
        ])
          expect(await verifies(pair, 'PS256', msg, damaged, { prehashed })).toBe(false)
      }
    },
  )
})

const stored = (key: unknown, form: 'pkcs8' | 'spki', format: 'der' | 'pem') =>
  new Uint8Array(Buffer.from(KeyObject.from(key as never).export({ type: form, format: format as 'pem' })))

const generated = {
  rsa: { name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) },
  'rsa of 3072 bits': {
    name: 'RSA-PSS',
    hash: 'SHA-256',
    modulusLength: 3072,
    publicExponent: Uint8Array.of(1, 0, 1),
  },
  'P-256': { name: 'ECDSA', namedCurve: 'P-256' },
  'P-384': { name: 'ECDSA', namedCurve: 'P-384' },
  'P-521': { name: 'ECDSA', namedCurve: 'P-521' },
  Ed25519: { name: 'Ed25519' },
}
const rsaNames = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const

describe.each(Object.entries(generated))('a key pair of %s', (kind, parameters) => {
  const pairs = async () => {
    const pair = (await crypto.subtle.generateKey(parameters, true, ['sign', 'verify'])) as CryptoKeyPair
    return { privately: pairOf(stored(pair.privateKey, 'pkcs8', 'pem'), true), pair }
  }

  it(`what ${kind} signs verifies with the public half in every form, and nothing else does`, async () => {
    const { privately, pair } = await pairs()
    const publicly = pairOf(stored(pair.publicKey, 'spki', 'der'), false)
    const message = new Uint8Array(new TextEncoder().encode('a message'))
    const fitting = kind.startsWith('rsa') ? rsaNames : [undefined]
    for (const algorithm of fitting) {
      for (const format of ['der', 'raw'] as const) {
        const chosen = signatureAlgorithm(privately, { algorithm }, message)
        if (typeof chosen === 'string') throw new Error(chosen)
        const signature = new Uint8Array(await sign(privately, chosen, message, { format }))
        expect(await verify(publicly, chosen, message, signature, { format })).toBe(true)
        expect(await verify(publicly, chosen, message.subarray(1), signature, { format })).toBe(false)
        if (chosen.kind !== 'ec') continue
        const other = format === 'der' ? 'raw' : 'der'
        expect(await verify(publicly, chosen, message, signature, { format: other })).toBe(false)
      }
    }
  })

  it(`a digest is signed by ${kind} exactly if it is an RSA key, with the digest's own length`, async () => {
    const { privately } = await pairs()
    for (const algorithm of rsaNames) {
      const bytes = Number(algorithm.slice(2)) / 8
      const message = new Uint8Array(new TextEncoder().encode('a message'))
      const input = await digest(`SHA-${bytes * 8}`, message)
      const chosen = signatureAlgorithm(privately, { algorithm, prehashed: true }, input)
      if (!kind.startsWith('rsa')) {
        expect(chosen).toBeTypeOf('string')
        continue
      }
      if (typeof chosen === 'string') throw new Error(chosen)
      const signature = new Uint8Array(await sign(privately, chosen, input, { prehashed: true }))
      expect(await verify(privately, chosen, message, signature, {})).toBe(true)
      expect(await verify(privately, chosen, input, signature, { prehashed: true })).toBe(true)
      expect(signatureAlgorithm(privately, { algorithm, prehashed: true }, input.subarray(1))).toBeTypeOf('string')
    }
  })
})

describe('HMAC-SHA-256', () => {
  it.each(hmac.tests)('the code $tcId, $comment: $result', async ({ key, msg, tag, result }) => {
    const keys = await importMacKeys(fromHex(key))
    expect(await isMac(keys, 'HS256', fromHex(msg), fromHex(tag))).toBe(result === 'valid')
    expect((await mac(keys, 'HS256', fromHex(msg))).join() === fromHex(tag).join()).toBe(result === 'valid')
    expect(await isMac(keys, 'HS256', fromHex(msg), fromHex(tag).subarray(0, 16))).toBe(false)
    expect(await isMac(keys, 'HS512', fromHex(msg), fromHex(tag))).toBe(false)
  })
})

describe('HMAC-SHA-384 and HMAC-SHA-512', () => {
  it.each(hmac512.tests)(
    'the code $tcId of SHA-512, $comment, is made and verifies, and damaged it does not',
    async (vector) => {
      const keys = await importMacKeys(fromHex(vector.key))
      const [input, tag] = [fromHex(vector.msg), fromHex(vector.tag)]
      expect(await mac(keys, 'HS512', input)).toEqual(tag)
      expect(await isMac(keys, 'HS512', input, tag)).toBe(true)
      for (let bit = 0; bit < 8 * tag.length; bit += 7) {
        const flipped = tag.slice()
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(await isMac(keys, 'HS512', input, flipped), `bit ${bit}`).toBe(false)
      }
      for (const wrong of [tag.subarray(0, 32), new Uint8Array(0)])
        expect(await isMac(keys, 'HS512', input, wrong)).toBe(false)
      expect(await isMac(keys, 'HS384', input, tag)).toBe(false)
    },
  )

  // RFC 4231, sections 4.2 and 4.3.
  it.each([
    [
      '0b'.repeat(20),
      'Hi There',
      'afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6',
      '87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854',
    ],
    [
      '4a656665',
      'what do ya want for nothing?',
      'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649',
      '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
    ],
  ])('the codes of RFC 4231 with the key %s are reproduced', async (key, message, sha384, sha512) => {
    const keys = await importMacKeys(fromHex(key))
    const input = new Uint8Array(new TextEncoder().encode(message))
    expect(await mac(keys, 'HS384', input)).toEqual(fromHex(sha384))
    expect(await mac(keys, 'HS512', input)).toEqual(fromHex(sha512))
  })
})

describe('RSA-OAEP of a stored key', () => {
  it.each(rsaOaep.tests)('the ciphertext $tcId, $comment: $result', async ({ msg, ct, label, result }) => {
    const pair = pairOf(fromHex(rsaOaep.privateKeyPkcs8), true)
    const opened = await decryptOaep(pair, 'RSA-OAEP-256', fromHex(ct), fromHex(label))
    expect(opened).toEqual(result === 'valid' ? fromHex(msg) : null)
  })
})
