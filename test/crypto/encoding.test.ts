/** Base64, UTF-8 and hexadecimal digits: encoding, decoding, and invalid input. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase64, decodeUtf8, encodeUtf8, toHex } from '../../src/crypto/encoding.ts'

const decoded = (text: string) => {
  const bytes = decodeBase64(text)
  return bytes && decodeUtf8(bytes)
}

describe('base64', () => {
  it.each([
    ['', ''],
    ['Zg==', 'f'],
    ['Zm8=', 'fo'],
    ['Zm9v', 'foo'],
    ['Zm9vYg==', 'foob'],
    ['Zm9vYmE=', 'fooba'],
    ['Zm9vYmFy', 'foobar'],
    [' Zm9v\r\nYmFy\t\f', 'foobar'],
  ])('base64 decoding of %j returns %j, as RFC 4648 section 10 has it', (base64, text) => {
    expect(decoded(base64)).toBe(text)
  })

  it.each(['aGVsbG8', 'a', 'ab', 'abc', 'aGVsb', 'ab=', 'ab=c', 'aGVsbG8é', 'aGVsbG8=é', 'aGVsbG8=😀', 'a===', '='])(
    'base64 decoding refuses what is incomplete or not ASCII: %j',
    (text) => {
      expect(decodeBase64(text)).toBeNull()
    },
  )

  it.each(['_-8=', 'aGVsbG8-_=', '!aGVsbG8=', '****', 'aGVsbG8==', 'aGVsbG8=trailing', 'aGVsbG8=aGVsbG8=', 'Zh=='])(
    'base64 decoding refuses what would be decoded to other bytes than were meant: %j',
    (text) => {
      expect(decodeBase64(text)).toBeNull()
    },
  )

  it('base64 decoding returns the bytes that were encoded, with white space anywhere', () => {
    const space = fc.string({ unit: fc.constantFrom('\n', ' ', '\t', '\r') })
    fc.assert(
      fc.property(fc.uint8Array(), space, (bytes, skipped) => {
        expect(decodeBase64(bytes.toBase64().split('').join(skipped))).toEqual(bytes)
      }),
    )
  })

  it('base64 decoding refuses every base64url text with characters of its own alphabet', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 3 }), (bytes) => {
        const text = bytes.toBase64({ alphabet: 'base64url' })
        expect(decodeBase64(text)).toEqual(/[-_]/.test(text) ? null : bytes)
      }),
    )
  })

  it('base64 decoding returns bytes or null for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bytes = decodeBase64(text)
        expect(bytes === null || bytes.length <= (text.length * 3) / 4).toBe(true)
      }),
    )
  })
})

describe('UTF-8', () => {
  it.each([
    ['é', 'c3a9'],
    ['漢', 'e6bca2'],
    ['😀', 'f09f9880'],
    ['\u0000', '00'],
    ['\ufeffa', 'efbbbf61'],
  ])('UTF-8 of %j is %s', (text, hex) => {
    expect(toHex(encodeUtf8(text))).toBe(hex)
    expect(decodeUtf8(encodeUtf8(text))).toBe(text)
  })

  it.each([
    ['a lone continuation byte', [0x80]],
    ['a cut-off character', [0xe6, 0xbc]],
    ['an overlong form', [0xc0, 0x80]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['0xff', [0xff]],
  ])('UTF-8 decoding refuses %s', (_, bytes) => {
    expect(decodeUtf8(Uint8Array.from(bytes))).toBeNull()
  })

  it('UTF-8 encoding and decoding returns the same text, for all text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeUtf8(encodeUtf8(text))).toBe(text)
      }),
    )
  })

  it('UTF-8 decoding returns null or text that encodes to the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = decodeUtf8(bytes)
        if (text !== null) expect(encodeUtf8(text)).toEqual(bytes)
      }),
    )
  })
})

describe('toHex', () => {
  it('toHex writes two digits for each byte', () => {
    expect(toHex(Uint8Array.of(0, 1, 16, 255))).toBe('000110ff')
    expect(toHex(new Uint8Array())).toBe('')
  })
})
