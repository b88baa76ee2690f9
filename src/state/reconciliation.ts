/**
 * Reconciliation of the deployment after a restore: the objects of its projects report, a page of projects at a time, how
 * the database differs from what they have stored about it, and adopt what an operator has confirmed.
 */
import { asc, gt, sql } from 'drizzle-orm'
import { digestOf } from '../crypto/digest.ts'
import { canonicalJson } from '../crypto/event-chain.ts'
import { fault } from '../faults.ts'
import { DEPLOYMENT, recordEvent } from './audit/events.ts'
import type { Backend } from './backend.ts'
import { build, select } from './database/prepared.ts'
import { askObject, sendOnce, type ProjectReport } from './project-calls.ts'
import { projectCounts } from './schema/resources.ts'

/** Projects whose objects one call asks. */
const PROJECTS_PER_CALL = 20

/** Which projects a call is about: one, or the page after the project `marker`, from the first one if it is empty. */
export interface Asked {
  readonly projectId?: string | undefined
  readonly marker: string
}

export interface NamedReport extends ProjectReport {
  readonly projectId: string
}

export interface DeploymentReport {
  /** The projects that differ, and those whose rows are not all compared yet. */
  readonly projects: readonly NamedReport[]
  readonly complete: boolean
  /** Identifies the report; null if nothing differs. */
  readonly confirm: string | null
  /** The marker of the next page; null if there is none. */
  readonly next: string | null
}

/**
 * The projects of a page: those with sealed events, found with one index seek each, and those that have ever had rows.
 * The log of the deployment counts as a project.
 */
async function projectsOf({ db }: Backend, { projectId, marker }: Asked): Promise<readonly string[]> {
  if (projectId !== undefined) return [projectId]
  const least = (after: string) =>
    `(select min(project_id) from audit_events where number is not null and project_id > ${after})`
  const logged = sql`(with recursive logged(id) as (
      select min(project_id) from audit_events where number is not null and project_id > ${marker}
      union all select ${sql.raw(least('logged.id'))} from logged where id is not null)
    select id from logged where id is not null limit ${PROJECTS_PER_CALL})`
  const read = await db.batch({
    logged: select({ id: sql<string>`id` }, (columns) => build.select(columns).from(logged)),
    counted: select({ id: projectCounts.projectId }, (columns) =>
      build
        .select(columns)
        .from(projectCounts)
        .where(gt(projectCounts.projectId, marker))
        .orderBy(asc(projectCounts.projectId))
        .limit(PROJECTS_PER_CALL),
    ),
  })
  const ids = new Set([...read.logged, ...read.counted].map(({ id }) => id))
  return [...ids].toSorted(byCodePoint).slice(0, PROJECTS_PER_CALL)
}

/** The order of SQLite's text, which is that of UTF-8; ids of projects are ASCII. */
const byCodePoint = (one: string, other: string) => (one < other ? -1 : 1)

async function confirmOf(projects: readonly NamedReport[]): Promise<string | null> {
  const reported = projects.flatMap(({ projectId, confirm }) => (confirm === null ? [] : [[projectId, confirm]]))
  if (reported.length === 0) return null
  return (await digestOf(canonicalJson(reported))).toHex()
}

/**
 * Has the objects of a page of projects seal and compare, each a bounded number at a time, and returns what differs. Until
 * the report is complete, the next call continues.
 */
export async function reportDifferences(backend: Backend, asked: Asked): Promise<DeploymentReport> {
  const ids = await projectsOf(backend, asked)
  const reports = await Promise.all(
    ids.map(async (projectId) => ({
      projectId,
      ...(await askObject(backend.projects, projectId, (object) => object.inspect())),
    })),
  )
  const projects = reports.filter(({ complete, confirm }) => !complete || confirm !== null)
  const hasNext = asked.projectId === undefined && ids.length === PROJECTS_PER_CALL
  return {
    projects,
    complete: projects.every(({ complete }) => complete),
    confirm: await confirmOf(projects),
    next: hasNext ? (ids.at(-1) ?? null) : null,
  }
}

/**
 * Has the objects adopt what the report with this `confirm` says, with an event in the log of each project and one in
 * that of the deployment. Returns the report. Throws `reconciliationChanged` if the report is not the present one, or
 * not complete.
 */
export async function adoptDifferences(backend: Backend, asked: Asked, confirm: string): Promise<DeploymentReport> {
  const report = await reportDifferences(backend, asked)
  if (!report.complete || report.confirm !== confirm) throw fault('reconciliationChanged')
  const adoptions = report.projects.map(({ projectId, confirm: ofProject }) =>
    sendOnce(backend, projectId, (object, context) => object.adopt(context, ofProject ?? '')),
  )
  await Promise.all(adoptions)
  const operation = `${backend.source.operation} of ${adoptions.length} projects`
  const scope = { ...backend, source: { ...backend.source, operation } }
  await recordEvent(scope, { action: 'update', target: 'audit-log', id: DEPLOYMENT, projectId: DEPLOYMENT })
  return report
}
