import { sql, type SQL } from 'drizzle-orm'
import { projectQuotas } from './schema.ts'
import type { QuotaLimits, Store } from './store.ts'

export type Quota = keyof QuotaLimits

/**
 * The condition that the project may have one more: `counted` (a select of the count) is below the project's own
 * limit, or below the configured one where it has none. A negative limit means none.
 */
export function belowQuota(store: Store, quota: Quota, projectId: string, counted: SQL): SQL {
  const own = sql`(select ${projectQuotas[quota]} from ${projectQuotas} where ${projectQuotas.projectId} = ${projectId})`
  const limit = sql`coalesce(${own}, ${store.quotas[quota]})`
  return sql`(${limit} < 0 or (${counted}) < ${limit})`
}
