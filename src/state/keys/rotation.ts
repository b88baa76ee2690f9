/**
 * Rotation of the master keys while the service runs. Project keys are rewrapped under the primary master key, in
 * bounded steps that any number of isolates may run concurrently. The values that the project keys seal are not
 * changed.
 */
import { and, eq, getTableColumns, ne, sql } from 'drizzle-orm'
import { SealError } from '../../crypto/envelope.ts'
import { masterKeyIdOf, rewrapKey, type Keyring } from '../../crypto/keyring.ts'
import { logProblem } from '../../log.ts'
import { commitEach, type RecordedChange } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import { build, change, select } from '../database/prepared.ts'
import { bytesAsSql } from '../database/statements.ts'
import { projectKeys } from '../schema/resources.ts'
import type { KeyedScope } from '../scope.ts'

/** Project keys that one batch rewraps. */
const KEYS_PER_STEP = 50
/** Steps of one call or one period of the cron trigger; the next one continues. */
const MOST_STEPS = 20

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

/** The change that replaces a wrapped key by the rewrapped one. */
function replacement({ projectId, store, version, wrapped }: KeyRow, rewrappedKey: Uint8Array): RecordedChange {
  const isKey = and(
    eq(projectKeys.projectId, projectId),
    eq(projectKeys.store, store),
    eq(projectKeys.version, version),
    // A concurrent step may have rewrapped the key under a later primary.
    eq(projectKeys.wrapped, bytesAsSql(wrapped)),
  )
  const update = build
    .update(projectKeys)
    .set({ masterKeyId: masterKeyIdOf(rewrappedKey), wrapped: bytesAsSql(rewrappedKey) })
    .where(isKey)
  return { change: change(update), event: changeOf({ id: `${store}/${version}`, projectId }, 'renew', 'key') }
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
  const changes: RecordedChange[] = []
  for (const key of old) {
    const rewrappedKey = await rewrapped(scope, key)
    if (rewrappedKey) changes.push(replacement(key, rewrappedKey))
    else unreadable.push(key.place)
  }
  return { found: old.length, rewrapped: await commitEach(scope, changes) }
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
