/**
 * Audit events of refused requests, in the log of the project that owns the target. A caller who repeats a refused request
 * would fill the log of another project, so that one event represents all refusals of the same caller, target and rule
 * within a minute.
 *
 * Each isolate caches which events it has stored, and counts further refusals; its next event contains the count. For
 * refusals in other isolates, the statement checks for an event that is not sealed yet. The count is lost with the
 * isolate; LOG=requests still logs every refused request.
 */
import { sql } from 'drizzle-orm'
import { boundedCache } from '../../cache.ts'
import { later } from '../../times.ts'
import { auditEvents } from '../schema/audit.ts'
import type { Scope } from '../scope.ts'
import { insertEvents, type AuditEvent } from './events.ts'

/** How long one event represents all refusals of its kind. */
const REFUSAL_WINDOW_SECONDS = 60
/** Size of the cache. The event of a kind that was evicted is stored again. */
const MOST_KINDS = 10_000

interface Window {
  /** When the next refusal is stored again: UTC text of 26 characters. */
  readonly until: string
  /** The number of refusals that were not stored since the last event. */
  repeats: number
}

const windows = boundedCache<Window>({ entries: MOST_KINDS })

const kindOf = ({ source }: Scope, { projectId, target, id, failure }: AuditEvent) =>
  JSON.stringify([source.initiator?.userId, source.initiator?.projectId, source.rule, projectId, target, id, failure])

/** The condition that no unsealed event since `time` has the kind of `value`, the event to be stored. */
const isFirstSince = (time: string) => sql`not exists (select 1 from ${auditEvents} as earlier
  where earlier.number is null and earlier.project_id = value ->> 'projectId' and earlier.time > ${time}
    and earlier.target_type = value ->> 'targetType' and earlier.target_id = value ->> 'targetId'
    and earlier.initiator_id is value ->> 'initiatorId'
    and earlier.initiator_project_id is value ->> 'initiatorProjectId'
    and earlier.rule is value ->> 'rule' and earlier.reason is value ->> 'reason')`

/** Returns the scope of an event that represents earlier refusals as well: their number is in the event's name. */
function counting(scope: Scope, repeats: number): Scope {
  if (repeats === 0) return scope
  const operation = `${scope.source.operation} (and ${repeats} more refusals before it)`
  return { ...scope, source: { ...scope.source, operation } }
}

/** Stores the event of a refused request, unless an event of the last minute represents it. */
export async function recordRefusal(scope: Scope, event: AuditEvent): Promise<void> {
  const kind = kindOf(scope, event)
  const known = windows.get(kind)
  if (known && scope.now < known.until) {
    known.repeats += 1
    return
  }
  const repeats = known?.repeats ?? 0
  const first = isFirstSince(later(scope.now, -REFUSAL_WINDOW_SECONDS))
  const stored = await scope.db.run(insertEvents(counting(scope, repeats), [event], first))
  const present = windows.get(kind)
  // A concurrent request may have begun the window in the meantime.
  const window =
    present && present !== known ? present : { until: later(scope.now, REFUSAL_WINDOW_SECONDS), repeats: 0 }
  if (stored > 0) scope.recorded([event])
  else window.repeats += window === present ? 1 : repeats + 1
  windows.set(kind, window)
}
