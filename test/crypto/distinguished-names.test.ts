/** Names of RFC 4514: the examples of its section 4, names as users write them, and invalid names. */
import { describe, expect, it } from 'vitest'
import { parseName, readSubject, type WrittenAttribute } from '../../src/crypto/distinguished-names.ts'

/** Converts the parts of a name to lists of types and texts (or hexadecimal digits of DER), for comparison. */
const shown = (attributes: readonly WrittenAttribute[]) =>
  attributes.map(({ type, value }) => [type, 'text' in value ? value.text : Buffer.from(value.der).toString('hex')])
const parsed = (text: string) => parseName(text)?.map(shown) ?? null

describe('a name of RFC 4514', () => {
  it.each<[string, [string, string][][]]>([
    ['UID=jsmith,DC=example,DC=net', [[['UID', 'jsmith']], [['DC', 'example']], [['DC', 'net']]]],
    [
      'OU=Sales+CN=J.  Smith,DC=example,DC=net',
      [
        [
          ['OU', 'Sales'],
          ['CN', 'J.  Smith'],
        ],
        [['DC', 'example']],
        [['DC', 'net']],
      ],
    ],
    [
      'CN=James \\"Jim\\" Smith\\, III,DC=example,DC=net',
      [[['CN', 'James "Jim" Smith, III']], [['DC', 'example']], [['DC', 'net']]],
    ],
    ['CN=Before\\0dAfter,DC=example,DC=net', [[['CN', 'Before\rAfter']], [['DC', 'example']], [['DC', 'net']]]],
    ['1.3.6.1.4.1.1466.0=#04024869', [[['1.3.6.1.4.1.1466.0', '04024869']]]],
    ['CN=Lu\\C4\\8Di\\C4\\87', [[['CN', 'Lučić']]]],
  ])('is read as section 4 says: %s', (text, expected) => {
    expect(parsed(text)).toEqual(expected)
  })

  it.each<[string, [string, string][][]]>([
    ['CN=Lu\\C4\\8Di\\C4\\87,O=x', [[['CN', 'Lučić']], [['O', 'x']]]],
    ['CN=Lu\\c4\\8di\\c4\\87', [[['CN', 'Lučić']]]],
    ['CN=Lučić', [[['CN', 'Lučić']]]],
    ['CN=\\F0\\9F\\98\\80😀', [[['CN', '😀😀']]]],
    ['O=Example\\2C Inc.,CN=a.example', [[['O', 'Example, Inc.']], [['CN', 'a.example']]]],
    ['O=Foo\\,,CN=a', [[['O', 'Foo,']], [['CN', 'a']]]],
    ['CN=h,O=The \\"Example\\" Co', [[['CN', 'h']], [['O', 'The "Example" Co']]]],
    ['CN=a\\\\b', [[['CN', 'a\\b']]]],
    ['CN=a\\5cb', [[['CN', 'a\\b']]]],
    ['CN=a\\\\', [[['CN', 'a\\']]]],
    ['CN=a\\\\,O=b', [[['CN', 'a\\']], [['O', 'b']]]],
    ['CN=\\#0c0161', [[['CN', '#0c0161']]]],
    ['CN=a#b', [[['CN', 'a#b']]]],
    ['CN=#0c0161', [[['CN', '0c0161']]]],
    ['CN=#0C0161 , O=b', [[['CN', '0c0161']], [['O', 'b']]]],
    ['cn=\\ a\\ ,o=x', [[['cn', ' a ']], [['o', 'x']]]],
    ['cn=\\20a\\20,o=x', [[['cn', ' a ']], [['o', 'x']]]],
    ['cn=\\  a  \\ ,o=x', [[['cn', '  a   ']], [['o', 'x']]]],
    ['cn=\\ ', [[['cn', ' ']]]],
    [
      'CN=a.example+OU=x,O=y',
      [
        [
          ['CN', 'a.example'],
          ['OU', 'x'],
        ],
        [['O', 'y']],
      ],
    ],
    [
      'CN=a \\+ b + OU=x',
      [
        [
          ['CN', 'a + b'],
          ['OU', 'x'],
        ],
      ],
    ],
    ['CN=a=b', [[['CN', 'a=b']]]],
    ['CN=a\\=b', [[['CN', 'a=b']]]],
    ['CN=a\\;b\\<c\\>d', [[['CN', 'a;b<c>d']]]],
    [' cn = a b , o = c ', [[['cn', 'a b']], [['o', 'c']]]],
    ['OID.2.5.4.3=a,2.5.4.10=b', [[['OID.2.5.4.3', 'a']], [['2.5.4.10', 'b']]]],
    ["CN=O'Brien (x): a/b?c*d&e@f_g%h", [[['CN', "O'Brien (x): a/b?c*d&e@f_g%h"]]]],
  ])('is read as it is written: %s', (text, expected) => {
    expect(parsed(text)).toEqual(expected)
  })

  it.each([
    '',
    ' ',
    'foo',
    '=a',
    'cn=',
    'cn= ',
    'cn=,o=b',
    'cn=a,',
    ',cn=a',
    'cn=a,,o=b',
    'cn=a+',
    'cn=a++o=b',
    '+cn=a',
    ';',
    'cn=a;o=b',
    'cn="a"',
    'o="Example, Inc."',
    'cn=a"b',
    'cn=a<b',
    'cn=a>b',
    'cn=a\0b',
    'cn=a\\',
    'cn=a\\b',
    'cn=a\\zz',
    'cn=a\\c',
    'cn=\\C4',
    'cn=\\C4x\\8D',
    'cn=\\FF',
    'cn=\\C0\\80',
    'cn=\\ED\\A0\\80',
    'cn=\ud800',
    'cn=#',
    'cn=#0',
    'cn=#0c016',
    'cn=#0c0161x',
    'cn=#xx',
    'cn=##0c0161',
    '1.=a',
    '.1=a',
    '1..2=a',
    '5=a',
    'oid.=a',
    'c n=a',
    'cn;lang-en=a',
    'c_n=a',
    'ü=a',
    '2cn=a',
  ])('is none: %j', (text) => {
    expect(parseName(text)).toBeNull()
    expect(readSubject(text)).toEqual({ outcome: 'syntax' })
  })

  it('has at most 1,000 characters, and none takes long to refuse', () => {
    const long = (length: number) => `cn=${'a'.repeat(length - 3)}`
    expect(parseName(long(1_000))).not.toBeNull()
    expect(parseName(long(1_001))).toBeNull()
    for (const text of [
      ' '.repeat(1_000),
      'cn=a'.padEnd(1_000, ' '),
      'a'.repeat(1_000),
      '1.'.repeat(500),
      'cn=\\'.repeat(250),
    ])
      parseName(text)
  })
})

