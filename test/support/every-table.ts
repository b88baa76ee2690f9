/** SQL that inserts one row into every table of the schema, for tests of migrations and dumps. */
import { getTableConfig, type SQLiteColumn, type SQLiteTable } from 'drizzle-orm/sqlite-core'
import { tables } from '../migrations/comparison.ts'

/** Values that satisfy the constraints between tables. Other text columns contain their own name. */
const fixed: Readonly<Record<string, string>> = {
  project_id: "'project'",
  store: "'store'",
  version: '1',
  key_version: '1',
  superseded: 'null',
  administrative: '1',
}

function valueOf(table: SQLiteTable, column: SQLiteColumn): string {
  const { foreignKeys } = getTableConfig(table)
  const reference = foreignKeys.map((key) => key.reference()).find(({ columns }) => columns[0]?.name === column.name)
  if (reference) {
    const [target] = reference.foreignColumns
    return target ? `(select ${target.name} from ${getTableConfig(reference.foreignTable).name} limit 1)` : 'null'
  }
  const known = fixed[column.name]
  if (known !== undefined && !column.primary) return known
  if (column.getSQLType() === 'blob') return "x'00ff10'"
  if (column.getSQLType() === 'integer') return '1'
  return known ?? `'${column.name} with ''quotes'', a line\nand a semicolon; é'`
}

/** Whether a table of the database has a column. */
export type HasColumn = (table: string, column: string) => boolean

function insertInto(table: SQLiteTable, has: HasColumn): string[] {
  const { name, columns: all } = getTableConfig(table)
  const columns = all.filter((column) => has(name, column.name))
  if (columns.length === 0) return []
  const names = columns.map((column) => column.name).join(', ')
  return [`insert into ${name} (${names}) values (${columns.map((column) => valueOf(table, column)).join(', ')})`]
}

/** Sorts tables after those that they refer to. */
function inOrder(): SQLiteTable[] {
  const depth = (table: SQLiteTable): number => {
    const targets = getTableConfig(table).foreignKeys.map((key) => key.reference().foreignTable)
    return targets.length === 0 ? 0 : 1 + Math.max(...targets.map(depth))
  }
  const keysFirst = (table: SQLiteTable) => (getTableConfig(table).name === 'project_keys' ? -1 : depth(table))
  return tables.toSorted((one, other) => keysFirst(one) - keysFirst(other))
}

export const tableNames = tables.map((table) => getTableConfig(table).name)

/**
 * Statements without parameters, in an order that the database takes. `project_counts` is filled by its triggers, and
 * `deployments` by its migration. `has`
 * says which tables and columns there are, in a database that lacks the newest migration.
 */
export function rowsForEveryTable(has: HasColumn = () => true): string[] {
  const filled = inOrder().filter((table) => !['project_counts', 'deployments'].includes(getTableConfig(table).name))
  // The first migration had authorities of no project.
  const authorityKey = `insert into project_keys (project_id, store, version, master_key_id, wrapped, created)
    values ('certificate authority', 'store', 1, 'key', x'00', 'now')`
  return [authorityKey, ...filled.flatMap((table) => insertInto(table, has))]
}
