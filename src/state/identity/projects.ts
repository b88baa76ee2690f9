/** Projects: what is kept of them. One public operation is one D1 batch. */
import { and, eq, getTableColumns, gt, not, sql } from 'drizzle-orm'
import { commit } from '../audit/commit.ts'
import { changeOf, type AuditAction } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { changes, insertWhere, justChanged } from '../database/statements.ts'
import { authentic, requireAuthentic, withMac } from '../integrity/row-authentication.ts'
import { identityProjects, identityUsers, roleAssignments, type ExtraProperties } from '../schema/identity.ts'
import { projectDestructions } from '../schema/resources.ts'
import { identityFault } from './faults.ts'
import { foldName, mergedExtra, nameTaken, newId } from './names.ts'

export interface IdentityProject {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly enabled: boolean
  readonly administrative: boolean
  readonly extra: ExtraProperties
}

export type NewProject = Omit<IdentityProject, 'id' | 'administrative'>

/** What is to change; absent: it stays. */
export interface ProjectChanges {
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly enabled?: boolean | undefined
  readonly extra: ExtraProperties
}

export interface ProjectFilter {
  readonly name?: string | undefined
  readonly enabled?: boolean | undefined
  /** Only projects in which this user has a role. */
  readonly ofUser?: string | undefined
}

type ProjectRow = typeof identityProjects.$inferSelect

export const projectColumns = getTableColumns(identityProjects)

function asProject(row: Omit<ProjectRow, 'seq' | 'mac'>): IdentityProject {
  const { id, name, description, enabled, administrative, extra } = row
  return { id, name, description, enabled, administrative, extra: JSON.parse(extra) as ExtraProperties }
}

/** The projects that the filter lets through, oldest first. */
export async function listProjects(backend: Backend, filter: ProjectFilter): Promise<IdentityProject[]> {
  const { name, enabled, ofUser } = filter
  const { db } = backend
  const withRole = ofUser === undefined ? undefined : projectsOf(ofUser)
  const byName = name === undefined ? undefined : eq(identityProjects.folded, foldName(name))
  const byState = enabled === undefined ? undefined : eq(identityProjects.enabled, enabled)
  const rows = await db
    .select(projectColumns)
    .from(identityProjects)
    .where(and(byName, byState, withRole))
    .orderBy(identityProjects.seq)
  return (await authentic(backend, 'identityProjects', rows)).map(asProject)
}

function projectsOf(userId: string) {
  return sql`${identityProjects.id} in (select project_id from ${roleAssignments} where user_id = ${userId})`
}

async function projectRow(backend: Backend, id: string): Promise<ProjectRow> {
  const isProject = eq(identityProjects.id, id)
  const row = await backend.db.select(projectColumns).from(identityProjects).where(isProject).get()
  if (!row) throw identityFault('notFound', 'project', id)
  return requireAuthentic(backend, 'identityProjects', row)
}

/** The project with this id; throws `notFound`. */
export async function findProject(backend: Backend, id: string): Promise<IdentityProject> {
  return asProject(await projectRow(backend, id))
}

const changeBy = (id: string, action: AuditAction) => changeOf({ id, projectId: id }, action, 'project')

/** Makes a project; throws `projectExists` when the name is taken. */
export async function createProject(backend: Backend, project: NewProject): Promise<IdentityProject> {
  const row = await withMac(backend, 'identityProjects', {
    id: newId(),
    ...project,
    extra: JSON.stringify(project.extra),
    administrative: false,
    folded: foldName(project.name),
    created: backend.now,
  })
  const insert = backend.db.insert(identityProjects).values(row).onConflictDoNothing()
  const [result] = await commit(backend, changeBy(row.id, 'create'), insert)
  if (changes(result) === 0) throw identityFault('projectExists', row.name, row.id)
  return asProject(row)
}

/**
 * Changes a project. Throws `notFound`, `immutableUpdate` for the administrative project, `projectExists` when the new
 * name is taken, and `invalid` when the further properties grow beyond their bounds.
 */
export async function updateProject(backend: Backend, id: string, change: ProjectChanges): Promise<IdentityProject> {
  const { name, description, enabled, extra } = change
  const before = await projectRow(backend, id)
  if (before.administrative) throw identityFault('immutableUpdate', 'project', id)
  const merged = mergedExtra(before.extra, extra)
  if (merged === null) throw identityFault('invalid', 'The properties of the project are too large.')
  const taken = nameTaken(identityProjects, id, name)
  const { seq: _, ...row } = await withMac(backend, 'identityProjects', {
    ...before,
    name: name ?? before.name,
    folded: foldName(name ?? before.name),
    description: description ?? before.description,
    enabled: enabled ?? before.enabled,
    extra: merged,
  })
  const asRead = and(eq(identityProjects.id, id), eq(identityProjects.mac, before.mac), not(taken))
  const [result, [found]] = await commit(
    backend,
    changeBy(id, 'update'),
    backend.db.update(identityProjects).set(row).where(asRead),
    backend.db.select({ taken: sql<number>`${taken}`.as('taken') }).from(sql`(select 1)`),
  )
  if (changes(result) > 0) return asProject(row)
  if (found?.taken) throw identityFault('projectExists', name ?? '', id)
  // Somebody else changed it meanwhile: the change is made of what it is now.
  return updateProject(backend, id, change)
}

/**
 * Deletes a project with its role assignments and application credentials; it is nobody's default project any more. The
 * next sweep destroys its keys and what they seal. Throws `notFound`, and `immutableDelete` for the administrative project.
 */
export async function deleteProject(backend: Backend, id: string): Promise<void> {
  const { db } = backend
  const deletable = and(eq(identityProjects.id, id), eq(identityProjects.administrative, false))
  const [deleted, , , [kept]] = await commit(
    backend,
    changeBy(id, 'delete'),
    db.delete(identityProjects).where(deletable).returning({ id: identityProjects.id }),
    insertWhere(backend, projectDestructions, { projectId: id, due: backend.now }, justChanged).onConflictDoUpdate({
      target: projectDestructions.projectId,
      set: { due: backend.now },
      setWhere: gt(projectDestructions.due, backend.now),
    }),
    db
      .update(identityUsers)
      .set({ defaultProjectId: null })
      .where(
        and(
          eq(identityUsers.defaultProjectId, id),
          sql`not exists (select 1 from ${identityProjects} where id = ${id})`,
        ),
      ),
    db.select({ id: identityProjects.id }).from(identityProjects).where(eq(identityProjects.id, id)),
  )
  if (kept) throw identityFault('immutableDelete', 'project', id)
  if (deleted.length === 0) throw identityFault('notFound', 'project', id)
}
