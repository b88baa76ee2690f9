/** Statements that several operations share the form of. */
import { getTableColumns, sql, type SQL } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Store } from './store.ts'

/**
 * `INSERT … SELECT … WHERE condition`: the row is made only if the condition holds at that moment, so an invariant
 * cannot be overtaken by a concurrent request. The count of changed rows tells whether it held.
 */
export function insertWhere<Table extends SQLiteTable>(
  { db }: Store,
  table: Table,
  row: Table['$inferInsert'],
  condition: SQL,
) {
  const given: Readonly<Record<string, unknown>> = row
  const values = Object.entries(getTableColumns(table)).map(([name, column]) =>
    sql.param(given[name] ?? column.default ?? null, column),
  )
  return db.insert(table).select(sql`select ${sql.join(values, sql`, `)} where ${condition}`)
}

/** The words in which the triggers refuse a value that is not sealed under the key that seals now in its place. */
const SUPERSEDED = 'superseded project key'

/** Whether a batch was refused, as a whole, for a value that is sealed under a key that does not seal any more. */
export function isSuperseded(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) if (one.message.includes(SUPERSEDED)) return true
  return false
}

/** How many rows a statement of a batch changed. */
export function changes(result: unknown): number {
  return (result as D1Result).meta.changes
}
