/** Key pairs: which ones are generated, their encoding, and the encryption of the private key under a passphrase. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { generateKeyPair, keyPairOutcome, passphraseFits, type KeyPair } from '../../src/crypto/key-pairs.ts'

interface Kind {
  readonly algorithm: string
  readonly bits: number
  readonly containerType: KeyPair['containerType']
  /** The key as node:crypto describes it. It reads the PEM independently of the service's table. */
  readonly details: Readonly<Record<string, unknown>>
}

const kind = (algorithm: string, bits: number, details: Kind['details']): Kind => ({
  algorithm,
  bits,
  containerType: algorithm === 'rsa' ? 'rsa' : 'generic',
  details,
})
const rsa = (bits: number) => kind('rsa', bits, { type: 'rsa', modulusLength: bits, publicExponent: 65_537n })
const curve = (algorithm: string, bits: number, namedCurve: string) => kind(algorithm, bits, { type: 'ec', namedCurve })

const kinds: readonly Kind[] = [
  rsa(1024),
  rsa(2048),
  rsa(3072),
  rsa(4096),
  curve('ec', 256, 'prime256v1'),
  curve('ec', 384, 'secp384r1'),
  curve('ec', 528, 'secp521r1'),
  curve('ecdsa', 256, 'prime256v1'),
  curve('ecdh', 384, 'secp384r1'),
  kind('ed25519', 256, { type: 'ed25519' }),
  kind('x25519', 256, { type: 'x25519' }),
]
const quickKinds = kinds.filter(({ algorithm, bits }) => algorithm !== 'rsa' || bits === 1024)

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const open = (pair: KeyPair, passphrase?: string) =>
  createPrivateKey({ key: text(pair.privateKey), ...(passphrase !== undefined && { passphrase }) })

/** Derives the public key from a private key. */
const publicHalf = (key: ReturnType<typeof createPrivateKey>) =>
  createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()

/** The DER of an object identifier, to be searched for in the bytes of a structure. */
const identifiers = {
  PBES2: '06092a864886f70d01050d',
  PBKDF2: '06092a864886f70d01050c',
  'HMAC-SHA-256': '06082a864886f70d0209',
  'AES-256-CBC': '060960864801650304012a',
}

describe('the outcome of an order for a key pair', () => {
  it.each(kinds)('an order for $algorithm of $bits bits is generated', ({ algorithm, bits }) => {
    expect(keyPairOutcome(algorithm, bits)).toBe('generated')
    expect(keyPairOutcome(algorithm.toUpperCase(), bits)).toBe('generated')
  })

  it.each([
    ['rsa', 512],
    ['RSA', 2056],
    ['rsa', 8192],
    ['ec', 224],
    ['ec', 512],
    ['ec', 520],
    ['ec', 521],
    ['ed25519', 128],
    ['x25519', 255],
    ['rsa', 0],
    ['rsa', -1024],
    ['rsa', 1024.5],
  ])('an order for %s of %d bits has a length that is not served', (algorithm, bits) => {
    expect(keyPairOutcome(algorithm, bits)).toBe('length')
  })

  it.each(['aes', 'AES', 'des', 'desede', 'diffie_hellman', 'hmacsha1', 'hmacsha256', 'HMACSHA384', 'hmacsha512'])(
    'an order for %s is refused, which is not an algorithm of pairs',
    (algorithm) => {
      expect(keyPairOutcome(algorithm, 256)).toBe('kind')
    },
  )

  it.each(['dsa', 'DSA', 'Dsa'])('an order for %s is refused as withdrawn', (algorithm) => {
    expect(keyPairOutcome(algorithm, 2048)).toBe('withdrawn')
  })

  it.each(['', 'rsa ', 'rsa-pss', 'ed448', 'secp256k1', 'constructor', '__proto__', 'toString', '漢'])(
    'an order for %j is refused as unknown',
    (algorithm) => {
      expect(keyPairOutcome(algorithm, 256)).toBe('unknown')
    },
  )

  it('no order is generated but those of the table', () => {
    const served = new Set(kinds.map(({ algorithm, bits }) => `${algorithm} ${bits}`))
    const names = fc.constantFrom(...new Set(kinds.map(({ algorithm }) => algorithm)))
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 32_767 }), (algorithm, bits) => {
        fc.pre(!served.has(`${algorithm} ${bits}`) && !(algorithm.startsWith('ec') && [256, 384, 528].includes(bits)))
        expect(keyPairOutcome(algorithm, bits)).toBe('length')
      }),
    )
  })
})