describe('a subject', () => {
  const good = (text: string) => {
    const read = readSubject(text)
    return read.outcome === 'good'
      ? read.names.map((each) => each.map(({ type, stringType, text }) => [type, stringType, text]))
      : read
  }

  it.each([
    ['CN', '2.5.4.3'],
    ['commonName', '2.5.4.3'],
    ['SN', '2.5.4.4'],
    ['surname', '2.5.4.4'],
    ['L', '2.5.4.7'],
    ['ST', '2.5.4.8'],
    ['S', '2.5.4.8'],
    ['street', '2.5.4.9'],
    ['STREET', '2.5.4.9'],
    ['O', '2.5.4.10'],
    ['OU', '2.5.4.11'],
    ['title', '2.5.4.12'],
    ['postalCode', '2.5.4.17'],
    ['GN', '2.5.4.42'],
    ['givenName', '2.5.4.42'],
    ['UID', '0.9.2342.19200300.100.1.1'],
    ['SERIALNUMBER', '2.5.4.5'],
    ['serialNumber', '2.5.4.5'],
    ['2.5.4.3', '2.5.4.3'],
    ['OID.2.5.4.3', '2.5.4.3'],
    ['oid.2.5.4.97', '2.5.4.97'],
    ['1.3.6.1.4.1.99999.1', '1.3.6.1.4.1.99999.1'],
    ['2.999.1', '2.999.1'],
    ['2.39.268435455', '2.39.268435455'],
    ['0.39', '0.39'],
  ])('has the attribute %s', (name, type) => {
    expect(good(`${name}=12 abc`)).toEqual([[[type, 'printableString', '12 abc']]])
  })

  it.each(['E', 'email', 'emailAddress', 'EMAILADDRESS'])('has an e-mail address as %s', (name) => {
    expect(good(`${name}=a@b.example`)).toEqual([[['1.2.840.113549.1.9.1', 'ia5String', 'a@b.example']]])
  })

  it('has its parts in the order of a certificate, and the types of string of RFC 5280', () => {
    expect(good('cn=ü+ou=*,dc=a,C=us')).toEqual([
      [['2.5.4.6', 'printableString', 'us']],
      [['0.9.2342.19200300.100.1.25', 'ia5String', 'a']],
      [
        ['2.5.4.3', 'utf8String', 'ü'],
        ['2.5.4.11', 'utf8String', '*'],
      ],
    ])
    expect(good('cn=#0c0161,2.5.4.10=#130162,1.2.3=#160163')).toEqual([
      [['1.2.3', 'ia5String', 'c']],
      [['2.5.4.10', 'printableString', 'b']],
      [['2.5.4.3', 'utf8String', 'a']],
    ])
  })

  const bounds: [string, number][] = [
    ['CN', 64],
    ['O', 64],
    ['OU', 64],
    ['title', 64],
    ['serialNumber', 64],
    ['L', 128],
    ['ST', 128],
    ['street', 128],
    ['postalCode', 40],
    ['UID', 256],
    ['1.2.3', 255],
  ]
  it.each(bounds)('has at most the bound of %s, %i characters', (name, most) => {
    expect(readSubject(`${name}=${'a'.repeat(most)}`).outcome).toBe('good')
    expect(readSubject(`${name}=${'a'.repeat(most + 1)}`)).toEqual({
      outcome: 'refused',
      reason: `${name} has more than ${most} characters`,
    })
  })

  it('counts characters and not bytes', () => {
    expect(readSubject(`cn=${'😀'.repeat(64)}`).outcome).toBe('good')
    expect(readSubject(`cn=${'😀'.repeat(65)}`).outcome).toBe('refused')
  })

  const NO_STRING = 'a value after # is not the DER of a string that subjects have'
  it.each([
    ['foo=bar', 'the attribute foo is not known'],
    ['cn=a,foo=bar', 'the attribute foo is not known'],
    ['constructor=a', 'the attribute constructor is not known'],
    ['__proto__=a', 'syntax'],
    [`${'x'.repeat(900)}=a`, `the attribute ${'x'.repeat(40)} is not known`],
    ['999.999.9=a', '999.999.9 is not a valid object identifier'],
    ['OID.999.999.9=a', 'OID.999.999.9 is not a valid object identifier'],
    ['3.1=a', '3.1 is not a valid object identifier'],
    ['0.40=a', '0.40 is not a valid object identifier'],
    ['1.40.1=a', '1.40.1 is not a valid object identifier'],
    ['2.05.4.3=a', '2.05.4.3 is not a valid object identifier'],
    ['2.5.4.268435456=a', '2.5.4.268435456 is not a valid object identifier'],
    [`1.2${'.1'.repeat(63)}=a`, `${`1.2${'.1'.repeat(63)}`.slice(0, 40)} is not a valid object identifier`],
    ['C=USA', 'C has more than 2 characters'],
    ['C=U', 'C is not two letters'],
    ['C=U1', 'C is not two letters'],
    ['C=Üx', 'C has characters that it may not have'],
    ['C=#0c025553', 'C is not of the right type of string'],
    ['serialNumber=a*', 'serialNumber has characters that it may not have'],
    ['cn=a\\00b', 'CN has control characters'],
    ['cn=a\\0ab', 'CN has control characters'],
    ['cn=a\nb', 'CN has control characters'],
    ['cn=Before\\0dAfter', 'CN has control characters'],
    ['cn=a\\7f', 'CN has control characters'],
    ['cn=a\\C2\\85', 'CN has control characters'],
    ['cn=a\u2028b', 'CN has control characters'],
    ['cn=a\u202eb', 'CN has control characters'],
    ['cn=\ufeffa', 'CN has control characters'],
    ['cn=\uffff', 'CN has control characters'],
    ['1.2.3=a\\00', '1.2.3 has control characters'],
    ['emailAddress=ü@example.test', 'emailAddress has characters that it may not have'],
    ['E="', 'syntax'],
    ['E=\\"CEO\\"\\<ceo@bank.example\\>', 'emailAddress is not an e-mail address'],
    ['E=a', 'emailAddress is not an e-mail address'],
    [`E=${'a'.repeat(250)}@b.example`, 'emailAddress has more than 255 characters'],
    ['DC=exämple', 'DC has characters that it may not have'],
    ['DC=-a', 'DC is not one label of a domain name'],
    ['DC=a.example', 'DC is not one label of a domain name'],
    [`DC=${'a'.repeat(64)}`, 'DC has more than 63 characters'],
    ['cn=a+cn=b', 'an attribute stands twice in one part of the name'],
    ['cn=a+2.5.4.3=b', 'an attribute stands twice in one part of the name'],
    ['1.3.6.1.4.1.1466.0=#04024869', NO_STRING],
    ['cn=#04024869', NO_STRING],
    ['cn=#0c0261', NO_STRING],
    ['cn=#0c01ff', NO_STRING],
    ['cn=#1601ff', NO_STRING],
    ['cn=#0c810161', NO_STRING],
    ['cn=#0c016100', NO_STRING],
    ['cn=#0c00', 'CN has no value'],
    ['cn=#130a', NO_STRING],
    ['cn=#13012a', 'CN has characters that it may not have'],
    ['cn=#160161', 'CN is not of the right type of string'],
    ['cn=#1e020061', NO_STRING],
    ['cn=#140161', NO_STRING],
    ['cn=#3003020101', NO_STRING],
  ])('is refused with the reason: %j', (text, reason) => {
    const read = readSubject(text)
    expect(read.outcome === 'refused' ? read.reason : read.outcome).toBe(reason)
  })
})
