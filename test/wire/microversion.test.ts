/** The microversion header: which versions it selects, and the body of a refusal in each form. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  MAX_MICROVERSION,
  MicroversionRefused,
  atLeast,
  microversions,
  parseMicroversion,
  refusalBody,
} from '../../src/wire/http/microversion.ts'

function refusalOf(header: string): MicroversionRefused | null {
  try {
    parseMicroversion(header)
    return null
  } catch (error) {
    if (error instanceof MicroversionRefused) return error
    throw error
  }
}

describe('parseMicroversion', () => {
  it.each([
    ['1.0', '1.0'],
    ['1.1', '1.1'],
    ['01.1', '1.1'],
    ['1.01', '1.1'],
    ['+1.1', '1.1'],
    ['1 . 1', '1.1'],
    ['1.-0', '1.0'],
    ['1.2', '1.2'],
    ['latest', '1.2'],
  ])('parseMicroversion reads %s as %s', (value, version) => {
    expect(parseMicroversion(`key-manager ${value}`)).toBe(version)
  })

  it.each([
    [undefined, '1.0'],
    ['', '1.0'],
    ['key-manager', '1.0'],
    ['1.1', '1.0'],
    ['keymanager 1.1', '1.0'],
    ['compute 2.1', '1.0'],
    ['KEY-MANAGER 1.1', '1.1'],
    ['key-manager   1.1', '1.1'],
    ['key-manager\t1.1', '1.1'],
    ['  key-manager 1.1  ', '1.1'],
    ['compute 2.1, key-manager 1.1', '1.1'],
    ['key-manager 1.1, compute 2.1', '1.1'],
    ['key-manager 1.0, key-manager 1.1', '1.1'],
    ['key-manager 1.1, key-manager 1.0', '1.0'],
    ['key-manager 9.9, key-manager 1.1', '1.1'],
    ['key-manager 1.1, key-manager', '1.1'],
    ['key-manager 1.1,', '1.1'],
    [', key-manager 1.1', '1.1'],
  ])('parseMicroversion finds in %j the version %s', (header, version) => {
    expect(parseMicroversion(header)).toBe(version)
  })

  it.each(['1.3', '2.0', '0.9', '-1.0', '9.9', '1_0.1', '1.10', `1.${'9'.repeat(4000)}`])(
    'parseMicroversion refuses %s with 406',
    (value) => {
      expect(refusalOf(`key-manager ${value}`)).toMatchObject({
        status: 406,
        tail: `Unacceptable version header: ${value}`,
      })
    },
  )

  it.each([
    ['1', `Version.__new__() missing 1 required positional argument: 'minor'`],
    ['1.', `invalid literal for int() with base 10: ''`],
    ['.1', `invalid literal for int() with base 10: ''`],
    ['abc', `invalid literal for int() with base 10: 'abc'`],
    ['x', `invalid literal for int() with base 10: 'x'`],
    ['1.x', `invalid literal for int() with base 10: 'x'`],
    ["1.'x", `invalid literal for int() with base 10: "'x"`],
    ['1.1.1', `invalid literal for int() with base 10: '1.1'`],
    ['LATEST', `invalid literal for int() with base 10: 'LATEST'`],
    ['1.1 foo', `invalid literal for int() with base 10: '1 foo'`],
    ['a.b', `invalid literal for int() with base 10: 'a'`],
  ])('parseMicroversion refuses %s with 400', (value, why) => {
    expect(refusalOf(`key-manager ${value}`)).toMatchObject({
      status: 400,
      tail: `invalid version string: ${value}; ${why}`,
    })
  })

  it('parseMicroversion returns a supported version or refuses, for any header', () => {
    const pieces = ['key-manager', ' ', '1.', '1', '.', 'latest', ',', '-', '_', 'x', '\t', '0', '2']
    const headers = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(headers, (header) => {
        if (refusalOf(header) === null) expect(microversions).toContain(parseMicroversion(header))
      }),
    )
  })
})

describe('atLeast', () => {
  it('atLeast orders the versions', () => {
    expect(microversions.map((version) => microversions.filter((since) => atLeast(version, since)))).toEqual([
      ['1.0'],
      ['1.0', '1.1'],
      ['1.0', '1.1', '1.2'],
    ])
    expect(microversions.every((version) => atLeast(MAX_MICROVERSION, version))).toBe(true)
  })
})

const unacceptable = new MicroversionRefused(406, 'Unacceptable version header: 9.9')
const malformed = new MicroversionRefused(400, `invalid version string: x; invalid literal for int() with base 10: 'x'`)

describe('refusalBody', () => {
  it('refusalBody writes a 406 in JSON', () => {
    const { contentType, body } = refusalBody(unacceptable, 'application/json')
    expect(contentType).toBe('application/json')
    expect(JSON.parse(body)).toEqual({
      message:
        'The resource could not be generated that was acceptable to your browser\n(content of type application/json. ' +
        '<br /><br />\nInvalid microversion: Unacceptable version header: 9.9',
      code: '406 Not Acceptable',
      title: 'Not Acceptable',
    })
  })

  it('refusalBody writes a 400 in JSON', () => {
    expect(JSON.parse(refusalBody(malformed, 'application/json').body)).toEqual({
      message:
        'The server could not comply with the request since it is either malformed or otherwise incorrect.<br /><br />\n' +
        `Invalid microversion: invalid version string: x; invalid literal for int() with base 10: 'x'\n\n`,
      code: '400 Bad Request',
      title: 'Bad Request',
    })
  })

  it("refusalBody writes a 406 in plain text, without Accept with Barbican's placeholder", () => {
    const start = '406 Not Acceptable\n\nThe resource could not be generated that was acceptable to your browser '
    const end = '\n\n Invalid microversion: Unacceptable version header: 9.9'
    const contentType = 'text/plain; charset=UTF-8'
    expect(refusalBody(unacceptable, undefined)).toEqual({
      contentType,
      body: `${start}(content of type \${HTTP_ACCEPT}. ${end}`,
    })
    expect(refusalBody(unacceptable, 'text/plain')).toEqual({
      contentType,
      body: `${start}(content of type text/plain. ${end}`,
    })
  })

  it('refusalBody writes a 400 in plain text', () => {
    expect(refusalBody(malformed, 'foo/bar').body).toBe(
      '400 Bad Request\n\nThe server could not comply with the request since it is either malformed or otherwise ' +
        `incorrect.\n\n Invalid microversion: invalid version string: x; invalid literal for int() with base 10: 'x'  `,
    )
  })

  it('refusalBody writes a 406 in HTML', () => {
    expect(refusalBody(unacceptable, '*/*')).toEqual({
      contentType: 'text/html; charset=UTF-8',
      body:
        '<html>\n <head>\n  <title>406 Not Acceptable</title>\n </head>\n <body>\n  <h1>406 Not Acceptable</h1>\n  ' +
        'The resource could not be generated that was acceptable to your browser\n(content of type */*. <br /><br />\n' +
        'Invalid microversion: Unacceptable version header: 9.9\n </body>\n</html>',
    })
  })

  it('refusalBody escapes what the client sent, both version and Accept', () => {
    const refused = refusalOf(`key-manager <script>"'&`)
    expect(refused && refusalBody(refused, 'text/html').body).toContain(
      'invalid version string: &lt;script&gt;&quot;&#x27;&amp;;',
    )
    expect(refusalBody(unacceptable, '<script>alert(1)</script>').body).toContain(
      '&lt;script&gt;alert(1)&lt;/script&gt;.',
    )
  })

  it('refusalBody never writes markup of the client into HTML', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const refused = new MicroversionRefused(400, value)
        const page = refusalBody(refused, 'text/html').body
        expect(page.match(/<[^>]*>/g)).toEqual(refusalBody(malformed, 'text/html').body.match(/<[^>]*>/g))
      }),
    )
  })
})
