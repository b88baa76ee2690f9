/**
 * Statements whose text is written once for each isolate. drizzle writes it as ever; for what is asked for all the time,
 * writing it anew is a large part of what it costs beside the round trip.
 */
import { Column, is, Param, Placeholder, SQL, sql, type Query } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import type { RunnableQuery } from 'drizzle-orm/runnable-query'
import type { Database, Session } from './session.ts'

/** What is to stand where a text has `sql.placeholder(name)`, by name; a placeholder may stand in several places. */
export type Values = Readonly<Record<string, unknown>>

/** A statement of a batch with its values. */
type Statement<Result> = RunnableQuery<Result, 'sqlite'>

/** Writes text, and never asks anything. */
const writer: Database = drizzle({} as D1Database)

interface Text {
  readonly sql: string
  readonly parametersOf: (values: Values) => unknown[]
}

/** The value of one parameter. That of a column is encoded as its table says. */
function parameter(given: unknown): (values: Values) => unknown {
  if (is(given, Placeholder)) return (values) => values[given.name]
  if (!is(given, Param) || !is(given.value, Placeholder)) return () => given
  const { encoder, value } = given
  return (values) => encoder.mapToDriverValue(values[value.name])
}

/**
 * The text without the quotation marks around names, which none of ours needs. It is sent as JSON, where each of them is
 * two characters: a quarter of what the look-up of a payload would send. And a name that is no column fails, which SQLite
 * takes for a text when it is quoted.
 */
function unquoted(text: string): string {
  const parts = text.split("'")
  // Every other part is a literal.
  return parts.map((part, at) => (at % 2 === 0 ? part.replaceAll(/"([a-z_]+)"/g, '$1') : part)).join("'")
}

function once(build: (db: Database) => { readonly toSQL: () => Query }): () => Text {
  let text: Text | undefined
  return () => {
    if (text) return text
    const { sql, params } = build(writer).toSQL()
    const parameters = params.map(parameter)
    text = { sql: unquoted(sql), parametersOf: (values) => parameters.map((of) => of(values)) }
    return text
  }
}

/** What drizzle's batch asks of a statement. */
function statement<Result>(db: Database, text: Text, values: Values, mapResult: (result: D1Result) => Result) {
  const query = { sql: text.sql, params: text.parametersOf(values) }
  const prepared = { getQuery: () => query, stmt: db.$client.prepare(text.sql), mapResult }
  return { _prepare: () => prepared } as unknown as Statement<Result>
}

/** The statement that `build` makes: gives it with such values, for a batch. */
export function writtenChange(build: (db: Database) => { readonly toSQL: () => Query }) {
  const text = once(build)
  return ({ db }: { readonly db: Database }, values: Values): Statement<D1Result> =>
    statement(db, text(), values, (result) => result)
}

/** Bytes are asked for as digits: D1 gives an answer as JSON, where each byte would be a number. */
export const isBytes = (field: unknown) => is(field, Column) && field.getSQLType() === 'blob'

/**
 * What is asked for a field. An expression gets a short name: without one its whole text comes back as the column's.
 * `hex` alone would make no bytes of null.
 */
function askedFor(field: unknown, at: number): unknown {
  const expression = isBytes(field) ? sql`case when ${field} is not null then hex(${field}) end` : field
  return is(expression, SQL) ? expression.as(`e${at}`) : expression
}

/** How a column of the answer is read: as its table says; an expression stays as it is. */
function readerOf(field: unknown): (value: unknown) => unknown {
  if (!is(field, Column)) return (value) => value
  if (isBytes(field)) return (digits) => (typeof digits === 'string' ? Uint8Array.fromHex(digits) : null)
  return (value) => (value === null ? null : field.mapFromDriverValue(value))
}

/**
 * The select that `build` makes of these fields, as it is given them: gives what asks for its rows in one round trip, and
 * what makes it a statement of a batch. The columns of the answer need names of their own.
 */
export function writtenSelect<Fields extends Readonly<Record<string, unknown>>, Row>(
  fields: Fields,
  build: (db: Database, fields: Fields) => PromiseLike<Row[]> & { readonly toSQL: () => Query },
) {
  const readers = Object.entries(fields).map(([name, field]) => ({ name, read: readerOf(field) }))
  const asked = Object.entries(fields).map(([name, field], at) => [name, askedFor(field, at)])
  const text = once((db) => build(db, Object.fromEntries(asked) as Fields))
  const read = (row: readonly unknown[]): Row => {
    const members: Record<string, unknown> = {}
    let at = 0
    for (const { name, read: readColumn } of readers) members[name] = readColumn(row[at++])
    return members as Row
  }
  return {
    async ask(session: Session, values: Values): Promise<Row[]> {
      const query = text()
      const rows = await session.rows(query.sql, query.parametersOf(values))
      return rows.map(read)
    },
    inBatch: ({ db }: { readonly db: Database }, values: Values): Statement<Row[]> =>
      statement(db, text(), values, ({ results }) => results.map((row) => read(Object.values(row as object)))),
  }
}
