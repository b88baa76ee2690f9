/**
 * The one way in which a change is stored: in one batch with the audit event that tells of it, so that neither is there
 * without the other.
 */
import { sql, type SQL } from 'drizzle-orm'
import type { BatchItem, BatchResponse } from 'drizzle-orm/batch'
import { insertEvents, type AuditEvent } from './audit-events.ts'
import type { Store } from './store.ts'

type Statement = BatchItem<'sqlite'>

function tellOf(store: Store, events: readonly AuditEvent[]): void {
  for (const projectId of new Set(events.map((event) => event.projectId))) store.recorded(projectId)
}

/** The last statement of the batch that inserts, updates or deletes did change a row. */
export const justChanged = sql`changes() > 0`

/**
 * Runs the principal statement and, if it changed a row, stores its events; then the rest, which finds {@link justChanged}
 * as the principal left it until a statement of its own moves it. Gives the results of the principal and of the rest. What tells why a
 * change did not hold belongs into the rest: a principal that changed nothing left all as it was.
 */
export async function commit<Principal extends Statement, const Rest extends readonly Statement[]>(
  store: Store,
  events: AuditEvent | readonly AuditEvent[],
  principal: Principal,
  ...rest: Rest
): Promise<BatchResponse<[Principal, ...Rest]>> {
  const all = 'action' in events ? [events] : events
  const [changed, , ...others] = await store.db.batch([principal, insertEvents(store, all, justChanged), ...rest])
  tellOf(store, all)
  return [changed, ...others] as unknown as BatchResponse<[Principal, ...Rest]>
}

/** Runs each change with its event, all in one batch. Gives the results of the changes. */
export async function commitEach(
  store: Store,
  changes: readonly { readonly event: AuditEvent; readonly change: Statement }[],
): Promise<unknown[]> {
  const [first, ...others] = changes.flatMap(({ event, change }) => [change, insertEvents(store, [event], justChanged)])
  const results: readonly unknown[] = first ? await store.db.batch([first, ...others]) : []
  tellOf(
    store,
    changes.map(({ event }) => event),
  )
  return results.filter((_, at) => at % 2 === 0)
}

/**
 * Stores those of the events for which the condition holds before the changes, and runs these: for changes whose count
 * does not tell which events are true. In the condition `value ->> 'targetId'` is an event's target.
 */
export async function commitWhere<const Changes extends readonly [Statement, ...Statement[]]>(
  store: Store,
  events: readonly AuditEvent[],
  condition: SQL,
  ...changes: Changes
): Promise<BatchResponse<Changes>> {
  const [, ...results] = await store.db.batch([insertEvents(store, events, condition), ...changes])
  tellOf(store, events)
  return results
}
