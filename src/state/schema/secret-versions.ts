/** The table of the payloads that newer versions of their secret have replaced. `migrations/` is generated from it. */
import { sql } from 'drizzle-orm'
import { blob, index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { secrets } from './resources.ts'

/** How many payloads of a secret are kept, the present one included. */
export const KEPT_VERSIONS = { byDefault: 10, least: 1, most: 100 } as const

/**
 * The versions of a secret before the present one, which is in the row of the secret. A row moves here with its
 * ciphertext as it is, so `id` is the place for which the payload is sealed.
 */
export const secretVersions = sqliteTable(
  'secret_versions',
  {
    seq: integer('seq').primaryKey({ autoIncrement: true }),
    /** The id of the secret for version 1, and `<id>@<version>` for the others. */
    id: text('id').notNull(),
    secretId: text('secret_id')
      .notNull()
      .references(() => secrets.id, { onDelete: 'cascade' }),
    projectId: text('project_id').notNull(),
    version: integer('version').notNull(),
    /** False: the payload is kept and opens for nobody. */
    enabled: integer('enabled', { mode: 'boolean' }).notNull(),
    created: text('created').notNull(),
    /** Who stored the payload; null: the service. */
    creatorId: text('creator_id'),
    /** `payload`, `generated` or `restored from <version>`. */
    origin: text('origin').notNull(),
    contentType: text('content_type'),
    /** When the payload was destroyed; null if it was not. */
    destroyed: text('destroyed'),
    store: text('store').notNull(),
    /** Null, as `sealed`, once the payload was destroyed. */
    keyVersion: integer('key_version'),
    mac: text('mac').notNull(),
    sealed: blob('sealed', { mode: 'buffer' }).$type<Uint8Array>(),
  },
  (table) => [
    uniqueIndex('secret_versions_id').on(table.id),
    uniqueIndex('secret_versions_number').on(table.secretId, table.version),
    index('secret_versions_project').on(table.projectId),
    index('secret_versions_key')
      .on(table.projectId, table.store, table.keyVersion)
      .where(sql`key_version is not null`),
  ],
)
