/** Base64, UTF-8 and hexadecimal digits: encoding, decoding, and invalid input. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8, toHex } from '../../src/crypto/encoding.ts'

const decoded = (text: string) => {
  const bytes = decodeBase64(text)
  return bytes && decodeUtf8(bytes)
}

describe('base64', () => {
  it.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
  ])('base64 of %j is %j, as in RFC 4648 section 10', (text, base64) => {
    expect(encodeBase64(encodeUtf8(text))).toBe(base64)
    expect(decoded(base64)).toBe(text)
  })

  it.each([
    'aGVs\nbG8=',
    'aGVs bG8=',
    'aGVsbG8==',
    '!aGVsbG8=',
    'aGVsbG8=trailing',
    'aGVsbG8=aGVsbG8=',
    'a=G=VsbG8=',
    'aGVsbG8-_=',
  ])('base64 decoding of %j returns hello', (text) => {
    expect(decoded(text)).toBe('hello')
  })

  it.each(['aGVsbG8', 'a', 'ab', 'abc', '_-8=', 'aGVsb', 'ab=', 'ab=c', 'aGVsbG8é', 'aGVsbG8=é', 'aGVsbG8=😀', 'a==='])(
    'base64 decoding refuses %j',
    (text) => {
      expect(decodeBase64(text)).toBeNull()
    },
  )

  it.each(['', '****', '=', '====', ' \n', '_-'])('base64 decoding of %j returns no bytes', (text) => {
    expect(decodeBase64(text)).toEqual(new Uint8Array())
  })

  it('base64 encoding and decoding returns the same bytes, for all bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes)
      }),
    )
  })

  it('base64 encoding and decoding returns the same bytes for more bytes than a call can have arguments', () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251)
    expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes)
  })

  it('base64 decoding skips characters outside the alphabet at any position', () => {
    const noise = fc.string({ unit: fc.constantFrom('\n', ' ', '!', '-', '_', '.', '\u0000') })
    fc.assert(
      fc.property(fc.uint8Array(), noise, (bytes, skipped) => {
        expect(decodeBase64(encodeBase64(bytes).split('').join(skipped))).toEqual(bytes)
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
