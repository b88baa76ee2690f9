/** Limits on how much a project may have. */
import { asc, eq, sql, type SQL } from 'drizzle-orm'
import { fault } from '../../faults.ts'
import { commit } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { changes } from '../database/statements.ts'
import { projectQuotas } from '../schema/resources.ts'

/** `cas` is a limit in name only: nothing counts against it. */
const quotaNames = ['secrets', 'orders', 'containers', 'consumers', 'cas'] as const
export type QuotaName = (typeof quotaNames)[number]

/** A project's own limits; null: the configured default applies. */
export type OwnLimits = Readonly<Record<QuotaName, number | null>>

const UNLIMITED = -1

const limitsOf = ({ secrets, orders, containers, consumers, cas }: OwnLimits): OwnLimits => ({
  secrets,
  orders,
  containers,
  consumers,
  cas,
})

/** The project's own limits; undefined when it has none. */
async function findLimits(backend: Backend, projectId: string) {
  const ofProject = eq(projectQuotas.projectId, projectId)
  return backend.db.select().from(projectQuotas).where(ofProject).get()
}

/** The limits that hold for a project: its own where set, else the configured ones. */
export async function effectiveQuotas(backend: Backend, projectId: string): Promise<Record<QuotaName, number>> {
  const own = await findLimits(backend, projectId)
  const defaults = { ...backend.quotas, cas: UNLIMITED }
  const limits = quotaNames.map((name) => [name, own?.[name] ?? defaults[name]])
  return Object.fromEntries(limits) as Record<QuotaName, number>
}

/** The limits that a project was given; throws `projectQuotasNotFound` when it was given none. */
export async function findProjectQuotas(backend: Backend, projectId: string): Promise<OwnLimits> {
  const own = await findLimits(backend, projectId)
  if (!own) throw fault('projectQuotasNotFound')
  return limitsOf(own)
}

/** One page of the projects that were given limits, oldest first. */
export async function listProjectQuotas(
  backend: Backend,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ items: { projectId: string; limits: OwnLimits }[]; total: number }> {
  const [rows, [counted]] = await backend.db.batch([
    backend.db.select().from(projectQuotas).orderBy(asc(projectQuotas.seq)).limit(page.limit).offset(page.offset),
    backend.db.select({ total: sql<number>`count(*)` }).from(projectQuotas),
  ])
  return {
    items: rows.map((row) => ({ projectId: row.projectId, limits: limitsOf(row) })),
    total: counted?.total ?? 0,
  }
}

/** Gives a project limits: those that are given are set, the others stay as they are. */
export async function setProjectQuotas(
  backend: Backend,
  projectId: string,
  given: Partial<Record<QuotaName, number | undefined>>,
): Promise<void> {
  const limits = Object.fromEntries(quotaNames.map((name) => [name, given[name] ?? null])) as OwnLimits
  const kept = quotaNames.map((name) => [name, sql`coalesce(${given[name] ?? null}, ${projectQuotas[name]})`])
  const upsert = backend.db
    .insert(projectQuotas)
    .values({ projectId, ...limits })
    .onConflictDoUpdate({ target: projectQuotas.projectId, set: Object.fromEntries(kept) as Record<QuotaName, SQL> })
  await commit(backend, changeOf({ id: projectId, projectId }, 'update', 'quota'), upsert)
}

/** Returns a project to the configured limits; throws `projectQuotasNotFound` when it was given none. */
export async function deleteProjectQuotas(backend: Backend, projectId: string): Promise<void> {
  const removal = backend.db.delete(projectQuotas).where(eq(projectQuotas.projectId, projectId))
  const [result] = await commit(backend, changeOf({ id: projectId, projectId }, 'delete', 'quota'), removal)
  if (changes(result) === 0) throw fault('projectQuotasNotFound')
}
