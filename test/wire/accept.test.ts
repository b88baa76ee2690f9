/** `Accept`: the form of responses, compared with recorded responses of Barbican and for arbitrary headers. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  admitsJson,
  admitsKnownType,
  admitsVersions,
  prefersJsonHome,
  rootErrorForm,
} from '../../src/wire/http/accept.ts'

/** Recorded from Barbican 15.0.1: `GET /v1/secrets`, `GET /`, the form of the 406 of an unknown microversion on `/`. */
const recorded: readonly [string | undefined, 200 | 406, 300 | 302 | 406, 'json' | 'html' | 'text'][] = [
  [undefined, 200, 300, 'text'],
  ['', 200, 300, 'text'],
  ['*/*', 200, 300, 'html'],
  ['*/*;q=0.1', 200, 300, 'html'],
  ['*/*;q=0', 406, 406, 'text'],
  ['application/json', 200, 300, 'json'],
  ['APPLICATION/JSON', 200, 300, 'json'],
  ['application/*', 200, 300, 'json'],
  ['application/json;q=0.1', 200, 300, 'json'],
  ['application/json;q=0', 200, 300, 'text'],
  ['application/json; charset=utf-8', 200, 300, 'text'],
  ['application/json ;charset=utf-8', 200, 300, 'text'],
  ['application/json,', 200, 300, 'json'],
  ['application/json;', 200, 300, 'html'],
  ['application/json; q=2', 200, 300, 'html'],
  ['application/json, text/plain', 200, 300, 'json'],
  ['text/plain, application/json', 200, 300, 'json'],
  ['application/json;q=0.8,text/plain', 200, 300, 'json'],
  ['application/json, */*', 200, 300, 'html'],
  ['text/html,application/json', 200, 300, 'html'],
  ['text/html;level=1, */*;q=0.2', 200, 300, 'html'],
  ['foo', 200, 300, 'html'],
  ['*', 200, 300, 'html'],
  ['foo/bar', 406, 406, 'text'],
  ['foo/*', 406, 406, 'text'],
  ['*/json', 406, 406, 'text'],
  [',', 406, 406, 'text'],
  ['text/html', 406, 406, 'html'],
  ['text/html,', 406, 406, 'html'],
  ['text/html,text/plain', 406, 406, 'html'],
  ['text/*', 406, 406, 'html'],
  ['text/plain', 406, 406, 'text'],
  ['text/plain;q=0', 406, 406, 'text'],
  ['image/*', 406, 406, 'text'],
  ['application/xml', 406, 406, 'text'],
  ['application/vnd.openstack.key-manager-v1+json', 406, 406, 'text'],
  ['application/json-home', 200, 302, 'text'],
  ['text/html, application/json-home', 406, 302, 'html'],
  ['application/json-home, */*', 200, 302, 'html'],
  ['application/*, application/json-home', 200, 302, 'json'],
  ['application/json;q=0.5, application/json-home', 200, 302, 'json'],
  ['application/json-home;q=0.5, application/json', 200, 300, 'json'],
  ['application/json-home, application/json', 200, 300, 'json'],
  ['application/*;q=0.9, application/json-home;q=0.5', 200, 300, 'json'],
  ['application/json-home;v=1', 200, 300, 'text'],
]

describe('Accept, as recorded from Barbican', () => {
  it.each(recorded)('Accept %j on a JSON route gets the recorded form', (accept, status) => {
    expect(admitsJson(accept) ? 200 : 406).toBe(status)
  })

  it.each(recorded)('Accept %j on the version list gets the recorded form', (accept, _, status) => {
    const answer = prefersJsonHome(accept) ? 302 : 300
    expect(admitsVersions(accept) ? answer : 406).toBe(status)
  })

  it.each(recorded)('Accept %j on an error of the root gets the recorded form', (accept, _, __, form) => {
    expect(rootErrorForm(accept)).toBe(form)
  })
})

describe('admitsJson', () => {
  it.each(['text/html, application/json;charset=utf-8', 'APPLICATION/JSON; charset=utf-8'])(
    'admitsJson ignores parameters in %j, where Barbican does not',
    (accept) => {
      expect(admitsJson(accept)).toBe(true)
    },
  )

  it('admitsJson lets the most specific range decide', () => {
    expect(admitsJson('text/html, application/*;q=0, */*')).toBe(false)
    expect(admitsJson('text/html, application/*, */*;q=0')).toBe(true)
  })

  it('admitsJson does not end a range at a comma inside a quoted parameter', () => {
    expect(admitsJson('text/html;a="b, application/json"')).toBe(false)
    expect(admitsJson(String.raw`text/html;a="\", application/json"`)).toBe(false)
  })
})

describe('admitsKnownType', () => {
  it.each(
    [
      [undefined, '', '*/*', 'text/plain', 'application/json', 'application/octet-stream', 'application/pkcs8'],
      ['text/html', 'application/xml', 'image/png', 'application/pkix-cert', 'TEXT/PLAIN', 'text/*', 'application/*'],
      ['text/plain;charset=iso-8859-1', 'text/plain;q=0.9', '*/*;q=0.5', 'foo', 'foo/bar, text/plain', 'image/*'],
      ['text/plain, */*', 'application/octet-stream, application/json', 'text/plain;q=0'],
    ].flat(),
  )('admitsKnownType admits %j', (accept) => {
    expect(admitsKnownType(accept)).toBe(true)
  })

  it.each(
    [
      ['foo/bar', 'Foo/Bar', 'foo/*', 'foo/bar;x=y', 'foo/bar, foo/baz', 'application/aes', 'application/vnd.foo'],
      [
        '*/*;q=0',
        ',',
        'TEXT/PLAIN;charset=utf-8',
        '*/json',
        'multipart/form-data',
        'application/x-www-form-urlencoded',
      ],
    ].flat(),
  )('admitsKnownType refuses %j', (accept) => {
    expect(admitsKnownType(accept)).toBe(false)
  })
})

describe('any Accept header', () => {
  const pieces = ['text/html', 'application/json', '*/*', ';q=0', ';q=0.5', ';a="', '"', ',', ' ', ';', '=', '\\', 'é']
  const headers = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join('')),
  )

  it('any Accept header is answered without throwing, in one of three forms', () => {
    fc.assert(
      fc.property(headers, (accept) => {
        expect(['json', 'html', 'text']).toContain(rootErrorForm(accept))
        if (admitsJson(accept)) expect(admitsVersions(accept)).toBe(true)
        if (prefersJsonHome(accept)) expect(admitsVersions(accept)).toBe(true)
      }),
    )
  })

  it('any Accept header admits JSON once the full wildcard is added to ranges of other types', () => {
    const others = fc.array(fc.constantFrom('text/html', 'foo/bar;q=0', 'text/plain;q=0.2', 'image/*'))
    fc.assert(
      fc.property(others, (ranges) => {
        expect(admitsJson([...ranges, '*/*'].join(', '))).toBe(true)
      }),
    )
  })

  it.each(['text/html;a="'.repeat(2000), '"\\'.repeat(8000), 'a/b;'.repeat(4000), `a/b${' '.repeat(16_000)}x`])(
    'a long Accept header is parsed quickly (%#)',
    (accept) => {
      const start = performance.now()
      expect(rootErrorForm(accept)).toBe('html')
      expect(performance.now() - start).toBeLessThan(1000)
    },
  )
})
