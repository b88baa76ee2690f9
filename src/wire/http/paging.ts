/** Pagination: the parameters `limit`, `offset` and `marker`, and the links to the previous and next page. */
import { parseInteger } from './python.ts'

/** Page size if the request has no valid `limit`. */
export const DEFAULT_LIMIT = 10
/** Maximum page size. */
export const MAX_LIMIT = 100

const LAST_OFFSET = 2n ** 63n - 1n

export interface Page {
  /** 1 to {@link MAX_LIMIT}. */
  readonly limit: number
  /** Number of rows before the page, at most `Number.MAX_SAFE_INTEGER`. */
  readonly offset: number
}

export interface MarkedPage extends Page {
  /** The id of the entry before the page. Empty: the first page. Undefined: the request pages by offset. */
  readonly marker: string | undefined
}

/** The size of a page. It never throws: other values get the default, and what is out of range the nearest bound. */
export function limit(values: readonly string[]): number {
  const asked = parseInteger(values.at(-1) ?? '')
  if (asked === null) return DEFAULT_LIMIT
  return Math.min(Math.max(Number(asked), 1), MAX_LIMIT)
}

/** How many entries precede the page. It never throws: other values count as 0. */
export function offset(values: readonly string[]): number {
  const asked = parseInteger(values.at(-1) ?? '') ?? 0n
  if (asked < 0n || asked > LAST_OFFSET) return 0
  return Math.min(Number(asked), Number.MAX_SAFE_INTEGER)
}

/** The marker of a page: the last value, which may be empty. */
export const marker = (values: readonly string[]): string | undefined => values.at(-1)

/** The parameters of a collection with pages. */
export const pageQuery = { limit, offset }

/** Those of a collection that supports markers. The offset counts from the marker. */
export const markedQuery = { limit, offset, marker }

/** A page that was read, and the request for it. */
export interface PageOfCollection {
  /** Absolute URL of the collection, without a query. */
  readonly href: string
  /** The query of the request. */
  readonly search: URLSearchParams
  readonly page: Page
  /** Number of entries on this page. */
  readonly count: number
  /** Number of entries of the collection that match the filters. */
  readonly total: number
  /** The marker of the next page, null if there is none; undefined if the request pages by offset. */
  readonly nextMarker?: string | null | undefined
  /** Whether an empty page links to the previous one, which in Barbican only project quotas do. */
  readonly previousFromEmptyPage?: boolean
}

/**
 * Returns the marker of the page after `page`, which is the id of its last entry, or null if it is the last page.
 * Returns undefined if the request pages by offset.
 */
export function markerAfter(
  page: MarkedPage,
  { items, more }: { readonly items: readonly { readonly id: string }[]; readonly more: boolean },
): string | null | undefined {
  if (page.marker === undefined) return undefined
  return (more && items.at(-1)?.id) || null
}

interface PageLinks {
  readonly previous?: string
  readonly next?: string
}

/**
 * Returns links to the adjacent pages that exist. A link has `limit` and `offset` first, then all other parameters of
 * the request in their order, so that it keeps the filters. If the request pages by marker, the link to the next page
 * has the next marker instead of an offset.
 */
export function pageLinks(read: PageOfCollection): PageLinks {
  const { page, count, total, nextMarker, previousFromEmptyPage = false } = read
  const empty = count === 0
  const hasPrevious = page.offset > 0 && (!empty || previousFromEmptyPage)
  const hasNext = total > page.offset + page.limit && !empty
  const previous = hasPrevious && linkTo(read, { offset: Math.max(0, page.offset - page.limit) })
  const next =
    nextMarker === undefined
      ? hasNext && linkTo(read, { offset: page.offset + page.limit })
      : nextMarker !== null && linkTo(read, { marker: nextMarker })
  return { ...(previous && { previous }), ...(next && { next }) }
}

type Position = { readonly offset: number } | { readonly marker: string }

function linkTo({ href, search, page }: PageOfCollection, position: Position): string {
  const own = { limit: page.limit, ...position }
  const others = [...search].filter(([name]) => !Object.hasOwn(own, name) && name !== 'offset')
  const parameters = [...Object.entries(own), ...others]
  return `${href}?${parameters.map(([name, value]) => `${quotePlus(name)}=${quotePlus(String(value))}`).join('&')}`
}

/** Percent-encodes text like Python's `quote_plus`: letters, digits and `_.-~` are kept, a space becomes `+`. */
function quotePlus(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
