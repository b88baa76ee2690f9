/**
 * How a response is made, with the headers that the request gave cause for. They are plain data until then: Hono's
 * `c.header` and `c.body` make an object of the platform for them, and `c.header` after the response a second response.
 */
import type { Context } from 'hono'
import type { Service } from './context.ts'

/** The bookmark of the newest state that the client has observed: returned with every write, sent back by its reads. */
export const BOOKMARK_HEADER = 'X-D1-Bookmark'

/** Gives the response to come a header, whatever it will be; a later value takes the place of an earlier one. */
export function setHeader(c: Context<Service>, name: string, value: string): void {
  const headers = c.get('headers')
  if (headers) headers[name] = value
  else c.set('headers', { [name]: value })
}

function bookmarkOf(c: Context<Service>, status: number): string | null {
  const isWrite = c.req.method !== 'GET' && status < 300
  return (isWrite && c.get('backend')?.db.observed.bookmark) || null
}

/** The response; `contentType` stays out where there is no body. Whatever is written must have been by now. */
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
