/**
 * Content types of payloads: which are stored, which `Accept` headers get a payload, and the failures of the others.
 */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../src/crypto/encoding.ts'
import { Fault } from '../../src/faults.ts'
import {
  acceptsMetadata,
  negotiatePayload,
  normaliseContentType,
  payloadSpellings,
  payloadTypes,
  type PayloadType,
} from '../../src/wire/payload.ts'

const text = encodeUtf8('hello')
const binary = Uint8Array.of(0x80, 0x80)
const storedTypes = Object.keys(payloadTypes) as PayloadType[]

/** The type, or the failure's name and details. */
function negotiate(accept: string | undefined, bytes: Uint8Array, stored: PayloadType): string {
  try {
    return negotiatePayload(accept, { bytes, stored })
  } catch (error) {
    if (error instanceof Fault) return [error.status, error.failure, ...error.details].join(' ')
    throw error
  }
}

describe('normaliseContentType', () => {
  it.each([
    ['text/plain', 'text/plain'],
    ['TEXT/PLAIN', 'text/plain'],
    [' text/plain ', 'text/plain'],
    ['text/plain;charset=utf-8', 'text/plain'],
    ['text/plain; charset=utf-8', 'text/plain'],
    ['text/plain; charset=UTF-8', 'text/plain'],
    ['text/plain ;charset = utf-8', 'text/plain'],
    ['text/plain;foo=utf-8', 'text/plain'],
    ['text/plain;=utf-8', 'text/plain'],
    ['text/plain; charset=utf-8; x=y', 'text/plain'],
    ['text/plain;charset=utf-8;', 'text/plain'],
    ['application/octet-stream', 'application/octet-stream'],
    ['Application/Octet-Stream', 'application/octet-stream'],
    ['application/octet-stream;charset=utf-8', 'application/octet-stream'],
    ['application/pkcs8', 'application/pkcs8'],
    ['APPLICATION/PKCS8', 'application/pkcs8'],
    ['application/pkcs8;charset=utf-8', 'application/pkcs8'],
  ])('normaliseContentType stores %j as %s', (given, kept) => {
    expect(normaliseContentType(given)).toBe(kept)
  })

  it.each(
    [
      ['text/plain;charset=us-ascii', 'text/plain;charset=iso-8859-1', 'text/plain;charset=utf-16'],
      ['text/plain;charset="utf-8"', 'text/plain;charset=', 'text/plain;charset', 'text/plain;', 'text/plain;foo=bar'],
      ['text/html', 'application/json', 'application/aes', 'application/pkix-cert', 'text/*', '*/*', '', ';', 'text'],
      ['text/plain;;charset=utf-8', 'text/plain,text/plain', 'constructor', '__proto__'],
    ].flat(),
  )('normaliseContentType refuses %j', (given) => {
    expect(normaliseContentType(given)).toBeNull()
  })

  it('normaliseContentType is idempotent, and ignores case and outer white space', () => {
    const givens = fc.oneof(fc.constantFrom(...payloadSpellings, 'text/html', 'text/plain;charset=latin1'), fc.string())
    fc.assert(
      fc.property(givens, fc.boolean(), (given, upper) => {
        const kept = normaliseContentType(given)
        if (kept !== null) expect(normaliseContentType(kept)).toBe(kept)
        if (/^[\x20-\x7e]*$/.test(given)) {
          expect(normaliseContentType(` ${upper ? given.toUpperCase() : given.toLowerCase()} `)).toBe(kept)
        }
      }),
    )
  })
})

describe('payloadSpellings', () => {
  it('payloadSpellings are those that a refusal lists, in this order', () => {
    expect(payloadSpellings).toEqual(
      [
        ['text/plain', 'text/plain;charset=utf-8', 'text/plain; charset=utf-8'],
        ['application/octet-stream', 'application/pkcs8'],
      ].flat(),
    )
  })

  it.each(storedTypes)('payloadSpellings of %s begin with the stored form', (type) => {
    expect(payloadTypes[type].spellings.map((spelling) => normaliseContentType(spelling))).toContain(type)
    expect(payloadTypes[type].spellings[0]).toBe(type)
  })
})

describe('acceptsMetadata', () => {
  it.each([undefined, '', 'application/json', '*/*'])('acceptsMetadata is true for %j', (accept) => {
    expect(acceptsMetadata(accept)).toBe(true)
  })

  it.each(['Application/JSON', 'application/json; charset=utf-8', 'application/json, */*', '*/*;q=0.5', 'text/plain'])(
    'acceptsMetadata is false for %j',
    (accept) => {
      expect(acceptsMetadata(accept)).toBe(false)
    },
  )
})

