/**
 * Versions of project keys: a new one takes over, what the old ones sealed is sealed again in bounded steps that any
 * number of isolates may take at the same time, and a version that seals nothing any more is deleted.
 *
 * What is read is sealed again right after the answer; the steps get to the rest.
 */
import { waitUntil } from 'cloudflare:workers'
import { and, eq, isNull, lt, ne, sql, type SQL } from 'drizzle-orm'
import { open, seal, SealError } from '../../crypto/envelope.ts'
import type { KeyPlace } from '../../crypto/keyring.ts'
import { logProblem } from '../../log.ts'
import { commitEach } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import type { KeyedStore } from '../scope.ts'
import { isSuperseded } from '../database/refusals.ts'
import { changes, insertWhere } from '../database/statements.ts'
import { projectKeys, secrets } from '../schema/resources.ts'
import { newKeyRow, openKey } from './project-keys.ts'
import { ROW_KEYS_OWNER, sealedTables, type SealedTable } from './sealed-values.ts'

/** Keys that one batch supersedes. */
const KEYS_PER_STEP = 25
/** Values that one batch seals again, and the bytes of them after which it takes no further one. */
const VALUES_PER_STEP = 50
const BYTES_PER_STEP = 4_000_000
/** Steps of one call or one period of the cron trigger, of each kind; the next one takes the rest. */
const MOST_STEPS = 40
/** Superseded keys that one call deletes. */
const MOST_RETIRED = 1_000

/** Which keys are to be superseded: those made before a time, of one project or of all. */
export interface KeysToSupersede {
  readonly createdBefore: string
  readonly projectId?: string | undefined
}

async function supersedeSome(backend: KeyedStore, { createdBefore, projectId }: KeysToSupersede) {
  const { db } = backend
  const seals = ne(projectKeys.projectId, ROW_KEYS_OWNER)
  const ofProject = projectId === undefined ? undefined : eq(projectKeys.projectId, projectId)
  const old = await db
    .select()
    .from(projectKeys)
    .where(and(isNull(projectKeys.superseded), lt(projectKeys.created, createdBefore), seals, ofProject))
    .limit(KEYS_PER_STEP)
  const supersessions = await Promise.all(
    old.map(async ({ projectId, store, version }) => {
      const ofPlace = sql`project_id = ${projectId} and store = ${store}`
      // Not for a project that was destroyed meanwhile, and not when somebody else made the next version.
      const isNext = sql`exists (select 1 from ${projectKeys} where ${ofPlace})
        and not exists (select 1 from ${projectKeys} where ${ofPlace} and superseded is null)`
      const next = { project: projectId, store, version: version + 1 }
      return {
        before: db
          .update(projectKeys)
          .set({ superseded: backend.now })
          .where(sql`${ofPlace} and ${projectKeys.version} = ${version} and superseded is null`),
        change: insertWhere(backend, projectKeys, await newKeyRow(backend, next), isNext),
        event: changeOf({ id: `${store}/${next.version}`, projectId }, 'create', 'key'),
      }
    }),
  )
  const results = await commitEach(backend, supersessions)
  const made = results.reduce<number>((sum, result) => sum + changes(result), 0)
  return { found: old.length, made }
}

/** Gives new versions to a bounded number of the keys. Gives how many it was; none is left when it is 0. */
export async function supersedeKeys(backend: KeyedStore, which: KeysToSupersede): Promise<number> {
  // Not what this call itself makes.
  const createdBefore = which.createdBefore < backend.now ? which.createdBefore : backend.now
  let superseded = 0
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const { found, made } = await supersedeSome(backend, { ...which, createdBefore })
    superseded += made
    if (found < KEYS_PER_STEP) break
  }
  return superseded
}

/** A row whose values are sealed under a superseded key, with that key and the one that seals now. */
interface OldRow {
  readonly id: string
  readonly project: string
  readonly store: string
  readonly version: number
  readonly wrapped: number[]
  readonly newest: number
  readonly newest_wrapped: number[]
  readonly [sealedColumn: string]: unknown
}

/** SQL: the row is sealed under the key that is called `key`. */
const isKeyOf = ({ project }: SealedTable, key: string) =>
  `${key}.project_id = ${project} and ${key}.store = sealed_row.store and ${key}.version = sealed_row.key_version`

/** SQL: the rows under superseded keys, which are called `old`, for the index to lead from the keys to them. */
export const ofSuperseded = (table: SealedTable) =>
  sql.raw(`project_keys old cross join ${table.name} sealed_row on ${isKeyOf(table, 'old')}`)

/** The ids of some rows of the table that are sealed under superseded keys. */
function someOld(table: SealedTable, without: readonly string[]): SQL {
  const columns = Object.keys(table.kinds)
  const bytes = sql.raw(columns.map((column) => `length(sealed_row.${column})`).join(' + '))
  const from = ofSuperseded(table)
  const some = sql`select sealed_row.id as id, ${bytes} as bytes from ${from}
    where old.superseded is not null and sealed_row.id not in (select value from json_each(${JSON.stringify(without)}))
    limit ${sql.raw(String(VALUES_PER_STEP))}`
  return sql`select id from (select id, sum(bytes) over (rows unbounded preceding) - bytes as before from (${some}))
    where before < ${sql.raw(String(BYTES_PER_STEP))}`
}

