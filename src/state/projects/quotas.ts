/** Limits on the number of entities in a project. */
import { asc, eq, getTableColumns, sql, type SQL } from 'drizzle-orm'
import { fault } from '../../faults.ts'
import { commit } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import { build, change, select, selectValues } from '../database/prepared.ts'
import { projectQuotas } from '../schema/resources.ts'
import type { Scope } from '../scope.ts'

/** The names of the limits. `cas` can be set but has no effect, because nothing is counted against it. */
const quotaNames = ['secrets', 'orders', 'containers', 'consumers', 'cas'] as const
type QuotaName = (typeof quotaNames)[number]

/** A project's own limits; null if the configured default applies. */
type OwnLimits = Readonly<Record<QuotaName, number | null>>

const UNLIMITED = -1

const limitsOf = ({ secrets, orders, containers, consumers, cas }: OwnLimits): OwnLimits => ({
  secrets,
  orders,
  containers,
  consumers,
  cas,
})

/** The project's own limits; undefined if it has none. */
async function findLimits({ db }: Scope, projectId: string): Promise<OwnLimits | undefined> {
  const ofProject = eq(projectQuotas.projectId, projectId)
  const [row] = await db.run(
    select(getTableColumns(projectQuotas), (columns) => build.select(columns).from(projectQuotas).where(ofProject)),
  )
  return row
}

/** The limits that apply to a project: its own where set, otherwise the configured ones. */
export async function effectiveQuotas(scope: Scope, projectId: string): Promise<Record<QuotaName, number>> {
  const own = await findLimits(scope, projectId)
  const defaults = { ...scope.quotas, cas: UNLIMITED }
  const limits = quotaNames.map((name) => [name, own?.[name] ?? defaults[name]])
  return Object.fromEntries(limits) as Record<QuotaName, number>
}

/** The limits that were set for a project; throws `projectQuotasNotFound` if none were set. */
export async function findProjectQuotas(scope: Scope, projectId: string): Promise<OwnLimits> {
  const own = await findLimits(scope, projectId)
  if (!own) throw fault('projectQuotasNotFound')
  return limitsOf(own)
}

/** One page of the projects with limits of their own, oldest first. */
export async function listProjectQuotas(
  { db }: Scope,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): Promise<{ items: { projectId: string; limits: OwnLimits }[]; total: number }> {
  const read = await db.batch({
    rows: select(getTableColumns(projectQuotas), (columns) =>
      build.select(columns).from(projectQuotas).orderBy(asc(projectQuotas.seq)).limit(limit).offset(offset),
    ),
    counted: selectValues({ total: sql<number>`(select count(*) from ${projectQuotas})` }),
  })
  const items = read.rows.map((row) => ({ projectId: row.projectId, limits: limitsOf(row) }))
  return { items, total: read.counted[0]?.total ?? 0 }
}

/** Sets limits of a project; limits that are not in `given` are left unchanged. */
export async function setProjectQuotas(
  scope: Scope,
  projectId: string,
  given: Partial<Record<QuotaName, number | undefined>>,
): Promise<void> {
  const limits = Object.fromEntries(quotaNames.map((name) => [name, given[name] ?? null])) as OwnLimits
  const kept = quotaNames.map((name) => [name, sql`coalesce(${limits[name]}, ${projectQuotas[name]})`])
  const upsert = build
    .insert(projectQuotas)
    .values({ projectId, ...limits })
    .onConflictDoUpdate({ target: projectQuotas.projectId, set: Object.fromEntries(kept) as Record<QuotaName, SQL> })
  await commit(scope, changeOf({ id: projectId, projectId }, 'update', 'quota'), change(upsert))
}

/** Removes a project's own limits; throws `projectQuotasNotFound` if none were set. */
export async function deleteProjectQuotas(scope: Scope, projectId: string): Promise<void> {
  const removal = change(build.delete(projectQuotas).where(eq(projectQuotas.projectId, projectId)))
  const { changed } = await commit(scope, changeOf({ id: projectId, projectId }, 'delete', 'quota'), removal)
  if (changed === 0) throw fault('projectQuotasNotFound')
}
