/**
 * Statements of the database. There is one way to run one:
 *
 * 1. drizzle's builder {@link build} writes the SQL from the tables in `schema/`, and its types give the type of a row.
 *    The builder is bound to no database: `toSQL()` compiles what it has built.
 * 2. A {@link Statement} is the compiled text with its parameters, and how its result is read. It is plain data, so that
 *    any session can send it, alone or in a batch. {@link select} and {@link change} compile with each call;
 *    {@link preparedSelect} and {@link preparedChange} compile once for each isolate and take values for placeholders.
 * 3. A session (`session.ts`), or in a Durable Object the group commit, runs it. A batch takes statements by name and
 *    returns their results by name.
 *
 * Bytes travel as hexadecimal digits in both directions: D1 speaks JSON, in which each byte would be a number.
 */
import { Column, fillPlaceholders, is, SQL, sql, type Query } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/sqlite-proxy'

/** drizzle's builder. It only writes: whatever it is asked to run, it refuses. */
export const build = drizzle(() =>
  Promise.reject(new Error('the builder runs nothing: pass its statement to a session')),
)

/** What a builder has built. */
export interface Built {
  readonly toSQL: () => Query
}

/** The values of the placeholders in a prepared statement, by name; a placeholder may occur several times. */
export type Values = Readonly<Record<string, unknown>>

/** A statement with its parameters, ready to be sent. */
export interface Statement<Result> {
  readonly sql: string
  readonly parameters: readonly unknown[]
  readonly read: (result: D1Result) => Result
}

/** Compiles on first use: most isolates need few of all statements. */
function compiled(built: () => Built): () => Query {
  let query: Query | undefined
  return () => (query ??= built().toSQL())
}

/**
 * How many rows a statement has changed. D1 counts what triggers and cascades have changed as well, so where a table has
 * any, only whether it is 0 means something.
 */
const changedRows = ({ meta }: D1Result): number => meta.changes

/** A statement that writes. */
export function change(built: Built): Statement<number> {
  const { sql: text, params } = built.toSQL()
  return { sql: text, parameters: params, read: changedRows }
}

/** A statement that writes and ends in `returning`: how many rows it has changed itself. */
export function changeReturning(built: Built): Statement<number> {
  return { ...change(built), read: ({ results }) => results.length }
}

/** Compiles a statement that writes once; `values` stand where it has placeholders. */
export function preparedChange(built: () => Built): (values: Values) => Statement<number> {
  const query = compiled(built)
  return (values) => ({
    sql: query().sql,
    parameters: fillPlaceholders(query().params, values),
    read: changedRows,
  })
}

/** Whether a field of a select, or a column of a table, holds bytes. */
export const isBytes = (field: unknown) => is(field, Column) && field.getSQLType() === 'blob'

type Fields = Readonly<Record<string, unknown>>

/** SQL for bytes as digits; null stays null, of which `hex` would make an empty text. */
export const digitsOf = (bytes: SQL) => sql<string | null>`case when ${bytes} is not null then hex(${bytes}) end`

/** Bytes that were selected with {@link digitsOf}. */
export const bytesOf = (digits: unknown) => (typeof digits === 'string' ? Uint8Array.fromHex(digits) : null)

/** Fields under their own names, so that rows of a join are not keyed by columns that share a name. */
function named<Selected extends Fields>(fields: Selected): Selected {
  const aliased = Object.entries(fields).map(([name, field]) => {
    const expression = isBytes(field) ? digitsOf(sql`${field}`) : is(field, Column) ? sql`${field}` : field
    return [name, is(expression, SQL) ? expression.as(name) : expression]
  })
  return Object.fromEntries(aliased) as Selected
}

/** How the value of a field is read: as the table of a column says; an expression stays as it is. */
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

/** A select of these fields, which `built` is given under their own names. */
export function select<Selected extends Fields, Row>(
  fields: Selected,
  built: (fields: Selected) => Selecting<Row>,
): Statement<Row[]> {
  const { sql: text, params } = built(named(fields)).toSQL()
  return { sql: text, parameters: params, read: rowsReader(fields) }
}

/** Like {@link select}, compiled once; `values` stand where it has placeholders. */
export function preparedSelect<Selected extends Fields, Row>(
  fields: Selected,
  built: (fields: Selected) => Selecting<Row>,
): (values: Values) => Statement<Row[]> {
  const query = compiled(() => built(named(fields)))
  const read = rowsReader<Row>(fields)
  return (values) => ({ sql: query().sql, parameters: fillPlaceholders(query().params, values), read })
}

/** A select of one row from no table: expressions alone. */
export function selectValues<Selected extends Readonly<Record<string, SQL>>>(fields: Selected) {
  return select(fields, (expressions) => build.select(expressions).from(oneRow))
}

/** A table of one row, for selects of expressions alone. */
export const oneRow = sql`(select 1)`
