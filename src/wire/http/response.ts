/**
 * Creates responses. Headers are collected as plain data until then, because Hono's `c.header` and `c.body` create a
 * platform `Headers` object, and `c.header` after the response creates a second `Response`.
 */
import type { Context } from 'hono'
import type { Service } from './context.ts'

/**
 * Carries the D1 bookmark of the newest state a client has observed: writes return it, and the client's reads send it.
 */
export const BOOKMARK_HEADER = 'X-D1-Bookmark'

/** Sets a header of the response, also of an error response. A later value replaces an earlier one. */
export function setHeader(c: Context<Service>, name: string, value: string): void {
  const headers = c.get('headers')
  if (headers) headers[name] = value
  else c.set('headers', { [name]: value })
}

function bookmarkOf(c: Context<Service>, status: number): string | null {
  const isWrite = c.req.method !== 'GET' && c.get('readsOnly') !== true && status < 300
  return (isWrite && c.get('backend')?.db.observed.bookmark) || null
}

/**
 * Creates the response. `contentType` is omitted for responses without a body. All writes of the request must be
 * complete, because the response carries their bookmark.
 */
export function respond(
  c: Context<Service>,
  status: number,
  body: string | Uint8Array<ArrayBuffer> | null,
  contentType?: string,
): Response {
  const headers: Record<string, string> = { ...c.get('headers') }
  if (contentType !== undefined) headers['Content-Type'] = contentType
  const bookmark = bookmarkOf(c, status)
  if (bookmark !== null) headers[BOOKMARK_HEADER] = bookmark
  return new Response(body, { status, headers })
}
