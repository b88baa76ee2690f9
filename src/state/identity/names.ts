/** Ids and names of the embedded identity, and the guards that keep them apart in a statement. */
import { sql, type SQL } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { ExtraProperties } from '../schema/identity.ts'

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

/** The stored properties with these put over them, where null takes one away; null when they would be too large. */
export function mergedExtra(stored: string, extra: ExtraProperties): string | null {
  const all = Object.entries({ ...(JSON.parse(stored) as ExtraProperties), ...extra })
  const merged = JSON.stringify(Object.fromEntries(all.filter(([name, value]) => value !== null || !(name in extra))))
  return merged.length <= MOST_EXTRA_CHARACTERS ? merged : null
}
