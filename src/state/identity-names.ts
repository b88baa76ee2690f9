/** Ids and names of the embedded identity, and the guards that keep them apart in a statement. */
import { sql, type SQL } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { ExtraProperties } from './identity-schema.ts'

/** The one domain that there is. */
export const DEFAULT_DOMAIN = { id: 'default', name: 'Default' } as const

/** How large, in characters of JSON, all further properties of one entity may be together. */
const MOST_EXTRA_CHARACTERS = 16_384

/** A new random id: 32 hexadecimal digits. */
export function newId(): string {
  return crypto.randomUUID().replaceAll('-', '')
}

/**
 * The form in which names are compared: without regard to case and to Unicode's compatibility variants (threat T11).
 * Keystone on MySQL compares likewise.
 */
export function foldName(name: string): string {
  return name.normalize('NFKC').toLowerCase()
}

/** Whether another row than `id` of the table has the name; false when there is no new name. */
export function nameTaken(table: SQLiteTable, id: string, name: string | undefined): SQL {
  if (name === undefined) return sql`false`
  return sql`exists (select 1 from ${table} as other where other.folded = ${foldName(name)} and other.id <> ${id})`
}

/** The properties of the row with these put over them; null takes one away. */
export function mergedExtra(extra: ExtraProperties): SQL<ExtraProperties> {
  return sql`json_patch(extra, ${JSON.stringify(extra)})`
}

/** Whether {@link mergedExtra} stays within its bounds. */
export function extraFits(extra: ExtraProperties): SQL {
  return sql`length(json_patch(extra, ${JSON.stringify(extra)})) <= ${sql.raw(String(MOST_EXTRA_CHARACTERS))}`
}
