/** The parts of a secrets listing's query that have a grammar of their own: date filters, the order, and `bits`. */
import { fault } from '../faults.ts'
import { sortNames, type Comparison, type SortTerm, type TimeTerm } from '../state/secrets/secret-list.ts'
import { parseTime } from '../times.ts'
import { parseInteger } from './http/python.ts'

const comparisons = ['eq', 'gt', 'gte', 'lt', 'lte'] as const satisfies readonly Comparison[]

/** Terms that contradict or repeat each other: of each of these sets a filter may use one member, once. */
const exclusive: readonly (readonly Comparison[])[] = [
  ['gt', 'gte'],
  ['lt', 'lte'],
  ['eq', 'gte'],
  ['eq', 'lte'],
]

/**
 * The conditions of a filter such as `gt:2026-01-01,lte:2026-02-01`, all of which must hold; none for the empty value.
 * Throws `queryParameters` for anything outside the grammar and for terms that exclude each other.
 */
export function parseDateFilter(value: string): TimeTerm[] {
  if (value === '') return []
  const terms = value.split(',').map(parseTerm)
  const crowded = exclusive.some((set) => terms.filter(({ comparison }) => set.includes(comparison)).length > 1)
  if (crowded) throw fault('queryParameters')
  return terms
}

function parseTerm(term: string): TimeTerm {
  const comparison = comparisons.find((prefix) => prefix !== 'eq' && term.startsWith(`${prefix}:`)) ?? 'eq'
  const time = parseTime(comparison === 'eq' ? term : term.slice(comparison.length + 1))
  if (time === null) throw fault('queryParameters')
  return { comparison, time }
}

/**
 * The order that a value such as `name,created:desc` asks for, the most significant key first; empty for the empty value.
 * Throws `queryParameters` for unknown keys and directions, empty elements and repeated keys.
 */
export function parseSort(value: string): SortTerm[] {
  if (value === '') return []
  const keys = value.split(',').map(parseSortKey)
  if (new Set(keys.map(({ key }) => key)).size < keys.length) throw fault('queryParameters')
  return keys
}

function parseSortKey(element: string): SortTerm {
  const [name, direction = 'asc', ...rest] = element.split(':')
  const key = sortNames.find((known) => known === name)
  if (!key || (direction !== 'asc' && direction !== 'desc') || rest.length > 0) throw fault('queryParameters')
  return { key, direction }
}

/** The bit length to filter by, or null for no filter: what is no integer, zero and negative numbers do not filter. */
export function parseBits(value: string): number | null {
  const bits = parseInteger(value)
  return bits === null || bits <= 0n ? null : Math.min(Number(bits), Number.MAX_SAFE_INTEGER)
}
