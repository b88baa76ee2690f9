/** Bounded caches of an isolate. What they hold are values alone: requests never share promises or I/O. */
import { LRUCache } from 'lru-cache'

interface Bounds<Value> {
  readonly entries: number
  /** The age at which an entry is evicted; left out: none. */
  readonly seconds?: number
  /** The bytes of all entries together, and how many one has; left out: not counted. */
  readonly bytes?: { readonly most: number; readonly of: (value: Value) => number }
}

/** A cache that evicts what was used least recently. Ages are by the clock of `Date`. */
export function boundedCache<Value extends {}>({ entries, seconds, bytes }: Bounds<Value>): LRUCache<string, Value> {
  return new LRUCache<string, Value>({
    max: entries,
    ...(seconds !== undefined && { ttl: seconds * 1000, ttlResolution: 0, perf: Date }),
    ...(bytes && { maxSize: bytes.most, sizeCalculation: (value: Value) => Math.max(1, bytes.of(value)) }),
  })
}

/** A cache for each owner, such as the keyring that its values were made with; it ends with its owner. */
export function cacheOf<Value extends {}>(bounds: Bounds<Value>): (owner: WeakKey) => LRUCache<string, Value> {
  const caches = new WeakMap<WeakKey, LRUCache<string, Value>>()
  return (owner) => {
    const known = caches.get(owner) ?? boundedCache(bounds)
    caches.set(owner, known)
    return known
  }
}
