/**
 * Verification of a whole database, for drills: opens every sealed value, checks every MAC, follows every chain of the
 * audit log and counts the rows, a page at a time. It changes nothing, and returns no value that it opens. The Worker does
 * not contain it; `src/local/drill-worker/` does.
 */
import { and, asc, eq, getTableColumns, isNotNull, sql, type SQL } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { open, SealError } from '../crypto/envelope.ts'
import { chainHash, GENESIS } from '../crypto/event-chain.ts'
import { cadfEvent } from './audit/cadf.ts'
import { TARGET_BRANCH } from './audit/events.ts'
import { build, bytesOf, digitsOf, select, selectValues } from './database/prepared.ts'
import { protectedTables, type ProtectedName } from './integrity/protection.ts'
import { authentic } from './integrity/row-authentication.ts'
import { openKey } from './keys/project-keys.ts'
import { isKeyOf } from './keys/project-key-versions.ts'
import { sealedTables } from './keys/sealed-values.ts'
import { auditEvents } from './schema/audit.ts'
import type { KeyedScope } from './scope.ts'

/** Rows of one page. */
const VALUES_PER_PAGE = 100
const ROWS_PER_PAGE = 1_000

/** What one page of a part contained. */
export interface Page<Cursor> {
  /** What is right, and the names of what is not. */
  readonly good: number
  readonly bad: readonly string[]
  /** What differs because of a restore that the log itself reports. */
  readonly reported?: readonly string[]
  /** Where the next page begins; null if there is none. */
  readonly next: Cursor | null
}

export const sealedNames = sealedTables.map(({ name }) => name)
export const protectedNames = Object.keys(protectedTables) as ProtectedName[]

/** Opens the sealed values of the table's rows that follow this rowid. */
export async function openValues(scope: KeyedScope, name: string, after: number): Promise<Page<number>> {
  const table = sealedTables.find((one) => one.name === name)
  if (!table) throw new Error('no table with sealed values')
  const kinds = Object.entries<string>(table.kinds)
  const values = Object.fromEntries(
    kinds.map(([column]) => [`sealed ${column}`, digitsOf(sql.raw(`sealed_row.${column}`))]),
  )
  const fields = {
    place: sql<number>`sealed_row.rowid`,
    id: sql<string>`sealed_row.id`,
    project: sql<string>`sealed_row.project_id`,
    store: sql<string>`sealed_row.store`,
    version: sql<number>`sealed_row.key_version`,
    wrapped: digitsOf(sql`sealing.wrapped`),
    ...values,
  }
  const from = sql`${sql.raw(name)} sealed_row left join project_keys sealing on ${sql.raw(isKeyOf('sealing'))}`
  const where = sql`sealed_row.key_version is not null and sealed_row.rowid > ${after}`
  const rows = await scope.db.run(
    select(fields, (selected) =>
      build
        .select(selected)
        .from(from)
        .where(where)
        .orderBy(sql`sealed_row.rowid`)
        .limit(VALUES_PER_PAGE),
    ),
  )
  let good = 0
  const bad: string[] = []
  for (const { place: _, id, project, store, version, wrapped, ...sealed } of rows) {
    for (const [column, kind] of kinds) {
      const bytes = bytesOf((sealed as Record<string, unknown>)[`sealed ${column}`])
      if (bytes === null) continue
      try {
        const key = await openKey(scope, { project, store, version }, bytesOf(wrapped) ?? new Uint8Array())
        ;(await open(key, { project, kind, id }, bytes)).fill(0)
        good += 1
      } catch (error) {
        if (!(error instanceof SealError)) throw error
        bad.push(`${name}/${id} ${kind}`)
      }
    }
  }
  return { good, bad, next: rows.length < VALUES_PER_PAGE ? null : (rows.at(-1)?.place ?? null) }
}

