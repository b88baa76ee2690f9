/**
 * Rotation of the master keys while the service runs: project keys are wrapped anew under the primary, in bounded steps
 * that any number of isolates may take at the same time. What the project keys seal stays as it is.
 */
import { and, eq, getTableColumns, ne, sql } from 'drizzle-orm'
import { SealError } from '../../crypto/envelope.ts'
import { masterKeyIdOf, rewrapKey, type Keyring } from '../../crypto/keyring.ts'
import { logProblem } from '../../log.ts'
import { commitEach } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import type { KeyedStore } from '../scope.ts'
import { changes } from '../database/statements.ts'
import { projectKeys } from '../schema/resources.ts'

/** Project keys that one batch wraps anew. */
const KEYS_PER_STEP = 50
/** Steps of one call or one period of the cron trigger; the next one takes the rest. */
const MOST_STEPS = 20

type KeyRow = typeof projectKeys.$inferSelect

/** Where a key stands, as one text. */
const place = sql<string>`json_array(${projectKeys.projectId}, ${projectKeys.store}, ${projectKeys.version})`

/** The key wrapped anew; null, after it was logged, for one that does not open. */
async function wrappedAnew({ keyring }: KeyedStore, { projectId: project, store, version, wrapped }: KeyRow) {
  try {
    return await rewrapKey(keyring, { project, store, version }, wrapped)
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    logProblem({ event: 'project key not wrapped anew', project, store, version, reason: error.message })
    return null
  }
}

/** `unreadable` grows by the places of those keys that do not open: they are left as they are. */
async function step(backend: KeyedStore, unreadable: string[]): Promise<{ found: number; wrapped: number }> {
  const { db, keyring } = backend
  const isToDo = sql`${place} not in (select value from json_each(${JSON.stringify(unreadable)}))`
  const old = await db
    .select({ ...getTableColumns(projectKeys), place })
    .from(projectKeys)
    .where(and(ne(projectKeys.masterKeyId, keyring.primary.id), isToDo))
    .limit(KEYS_PER_STEP)
  const fresh = await Promise.all(old.map((key) => wrappedAnew(backend, key)))
  const updates = old.flatMap(({ projectId, store, version, wrapped, ...key }, at) => {
    const again = fresh[at]
    if (!again) {
      unreadable.push(key.place)
      return []
    }
    const isKey = and(
      eq(projectKeys.projectId, projectId),
      eq(projectKeys.store, store),
      eq(projectKeys.version, version),
      // Somebody else may have wrapped it meanwhile, under a primary that came later.
      eq(projectKeys.wrapped, wrapped),
    )
    const change = db
      .update(projectKeys)
      .set({ masterKeyId: masterKeyIdOf(again), wrapped: again })
      .where(isKey)
    return [{ change, event: changeOf({ id: `${store}/${version}`, projectId }, 'renew', 'key') }]
  })
  const results = await commitEach(backend, updates)
  return { found: old.length, wrapped: results.reduce<number>((sum, result) => sum + changes(result), 0) }
}

/** Wraps project keys anew under the primary, a bounded number of them. Gives how many it was. */
export async function rotateMasterKeys(backend: KeyedStore): Promise<number> {
  const unreadable: string[] = []
  let wrapped = 0
  for (let taken = 0; taken < MOST_STEPS; taken += 1) {
    const done = await step(backend, unreadable)
    wrapped += done.wrapped
    if (done.found < KEYS_PER_STEP) break
  }
  return wrapped
}

/** Keyrings that were found to open every project key. */
const whole = new WeakSet<Keyring>()

/**
 * The id of a master key that project keys are wrapped under and the keyring does not have; null when all are there.
 * Asked once for each isolate, with as many index look-ups as there are master keys in use.
 */
export async function missingMasterKey({ db, keyring }: KeyedStore): Promise<string | null> {
  if (whole.has(keyring)) return null
  const used = await db.all<{ id: string }>(sql`
    with recursive used(id) as (
      select min(master_key_id) from project_keys
      union all
      select (select min(master_key_id) from project_keys where master_key_id > used.id) from used where id is not null)
    select id from used where id is not null`)
  const missing = used.find(({ id }) => !keyring.keys.has(id))
  if (!missing) whole.add(keyring)
  return missing?.id ?? null
}
