/** Compares a migrated database with `schema/`: tables, columns, keys, indices and triggers. */
import { is } from 'drizzle-orm'
import { getTableConfig, SQLiteTable, type SQLiteColumn } from 'drizzle-orm/sqlite-core'
import * as audit from '../../src/state/schema/audit.ts'
import * as deployment from '../../src/state/schema/deployment.ts'
import * as identity from '../../src/state/schema/identity.ts'
import * as resources from '../../src/state/schema/resources.ts'
import * as versions from '../../src/state/schema/secret-versions.ts'
import { triggers } from '../../src/state/schema/triggers.ts'

type Row = Readonly<Record<string, unknown>>
/** Runs a statement without parameters and returns its rows. */
export type Query = (sql: string) => Promise<readonly Row[]> | readonly Row[]

export const tables = Object.values({ ...resources, ...versions, ...identity, ...audit, ...deployment }).filter((table) => is(table, SQLiteTable))

/** Internal tables of SQLite, D1 and its migrations. */
const internal = /^(sqlite_|_cf_|d1_)/

const text = (value: unknown) => JSON.stringify(value)
const normalized = (sql: unknown) => String(sql).replaceAll(/\s+/g, ' ').replaceAll('`', '').trim()

/** A column of the schema as text, with its position in the primary key (from 1; 0 if it is not part of it). */
function wantedColumn(column: SQLiteColumn, composite: readonly string[]): string {
  const place = column.primary ? 1 : composite.indexOf(column.name) + 1
  const { default: given } = column
  const byDefault = given === undefined ? null : typeof given === 'string' ? `'${given}'` : String(Number(given))
  const required = column.notNull && !(column.primary && column.getSQLType() === 'integer')
  return text([column.name, column.getSQLType(), required || column.primary, byDefault, place])
}

const foundColumn = ({ name, type, notnull, dflt_value: byDefault, pk }: Row) =>
  text([name, String(type).toLowerCase(), notnull === 1 || pk === 1, byDefault === 'false' ? '0' : byDefault, pk])

function wantedParts(table: SQLiteTable): Record<string, string[]> {
  const { columns, foreignKeys, indexes, primaryKeys } = getTableConfig(table)
  const composite = primaryKeys.flatMap((key) => key.columns.map(({ name }) => name))
  const nameOf = (column: unknown) => (column as { readonly name: string }).name
  return {
    column: columns.map((column) => wantedColumn(column, composite)),
    'foreign key': foreignKeys.map((key) => {
      const { columns: from, foreignColumns, foreignTable } = key.reference()
      const target = getTableConfig(foreignTable).name
      return text([from[0]?.name, target, foreignColumns[0]?.name, (key.onDelete ?? 'no action').toUpperCase()])
    }),
    index: indexes.map(({ config }) => text([config.unique, config.where !== undefined, config.columns.map(nameOf)])),
  }
}

async function foundParts(query: Query, table: string): Promise<Record<string, string[]>> {
  const columns = await query(`pragma table_info("${table}")`)
  const foreignKeys = await query(`pragma foreign_key_list("${table}")`)
  const indexes = (await query(`pragma index_list("${table}")`)).filter(({ origin }) => origin !== 'pk')
  const index: string[] = []
  for (const { name, unique, partial } of indexes) {
    const parts = await query(`pragma index_info("${String(name)}")`)
    index.push(text([unique === 1, partial === 1, parts.map((part) => part['name'])]))
  }
  return {
    column: columns.map(foundColumn),
    'foreign key': foreignKeys.map((key) => text([key['from'], key['table'], key['to'], key['on_delete']])),
    index,
  }
}

/**
 * The foreign keys whose target is unique only by a separate index. They break dumps, which create indices after the
 * rows: the target must be a primary key or a UNIQUE column of its table.
 */
async function looseTargets(query: Query, table: string): Promise<string[]> {
  const loose: string[] = []
  for (const key of await query(`pragma foreign_key_list("${table}")`)) {
    const [target, column] = [String(key['table']), String(key['to'])]
    const inTable = (await query(`pragma index_list("${target}")`)).filter(({ origin }) => origin !== 'c')
    const named: unknown[] = []
    for (const { name } of inTable) {
      const parts = await query(`pragma index_info("${String(name)}")`)
      if (parts.length === 1) named.push(parts[0]?.['name'])
    }
    if (!named.includes(column))
      loose.push(`${table}: a foreign key leads to ${target}.${column}, unique by an index alone`)
  }
  return loose
}

function differing(kind: string, wanted: readonly string[], found: readonly string[]): string[] {
  return [
    ...wanted.filter((one) => !found.includes(one)).map((one) => `${kind} missing: ${one}`),
    ...found.filter((one) => !wanted.includes(one)).map((one) => `${kind} not in the schema: ${one}`),
  ]
}

/** The differences between the database and `schema/`, one line each; empty if they match. */
export async function schemaDifferences(query: Query): Promise<string[]> {
  const master = await query('select type, name, sql from sqlite_master')
  const named = (type: string) => master.filter((row) => row['type'] === type && !internal.test(String(row['name'])))
  const tableNames = tables.map((table) => getTableConfig(table).name)
  const lines = differing(
    'table',
    tableNames,
    named('table').map(({ name }) => String(name)),
  )
  for (const table of tables) {
    const { name } = getTableConfig(table)
    if (lines.includes(`table missing: ${name}`)) continue
    const [wanted, found] = [wantedParts(table), await foundParts(query, name)]
    for (const kind of Object.keys(wanted))
      lines.push(...differing(`${name}: ${kind}`, wanted[kind] ?? [], found[kind] ?? []))
    lines.push(...(await looseTargets(query, name)))
  }
  const wantedTriggers = triggers.map(({ definition }) => normalized(`CREATE TRIGGER ${definition}`))
  return [
    ...lines,
    ...differing(
      'trigger',
      wantedTriggers,
      named('trigger').map(({ sql }) => normalized(sql)),
    ),
  ]
}
