/**
 * Versions of project keys. A new version supersedes the current one, values under superseded versions are resealed in
 * bounded steps that any number of isolates may run concurrently, and a version without values is deleted.
 *
 * A payload that is read is resealed right after the response; the steps reseal the rest.
 */
import { waitUntil } from 'cloudflare:workers'
import { and, eq, getTableColumns, isNull, lt, ne, sql, type SQL } from 'drizzle-orm'
import { open, seal, SealError } from '../../crypto/envelope.ts'
import type { KeyPlace } from '../../crypto/keyring.ts'
import { logProblem } from '../../log.ts'
import { commitWhere } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import {
  build,
  bytesOf,
  change,
  changeReturning,
  digitsOf,
  idempotent,
  select,
  type Statement,
} from '../database/prepared.ts'
import { isSuperseded } from '../database/refusals.ts'
import { projectKeys } from '../schema/resources.ts'
import type { KeyedScope } from '../scope.ts'
import { newKeyRow, openKey } from './project-keys.ts'
import { ROW_KEYS_OWNER, sealedTables, type SealedTable } from './sealed-values.ts'

/** Keys that one step supersedes, with four statements, and steps of one call or one period of the cron trigger. */
const KEYS_PER_STEP = 100
const MOST_STEPS_OF_KEYS = 10
/**
 * Values that one step reseals, with two statements, and their total bytes: as digits they must fit into one parameter,
 * which D1 limits to 2,000,000 bytes. A value that is larger alone is a step of its own.
 */
const VALUES_PER_STEP = 50
const BYTES_PER_STEP = 900_000
/** Steps for all tables in one call or one period of the cron trigger; the next one continues. */
const MOST_STEPS_OF_VALUES = 60
/** Superseded keys that one call deletes. */
const MOST_RETIRED = 1_000

/** Which keys are to be superseded: those created before a time, of one project or of all. */
export interface KeysToSupersede {
  readonly createdBefore: string
  readonly projectId?: string | undefined
}

/** SQL: the key is the one in `value`, and still the newest. */
const isNewest = sql`${projectKeys.projectId} = value ->> 'projectId' and ${projectKeys.store} = value ->> 'store'
  and ${projectKeys.version} = value ->> 'version' and ${projectKeys.superseded} is null`
const ofPlace = sql`project_id = value ->> 'projectId' and store = value ->> 'store'`
/** SQL: false if a concurrent request destroyed the project or created the next version. */
const isNext = sql`exists (select 1 from ${projectKeys} where ${ofPlace})
  and not exists (select 1 from ${projectKeys} where ${ofPlace} and superseded is null)`

/** Supersedes the keys and creates their next versions, each with its event, in three statements. Returns how many. */
async function supersede(scope: KeyedScope, keys: readonly (typeof projectKeys.$inferSelect)[]): Promise<number> {
  if (keys.length === 0) return 0
  const next = await Promise.all(
    keys.map(async ({ projectId: project, store, version }) => {
      const row = await newKeyRow(scope, { project, store, version: version + 1 })
      return { ...row, version, next: row.version, wrapped: row.wrapped.toHex() }
    }),
  )
  const rows = sql`json_each(${JSON.stringify(next)})`
  const end = build.update(projectKeys).set({ superseded: scope.now }).from(rows).where(isNewest)
  const created = build.insert(projectKeys)
    .select(sql`select value ->> 'projectId', value ->> 'store', value ->> 'next',
    value ->> 'masterKeyId', unhex(value ->> 'wrapped'), value ->> 'created', null from ${rows} where ${isNext}`)
  const read = await commitWhere(
    scope,
    next.map(({ projectId, store, next: version }) =>
      changeOf({ id: `${store}/${version}`, projectId }, 'create', 'key'),
    ),
    sql`exists (select 1 from ${projectKeys} where ${isNewest})`,
    { ended: change(end), created: change(created) },
    next.map(({ store, version }) => ({ store, version })),
  )
  return read.created
}

async function supersedeSome(scope: KeyedScope, { createdBefore, projectId }: KeysToSupersede) {
  const ofProject = projectId === undefined ? undefined : eq(projectKeys.projectId, projectId)
  const isOld = and(
    isNull(projectKeys.superseded),
    lt(projectKeys.created, createdBefore),
    // The key that authenticates rows seals nothing and has only one version.
    ne(projectKeys.projectId, ROW_KEYS_OWNER),
    ofProject,
  )
  const old = await scope.db.run(
    select(getTableColumns(projectKeys), (columns) =>
      build.select(columns).from(projectKeys).where(isOld).limit(KEYS_PER_STEP),
    ),
  )
  return { found: old.length, created: await supersede(scope, old) }
}

