/** Refs: how they are built, and which ids are canonical. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { idOf, isCanonicalId, refsBelow } from '../../src/wire/http/refs.ts'

const BASE = 'https://kms.example:9311'
const segment = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/)

describe('a ref', () => {
  it('a ref is below the base, and ends in the id that it was made of', () => {
    fc.assert(
      fc.property(segment, fc.uuid({ version: 4 }), (collection, id) => {
        const ref = refsBelow(BASE, undefined).to(collection, id)
        expect(ref).toBe(`${BASE}/v1/${collection}/${id}`)
        expect(idOf(ref)).toBe(id)
      }),
    )
  })

  it('a ref holds the tenant of the path as one segment, whatever characters it has', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), fc.uuid({ version: 4 }), (tenant, id) => {
        const ref = refsBelow(BASE, tenant).to('secrets', id)
        const [, version, project = '', ...rest] = ref.slice(BASE.length).split('/')
        expect([version, decodeURIComponent(project), rest]).toEqual(['v1', tenant, ['secrets', id]])
      }),
    )
  })
})

describe('an id', () => {
  it('an id is canonical when it is a UUID of version 4 in lower case with hyphens', () => {
    fc.assert(fc.property(fc.uuid({ version: 4 }), (id) => isCanonicalId(id)))
  })

  it('an id of any other version, case or spelling is not canonical', () => {
    const other = fc.uuid({ version: [1, 2, 3, 5, 6, 7, 8] })
    fc.assert(fc.property(other, (id) => !isCanonicalId(id)))
    const spelled = fc
      .uuid({ version: 4 })
      .chain((id) =>
        fc.constantFrom(
          id.replaceAll('-', ''),
          `{${id}}`,
          `urn:uuid:${id}`,
          ` ${id}`,
          `${id}\n`,
          id.slice(1),
          `${id}0`,
        ),
      )
    fc.assert(fc.property(spelled, (id) => !isCanonicalId(id)))
    const upper = fc.uuid({ version: 4 }).map((id) => id.toUpperCase())
    fc.assert(fc.property(upper, (id) => /[A-F]/.test(id) !== isCanonicalId(id)))
  })

  it('any other text is not a canonical id', () => {
    const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
    fc.assert(fc.property(fc.string(), (text) => isCanonicalId(text) === form.test(text)))
  })
})
