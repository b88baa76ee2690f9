/** Pages of lists: limit, offset, marker and the links to neighbouring pages. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMIT, markedQuery, markerAfter, MAX_LIMIT, pageLinks, pageQuery } from '../../src/wire/http/paging.ts'
import { valuesIn } from '../../src/wire/http/query.ts'

const href = 'https://kms.example:9311/v1/secrets'
const pageOf = (query: string) => valuesIn(pageQuery, new URLSearchParams(query))

describe('pageQuery', () => {
  it.each([
    ['', 10],
    ['limit=', 10],
    ['limit=abc', 10],
    ['limit=1.5', 10],
    ['limit=0x5', 10],
    ['limit=1__0', 10],
    ['limit=0', 1],
    ['limit=-5', 1],
    ['limit=-99999999999999999999999', 1],
    ['limit=1', 1],
    ['limit=7', 7],
    ['limit=007', 7],
    ['limit=100', 100],
    ['limit=101', 100],
    ['limit=99999999999999999999999', 100],
    ['limit=%205%20', 5],
    ['limit=%2B5', 5],
    ['limit=1_0', 10],
    ['limit=2_0', 20],
    ['limit=5&limit=3', 3],
    ['&limit=5&offset=0', 5],
    ['LIMIT=5', 10],
  ])('the query of a page reads %j as the limit %d', (query, limit) => {
    expect(pageOf(query).limit).toBe(limit)
  })

  it.each([
    ['', 0],
    ['offset=', 0],
    ['offset=abc', 0],
    ['offset=1.5', 0],
    ['offset=-3', 0],
    ['offset=3', 3],
    ['offset=1_000', 1000],
    ['offset=%2B7', 7],
    ['offset=1000000', 1_000_000],
    ['offset=9223372036854775807', Number.MAX_SAFE_INTEGER],
    ['offset=9223372036854775808', 0],
    ['offset=99999999999999999999999', 0],
    ['offset=5&offset=6', 6],
  ])('the query of a page reads %j as the offset %d', (query, offset) => {
    expect(pageOf(query).offset).toBe(offset)
  })

  it('the query of a page has values within the bounds for any query', () => {
    const values = fc.oneof(fc.string(), fc.bigInt().map(String), fc.double().map(String))
    fc.assert(
      fc.property(values, values, (limit, offset) => {
        const page = valuesIn(pageQuery, new URLSearchParams({ limit, offset }))
        expect(page.limit).toBeGreaterThanOrEqual(1)
        expect(page.limit).toBeLessThanOrEqual(MAX_LIMIT)
        expect(Number.isSafeInteger(page.offset) && page.offset >= 0).toBe(true)
      }),
    )
  })

  it('the query of a page has its default without parameters', () => {
    expect(pageOf('')).toEqual({ limit: DEFAULT_LIMIT, offset: 0 })
  })
})

function links(query: string, total: number, previousFromEmptyPage = false) {
  const page = pageOf(query)
  const count = Math.max(0, Math.min(page.limit, total - page.offset))
  return pageLinks({ href, search: new URLSearchParams(query), page, count, total, previousFromEmptyPage })
}

describe('pageLinks', () => {
  it('pageLinks links both neighbours of a middle page', () => {
    expect(links('limit=5&offset=5', 23)).toEqual({
      previous: `${href}?limit=5&offset=0`,
      next: `${href}?limit=5&offset=10`,
    })
  })

  it.each([
    ['limit=5', 5, {}],
    ['', 10, {}],
    ['', 11, { next: `${href}?limit=10&offset=10` }],
    ['offset=1', 5, { previous: `${href}?limit=10&offset=0` }],
    ['limit=0', 5, { next: `${href}?limit=1&offset=1` }],
    ['limit=500', 101, { next: `${href}?limit=100&offset=100` }],
    ['limit=5&offset=3', 6, { previous: `${href}?limit=5&offset=0` }],
    ['limit=5&offset=20', 23, { previous: `${href}?limit=5&offset=15` }],
    ['offset=100', 23, {}],
    ['', 0, {}],
  ])('pageLinks of %j among %d entries are the expected ones', (query, total, expected) => {
    expect(links(query, total)).toEqual(expected)
  })

  it('pageLinks keep the previous link on an empty page where the collection has it', () => {
    expect(links('offset=100', 23, true)).toEqual({ previous: `${href}?limit=10&offset=90` })
    expect(links('', 0, true)).toEqual({})
  })

  it('pageLinks keep all other parameters in the order of the request, unknown ones included', () => {
    expect(links('name=s%25&limit=2&sort=name%3Adesc&offset=2&foo&x=a+b&x=%C3%A9', 5).next).toBe(
      `${href}?limit=2&offset=4&name=s%25&sort=name%3Adesc&foo=&x=a+b&x=%C3%A9`,
    )
  })

  it(`pageLinks encode like Python's quote_plus`, () => {
    const query = new URLSearchParams([['k ey', `aZ09_.-~ !*'()/?:@&=+$,#%"<>[]\n😀`]])
    const { next } = pageLinks({ href, search: query, page: { limit: 1, offset: 0 }, count: 1, total: 2 })
    expect(next).toBe(
      `${href}?limit=1&offset=1&k+ey=aZ09_.-~+%21%2A%27%28%29%2F%3F%3A%40%26%3D%2B%24%2C%23%25%22%3C%3E%5B%5D%0A%F0%9F%98%80`,
    )
  })

  it('pageLinks keep every query when the link is parsed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }))), (pairs) => {
        const query = new URLSearchParams(pairs.filter(([name]) => name !== 'limit' && name !== 'offset'))
        const { next = '' } = pageLinks({ href, search: query, page: { limit: 1, offset: 0 }, count: 1, total: 2 })
        expect([...new URL(next).searchParams].slice(2)).toEqual([...query])
      }),
    )
  })

  it('pageLinks visit every entry exactly once when next is followed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 20 }), (total, limit) => {
        let visited = 0
        for (let query: string | undefined = `limit=${limit}`; query !== undefined;) {
          const { offset } = pageOf(query)
          expect(offset).toBe(visited)
          visited += Math.min(limit, total - offset)
          query = links(query, total).next?.split('?')[1]
        }
        expect(visited).toBe(total)
      }),
    )
  })
})

describe('a marker', () => {
  const ids = [{ id: 'a' }, { id: 'b c' }]

  function linksOf(text: string, more: boolean, items = ids) {
    const query = new URLSearchParams(text)
    const page = valuesIn(markedQuery, query)
    const nextMarker = markerAfter(page, { items, more })
    return pageLinks({ href, search: query, page, count: items.length, total: 100, nextMarker })
  }

  it.each([
    ['', undefined],
    ['marker=', ''],
    ['marker=x', 'x'],
    ['marker=x&marker=y', 'y'],
    ['Marker=x', undefined],
  ])('the marker of %j is %j', (query, marker) => {
    expect(valuesIn(markedQuery, new URLSearchParams(query))).toEqual({ limit: DEFAULT_LIMIT, offset: 0, marker })
  })

  it('a marker makes next start after the last entry of its page, without an offset and with the filters', () => {
    expect(linksOf('name=n%20&limit=2&marker=z&x=1', true)).toEqual({
      next: `${href}?limit=2&marker=b+c&name=n+&x=1`,
    })
    expect(linksOf('limit=2&marker=', true)).toEqual({ next: `${href}?limit=2&marker=b+c` })
  })

  it('a marker makes no next link on the last page or on an empty one', () => {
    expect(linksOf('limit=2&marker=z', false)).toEqual({})
    expect(linksOf('limit=2&marker=z', false, [])).toEqual({})
  })

  it('a marker is kept in the links when an offset counts from it', () => {
    expect(linksOf('limit=2&marker=z&offset=3', true)).toEqual({
      previous: `${href}?limit=2&offset=1&marker=z`,
      next: `${href}?limit=2&marker=b+c`,
    })
  })

  it('a marker is in no link of a page that was requested without one', () => {
    expect(linksOf('limit=2', true)).toEqual({ next: `${href}?limit=2&offset=2` })
  })
})
