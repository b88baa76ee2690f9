/** Builds responses: JSON documents, refs of created resources, and the members of pages beside their entries. */
import type { Context } from 'hono'
import type { Service } from './context.ts'
import { respond, setHeader } from './response.ts'
import type { ReadPage } from '../../state/database/pages.ts'
import { markerAfter, pageLinks, type MarkedPage, type PageOfCollection } from './paging.ts'
import type { Refs } from './refs.ts'

const escape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/**
 * Returns a JSON response as Barbican writes it: `application/json` without a charset, non-ASCII characters escaped.
 */
export function json(c: Context<Service>, status: number, value: unknown): Response {
  const text = JSON.stringify(value).replace(/[\u007f-\uffff]/g, escape)
  return respond(c, status, text, 'application/json')
}

/** Sets the `Location` of a created resource and returns it. */
export function located(c: Context<Service>, ref: string): string {
  setHeader(c, 'Location', ref)
  return ref
}

/** The members of a page beside its entries: links to the adjacent pages, and the total count. */
export const pageEnd = (read: PageOfCollection) => ({ ...pageLinks(read), total: read.total })

/** What a handler of a list has of its call. */
interface ListCall {
  readonly search: URLSearchParams
  readonly refs: Refs
  readonly query: MarkedPage
}

/** The members of a page of a collection with markers. */
export function listEnd(
  { search, refs, query }: ListCall,
  collection: 'secrets' | 'containers' | 'orders',
  read: ReadPage<{ readonly id: string }>,
) {
  const { items, total } = read
  const nextMarker = markerAfter(query, read)
  return pageEnd({ href: refs.to(collection), search, page: query, count: items.length, total, nextMarker })
}
