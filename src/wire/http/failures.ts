/** Failures on the wire: one place that puts a fault into the form of the part of the service that it was met in. */
import type { Context } from 'hono'
import { routePath } from 'hono/route'
import { Fault, fault, titles } from '../../faults.ts'
import { factsOf, logProblem } from '../../log.ts'
import { rootErrorForm } from './accept.ts'
import { json } from './answers.ts'
import type { Service } from './context.ts'
import { respond, setHeader } from './response.ts'
import { escapeHtml, MicroversionRefused, refusalBody } from './microversion.ts'

/** A token is needed: the peer wraps this one failure in `error`; the members beside it spare clients a KeyError. */
function answerUnauthenticated(c: Context<Service>, failed: Fault): Response {
  const { identity, keystoneUrl } = c.var.config
  const uri = identity === 'keystone' ? keystoneUrl : `${c.var.base}/identity`
  setHeader(c, 'WWW-Authenticate', `Keystone uri="${uri}"`)
  const title = titles[401]
  const message = failed.describe('')
  return json(c, 401, { error: { code: 401, title, message }, code: 401, title, description: message })
}

/** What a failure outside `/v1` and `/admin` says beyond its title. */
function rootText(c: Context<Service>, failed: Fault): string {
  if (failed.status === 404) return 'The resource could not be found.'
  if (failed.status === 405) return `The method ${c.req.method} is not allowed for this resource. `
  if (failed.status !== 406) return failed.describe('') ?? ''
  return `The resource could not be generated that was acceptable to your browser (content of type ${c.req.header('Accept')}. `
}

/** Outside `/v1` and `/admin` a failure is plain text, a page or JSON, by `Accept`. */
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

/** What a failure is called in the log: one that the storage caused has an event of its own. */
const events: Readonly<Record<string, string>> = {
  SealError: 'value does not open',
  RowRefused: 'row refused',
}

/** Logs a failure that nobody foresaw, without a value in it. */
export function logUnexpected(c: Context<Service>, error: unknown): void {
  const facts = factsOf(error)
  const event = events[facts.error] ?? 'unexpected failure'
  // The route and not the path, in which a client may write anything.
  logProblem({ event, operation: c.var.operation, route: routePath(c, -1), ...facts })
}

/** The answer to whatever was thrown. */
export function answerFailure(error: Error, c: Context<Service>): Response {
  if (error instanceof MicroversionRefused) {
    const { contentType, body } = refusalBody(error, c.req.header('Accept'))
    return respond(c, error.status, body, contentType)
  }
  if (!(error instanceof Fault)) logUnexpected(c, error)
  const failed = error instanceof Fault ? error : fault('unexpected')
  if (failed.status === 401) return answerUnauthenticated(c, failed)
  const ofResource = /^\/(v1|admin)(\/|$)/.test(c.req.path)
  if (!ofResource && failed.status < 500) return answerRootFailure(c, failed)
  const description = failed.describe(c.var.operation ?? 'Request')
  return json(c, failed.status, {
    code: failed.status,
    title: titles[failed.status],
    description,
  })
}
