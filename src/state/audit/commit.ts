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

/** A change with its audit event. */
export interface RecordedChange {
  /** Runs directly before the change, and takes effect even if the change does not. */
  readonly before?: Statement<unknown>
  readonly change: Statement<number>
  readonly event: AuditEvent
}

/** Runs several changes, each with its event, in one batch. Returns the number of rows that they changed. */
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
 * Runs changes whose number of changed rows does not show which of the events happened. Instead, each event is saved if
 * the condition holds for it before the changes; in the condition, `value ->> 'targetId'` is the event's target.
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
