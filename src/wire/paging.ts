/** Pages of collections: `limit` and `offset`, and the links to the pages before and after. */
import { parseInteger } from './python.ts'

/** Entries on a page when the client does not say. */
export const DEFAULT_LIMIT = 10
/** Entries on a page at most. */
export const MAX_LIMIT = 100

const LAST_OFFSET = 2n ** 63n - 1n

export interface Page {
  /** 1 to {@link MAX_LIMIT}. */
  readonly limit: number
  /** Rows before the page, at most the largest safe integer. */
  readonly offset: number
}

/** The page that the query asks for. Never a failure: what is no integer or out of range is replaced or clamped. */
export function parsePage(query: URLSearchParams): Page {
  return { limit: limitOf(query.getAll('limit').at(-1)), offset: offsetOf(query.getAll('offset').at(-1)) }
}

function limitOf(given = ''): number {
  const limit = parseInteger(given)
  if (limit === null) return DEFAULT_LIMIT
  return Math.min(Math.max(Number(limit), 1), MAX_LIMIT)
}

function offsetOf(given = ''): number {
  const offset = parseInteger(given) ?? 0n
  if (offset < 0n || offset > LAST_OFFSET) return 0
  return Math.min(Number(offset), Number.MAX_SAFE_INTEGER)
}

/** A page as it was read. */
export interface PageOfCollection {
  /** Absolute address of the collection, without a query. */
  readonly href: string
  /** The query of the request. */
  readonly query: URLSearchParams
  readonly page: Page
  /** Entries on this page. */
  readonly count: number
  /** Entries of the whole collection that match the filters. */
  readonly total: number
  /** Project quotas link back even from an empty page; no other collection does. */
  readonly previousFromEmptyPage?: boolean
}

export interface PageLinks {
  readonly previous?: string
  readonly next?: string
}

/**
 * Links to the neighbouring pages, as far as there are any: `limit` and `offset` first, then all other parameters of
 * the request in its order, so that following a link keeps the filters.
 */
export function pageLinks(read: PageOfCollection): PageLinks {
  const { page, count, total, previousFromEmptyPage = false } = read
  const empty = count === 0
  const back = page.offset > 0 && (!empty || previousFromEmptyPage)
  const forth = total > page.offset + page.limit && !empty
  return {
    ...(back && { previous: linkTo(read, Math.max(0, page.offset - page.limit)) }),
    ...(forth && { next: linkTo(read, page.offset + page.limit) }),
  }
}

function linkTo({ href, query, page }: PageOfCollection, offset: number): string {
  const others = [...query]
    .filter(([name]) => name !== 'limit' && name !== 'offset')
    .map(([name, value]) => `&${quotePlus(name)}=${quotePlus(value)}`)
  return `${href}?limit=${page.limit}&offset=${offset}${others.join('')}`
}

/** Form encoding as Python's `quote_plus` does it: letters, digits and `_.-~` stay, a space is `+`. */
function quotePlus(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
