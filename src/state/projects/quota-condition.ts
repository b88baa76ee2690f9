/** The condition that a project may have one more of a kind, for prepared statements. */
import { sql, type SQL } from 'drizzle-orm'
import { fault, type Fault } from '../../faults.ts'
import type { Values } from '../database/prepared.ts'
import { projectQuotas } from '../schema/resources.ts'
import type { QuotaLimits, Scope } from '../scope.ts'
import { countOf, type CountedKind } from './counts.ts'
import { isDestroyed } from './destructions.ts'

/** Consumers of secrets and of containers have one limit, which holds for each of the two. */
const quotas: Readonly<Record<CountedKind, keyof QuotaLimits>> = {
  secrets: 'secrets',
  orders: 'orders',
  containers: 'containers',
  secretConsumers: 'consumers',
  containerConsumers: 'consumers',
}

const project = sql.placeholder('quota project')
const now = sql.placeholder('quota now')

/** {@link quotaValues} says for which project, and the configured limit. */
function condition(kind: CountedKind): SQL {
  const own = sql.raw(projectQuotas[quotas[kind]].name)
  const configured = sql.placeholder('quota configured')
  const limit = sql`coalesce((select ${own} from project_quotas where project_id = ${project}), ${configured})`
  const destroyed = sql`exists (select 1 from project_destructions where project_id = ${project} and due <= ${now})`
  return sql`((${limit} < 0 or ${countOf(kind, project, now)} < ${limit}) and not ${destroyed})`
}

/**
 * What the project has is below its own limit, or below the configured one where it has none. A negative limit means no
 * limit. A project whose destruction has begun may have nothing more.
 */
export const belowQuota: Readonly<Record<CountedKind, SQL>> = {
  secrets: condition('secrets'),
  orders: condition('orders'),
  containers: condition('containers'),
  secretConsumers: condition('secretConsumers'),
  containerConsumers: condition('containerConsumers'),
}

/** The values of {@link belowQuota}. */
export const quotaValues = (scope: Pick<Scope, 'quotas' | 'now'>, kind: CountedKind, projectId: string): Values => ({
  'quota project': projectId,
  'quota configured': scope.quotas[quotas[kind]],
  'quota now': scope.now,
})

/** Why a project may have nothing more: its destruction has begun, or its quota is reached. */
export async function refusalOf(scope: Scope, projectId: string): Promise<Fault> {
  return fault((await isDestroyed(scope, projectId)) ? 'projectDestroyed' : 'quotaReached')
}
