/** The condition that a quota allows one more row of a kind, for prepared statements. */
import { sql, type SQL } from 'drizzle-orm'
import { fault, type Fault } from '../../faults.ts'
import type { Values } from '../database/prepared.ts'
import { projectQuotas } from '../schema/resources.ts'
import type { QuotaLimits, Scope } from '../scope.ts'
import { countOf, type CountedKind } from './counts.ts'
import { isDestroyed } from './destructions.ts'

/**
 * The limit of each kind. Consumers of secrets and of containers share a limit, which applies to each kind separately.
 */
const quotas: Readonly<Record<CountedKind, keyof QuotaLimits>> = {
  secrets: 'secrets',
  orders: 'orders',
  containers: 'containers',
  secretConsumers: 'consumers',
  containerConsumers: 'consumers',
}

const project = sql.placeholder('quota project')
const now = sql.placeholder('quota now')

/** The placeholders are filled by {@link quotaValues}. */
function condition(kind: CountedKind): SQL {
  const own = sql.raw(projectQuotas[quotas[kind]].name)
  const configured = sql.placeholder('quota configured')
  const limit = sql`coalesce((select ${own} from project_quotas where project_id = ${project}), ${configured})`
  const destroyed = sql`exists (select 1 from project_destructions where project_id = ${project} and due <= ${now})`
  return sql`((${limit} < 0 or ${countOf(kind, project, now)} < ${limit}) and not ${destroyed})`
}

/**
 * SQL: the project has fewer rows of the kind than its own limit, or than the configured limit if it has none of its
 * own. A negative limit means no limit. False for a project whose destruction has begun.
 */
export const belowQuota: Readonly<Record<CountedKind, SQL>> = {
  secrets: condition('secrets'),
  orders: condition('orders'),
  containers: condition('containers'),
  secretConsumers: condition('secretConsumers'),
  containerConsumers: condition('containerConsumers'),
}

/** The values for the placeholders of {@link belowQuota}. */
export const quotaValues = (scope: Pick<Scope, 'quotas' | 'now'>, kind: CountedKind, projectId: string): Values => ({
  'quota project': projectId,
  'quota configured': scope.quotas[quotas[kind]],
  'quota now': scope.now,
})

/** The fault for a row that {@link belowQuota} refused: the destruction has begun, or the quota is reached. */
export async function refusalOf(scope: Scope, projectId: string): Promise<Fault> {
  return fault((await isDestroyed(scope, projectId)) ? 'projectDestroyed' : 'quotaReached')
}