/** Supersedes a bounded number of the keys and returns how many. No such key is left when it returns 0. */
export async function supersedeKeys(scope: KeyedScope, which: KeysToSupersede): Promise<number> {
  // Excludes the keys that this call creates.
  const createdBefore = which.createdBefore < scope.now ? which.createdBefore : scope.now
  let superseded = 0
  for (let step = 0; step < MOST_STEPS_OF_KEYS; step += 1) {
    const { found, created } = await supersedeSome(scope, { ...which, createdBefore })
    superseded += created
    if (found < KEYS_PER_STEP) break
  }
  return superseded
}

/** A row whose values are sealed under a superseded key, with that key and the newest version. */
interface OldRow {
  readonly id: string
  /** The id of the place that the values are sealed for. */
  readonly placeId: string
  readonly project: string
  readonly store: string
  readonly version: number
  readonly wrapped: Uint8Array | null
  readonly newest: number
  readonly newestWrapped: Uint8Array | null
  readonly sealed: Readonly<Record<string, Uint8Array | null>>
}

/** SQL: the row is sealed under the key that is called `key`. */
export const isKeyOf = (key: string) =>
  `${key}.project_id = sealed_row.project_id and ${key}.store = sealed_row.store and ${key}.version = sealed_row.key_version`

/** SQL: rows with their keys, alias `old`. The cross join makes SQLite start at the keys and find the rows by index. */
export const ofSuperseded = (table: SealedTable) =>
  sql.raw(`project_keys old cross join ${table.name} sealed_row on ${isKeyOf('old')}`)

/** SQL: the ids of some rows of the table that are sealed under superseded keys. */
function someOld(table: SealedTable, without: readonly string[]): SQL {
  const columns = Object.keys(table.kinds)
  const bytes = sql.raw(columns.map((column) => `length(sealed_row.${column})`).join(' + '))
  const some = sql`select sealed_row.id as id, ${bytes} as bytes from ${ofSuperseded(table)}
    where old.superseded is not null and sealed_row.id not in (select value from json_each(${JSON.stringify(without)}))
    limit ${sql.raw(String(VALUES_PER_STEP))}`
  return sql`select id from (select id, bytes, sum(bytes) over (rows unbounded preceding) - bytes as before from (${some}))
    where before = 0 or before + bytes <= ${sql.raw(String(BYTES_PER_STEP))}`
}

/** Reads the rows with these ids that are sealed under superseded keys; `ids` is a select. */
async function oldRows({ db }: KeyedScope, table: SealedTable, ids: SQL): Promise<OldRow[]> {
  const members = Object.keys(table.kinds).flatMap((name) => [
    sql.raw(`'${name}'`),
    digitsOf(sql.raw(`sealed_row.${name}`)),
  ])
  const fields = {
    id: sql<string>`sealed_row.id`,
    placeId: sql<string>`${sql.raw(table.placeId)}`,
    project: sql<string>`old.project_id`,
    store: sql<string>`old.store`,
    version: sql<number>`old.version`,
    wrapped: digitsOf(sql`old.wrapped`),
    newest: sql<number>`newest.version`,
    newestWrapped: digitsOf(sql`newest.wrapped`),
    sealed: sql<string>`json_object(${sql.join(members, sql`, `)})`,
  }
  const from = sql`${sql.raw(table.name)} sealed_row
    cross join project_keys old on ${sql.raw(isKeyOf('old'))}
    cross join project_keys newest
      on newest.project_id = old.project_id and newest.store = old.store and newest.superseded is null`
  const where = sql`sealed_row.id in (${ids}) and old.superseded is not null`
  const rows = await db.run(select(fields, (selected) => build.select(selected).from(from).where(where)))
  return rows.map(({ wrapped, newestWrapped, sealed, ...row }) => {
    const digits = Object.entries(JSON.parse(sealed) as Record<string, string>)
    const values = Object.fromEntries(digits.map(([name, value]) => [name, bytesOf(value)]))
    return { ...row, wrapped: bytesOf(wrapped), newestWrapped: bytesOf(newestWrapped), sealed: values }
  })
}

/** A row with its values sealed under the newest version. */
interface ResealedRow {
  readonly row: OldRow
  readonly sealed: Readonly<Record<string, Uint8Array>>
}

/**
 * The statement that stores resealed rows. It does not change a row that a concurrent request deleted or resealed, or
 * whose payload it replaced: a new one has another place, and is sealed under the newest key, as the triggers see to.
 */
