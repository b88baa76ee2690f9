/** Which errors pass, how often a call is repeated after one, and what a client is told in the end. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Fault } from '../../src/faults.ts'
import { MOST_TRIES, repeated } from '../../src/repetition.ts'
import { mayBeStored, passingOf, unavailability } from '../../src/state/database/refusals.ts'
import { objectErrors, overloadErrors, repeatableErrors, resetErrors } from '../support/faulty-platform.ts'

describe('an error of the platform', () => {
  it.each(repeatableErrors)('the call is repeated after: %s', (message) => {
    expect(passingOf(new Error(message))).toBe('repeat')
    expect(mayBeStored(new Error(message))).toBe(true)
  })

  it.each(resetErrors)('the call is not sent again, but may have been stored, after: %s', (message) => {
    expect(passingOf(new Error(message))).toBe('reset')
    expect(mayBeStored(new Error(message))).toBe(true)
  })

  it.each(overloadErrors)('the call was not begun, and is not repeated, after: %s', (message) => {
    expect(passingOf(new Error(message))).toBe('overloaded')
    expect(mayBeStored(new Error(message))).toBe(false)
  })

  it('marks of Durable Objects count whatever the message says, and overload before all', () => {
    expect(passingOf(objectErrors.repeatable())).toBe('repeat')
    expect(passingOf(objectErrors.restarted())).toBe('repeat')
    expect(passingOf(Object.assign(new Error('other'), { durableObjectReset: true }))).toBe('repeat')
    expect(passingOf(Object.assign(new Error('other'), { retryable: true }))).toBe('repeat')
    expect(passingOf(Object.assign(new Error('other'), { retryable: true, overloaded: true }))).toBe('overloaded')
  })

  it.each([
    'D1_ERROR: UNIQUE constraint failed: secrets.id: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)',
    'D1_ERROR: internal error: SQLITE_CONSTRAINT',
    'D1_ERROR: no such table: secrets: SQLITE_ERROR',
    'D1_TYPE_ERROR: undefined is not supported',
    'something else',
  ])('an error of the service itself does not pass and stays as it is: %s', (message) => {
    const error = new Error(message)
    expect(passingOf(error)).toBeNull()
    expect(unavailability(error)).toBe(error)
  })

  it('what remains of an error that passes is a fault with its cause, which does not pass again', () => {
    const error = new Error('D1_ERROR: Network connection lost.')
    const failed = unavailability(error)
    expect(failed).toBeInstanceOf(Fault)
    expect(failed).toMatchObject({ failure: 'unavailable', details: [error.message], cause: error, status: 503 })
    expect((failed as Fault).retrySeconds).toBeGreaterThan(0)
    expect(passingOf(failed)).toBeNull()
  })
})

describe('a repeated call', () => {
  let pauses: number[]
  beforeEach(() => {
    pauses = []
    vi.spyOn(scheduler, 'wait').mockImplementation(async (milliseconds) => void pauses.push(milliseconds))
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })
  const failing = () => Promise.reject(new Error('again'))
  const always = () => true

  it('a call that fails each time is tried three times in all, with growing pauses that differ', async () => {
    const attempt = vi.fn(failing)
    for (let call = 0; call < 20; call += 1)
      await expect(repeated(new Error('first'), always, attempt)).rejects.toThrow('again')
    expect(attempt).toHaveBeenCalledTimes(20 * (MOST_TRIES - 1))
    const [firsts, seconds] = [0, 1].map((at) => pauses.filter((_, index) => index % 2 === at))
    expect(Math.max(...firsts!)).toBeLessThanOrEqual(60)
    expect(Math.min(...firsts!)).toBeGreaterThanOrEqual(30)
    expect(Math.min(...seconds!)).toBeGreaterThanOrEqual(90)
    expect(new Set(pauses).size).toBeGreaterThan(20)
  })

  it('a call is not repeated after an error that does not pass', async () => {
    const attempt = vi.fn(failing)
    await expect(repeated(new Error('first'), (error) => String(error).includes('first'), attempt)).rejects.toThrow(
      'again',
    )
    expect(attempt).toHaveBeenCalledTimes(1)
  })

  it('a call is not repeated after ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const attempt = vi.fn(() => {
      vi.setSystemTime(Date.now() + 10_001)
      return failing()
    })
    await expect(repeated(new Error('first'), always, attempt)).rejects.toThrow('again')
    expect(attempt).toHaveBeenCalledTimes(1)
  })
})
