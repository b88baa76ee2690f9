/** Expiry: what no route shows any more is deleted from the database. */
import { and, lte, sql } from 'drizzle-orm'
import { commitWhere } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import type { Store } from '../scope.ts'
import { authentic } from '../integrity/row-authentication.ts'
import { secrets } from '../schema/resources.ts'
import { protectedRow, secretColumns } from './secret-rows.ts'

/** Secrets that one step deletes: each takes its metadata, consumers and places in containers with it. */
const MOST_SECRETS_PER_STEP = 500
/** Steps of one sweep; what is left over, the next sweep takes. */
const MOST_STEPS_PER_SWEEP = 40

/**
 * Deletes the secrets whose expiration has come, with their ciphertext and all that belongs to them. Gives how many.
 * One that was given its expiration by somebody else than the service is logged and stays.
 */
export async function deleteExpired(backend: Backend): Promise<number> {
  let deleted = 0
  let last = { expiration: '', seq: 0 }
  for (let step = 0; step < MOST_STEPS_PER_SWEEP; step += 1) {
    const { expiration, seq } = secrets
    const isNext = sql`(${expiration}, ${seq}) > (${last.expiration}, ${last.seq})`
    const expired = await backend.db
      .select({ ...secretColumns(false), seq })
      .from(secrets)
      .where(and(lte(expiration, backend.now), isNext))
      .orderBy(expiration, seq)
      .limit(MOST_SECRETS_PER_STEP)
    deleted += await deleteAll(backend, await authentic(backend, 'secrets', expired.map(protectedRow)))
    const end = expired.at(-1)
    if (!end || expired.length < MOST_SECRETS_PER_STEP) break
    last = { expiration: end.expiration ?? '', seq: end.seq }
  }
  return deleted
}

/** Deletes those that somebody else has not deleted meanwhile. */
async function deleteAll(store: Store, expired: readonly { id: string; projectId: string }[]): Promise<number> {
  if (expired.length === 0) return 0
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
