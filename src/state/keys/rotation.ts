/**
 * Rotation of the master keys while the service runs: project keys are rewrapped under the primary, in bounded steps that
 * any number of isolates may take at the same time. What the project keys seal stays as it is.
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
/** Steps of one call or one period of the cron trigger; the next one takes the rest. */
const MOST_STEPS = 20

type KeyRow = typeof projectKeys.$inferSelect

/** The place of a key, as one text. */
const place = sql<string>`json_array(${projectKeys.projectId}, ${projectKeys.store}, ${projectKeys.version})`

/** The rewrapped key; null, after it was logged, for one that does not open. */
async function rewrapped({ keyring }: KeyedScope, { projectId: project, store, version, wrapped }: KeyRow) {
  try {
    return await rewrapKey(keyring, { project, store, version }, wrapped)
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    logProblem({ event: 'project key not rewrapped', project, store, version, reason: error.message })
    return null
  }
}

/** Puts the rewrapped key in place of the one that it was made from. */
function replacement({ projectId, store, version, wrapped }: KeyRow, again: Uint8Array): RecordedChange {
  const isKey = and(
    eq(projectKeys.projectId, projectId),
    eq(projectKeys.store, store),
    eq(projectKeys.version, version),
    // A concurrent step may have rewrapped it, under a later primary.
    eq(projectKeys.wrapped, bytesAsSql(wrapped)),
  )
  const update = build
    .update(projectKeys)
    .set({ masterKeyId: masterKeyIdOf(again), wrapped: bytesAsSql(again) })
    .where(isKey)
  return { change: change(update), event: changeOf({ id: `${store}/${version}`, projectId }, 'renew', 'key') }
}

/** `unreadable` grows by the places of those keys that do not open: they are left as they are. */
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
    const again = await rewrapped(scope, key)
    if (again) changes.push(replacement(key, again))
    else unreadable.push(key.place)
  }
  return { found: old.length, rewrapped: await commitEach(scope, changes) }
}

/** Rewraps a bounded number of project keys under the primary. Returns how many it was. */
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

/** Keyrings that were found to open every project key. */
const complete = new WeakSet<Keyring>()

/** The ids of the master keys in use: an index seek for each, however many project keys there are. */
const idsInUse = sql`(with recursive used(id) as (
    select min(master_key_id) from project_keys
    union all
    select (select min(master_key_id) from project_keys where master_key_id > used.id) from used where id is not null)
  select id from used where id is not null)`

/**
 * The id of a master key that project keys are wrapped under and the keyring does not have; null when all are there.
 * Asked once for each isolate.
 */
export async function missingMasterKey({ db, keyring }: KeyedScope): Promise<string | null> {
  if (complete.has(keyring)) return null
  const used = await db.run(select({ id: sql<string>`id` }, (columns) => build.select(columns).from(idsInUse)))
  const missing = used.find(({ id }) => !keyring.keys.has(id))
  if (!missing) complete.add(keyring)
  return missing?.id ?? null
}
