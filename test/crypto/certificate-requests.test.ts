/**
 * Certificate requests with a good signature and unusual content, written byte by byte, and requests that are too
 * large.
 */
import { generateKeyPairSync, sign } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  issueCertificate,
  newAuthority,
  openAuthority,
  type OpenAuthority,
} from '../../src/crypto/certificate-authority.ts'
import { checkRequest, requestForStoredKey } from '../../src/crypto/certificate-requests.ts'
import { requests } from '../vectors/certificate-requests.json'
import { keys, passphrase } from '../vectors/encrypted-keys.json'

/** The limit that the file under test states, and no length of its own: 16 KiB. */
const MOST_BYTES = 16_384

type Bytes = Uint8Array

const joined = (parts: readonly Bytes[]): Bytes => Uint8Array.from(Buffer.concat(parts))

function lengthOf(length: number): Bytes {
  if (length < 0x80) return Uint8Array.of(length)
  return length < 0x1_0000
    ? Uint8Array.of(0x82, length >> 8, length & 0xff)
    : Uint8Array.of(0x83, length >> 16, (length >> 8) & 0xff, length & 0xff)
}

const element = (tag: number, ...parts: readonly Bytes[]): Bytes => {
  const content = joined(parts)
  return joined([Uint8Array.of(tag), lengthOf(content.length), content])
}
const sequence = (...parts: readonly Bytes[]) => element(0x30, ...parts)
const set = (...parts: readonly Bytes[]) => element(0x31, ...parts)
const identifier = (...bytes: number[]) => element(0x06, Uint8Array.from(bytes))
const utf8 = (text: string) => element(0x0c, new TextEncoder().encode(text))
const commonName = identifier(0x55, 0x04, 0x03)
const alternativeName = identifier(0x55, 0x1d, 0x11)
const extensionRequest = identifier(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e)
const somethingElse = identifier(0x2a, 0x03)
const ed25519 = sequence(identifier(0x2b, 0x65, 0x70))

const name = (value: Bytes) => sequence(set(sequence(commonName, value)))
const withExtension = (kind: Bytes, value: Bytes) =>
  sequence(extensionRequest, set(sequence(sequence(kind, element(0x04, value)))))

/** A request for this subject with these attributes, signed as it should be; DER. */
function request(subject: Bytes, ...attributes: readonly Bytes[]): Bytes {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const spki = Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' }))
  const asked = sequence(element(0x02, Uint8Array.of(0)), subject, spki, element(0xa0, ...attributes))
  const signature = Uint8Array.from(sign(null, asked, privateKey))
  return sequence(asked, ed25519, element(0x03, Uint8Array.of(0), signature))
}

const base64 = (bytes: Bytes) => Buffer.from(bytes).toString('base64')
const outcomeOf = async (bytes: Bytes) => (await checkRequest(base64(bytes))).outcome

/** Sequences in sequences, in the shortest form of BER, which has no length; and in DER. */
const nestedWithoutLength = (depth: number) => Uint8Array.from({ length: depth * 2 }, (_, at) => (at % 2 ? 0x80 : 0x30))
function nested(depth: number): Bytes {
  const bytes = new Uint8Array(depth * 4)
  for (let at = 0; at < depth; at += 1) {
    const rest = (depth - at - 1) * 4
    bytes.set([0x30, 0x82, (rest >> 8) & 0xff, rest & 0xff], at * 4)
  }
  return bytes
}

describe('the size of a request', () => {
  /** A good request of so many bytes, with an attribute that says nothing. */
  function sized(bytes: number): Bytes {
    const padded = (length: number) =>
      request(name(utf8('a')), sequence(somethingElse, set(element(0x04, new Uint8Array(length)))))
    const sample = bytes - 1_000
    const made = padded(sample + bytes - padded(sample).length)
    expect(made).toHaveLength(bytes)
    return made
  }

  it('the size of a request is limited before anything of it is parsed', async () => {
    expect(await outcomeOf(sized(MOST_BYTES))).toBe('good')
    expect(await outcomeOf(sized(MOST_BYTES + 1))).toBe('format')
    expect(await outcomeOf(sized(1_048_576))).toBe('format')
  })

  it.each([
    ['1 MiB of base64', 'A'.repeat(1_048_576)],
    [
      '1 MiB of PEM',
      `-----BEGIN CERTIFICATE REQUEST-----\n${'A'.repeat(1_048_576)}\n-----END CERTIFICATE REQUEST-----`,
    ],
    ['1 MiB of labels', '-----BEGIN CERTIFICATE REQUEST-----\n'.repeat(29_127)],
    ['sequences 10,000 deep', base64(nested(10_000))],
    ['sequences 10,000 deep, without lengths', base64(nestedWithoutLength(10_000))],
    ['sequences 4,000 deep', base64(nested(4_000))],
    ['sequences 8,000 deep, without lengths', base64(nestedWithoutLength(8_000))],
  ])('a request of %s is refused', async (_name, text) => {
    expect((await checkRequest(text)).outcome).toBe('format')
  })
})