function resealing(
  { table, name: tableName, placeId, columns }: SealedTable,
  rows: readonly ResealedRow[],
): Statement<number> {
  const json = rows.map(({ row: { id, placeId: place, store, version, newest }, sealed }) => {
    const digits = Object.entries(sealed).map(([column, value]) => [column, value.toHex()] as const)
    return { ...Object.fromEntries<string>(digits), id, place, store, version, newest }
  })
  const bytes = Object.entries(columns).map(([column, name]) => [name, sql`unhex(value ->> ${sql.raw(`'${column}'`)})`])
  const values = { ...Object.fromEntries<SQL>(bytes as [string, SQL][]), keyVersion: sql`value ->> 'newest'` }
  const placeOfRow = sql.raw(placeId.replaceAll('sealed_row.', `${tableName}.`))
  const isRow = sql`${table.id} = value ->> 'id' and ${placeOfRow} = value ->> 'place' and ${table.store} = value ->> 'store'
    and ${table.keyVersion} = value ->> 'version'`
  const update = build
    .update(table)
    .set(values)
    .from(sql`json_each(${JSON.stringify(json)})`)
    .where(isRow)
  return idempotent(changeReturning(update.returning({ id: table.id })))
}

async function resealed(
  scope: KeyedScope,
  { kinds }: SealedTable,
  { placeId, project, store, ...row }: OldRow,
): Promise<Record<string, Uint8Array>> {
  const key = (version: number, wrapped: Uint8Array | null) => {
    if (!wrapped) throw new SealError('the key of a sealed value is missing')
    return openKey(scope, { project, store, version } satisfies KeyPlace, wrapped)
  }
  const [old, newest] = [await key(row.version, row.wrapped), await key(row.newest, row.newestWrapped)]
  const values = Object.entries(kinds).map(async ([column, kind]) => {
    const place = { project, kind, id: placeId }
    const plaintext = await open(old, place, row.sealed[column] ?? new Uint8Array())
    const sealed = await seal(newest, place, plaintext)
    plaintext.fill(0)
    return [column, sealed] as const
  })
  return Object.fromEntries(await Promise.all(values))
}

/** Reseals the rows that are under superseded keys. Appends the ids of those that cannot be opened to `unreadable`. */
async function resealRows(scope: KeyedScope, table: SealedTable, ids: SQL, unreadable: string[]) {
  const rows = await oldRows(scope, table, ids)
  const resealedRows: ResealedRow[] = []
  for (const row of rows) {
    try {
      resealedRows.push({ row, sealed: await resealed(scope, table, row) })
    } catch (error) {
      if (!(error instanceof SealError)) throw error
      logProblem({ event: 'value not resealed', table: table.name, id: row.id, reason: error.message })
      unreadable.push(row.id)
    }
  }
  return { found: rows.length, resealed: await save(scope, table, resealedRows) }
}

/** Saves resealed rows, all or none. Saves none if a key that sealed them has been superseded in turn. */
async function save({ db }: KeyedScope, table: SealedTable, rows: readonly ResealedRow[]): Promise<number> {
  if (rows.length === 0) return 0
  try {
    return await db.run(resealing(table, rows))
  } catch (error) {
    if (isSuperseded(error)) return 0
    throw error
  }
}

/** The result of {@link resealValues}. */
interface Resealed {
  readonly resealed: number
  /** Values that cannot be opened in their place. They are left unchanged, and their key is kept. */
  readonly unreadable: number
  /** Versions without values, which were deleted. */
  readonly retired: number
}

/** Reseals a bounded number of the values under superseded keys, and deletes superseded keys without values. */
export async function resealValues(scope: KeyedScope): Promise<Resealed> {
  let sum = 0
  let unreadable = 0
  let steps = MOST_STEPS_OF_VALUES
  for (const table of sealedTables) {
    const failed: string[] = []
    for (; steps > 0; steps -= 1) {
      const done = await resealRows(scope, table, someOld(table, failed), failed)
      sum += done.resealed
      if (done.found === 0) break
    }
    unreadable += failed.length
  }
  return { resealed: sum, unreadable, retired: await retireKeys(scope) }
}

/**
 * Reseals a payload that was read under a superseded key, after the response, if `mayWrite` allows it then. If it fails, a
 * later step reseals it.
 */
export function resealSoon(scope: KeyedScope, secretId: string, mayWrite: () => Promise<boolean>): void {
  const [payloads] = sealedTables
  const resealing = async () => (await mayWrite()) && resealRows(scope, payloads, sql`select ${secretId}`, [])
  waitUntil(resealing().catch(() => null))
}

/** SQL: no value depends on the key. None can be added either, because triggers refuse values under superseded keys. */
const unused: SQL = sql.raw(
  sealedTables
    .map((table) => `not exists (select 1 from ${table.name} sealed_row where ${isKeyOf('project_keys')})`)
    .join(' and '),
)

async function retireKeys({ db }: KeyedScope): Promise<number> {
  const some = sql`select rowid from project_keys where superseded is not null and ${unused}
    limit ${sql.raw(String(MOST_RETIRED))}`
  return db.run(idempotent(change(build.delete(projectKeys).where(sql`rowid in (${some})`))))
}
