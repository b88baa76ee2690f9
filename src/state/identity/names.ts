/** Ids and names of the embedded identity, and the SQL condition that keeps names unique. */
import { sql, type SQL } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { newRowId } from '../row-ids.ts'
import type { ExtraProperties } from '../schema/identity.ts'

/** The only domain. */
export const DEFAULT_DOMAIN = { id: 'default', name: 'Default' } as const

/** The greatest length, in characters of JSON, of all further properties of one entity together. */
const MOST_EXTRA_CHARACTERS = 16_384

/** A new random id: the 32 hexadecimal digits of a row id, which include its shard byte. */
export function newId(): string {
  return newRowId().replaceAll('-', '')
}

/**
 * The form in which names are compared: without regard to case and to Unicode's compatibility variants (threat T11).
 * Keystone on MySQL compares likewise.
 */
export function foldName(name: string): string {
  return name.normalize('NFKC').toLowerCase()
}

/** The columns of a row that hold its name. */
export const nameColumns = (name: string) => ({ name, folded: foldName(name) })

/** Whether a row of the table other than `id` has the name; false when there is no new name. */
export function nameTaken(table: SQLiteTable, id: string, name: string | undefined): SQL {
  if (name === undefined) return sql`false`
  return sql`exists (select 1 from ${table} as other where other.folded = ${foldName(name)} and other.id <> ${id})`
}

/** The stored properties (JSON) with `extra` merged into them; null removes one. Null when the result is too large. */
export function mergedExtra(stored: string, extra: ExtraProperties): string | null {
  const all = Object.entries({ ...(JSON.parse(stored) as ExtraProperties), ...extra })
  const merged = JSON.stringify(Object.fromEntries(all.filter(([name, value]) => value !== null || !(name in extra))))
  return merged.length <= MOST_EXTRA_CHARACTERS ? merged : null
}
