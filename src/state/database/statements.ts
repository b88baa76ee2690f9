/** Forms of statements that several operations share. */
import { getTableColumns, is, SQL, sql, type Column } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { build, change, isBytes, preparedChange, type Statement, type Values } from './prepared.ts'

/** The value of a column as it is sent. */
function sent(column: Column, value: unknown): unknown {
  if (value === undefined || value === null) return column.default ?? null
  if (is(value, SQL)) return value
  if (isBytes(column) && value instanceof Uint8Array) return value.toHex()
  return column.mapToDriverValue(value)
}

const columnsOf = (table: SQLiteTable) => Object.entries<Column>(getTableColumns(table))

/** SQL for the value of a column; bytes are sent as digits. */
const valueOf = (column: Column, value: SQL) => (isBytes(column) ? sql`unhex(${value})` : value)

/** SQL for bytes in an update or a condition. */
export const bytesAsSql = (bytes: Uint8Array) => sql`unhex(${bytes.toHex()})`

/** SQL: a select of one row if the condition holds, otherwise of none. */
const selectRowIf = (values: readonly SQL[], condition: SQL) =>
  sql`select ${sql.join([...values], sql`, `)} where ${condition}`

/**
 * `INSERT … SELECT … WHERE condition`. The condition is evaluated when the row is inserted, so a concurrent request
 * cannot break an invariant. The number of changed rows shows whether it held.
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
  return build.insert(table).select(selectRowIf(values, condition))
}

/** Like {@link insertWhere}, compiled once; `values` replace the placeholders of the condition. */
export function preparedInsert<Table extends SQLiteTable>(table: Table, condition: SQL) {
  const columns = columnsOf(table)
  const placeholder = ([name, column]: (typeof columns)[number]) =>
    valueOf(column, sql`${sql.placeholder(`row.${name}`)}`)
  const insert = preparedChange(() => build.insert(table).select(selectRowIf(columns.map(placeholder), condition)))
  return (row: Table['$inferInsert'], values: Values = {}): Statement<number> => {
    const given: Readonly<Record<string, unknown>> = row
    const all: Record<string, unknown> = { ...values }
    for (const [name, column] of columns) all[`row.${name}`] = sent(column, given[name])
    return insert(all)
  }
}

/** SQL: the preceding insert, update or delete in the batch changed a row. */
export const justChanged = sql`changes() > 0`

/** SQL: the expression if the preceding insert, update or delete in the batch changed nothing; otherwise null. */
export const unlessChanged = <Value>(expression: SQL<Value>) =>
  sql<Value | null>`case when not (${justChanged}) then ${expression} end`

/**
 * The maximum number of consumers in the representation of a secret or container; the list of consumers has all of
 * them. They are aggregated into one value, which D1 limits to 2,000,000 bytes, and one takes up to 3,350 bytes as
 * JSON.
 */
export const MOST_SHOWN_CONSUMERS = 500
/** The end of the subquery whose rows are aggregated. */
export const atMostShown = sql.raw(`limit ${MOST_SHOWN_CONSUMERS}`)

/**
 * The values of a JSON array of pairs `[seq, value]`, sorted by `seq`. Sorting in the subquery would read one more row
 * per entry of a list, even if there is nothing to sort.
 */
export function inOrder<Value>(pairs: string): Value[] {
  const parsed = JSON.parse(pairs) as [seq: number, value: Value][]
  return parsed.toSorted(([one], [other]) => one - other).map(([, value]) => value)
}
