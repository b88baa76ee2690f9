/** The audit log on the wire: `/audit` for a project's auditor, `/admin/audit` for what belongs to no project. */
import type { Rule } from '../access/policy.ts'
import { DEPLOYMENT } from '../state/audit/events.ts'
import { listEvents } from '../state/audit/log.ts'
import { json as answer } from './http/answers.ts'
import { parsePage } from './http/paging.ts'
import { parseInteger } from './http/python.ts'
import { lastGiven } from './http/query.ts'
import { operation, resource, type Call } from './http/resource.ts'

/** The number after which the page begins; what is no number in range counts as 0, as it does for pages. */
function markerIn(query: URLSearchParams): number {
  const marker = parseInteger(lastGiven(query, 'marker') ?? '') ?? 0n
  return marker > 0n && marker <= Number.MAX_SAFE_INTEGER ? Number(marker) : 0
}

/**
 * Sealed events by number, `limit` after `marker`, and the marker of the next page if this one is full. With `head=true`
 * the end of the chain as the project's object knows it, asked for first, so that the pages after it contain it, and what
 * the object found that is not as it was sealed.
 */
function logOf(path: string, name: string, rule: Rule, scope: (call: Call) => string) {
  return resource({
    path,
    // A copy that lags behind lacks events before the end that the object knows.
    reads: 'primary',
    operations: {
      GET: operation({
        name,
        rule,
        async answer(call) {
          const { c, backend, query } = call
          const { limit } = parsePage(query)
          const withHead = lastGiven(query, 'head') === 'true'
          const known = withHead ? await backend.projects.getByName(scope(call)).integrity() : {}
          const events = await listEvents(backend, scope(call), markerIn(query), limit)
          const next = events.length === limit ? { marker: events.at(-1)?.number } : {}
          return answer(c, 200, { events, ...next, ...known })
        },
      }),
    },
  })
}

export const auditResource = logOf('/audit', 'Audit log retrieval', 'audit:get', ({ caller }) => caller.projectId)
export const deploymentAuditResource = logOf(
  '/audit',
  'Deployment audit log retrieval',
  'deployment_audit:get',
  () => DEPLOYMENT,
)
