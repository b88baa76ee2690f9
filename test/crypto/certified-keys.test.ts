/** Stored private keys in every form that users have: those that can be read, and the errors for the others. */
import { describe, expect, it } from 'vitest'
import { checkRequest } from '../../src/crypto/certificate-requests.ts'
import { openPrivateKey } from '../../src/crypto/certified-keys.ts'
import { requestForStoredKey } from '../../src/crypto/stored-key-requests.ts'
import { characters, element, sequence } from '../support/signed-requests.ts'
import { keys as costly } from '../vectors/encrypted-keys.json'
import { keys, passphrase } from '../vectors/private-keys.json'

type Bytes = Uint8Array

const stored = (name: keyof typeof keys): Bytes => Uint8Array.from(Buffer.from(keys[name], 'base64'))
const pem = (name: keyof typeof keys) => new TextDecoder().decode(stored(name))
const subject = [[{ type: '2.5.4.3', stringType: 'printableString', text: 'server.example' }]] as const

const requested = (privateKey: Bytes, given: string | null = null) =>
  requestForStoredKey({ privateKey, passphrase: given, subject, alternativeNames: [] })

async function reasonFor(privateKey: Bytes | string, given: string | null = null): Promise<string> {
  const outcome = await requested(typeof privateKey === 'string' ? characters(privateKey) : privateKey, given)
  return outcome.outcome === 'refused' ? outcome.reason : outcome.outcome
}

describe('a stored key is certified', () => {
  async function expectCertified(privateKey: Bytes, given: string | null): Promise<void> {
    const outcome = await requested(privateKey, given)
    expect(outcome).toMatchObject({ outcome: 'requested' })
    const checked = await checkRequest(outcome.outcome === 'requested' ? outcome.request : '')
    expect(checked).toMatchObject({ outcome: 'good', request: { commonNames: ['server.example'] } })
  }

  it.each([
    'rsa.pem',
    'rsa-pkcs8.der',
    'rsa-pkcs1.pem',
    'rsa-pkcs1.der',
    'ec.pem',
    'ec-pkcs8.der',
    'ec-sec1.pem',
    'ec-sec1.der',
    'ec-sec1-parameters.pem',
    'ec-sec1-private-only.der',
    'ed25519.pem',
    'ed25519-pkcs8.der',
  ] as const)('from %s, with and without a passphrase beside it', async (name) => {
    await expectCertified(stored(name), null)
    await expectCertified(stored(name), 'not needed')
  })

  it.each([
    'rsa-pbkdf2.pem',
    'rsa-pbkdf2-pkcs8.der',
    'rsa-sha1.pem',
    'rsa-triple-des.pem',
    'rsa-pkcs12.pem',
    'rsa-pkcs1-encrypted.pem',
    'ec-sec1-encrypted.pem',
  ] as const)('from %s under its passphrase', async (name) => {
    await expectCertified(stored(name), passphrase)
  })

  it('from PEM with other line ends, text around it and other blocks', async () => {
    const public_ = pem('public.pem')
    for (const text of [
      pem('ec.pem').replaceAll('\n', '\r\n'),
      `Bag Attributes\n  name: a\n${pem('ec.pem')}`,
      `${public_}${pem('ec.pem')}`,
    ])
      await expectCertified(characters(text), null)
  })
})

