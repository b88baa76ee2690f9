/** Error responses: formats every thrown error as the part of the API does in which it occurred. */
import type { Context } from 'hono'
import { routePath } from 'hono/route'
import { Fault, fault, titles, type FailureName } from '../../faults.ts'
import { factsOf, logProblem } from '../../log.ts'
import { rootErrorForm } from './accept.ts'
import { json } from './answers.ts'
import type { Service } from './context.ts'
import { respond, setHeader } from './response.ts'
import { escapeHtml, MicroversionRefused, refusalBody } from './microversion.ts'

/** A quoted string of HTTP (RFC 9110 section 5.6.4). */
const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`

/**
 * Returns the 401 response. Barbican wraps this failure, and no other, in `error`. The members beside `error` are those
 * of all other failures, and prevent a KeyError in clients that read them unconditionally.
 */
function answerUnauthenticated(c: Context<Service>, failed: Fault): Response {
  const { identity, keystoneUrl } = c.var.config
  const uri = identity === 'keystone' ? keystoneUrl : `${c.var.base}/identity`
  setHeader(c, 'WWW-Authenticate', `Keystone uri=${quoted(uri)}`)
  const title = titles[401]
  const message = failed.describe('')
  return json(c, 401, { error: { code: 401, title, message }, code: 401, title, description: message })
}

/** Returns the message of a failure outside `/v1` and `/admin`. */
function rootText(c: Context<Service>, failed: Fault): string {
  if (failed.status === 404) return 'The resource could not be found.'
  if (failed.status === 405) return `The method ${c.req.method} is not allowed for this resource. `
  if (failed.status !== 406) return failed.describe('') ?? ''
  return `The resource could not be generated that was acceptable to your browser (content of type ${c.req.header('Accept')}. `
}

/** Returns the response for a failure outside `/v1` and `/admin`: plain text, HTML or JSON, as `Accept` requests. */
function answerRootFailure(c: Context<Service>, failed: Fault): Response {
  const title = titles[failed.status]
  const heading = `${failed.status} ${title}`
  switch (rootErrorForm(c.req.header('Accept'))) {
    case 'json':
      return json(c, failed.status, { code: failed.status, title, description: failed.describe('') })
    case 'html': {
      const text = escapeHtml(rootText(c, failed))
      const page = `<html>\n <head>\n  <title>${heading}</title>\n </head>\n <body>\n  <h1>${heading}</h1>\n  ${text}\n </body>\n</html>`
      return respond(c, failed.status, page, 'text/html; charset=UTF-8')
    }
    case 'text': {
      const text = `${heading}\n\n${rootText(c, failed)}\n`
      return respond(c, failed.status, text, 'text/plain; charset=UTF-8')
    }
  }
}

/** Log events by error name: errors caused by stored data have events of their own. */
const events: Readonly<Record<string, string>> = {
  SealError: 'value not decrypted',
  RowRefused: 'row refused',
}

/** Failures of the platform that were repeated in vain, or that must not be repeated. */
const ofPlatform: ReadonlySet<FailureName> = new Set(['unavailable', 'overloaded'])
const isOfPlatform = (error: unknown): error is Fault => error instanceof Fault && ofPlatform.has(error.failure)

/** Whether the failure is the service's or the platform's, so that somebody should look at it. */
export const isUnexpected = (error: unknown): boolean => !(error instanceof Fault) || isOfPlatform(error)

/** Logs an unexpected error. The entry contains no value that a client sent or that was stored. */
export function logUnexpectedIn(operation: string, route: string, error: unknown): void {
  if (isOfPlatform(error)) {
    const [cause] = error.details
    logProblem({ event: 'storage unavailable', failure: error.failure, cause, operation, route })
    return
  }
  const facts = factsOf(error)
  const event = events[facts.error] ?? 'unexpected failure'
  logProblem({ event, operation, route, ...facts })
}

/** Logs an unexpected error of a request. The pattern of the route is logged, because a client chooses the path. */
export function logUnexpected(c: Context<Service>, error: unknown): void {
  logUnexpectedIn(c.var.operation, routePath(c, -1), error)
}

/**
 * Returns the response for any thrown error. Errors other than {@link Fault} are logged and reported as 500, and those of
 * the platform as 503.
 */
export function answerFailure(error: Error, c: Context<Service>): Response {
  if (error instanceof MicroversionRefused) {
    const { contentType, body } = refusalBody(error, c.req.header('Accept'))
    return respond(c, error.status, body, contentType)
  }
  if (isUnexpected(error)) logUnexpected(c, error)
  const failed = error instanceof Fault ? error : fault('unexpected')
  if (failed.retrySeconds !== undefined) setHeader(c, 'Retry-After', String(failed.retrySeconds))
  if (failed.status === 401) return answerUnauthenticated(c, failed)
  const isResourcePath = /^\/(v1|admin)(\/|$)/.test(c.req.path)
  if (!isResourcePath && failed.status < 500) return answerRootFailure(c, failed)
  const description = failed.describe(c.var.operation ?? 'Request')
  return json(c, failed.status, {
    code: failed.status,
    title: titles[failed.status],
    description,
  })
}
