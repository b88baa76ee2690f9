/** Reads the structured query parameters of `GET /secrets`: date filters, the sort order, and `bits`. */
import { fault } from '../faults.ts'
import { sortNames, type Comparison, type SortTerm, type TimeTerm } from '../state/secrets/secret-list.ts'
import { parseTime } from '../times.ts'
import { parseInteger } from './http/python.ts'
import { given } from './http/query.ts'

const comparisons = ['eq', 'gt', 'gte', 'lt', 'lte'] as const satisfies readonly Comparison[]

/** Comparisons that exclude each other: a filter may contain at most one member of each set, once. */
const exclusive: readonly (readonly Comparison[])[] = [
  ['gt', 'gte'],
  ['lt', 'lte'],
  ['eq', 'gte'],
  ['eq', 'lte'],
]

/**
 * Reads a filter such as `gt:2026-01-01,lte:2026-02-01` into conditions that must all hold; an empty one has none.
 * Throws `queryParameters` for a value outside the grammar and for comparisons that exclude each other.
 */
export function dateFilter(values: readonly string[]): TimeTerm[] {
  const value = given(values)
  if (value === undefined) return []
  const terms = value.split(',').map(parseTerm)
  const contradictory = exclusive.some((set) => terms.filter(({ comparison }) => set.includes(comparison)).length > 1)
  if (contradictory) throw fault('queryParameters')
  return terms
}

function parseTerm(term: string): TimeTerm {
  const comparison = comparisons.find((prefix) => prefix !== 'eq' && term.startsWith(`${prefix}:`)) ?? 'eq'
  const time = parseTime(comparison === 'eq' ? term : term.slice(comparison.length + 1))
  if (time === null) throw fault('queryParameters')
  return { comparison, time }
}

/**
 * Reads a sort order such as `name,created:desc`, the most significant key first; an empty value has no keys. Throws
 * `queryParameters` for unknown keys and directions, empty elements and repeated keys.
 */
export function sortOrder(values: readonly string[]): SortTerm[] {
  const value = given(values)
  if (value === undefined) return []
  const keys = value.split(',').map(parseSortKey)
  if (new Set(keys.map(({ key }) => key)).size < keys.length) throw fault('queryParameters')
  return keys
}

function parseSortKey(element: string): SortTerm {
  const [name, direction = 'asc', ...rest] = element.split(':')
  const key = sortNames.find((sortName) => sortName === name)
  if (!key || (direction !== 'asc' && direction !== 'desc') || rest.length > 0) throw fault('queryParameters')
  return { key, direction }
}

/** Returns the bit length to filter by, or null for no filter, which any value but a positive integer means. */
export function bitLength(values: readonly string[]): number | null {
  const bits = parseInteger(given(values) ?? '')
  return bits === null || bits <= 0n ? null : Math.min(Number(bits), Number.MAX_SAFE_INTEGER)
}
