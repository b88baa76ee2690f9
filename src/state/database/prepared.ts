/**
 * Statements of the database, and how they are built and run:
 *
 * 1. drizzle's builder {@link build} writes the SQL from the tables in `schema/`, and its types give the type of a row.
 *    The builder is bound to no database: `toSQL()` compiles what it has built.
 * 2. A {@link Statement} is the compiled text with its parameters and a function that reads its result. It is not bound
 *    to a session, so any session can send it, alone or in a batch. {@link select} and {@link change} compile with each
 *    call; {@link preparedSelect} and {@link preparedChange} compile once per isolate and take values for placeholders.
 * 3. A session (`session.ts`), or in a Durable Object the group commit, runs it. A batch takes statements by name and
 *    returns their results by name.
 *
 * Bytes are sent and returned as hexadecimal digits, because D1's protocol is JSON, in which each byte would be a
 * number.
 */
import { Column, fillPlaceholders, is, SQL, sql, type Query } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/sqlite-proxy'

/** drizzle's builder. It only builds statements and cannot run them. */
export const build = drizzle(() =>
  Promise.reject(new Error('the builder runs nothing: pass its statement to a session')),
)

/** The result of a builder. */
interface Built {
  readonly toSQL: () => Query
}

/** The values of the placeholders in a prepared statement, by name; a placeholder may occur several times. */
export type Values = Readonly<Record<string, unknown>>

/**
 * What happens if a statement is run twice: a read and a change that is `idempotent` leave the database as after the
 * first time; any other `write` may not, so that its batch needs a proof to be repeated (`repetition.ts`).
 */
export type StatementKind = 'read' | 'idempotent' | 'write'

/** A compiled statement with its parameters. */
export interface Statement<Result> {
  readonly sql: string
  readonly parameters: readonly unknown[]
  readonly kind: StatementKind
  readonly read: (result: D1Result) => Result
  /** The ids of the audit events that the statement inserts: if one of them is stored, the batch was committed. */
  readonly events?: readonly string[]
}

/** Compiles on first use, because most isolates use few of the statements. */
function compiled(built: () => Built): () => Query {
  let query: Query | undefined
  return () => (query ??= built().toSQL())
}

/**
 * The number of rows that a statement changed. D1 includes rows changed by triggers and cascades, so for tables with
 * either only whether it is 0 is meaningful.
 */
const changedRows = ({ meta }: D1Result): number => meta.changes

/** A statement that writes. */
export function change(built: Built): Statement<number> {
  const { sql: text, params } = built.toSQL()
  return { sql: text, parameters: params, kind: 'write', read: changedRows }
}

/** A statement that writes, and that changes nothing more if it is run again, except that it may return another count. */
export const idempotent = <Result>(statement: Statement<Result>): Statement<Result> => ({
  ...statement,
  kind: 'idempotent',
})

/** A statement that writes and ends in `returning`. Its result is the number of rows that it changed itself. */
export function changeReturning(built: Built): Statement<number> {
  return { ...change(built), read: ({ results }) => results.length }
}

/** Like {@link change}, compiled once; `values` replace its placeholders. */
export function preparedChange(built: () => Built): (values: Values) => Statement<number> {
  const query = compiled(built)
  return (values) => ({
    sql: query().sql,
    parameters: fillPlaceholders(query().params, values),
    kind: 'write',
    read: changedRows,
  })
}

/** Reports whether a field of a select, or a column of a table, contains bytes. */
export const isBytes = (field: unknown) => is(field, Column) && field.getSQLType() === 'blob'

type Fields = Readonly<Record<string, unknown>>

/** SQL for bytes as digits. Null remains null; `hex` would return an empty text for it. */
export const digitsOf = (bytes: SQL) => sql<string | null>`case when ${bytes} is not null then hex(${bytes}) end`

/** Decodes bytes that were selected with {@link digitsOf}. */
export const bytesOf = (digits: unknown) => (typeof digits === 'string' ? Uint8Array.fromHex(digits) : null)

/** Gives each field its own name as alias, so that columns of a join with the same name do not collide in a row. */
function named<Selected extends Fields>(fields: Selected): Selected {
  const aliased = Object.entries(fields).map(([name, field]) => {
    const expression = isBytes(field) ? digitsOf(sql`${field}`) : is(field, Column) ? sql`${field}` : field
    return [name, is(expression, SQL) ? expression.as(name) : expression]
  })
  return Object.fromEntries(aliased) as Selected
}

/** The function that reads the value of a field: a column's own mapping, or the value unchanged for an expression. */
function readerOf(field: unknown): (value: unknown) => unknown {
  if (isBytes(field)) return bytesOf
  if (is(field, Column)) return (value) => (value === null ? null : field.mapFromDriverValue(value))
  return (value) => value
}

function rowsReader<Row>(fields: Fields): (result: D1Result) => Row[] {
  const readers = Object.entries(fields).map(([name, field]) => ({ name, read: readerOf(field) }))
  const readRow = (row: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(readers.map(({ name, read }) => [name, read(row[name])])) as Row
  return ({ results }) => (results as Readonly<Record<string, unknown>>[]).map(readRow)
}

/** A builder's select of rows of this type. */
type Selecting<Row> = PromiseLike<Row[]> & Built

/** A select of these fields. `built` receives them with their names as aliases. */
export function select<Selected extends Fields, Row>(
  fields: Selected,
  built: (fields: Selected) => Selecting<Row>,
): Statement<Row[]> {
  const { sql: text, params } = built(named(fields)).toSQL()
  return { sql: text, parameters: params, kind: 'read', read: rowsReader(fields) }
}

/** Like {@link select}, compiled once; `values` replace its placeholders. */
export function preparedSelect<Selected extends Fields, Row>(
  fields: Selected,
  built: (fields: Selected) => Selecting<Row>,
): (values: Values) => Statement<Row[]> {
  const query = compiled(() => built(named(fields)))
  let read: ((result: D1Result) => Row[]) | undefined
  return (values) => ({
    sql: query().sql,
    parameters: fillPlaceholders(query().params, values),
    kind: 'read',
    read: (read ??= rowsReader<Row>(fields)),
  })
}

/** A select of one row of expressions, without a table. */
export function selectValues<Selected extends Readonly<Record<string, SQL>>>(fields: Selected) {
  return select(fields, (expressions) => build.select(expressions).from(oneRow))
}

/** A table of one row, for selects of expressions. */
export const oneRow = sql`(select 1)`
