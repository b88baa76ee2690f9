/** The route `/healthcheck`: reports that the Worker runs. It needs no configuration and accesses no storage. */
import type { Context } from 'hono'
import type { Service } from './http/context.ts'
import { respond } from './http/response.ts'

const OK_DOCUMENT = JSON.stringify({ detailed: false, reasons: ['OK'] }, null, 4)

/** Returns 204 to `HEAD`, otherwise OK as plain text, HTML or JSON, as `Accept` requests. */
export function answerHealth(c: Context<Service>): Response {
  if (c.req.method === 'HEAD') return respond(c, 204, null)
  const accept = c.req.header('Accept') ?? ''
  if (accept.includes('application/json')) return respond(c, 200, OK_DOCUMENT, 'application/json')
  if (accept.includes('text/html')) return respond(c, 200, '<html><body>OK</body></html>', 'text/html; charset=UTF-8')
  return respond(c, 200, 'OK', 'text/plain; charset=UTF-8')
}
