/** The tables of the deployment that a database belongs to. `migrations/` is generated from them. */
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'

/**
 * One row: the deployment of this database. The migration that creates the table inserts it with a random id; the first
 * Worker that serves claims it for its keyring and its Durable Objects. See `state/deployment/admission.ts`.
 */
export const deployments = sqliteTable('deployments', {
  /** `this`. The primary key, so that there is one row. */
  place: text('place').primaryKey(),
  id: text('id').notNull(),
  /** Names the namespace of the Durable Objects that belong to this database; null until a Worker claimed it. */
  objects: text('objects'),
  /**
   * The name of a migration that a Worker must carry to serve this database; null if every Worker may. A migration that
   * removes what older Workers need sets it.
   */
  requires: text('requires'),
  /** The MAC of the row; `integrity/protection.ts` defines the columns that it covers. Null until it was claimed. */
  mac: text('mac'),
})

/**
 * One row: a time at which a Worker wrote to the primary. A replica that has it has every change that was acknowledged
 * before. See `state/deployment/heartbeats.ts`.
 */
export const heartbeats = sqliteTable('heartbeats', {
  /** `this`. The primary key, so that there is one row. */
  place: text('place').primaryKey(),
  /** UTC text of 26 characters, read before the row was written. */
  at: text('at').notNull(),
  /** The MAC of the row; `integrity/protection.ts` defines the columns that it covers. */
  mac: text('mac').notNull(),
})
