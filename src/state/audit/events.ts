/** Audit events: what is recorded of a change, in the terms of CADF (DSP0262). */
import { getTableColumns, sql, type SQL } from 'drizzle-orm'
import { justChanged } from '../database/statements.ts'
import type { Store } from '../scope.ts'
import { writtenChange } from '../database/written.ts'
import { auditEvents } from '../schema/audit.ts'

/** What can be done, in CADF's taxonomy of actions. */
export type AuditAction = 'create' | 'read' | 'update' | 'delete' | 'renew' | 'revoke' | 'monitor'

/** What it can be done to: a branch of CADF's `data/security`. A part of an entity has the entity's id. */
export type AuditTarget =
  | 'secret'
  | 'secret/payload'
  | 'secret/metadata'
  | 'secret/acl'
  | 'secret/consumer'
  | 'container'
  | 'container/secret'
  | 'container/acl'
  | 'container/consumer'
  | 'order'
  | 'certificate'
  | 'certificate-authority'
  | 'quota'
  | 'secret-store'
  | 'secret-store/preferred'
  | 'key'
  | 'account/user'
  | 'project'
  | 'project/destruction'
  | 'role'
  | 'role/assignment'
  | 'credential'
  | 'token'
  | 'audit-log'

/** CADF's branch of all targets. */
export const TARGET_BRANCH = 'data/security/'

/** What an operation says of a change; who makes it and by which request, the store knows. */
export interface AuditEvent {
  readonly action: AuditAction
  readonly target: AuditTarget
  /** Id of the target. */
  readonly id: string
  /** Whose log it belongs in. */
  readonly projectId: string
  /** The status that it failed with; left out: it succeeded. */
  readonly failure?: string
  /** The MAC that the change gives to the target's row, if it does: the ledger of the project's object keeps it. */
  readonly mac?: string
}

/** A change of an entity, or of a part of it; `mac`: the code that the change gives to the entity's row. */
export function changeOf(
  { id, projectId }: { readonly id: string; readonly projectId: string },
  action: AuditAction,
  target: AuditTarget,
  mac?: string,
): AuditEvent {
  return { action, target, id, projectId, ...(mac !== undefined && { mac }) }
}

/** The log of what belongs to no project: users, roles, the authority. No project has this id: theirs have no spaces. */
export const DEPLOYMENT = 'the deployment'

type Row = Omit<typeof auditEvents.$inferInsert, 'seq' | 'number' | 'previous' | 'hash'>

function rowOf({ now, source }: Store, event: AuditEvent): Row {
  return {
    id: crypto.randomUUID(),
    projectId: event.projectId,
    time: now,
    action: event.action,
    outcome: event.failure === undefined ? 'success' : 'failure',
    reason: event.failure ?? null,
    targetType: `${TARGET_BRANCH}${event.target}`,
    targetId: event.id,
    initiatorId: source.initiator?.userId ?? null,
    initiatorProjectId: source.initiator?.projectId ?? null,
    onBehalfOf: source.onBehalfOf,
    requestId: source.requestId,
    operation: source.operation,
    rule: source.rule,
    targetMac: event.mac ?? null,
  }
}

/** A member that a row lacks is null: `seq` is then the next, and the event is not sealed. */
const members = sql.raw(
  Object.keys(getTableColumns(auditEvents))
    .map((name) => `value ->> '${name}'`)
    .join(', '),
)

const rowsOf = (store: Store, events: readonly AuditEvent[]) =>
  JSON.stringify(events.map((event) => rowOf(store, event)))

/** The statement that stores those of the events for which the condition holds, where `value` is the event as JSON. */
export function insertEvents(store: Store, events: readonly AuditEvent[], condition: SQL) {
  const rows = rowsOf(store, events)
  return store.db.insert(auditEvents).select(sql`select ${members} from json_each(${rows}) where ${condition}`)
}

const insertAfterChange = writtenChange((db) =>
  db
    .insert(auditEvents)
    .select(sql`select ${members} from json_each(${sql.placeholder('events')}) where ${justChanged}`),
)

/** The statement that stores the events of a change: to be run right after it, and it stores nothing if that did not. */
export const insertEventsOfChange = (store: Store, events: readonly AuditEvent[]) =>
  insertAfterChange(store, { events: rowsOf(store, events) })

/** Records what changed nothing: that somebody was refused. */
export async function recordEvent(store: Store, event: AuditEvent): Promise<void> {
  await insertEvents(store, [event], sql`true`)
  store.recorded(event.projectId)
}
