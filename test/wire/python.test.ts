/** Behaviour that `wire` copies from Python: stripping of text, code points, integers and the notation of values. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codePoints, parseInteger, pythonNotation, stripText, stripValues } from '../../src/wire/http/python.ts'

const DEPTH = 100_000
const whiteSpace = [
  ['\t', '\n', '\v', '\f', '\r', ' ', '\u0085', '\u00a0', '\u1680', '\u2028', '\u2029', '\u202f', '\u205f', '\u3000'],
  ['\u001c', '\u001d', '\u001e', '\u001f', '\u2000', '\u2001', '\u2002', '\u2003', '\u2004', '\u2005', '\u2006'],
  ['\u2007', '\u2008', '\u2009', '\u200a'],
].flat()
const notWhiteSpace = ['\ufeff', '\u180e', '\u200b', '\u2060', '\u0000', '\u001b', 'a', '_']

describe('stripText', () => {
  it.each(whiteSpace)('stripText removes %j from both ends and keeps it inside', (space) => {
    expect(stripText(`${space}${space}a${space}b${space}`)).toBe(`a${space}b`)
  })

  it.each(notWhiteSpace)('stripText keeps %j everywhere', (character) => {
    expect(stripText(` ${character}x${character} `)).toBe(`${character}x${character}`)
  })

  it.each(['', ' ', ' \n\u00a0 '])('stripText makes %j empty', (text) => {
    expect(stripText(text)).toBe('')
  })

  it('stripText is idempotent', () => {
    const texts = fc.string({ unit: fc.constantFrom(...whiteSpace, ...notWhiteSpace, '😀') })
    fc.assert(
      fc.property(texts, (text) => {
        expect(stripText(stripText(text))).toBe(stripText(text))
        expect(text).toContain(stripText(text))
      }),
    )
  })
})

describe('stripValues', () => {
  it('stripValues strips the values at every depth, and nothing else', () => {
    const document = { ' key ': ' a ', list: [' b', ['c ', 1, null, true, { ' d ': '\ne\n' }]], empty: '  ' }
    expect(stripValues(document)).toEqual({
      ' key ': 'a',
      list: ['b', ['c', 1, null, true, { ' d ': 'e' }]],
      empty: '',
    })
  })

  it.each([[' a '], [1], [null], [true]])(
    'stripValues leaves %j, a document that is no container, as it is',
    (document) => {
      expect(stripValues(document)).toBe(document)
    },
  )

  it('stripValues treats a member named __proto__ like any other', () => {
    const document: unknown = stripValues(JSON.parse('{"__proto__": " a ", "b": {"__proto__": {"c": " d "}}}'))
    expect(JSON.stringify(document)).toBe('{"__proto__":"a","b":{"__proto__":{"c":"d"}}}')
    expect(Object.getPrototypeOf(document)).toBe(Object.prototype)
  })

  it('stripValues handles a document nested 100 000 deep', () => {
    let innermost: unknown = stripValues(JSON.parse(`${'['.repeat(DEPTH)}" a "${']'.repeat(DEPTH)}`))
    while (Array.isArray(innermost)) innermost = innermost[0]
    expect(innermost).toBe('a')
  })

  it('stripValues is idempotent and leaves no outer white space in any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: fc.constantFrom(' ', '\t', 'a', '"') }), (json) => {
        const stripped = JSON.stringify(stripValues([structuredClone(json)]))
        const values: string[] = []
        const again = JSON.parse(stripped, (_, value: unknown) => {
          if (typeof value === 'string') values.push(value)
          return value
        })
        expect(JSON.stringify(stripValues(again))).toBe(stripped)
        expect(values.every((value) => value === stripText(value))).toBe(true)
      }),
    )
  })
})

describe('codePoints', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 2],
    ['😀', 1],
    ['\ud800', 1],
    ['\ud800a\udc00', 3],
    ['👨‍👩‍👧', 5],
  ])('codePoints counts %j as %d', (text, count) => {
    expect(codePoints(text)).toBe(count)
  })

  it('codePoints is additive for texts of whole characters', () => {
    const texts = fc.string({ unit: 'grapheme' })
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        expect(codePoints(one + other)).toBe(codePoints(one) + codePoints(other))
      }),
    )
  })
})

describe('parseInteger', () => {
  it.each([
    ['0', 0n],
    ['-0', 0n],
    ['10', 10n],
    ['007', 7n],
    ['+5', 5n],
    ['-5', -5n],
    [' 5 ', 5n],
    ['\n5\u00a0', 5n],
    ['1_000', 1000n],
    ['9223372036854775808', 9223372036854775808n],
    ['9'.repeat(4300), 10n ** 4300n - 1n],
  ])('parseInteger reads %j', (text, integer) => {
    expect(parseInteger(text)).toBe(integer)
  })

  it.each(['', ' ', 'abc', '1.5', '1.0', '0x5', '1e3', '--1', '+-1', '+', '- 1', '1 2', '_1', '1_', '1__0', '1n', '∞'])(
    'parseInteger refuses %j',
    (text) => {
      expect(parseInteger(text)).toBeNull()
    },
  )

  it('parseInteger refuses more than 4300 digits', () => {
    expect(parseInteger('1'.repeat(4301))).toBeNull()
  })

  it('parseInteger reads back every integer', () => {
    fc.assert(
      fc.property(fc.bigInt(), (integer) => {
        expect(parseInteger(integer.toString())).toBe(integer)
      }),
    )
  })
})

describe('pythonNotation', () => {
  it.each([
    ['xxx', `'xxx'`],
    ['', `''`],
    [`it's`, `"it's"`],
    [`say "a"`, `'say "a"'`],
    [`it's "a"`, `'it\\'s "a"'`],
    ['a\nb\r\t', `'a\\nb\\r\\t'`],
    ['a\\b', `'a\\\\b'`],
    ['\u0000\u001f\u007f', `'\\x00\\x1f\\x7f'`],
    ['\u0085\u00a0\u00ad', `'\\x85\\xa0\\xad'`],
    ['\u200b\u2028\u3000\ue000\ufeff', `'\\u200b\\u2028\\u3000\\ue000\\ufeff'`],
    ['\ud800', `'\\ud800'`],
    ['\u{f0000}\u{e0001}', `'\\U000f0000\\U000e0001'`],
    ['é ü 漢 😀', `'é ü 漢 😀'`],
  ])('pythonNotation writes the string %j', (value, text) => {
    expect(pythonNotation(value)).toBe(text)
  })

  it.each([
    [0, '0'],
    [-0, '0'],
    [1, '1'],
    [-1, '-1'],
    [32768, '32768'],
    [1.5, '1.5'],
    [-0.25, '-0.25'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1.5e-7, '1.5e-07'],
    [5e-324, '5e-324'],
    [1e20, '1e+20'],
    [1e16, '1e+16'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [123456789.125, '123456789.125'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
    [Number.NaN, 'nan'],
    [100000000000000000000n, '100000000000000000000'],
  ])('pythonNotation writes the number %d as %s', (value, text) => {
    expect(pythonNotation(value)).toBe(text)
  })

  it.each([
    [null, 'None'],
    [undefined, 'None'],
    [true, 'True'],
    [false, 'False'],
    [[], '[]'],
    [{}, '{}'],
    [['generic', 'rsa', 'certificate'], `['generic', 'rsa', 'certificate']`],
    [{ a: 1 }, `{'a': 1}`],
    [{ b: [null, true, 'x'], a: 1.5e-7 }, `{'b': [None, True, 'x'], 'a': 1.5e-07}`],
    [[[], [{}], { "it's": {} }], `[[], [{}], {"it's": {}}]`],
  ])('pythonNotation writes the value %j', (value, text) => {
    expect(pythonNotation(value)).toBe(text)
  })

  it('pythonNotation handles a value nested 100 000 deep', () => {
    const nested = '['.repeat(DEPTH) + ']'.repeat(DEPTH)
    expect(pythonNotation(JSON.parse(nested))).toBe(nested)
  })

  it('pythonNotation writes a string on one line of printable characters between matching quotes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(pythonNotation(text)).toMatch(/^(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")$/u)
        expect(pythonNotation(text)).toMatch(/^(?:[^\p{C}\p{Z}]| )*$/u)
      }),
    )
  })

  it('pythonNotation writes floats so that they are read back as the same number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(Number(pythonNotation(number)) === number).toBe(true)
      }),
    )
  })
})
