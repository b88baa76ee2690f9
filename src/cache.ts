/** Bounded caches of an isolate. They hold only values, because requests of a Worker must not share promises or I/O. */
import { LRUCache } from 'lru-cache'

interface Bounds<Value> {
  readonly entries: number
  /** The age at which an entry is evicted; without it, entries do not expire. */
  readonly seconds?: number
  /** The limit for all entries together, in bytes, and the size of one value; without it, sizes are not limited. */
  readonly bytes?: { readonly most: number; readonly of: (value: Value) => number }
}

/**
 * Creates a cache that evicts the least recently used entry when a bound is exceeded. `Date` measures the ages. Both
 * bounds are one budget of shares, of which an entry takes at least one. The library's own bound of entries is not used,
 * because it allocates the memory for all of them at once, in each cold start.
 */
export function boundedCache<Value extends {}>({ entries, seconds, bytes }: Bounds<Value>): LRUCache<string, Value> {
  const shares = (value: Value) => (bytes ? Math.ceil((bytes.of(value) * entries) / bytes.most) : 1)
  return new LRUCache<string, Value>({
    maxSize: entries,
    sizeCalculation: (value: Value) => Math.max(1, shares(value)),
    ...(seconds !== undefined && { ttl: seconds * 1000, ttlResolution: 0, perf: { now: () => Date.now() } }),
  })
}

/**
 * Returns a function that returns the cache of an owner and creates it on first use. The owner is, for example, the
 * keyring that the values were derived from. A cache is garbage-collected with its owner.
 */
export function cacheOf<Value extends {}>(bounds: Bounds<Value>): (owner: WeakKey) => LRUCache<string, Value> {
  const caches = new WeakMap<WeakKey, LRUCache<string, Value>>()
  return (owner) => {
    const cache = caches.get(owner) ?? boundedCache(bounds)
    caches.set(owner, cache)
    return cache
  }
}
