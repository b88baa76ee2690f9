/**
 * Hundreds of subjects that attackers or careless users could send, each with its expected meaning. They are encoded
 * from known values by an implementation of RFC 4514 that is independent of the parser under test. The list is
 * deterministic, so that failures are reproducible.
 */

export interface WrittenValue {
  /** The object identifier of the attribute. */
  readonly type: string
  readonly text: string
}

export interface HostileSubject {
  readonly written: string
  /** The parts, the most general first; the attributes in a part have no order. */
  readonly parts: readonly (readonly WrittenValue[])[]
}

const types: readonly (readonly [name: string, type: string])[] = [
  ['CN', '2.5.4.3'],
  ['O', '2.5.4.10'],
  ['ou', '2.5.4.11'],
  ['C', '2.5.4.6'],
  ['emailAddress', '1.2.840.113549.1.9.1'],
  ['DC', '0.9.2342.19200300.100.1.25'],
  ['SERIALNUMBER', '2.5.4.5'],
  ['UID', '0.9.2342.19200300.100.1.1'],
  ['OID.2.5.4.7', '2.5.4.7'],
  ['1.3.6.1.4.1.99999.7', '1.3.6.1.4.1.99999.7'],
  ['2.999.268435455', '2.999.268435455'],
]

const values: readonly string[] = [
  'a.example',
  'Example, Inc.',
  'The "Example" Co',
  'a\\b',
  '\\',
  '\\\\',
  '\\,CN=b',
  '"',
  '""',
  '"a',
  '#0c0161',
  '#',
  '##',
  'a#',
  ' a ',
  ' ',
  '  ',
  ' #a',
  '=',
  'CN=b',
  'a,CN=b.example',
  'a+CN=b.example',
  'a;CN=b',
  '<script>alert(1)</script>',
  '/CN=b',
  'a/CN=b.example',
  '\\0a',
  '\\0d\\0a',
  '\\0g',
  '\\x00',
  '%00',
  '&amp;',
  'Lučić',
  'ü',
  'Ω'.repeat(64),
  'é',
  '日本語',
  '😀',
  '😀'.repeat(64),
  'a'.repeat(64),
  'a'.repeat(65),
  'a'.repeat(128),
  '*',
  '*.a.example',
  '192.0.2.1',
  '999.999.9',
  'US',
  'USA',
  'us',
  'a@b.example',
  'ü@b.example',
  '"CEO"<ceo@bank.example>',
  '-.-',
  '-a',
  'a_b',
  'a\0b',
  'a\nb',
  '\r',
  '\t',
  '\u007f',
  '\u0085',
  '\u200e',
  '\u202eelpmaxe',
  '\u2028',
  '\ufeffa',
  '\uffff',
  '\ue000',
  "it's",
  "' or 1=1 --",
  '${a}',
  '{{a}}',
  '__proto__',
]

/** Equivalent encodings of a value. */
const writers: readonly ((text: string) => string)[] = [
  // RFC 4514 section 2.4: escapes only what must be escaped.
  (text) => {
    const characters = Array.from(text)
    const isEscaped = (character: string, at: number) =>
      '\\"+,;<>'.includes(character) ||
      (character === '#' && at === 0) ||
      (character === ' ' && (at === 0 || at === characters.length - 1))
    const written = characters.map((each, at) => (isEscaped(each, at) ? `\\${each}` : each))
    return written.join('').replaceAll('\0', '\\00')
  },
  // All bytes as hexadecimal escapes.
  (text) => Array.from(new TextEncoder().encode(text), (byte) => `\\${byte.toString(16).padStart(2, '0')}`).join(''),
  // The DER of a UTF8String after `#`.
  (text) => {
    const bytes = Buffer.from(text)
    const length = bytes.length < 0x80 ? [bytes.length] : [0x82, bytes.length >> 8, bytes.length & 0xff]
    const minimal = bytes.length >= 0x80 && bytes.length < 0x100 ? [0x81, bytes.length] : length
    return `#${Buffer.from([0x0c, ...minimal, ...bytes]).toString('hex')}`
  },
]

function* generated(): Generator<HostileSubject> {
  for (const [at, text] of values.entries()) {
    for (const [turn, write] of writers.entries()) {
      const [name, type] = types[(at * 3 + turn * 4) % types.length] ?? ['CN', '2.5.4.3']
      // The common name, which is the most used attribute, and each of the other attributes in turn.
      yield { written: `CN=${write(text)}`, parts: [[{ type: '2.5.4.3', text }]] }
      yield {
        written: `${name}=${write(text)},O=b`,
        parts: [[{ type: '2.5.4.10', text: 'b' }], [{ type, text }]],
      }
      yield {
        written: `L=${write(text)}+OU=${write(text)} , C = US`,
        parts: [
          [{ type: '2.5.4.6', text: 'US' }],
          [
            { type: '2.5.4.7', text },
            { type: '2.5.4.11', text },
          ],
        ],
      }
    }
  }
}

export const hostileSubjects: readonly HostileSubject[] = [...generated()]
