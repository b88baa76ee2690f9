/**
 * Rotation of the master keys while the service runs. Project keys are rewrapped under the primary master key, in
 * bounded steps that any number of isolates may run concurrently. The values that the project keys seal are not
 * changed.
 */
import { and, getTableColumns, ne, sql } from 'drizzle-orm'
import { SealError } from '../../crypto/envelope.ts'
import { masterKeyIdOf, rewrapKey, type Keyring } from '../../crypto/keyring.ts'
import { logProblem } from '../../log.ts'
import { commitWhere } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import { build, change, select } from '../database/prepared.ts'
import { projectKeys } from '../schema/resources.ts'
import type { KeyedScope } from '../scope.ts'

/** Project keys that one step rewraps, with three statements: two of 64 kB, and one that reads. */
const KEYS_PER_STEP = 100
/** Steps of one call or one period of the cron trigger; the next one continues. */
const MOST_STEPS = 10

type KeyRow = typeof projectKeys.$inferSelect

/** SQL: the project, store and version of a key, as one text. */
const place = sql<string>`json_array(${projectKeys.projectId}, ${projectKeys.store}, ${projectKeys.version})`

/** Returns the rewrapped key, or logs a key that cannot be unwrapped and returns null. */
async function rewrapped({ keyring }: KeyedScope, { projectId: project, store, version, wrapped }: KeyRow) {
  try {
    return await rewrapKey(keyring, { project, store, version }, wrapped)
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    logProblem({ event: 'project key not rewrapped', project, store, version, reason: error.message })
    return null
  }
}

/** A project key, and what replaces its wrapped form. Bytes are digits. */
interface Replacement {
  readonly projectId: string
  readonly store: string
  readonly version: number
  readonly before: string
  readonly wrapped: string
  readonly masterKeyId: string
}

/** SQL: the key is the one in `value`. A concurrent step may have rewrapped it under a later primary. */
const isAsRead = sql`${projectKeys.projectId} = value ->> 'projectId' and ${projectKeys.store} = value ->> 'store'
  and ${projectKeys.version} = value ->> 'version' and ${projectKeys.wrapped} = unhex(value ->> 'before')`

/** Stores rewrapped keys, each with its event, in two statements. Returns how many were still as they were read. */
async function replace(scope: KeyedScope, replacements: readonly Replacement[]): Promise<number> {
  if (replacements.length === 0) return 0
  const update = build
    .update(projectKeys)
    .set({ masterKeyId: sql`value ->> 'masterKeyId'`, wrapped: sql`unhex(value ->> 'wrapped')` })
    .from(sql`json_each(${JSON.stringify(replacements)})`)
    .where(isAsRead)
  const events = replacements.map(({ projectId, store, version }) =>
    changeOf({ id: `${store}/${version}`, projectId }, 'renew', 'key'),
  )
  const isReplaced = sql`exists (select 1 from ${projectKeys} where ${isAsRead})`
  const { changed } = await commitWhere(scope, events, isReplaced, { changed: change(update) }, replacements)
  return changed
}

/** Runs one step. Keys that cannot be unwrapped are left unchanged, and their places are appended to `unreadable`. */
async function step(scope: KeyedScope, unreadable: string[]): Promise<{ found: number; rewrapped: number }> {
  const isToDo = sql`${place} not in (select value from json_each(${JSON.stringify(unreadable)}))`
  const isOld = and(ne(projectKeys.masterKeyId, scope.keyring.primary.id), isToDo)
  const old = await scope.db.run(
    select({ ...getTableColumns(projectKeys), place }, (columns) =>
      build.select(columns).from(projectKeys).where(isOld).limit(KEYS_PER_STEP),
    ),
  )
  const replacements: Replacement[] = []
  for (const key of old) {
    const { projectId, store, version } = key
    const bytes = await rewrapped(scope, key)
    if (bytes) {
      const [before, wrapped] = [key.wrapped.toHex(), bytes.toHex()]
      replacements.push({ projectId, store, version, before, wrapped, masterKeyId: masterKeyIdOf(bytes) })
    } else unreadable.push(key.place)
  }
  return { found: old.length, rewrapped: await replace(scope, replacements) }
}

/** Rewraps a bounded number of project keys under the primary master key and returns how many. */
export async function rotateMasterKeys(scope: KeyedScope): Promise<number> {
  const unreadable: string[] = []
  let sum = 0
  for (let taken = 0; taken < MOST_STEPS; taken += 1) {
    const done = await step(scope, unreadable)
    sum += done.rewrapped
    if (done.found < KEYS_PER_STEP) break
  }
  return sum
}

/** Keyrings that are known to contain every master key in use. */
const complete = new WeakSet<Keyring>()

/**
 * SQL: the ids of the master keys in use. It costs one index seek per id, independent of the number of project keys.
 */
const idsInUse = sql`(with recursive used(id) as (
    select min(master_key_id) from project_keys
    union all
    select (select min(master_key_id) from project_keys where master_key_id > used.id) from used where id is not null)
  select id from used where id is not null)`

/**
 * Finds a master key that wraps project keys but is not in the keyring, and returns its id, or null if there is none.
 * The database is not queried again once this isolate has found none missing.
 */
export async function missingMasterKey({ db, keyring }: KeyedScope): Promise<string | null> {
  if (complete.has(keyring)) return null
  const used = await db.run(select({ id: sql<string>`id` }, (columns) => build.select(columns).from(idsInUse)))
  const missing = used.find(({ id }) => !keyring.keys.has(id))
  if (!missing) complete.add(keyring)
  return missing?.id ?? null
}
