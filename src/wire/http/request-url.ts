/**
 * Extracts parts of the request's URL. Most URLs are matched by a regular expression, because `URL` is expensive: each
 * instance is a platform object, which has to be freed.
 */
import { fault } from '../../faults.ts'

/** Matches the origin and the path of a URL that the URL parser would not change. */
const PLAIN = /^(https?:\/\/[\w.:[\]-]+)((?:\/[\w-]+)+)(?:\?|$)/

/** The origin of URLs that the parser refuses; `originOf` never returns it. */
const NO_ORIGIN = 'http://invalid'

/** Parses a URL. If its authority is invalid, only path and query are those of the URL. */
function parsed(url: string): URL {
  return URL.parse(url) ?? new URL(/^[a-z]+:\/\/[^/?#\\]*(.*)$/s.exec(url)?.[1] ?? '', NO_ORIGIN)
}

/** Unreserved characters of RFC 3986: encoded and plain spelling are equivalent, also in Barbican. */
const ENCODED_UNRESERVED = /%(?:2d|2e|3[0-9]|4[1-9a-f]|5[0-9a]|5f|6[1-9a-f]|7[0-9a]|7e)/gi

/**
 * Returns the path to route: encoded slashes and unreserved characters are decoded, once, and empty segments removed, as
 * in Barbican.
 */
export function routedPath({ url }: { readonly url: string }): string {
  const plain = PLAIN.exec(url)?.[2]
  if (plain !== undefined) return plain
  const path = parsed(url)
    .pathname.replaceAll(ENCODED_UNRESERVED, (encoded) => decodeURIComponent(encoded))
    .replaceAll(/%2f/gi, '/')
    .replaceAll(/\/{2,}/g, '/')
  return path.length > 1 ? path.replace(/\/$/, '') : path
}

/** The last parsed origin, cached because most requests of an isolate have the same one. */
let last = { prefix: '', origin: '' }

/** A name, an IPv4 address or an IPv6 address, with or without a port, as the parser normalises it. */
const AUTHORITY = /^(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_.])?|\[[0-9a-f:.]+\])(?::\d+)?$/

/**
 * Returns scheme, host and port. Throws `hostInvalid` for any other authority: the parser accepts quotation marks, for
 * example, which must not get into headers and hrefs.
 */
export function originOf(url: string): string {
  const prefix = PLAIN.exec(url)?.[1]
  if (prefix !== undefined && prefix === last.prefix) return last.origin
  const { origin, host, username, password } = parsed(url)
  if (origin === NO_ORIGIN || username || password || !AUTHORITY.test(host)) throw fault('hostInvalid')
  if (prefix !== undefined) last = { prefix, origin }
  return origin
}

const LOOPBACK = /^https?:\/\/(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/

/** Reports whether only this machine can reach an origin. */
export const isLoopback = (origin: string): boolean => LOOPBACK.test(origin)

/** How a request came: encrypted, from this machine, or readable for whoever carries it. */
export type Transport = 'https' | 'loopback' | 'http'

/** The transport of the last origin, cached for the same reason as {@link last}. */
let lastTransport: { prefix: string; transport: Transport } = { prefix: '', transport: 'http' }

/** Returns how a request came. A URL whose authority is invalid is not that of a loopback address. */
export function transportOf(url: string): Transport {
  const prefix = PLAIN.exec(url)?.[1]
  if (prefix !== undefined && prefix === lastTransport.prefix) return lastTransport.transport
  const encrypted = /^https:/i.test(url) ? 'https' : 'http'
  const transport = isLoopback(parsed(url).origin) ? 'loopback' : encrypted
  if (prefix !== undefined) lastTransport = { prefix, transport }
  return transport
}

/** Shared by all requests without a query; it must not be modified. */
const NO_QUERY = new URLSearchParams()

/** Returns the query parameters. Throws `notUtf8` if a percent-encoded sequence is not UTF-8. */
export function queryOf(url: string): URLSearchParams {
  if (!url.includes('?')) return NO_QUERY
  const { search, searchParams } = parsed(url)
  for (const [escaped] of search.matchAll(/(?:%[0-9a-f]{2})+/gi)) {
    try {
      decodeURIComponent(escaped)
    } catch {
      throw fault('notUtf8')
    }
  }
  return searchParams
}
