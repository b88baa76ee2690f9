/** The conditions that a project may have one more of a kind, and what an order makes, for prepared statements. */
import { sql, type SQL } from 'drizzle-orm'
import { fault, type Fault } from '../../faults.ts'
import type { Values } from '../database/prepared.ts'
import { projectQuotas } from '../schema/resources.ts'
import type { QuotaLimits, Scope } from '../scope.ts'
import { countOf, type CountedKind } from './counts.ts'
import { isDestroyed } from './destructions.ts'
import { promisedOf } from './order-promises.ts'

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

/** The project's own limit, or the configured one where it has none. */
function limitOf(kind: CountedKind): SQL {
  const own = sql.raw(projectQuotas[quotas[kind]].name)
  const configured = sql.placeholder(`quota configured ${quotas[kind]}`)
  return sql`coalesce((select ${own} from project_quotas where project_id = ${project}), ${configured})`
}

/** What the project has, with what its pending orders have promised to make. */
function usedOf(kind: CountedKind): SQL {
  const promised = promisedOf(kind, project)
  return promised ? sql`${countOf(kind, project, now)} + ${promised}` : countOf(kind, project, now)
}

/** SQL: the destruction of the project has not begun. */
export const notDestroyed = sql`not exists (
  select 1 from project_destructions where project_id = ${project} and due <= ${now})`

/** {@link quotaValues} says for which project, and the configured limits. */
const condition = (kind: CountedKind): SQL =>
  sql`((${limitOf(kind)} < 0 or ${usedOf(kind)} < ${limitOf(kind)}) and ${notDestroyed})`

const roomFor = (kind: 'secrets' | 'containers'): SQL => {
  const wanted = sql.placeholder(`room ${kind}`)
  return sql`(${wanted} = 0 or ${limitOf(kind)} < 0 or ${usedOf(kind)} + ${wanted} <= ${limitOf(kind)})`
}

/** SQL: the limits leave room for what an order makes; {@link roomValues} says how much that is. */
export const roomForResult = sql`(${roomFor('secrets')} and ${roomFor('containers')})`

/** The values of {@link roomForResult}, beside those of {@link quotaValues}. */
export const roomValues = (made: { readonly secrets: number; readonly containers: number }): Values => ({
  'room secrets': made.secrets,
  'room containers': made.containers,
})

/**
 * What the project has and has promised is below its own limit, or below the configured one where it has none. A
 * negative limit means no limit. A project whose destruction has begun may have nothing more.
 */
export const belowQuota: Readonly<Record<CountedKind, SQL>> = {
  secrets: condition('secrets'),
  orders: condition('orders'),
  containers: condition('containers'),
  secretConsumers: condition('secretConsumers'),
  containerConsumers: condition('containerConsumers'),
}

/** The values of {@link belowQuota}, for each kind. */
export const quotaValues = (scope: Pick<Scope, 'quotas' | 'now'>, projectId: string): Values => ({
  'quota project': projectId,
  'quota now': scope.now,
  ...Object.fromEntries(Object.entries(scope.quotas).map(([name, limit]) => [`quota configured ${name}`, limit])),
})

/** The fault for a row that {@link belowQuota} refused: the destruction has begun, or the quota is reached. */
export async function refusalOf(scope: Scope, projectId: string): Promise<Fault> {
  return fault((await isDestroyed(scope, projectId)) ? 'projectDestroyed' : 'quotaReached')
}
