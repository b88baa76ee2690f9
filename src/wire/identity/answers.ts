/** Builds the responses of the embedded identity: entities, collections and failures. */
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Shapes } from '../../shapes/index.ts'
import { IdentityFault, identityTitles } from '../../state/identity/faults.ts'
import type { Service } from '../http/context.ts'
import { respond, setHeader } from '../http/response.ts'

/** Returns the base URL of the identity API. */
export const identityUrl = (c: Context<Service>): string => `${c.var.base}/identity/v3`

/** Returns a JSON response with Keystone's media type, which has no charset. */
export function json(c: Context<Service>, status: ContentfulStatusCode, value: unknown): Response {
  return respond(c, status, JSON.stringify(value), 'application/json')
}

/** Returns a response without a body: 204. */
export const noContent = (c: Context<Service>): Response => respond(c, 204, null)

/** Returns the `links` member of an entity; `path` is relative to {@link identityUrl}. */
export const linkTo = (c: Context<Service>, path: string) => ({ links: { self: `${identityUrl(c)}/${path}` } })

/** The entries of collections, by the member that has them. */
interface Collections {
  readonly users: Shapes['User']
  readonly projects: Shapes['Project']
  readonly roles: Shapes['Role']
  readonly role_assignments: Shapes['RoleAssignment']
  readonly application_credentials: Shapes['ApplicationCredential']
  readonly domains: Shapes['Domain']
  readonly services: Shapes['IdentityService']
  readonly endpoints: Shapes['IdentityEndpoint']
  readonly regions: Shapes['Region']
}

/** Returns a whole collection. It is not paginated, as in Keystone without a list limit. */
export function collection<Member extends keyof Collections>(
  c: Context<Service>,
  member: Member,
  items: readonly Collections[Member][],
): Response {
  const self = c.var.base + c.req.path + new URL(c.req.url).search
  return json(c, 200, { [member]: items, links: { next: null, self, previous: null } })
}

/**
 * Returns the response for an {@link IdentityFault} in Keystone's format. Rethrows other errors for the app's handler.
 */
export function answerIdentityFailure(error: Error, c: Context<Service>): Response {
  if (!(error instanceof IdentityFault)) throw error
  const { status, message, retrySeconds } = error
  if (retrySeconds !== undefined) setHeader(c, 'Retry-After', String(retrySeconds))
  if (status === 401) setHeader(c, 'WWW-Authenticate', `Keystone uri="${identityUrl(c)}"`)
  return json(c, status, { error: { code: status, message, title: identityTitles[status] } })
}

/** Returns the 404 response for an unknown path, as Flask does, the framework of Keystone. */
export function answerUnknownPath(c: Context<Service>): Response {
  const text =
    'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.'
  const page = `<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>${text}</p>\n`
  return respond(c, 404, page, 'text/html; charset=UTF-8')
}

/** Returns the 405 response for a known path without an operation for the method. */
export function answerMethodNotAllowed(c: Context<Service>, allowed: readonly string[]): Response {
  setHeader(c, 'Allow', allowed.join(', '))
  return json(c, 405, { message: 'The method is not allowed for the requested URL.' })
}