describe('a generated key pair', () => {
  it.each(kinds)(
    'a pair of $algorithm with $bits bits is written as PKCS#8 and SubjectPublicKeyInfo',
    async (expected) => {
      const pair = await generateKeyPair(expected.algorithm, expected.bits, null)
      expect(text(pair.privateKey)).toMatch(/^-----BEGIN PRIVATE KEY-----\n[^-]+\n-----END PRIVATE KEY-----\n$/)
      expect(text(pair.publicKey)).toMatch(/^-----BEGIN PUBLIC KEY-----\n[^-]+\n-----END PUBLIC KEY-----\n$/)
      expect(pair.containerType).toBe(expected.containerType)
      const key = createPublicKey(text(pair.publicKey))
      expect({ type: key.asymmetricKeyType, ...key.asymmetricKeyDetails }).toMatchObject(expected.details)
      expect(publicHalf(open(pair))).toBe(text(pair.publicKey))
    },
  )

  it.each(quickKinds)(
    'a pair of $algorithm with $bits bits opens with its passphrase only',
    async ({ algorithm, bits }) => {
      const passphrase = 'a passphrase, très 漢字 😀'
      const pair = await generateKeyPair(algorithm, bits, passphrase)
      expect(text(pair.privateKey)).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/)
      expect(publicHalf(open(pair, passphrase))).toBe(text(pair.publicKey))
      expect(() => open(pair)).toThrow()
      expect(() => open(pair, `${passphrase} `)).toThrow()
    },
  )

  it('a private key is encrypted with PBES2, PBKDF2-HMAC-SHA-256 and AES-256-CBC', async () => {
    const { privateKey } = await generateKeyPair('ec', 256, 'secret')
    const der = atob(text(privateKey).replaceAll(/-----.*-----|\n/g, ''))
    const hex = Array.from(der, (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join('')
    for (const [name, identifier] of Object.entries(identifiers)) expect(hex, name).toContain(identifier)
  })

  it('a private key is not encrypted under an empty passphrase', async () => {
    const { privateKey } = await generateKeyPair('ed25519', 256, '')
    expect(text(privateKey)).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
  })

  it.each([
    ['ASCII', 'x'.repeat(1023)],
    ['three bytes', '漢'.repeat(341)],
    ['four bytes', '😀'.repeat(255)],
    ['no visible sign', ' '],
    ['a zero', 'a\u0000b'],
  ])('a private key can be encrypted under an unusual passphrase: %s', async (_, passphrase) => {
    const pair = await generateKeyPair('ec', 256, passphrase)
    expect(passphraseFits(passphrase)).toBe(true)
    expect(publicHalf(open(pair, passphrase))).toBe(text(pair.publicKey))
  })

  it.each(['x'.repeat(1024), '漢'.repeat(342), '😀'.repeat(256)])(
    'a key pair is not generated under a passphrase of more than 1,023 bytes',
    async (passphrase) => {
      expect(passphraseFits(passphrase)).toBe(false)
      await expect(generateKeyPair('ec', 256, passphrase)).rejects.toThrow()
    },
  )

  it('two generated key pairs differ', async () => {
    const pairs = await Promise.all(Array.from({ length: 20 }, () => generateKeyPair('x25519', 256, null)))
    expect(new Set(pairs.map(({ privateKey }) => text(privateKey))).size).toBe(20)
    expect(new Set(pairs.map(({ publicKey }) => text(publicKey))).size).toBe(20)
  })

  it.each([
    ['dsa', 2048],
    ['rsa', 512],
    ['aes', 256],
    ['constructor', 256],
  ])('no key pair is generated for %s of %d bits', async (algorithm, bits) => {
    await expect(generateKeyPair(algorithm, bits, null)).rejects.toThrow()
  })
})
