/**
 * Extracts parts of the request's URL. Most URLs are matched by a regular expression, because `URL` is expensive: each
 * instance is a platform object, which has to be freed.
 */
import { fault } from '../../faults.ts'

/** Matches the origin and the path of a URL that the URL parser would not change. */
const PLAIN = /^(https?:\/\/[\w.:[\]-]+)((?:\/[\w-]+)+)(?:\?|$)/

/** Returns the path to route: encoded slashes are decoded and empty segments removed, as in Barbican. */
export function routedPath({ url }: { readonly url: string }): string {
  const plain = PLAIN.exec(url)?.[2]
  if (plain !== undefined) return plain
  const path = new URL(url).pathname.replaceAll(/%2f/gi, '/').replaceAll(/\/{2,}/g, '/')
  return path.length > 1 ? path.replace(/\/$/, '') : path
}

/** The last parsed origin, cached because most requests of an isolate have the same one. */
let last = { prefix: '', origin: '' }

/** Returns scheme, host and port. */
export function originOf(url: string): string {
  const prefix = PLAIN.exec(url)?.[1]
  if (prefix === undefined) return new URL(url).origin
  if (prefix !== last.prefix) last = { prefix, origin: new URL(url).origin }
  return last.origin
}

/** Shared by all requests without a query; it must not be modified. */
const NO_QUERY = new URLSearchParams()

/** Returns the query parameters. Throws `notUtf8` if a percent-encoded sequence is not UTF-8. */
export function queryOf(url: string): URLSearchParams {
  if (!url.includes('?')) return NO_QUERY
  const { search, searchParams } = new URL(url)
  for (const [escaped] of search.matchAll(/(?:%[0-9a-f]{2})+/gi)) {
    try {
      decodeURIComponent(escaped)
    } catch {
      throw fault('notUtf8')
    }
  }
  return searchParams
}
