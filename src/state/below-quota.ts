import { sql, type SQL } from 'drizzle-orm'
import { countOf, type CountedKind } from './project-counts.ts'
import { projectQuotas } from './schema.ts'
import type { QuotaLimits, Store } from './store.ts'

/** Consumers of secrets and of containers have one limit, which holds for each of the two. */
const quotas: Readonly<Record<CountedKind, keyof QuotaLimits>> = {
  secrets: 'secrets',
  orders: 'orders',
  containers: 'containers',
  secretConsumers: 'consumers',
  containerConsumers: 'consumers',
}

/**
 * The condition that the project may have one more of a kind: what it has is below its own limit, or below the
 * configured one where it has none. A negative limit means none. Limits of its own must be those that are known.
 */
export function belowQuota(store: Store, kind: CountedKind, projectId: string): SQL {
  const quota = quotas[kind]
  const own = sql.raw(projectQuotas[quota].name)
  const limit = sql`coalesce((select ${own} from project_quotas where project_id = ${projectId}), ${store.quotas[quota]})`
  const mac = sql`(select mac from project_quotas where project_id = ${projectId})`
  const known = sql`coalesce(${mac}, '') = ${store.limitsMac(projectId)}`
  return sql`(${known} and (${limit} < 0 or ${countOf(kind, projectId, store.now)} < ${limit}))`
}
