/** The date filters, sort keys and bit filters of the secret list: accepted and refused values. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fault } from '../../src/faults.ts'
import { bitLength, dateFilter, sortOrder } from '../../src/wire/secret-filters.ts'

function failureOf(parse: () => unknown): string | null {
  try {
    parse()
    return null
  } catch (error) {
    if (error instanceof Fault) return error.failure
    throw error
  }
}

const start = '2020-01-01T00:00:00.000000'
const end = '2030-01-01T00:00:00.000000'

describe('dateFilter', () => {
  it.each([
    ['', []],
    ['2020', [{ comparison: 'eq', time: start }]],
    ['gt:2020-01-01', [{ comparison: 'gt', time: start }]],
    ['gte:2020-01-01T00:00:00Z', [{ comparison: 'gte', time: start }]],
    ['lt:20200101', [{ comparison: 'lt', time: start }]],
    ['lte:2020-01', [{ comparison: 'lte', time: start }]],
    ['gt:2020-01-01T02:00:00+02:00', [{ comparison: 'gt', time: start }]],
    [
      'gt:2020,lt:2030',
      [
        { comparison: 'gt', time: start },
        { comparison: 'lt', time: end },
      ],
    ],
    [
      'lte:2030,gte:2020',
      [
        { comparison: 'lte', time: end },
        { comparison: 'gte', time: start },
      ],
    ],
    [
      '2020,gt:2020',
      [
        { comparison: 'eq', time: start },
        { comparison: 'gt', time: start },
      ],
    ],
    [
      'gt:2020,lt:2030,2020',
      [
        { comparison: 'gt', time: start },
        { comparison: 'lt', time: end },
        { comparison: 'eq', time: start },
      ],
    ],
  ])('dateFilter reads %j', (value, terms) => {
    expect(dateFilter([value])).toEqual(terms)
  })

  it.each(
    [
      [
        'foo',
        'eq:2020',
        'GT:2020',
        'gt:',
        ',',
        '2020,',
        ',2020',
        'gt:2020,,lt:2030',
        'gt 2020',
        'ne:2020',
        'gt:gt:2020',
      ],
      ['gt:2020,gt:2021', 'gte:2020,gte:2021', 'gt:2020,gte:2021', 'gte:2020,gt:2021'],
      ['lt:2020,lt:2021', 'lte:2020,lte:2021', 'lt:2020,lte:2021', 'lte:2020,lt:2021'],
      ['2020,2021', '2020,gte:2020', 'gte:2020,2020', '2020,lte:2020', 'lte:2020,2020'],
      ['gt:2020-01-01T00:00:00 01:00', 'gt: 2020', ' 2020', 'gt:2020 ', '2020, gt:2019'],
    ].flat(),
  )('dateFilter refuses %j', (value) => {
    expect(failureOf(() => dateFilter([value]))).toBe('queryParameters')
  })

  it('dateFilter returns at most three terms or refuses, for any value', () => {
    const pieces = ['gt:', 'gte:', 'lt:', 'lte:', '2020', ',', '-01', 'T00', 'Z', ' ', ':']
    const values = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(values, (value) => {
        const failure = failureOf(() => dateFilter([value]))
        if (failure !== null) expect(failure).toBe('queryParameters')
        else expect(dateFilter([value]).length).toBeLessThanOrEqual(3)
      }),
    )
  })

  it('dateFilter returns the same for any order of the terms', () => {
    const terms = fc.constantFrom('2020', 'gt:2021', 'gte:2022', 'lt:2023', 'lte:2024')
    fc.assert(
      fc.property(fc.array(terms, { minLength: 1, maxLength: 4 }), (list) => {
        const reversed = failureOf(() => dateFilter([list.toReversed().join(',')]))
        expect(failureOf(() => dateFilter([list.join(',')]))).toBe(reversed)
      }),
    )
  })
})

const keys = ['algorithm', 'bit_length', 'created', 'expiration', 'mode', 'name', 'secret_type', 'status', 'updated']

describe('sortOrder', () => {
  it.each(keys)('sortOrder accepts the key %s, ascending by default', (key) => {
    expect(sortOrder([key])).toEqual([{ key, direction: 'asc' }])
    expect(sortOrder([`${key}:asc`])).toEqual([{ key, direction: 'asc' }])
    expect(sortOrder([`${key}:desc`])).toEqual([{ key, direction: 'desc' }])
  })

  it('sortOrder keeps the order of several keys', () => {
    expect(sortOrder(['name,created:desc,mode:asc'])).toEqual([
      { key: 'name', direction: 'asc' },
      { key: 'created', direction: 'desc' },
      { key: 'mode', direction: 'asc' },
    ])
  })

  it('sortOrder reads the empty value as no order', () => {
    expect(sortOrder([''])).toEqual([])
  })

  it.each(
    [
      ['bits', 'alg', 'id', 'creator_id', 'foo', 'Name', 'name:ASC', 'name:up', 'name:', ':', ':asc', 'name:asc:desc'],
      ['name,name', 'name,name:desc', 'name,', ',name', ',', 'name,,mode', ' name', 'name ', 'name, mode', 'name: asc'],
      ['constructor', '__proto__', 'name;drop', 'created_at'],
    ].flat(),
  )('sortOrder refuses %j', (value) => {
    expect(failureOf(() => sortOrder([value]))).toBe('queryParameters')
  })

  it('sortOrder reads back any order of distinct keys that was written', () => {
    const orders = fc.uniqueArray(
      fc.record({ key: fc.constantFrom(...keys), direction: fc.constantFrom('asc', 'desc') }),
      {
        selector: ({ key }) => key,
      },
    )
    fc.assert(
      fc.property(orders, (order) => {
        expect(sortOrder([order.map(({ key, direction }) => `${key}:${direction}`).join(',')])).toEqual(order)
      }),
    )
  })

  it('sortOrder throws nothing but the failure, for any value', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(failureOf(() => sortOrder([value])) ?? 'queryParameters').toBe('queryParameters')
      }),
    )
  })
})

describe('bitLength', () => {
  it.each([
    ['256', 256],
    ['1', 1],
    ['+256', 256],
    [' 256', 256],
    ['1_0', 10],
    ['9999999999999999999999', Number.MAX_SAFE_INTEGER],
  ])('bitLength filters by %j', (value, bits) => {
    expect(bitLength([value])).toBe(bits)
  })

  it.each(['', '0', '-1', 'abc', '1.5', '256.0', '1e400', '0x100', '٢٥٦'])(
    'bitLength does not filter by %j',
    (value) => {
      expect(bitLength([value])).toBeNull()
    },
  )

  it('bitLength returns null or a positive safe integer for any value', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.bigInt().map(String)), (value) => {
        const bits = bitLength([value])
        expect(bits === null || (Number.isSafeInteger(bits) && bits > 0)).toBe(true)
      }),
    )
  })
})
