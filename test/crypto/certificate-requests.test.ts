/** Requests with a valid signature and malformed content, built byte by byte, and requests that are too large. */
import { beforeAll, describe, expect, it } from 'vitest'
import {
  issueCertificate,
  newAuthority,
  openAuthority,
  type OpenAuthority,
} from '../../src/crypto/certificate-authority.ts'
import { checkRequest } from '../../src/crypto/certificate-requests.ts'
import {
  alternativeName,
  base64,
  characters,
  commonName,
  element,
  extensionRequest,
  identifier,
  joined,
  name,
  printable,
  request,
  sequence,
  set,
  utf8,
  withExtension,
  type Bytes,
} from '../support/signed-requests.ts'
import { requests } from '../vectors/certificate-requests.json'

/** The limit in the file under test: 16 KiB. */
const MOST_BYTES = 16_384

const somethingElse = identifier(0x2a, 0x03)

const outcomeOf = async (bytes: Bytes) => (await checkRequest(base64(bytes))).outcome

/** Nested sequences in BER's indefinite-length form, which is the shortest; {@link nested} builds them in DER. */
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
  /** A valid request of this size, padded with an attribute that has no meaning. */
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
    expect('certificate' in issued && new TextDecoder().decode(issued.certificate)).toMatch(
      /^-----BEGIN CERTIFICATE-----/,
    )
  })
})

describe('alternative names', () => {
  const text = characters
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
    ['a host with an underscore', 0x82, text('a_b.example')],
    ['a host of hyphens', 0x82, text('-.-')],
    ['a label of 64 characters', 0x82, text(`${'a'.repeat(64)}.example`)],
    ['a host of 254 characters', 0x82, text(`${'a.'.repeat(126)}ab`)],
    ['a star alone', 0x82, text('*')],
    ['a star in a label', 0x82, text('a*.example')],
    ['an address as a host', 0x82, text('192.0.2.1')],
    ['an address with a mask', 0x87, Uint8Array.of(192, 0, 2, 1, 255, 255, 255, 0)],
    ['a display name', 0x81, text('"CEO"<ceo@bank.example>')],
    ['two e-mail addresses', 0x81, text('a@b.example,c@d.example')],
    ['an e-mail address without a domain', 0x81, text('a@')],
    ['a relative URL', 0x86, text('/path')],
    ['a URL without a host', 0x86, text('https://')],
    ['a URL with another host before @', 0x86, text('https://bank.example@c.example/')],
    ['a URL with a broken escape', 0x86, text('https://a.example/%zz')],
    ['an e-mail address with a line break', 0x81, text('a@b.example\nc')],
    ['a URL with a NUL', 0x86, text('https://a.example\0')],
  ])('alternative names with %s are refused', async (_name, tag, value) => {
    expect(await checkRequest(base64(named(tag, value)))).toEqual({
      outcome: 'refused',
      reason: 'The alternative names of the request cannot be used',
    })
  })

  it.each<[string, number, Bytes, string]>([
    ['a host', 0x82, text('*.a-b.xn--c.example'), '*.a-b.xn--c.example'],
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

describe('a subject', () => {
  const country = identifier(0x55, 0x04, 0x06)
  const mail = identifier(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01)
  const reason = async (subject: Bytes) => {
    const checked = await checkRequest(base64(request(subject)))
    return checked.outcome === 'refused' ? checked.reason : checked.outcome
  }
  const two = (one: Bytes, other: Bytes) => sequence(set(one, other))

  it.each<[string, Bytes, string]>([
    ['a NUL', name(utf8('bank.example\0.evil.example')), 'CN has control characters'],
    ['a line break', name(utf8('a\nb')), 'CN has control characters'],
    ['a mark that turns direction', name(utf8('a\u202eb')), 'CN has control characters'],
    ['900 characters', name(utf8('a'.repeat(900))), 'CN has more than 64 characters'],
    ['65 characters', name(utf8('ü'.repeat(65))), 'CN has more than 64 characters'],
    ['no characters', name(utf8('')), 'CN has no value'],
    ['a country of three letters', name(printable('USA'), country), 'C has more than 2 characters'],
    ['a country of one letter', name(printable('U'), country), 'C is not two letters'],
    ['a country in UTF-8', name(utf8('US'), country), 'C is not of the right type of string'],
    ['a PrintableString with a star', name(printable('*.a.example')), 'CN has characters that it may not have'],
    [
      'an IA5String beyond ASCII',
      name(element(0x16, characters('ü@a.example')), mail),
      'a value is not a UTF8String, PrintableString or IA5String',
    ],
    [
      'a TeletexString',
      name(element(0x14, characters('a'))),
      'a value is not a UTF8String, PrintableString or IA5String',
    ],
    [
      'a BMPString',
      name(element(0x1e, characters('\0a'))),
      'a value is not a UTF8String, PrintableString or IA5String',
    ],
    [
      'an OCTET STRING',
      name(element(0x04, characters('a'))),
      'a value is not a UTF8String, PrintableString or IA5String',
    ],
    [
      'bytes that are no UTF-8',
      name(element(0x0c, Uint8Array.of(0xff))),
      'a value is not a UTF8String, PrintableString or IA5String',
    ],
    ['an identifier with padding', name(utf8('a'), identifier(0x55, 0x80, 0x04, 0x03)), 'an attribute is not valid'],
    ['an identifier without bytes', name(utf8('a'), identifier()), 'an attribute is not valid'],
    [
      'an attribute of three parts',
      sequence(set(sequence(commonName, utf8('a'), utf8('b')))),
      'an attribute is not valid',
    ],
    ['an empty part', sequence(set()), 'a part of it is empty or no SET'],
    [
      'a SET out of order',
      two(sequence(country, printable('US')), sequence(commonName, utf8('a'))),
      'a SET in it is not in order',
    ],
    [
      'one attribute twice in a part',
      two(sequence(commonName, utf8('a')), sequence(commonName, utf8('b'))),
      'an attribute stands twice in one part of the name',
    ],
  ])('is refused for %s', async (_name, subject, expected) => {
    expect(await reason(subject)).toBe(`The subject of the request cannot be used: ${expected}`)
  })

  it.each<[string, Bytes]>([
    ['an identifier that is cut off', name(utf8('a'), identifier(0x55, 0x84))],
    ['a part that is no SET', sequence(sequence(sequence(commonName, utf8('a'))))],
    ['a Name that is a SET', set(set(sequence(commonName, utf8('a'))))],
  ])('is no request at all with %s', async (_name, subject) => {
    expect(await reason(subject)).toBe('format')
  })

  it('is refused for a length that is longer than it must be', async () => {
    const long = joined([Uint8Array.of(0x30, 0x81, 12), name(utf8('a')).subarray(2)])
    expect(await reason(long)).toBe('The request is not in DER')
  })
})

describe('a request of openssl’s', () => {
  it.each(['rsa', 'pss', 'p256', 'p384', 'p521', 'ed25519'] as const)('with %s is good', async (kind) => {
    expect((await checkRequest(requests[kind])).outcome).toBe('good')
  })
})
