/** Projects: their rows. One public operation is one D1 batch; an update reads first. */
import { and, eq, getTableColumns, gt, sql, type SQL } from 'drizzle-orm'
import { commit } from '../audit/commit.ts'
import { changeOf, type AuditAction } from '../audit/events.ts'
import { build, change, changeReturning, select } from '../database/prepared.ts'
import { insertWhereBuilder, justChanged } from '../database/statements.ts'
import { authentic, requireAuthentic, withMac } from '../integrity/row-authentication.ts'
import { identityProjects, identityUsers, roleAssignments, type ExtraProperties } from '../schema/identity.ts'
import { projectDestructions } from '../schema/resources.ts'
import type { KeyedScope, Scope } from '../scope.ts'
import { identityFault } from './faults.ts'
import { insertUnlessTaken, updateRow } from './named-rows.ts'
import { foldName, mergedExtra, nameColumns, newId } from './names.ts'

export interface IdentityProject {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly enabled: boolean
  readonly administrative: boolean
  readonly extra: ExtraProperties
}

type NewProject = Omit<IdentityProject, 'id' | 'administrative'>

/** What is to change; an absent member stays as it is. */
interface ProjectChanges {
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly enabled?: boolean | undefined
  readonly extra: ExtraProperties
}

interface ProjectFilter {
  readonly name?: string | undefined
  readonly enabled?: boolean | undefined
  /** Only projects in which this user has a role. */
  readonly ofUser?: string | undefined
}

type ProjectRow = typeof identityProjects.$inferSelect

function asProject(row: Omit<ProjectRow, 'seq' | 'mac'>): IdentityProject {
  const { id, name, description, enabled, administrative, extra } = row
  return { id, name, description, enabled, administrative, extra: JSON.parse(extra) as ExtraProperties }
}

const selectProjects = (condition: SQL | undefined) =>
  select(getTableColumns(identityProjects), (columns) =>
    build.select(columns).from(identityProjects).where(condition).orderBy(identityProjects.seq),
  )

const hasRole = (userId: string) =>
  sql`${identityProjects.id} in (select project_id from ${roleAssignments} where user_id = ${userId})`

/** The projects that match the filter, oldest first. */
export async function listProjects(scope: KeyedScope, filter: ProjectFilter): Promise<IdentityProject[]> {
  const { name, enabled, ofUser } = filter
  const byName = name === undefined ? undefined : eq(identityProjects.folded, foldName(name))
  const byState = enabled === undefined ? undefined : eq(identityProjects.enabled, enabled)
  const byUser = ofUser === undefined ? undefined : hasRole(ofUser)
  const rows = await scope.db.run(selectProjects(and(byName, byState, byUser)))
  return (await authentic(scope, 'identityProjects', rows)).map(asProject)
}

async function projectRow(scope: KeyedScope, id: string): Promise<ProjectRow> {
  const [row] = await scope.db.run(selectProjects(eq(identityProjects.id, id)))
  if (!row) throw identityFault('notFound', 'project', id)
  return requireAuthentic(scope, 'identityProjects', row)
}

/** The project with this id; throws `notFound`. */
export async function findProject(scope: KeyedScope, id: string): Promise<IdentityProject> {
  return asProject(await projectRow(scope, id))
}

const changeBy = (id: string, action: AuditAction) => changeOf({ id, projectId: id }, action, 'project')

/** Creates a project; throws `projectExists` when the name is taken. */
export async function createProject(scope: KeyedScope, project: NewProject): Promise<IdentityProject> {
  const { name, description, enabled, extra } = project
  const row = await withMac(scope, 'identityProjects', {
    id: newId(),
    ...nameColumns(name),
    description,
    enabled,
    administrative: false,
    extra: JSON.stringify(extra),
    created: scope.now,
  })
  const { changed } = await commit(scope, changeBy(row.id, 'create'), insertUnlessTaken(identityProjects, row))
  if (changed === 0) throw identityFault('projectExists', name, row.id)
  return asProject(row)
}

/** The row with the changes, without its MAC; throws `immutableUpdate` and `invalid`. */
function changedProject(before: ProjectRow, changes: ProjectChanges): ProjectRow {
  const { name, description, enabled } = changes
  if (before.administrative) throw identityFault('immutableUpdate', 'project', before.id)
  const extra = mergedExtra(before.extra, changes.extra)
  if (extra === null) throw identityFault('invalid', 'The properties of the project are too large.')
  return {
    ...before,
    ...nameColumns(name ?? before.name),
    description: description ?? before.description,
    enabled: enabled ?? before.enabled,
    extra,
  }
}

/**
 * Changes a project. Throws `notFound`, `immutableUpdate` for the administrative project, `projectExists` when the new
 * name is taken, `invalid` when the further properties exceed their bound, and `changedConcurrently`.
 */
export async function updateProject(scope: KeyedScope, id: string, changes: ProjectChanges): Promise<IdentityProject> {
  const row = await updateRow(scope, {
    table: identityProjects,
    event: changeBy(id, 'update'),
    newName: changes.name,
    read: () => projectRow(scope, id),
    changed: async (before) => withMac(scope, 'identityProjects', changedProject(before, changes)),
    taken: () => identityFault('projectExists', changes.name ?? '', id),
  })
  return asProject(row)
}

/** Requests the destruction of the project's keys for now, if the statement before it changed a row. */
function requestDestruction({ now }: Scope, projectId: string) {
  const request = insertWhereBuilder(projectDestructions, { projectId, due: now }, justChanged)
  return change(
    request.onConflictDoUpdate({
      target: projectDestructions.projectId,
      set: { due: now },
      setWhere: gt(projectDestructions.due, now),
    }),
  )
}

/** Clears the project as the default project of users, once it is deleted. */
function clearDefaults(projectId: string) {
  const isDeleted = sql`not exists (select 1 from ${identityProjects} where id = ${projectId})`
  const whereDefault = and(eq(identityUsers.defaultProjectId, projectId), isDeleted)
  return change(build.update(identityUsers).set({ defaultProjectId: null }).where(whereDefault))
}

/**
 * Deletes a project with its role assignments and application credentials, and clears it as a default project. The next
 * sweep destroys its keys and what they seal. Throws `notFound`, and `immutableDelete` for the administrative project.
 */
export async function deleteProject(scope: Scope, id: string): Promise<void> {
  const isProject = eq(identityProjects.id, id)
  const deletable = and(isProject, eq(identityProjects.administrative, false))
  const removal = build.delete(identityProjects).where(deletable).returning({ id: identityProjects.id })
  const { changed, kept } = await commit(scope, changeBy(id, 'delete'), changeReturning(removal), {
    destruction: requestDestruction(scope, id),
    defaults: clearDefaults(id),
    kept: selectProjects(isProject),
  })
  if (kept.length > 0) throw identityFault('immutableDelete', 'project', id)
  if (changed === 0) throw identityFault('notFound', 'project', id)
}
