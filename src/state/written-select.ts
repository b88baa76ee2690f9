/**
 * Selects whose text is written once for each isolate. drizzle writes it as ever; for the look-ups that are asked for all
 * the time, writing it anew is a large part of what they cost beside the round trip.
 */
import { Column, fillPlaceholders, is, type Query } from 'drizzle-orm'
import { drizzle, type DrizzleD1Database } from 'drizzle-orm/d1'
import type { Session } from './session.ts'

/** Writes text, and never asks anything. */
const writer = drizzle({} as D1Database)

/** How each column of the answer is read: as its table says; an expression stays as it is. */
function readersOf(fields: Readonly<Record<string, unknown>>) {
  return Object.entries(fields).map(([name, field]) => {
    const read = is(field, Column) ? (value: unknown) => field.mapFromDriverValue(value) : (value: unknown) => value
    return { name, read: (value: unknown) => (value === null ? null : read(value)) }
  })
}

/**
 * The select of these fields that `build` makes, with `sql.placeholder(name)` where a value is to stand. Gives what asks
 * for it: the rows for such values, in one round trip.
 */
export function written<Row>(
  fields: Readonly<Record<string, unknown>>,
  build: (db: DrizzleD1Database) => PromiseLike<Row[]> & { readonly toSQL: () => Query },
) {
  const readers = readersOf(fields)
  let text: Query | undefined
  return async function ask(session: Session, values: Readonly<Record<string, string>>): Promise<Row[]> {
    text ??= build(writer).toSQL()
    const rows = await session.rows(text.sql, fillPlaceholders(text.params, values))
    return rows.map((row) => {
      const read = readers.map(({ name, read }, at) => [name, read(row[at])] as const)
      return Object.fromEntries(read) as Row
    })
  }
}
