/** The log of requests: one entry each, with who asked for what by which rule, and how it came out. */
import type { Context } from 'hono'
import { Fault } from '../../faults.ts'
import { logLater } from '../../log.ts'
import { IdentityFault } from '../../state/identity/faults.ts'
import type { Service } from './context.ts'

const failureOf = (error: Error | undefined): string | null => {
  if (!error) return null
  return error instanceof Fault || error instanceof IdentityFault ? error.failure : 'unexpected'
}

/**
 * Logs the request that was just answered, begun at `started`. Only what the service itself made or has checked is in
 * it: nothing of a path, a query, a header or a body, but the id of a thing that was found, the address of the client,
 * and of a log-in the first characters of the name or id that it claims.
 */
export function logRequest(c: Context<Service>, started: number): void {
  const { backend, source = backend.source, target = null } = c.var
  logLater({
    event: 'request',
    request_id: source.requestId,
    address: source.address ?? null,
    method: c.req.method,
    user: source.initiator?.userId ?? null,
    project: source.initiator?.projectId ?? null,
    operation: source.operation,
    rule: source.rule,
    target,
    status: c.res.status,
    failure: failureOf(c.error),
    milliseconds: Date.now() - started,
  })
}
