/** The usages and names in certificates, checked byte by byte, and the final check before a certificate is stored. */
import { beforeAll, describe, expect, it } from 'vitest'
import { alternativeName as writtenName } from '../../src/crypto/alternative-names.ts'
import { issueCertificate, type OpenAuthority } from '../../src/crypto/certificate-authority.ts'
import { checkRequest } from '../../src/crypto/certificate-requests.ts'
import { issuedFault } from '../../src/crypto/issued-certificates.ts'
import { requestForStoredKey } from '../../src/crypto/stored-key-requests.ts'
import { certified, certifiedSubject, testAuthority } from '../support/authority.ts'
import { readCertificate } from '../support/issued-certificate.ts'
import {
  alternativeName,
  base64,
  characters,
  element,
  extensionRequest,
  identifier,
  name,
  request,
  sequence,
  set,
  utf8,
  withExtension,
  type Bytes,
} from '../support/signed-requests.ts'
import { requests } from '../vectors/certificate-requests.json'
import { keys } from '../vectors/private-keys.json'

const BASIC_CONSTRAINTS = '2.5.29.19'
const KEY_USAGE = '2.5.29.15'
const EXTENDED_KEY_USAGE = '2.5.29.37'
const ALTERNATIVE_NAMES = '2.5.29.17'
const profiles = ['default', 'server', 'client'] as const

let authority: OpenAuthority
beforeAll(async () => {
  authority = await testAuthority()
})

async function issued(asked: string, profile: (typeof profiles)[number] = 'default') {
  const outcome = await certified(authority, asked, profile)
  if ('reason' in outcome) throw new Error(outcome.reason)
  return readCertificate(outcome.pem)
}

describe('a certificate is never an authority', () => {
  const basicConstraints = identifier(0x55, 0x1d, 0x13)
  const keyUsage = identifier(0x55, 0x1d, 0x0f)
  const yes = Uint8Array.of(0x01, 0x01, 0xff)
  const zero = Uint8Array.of(0x02, 0x01, 0x00)
  /** keyCertSign and cRLSign. */
  const signs = Uint8Array.of(0x03, 0x02, 0x01, 0x06)
  const extension = (kind: Bytes, value: Bytes) => sequence(kind, yes, element(0x04, value))
  const wishful = (...extensions: readonly Bytes[]) =>
    base64(request(name(utf8('a')), sequence(extensionRequest, set(sequence(...extensions)))))

  it.each<[string, string]>([
    ['asks for nothing', requests.p256],
    ['asks for CA:TRUE and keyCertSign', requests.authority],
    ['asks for CA:TRUE', wishful(extension(basicConstraints, sequence(yes)))],
    ['asks for a path length', wishful(extension(basicConstraints, sequence(yes, zero)))],
    ['asks for a path length alone', wishful(extension(basicConstraints, sequence(zero)))],
    ['asks for keyCertSign and cRLSign', wishful(extension(keyUsage, signs))],
    [
      'asks for both twice',
      wishful(
        extension(basicConstraints, sequence(yes)),
        extension(keyUsage, signs),
        extension(basicConstraints, sequence(yes)),
      ),
    ],
  ])('when its request %s', async (_name, asked) => {
    for (const profile of profiles) {
      const { extensions } = await issued(asked, profile)
      // SEQUENCE {}, neither cA nor pathLenConstraint; BIT STRING { digitalSignature }.
      expect(extensions.get(BASIC_CONSTRAINTS)).toEqual({ type: BASIC_CONSTRAINTS, critical: true, value: '3000' })
      expect(extensions.get(KEY_USAGE)).toEqual({ type: KEY_USAGE, critical: true, value: '03020780' })
      expect([...extensions.keys()].toSorted()).toEqual(
        [
          BASIC_CONSTRAINTS,
          KEY_USAGE,
          '2.5.29.14',
          '2.5.29.35',
          ...(profile === 'default' ? [] : [EXTENDED_KEY_USAGE]),
          ...(extensions.has(ALTERNATIVE_NAMES) ? [ALTERNATIVE_NAMES] : []),
        ].toSorted(),
      )
    }
  })

  it('and an RSA key may encipher keys besides', async () => {
    const { extensions } = await issued(requests.rsa)
    expect(extensions.get(BASIC_CONSTRAINTS)?.value).toBe('3000')
    expect(extensions.get(KEY_USAGE)?.value).toBe('030205a0')
  })

  it.each([
    ['default', undefined],
    ['server', '300a06082b06010505070301'],
    ['client', '300a06082b06010505070302'],
  ] as const)('and is for the use of profile %s', async (profile, value) => {
    expect((await issued(requests.p256, profile)).extensions.get(EXTENDED_KEY_USAGE)?.value).toBe(value)
  })
})

