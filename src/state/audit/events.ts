/** Audit events: what is recorded of a change, in the terms of CADF (DSP0262). */
import { getTableColumns, sql, type SQL } from 'drizzle-orm'
import { justChanged } from '../database/statements.ts'
import { build, change, preparedChange, type Statement } from '../database/prepared.ts'
import type { Scope } from '../scope.ts'
import { newRowId } from '../row-ids.ts'
import { auditEvents } from '../schema/audit.ts'

/** What can be done, in CADF's taxonomy of actions. */
export type AuditAction = 'create' | 'read' | 'update' | 'delete' | 'renew' | 'revoke' | 'monitor' | 'authenticate'

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

/** What an operation says about a change; the scope knows who makes it and by which request. */
export interface AuditEvent {
  readonly action: AuditAction
  readonly target: AuditTarget
  /** Id of the target. */
  readonly id: string
  /** The project in whose log it belongs. */
  readonly projectId: string
  /** The status that it failed with; left out: it succeeded. */
  readonly failure?: string
  /** The MAC that the change gives to the target's row, if it does: the ledger of the project's object keeps it. */
  readonly mac?: string
}

/** A change of an entity, or of a part of it; `mac`: the MAC that the change gives to the entity's row. */
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

function rowOf({ now, source }: Scope, event: AuditEvent): Row {
  return {
    id: newRowId(),
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

const rowsOf = (scope: Scope, events: readonly AuditEvent[]) =>
  JSON.stringify(events.map((event) => rowOf(scope, event)))

/** Stores those of the events for which the condition holds, where `value` is the event as JSON. */
export function insertEvents(scope: Scope, events: readonly AuditEvent[], condition: SQL): Statement<number> {
  const rows = sql`select ${members} from json_each(${rowsOf(scope, events)}) where ${condition}`
  return change(build.insert(auditEvents).select(rows))
}

const insertAfterChange = preparedChange(() =>
  build
    .insert(auditEvents)
    .select(sql`select ${members} from json_each(${sql.placeholder('events')}) where ${justChanged}`),
)

/** Stores the events of a change: to be run right after it. It stores nothing if the change changed nothing. */
export const insertEventsOfChange = (scope: Scope, events: readonly AuditEvent[]): Statement<number> =>
  insertAfterChange({ events: rowsOf(scope, events) })

/** Records an attempt that changed nothing: that somebody was refused. */
export async function recordEvent(scope: Scope, event: AuditEvent): Promise<void> {
  await scope.db.run(insertEvents(scope, [event], sql`true`))
  scope.recorded([event])
}