/** Those of the rows that are sealed under superseded keys, `ids` being a select of their ids. */
async function oldRows({ db }: KeyedStore, table: SealedTable, ids: SQL): Promise<OldRow[]> {
  const columns = Object.keys(table.kinds)
  return db.all<OldRow>(sql`
    select sealed_row.id as id, old.project_id as project, old.store as store, old.version as version,
      old.wrapped as wrapped, newest.version as newest, newest.wrapped as newest_wrapped,
      ${sql.raw(columns.map((column) => `sealed_row.${column} as ${column}`).join(', '))}
    from ${sql.raw(table.name)} sealed_row
      cross join project_keys old on ${sql.raw(isKeyOf(table, 'old'))}
      cross join project_keys newest
        on newest.project_id = old.project_id and newest.store = old.store and newest.superseded is null
    where sealed_row.id in (${ids}) and old.superseded is not null`)
}

/**
 * The one statement that seals a row again. It changes nothing when the row was deleted, or sealed again by somebody
 * else; a payload is put once only, so that none can come in between.
 */
function resealedRow({ db }: KeyedStore, { table }: SealedTable, row: OldRow, sealed: Record<string, Uint8Array>) {
  const isRow = sql`id = ${row.id} and store = ${row.store} and key_version = ${row.version}`
  // The tables differ in their sealed columns alone.
  return db
    .update(table as typeof secrets)
    .set({ ...sealed, keyVersion: row.newest })
    .where(isRow)
}

const drizzleName = (column: string) => column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

async function sealedAgain(
  backend: KeyedStore,
  { kinds }: SealedTable,
  row: OldRow,
): Promise<Record<string, Uint8Array>> {
  const { id, project, store } = row
  const key = (version: number, wrapped: number[]) =>
    openKey(backend, { project, store, version } satisfies KeyPlace, Uint8Array.from(wrapped))
  const [old, newest] = [await key(row.version, row.wrapped), await key(row.newest, row.newest_wrapped)]
  const values = Object.entries(kinds).map(async ([column, kind]) => {
    const place = { project, kind, id }
    const plaintext = await open(old, place, Uint8Array.from(row[column] as number[]))
    const sealed = await seal(newest, place, plaintext)
    plaintext.fill(0)
    return [drizzleName(column), sealed] as const
  })
  return Object.fromEntries(await Promise.all(values))
}

/** Seals the rows again that are under superseded keys; `unreadable` grows by the ids of those that do not open. */
async function resealRows(backend: KeyedStore, table: SealedTable, ids: SQL, unreadable: string[]) {
  const rows = await oldRows(backend, table, ids)
  const statements = []
  for (const row of rows) {
    try {
      statements.push(resealedRow(backend, table, row, await sealedAgain(backend, table, row)))
    } catch (error) {
      if (!(error instanceof SealError)) throw error
      logProblem({ event: 'value not sealed again', table: table.name, id: row.id, reason: error.message })
      unreadable.push(row.id)
    }
  }
  return { found: rows.length, resealed: await stored(backend, statements) }
}

/** Stores rows that were sealed again, all or none: none when a key that sealed them was superseded in turn. */
async function stored({ db }: KeyedStore, statements: readonly ReturnType<typeof resealedRow>[]): Promise<number> {
  const [first, ...rest] = statements
  if (!first) return 0
  try {
    const results = await db.batch([first, ...rest])
    return results.reduce((sum, result) => sum + changes(result), 0)
  } catch (error) {
    if (isSuperseded(error)) return 0
    throw error
  }
}

/** What {@link resealValues} did. */
export interface Resealed {
  readonly resealed: number
  /** Values that do not open in their place: they are left as they are, and their key stays. */
  readonly unreadable: number
  /** Versions that sealed nothing any more and were deleted. */
  readonly retired: number
}

/** Seals a bounded number of the values of superseded keys again, and deletes the keys that are not needed any more. */
export async function resealValues(backend: KeyedStore): Promise<Resealed> {
  let resealed = 0
  let unreadable = 0
  for (const table of sealedTables) {
    const failed: string[] = []
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const done = await resealRows(backend, table, someOld(table, failed), failed)
      resealed += done.resealed
      if (done.found === 0) break
    }
    unreadable += failed.length
  }
  return { resealed, unreadable, retired: await retireKeys(backend) }
}

/** Seals a payload again that was read under a superseded key, after the answer; the steps make up for a failure. */
export function resealSoon(backend: KeyedStore, secretId: string): void {
  const [payloads] = sealedTables
  waitUntil(resealRows(backend, payloads, sql`select ${secretId}`, []).catch(() => null))
}

/** No value depends on the key: no new one can, since the triggers let none be stored under a superseded key. */
const unused: SQL = sql.raw(
  sealedTables
    .map((table) => `not exists (select 1 from ${table.name} sealed_row where ${isKeyOf(table, 'project_keys')})`)
    .join(' and '),
)

async function retireKeys({ db }: KeyedStore): Promise<number> {
  const some = sql`select rowid from project_keys where superseded is not null and ${unused}
    limit ${sql.raw(String(MOST_RETIRED))}`
  return changes(await db.delete(projectKeys).where(sql`rowid in (${some})`))
}
