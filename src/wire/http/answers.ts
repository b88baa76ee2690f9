/** Builds responses: JSON documents, created resources, and pages of collections. */
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Service } from './context.ts'
import { respond, setHeader } from './response.ts'
import type { ReadPage } from '../../state/database/pages.ts'
import { markerAfter, pageLinks, type MarkedPage, type PageOfCollection } from './paging.ts'
import type { Refs } from './refs.ts'

const escape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/**
 * Returns a JSON response as Barbican writes it: `application/json` without a charset, non-ASCII characters escaped.
 */
export function json(c: Context<Service>, status: ContentfulStatusCode, value: unknown): Response {
  const text = JSON.stringify(value).replace(/[\u007f-\uffff]/g, escape)
  return respond(c, status, text, 'application/json')
}

/** Returns the response for a created resource, with its ref in the body, as `member`, and in `Location`. */
export function created(c: Context<Service>, status: 201 | 202, member: string, ref: string): Response {
  setHeader(c, 'Location', ref)
  return json(c, status, { [member]: ref })
}

/** Returns a response without a body: 204. */
export const noContent = (c: Context<Service>): Response => respond(c, 204, null)

/** Returns one page of a collection: the items as `member`, links to the adjacent pages, and the total count. */
export function page(
  c: Context<Service>,
  member: string,
  items: readonly unknown[],
  read: Omit<PageOfCollection, 'count'>,
): Response {
  const links = pageLinks({ ...read, count: items.length })
  return json(c, 200, { [member]: items, ...links, total: read.total })
}

/** What a handler of a list needs of its call. */
interface ListCall {
  readonly c: Context<Service>
  readonly query: URLSearchParams
  readonly refs: Refs
}

/** The page of a list that was asked for with {@link parseMarkedPage}, each item as `view` shows it. */
export function listed<Item extends { readonly id: string }>(
  { c, query, refs }: ListCall,
  collection: 'secrets' | 'containers' | 'orders',
  asked: MarkedPage,
  read: ReadPage<Item>,
  view: (item: Item) => unknown,
): Response {
  const { items, total } = read
  const nextMarker = markerAfter(asked, read)
  return page(c, collection, items.map(view), { href: refs.to(collection), query, page: asked, total, nextMarker })
}
