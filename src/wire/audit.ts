/** The resources `/audit`, the audit log of the caller's project, and `/admin/audit`, that of the deployment. */
import type { Rule } from '../access/policy.ts'
import { DEPLOYMENT } from '../state/audit/events.ts'
import { listEvents } from '../state/audit/log.ts'
import { askObject } from '../state/project-calls.ts'
import { limit } from './http/paging.ts'
import { parseInteger } from './http/python.ts'
import { flagged, given } from './http/query.ts'
import { operation, resource, type Call } from './http/resource.ts'
import { incidentView } from './incidents.ts'

/** The number of the event before the page; invalid values count as 0, like those of other paging parameters. */
function eventNumber(values: readonly string[]): number {
  const marker = parseInteger(given(values) ?? '') ?? 0n
  return marker > 0n && marker <= Number.MAX_SAFE_INTEGER ? Number(marker) : 0
}

/**
 * Defines the resource of an audit log. It returns up to `limit` sealed events after the number `marker`, in order, and
 * the marker of the next page if the page is full. With `head=true` it also returns the head of the hash chain and the
 * integrity violations that the project's Durable Object has recorded. The head is read before the events, so that the
 * pages that follow contain it.
 */
function logOf(path: string, name: string, rule: Rule, scope: (call: Call) => string) {
  return resource({
    path,
    // A replica may lack the latest events up to the head that the Durable Object reports.
    reads: 'primary',
    operations: {
      GET: operation({
        name,
        rule,
        query: { limit, marker: eventNumber, head: flagged },
        answers: { 200: 'AuditLog' },
        faults: [],
        async answer(call) {
          const { backend, query } = call
          const known = query.head && (await askObject(backend.projects, scope(call), (object) => object.integrity()))
          const integrity = known ? { ...known, incidents: known.incidents.map(incidentView) } : {}
          const events = await listEvents(backend, scope(call), query.marker, query.limit)
          const next = events.length === query.limit ? { marker: events.at(-1)?.number } : {}
          return { status: 200, json: { events, ...next, ...integrity } }
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
