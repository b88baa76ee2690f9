/**
 * Published vectors, including those that must fail, run through the code that uses each primitive. Signatures are
 * verified in the same way as those of certificate requests and key pairs: by WebCrypto, from SubjectPublicKeyInfo.
 */
import { describe, expect, it } from 'vitest'
import { deriveKey, openBox, sealBox, SealError } from '../../src/crypto/envelope.ts'
import aesGcm from '../vectors/aes-gcm.json'
import aesWrap from '../vectors/aes-wrap.json'
import hkdf from '../vectors/hkdf-sha256.json'
import rsaOaep from '../vectors/rsa-oaep.json'
import signatures from '../vectors/signatures.json'

const fromHex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const gcmKey = (raw: Uint8Array<ArrayBuffer>, usage: 'encrypt' | 'decrypt') =>
  crypto.subtle.importKey('raw', raw, 'AES-GCM', false, [usage])

describe('AES-256-GCM as it opens sealed values', () => {
  it.each(aesGcm.tests)(
    'AES-256-GCM vector $tcId $comment: $result',
    async ({ key, iv, aad, msg, ct, tag, result }) => {
      const opening = openBox(await gcmKey(fromHex(key), 'decrypt'), fromHex(iv + ct + tag), fromHex(aad))
      if (result === 'valid') expect(await opening).toEqual(fromHex(msg))
      else await expect(opening).rejects.toThrow(SealError)
    },
  )
})

describe('HKDF-SHA-256 as it derives every key', () => {
  it.each(hkdf.tests)('HKDF-SHA-256 vector $tcId is reproduced', async ({ ikm, info, okm }) => {
    const material = await crypto.subtle.importKey('raw', fromHex(ikm), 'HKDF', false, ['deriveKey'])
    const derived = await deriveKey(material, fromHex(info), ['encrypt'])
    const known = await gcmKey(fromHex(okm).slice(0, 32), 'decrypt')
    const box = await sealBox(derived, Uint8Array.of(1, 2, 3), new Uint8Array(0))
    expect(await openBox(known, box, new Uint8Array(0))).toEqual(Uint8Array.of(1, 2, 3))
  })
})

describe.each(signatures.groups)('$algorithm.name $algorithm.namedCurve', ({ algorithm, publicKeyDer, tests }) => {
  it.each(tests)(`the ${algorithm.name} signature $tcId $comment: $result`, async ({ msg, sig, result }) => {
    const key = await crypto.subtle.importKey('spki', fromHex(publicKeyDer), algorithm, false, ['verify'])
    expect(await crypto.subtle.verify(algorithm, key, fromHex(sig), fromHex(msg))).toBe(result === 'valid')
  })
})

/** The service itself does not use these algorithms. They are likely uses of an ordered key by its owner. */
describe('the purposes of ordered keys', () => {
  it.each(aesWrap.tests)('AES key wrap vector $tcId $comment: $result', async ({ key, msg, ct, result }) => {
    const wrapping = await crypto.subtle.importKey('raw', fromHex(key), 'AES-KW', false, ['unwrapKey'])
    const hmac = { name: 'HMAC', hash: 'SHA-256' }
    const unwrapping = crypto.subtle.unwrapKey('raw', fromHex(ct), wrapping, 'AES-KW', hmac, true, ['sign'])
    if (result !== 'valid') return expect(unwrapping).rejects.toThrow()
    expect(new Uint8Array((await crypto.subtle.exportKey('raw', await unwrapping)) as ArrayBuffer)).toEqual(
      fromHex(msg),
    )
  })

  it.each(rsaOaep.tests)('RSA-OAEP vector $tcId $comment: $result', async ({ msg, ct, label, result }) => {
    const algorithm = { name: 'RSA-OAEP', hash: 'SHA-256' }
    const key = await crypto.subtle.importKey('pkcs8', fromHex(rsaOaep.privateKeyPkcs8), algorithm, false, ['decrypt'])
    const decrypting = crypto.subtle.decrypt({ name: 'RSA-OAEP', label: fromHex(label) }, key, fromHex(ct))
    if (result === 'valid') expect(new Uint8Array(await decrypting)).toEqual(fromHex(msg))
    else await expect(decrypting).rejects.toThrow()
  })
})
