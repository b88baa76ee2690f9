/**
 * Authentication of rows. A row on which access decisions depend carries a MAC over the columns that `protection.ts`
 * names. A row with an invalid MAC is logged and not used; the client is not told why. An older version of a row has a
 * valid MAC; the ledger of the project's object detects it.
 */
import { isRowMac, rowMac, deriveRowKey, type ColumnValue, type RowContent } from '../../crypto/row-mac.ts'
import { cacheOf } from '../../cache.ts'
import { logProblem } from '../../log.ts'
import type { KeyedScope } from '../scope.ts'
import { rowAuthenticationKey } from '../keys/project-keys.ts'
import { protectedTables, type ProtectedName, type ProtectedTable } from './protection.ts'

/** A stored row is not what the service wrote. The message is the name of the table only. */
export class RowRefused extends Error {
  override readonly name = 'RowRefused'
}

/** The columns of a row that its MAC covers, and the one with its project; other members are ignored. */
type RowValues<Name extends ProtectedName> = {
  readonly [Column in AuthenticatedColumn<Name> | ProjectColumn<Name>]: unknown
}

type ProjectColumn<Name extends ProtectedName> = (typeof protectedTables)[Name]['project'] & string

type Rules<Name extends ProtectedName> = (typeof protectedTables)[Name]['columns']
type AuthenticatedColumn<Name extends ProtectedName> = {
  [Column in keyof Rules<Name>]: Rules<Name>[Column] extends 'authenticated' | 'present' ? Column : never
}[keyof Rules<Name>]

const rowKeys = cacheOf<CryptoKey>({ entries: 5_000 })

/**
 * The key of a project's rows. One round trip for the first row in this isolate, and none afterwards for any project.
 */
async function rowKey(scope: KeyedScope, project: string): Promise<CryptoKey> {
  const cache = rowKeys(scope.keyring)
  const cached = cache.get(project)
  if (cached) return cached
  const { material } = await rowAuthenticationKey(scope)
  const key = await deriveRowKey(material, project)
  cache.set(project, key)
  return key
}

/**
 * The columns that the MAC of a row covers, and in the same order whether it covers only that there is a value. Sorted by
 * name: the order in which a table is declared is not part of a MAC.
 */
interface Covered {
  readonly columns: readonly string[]
  readonly presence: readonly boolean[]
}

function coveredBy({ columns }: ProtectedTable): Covered {
  const covered = Object.entries(columns)
    .filter(([, rule]) => rule === 'authenticated' || rule === 'present')
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
  return { columns: covered.map(([column]) => column), presence: covered.map(([, rule]) => rule === 'present') }
}

const covered = Object.fromEntries(
  Object.entries<ProtectedTable>(protectedTables).map(([name, table]) => [name, coveredBy(table)]),
) as Readonly<Record<ProtectedName, Covered>>

function contentOf(name: ProtectedName, row: Readonly<Record<string, unknown>>): RowContent {
  const { columns, presence } = covered[name]
  const values = columns.map((column, at) => {
    const value = (row[column] ?? null) as ColumnValue
    return presence[at] ? Boolean(value) || null : value
  })
  return { table: name, columns, values }
}

function projectOf(name: ProtectedName, row: Readonly<Record<string, unknown>>): string {
  const { project } = protectedTables[name]
  return project === null ? '' : String(row[project])
}

/** The row with its MAC. */
export async function withMac<Name extends ProtectedName, Row extends RowValues<Name>>(
  scope: KeyedScope,
  name: Name,
  row: Row,
): Promise<Omit<Row, 'mac'> & { readonly mac: string }> {
  const key = await rowKey(scope, projectOf(name, row))
  return { ...row, mac: await rowMac(key, contentOf(name, row)) }
}

interface ReadRow {
  readonly mac: string
}

async function hasValidMac(scope: KeyedScope, name: ProtectedName, row: ReadRow & Readonly<Record<string, unknown>>) {
  const key = await rowKey(scope, projectOf(name, row))
  if (await isRowMac(key, contentOf(name, row), row.mac)) return true
  logProblem({ event: 'row not authentic', table: name, row: row['id'] ?? row['seq'] })
  return false
}

/** Returns the rows whose MAC is valid, and logs the others. */
export async function authentic<Name extends ProtectedName, Row extends RowValues<Name> & ReadRow>(
  scope: KeyedScope,
  name: Name,
  rows: readonly Row[],
): Promise<Row[]> {
  const valid = await Promise.all(rows.map((row) => hasValidMac(scope, name, row)))
  return rows.filter((_, at) => valid[at])
}

/** Returns the row if its MAC is valid; otherwise logs it and throws {@link RowRefused}. */
export async function requireAuthentic<Name extends ProtectedName, Row extends RowValues<Name> & ReadRow>(
  scope: KeyedScope,
  name: Name,
  row: Row,
): Promise<Row> {
  if (await hasValidMac(scope, name, row)) return row
  throw new RowRefused(name)
}
