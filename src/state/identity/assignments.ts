/** Role assignments: which user has which role in which project. One public operation is one D1 batch. */
import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import { commit } from '../audit/commit.ts'
import type { AuditAction, AuditEvent } from '../audit/events.ts'
import { build, change, select, selectValues } from '../database/prepared.ts'
import { insertWhereBuilder } from '../database/statements.ts'
import { authentic, withMac } from '../integrity/row-authentication.ts'
import { identityProjects, identityRoles, identityUsers, roleAssignments } from '../schema/identity.ts'
import type { KeyedScope, Scope } from '../scope.ts'
import { remainsUnassigned } from './administrators.ts'
import { endCredentials } from './credentials.ts'
import { identityFault } from './faults.ts'
import { authenticRoles, impliedChain, impliedRoles, selectRoles } from './roles.ts'
import type { IdentityRole, RoleName } from './roles.ts'

/** One assignment, by the ids of its parts. */
export interface Assignment {
  readonly userId: string
  readonly projectId: string
  readonly roleId: string
}

/** An assignment with the names of its parts. */
export interface NamedAssignment {
  readonly user: RoleName
  readonly project: RoleName
  readonly role: RoleName
  /** The assigned role that implies `role`; null: `role` itself is assigned. */
  readonly prior: RoleName | null
}

interface AssignmentFilter {
  readonly userId?: string | undefined
  readonly projectId?: string | undefined
  readonly roleId?: string | undefined
}

const isAssignment = ({ userId, projectId, roleId }: Assignment) =>
  and(eq(roleAssignments.userId, userId), eq(roleAssignments.projectId, projectId), eq(roleAssignments.roleId, roleId))

const userExists = (id: string) => sql<number>`exists (select 1 from ${identityUsers} where id = ${id})`
const projectExists = (id: string) => sql<number>`exists (select 1 from ${identityProjects} where id = ${id})`
const roleExists = (id: string) => sql<number>`exists (select 1 from ${identityRoles} where id = ${id})`

/** Which parts of an assignment exist, in one row. */
const selectParts = ({ userId, projectId, roleId }: Assignment) =>
  selectValues({ user: userExists(userId), project: projectExists(projectId), role: roleExists(roleId) })

interface Parts {
  readonly user: number
  readonly project: number
  readonly role: number
}

/** Throws `notFound` for the first part that is missing, in Keystone's order. */
function requireParts(found: Parts | undefined, { userId, projectId, roleId }: Assignment): void {
  if (!found?.role) throw identityFault('notFound', 'role', roleId)
  if (!found.user) throw identityFault('notFound', 'user', userId)
  if (!found.project) throw identityFault('notFound', 'project', projectId)
}

function changeBy({ userId, projectId, roleId }: Assignment, action: AuditAction): AuditEvent {
  return { action, target: 'role/assignment', id: `${userId}/${roleId}`, projectId }
}

/** Assigns a role to a user in a project, unless it is assigned; throws `notFound` for a part that does not exist. */
export async function assignRole(scope: KeyedScope, assignment: Assignment): Promise<void> {
  const { userId, projectId, roleId } = assignment
  const allExist = sql`${userExists(userId)} and ${projectExists(projectId)} and ${roleExists(roleId)}`
  const row = await withMac(scope, 'roleAssignments', { userId, projectId, roleId })
  const insert = insertWhereBuilder(roleAssignments, row, allExist).onConflictDoNothing()
  const { parts } = await commit(scope, changeBy(assignment, 'create'), change(insert), {
    parts: selectParts(assignment),
  })
  requireParts(parts[0], assignment)
}

/**
 * Removes an assignment and, as Keystone does, the application credentials of the user in the project, so that none
 * revives when the role comes back. Throws `lastAdministrator`, `notFound` for a role or project that does not exist, else
 * `assignmentNotFound`.
 */
