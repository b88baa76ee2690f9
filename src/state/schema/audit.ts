/** The table of the audit log. `migrations/` is generated from it. */
import { sql } from 'drizzle-orm'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

/**
 * Audit events in commit order (`seq`). The project's object numbers and chains the events of its project later; until
 * it has sealed an event, `number`, `previous` and `hash` are null.
 */
export const auditEvents = sqliteTable(
  'audit_events',
  {
    seq: integer('seq').primaryKey({ autoIncrement: true }),
    id: text('id').notNull(),
    /** The project whose log contains the event, or `DEPLOYMENT`. */
    projectId: text('project_id').notNull(),
    time: text('time').notNull(),
    action: text('action').notNull(),
    outcome: text('outcome').notNull(),
    /** The HTTP status of a failure, as text. */
    reason: text('reason'),
    targetType: text('target_type').notNull(),
    targetId: text('target_id').notNull(),
    /** The calling user and the project of the token; null if the service itself acted. */
    initiatorId: text('initiator_id'),
    initiatorProjectId: text('initiator_project_id'),
    /** The address that a log-in came from. */
    initiatorAddress: text('initiator_address'),
    /** The application that a service binding says it belongs to. */
    initiatorApplication: text('initiator_application'),
    /** The user on whose behalf the service itself acted. */
    onBehalfOf: text('on_behalf_of'),
    requestId: text('request_id'),
    operation: text('operation').notNull(),
    /** The access rule that allowed or refused the action. */
    rule: text('rule'),
    /** The MAC of the target's row after the change, if the row has one. */
    targetMac: text('target_mac'),
    /** The position in the project's chain, from 1. */
    number: integer('number'),
    /** The hash of the previous event and of this one, as hexadecimal digits; see `crypto/event-chain.ts`. */
    previous: text('previous'),
    hash: text('hash'),
  },
  (table) => [
    index('audit_events_unsealed')
      .on(table.projectId)
      .where(sql`number is null`),
    uniqueIndex('audit_events_number')
      .on(table.projectId, table.number)
      .where(sql`number is not null`),
  ],
)