describe('a signed request', () => {
  let authority: OpenAuthority
  beforeAll(async () => {
    const made = await newAuthority('test', Date.now())
    authority = await openAuthority(made.root, made.issuing, made.issuingKey)
  })

  const deep = nested(3_000)
  const endless = joined([nestedWithoutLength(3_000), new Uint8Array(6_000)])
  it.each<[string, Bytes]>([
    ['has a subject nested deep', request(name(deep))],
    ['has a subject nested deep without lengths', request(name(endless))],
    ['has a subject that is a number', request(name(element(0x02, Uint8Array.of(5))))],
    ['has a subject of 10,000 characters', request(name(utf8('a'.repeat(10_000))))],
    ['has a subject that is no UTF-8', request(name(element(0x0c, Uint8Array.of(0xff, 0xfe))))],
    ['has an attribute nested deep', request(name(utf8('a')), sequence(somethingElse, set(deep)))],
    ['has extensions that are none', request(name(utf8('a')), sequence(extensionRequest, set(deep)))],
    ['has an extension nested deep', request(name(utf8('a')), withExtension(somethingElse, deep))],
    ['has alternative names nested deep', request(name(utf8('a')), withExtension(alternativeName, deep))],
    [
      'has alternative names nested deep without lengths',
      request(name(utf8('a')), withExtension(alternativeName, endless)),
    ],
  ])('a signed request that %s is refused, or certified as it is', async (_name, bytes) => {
    const checked = await checkRequest(base64(bytes))
    if (checked.outcome !== 'good') {
      expect(['format', 'refused']).toContain(checked.outcome)
      return
    }
    const issued = await issueCertificate(authority, checked.request, 'server', Date.now())
    expect(new TextDecoder().decode(issued.certificate)).toMatch(/^-----BEGIN CERTIFICATE-----/)
  })
})

describe('alternative names', () => {
  const text = (value: string) => new TextEncoder().encode(value)
  const named = (tag: number, value: Bytes) =>
    request(
      name(utf8('a')),
      withExtension(alternativeName, sequence(element(0x82, text('b.example')), element(tag, value))),
    )

  it.each<[string, number, Bytes]>([
    ['an address of three bytes', 0x87, Uint8Array.of(1, 2, 3)],
    ['a host with a NUL', 0x82, text('a.example\0.b.example')],
    ['a host with a space', 0x82, text('a.example b.example')],
    ['a host beyond ASCII', 0x82, Uint8Array.of(0xff, 0xfe)],
    ['a host with a star within', 0x82, text('a.*.example')],
    ['an empty host', 0x82, text('')],
    ['an e-mail address with a line break', 0x81, text('a@b.example\nc')],
    ['a URL with a NUL', 0x86, text('https://a.example\0')],
  ])('alternative names with %s are refused', async (_name, tag, value) => {
    expect(await checkRequest(base64(named(tag, value)))).toEqual({
      outcome: 'refused',
      reason: 'The alternative names of the request cannot be used',
    })
  })

  it.each<[string, number, Bytes, string]>([
    ['a host', 0x82, text('*.a_b.xn--c.example'), '*.a_b.xn--c.example'],
    ['an address', 0x87, Uint8Array.of(192, 0, 2, 1), '192.0.2.1'],
    ['an e-mail address', 0x81, text('a@b.example'), 'a@b.example'],
    ['a URL', 0x86, text('https://b.example/?c#d'), 'https://b.example/?c#d'],
  ])('alternative names with %s are copied into the certificate', async (_name, tag, value, shown) => {
    const checked = await checkRequest(base64(named(tag, value)))
    expect(checked.outcome === 'good' && checked.request.alternativeNames.map(({ value }) => value)).toEqual([
      'b.example',
      shown,
    ])
  })
})

describe('a request made by openssl', () => {
  it.each(['rsa', 'pss', 'p256', 'p384', 'p521', 'ed25519'] as const)(
    'a request made by openssl with %s is accepted',
    async (kind) => {
      expect((await checkRequest(requests[kind])).outcome).toBe('good')
    },
  )
})

describe('an encrypted stored key', () => {
  const subject = [{ CN: ['server.example'] }]
  const certified = (privateKey: string) =>
    requestForStoredKey({ privateKey, passphrase, subject, alternativeNames: [] })

  it.each(['2048', '600000'] as const)('an encrypted stored key with %s iterations is opened', async (iterations) => {
    expect((await checkRequest((await certified(keys[iterations])) ?? '')).outcome).toBe('good')
  })

  it('an encrypted stored key with more than a million iterations is not opened, whatever surrounds it', async () => {
    const costly = keys['1000001']
    for (const pem of [costly, `${keys['2048']}${costly}`, costly.replace('KEY-----\n', 'KEY-----\nProc-Type: 4\n')])
      expect(await certified(pem)).toBeNull()
  })
})
