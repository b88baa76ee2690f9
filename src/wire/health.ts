/**
 * The route `/healthcheck`: reports that the Worker runs. It needs no configuration and accesses no storage, except with
 * `?detailed`, which reports whether the service can serve its database. Both need no token, so the report consists of
 * the words of `Health` and of the reason that every request gets.
 */
import type { Context } from 'hono'
import { ConfigError, readConfig, type Environment } from '../config.ts'
import { connect, requireAdmission, undated } from '../state/connect.ts'
import { healthOf, unknownHealth, type Health } from '../state/deployment/health.ts'
import { byService } from '../state/scope.ts'
import { formatTime } from '../times.ts'
import type { Service } from './http/context.ts'
import { respond } from './http/response.ts'

const OK_DOCUMENT = JSON.stringify({ detailed: false, reasons: ['OK'] }, null, 4)

/** Returns the health of the service, which needs no token: its words say nothing about what is stored. */
export async function examinedHealth(env: Environment): Promise<Health> {
  try {
    const backend = connect(env, await readConfig(env), formatTime(Date.now()), byService('Health check'))
    const near = undated(backend, 'first-unconstrained')
    return await healthOf({ backend, near, admit: () => requireAdmission(backend) })
  } catch (error) {
    if (error instanceof ConfigError) return unknownHealth(`The service is not configured: ${error.message}`)
    throw error
  }
}

async function answerDetailed(c: Context<Service>): Promise<Response> {
  const { reason, ...health } = await examinedHealth(c.env)
  const document = { detailed: true, reasons: [reason ?? 'OK'], ...health }
  const body = c.req.method === 'HEAD' ? null : JSON.stringify(document, null, 4)
  return respond(c, reason === null ? 200 : 503, body, 'application/json')
}

/**
 * Returns 204 to `HEAD`, otherwise OK as plain text, HTML or JSON, as `Accept` requests. With `?detailed` it is a JSON
 * document, and 503 while requests are refused.
 */
export function answerHealth(c: Context<Service>): Response | Promise<Response> {
  if (c.req.query('detailed') !== undefined) return answerDetailed(c)
  if (c.req.method === 'HEAD') return respond(c, 204, null)
  const accept = c.req.header('Accept') ?? ''
  if (accept.includes('application/json')) return respond(c, 200, OK_DOCUMENT, 'application/json')
  if (accept.includes('text/html')) return respond(c, 200, '<html><body>OK</body></html>', 'text/html; charset=UTF-8')
  return respond(c, 200, 'OK', 'text/plain; charset=UTF-8')
}
