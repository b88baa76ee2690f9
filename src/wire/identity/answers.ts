/** Answers of the embedded identity: how entities, collections and failures are put on the wire. */
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { IdentityFault, identityTitles } from '../../state/identity/faults.ts'
import type { Service } from '../http/context.ts'
import { respond, setHeader } from '../http/response.ts'

/** Base of all links of the identity. */
export const identityUrl = (c: Context<Service>): string => `${c.var.base}/identity/v3`

/** JSON of Keystone's media type, without a charset. */
export function json(c: Context<Service>, status: ContentfulStatusCode, value: unknown): Response {
  return respond(c, status, JSON.stringify(value), 'application/json')
}

/** Success without a body: 204. */
export const noContent = (c: Context<Service>): Response => respond(c, 204, null)

/** The link of an entity to itself; `path` is below the base of the identity. */
export const linkTo = (c: Context<Service>, path: string) => ({ links: { self: `${identityUrl(c)}/${path}` } })

/** A whole collection: nothing is paged, as in Keystone without a list limit. */
export function collection(c: Context<Service>, member: string, items: readonly unknown[]): Response {
  const self = c.var.base + c.req.path + new URL(c.req.url).search
  return json(c, 200, { [member]: items, links: { next: null, self, previous: null } })
}

/** The answer to a failure of the identity, in Keystone's form. Throws other errors, which the service answers. */
export function answerIdentityFailure(error: Error, c: Context<Service>): Response {
  if (!(error instanceof IdentityFault)) throw error
  const { status, message, retrySeconds } = error
  if (retrySeconds !== undefined) setHeader(c, 'Retry-After', String(retrySeconds))
  if (status === 401) setHeader(c, 'WWW-Authenticate', `Keystone uri="${identityUrl(c)}"`)
  return json(c, status, { error: { code: status, message, title: identityTitles[status] } })
}

/** The answer for an unknown path: that of the framework on which Keystone is built. */
export function answerUnknownPath(c: Context<Service>): Response {
  const text =
    'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.'
  const page = `<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>${text}</p>\n`
  return respond(c, 404, page, 'text/html; charset=UTF-8')
}

/** The answer for a known path without an operation for the method. */
export function answerMethodNotAllowed(c: Context<Service>, allowed: readonly string[]): Response {
  setHeader(c, 'Allow', allowed.join(', '))
  return json(c, 405, { message: 'The method is not allowed for the requested URL.' })
}
