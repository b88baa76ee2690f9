/** Pages of collections: `limit`, `offset` and `marker`, and the links to the pages before and after. */
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

export interface MarkedPage extends Page {
  /** The id of the entry that the page follows; empty: the page is the first; undefined: pages are not asked for so. */
  readonly marker: string | undefined
}

/** The page that the query of a collection with markers asks for: {@link parsePage} counts from the marker. */
export function parseMarkedPage(query: URLSearchParams): MarkedPage {
  return { ...parsePage(query), marker: query.getAll('marker').at(-1) }
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
  /** Of a page that a marker asked for: the marker of the page after it, null for none. */
  readonly nextMarker?: string | null | undefined
  /** Project quotas link back even from an empty page; no other collection does. */
  readonly previousFromEmptyPage?: boolean
}

/** The marker of the page after one that was `asked` for by marker, which is the last entry's id; null: there is none. */
export function markerAfter(
  asked: MarkedPage,
  { items, more }: { readonly items: readonly { readonly id: string }[]; readonly more: boolean },
): string | null | undefined {
  if (asked.marker === undefined) return undefined
  return (more && items.at(-1)?.id) || null
}

export interface PageLinks {
  readonly previous?: string
  readonly next?: string
}

/**
 * Links to the neighbouring pages, as far as there are any: `limit` and `offset` first, then all other parameters of
 * the request in its order, so that following a link keeps the filters. After a page that a marker asked for, the link
 * names the next marker in place of an offset.
 */
export function pageLinks(read: PageOfCollection): PageLinks {
  const { page, count, total, nextMarker, previousFromEmptyPage = false } = read
  const empty = count === 0
  const back = page.offset > 0 && (!empty || previousFromEmptyPage)
  const forth = total > page.offset + page.limit && !empty
  const previous = back && linkTo(read, { offset: Math.max(0, page.offset - page.limit) })
  const next =
    nextMarker === undefined
      ? forth && linkTo(read, { offset: page.offset + page.limit })
      : nextMarker !== null && linkTo(read, { marker: nextMarker })
  return { ...(previous && { previous }), ...(next && { next }) }
}

type Begin = { readonly offset: number } | { readonly marker: string }

function linkTo({ href, query, page }: PageOfCollection, begin: Begin): string {
  const own = { limit: page.limit, ...begin }
  const others = [...query].filter(([name]) => !Object.hasOwn(own, name) && name !== 'offset')
  const parameters = [...Object.entries(own), ...others]
  return `${href}?${parameters.map(([name, value]) => `${quotePlus(name)}=${quotePlus(String(value))}`).join('&')}`
}

/** Form encoding as Python's `quote_plus` does it: letters, digits and `_.-~` stay, a space is `+`. */
function quotePlus(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
