/** The request log: one entry per request, with the caller, the operation, its policy rule and the result. */
import type { Context } from 'hono'
import { Fault } from '../../faults.ts'
import { logLater } from '../../log.ts'
import { IdentityFault } from '../../state/identity/faults.ts'
import type { Service } from './context.ts'
import { transportOf } from './request-url.ts'

const failureOf = (error: Error | undefined): string | null => {
  if (!error) return null
  return error instanceof Fault || error instanceof IdentityFault ? error.failure : 'unexpected'
}

/**
 * Logs a request after its response is ready. `started` is in milliseconds after the Unix epoch. The entry contains
 * only values that the service generated or validated: no part of the path, query, headers or body, except the id of an
 * entity that was found, the address of the client, and of a log-in the beginning of the name or id that it claims. At a
 * loopback address it also has the path, which `npm start` shows: there the client and the reader are the same person.
 */
export function logRequest(c: Context<Service>, started: number): void {
  const { backend, source = backend.source, target = null } = c.var
  logLater({
    event: 'request',
    request_id: source.requestId,
    address: source.address ?? null,
    method: c.req.method,
    ...(transportOf(c.req.url) === 'loopback' && { path: c.req.path }),
    microversion: c.var.microversion ?? null,
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
