/**
 * What pending orders have promised to make: it counts toward the limits from the moment at which they are placed, so that
 * no order ends over a limit, and none is refused when it ends.
 */
import { sql, type Placeholder, type SQL } from 'drizzle-orm'
import type { CountedKind } from './counts.ts'

/** Secrets that an order for a key pair or a certificate makes: two keys, or a certificate and its intermediates. */
export const PARTS = 2
/** Secrets that an order for a key pair makes that has a passphrase. */
export const PARTS_WITH_PASSPHRASE = 3

/** How many of a kind the project's pending orders will make, as an expression; null for kinds that orders do not make. */
export function promisedOf(kind: CountedKind, projectId: string | Placeholder): SQL<number> | null {
  const pending = sql`orders waiting where waiting.project_id = ${projectId} and waiting.due is not null`
  if (kind === 'containers') return sql`(select count(*) from ${pending})`
  if (kind !== 'secrets') return null
  const made = sql.raw(`case when waiting.key_version is null then ${PARTS} else ${PARTS_WITH_PASSPHRASE} end`)
  return sql`(select coalesce(sum(${made}), 0) from ${pending})`
}