describe('a common name that is a domain name', () => {
  const DNS = 0x82
  const named = (text: string, ...attributes: readonly Bytes[]) => base64(request(name(utf8(text)), ...attributes))
  const names = async (asked: string, profile: (typeof profiles)[number]) =>
    (await issued(asked, profile)).alternativeNames

  it.each(profiles)('is an alternative name as well, profile %s', async (profile) => {
    for (const text of ['a.example', '*.a.example', 'xn--bcher-kva.example'])
      expect(await names(named(text), profile)).toEqual([{ tag: DNS, text }])
  })

  it('is one of a single word for servers only', async () => {
    expect(await names(named('localhost'), 'server')).toEqual([{ tag: DNS, text: 'localhost' }])
    expect(await names(named('alice'), 'default')).toEqual([])
    expect(await names(named('alice'), 'client')).toEqual([])
  })

  it.each([
    'a b.example',
    'a_b.example',
    '192.0.2.1',
    'a..example',
    '-a.example',
    'ü.example',
    '*',
    'a.*.example',
    'a.example.',
  ])('is not %j', async (text) => {
    expect(await names(named(text), 'server')).toEqual([])
  })

  it('is copied from each of several, and once', async () => {
    const one = (text: string) => set(sequence(identifier(0x55, 0x04, 0x03), utf8(text)))
    const several = base64(request(sequence(one('a.example'), one('b.example'), one('a.example'))))
    expect((await names(several, 'default')).map(({ text }) => text)).toEqual(['a.example', 'b.example'])
  })

  it('is not added to names that the request has', async () => {
    const asked = withExtension(alternativeName, sequence(element(0x81, characters('a@b.example'))))
    expect(await names(named('a.example', asked), 'server')).toEqual([{ tag: 0x81, text: 'a@b.example' }])
  })
})

describe('an address', () => {
  it.each([
    ['192.0.2.1', 'c0000201'],
    ['2001:db8::1', '20010db8000000000000000000000001'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
    ['::', '0'.repeat(32)],
  ])('%s is certified with its bytes', async (text, bytes) => {
    const privateKey = Uint8Array.from(Buffer.from(keys['ed25519.pem'], 'base64'))
    const address = writtenName('ip', text)
    expect(address).not.toBeNull()
    const alternativeNames = address ? [address] : []
    const subject = [[{ type: '2.5.4.3', stringType: 'utf8String', text: 'a' }]] as const
    const requested = await requestForStoredKey({ privateKey, passphrase: null, subject, alternativeNames })
    const { alternativeNames: found } = await issued(requested.outcome === 'requested' ? requested.request : '')
    expect(found).toEqual([{ tag: 0x87, text: bytes }])
  })
})

describe('the last look at a certificate', () => {
  const subject = name(utf8('a'))
  async function made() {
    const outcome = await certified(authority, base64(request(subject)))
    const pem = 'pem' in outcome ? outcome.pem : ''
    return Uint8Array.from(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64'))
  }
  /** Replaces the only occurrence of these bytes in a certificate by others of the same length. */
  function changed(certificate: Bytes, from: string, to: string): Bytes {
    const hex = Buffer.from(certificate).toString('hex')
    expect(hex.split(from)).toHaveLength(2)
    expect(from).toHaveLength(to.length)
    return Uint8Array.from(Buffer.from(hex.replace(from, to), 'hex'))
  }

  it('finds nothing wrong with what is issued', async () => {
    expect(issuedFault(await made(), subject)).toBeNull()
  })

  it.each([
    ['keyCertSign', '0403020780', '0403020186', 'its extension for key usage is not valid'],
    [
      'bits beyond those that are used',
      '0403020780',
      '0403020781',
      'its extension for key usage is not valid: a BIT STRING in it is not valid',
    ],
    ['a critical extension that says FALSE', '0603551d0f0101ff', '0603551d0f010100', 'its extensions are not valid'],
    ['a BOOLEAN of another value', '0603551d0f0101ff', '0603551d0f010101', 'a BOOLEAN in it is not valid'],
    ['no basic constraints', '0603551d13', '0603551d12', 'its extensions are not valid'],
    ['an unknown extension', '0603551d23', '0603551d20', 'it has an extension that is not issued'],
    ['an extension twice', '0603551d23', '0603551d0e', 'its extensions are not valid'],
    ['another subject', '06035504030c0161', '06035504030c0162', 'its subject is not the one that was asked for'],
    [
      'a subject of another type',
      '06035504030c0161',
      '0603550403140161',
      'it has an element of a type that is not used, 0x14',
    ],
    ['another version', 'a003020102', 'a003020101', 'it is not a whole certificate'],
  ])('refuses %s', async (_name, from, to, fault) => {
    expect(issuedFault(changed(await made(), from, to), subject)).toBe(fault)
  })

  it('refuses what is cut off, longer, or another thing', async () => {
    const certificate = await made()
    for (const bytes of [certificate.subarray(0, -1), Uint8Array.from([...certificate, 0]), new Uint8Array(), subject])
      expect(issuedFault(bytes, subject)).toEqual(expect.any(String))
  })

  it('is the reason when something was not seen before it', async () => {
    const checked = await checkRequest(base64(request(subject)))
    if (checked.outcome !== 'good') throw new Error(checked.outcome)
    const unseen = [
      { subject: Uint8Array.from(name(utf8('a\0b'))) },
      { subject: Uint8Array.from(sequence()) },
      { subject: Uint8Array.from(name(element(0x16, characters('ü')), identifier(0x55, 0x04, 0x03))) },
      { alternativeNames: [{ type: 'dns', value: 'a_b' } as const] },
      { alternativeNames: [{ type: 'email', value: '"CEO"<ceo@bank.example>' } as const] },
    ]
    for (const each of unseen) {
      const outcome = await issueCertificate(authority, { ...checked.request, ...each }, 'default', Date.now())
      expect(outcome).toEqual({ reason: expect.stringMatching(/^The certificate would not be valid: /) })
    }
  })

  it('is taken whatever the random serial number begins with', async () => {
    for (let round = 0; round < 40; round += 1) {
      const key = Uint8Array.from(Buffer.from(keys['ed25519.pem'], 'base64'))
      expect(await certifiedSubject(authority, key, 'cn=a')).toHaveProperty('pem')
    }
  })
})
