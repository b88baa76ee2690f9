/** Commits changes: each in one batch with its audit event, so that neither is saved without the other. */
import type { SQL } from 'drizzle-orm'
import type { Statement } from '../database/prepared.ts'
import type { Batch, BatchResults } from '../database/session.ts'
import type { Scope } from '../scope.ts'
import { insertEvents, insertEventsOfChange, type AuditEvent } from './events.ts'

/** Runs a batch of changes and reports its events, also if the call fails: the batch may have been committed anyway. */
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
 * Runs one batch: the change, its events if it changed a row, then `rest`. Until a statement of `rest` writes,
 * {@link justChanged} is true in it if the change changed a row. `rest` is the place for a query that finds out why the
 * change did not apply. Returns the results of `rest` by name, and that of the change as `changed`.
 */
export async function commit<Result, Rest extends Batch = Batch>(
  scope: Scope,
  events: AuditEvent | readonly AuditEvent[],
  change: Statement<Result>,
  rest?: Rest,
): Promise<BatchResults<{ readonly changed: Statement<Result> } & Rest>> {
  const all = 'action' in events ? [events] : events
  const statements = { changed: change, events: insertEventsOfChange(scope, all), ...(rest as Rest) }
  return recording(scope, all, () => scope.db.batch(statements, scope.change?.sending))
}

/**
 * Runs changes whose number of changed rows does not show which of the events happened. Instead, each event is saved if
 * the condition holds for it before the changes; in the condition, `value ->> 'targetId'` is the event's target. `values`
 * has further members of `value`, for each event.
 */
export async function commitWhere<Changes extends Batch>(
  scope: Scope,
  events: readonly AuditEvent[],
  condition: SQL,
  changes: Changes,
  values?: readonly object[],
): Promise<BatchResults<Changes>> {
  const statements = { events: insertEvents(scope, events, condition, values), ...changes }
  return recording(scope, events, () => scope.db.batch(statements))
}
