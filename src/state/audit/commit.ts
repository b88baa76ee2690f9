/**
 * The one way in which a change is stored: in one batch with its audit event, so that neither is stored without the other.
 */
import type { SQL } from 'drizzle-orm'
import type { Statement } from '../database/prepared.ts'
import type { Batch, BatchResults } from '../database/session.ts'
import type { Scope } from '../scope.ts'
import { insertEvents, insertEventsOfChange, type AuditEvent } from './events.ts'

/** Runs a batch of changes. When it fails it may be stored all the same, so its events are reported in any case. */
async function recording<Results>(
  scope: Scope,
  events: readonly AuditEvent[],
  batch: () => Promise<Results>,
): Promise<Results> {
  try {
    return await batch()
  } finally {
    scope.recorded(events)
  }
}

/**
 * One batch: the change, its events if it changed a row, then the rest. In the rest {@link justChanged} says whether the
 * change changed a row, until a statement of the rest writes; a query that says why it did not belongs there. Returns the
 * results of the rest by name, and that of the change as `changed`.
 */
export async function commit<Result, Rest extends Batch = Batch>(
  scope: Scope,
  events: AuditEvent | readonly AuditEvent[],
  change: Statement<Result>,
  rest?: Rest,
): Promise<BatchResults<{ readonly changed: Statement<Result> } & Rest>> {
  const all = 'action' in events ? [events] : events
  const statements = { changed: change, events: insertEventsOfChange(scope, all), ...(rest as Rest) }
  return recording(scope, all, () => scope.db.batch(statements))
}

/** A change with its event. */
export interface RecordedChange {
  /** Runs right before the change, whatever becomes of it. */
  readonly before?: Statement<unknown>
  readonly change: Statement<number>
  readonly event: AuditEvent
}

/** Runs each change with its event, all in one batch. Returns the sum of the rows that the changes changed. */
export async function commitEach(scope: Scope, changes: readonly RecordedChange[]): Promise<number> {
  if (changes.length === 0) return 0
  const statements = changes.flatMap(({ before, change, event }, at) => [
    ...(before ? [[`before ${at}`, before] as const] : []),
    [`change ${at}`, change] as const,
    [`event ${at}`, insertEventsOfChange(scope, [event])] as const,
  ])
  const events = changes.map(({ event }) => event)
  const results: Readonly<Record<string, unknown>> = await recording(scope, events, () =>
    scope.db.batch(Object.fromEntries<Statement<unknown>>(statements)),
  )
  return changes.reduce((sum, _, at) => sum + Number(results[`change ${at}`]), 0)
}

/**
 * Stores those of the events for which the condition holds before the changes, and runs these: for changes whose number
 * of changed rows does not say which events are true. In the condition `value ->> 'targetId'` is an event's target.
 */
export async function commitWhere<Changes extends Batch>(
  scope: Scope,
  events: readonly AuditEvent[],
  condition: SQL,
  changes: Changes,
): Promise<BatchResults<Changes>> {
  const statements = { events: insertEvents(scope, events, condition), ...changes }
  return recording(scope, events, () => scope.db.batch(statements))
}
