/**
 * What the URL of a request says. Most URLs need no parser to be read, and one is dear: it is an object of the platform,
 * which has to be freed again.
 */
import { fault } from '../../faults.ts'

/** Origin, path and query of a URL that a parser would leave as it is. */
const PLAIN = /^(https?:\/\/[\w.:[\]-]+)((?:\/[\w-]+)+)(?:\?|$)/

/** The path without empty segments and with encoded slashes as slashes, as the peer routes it. */
export function routedPath({ url }: { readonly url: string }): string {
  const plain = PLAIN.exec(url)?.[2]
  if (plain !== undefined) return plain
  const path = new URL(url).pathname.replaceAll(/%2f/gi, '/').replaceAll(/\/{2,}/g, '/')
  return path.length > 1 ? path.replace(/\/$/, '') : path
}

/** The origin that was parsed last. Requests of one isolate mostly have the same. */
let last = { given: '', origin: '' }

/** Scheme, host and port. */
export function originOf(url: string): string {
  const given = PLAIN.exec(url)?.[1]
  if (given === undefined) return new URL(url).origin
  if (given !== last.given) last = { given, origin: new URL(url).origin }
  return last.origin
}

/** Nobody changes it. */
const NO_QUERY = new URLSearchParams()

/** Query parameters; throws `notUtf8` when a percent-encoded one is not UTF-8. */
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