describe('a stored key is refused, and the reason says why:', () => {
  const ENCRYPTED = 'is encrypted, and there is no passphrase that may be used'
  const CLOSED = 'does not open with its passphrase, or is broken'
  const BROKEN = 'is broken, or of an algorithm or curve that is not supported'

  it.each<[keyof typeof keys, string | null, string]>([
    ['openssh.pem', null, 'is in the format of OpenSSH: convert it to PKCS#8'],
    ['rsa-scrypt.pem', passphrase, 'is encrypted with scrypt, which is not supported: use PBKDF2'],
    ['rsa-scrypt-pkcs8.der', passphrase, 'is encrypted with scrypt, which is not supported: use PBKDF2'],
    ['rsa-camellia.pem', passphrase, 'is encrypted with a cipher that is not supported'],
    ['rsa-md5.pem', passphrase, 'is encrypted with another scheme than PBES2'],
    ['rsa-pbkdf2.pem', null, ENCRYPTED],
    ['rsa-pbkdf2.pem', '', ENCRYPTED],
    ['rsa-pbkdf2-pkcs8.der', null, ENCRYPTED],
    ['rsa-pkcs1-encrypted.pem', null, ENCRYPTED],
    ['rsa-pbkdf2.pem', 'wrong', CLOSED],
    ['rsa-pbkdf2-pkcs8.der', 'wrong', CLOSED],
    ['rsa-pkcs1-encrypted.pem', 'wrong', CLOSED],
    ['rsa-pbkdf2.pem', 'x'.repeat(1_024), 'has a passphrase of more than 1023 bytes'],
    ['dsa-traditional.pem', null, 'is of an algorithm that is not supported'],
    ['secp256k1.pem', null, BROKEN],
    ['pss.pem', null, BROKEN],
    ['public.pem', null, 'is no private key'],
    ['public.der', null, 'is neither PEM nor DER of a private key'],
  ])('%s with passphrase %j', async (name, given, reason) => {
    expect(await reasonFor(stored(name), given)).toBe(`The private_key ${reason}`)
  })

  it.each<[keyof typeof keys, string]>([
    ['short.pem', 'The RSA key is shorter than 2048 bits'],
    ['exponent.pem', 'The public exponent of the RSA key is too small'],
    ['dsa.pem', 'The algorithm of the key is not supported'],
    ['dsa-pkcs8.der', 'The algorithm of the key is not supported'],
    ['x25519.pem', 'The algorithm of the key is not supported'],
  ])('%s', async (name, reason) => {
    expect(await reasonFor(stored(name))).toBe(reason)
  })

  const whole = stored('rsa-pkcs8.der')
  const [begin = '', ...rest] = pem('rsa.pem').split('\n')
  it.each<[string, Bytes | string, string]>([
    ['nothing', '', 'is empty or too long'],
    ['32 KiB and a byte', 'A'.repeat(32_769), 'is empty or too long'],
    ['text', 'a secret', 'is neither PEM nor DER of a private key'],
    ['a DER key that is cut off', whole.subarray(0, -1), 'is neither PEM nor DER of a private key'],
    ['a DER key with more behind it', Uint8Array.from([...whole, 0]), 'is neither PEM nor DER of a private key'],
    ['a number', element(0x02, Uint8Array.of(5)), 'is neither PEM nor DER of a private key'],
    ['an empty sequence', sequence(), 'is neither PEM nor DER of a private key'],
    ['PEM without an end', pem('rsa.pem').slice(0, 200), 'is PEM that cannot be read'],
    ['PEM with other characters', `${begin}\n****\n${rest.join('\n')}`, 'is PEM that cannot be read'],
    [
      'PEM of another form',
      pem('rsa.pem').replaceAll('PRIVATE', 'RSA PRIVATE'),
      'is PEM under the label of another form',
    ],
    ['two keys', `${pem('rsa.pem')}${pem('ec.pem')}`, 'is more than one private key'],
    [
      'a key of the right form and no content',
      sequence(element(0x02, Uint8Array.of(0)), sequence(), element(0x04)),
      BROKEN,
    ],
  ])('%s', async (_name, privateKey, reason) => {
    expect(await reasonFor(privateKey)).toBe(`The private_key ${reason}`)
  })

  it('an encrypted key with any byte changed, in bounded time', async () => {
    const der = stored('rsa-pbkdf2-pkcs8.der')
    for (let at = 0; at < 120; at += 1) {
      const changed = der.with(at, (der[at] ?? 0) ^ 0x41)
      expect(openPrivateKey(changed, passphrase), `byte ${at}`).toMatchObject({ reason: expect.any(String) })
    }
  })

  it('a key whose halves do not belong together', async () => {
    const other = pem('short.pem')
    const der = Uint8Array.from(Buffer.from(other.split('\n').slice(1, -2).join(''), 'base64'))
    // The changed byte is near the end of the private exponent, or in the point on the curve.
    expect(await reasonFor(der.with(300, (der[300] ?? 0) ^ 1))).toMatch(/^The (private_key|RSA key) /)
    const point = stored('ec-pkcs8.der')
    expect(await reasonFor(point.with(point.length - 3, (point.at(-3) ?? 0) ^ 1))).toMatch(/^The private_key is broken/)
  })
})

describe('a stored key that is encrypted', () => {
  it.each(['2048', '600000'] as const)('is opened when that takes %s iterations', (iterations) => {
    expect(openPrivateKey(characters(costly[iterations]), passphrase)).toMatchObject({ outcome: 'opened' })
  })

  it('is not opened when that takes more than a million, whatever stands around it', () => {
    const million = costly['1000001']
    const hidden = million.replace(
      'KEY-----\n',
      'KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n',
    )
    const texts = [million, `${costly['2048']}${million}`, `${million}${costly['2048']}`, hidden]
    const reasons = texts
      .map((text) => openPrivateKey(characters(text), passphrase))
      .map((opened) => opened.outcome === 'unusable' && opened.reason)
    expect(reasons).toEqual([
      'is encrypted with more than 1000000 iterations',
      'is more than one private key',
      'is more than one private key',
      'is PEM that cannot be read',
    ])
  })
})