/** Checks the MACs of the table's rows that follow this rowid. */
export async function checkRows(scope: KeyedScope, name: ProtectedName, after: number): Promise<Page<number>> {
  const { table, project }: { readonly table: SQLiteTable; readonly project: PropertyKey | null } =
    protectedTables[name]
  const columns = getTableColumns(table)
  // Rows without a column for it take the project from the container that they belong to.
  const owner: Record<string, SQL> =
    project !== null && !Object.hasOwn(columns, project)
      ? { [project]: sql`(select project_id from containers where id = container_id)` }
      : {}
  const fields = { rowid: sql<number>`rowid`, ...columns, ...owner }
  const rows: readonly unknown[] = await scope.db.run(
    select(fields, (selected) =>
      build
        .select(selected)
        .from(table)
        .where(sql`rowid > ${after} and mac is not null`)
        .orderBy(sql`rowid`)
        .limit(ROWS_PER_PAGE),
    ),
  )
  // Each table has its own type of rows, of which this function needs none.
  const valid = new Set<unknown>(await authentic(scope, name, rows as Parameters<typeof authentic>[2] as never))
  const placed = rows as readonly { readonly rowid: number }[]
  const bad = placed.filter((row) => !valid.has(row)).map(({ rowid }) => `${name} row ${rowid}`)
  return { good: valid.size, bad, next: rows.length < ROWS_PER_PAGE ? null : (placed.at(-1)?.rowid ?? null) }
}

/** The last event of a page of chains. */
export interface ChainPosition {
  readonly project: string
  readonly number: number
  readonly hash: string
}

/**
 * Reports whether the log has an incident that explains why its chain continues from another end at this event: the
 * object of the project records one when the log does not end where it did (`object/seal.ts`).
 */
async function isReported({ db }: KeyedScope, { project, number }: ChainPosition): Promise<boolean> {
  const isIncident = and(
    eq(auditEvents.projectId, project),
    eq(auditEvents.targetType, `${TARGET_BRANCH}audit-log`),
    eq(auditEvents.action, 'monitor'),
    sql`coalesce(${auditEvents.number}, ${number}) >= ${number}`,
  )
  const [found] = await db.run(
    select({ id: auditEvents.id }, (columns) => build.select(columns).from(auditEvents).where(isIncident).limit(1)),
  )
  return found !== undefined
}

/** Follows the chains of all projects, in the order of their ids, from this position on. */
export async function followChains(scope: KeyedScope, after: ChainPosition | null): Promise<Page<ChainPosition>> {
  const { projectId, number } = auditEvents
  const follows = after && sql`(${projectId}, ${number}) > (${after.project}, ${after.number})`
  const rows = await scope.db.run(
    select(getTableColumns(auditEvents), (columns) =>
      build
        .select(columns)
        .from(auditEvents)
        .where(and(isNotNull(number), follows ?? undefined))
        .orderBy(asc(projectId), asc(number))
        .limit(ROWS_PER_PAGE),
    ),
  )
  let last = after
  let good = 0
  const bad: string[] = []
  const reported: string[] = []
  for (const row of rows) {
    const before: ChainPosition | null = last?.project === row.projectId ? last : null
    const position = { project: row.projectId, number: row.number ?? 0, hash: row.hash ?? '' }
    const expected = before?.hash ?? (position.number === 1 ? GENESIS : row.previous)
    const isNext = before === null || position.number === before.number + 1
    const hash = await chainHash(row.previous ?? '', cadfEvent(row, position.number))
    const name = `event ${position.number} of ${row.projectId}`
    if (hash !== row.hash) bad.push(name)
    else if (isNext && row.previous === expected) good += 1
    else if (await isReported(scope, position)) reported.push(`${name} continues from another end of the log`)
    else bad.push(name)
    last = position
  }
  return { good, bad, reported, next: rows.length < ROWS_PER_PAGE ? null : last }
}

const counted = ['secrets', 'orders', 'containers', 'secret_consumers', 'container_consumers'] as const

/** Compares the counts of each project, which triggers keep, with its rows. */
export async function compareCounts({ db }: KeyedScope): Promise<Page<never>> {
  const wrong = counted.map(
    (name) => sql<number>`(select count(*) from project_counts counts where ${sql.raw(name)} <>
      (select count(*) from ${sql.raw(name)} counted where counted.project_id = counts.project_id))`,
  )
  const fields = Object.fromEntries(counted.map((name, at) => [name, wrong[at] ?? sql<number>`0`]))
  const projects = sql<number>`(select count(*) from project_counts)`
  const [read] = await db.run(selectValues({ projects, ...fields }))
  const found: Readonly<Record<string, number>> = { ...read }
  const bad = counted.filter((name) => found[name] !== 0).map((name) => `counts of ${name}`)
  return { good: found['projects'] ?? 0, bad, next: null }
}

/** The number of events that no object has sealed yet: they are in no chain. */
export async function unsealedEvents({ db }: KeyedScope): Promise<number> {
  const [read] = await db.run(
    selectValues({ count: sql<number>`(select count(*) from ${auditEvents} where number is null)` }),
  )
  return read?.count ?? 0
}