const wrong = '406 payloadAccept'
const unknown = '406 notAcceptable'
const unsupported = (accept: string) => `400 payloadType ${accept}`

/** `Accept`; the outcome for bytes that are UTF-8; the outcome for others. The same for every stored type. */
const sameForAll: readonly [string | undefined, string, string][] = [
  [undefined, 'application/octet-stream', 'application/octet-stream'],
  ['', 'application/octet-stream', 'application/octet-stream'],
  ['text/plain', 'text/plain; charset=UTF-8', wrong],
  ['text/plain;charset=utf-8', 'text/plain;charset=utf-8', wrong],
  ['text/plain; charset=utf-8', 'text/plain; charset=utf-8', wrong],
  ['application/octet-stream', 'application/octet-stream', 'application/octet-stream'],
  ['application/pkcs8', 'application/pkcs8', 'application/pkcs8'],
]

const spelledOtherwise = [
  ['text/plain; charset=UTF-8', 'TEXT/PLAIN', 'Application/Octet-Stream', 'application/octet-stream;charset=utf-8'],
  ['text/plain ;charset = utf-8', 'text/plain;foo=utf-8', 'text/plain;charset=utf-8; q=0.1', 'APPLICATION/PKCS8'],
].flat()

const wrongTypes = [
  ['application/json', 'text/plain;charset=iso-8859-1', 'text/plain;q=0.9', 'text/*', 'application/*', '*/*;q=0.5'],
  ['text/html', 'application/xml', 'image/png', 'application/pkix-cert', 'foo', 'text/plain, */*', 'text/plain,'],
  ['application/octet-stream, application/json', 'application/json, */*', 'foo/bar, text/plain', 'text/plain;q=0'],
].flat()

const unknownTypes = ['foo/bar', 'application/aes', 'application/vnd.foo', 'TEXT/PLAIN;charset=utf-8', '*/*;q=0', ',']

describe.each(storedTypes)('negotiatePayload of %s', (stored) => {
  it.each(sameForAll)(
    `negotiatePayload of ${stored} gives %j that type, if the bytes can have it`,
    (accept, ofText, ofBinary) => {
      expect(negotiate(accept, text, stored)).toBe(ofText)
      expect(negotiate(accept, binary, stored)).toBe(ofBinary)
    },
  )

  it.each(spelledOtherwise)(
    `negotiatePayload of ${stored} refuses %j as a supported type in an unsupported spelling`,
    (accept) => {
      expect(negotiate(accept, text, stored)).toBe(unsupported(accept))
      expect(negotiate(accept, binary, stored)).toBe(unsupported(accept))
    },
  )

  it.each(wrongTypes)(`negotiatePayload of ${stored} refuses %j as a wrong type`, (accept) => {
    expect(negotiate(accept, text, stored)).toBe(wrong)
    expect(negotiate(accept, binary, stored)).toBe(wrong)
  })

  it.each(unknownTypes)(`negotiatePayload of ${stored} refuses %j as an unknown type`, (accept) => {
    expect(negotiate(accept, text, stored)).toBe(unknown)
    expect(negotiate(accept, binary, stored)).toBe(unknown)
  })
})

describe('negotiatePayload for the full wildcard', () => {
  it.each([
    ['text/plain', text, 'text/plain; charset=UTF-8'],
    ['text/plain', binary, wrong],
    ['application/octet-stream', text, 'application/octet-stream'],
    ['application/octet-stream', binary, 'application/octet-stream'],
    ['application/pkcs8', binary, 'application/pkcs8'],
  ] as const)('negotiatePayload answers the full wildcard for the stored type %s', (stored, bytes, answer) => {
    expect(negotiate('*/*', bytes, stored)).toBe(answer)
  })
})

describe('negotiatePayload for any header', () => {
  it('negotiatePayload answers any header with a stored type or one of three failures', () => {
    const accepts = fc.oneof(fc.string(), fc.constantFrom(...payloadSpellings, ...wrongTypes, ...spelledOtherwise))
    fc.assert(
      fc.property(accepts, fc.uint8Array(), fc.constantFrom(...storedTypes), (accept, bytes, stored) => {
        const answer = negotiate(accept, bytes, stored)
        expect(
          /^(?:406 payloadAccept|406 notAcceptable|400 payloadType )/.test(answer) || normaliseContentType(answer),
        ).toBeTruthy()
      }),
    )
  })
})
