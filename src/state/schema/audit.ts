/** The table of the audit log; `migrations/` is generated from here too. */
import { sql } from 'drizzle-orm'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

/**
 * What happened, in the order in which it was committed (`seq`). The project's object numbers and chains the events of
 * its project later: `number`, `previous` and `hash` are null until an event is sealed.
 */
export const auditEvents = sqliteTable(
  'audit_events',
  {
    seq: integer('seq').primaryKey({ autoIncrement: true }),
    id: text('id').notNull(),
    /** Whose log it is in: a project, or the deployment's own. */
    projectId: text('project_id').notNull(),
    time: text('time').notNull(),
    action: text('action').notNull(),
    outcome: text('outcome').notNull(),
    /** Why it failed, as a status in text. */
    reason: text('reason'),
    targetType: text('target_type').notNull(),
    targetId: text('target_id').notNull(),
    /** A user and the project of the token; null: the service itself. */
    initiatorId: text('initiator_id'),
    initiatorProjectId: text('initiator_project_id'),
    /** The address that a log-in came from. */
    initiatorAddress: text('initiator_address'),
    /** The user for whom the service itself did it. */
    onBehalfOf: text('on_behalf_of'),
    requestId: text('request_id'),
    operation: text('operation').notNull(),
    /** The rule of access that allowed or refused it. */
    rule: text('rule'),
    /** The code of the target's row after the change, where the row has one. */
    targetMac: text('target_mac'),
    /** Place in the project's chain, from 1. */
    number: integer('number'),
    /** The hash of the event before it, and its own, in hexadecimal digits; see `crypto/event-chain.ts`. */
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
