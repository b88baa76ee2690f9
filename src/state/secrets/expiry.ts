/** Expiry: deletes secrets that have expired, which no route returns any more. */
import { and, lte, sql } from 'drizzle-orm'
import { commitWhere } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import { build, changeReturning, select } from '../database/prepared.ts'
import { authentic } from '../integrity/row-authentication.ts'
import { secrets } from '../schema/resources.ts'
import type { KeyedScope, Scope } from '../scope.ts'
import { protectedRow, secretColumns } from './secret-rows.ts'

/** Secrets that one step deletes, each with its metadata, consumers and references in containers. */
const MOST_SECRETS_PER_STEP = 500
/** Versions of secrets that one step deletes, counted by their numbers, of which the older ones may be gone. */
const MOST_VERSIONS_PER_STEP = 2_000
/** Steps of one sweep; the next sweep continues. */
const MOST_STEPS_PER_SWEEP = 40

/**
 * Deletes the secrets that have expired, with their ciphertext and all rows that belong to them, and returns how many.
 * A secret whose row is not authentic is logged and not deleted, because its expiration may be forged.
 */
export async function deleteExpired(scope: KeyedScope): Promise<number> {
  let deleted = 0
  let last = { expiration: '', seq: 0 }
  for (let step = 0; step < MOST_STEPS_PER_SWEEP; step += 1) {
    const { expiration, seq } = secrets
    const isNext = sql`(${expiration}, ${seq}) > (${last.expiration}, ${last.seq})`
    const expired = await scope.db.run(
      select({ ...secretColumns(false), seq }, (columns) =>
        build
          .select(columns)
          .from(secrets)
          .where(and(lte(expiration, scope.now), isNext))
          .orderBy(expiration, seq)
          .limit(MOST_SECRETS_PER_STEP),
      ),
    )
    const together = withFewVersions(expired)
    deleted += await deleteAll(scope, await authentic(scope, 'secrets', together.map(protectedRow)))
    const end = together.at(-1)
    if (!end || (together === expired && expired.length < MOST_SECRETS_PER_STEP)) break
    last = { expiration: end.expiration ?? '', seq: end.seq }
  }
  return deleted
}

/** The first secrets, so many that they have few enough versions together, and at least one. */
function withFewVersions<Row extends { readonly version: number | null }>(expired: readonly Row[]): readonly Row[] {
  let versions = 0
  const end = expired.findIndex(({ version }, at) => (versions += version ?? 1) > MOST_VERSIONS_PER_STEP && at > 0)
  return end < 0 ? expired : expired.slice(0, end)
}

/** Deletes the secrets, except those that a concurrent request has deleted. */
async function deleteAll(scope: Scope, expired: readonly { id: string; projectId: string }[]): Promise<number> {
  if (expired.length === 0) return 0
  const ids = JSON.stringify(expired.map(({ id }) => id))
  const { deletion } = await commitWhere(
    scope,
    expired.map((secret) => changeOf(secret, 'delete', 'secret')),
    sql`exists (select 1 from ${secrets} where ${secrets.id} = value ->> 'targetId')`,
    {
      deletion: changeReturning(
        build
          .delete(secrets)
          .where(sql`${secrets.id} in (select value from json_each(${ids}))`)
          .returning({ seq: secrets.seq }),
      ),
    },
  )
  return deletion
}
