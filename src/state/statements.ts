/** Statements that several operations share the form of. */
import { getTableColumns, sql, type Column, type SQL } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Store } from './store.ts'

interface Piece {
  /** SQL of the columns up to the blob; of them the row is JSON. */
  readonly text: SQL
  /** The column that JSON cannot hold, if one follows. */
  readonly blob: readonly [name: string, column: Column] | null
}

const pieces = new WeakMap<SQLiteTable, readonly Piece[]>()

/** What selects a row of the table from its JSON, written once: a parameter for each column is dear to write. */
function piecesOf(table: SQLiteTable): readonly Piece[] {
  const known = pieces.get(table)
  if (known) return known
  const made: Piece[] = []
  let text = ''
  for (const [name, column] of Object.entries(getTableColumns(table))) {
    const isBlob = column.getSQLType() === 'blob'
    text += `${text || made.length > 0 ? ', ' : ''}${isBlob ? '' : `value ->> '${name}'`}`
    if (!isBlob) continue
    made.push({ text: sql.raw(text), blob: [name, column] })
    text = ''
  }
  made.push({ text: sql.raw(text), blob: null })
  pieces.set(table, made)
  return made
}

const stored = (column: Column, value: unknown) =>
  value === undefined || value === null ? (column.default ?? null) : column.mapToDriverValue(value)

/**
 * JSON whose text values SQLite stores as they were authenticated: of an escaped lone surrogate it would make three bytes
 * that are no UTF-8 and read as another text.
 */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value)
  if (!json.includes('\\ud')) return json
  return JSON.stringify(value, (_, member: unknown) => (typeof member === 'string' ? member.toWellFormed() : member))
}

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
  const members: Record<string, unknown> = {}
  for (const [name, column] of Object.entries(getTableColumns(table))) {
    if (column.getSQLType() !== 'blob') members[name] = stored(column, given[name])
  }
  const values = piecesOf(table).map(({ text, blob }) => {
    if (!blob) return text
    const [name, column] = blob
    return sql`${text}${stored(column, given[name])}`
  })
  const json = storableJson([members])
  return db.insert(table).select(sql`select ${sql.join(values)} from json_each(${json}) where ${condition}`)
}

/** The words in which the triggers refuse a value that is not sealed under the key that seals now in its place. */
const SUPERSEDED = 'superseded project key'

/** Whether a batch was refused, as a whole, for a value that is sealed under a key that does not seal any more. */
export function isSuperseded(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) if (one.message.includes(SUPERSEDED)) return true
  return false
}

/**
 * Whether a statement of a batch changed anything: 0 or more than 0. D1 adds what triggers and cascades changed, so the
 * number itself says nothing where there are any.
 */
export function changes(result: unknown): number {
  return (result as D1Result).meta.changes
}

/**
 * The values of a JSON array of pairs `[seq, value]`, by `seq`. A subquery of a list leaves its order to this: to sort,
 * SQLite reads a row more for each entry of the list, even where there is nothing to sort.
 */
export function inOrder<Value>(pairs: string): Value[] {
  const parsed = JSON.parse(pairs) as [seq: number, value: Value][]
  return parsed.toSorted(([one], [other]) => one - other).map(([, value]) => value)
}
