/** Answers: how JSON, pages and payloads are put on the wire. */
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Service } from './context.ts'
import { respond, setHeader } from './response.ts'
import type { ReadPage } from '../../state/database/pages.ts'
import { markerAfter, pageLinks, type MarkedPage, type PageOfCollection } from './paging.ts'
import type { Refs } from './refs.ts'

const escape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** JSON as the peer writes it: `application/json` without charset, everything beyond ASCII escaped. */
export function json(c: Context<Service>, status: ContentfulStatusCode, value: unknown): Response {
  const text = JSON.stringify(value).replace(/[\u007f-\uffff]/g, escape)
  return respond(c, status, text, 'application/json')
}

/** Answers that a resource was made: its ref in the body and as `Location`. */
export function created(c: Context<Service>, status: 201 | 202, member: string, ref: string): Response {
  setHeader(c, 'Location', ref)
  return json(c, status, { [member]: ref })
}

/** Answers that it is done: 204. */
export const noContent = (c: Context<Service>): Response => respond(c, 204, null)

/** One page of a collection: the items, links to its neighbours, and how many there are in all. */
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
