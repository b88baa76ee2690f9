/** Forms of statements that several operations share. */
import { getTableColumns, is, SQL, sql, type Column } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { build, change, isBytes, preparedChange, type Statement, type Values } from './prepared.ts'

/**
 * The value of a column as it is sent. Text is stored as it was authenticated: UTF-8 has no lone surrogates, which JSON
 * has.
 */
function sent(column: Column, value: unknown): unknown {
  if (value === undefined || value === null) return column.default ?? null
  if (is(value, SQL)) return value
  if (isBytes(column) && value instanceof Uint8Array) return value.toHex()
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

const columnsOf = (table: SQLiteTable) => Object.entries<Column>(getTableColumns(table))

/** SQL for the value of a column; bytes travel as digits. */
const valueOf = (column: Column, value: SQL) => (isBytes(column) ? sql`unhex(${value})` : value)

/** Bytes in an update or a condition. */
export const bytesAsSql = (bytes: Uint8Array) => sql`unhex(${bytes.toHex()})`

/** The select that an insert takes its one row from, if the condition holds. */
const rowIf = (values: readonly SQL[], condition: SQL) =>
  sql`select ${sql.join([...values], sql`, `)} where ${condition}`

/**
 * `INSERT … SELECT … WHERE condition`: the row is inserted only if the condition holds at that moment, so a concurrent
 * request cannot break an invariant. The number of changed rows says whether it held.
 */
export function insertWhere<Table extends SQLiteTable>(
  table: Table,
  row: Table['$inferInsert'],
  condition: SQL,
): Statement<number> {
  return change(insertWhereBuilder(table, row, condition))
}

/** A row of which the database computes some values. */
type RowOrSql<Table extends SQLiteTable> = {
  readonly [Member in keyof Table['$inferInsert']]: Table['$inferInsert'][Member] | SQL
}

/** {@link insertWhere} as a builder, for a conflict clause and for values that the database computes. */
export function insertWhereBuilder<Table extends SQLiteTable>(table: Table, row: RowOrSql<Table>, condition: SQL) {
  const given: Readonly<Record<string, unknown>> = row
  const values = columnsOf(table).map(([name, column]) => valueOf(column, sql`${sent(column, given[name])}`))
  return build.insert(table).select(rowIf(values, condition))
}

/** Like {@link insertWhere}, compiled once; `values` stand where the condition has placeholders. */
export function preparedInsert<Table extends SQLiteTable>(table: Table, condition: SQL) {
  const columns = columnsOf(table)
  const placeholders = columns.map(([name, column]) => valueOf(column, sql`${sql.placeholder(`row.${name}`)}`))
  const insert = preparedChange(() => build.insert(table).select(rowIf(placeholders, condition)))
  return (row: Table['$inferInsert'], values: Values = {}): Statement<number> => {
    const given: Readonly<Record<string, unknown>> = row
    const all: Record<string, unknown> = { ...values }
    for (const [name, column] of columns) all[`row.${name}`] = sent(column, given[name])
    return insert(all)
  }
}

/** The last statement of the batch that inserts, updates or deletes has changed a row. */
export const justChanged = sql`changes() > 0`

/**
 * Consumers that a secret or a container is shown with. They are gathered into one value of D1, which has 2,000,000
 * bytes, and JSON takes up to 3,350 for one consumer. Their own list has all of them.
 */
export const MOST_SHOWN_CONSUMERS = 500
/** Ends the subquery whose rows are gathered. */
export const atMostShown = sql.raw(`limit ${MOST_SHOWN_CONSUMERS}`)

/**
 * The values of a JSON array of pairs `[seq, value]`, by `seq`. Sorting in the subquery would read one more row for each
 * entry of a list, even where there is nothing to sort.
 */
export function inOrder<Value>(pairs: string): Value[] {
  const parsed = JSON.parse(pairs) as [seq: number, value: Value][]
  return parsed.toSorted(([one], [other]) => one - other).map(([, value]) => value)
}
