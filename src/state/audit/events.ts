/** Audit events: what is recorded about a change, in the terms of CADF (DSP0262). */
import { getTableColumns, sql, type SQL } from 'drizzle-orm'
import { build, change, preparedChange, type Statement } from '../database/prepared.ts'
import { justChanged } from '../database/statements.ts'
import { newRowId } from '../row-ids.ts'
import { auditEvents } from '../schema/audit.ts'
import type { Scope } from '../scope.ts'

/** Actions, from CADF's taxonomy. */
export type AuditAction = 'create' | 'read' | 'update' | 'delete' | 'renew' | 'revoke' | 'monitor' | 'authenticate'

/** Kinds of targets: branches below CADF's `data/security`. The target of a part of an entity has the entity's id. */
export type AuditTarget =
  | 'secret'
  | 'secret/payload'
  | 'secret/version'
  | 'secret/versioning'
  | 'secret/metadata'
  | 'secret/acl'
  | 'secret/consumer'
  | 'secret/key'
  | 'secret/use-acl'
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
  | 'deployment'

/** The CADF branch of all targets. */
export const TARGET_BRANCH = 'data/security/'

/** A change as an operation describes it. The scope adds the initiator and the request. */
export interface AuditEvent {
  readonly action: AuditAction
  readonly target: AuditTarget
  /** Id of the target. */
  readonly id: string
  /** The project whose log contains the event. */
  readonly projectId: string
  /** The HTTP status of a failure; absent if the action succeeded. */
  readonly failure?: string
  /** The new MAC of the target's row, if the change sets one. The ledger of the project's object stores it. */
  readonly mac?: string
}

/** The event of a change to an entity or to a part of it. `mac` is the new MAC of the entity's row, if it changes. */
export function changeOf(
  { id, projectId }: { readonly id: string; readonly projectId: string },
  action: AuditAction,
  target: AuditTarget,
  mac?: string,
): AuditEvent {
  return { action, target, id, projectId, ...(mac !== undefined && { mac }) }
}

/**
 * The project id in events about entities without a project: users, roles and certificate authorities. It contains a
 * space, which ids of projects do not, so it cannot be one.
 */
export const DEPLOYMENT = 'the deployment'

type Row = Omit<typeof auditEvents.$inferInsert, 'seq' | 'number' | 'previous' | 'hash'>

/** The id of the first event of a change that is sent to an object is chosen by the sender, and the same each time. */
function rowOf({ now, source, change: sent }: Scope, event: AuditEvent, at: number): Row {
  return {
    id: at === 0 && sent ? sent.id : newRowId(),
    projectId: event.projectId,
    time: now,
    action: event.action,
    outcome: event.failure === undefined ? 'success' : 'failure',
    reason: event.failure ?? null,
    targetType: `${TARGET_BRANCH}${event.target}`,
    targetId: event.id,
    initiatorId: source.initiator?.userId ?? null,
    initiatorProjectId: source.initiator?.projectId ?? null,
    initiatorAddress: event.action === 'authenticate' ? (source.address ?? null) : null,
    initiatorApplication: source.application ?? null,
    onBehalfOf: source.onBehalfOf,
    requestId: source.requestId,
    operation: source.operation,
    rule: source.rule,
    targetMac: event.mac ?? null,
  }
}

/** Members that the JSON lacks are null: SQLite then assigns the next `seq`, and the event is unsealed. */
const members = sql.raw(
  Object.keys(getTableColumns(auditEvents))
    .map((name) => `value ->> '${name}'`)
    .join(', '),
)

const rowsOf = (scope: Scope, events: readonly AuditEvent[]) => events.map((event, at) => rowOf(scope, event, at))

/** The statement with the ids of the events that it inserts. */
const identified = (statement: Statement<number>, rows: readonly Row[]): Statement<number> => ({
  ...statement,
  events: rows.map(({ id }) => id),
})

/**
 * Inserts the events for which the condition holds; in it, `value` is the event as JSON, with these further members for
 * each event.
 */
export function insertEvents(
  scope: Scope,
  events: readonly AuditEvent[],
  condition: SQL,
  values: readonly object[] = [],
): Statement<number> {
  const rows = rowsOf(scope, events)
  const json = JSON.stringify(rows.map((row, at) => ({ ...row, ...values[at] })))
  const selected = sql`select ${members} from json_each(${json}) where ${condition}`
  return identified(change(build.insert(auditEvents).select(selected)), rows)
}

const insertAfterChange = preparedChange(() =>
  build
    .insert(auditEvents)
    .select(sql`select ${members} from json_each(${sql.placeholder('events')}) where ${justChanged}`),
)

/** Inserts the events of a change if the change changed a row. It must run directly after the change. */
export function insertEventsOfChange(scope: Scope, events: readonly AuditEvent[]): Statement<number> {
  const rows = rowsOf(scope, events)
  return identified(insertAfterChange({ events: JSON.stringify(rows) }), rows)
}

/** Records an event without a change, such as a refused request. */
export async function recordEvent(scope: Scope, event: AuditEvent): Promise<void> {
  await scope.db.run(insertEvents(scope, [event], sql`true`))
  scope.recorded([event])
}
