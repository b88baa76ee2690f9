/** DER (X.690): input that every strict reader accepts, and input that at least one of them rejects. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareBytes,
  derFault,
  isObjectIdentifier,
  objectIdentifierOf,
  readElement,
  readElements,
} from '../../src/crypto/der.ts'

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

describe('DER', () => {
  it.each([
    ['0101ff', '010100'],
    ['020100', '02017f', '02020080', '0201ff', '0202ff7f', '02020100'],
    ['030100', '03020780', '030200ff', '03020001'],
    ['0400', '040101'],
    ['0500'],
    ['0603550403', '06032a864a', '060127'],
    ['0c00', '0c02c3bc', '0c04f09f9880'],
    ['1300', '13024162', '130620272829 2b3f'],
    ['1603614062'],
    ['170d323631323331323335393539 5a', '180f32303530303130313030303030305a'],
    ['3000', '30020500', '3100', '31060201010201 02'],
    ['8001ff', 'a0020500', 'a000'],
    [`0481 80 ${'00'.repeat(128)}`, `0482 0100 ${'00'.repeat(256)}`],
  ])('is this: %s', (...all) => {
    for (const each of all.filter((one) => typeof one === 'string')) expect(derFault(bytes(each)), each).toBeNull()
  })

  const notDer = 'its encoding is not DER'
  it.each([
    ['', notDer],
    ['30', notDer],
    ['3001', notDer],
    ['050000', notDer],
    ['3080 0000', notDer],
    ['0481 01 00', notDer],
    ['0482 0080', notDer],
    [`0482 0080 ${'00'.repeat(128)}`, notDer],
    ['0484 00000001 00', notDer],
    ['04ff', notDer],
    ['1f8101 00', notDer],
    ['3003 0201', notDer],
    ['010101', 'a BOOLEAN in it is not valid'],
    ['0100', 'a BOOLEAN in it is not valid'],
    ['0200', 'an INTEGER in it is not valid'],
    ['0202007f', 'an INTEGER in it is not valid'],
    ['0202ff80', 'an INTEGER in it is not valid'],
    ['0300', 'a BIT STRING in it is not valid'],
    ['030107', 'a BIT STRING in it is not valid'],
    ['03020800', 'a BIT STRING in it is not valid'],
    ['03020781', 'a BIT STRING in it is not valid'],
    ['050100', 'a NULL in it is not valid'],
    ['0600', 'an object identifier in it is not valid'],
    ['06025584', 'an object identifier in it is not valid'],
    ['0603558003', 'an object identifier in it is not valid'],
    ['0606 2a 8180808000', 'an object identifier in it is not valid'],
    [`0640 ${'01'.repeat(64)}`, 'an object identifier in it is not valid'],
    ['0c01ff', 'a UTF8String in it is not valid'],
    ['0c02c080', 'a UTF8String in it is not valid'],
    ['0c03eda080', 'a UTF8String in it is not valid'],
    ['13012a', 'a PrintableString in it is not valid'],
    ['130140', 'a PrintableString in it is not valid'],
    ['1301ff', 'a PrintableString in it is not valid'],
    ['160180', 'an IA5String in it is not valid'],
    ['170b3236313233313233353 95a', 'a UTCTime in it is not valid'],
    ['181332303530303130313030303030302b30303030', 'a GeneralizedTime in it is not valid'],
    ['140161', 'it has an element of a type that is not used, 0x14'],
    ['1e020061', 'it has an element of a type that is not used, 0x1e'],
    ['090100', 'it has an element of a type that is not used, 0x9'],
    ['2c030c0161', 'it has a string in pieces'],
    ['2404040161 00', 'it has a string in pieces'],
    ['2403040161', 'it has a string in pieces'],
    ['3106020102020101', 'a SET in it is not in order'],
    ['300731050c0161 0500', 'a SET in it is not in order'],
    ['a003 0101 01', 'a BOOLEAN in it is not valid'],
    ['a0020102', notDer],
  ])('is not: %s', (hex, fault) => {
    expect(derFault(bytes(hex))).toBe(fault)
  })

  it('is bounded in depth', () => {
    const nested = (depth: number) => {
      let element = bytes('0500')
      for (let level = 0; level < depth; level += 1) element = Uint8Array.from([0x30, element.length, ...element])
      return element
    }
    expect(derFault(nested(20))).toBeNull()
    expect(derFault(nested(40))).toBe(notDer)
  })

  it('is read without an error whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (given) => {
        derFault(given)
        const whole = readElements(given)
        if (whole) expect(Buffer.concat(whole.map((each) => each.bytes)).equals(given)).toBe(true)
        if (readElement(given)) expect(whole).toHaveLength(1)
      }),
      { numRuns: 2_000, seed: 690 },
    )
  })

  it('orders the parts of a SET by their bytes, the shorter of equal beginnings first', () => {
    const ordered = ['', '00', '0000', '0001', '01', 'ff'].map(bytes)
    expect(ordered.toReversed().toSorted(compareBytes)).toEqual(ordered)
  })
})

describe('an object identifier', () => {
  it.each([
    ['2.5.4.3', '550403'],
    ['1.2.840.113549.1.9.1', '2a864886f70d010901'],
    ['2.999.1', '883701'],
    ['2.0', '50'],
    ['1.39', '4f'],
    ['0.0', '00'],
    ['2.39.268435455', '77ffffff7f'],
  ])('%s is %s', (dotted, hex) => {
    expect(isObjectIdentifier(dotted)).toBe(true)
    expect(objectIdentifierOf(bytes(hex))).toBe(dotted)
  })

  it.each([
    '',
    '2',
    '2.',
    '.2',
    '2..5',
    '2.5.',
    '02.5',
    '2.05',
    '3.1',
    '0.40',
    '1.40',
    '999.999.9',
    '2.5.268435456',
    '2.5.1e3',
    '2.5.-1',
    ' 2.5',
    '2.5.4.٣',
    `2.5${'.1'.repeat(70)}`,
  ])('is not %j', (dotted) => {
    expect(isObjectIdentifier(dotted)).toBe(false)
  })
})
