/** Whether a JSON document holds only text that UTF-8 can hold, at any depth and in any size. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isWellFormed } from '../../src/wire/http/well-formed.ts'

describe('isWellFormed', () => {
  it.each<unknown>([null, true, 0, '', 'a', '😀', [], {}, { a: ['b', { c: 'd' }] }, { __proto__: 1 }])(
    'isWellFormed takes %j',
    (json) => {
      expect(isWellFormed(json)).toBe(true)
    },
  )

  it.each<unknown>(['\ud800', 'a\udc00', ['\ud83d'], { a: '\ud83d' }, { '\udc00': 1 }, { a: [[{ b: ['\ud800'] }]] }])(
    'isWellFormed refuses half of a pair: %j',
    (json) => {
      expect(isWellFormed(json)).toBe(false)
    },
  )

  it('isWellFormed agrees with what UTF-8 gives back', () => {
    const document = fc.letrec<{ json: unknown }>((tie) => {
      const text = fc.string({
        unit: fc.integer({ min: 0xd7fe, max: 0xe001 }).map((unit) => String.fromCharCode(unit)),
      })
      return { json: fc.oneof(text, fc.array(tie('json')), fc.dictionary(text, tie('json'))) }
    }).json
    fc.assert(
      fc.property(document, (json) => {
        const stored = new TextDecoder().decode(new TextEncoder().encode(rawJson(json)))
        expect(isWellFormed(json)).toBe(stored === rawJson(json))
      }),
    )
  })

  it('isWellFormed is not bounded by depth, and looks at everything once', () => {
    let deep: unknown = '\ud800'
    for (let depth = 0; depth < 200_000; depth += 1) deep = depth % 2 === 0 ? [deep] : { a: deep }
    const wide = Object.fromEntries(Array.from({ length: 200_000 }, (_, at) => [`member ${at}`, 'x']))
    const begun = Date.now()
    expect(isWellFormed(deep)).toBe(false)
    expect(isWellFormed(wide)).toBe(true)
    expect(Date.now() - begun).toBeLessThan(2_000)
  })
})

/** JSON whose strings are as they are, without escapes for surrogates. */
function rawJson(json: unknown): string {
  if (Array.isArray(json)) return `[${json.map(rawJson).join()}]`
  if (typeof json !== 'object' || json === null) return `"${String(json)}"`
  return `{${Object.entries(json)
    .map(([name, value]) => `"${name}":${rawJson(value)}`)
    .join()}}`
}
