/**
 * Statements whose text is written once for each isolate. drizzle writes it as ever; for what is asked for all the time,
 * writing it anew is a large part of what it costs beside the round trip.
 */
import { Column, is, Param, Placeholder, type Query } from 'drizzle-orm'
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

function once(build: (db: Database) => { readonly toSQL: () => Query }): () => Text {
  let text: Text | undefined
  return () => {
    if (text) return text
    const { sql, params } = build(writer).toSQL()
    const parameters = params.map(parameter)
    text = { sql, parametersOf: (values) => parameters.map((of) => of(values)) }
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

/** How each column of the answer is read: as its table says; an expression stays as it is. */
function readersOf(fields: Readonly<Record<string, unknown>>) {
  return Object.entries(fields).map(([name, field]) => {
    const read = is(field, Column) ? (value: unknown) => field.mapFromDriverValue(value) : (value: unknown) => value
    return { name, read: (value: unknown) => (value === null ? null : read(value)) }
  })
}

/**
 * The select of these fields that `build` makes: gives what asks for its rows in one round trip, and what makes it a
 * statement of a batch. The columns of the answer need names of their own.
 */
export function writtenSelect<Row>(
  fields: Readonly<Record<string, unknown>>,
  build: (db: Database) => PromiseLike<Row[]> & { readonly toSQL: () => Query },
) {
  const readers = readersOf(fields)
  const text = once(build)
  const read = (row: readonly unknown[]): Row => {
    const members: Record<string, unknown> = {}
    for (const [at, { name, read: readColumn }] of readers.entries()) members[name] = readColumn(row[at])
    return members as Row
  }
  return {
    async ask(session: Session, values: Values): Promise<Row[]> {
      const { sql, parametersOf } = text()
      const rows = await session.rows(sql, parametersOf(values))
      return rows.map(read)
    },
    inBatch: ({ db }: { readonly db: Database }, values: Values): Statement<Row[]> =>
      statement(db, text(), values, ({ results }) => results.map((row) => read(Object.values(row as object)))),
  }
}
