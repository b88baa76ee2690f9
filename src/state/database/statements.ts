/** Statements that several operations share the form of. */
import { getTableColumns, sql, type Column, type SQL } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Store } from '../scope.ts'
import { isBytes, writtenChange, type Values } from './written.ts'

/** The value of a column as it is stored. Text is stored as it was authenticated: UTF-8 has no lone surrogates. */
function stored(column: Column, value: unknown): unknown {
  if (value === undefined || value === null) return column.default ?? null
  return typeof value === 'string' ? value.toWellFormed() : column.mapToDriverValue(value)
}

/**
 * JSON whose text values SQLite stores as they were authenticated: of an escaped lone surrogate it would make three bytes
 * that are no UTF-8 and read as another text.
 */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value)
  if (!json.includes('\\ud')) return json
  return JSON.stringify(value, (_, member: unknown) => (typeof member === 'string' ? member.toWellFormed() : member))
}

/** The value of a column as it is sent: bytes as digits, because D1 is sent JSON, where each byte would be a number. */
function sent(column: Column, value: unknown): unknown {
  return isBytes(column) && value instanceof Uint8Array ? value.toHex() : stored(column, value)
}

const columnsOf = (table: SQLiteTable) => Object.entries<Column>(getTableColumns(table))

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
  const values = columnsOf(table).map(([name, column]) => sql`${stored(column, given[name])}`)
  return db.insert(table).select(sql`select ${sql.join(values, sql`, `)} where ${condition}`)
}

/** Like {@link insertWhere}, its text written once; `values` stand where the condition has placeholders. */
export function writtenInsert<Table extends SQLiteTable>(table: Table, condition: SQL) {
  const columns = columnsOf(table)
  const placeholders = columns.map(([name, column]) => {
    const value = sql`${sql.placeholder(`row.${name}`)}`
    return isBytes(column) ? sql`unhex(${value})` : value
  })
  const insert = writtenChange((db) =>
    db.insert(table).select(sql`select ${sql.join(placeholders, sql`, `)} where ${condition}`),
  )
  return (store: Store, row: Table['$inferInsert'], values: Values) => {
    const given: Readonly<Record<string, unknown>> = row
    const all: Record<string, unknown> = { ...values }
    for (const [name, column] of columns) all[`row.${name}`] = sent(column, given[name])
    return insert(store, all)
  }
}

/** The last statement of the batch that inserts, updates or deletes did change a row. */
export const justChanged = sql`changes() > 0`

/**
 * Whether a statement of a batch changed anything: 0 or more than 0. D1 adds what triggers and cascades changed, so the
 * number itself says nothing where there are any.
 */
export function changes(result: unknown): number {
  return (result as D1Result).meta.changes
}

/**
 * Consumers that a secret or a container is shown with: what is gathered has to fit into one value of D1, which has
 * 2,000,000 bytes, and JSON makes up to 3,350 of one consumer. Their own list has all of them.
 */
export const MOST_SHOWN_CONSUMERS = 500
/** Ends the subquery whose rows are gathered. */
export const atMostShown = sql.raw(`limit ${MOST_SHOWN_CONSUMERS}`)

/**
 * The values of a JSON array of pairs `[seq, value]`, by `seq`. A subquery of a list leaves its order to this: to sort,
 * SQLite reads a row more for each entry of the list, even where there is nothing to sort.
 */
export function inOrder<Value>(pairs: string): Value[] {
  const parsed = JSON.parse(pairs) as [seq: number, value: Value][]
  return parsed.toSorted(([one], [other]) => one - other).map(([, value]) => value)
}
