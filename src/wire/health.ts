/** `/healthcheck`: the Worker runs. It needs no configuration and touches no storage. */
import type { Context } from 'hono'
import type { Service } from './context.ts'

const OK_DOCUMENT = JSON.stringify({ detailed: false, reasons: ['OK'] }, null, 4)

export function answerHealth(c: Context<Service>): Response {
  if (c.req.method === 'HEAD') return c.body(null, 204)
  const accept = c.req.header('Accept') ?? ''
  if (accept.includes('application/json')) return c.body(OK_DOCUMENT, 200, { 'Content-Type': 'application/json' })
  if (accept.includes('text/html'))
    return c.body('<html><body>OK</body></html>', 200, { 'Content-Type': 'text/html; charset=UTF-8' })
  return c.body('OK', 200, { 'Content-Type': 'text/plain; charset=UTF-8' })
}