export async function unassignRole(scope: Scope, assignment: Assignment): Promise<void> {
  const { userId, projectId, roleId } = assignment
  const removal = build.delete(roleAssignments).where(and(isAssignment(assignment), remainsUnassigned(assignment)))
  const { changed, parts, kept } = await commit(scope, changeBy(assignment, 'delete'), change(removal), {
    credentials: endCredentials({ userId, projectId }),
    parts: selectParts(assignment),
    kept: selectValues({
      assignment: sql<number>`exists (select 1 from ${roleAssignments} where ${isAssignment(assignment)})`,
    }),
  })
  if (changed > 0) return
  if (kept[0]?.assignment) throw identityFault('lastAdministrator')
  const [found] = parts
  requireParts(found && { ...found, user: 1 }, assignment)
  throw identityFault('assignmentNotFound', roleId, userId, projectId)
}

/** Returns when the role is assigned to the user; throws `notFound` or `assignmentNotFound` otherwise. */
export async function requireAssignment(scope: KeyedScope, assignment: Assignment): Promise<void> {
  const { userId, projectId, roleId } = assignment
  const { assigned, parts } = await scope.db.batch({
    assigned: select(getTableColumns(roleAssignments), (columns) =>
      build.select(columns).from(roleAssignments).where(isAssignment(assignment)),
    ),
    parts: selectParts(assignment),
  })
  requireParts(parts[0], assignment)
  if ((await authentic(scope, 'roleAssignments', assigned)).length === 0)
    throw identityFault('assignmentNotFound', roleId, userId, projectId)
}

/** The roles assigned to a user in a project, without implied ones; throws `notFound` for user or project. */
export async function listAssignedRoles(scope: KeyedScope, userId: string, projectId: string): Promise<IdentityRole[]> {
  const assignment = { userId, projectId, roleId: '' }
  const assigned = sql`id in (select role_id from ${roleAssignments} where user_id = ${userId} and project_id = ${projectId})`
  const { roles, parts } = await scope.db.batch({ roles: selectRoles(assigned), parts: selectParts(assignment) })
  const [found] = parts
  requireParts(found && { ...found, role: 1 }, assignment)
  return authenticRoles(scope, roles)
}

const assignmentFields = {
  userId: identityUsers.id,
  userName: identityUsers.name,
  projectId: identityProjects.id,
  projectName: identityProjects.name,
  roleId: identityRoles.id,
  roleName: identityRoles.name,
  mac: roleAssignments.mac,
}

const selectAssignments = ({ userId, projectId }: AssignmentFilter) =>
  select(assignmentFields, (fields) =>
    build
      .select(fields)
      .from(roleAssignments)
      .innerJoin(identityUsers, eq(identityUsers.id, roleAssignments.userId))
      .innerJoin(identityProjects, eq(identityProjects.id, roleAssignments.projectId))
      .innerJoin(identityRoles, eq(identityRoles.id, roleAssignments.roleId))
      .where(
        and(
          userId === undefined ? undefined : eq(roleAssignments.userId, userId),
          projectId === undefined ? undefined : eq(roleAssignments.projectId, projectId),
        ),
      )
      .orderBy(roleAssignments.seq),
  )

/** The roles that other roles imply. */
function selectImplied() {
  const names = JSON.stringify(Object.values(impliedRoles))
  const isImplied = sql`${identityRoles.folded} in (select value from json_each(${names}))`
  return select({ id: identityRoles.id, name: identityRoles.name }, (fields) =>
    build.select(fields).from(identityRoles).where(isImplied),
  )
}

/**
 * The assignments that match the filter, oldest first. `effective`: with the implied roles, each after the role that
 * implies it; a role that is both assigned and implied is listed twice.
 */
export async function listAssignments(
  scope: KeyedScope,
  filter: AssignmentFilter,
  effective: boolean,
): Promise<NamedAssignment[]> {
  const { rows, implied } = await scope.db.batch({ rows: selectAssignments(filter), implied: selectImplied() })
  const passed = await authentic(scope, 'roleAssignments', rows)
  const all = passed.flatMap((row): NamedAssignment[] => {
    const user = { id: row.userId, name: row.userName }
    const project = { id: row.projectId, name: row.projectName }
    const assigned = { id: row.roleId, name: row.roleName }
    const names = effective ? impliedChain(assigned.name).slice(1) : []
    const following = names.flatMap((name) => implied.filter((role) => role.name === name))
    return [
      { user, project, role: assigned, prior: null },
      ...following.map((role) => ({ user, project, role, prior: assigned })),
    ]
  })
  return all.filter(({ role }) => filter.roleId === undefined || role.id === filter.roleId)
}
