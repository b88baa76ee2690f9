/** Stored halves of key pairs: the forms that are read, and the reasons for the others. */
import { describe, expect, it } from 'vitest'
import { publicPem, readKeyPair } from '../../../src/crypto/transit/key-pairs.ts'
import { decodedBase64 } from '../../../src/crypto/transit/pem.ts'
import { keys } from '../../vectors/private-keys.json'

type Name = keyof typeof keys
const stored = (name: Name) => Uint8Array.from(Buffer.from(keys[name], 'base64'))
const read = (name: Name) => readKeyPair(stored(name), true)

const usable: Readonly<Partial<Record<Name, string>>> = {
  'rsa.pem': 'rsa',
  'rsa-pkcs8.der': 'rsa',
  'rsa-pkcs1.pem': 'rsa',
  'rsa-pkcs1.der': 'rsa',
  'ec.pem': 'ec',
  'ec-pkcs8.der': 'ec',
  'ec-sec1.pem': 'ec',
  'ec-sec1.der': 'ec',
  'ec-sec1-parameters.pem': 'ec',
  'ed25519.pem': 'ed25519',
  'ed25519-pkcs8.der': 'ed25519',
}

describe('a stored private key', () => {
  it.each(Object.entries(usable))('the form %s is read as a key of %s', (name, kind) => {
    const pair = read(name as Name)
    expect(pair).toMatchObject({ kind })
    if (typeof pair === 'string') throw new Error(pair)
    const pem = new TextEncoder().encode(publicPem(pair))
    expect(readKeyPair(pem, false)).toMatchObject({ kind, bits: pair.bits, privateKey: null })
    expect(readKeyPair(pem, true)).toBeTypeOf('string')
    expect(readKeyPair(stored(name as Name), false)).toBeTypeOf('string')
  })

  it.each(
    (Object.keys(keys) as Name[]).filter((name) =>
      /dsa|encrypted|pbkdf2|sha1|triple|pkcs12|openssh|x25519|secp|private-only/.test(name),
    ),
  )('the form %s is refused with a reason', (name) => {
    const pair = read(name)
    if (usable[name]) return
    expect(pair).toBeTypeOf('string')
  })

  it('a key that is damaged or has something behind it is refused', () => {
    const der = stored('rsa-pkcs8.der')
    for (const damaged of [der.subarray(1), der.subarray(0, -1), Uint8Array.of(...der, 0), new Uint8Array(0)])
      expect(readKeyPair(damaged, true)).toBeTypeOf('string')
    const pem = stored('ec.pem')
    expect(readKeyPair(Uint8Array.of(...pem, ...pem), true)).toBe('it is more than one private key')
    expect(readKeyPair(pem.subarray(0, pem.length - 20), true)).toBe('it is PEM that cannot be read')
  })
})

describe('base64 of bytes', () => {
  const ascii = (text: string) => new TextEncoder().encode(text)

  it('base64 of every length is decoded as the runtime decodes it', () => {
    for (let length = 0; length < 70; length += 1) {
      const bytes = crypto.getRandomValues(new Uint8Array(length))
      expect(decodedBase64(ascii(Buffer.from(bytes).toString('base64')))).toEqual(bytes)
    }
    expect(decodedBase64(ascii(' YQ\r\n==\n'))).toEqual(ascii('a'))
  })

  it.each(['Y', 'YQ', 'YQ=', 'YQ===', 'YR==', 'YWJ=', 'Y=Q=', '=', '====', 'YWJj=', 'YQ==YQ==', 'Y-Q=', 'Ü'])(
    'the text %s is no base64',
    (text) => {
      expect(decodedBase64(ascii(text))).toBeNull()
    },
  )
})
