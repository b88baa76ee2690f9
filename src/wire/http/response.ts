/**
 * Creates responses. Headers are collected as plain data until then, because Hono's `c.header` and `c.body` create a
 * platform `Headers` object, and `c.header` after the response creates a second `Response`.
 */
import type { Context } from 'hono'
import { millisecondsOf } from '../../times.ts'
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

/** The age of what a read is based on, in seconds, rounded up (RFC 9111 section 5.1); null if it read nothing stored. */
function ageOf(c: Context<Service>, status: number): number | null {
  const { db, now } = c.get('backend') ?? {}
  if (!db?.asOf || !now || c.get('readsOnly') !== true || status >= 300) return null
  return Math.max(0, Math.ceil((millisecondsOf(now) - millisecondsOf(db.asOf)) / 1000))
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
  const age = ageOf(c, status)
  if (age !== null) headers['Age'] = String(age)
  return new Response(body, { status, headers })
}
