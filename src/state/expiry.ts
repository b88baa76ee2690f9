/** Expiry: what no route shows any more is deleted from the database. */
import { lte, sql } from 'drizzle-orm'
import { changeOf } from './audit-events.ts'
import { commitWhere } from './commit.ts'
import { secrets } from './schema.ts'
import type { Store } from './store.ts'

/** Secrets that one step deletes: each takes its metadata, consumers and places in containers with it. */
const MOST_SECRETS_PER_STEP = 500
/** Steps of one sweep; what is left over, the next sweep takes. */
const MOST_STEPS_PER_SWEEP = 40

/** Deletes the secrets whose expiration has come, with their ciphertext and all that belongs to them. Gives how many. */
export async function deleteExpired(store: Store): Promise<number> {
  const { db, now } = store
  const some = db
    .select({ id: secrets.id, projectId: secrets.projectId })
    .from(secrets)
    .where(lte(secrets.expiration, now))
    .limit(MOST_SECRETS_PER_STEP)
  let deleted = 0
  for (let step = 0; step < MOST_STEPS_PER_SWEEP; step += 1) {
    const expired = await some
    if (expired.length > 0) deleted += await deleteAll(store, expired)
    if (expired.length < MOST_SECRETS_PER_STEP) break
  }
  return deleted
}

/** Deletes those that somebody else has not deleted meanwhile. */
async function deleteAll(store: Store, expired: readonly { id: string; projectId: string }[]): Promise<number> {
  const ids = JSON.stringify(expired.map(({ id }) => id))
  const [deletion] = await commitWhere(
    store,
    expired.map((secret) => changeOf(secret, 'delete', 'secret')),
    sql`exists (select 1 from ${secrets} where ${secrets.id} = value ->> 'targetId')`,
    store.db
      .delete(secrets)
      .where(sql`${secrets.id} in (select value from json_each(${ids}))`)
      .returning({ seq: secrets.seq }),
  )
  return deletion.length
}
