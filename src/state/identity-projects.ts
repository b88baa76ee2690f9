/** Projects: what is kept of them. One public operation is one D1 batch. */
import { and, eq, not, sql } from 'drizzle-orm'
import type { Backend } from './backend.ts'
import { identityFault } from './identity-faults.ts'
import { extraFits, foldName, mergedExtra, nameTaken, newId } from './identity-names.ts'
import { identityProjects, identityUsers, roleAssignments, type ExtraProperties } from './identity-schema.ts'
import { projectDestructions } from './schema.ts'
import { changes, insertWhere } from './statements.ts'

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

const projectColumns = {
  id: identityProjects.id,
  name: identityProjects.name,
  description: identityProjects.description,
  enabled: identityProjects.enabled,
  administrative: identityProjects.administrative,
  extra: identityProjects.extra,
}

/** The projects that the filter lets through, oldest first. */
export async function listProjects(backend: Backend, filter: ProjectFilter): Promise<IdentityProject[]> {
  const { name, enabled, ofUser } = filter
  const { db } = backend
  const withRole = ofUser === undefined ? undefined : projectsOf(ofUser)
  const byName = name === undefined ? undefined : eq(identityProjects.folded, foldName(name))
  const byState = enabled === undefined ? undefined : eq(identityProjects.enabled, enabled)
  return db
    .select(projectColumns)
    .from(identityProjects)
    .where(and(byName, byState, withRole))
    .orderBy(identityProjects.seq)
}

function projectsOf(userId: string) {
  return sql`${identityProjects.id} in (select project_id from ${roleAssignments} where user_id = ${userId})`
}

/** The project with this id; throws `notFound`. */
export async function findProject(backend: Backend, id: string): Promise<IdentityProject> {
  const project = await backend.db
    .select(projectColumns)
    .from(identityProjects)
    .where(eq(identityProjects.id, id))
    .get()
  if (!project) throw identityFault('notFound', 'project', id)
  return project
}

/** Makes a project; throws `projectExists` when the name is taken. */
export async function createProject(backend: Backend, project: NewProject): Promise<IdentityProject> {
  const made = { id: newId(), ...project, administrative: false }
  const result = await backend.db
    .insert(identityProjects)
    .values({ ...made, folded: foldName(project.name), created: backend.now })
    .onConflictDoNothing()
    .run()
  if (changes(result) === 0) throw identityFault('projectExists', made.name, made.id)
  return made
}

/**
 * Changes a project. Throws `notFound`, `immutableUpdate` for the administrative project, `projectExists` when the new
 * name is taken, and `invalid` when the further properties grow beyond their bounds.
 */
export async function updateProject(backend: Backend, id: string, change: ProjectChanges): Promise<IdentityProject> {
  const { name, description, enabled, extra } = change
  const taken = nameTaken(identityProjects, id, name)
  const folded = name === undefined ? undefined : foldName(name)
  const isProject = eq(identityProjects.id, id)
  const [[updated], [found]] = await backend.db.batch([
    backend.db
      .update(identityProjects)
      .set({ name, folded, description, enabled, extra: mergedExtra(extra) })
      .where(and(isProject, eq(identityProjects.administrative, false), not(taken), extraFits(extra)))
      .returning(projectColumns),
    backend.db
      .select({ administrative: identityProjects.administrative, taken: sql<number>`${taken}`.as('taken') })
      .from(identityProjects)
      .where(isProject),
  ])
  if (updated) return updated
  if (!found) throw identityFault('notFound', 'project', id)
  if (found.administrative) throw identityFault('immutableUpdate', 'project', id)
  if (found.taken) throw identityFault('projectExists', name ?? '', id)
  throw identityFault('invalid', 'The properties of the project are too large.')
}

/**
 * Deletes a project with its role assignments and application credentials; it is nobody's default project any more. The
 * next sweep destroys its keys and what they seal. Throws `notFound`, and `immutableDelete` for the administrative project.
 */
export async function deleteProject(backend: Backend, id: string): Promise<void> {
  const { db } = backend
  const deletable = and(eq(identityProjects.id, id), eq(identityProjects.administrative, false))
  const goes = sql`exists (select 1 from ${identityProjects} where id = ${id} and administrative = 0)
    and not exists (select 1 from ${projectDestructions} where project_id = ${id})`
  const [, deleted, , [kept]] = await db.batch([
    insertWhere(backend, projectDestructions, { projectId: id, due: backend.now }, goes),
    db.delete(identityProjects).where(deletable).returning({ id: identityProjects.id }),
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
  ])
  if (kept) throw identityFault('immutableDelete', 'project', id)
  if (deleted.length === 0) throw identityFault('notFound', 'project', id)
}
