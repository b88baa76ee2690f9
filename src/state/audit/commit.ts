/**
 * The one way in which a change is stored: in one batch with the audit event that tells of it, so that neither is there
 * without the other.
 */
import type { SQL } from 'drizzle-orm'
import type { BatchItem, BatchResponse } from 'drizzle-orm/batch'
import type { Store } from '../scope.ts'
import { insertEvents, insertEventsOfChange, type AuditEvent } from './events.ts'

type Statement = BatchItem<'sqlite'>

function tellOf(store: Store, events: readonly AuditEvent[]): void {
  for (const projectId of new Set(events.map((event) => event.projectId))) store.recorded(projectId)
}

/**
 * One batch: the principal statement, its events if it changed a row, then the rest. In the rest {@link justChanged} says
 * whether the principal changed a row, until a statement of the rest writes; a query that tells why it did not belongs
 * there. Gives the results of the principal and of the rest.
 */
export async function commit<Principal extends Statement, const Rest extends readonly Statement[]>(
  store: Store,
  events: AuditEvent | readonly AuditEvent[],
  principal: Principal,
  ...rest: Rest
): Promise<BatchResponse<[Principal, ...Rest]>> {
  const all = 'action' in events ? [events] : events
  const [changed, , ...others] = await store.db.batch([principal, insertEventsOfChange(store, all), ...rest])
  tellOf(store, all)
  return [changed, ...others] as unknown as BatchResponse<[Principal, ...Rest]>
}

interface Change {
  /** Runs right before the change, whatever becomes of it. */
  readonly before?: Statement
  readonly change: Statement
  readonly event: AuditEvent
}

/** Runs each change with its event, all in one batch. Gives the results of the changes. */
export async function commitEach(store: Store, changes: readonly Change[]): Promise<unknown[]> {
  const statements = changes.map(({ before, change, event }) => [
    ...(before ? [before] : []),
    change,
    insertEventsOfChange(store, [event]),
  ])
  const [first, ...others] = statements.flat()
  const results: readonly unknown[] = first ? await store.db.batch([first, ...others]) : []
  tellOf(
    store,
    changes.map(({ event }) => event),
  )
  let end = 0
  return statements.map(({ length }) => results[(end += length) - 2])
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
