/** Times: the stored form, and the spellings that are accepted. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatTime, isWithin, parseTime } from '../src/times.ts'

const YEAR_1 = -62_135_596_800_000
const END_OF_9999 = 253_402_300_799_999
const moments = fc.integer({ min: YEAR_1, max: END_OF_9999 })
const padded = (number: number, width = 2) => String(number).padStart(width, '0')

describe('isWithin', () => {
  it.each([
    [-1, false],
    [0, true],
    [9_999, true],
    [10_000, false],
  ])('isWithin, of ten seconds, of a time %d milliseconds ago is %s', (age, expected) => {
    const now = Date.UTC(2026, 10, 22)
    expect(isWithin(10, formatTime(now - age), formatTime(now))).toBe(expected)
  })
})

describe('formatTime', () => {
  it.each([
    [0, '1970-01-01T00:00:00.000000'],
    [Date.UTC(2026, 10, 22, 0, 15, 50, 123), '2026-11-22T00:15:50.123000'],
    [YEAR_1, '0001-01-01T00:00:00.000000'],
    [END_OF_9999, '9999-12-31T23:59:59.999000'],
  ])('formatTime writes %d as %s', (milliseconds, text) => {
    expect(formatTime(milliseconds)).toBe(text)
  })

  it('formatTime writes strings that sort like the times', () => {
    fc.assert(
      fc.property(moments, moments, (one, other) => {
        expect(formatTime(one) < formatTime(other)).toBe(one < other)
      }),
    )
  })

  it('formatTime refuses a number that is no date', () => {
    expect(() => formatTime(Number.NaN)).toThrow(RangeError)
  })
})

describe('parseTime', () => {
  it.each([
    ['2026', '2026-01-01T00:00:00.000000'],
    ['2026-11', '2026-11-01T00:00:00.000000'],
    ['2026-11-22', '2026-11-22T00:00:00.000000'],
    ['2026-1-2', '2026-01-02T00:00:00.000000'],
    ['2026-1', '2026-01-01T00:00:00.000000'],
    ['20261122', '2026-11-22T00:00:00.000000'],
    ['2026-11-22T10', '2026-11-22T10:00:00.000000'],
    ['2026-11-22T10:11', '2026-11-22T10:11:00.000000'],
    ['2026-11-22T10:11:12', '2026-11-22T10:11:12.000000'],
    ['2026-11-22T10:11:5', '2026-11-22T10:11:05.000000'],
    ['2026-11-22 10:11:12', '2026-11-22T10:11:12.000000'],
    ['20261122T101112', '2026-11-22T10:11:12.000000'],
    ['20261122T1011', '2026-11-22T10:11:00.000000'],
    ['2026-11-22T101112.5Z', '2026-11-22T10:11:12.500000'],
    ['20261122T10:11:12', '2026-11-22T10:11:12.000000'],
  ])('parseTime reads %s and fills in the missing parts', (text, time) => {
    expect(parseTime(text)).toBe(time)
  })

  it.each([
    ['2015-04-07T03:37:19.805835', '2015-04-07T03:37:19.805835'],
    ['2026-11-22T10:11:12,25', '2026-11-22T10:11:12.250000'],
    ['2026-11-22T10:11:12.1234567', '2026-11-22T10:11:12.123456'],
    ['2026-11-22T10:11:12.9999999', '2026-11-22T10:11:12.999999'],
    ['2026-11-22T10:11:12.000001', '2026-11-22T10:11:12.000001'],
  ])('parseTime cuts the fraction of %s to microseconds', (text, time) => {
    expect(parseTime(text)).toBe(time)
  })

  it.each([
    ['2026-11-22T10:11:12Z', '2026-11-22T10:11:12.000000'],
    ['2026-11-22T10:11:12+01:00', '2026-11-22T09:11:12.000000'],
    ['2026-11-22T10:11:12-0130', '2026-11-22T11:41:12.000000'],
    ['2026-11-22T10:11:12+01', '2026-11-22T09:11:12.000000'],
    ['2026-11-22T10+01', '2026-11-22T09:00:00.000000'],
    ['2026-11-22T10:11-01:00', '2026-11-22T11:11:00.000000'],
    ['2026-01-01T00:30:00.75+01:00', '2025-12-31T23:30:00.750000'],
    ['2026-11-22T10:00:00+23:59', '2026-11-21T10:01:00.000000'],
    ['2028-02-29T23:00:00-02:00', '2028-03-01T01:00:00.000000'],
  ])('parseTime converts %s to UTC', (text, time) => {
    expect(parseTime(text)).toBe(time)
  })

  it.each(
    [
      ['', 'foo', '1', '202', '20261', '202611', '2026-', '2026-11-', '02026-01-01', '+2026-01-01', '-2026'],
      ['2026-00-01', '2026-13-01', '2026-01-00', '2026-01-32', '2026-02-29', '2100-02-29', '2026-04-31'],
      ['2026-11-22T', '2026-11-22T1', '2026-11-22T10:1', '2026-11-22T10:1:12', '2026-11-22T10:11:', '2026-11-22t10'],
      ['2026-11-22T24:00:00', '2026-11-22T10:60', '2026-11-22T10:11:60', '2026-11-22T10:11:12.', '2026-11-22T10:11.5'],
      ['2026-11-22Z', '2026-11-22+01:00', '2026Z', '2026-11T10', '2026T10', '2026-11-22T10:11:12 Z'],
      ['2026-11-22T10:11:12 +01:00', '2026-11-22T10:11:12z', '2026-11-22T10:11:12+24:00', '2026-11-22T10:11:12-2400'],
      ['2026-11-22T10:11:12+1', '2026-11-22T10:11:12+', '2026-11-22T10:11:12+010', '2026-11-22T10:11:12−01:00'],
      [
        '2026-W47',
        '2026-W47-7',
        '2026-326',
        '1795306550',
        '1795306550.5',
        ' 2026-11-22',
        '2026-11-22 ',
        '2026-11-22\n',
      ],
      ['２０２６-11-22', '2026-11-22  10', '2026/11/22', '0000-01-01', '10000-01-01', '2026-11-22T10:3'],
    ].flat(),
  )('parseTime refuses %j', (text) => {
    expect(parseTime(text)).toBeNull()
  })

  it.each(['0001-01-01T00:00:00+00:01', '9999-12-31T23:59:59.9-00:01'])(
    'parseTime refuses %s, which is out of range in UTC',
    (text) => {
      expect(parseTime(text)).toBeNull()
    },
  )

  it('parseTime refuses a year 0 that only its offset moves into the year 1', () => {
    expect(parseTime('0000-12-31T23:59:59-01:00')).toBeNull()
  })

  it.each([
    ['0001-01-01T00:00:00-00:01', '0001-01-01T00:01:00.000000'],
    ['9999-12-31T23:59:59.999999', '9999-12-31T23:59:59.999999'],
    ['0099-03-01', '0099-03-01T00:00:00.000000'],
  ])('parseTime reads the first and last years: %s', (text, time) => {
    expect(parseTime(text)).toBe(time)
  })

  it('parseTime reads back what formatTime writes, and is idempotent', () => {
    fc.assert(
      fc.property(moments, (milliseconds) => {
        expect(parseTime(formatTime(milliseconds))).toBe(formatTime(milliseconds))
      }),
    )
  })

  it('parseTime subtracts any offset below a day', () => {
    const offsets = fc.integer({ min: 1 - 24 * 60, max: 24 * 60 - 1 })
    const middle = fc.integer({ min: YEAR_1 + 86_400_000, max: END_OF_9999 - 86_400_000 })
    fc.assert(
      fc.property(middle, offsets, fc.constantFrom(':', ''), (milliseconds, offset, colon) => {
        const distance = Math.abs(offset)
        const zone = `${offset < 0 ? '-' : '+'}${padded(Math.floor(distance / 60))}${colon}${padded(distance % 60)}`
        expect(parseTime(formatTime(milliseconds) + zone)).toBe(formatTime(milliseconds - offset * 60_000))
      }),
    )
  })

  it('parseTime returns 26 characters or null for any text, and never throws', () => {
    const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[0-9TZ :.,+-]{0,30}$/))
    fc.assert(
      fc.property(texts, (text) => {
        expect(parseTime(text) ?? '0001-01-01T00:00:00.000000').toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/)
      }),
    )
  })
})
