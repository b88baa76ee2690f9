/** Bounded caches: entries, bytes and age each have a limit, and owners do not share entries. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { boundedCache, cacheOf } from '../../src/cache.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

describe('a bounded cache', () => {
  it('a cache evicts the entry that was used least recently when there are too many', () => {
    const cache = boundedCache<number>({ entries: 2 })
    cache.set('a', 1)
    cache.set('b', 2)
    cache.get('a')
    cache.set('c', 3)
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3])
  })

  it('a cache evicts entries when they have too many bytes together, and takes none that is too large alone', () => {
    const cache = boundedCache<string>({ entries: 100, bytes: { most: 10, of: (text) => text.length } })
    cache.set('a', 'four')
    cache.set('b', 'seven..')
    expect([cache.get('a'), cache.get('b')]).toEqual([undefined, 'seven..'])
    cache.set('c', 'more than ten bytes')
    expect(cache.get('c')).toBeUndefined()
  })

  it('a cache evicts entries at their age, by the clock of Date', () => {
    const cache = boundedCache<number>({ entries: 2, seconds: 10 })
    cache.set('a', 1)
    vi.setSystemTime(Date.now() + 9_999)
    expect(cache.get('a')).toBe(1)
    vi.setSystemTime(Date.now() + 2)
    expect(cache.get('a')).toBeUndefined()
  })

  it('each owner has a cache of its own', () => {
    const of = cacheOf<number>({ entries: 2 })
    const [one, other] = [{}, {}]
    of(one).set('a', 1)
    expect([of(one).get('a'), of(other).get('a')]).toEqual([1, undefined])
  })
})
