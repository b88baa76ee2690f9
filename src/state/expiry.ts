/** Expiry: what no route shows any more is deleted from the database. */
import { inArray, lte } from 'drizzle-orm'
import { secrets } from './schema.ts'
import type { Store } from './store.ts'

/** Secrets that one statement deletes: each takes its metadata, consumers and places in containers with it. */
const MOST_SECRETS_PER_STATEMENT = 500
/** Statements of one sweep; what is left over, the next sweep takes. */
const MOST_STATEMENTS_PER_SWEEP = 40

/** Deletes the secrets whose expiration has come, with their ciphertext and all that belongs to them. Gives how many. */
export async function deleteExpired({ db, now }: Store): Promise<number> {
  const some = db
    .select({ seq: secrets.seq })
    .from(secrets)
    .where(lte(secrets.expiration, now))
    .limit(MOST_SECRETS_PER_STATEMENT)
  let deleted = 0
  for (let statement = 0; statement < MOST_STATEMENTS_PER_SWEEP; statement += 1) {
    const gone = await db.delete(secrets).where(inArray(secrets.seq, some)).returning({ seq: secrets.seq })
    deleted += gone.length
    if (gone.length < MOST_SECRETS_PER_STATEMENT) break
  }
  return deleted
}
