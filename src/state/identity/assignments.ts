/** Role assignments: which user has which role in which project. One public operation is one D1 batch. */
import { and, eq, getTableColumns, sql, type SQL } from 'drizzle-orm'
import { commit } from '../audit/commit.ts'
import type { AuditAction, AuditEvent } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { changes, insertWhere } from '../database/statements.ts'
import { authentic, withMac } from '../integrity/row-authentication.ts'
import { identityProjects, identityRoles, identityUsers, roleAssignments } from '../schema/identity.ts'
import { identityFault } from './faults.ts'
import { authenticRoles, impliedChain, impliedRoles, roleColumns } from './roles.ts'
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
  /** The assigned role that implies this one; null: this one is assigned itself. */
  readonly prior: RoleName | null
}

export interface AssignmentFilter {
  readonly userId?: string | undefined
  readonly projectId?: string | undefined
  readonly roleId?: string | undefined
}

const isAssignment = ({ userId, projectId, roleId }: Assignment) =>
  and(eq(roleAssignments.userId, userId), eq(roleAssignments.projectId, projectId), eq(roleAssignments.roleId, roleId))

const userExists = (id: string) => sql`exists (select 1 from ${identityUsers} where id = ${id})`
const projectExists = (id: string) => sql`exists (select 1 from ${identityProjects} where id = ${id})`
const roleExists = (id: string) => sql`exists (select 1 from ${identityRoles} where id = ${id})`

/** Which parts of an assignment exist, in one row. */
function partsExist(backend: Backend, { userId, projectId, roleId }: Assignment) {
  const found = (condition: SQL, name: string) => sql<number>`${condition}`.as(name)
  return backend.db
    .select({
      user: found(userExists(userId), 'user_found'),
      project: found(projectExists(projectId), 'project_found'),
      role: found(roleExists(roleId), 'role_found'),
    })
    .from(sql`(select 1)`)
}

interface Found {
  readonly user: number
  readonly project: number
  readonly role: number
}

/** Names the first part that is missing, in Keystone's order. */
function requireParts(found: Found | undefined, { userId, projectId, roleId }: Assignment): void {
  if (!found?.role) throw identityFault('notFound', 'role', roleId)
  if (!found.user) throw identityFault('notFound', 'user', userId)
  if (!found.project) throw identityFault('notFound', 'project', projectId)
}

function changeBy({ userId, projectId, roleId }: Assignment, action: AuditAction): AuditEvent {
  return { action, target: 'role/assignment', id: `${userId}/${roleId}`, projectId }
}

/** Assigns a role to a user in a project, once; throws `notFound` for the part that does not exist. */
export async function assignRole(backend: Backend, assignment: Assignment): Promise<void> {
  const { userId, projectId, roleId } = assignment
  const whole = sql`${userExists(userId)} and ${projectExists(projectId)} and ${roleExists(roleId)}`
  const row = await withMac(backend, 'roleAssignments', { userId, projectId, roleId })
  const [, [found]] = await commit(
    backend,
    changeBy(assignment, 'create'),
    insertWhere(backend, roleAssignments, row, whole).onConflictDoNothing(),
    partsExist(backend, assignment),
  )
  requireParts(found, assignment)
}

/** Takes a role away; throws `notFound` for a role or project that does not exist, else `assignmentNotFound`. */
export async function unassignRole(backend: Backend, assignment: Assignment): Promise<void> {
  const { userId, projectId, roleId } = assignment
  const [result, [found]] = await commit(
    backend,
    changeBy(assignment, 'delete'),
    backend.db.delete(roleAssignments).where(isAssignment(assignment)),
    partsExist(backend, assignment),
  )
  if (changes(result) > 0) return
  requireParts(found && { ...found, user: 1 }, assignment)
  throw identityFault('assignmentNotFound', roleId, userId, projectId)
}

/** Returns when the user has the role by assignment; throws `notFound` or `assignmentNotFound` otherwise. */
export async function requireAssignment(backend: Backend, assignment: Assignment): Promise<void> {
  const { userId, projectId, roleId } = assignment
  const [assigned, [found]] = await backend.db.batch([
    backend.db.select(getTableColumns(roleAssignments)).from(roleAssignments).where(isAssignment(assignment)),
    partsExist(backend, assignment),
  ])
  requireParts(found, assignment)
  if ((await authentic(backend, 'roleAssignments', assigned)).length === 0)
    throw identityFault('assignmentNotFound', roleId, userId, projectId)
}

/** The roles assigned to a user in a project, without implied ones; throws `notFound` for user or project. */
export async function listAssignedRoles(backend: Backend, userId: string, projectId: string): Promise<IdentityRole[]> {
  const assignment = { userId, projectId, roleId: '' }
  const assigned = sql`id in (select role_id from ${roleAssignments} where user_id = ${userId} and project_id = ${projectId})`
  const [roles, [found]] = await backend.db.batch([
    backend.db.select(roleColumns).from(identityRoles).where(assigned).orderBy(identityRoles.seq),
    partsExist(backend, assignment),
  ])
  requireParts(found && { ...found, role: 1 }, assignment)
  return authenticRoles(backend, roles)
}

/** Under names of their own: rows of a batch are keyed by column name, and these tables share theirs. */
const assignmentColumns = {
  userId: sql<string>`${identityUsers.id}`.as('found_user_id'),
  userName: sql<string>`${identityUsers.name}`.as('found_user_name'),
  projectId: sql<string>`${identityProjects.id}`.as('found_project_id'),
  projectName: sql<string>`${identityProjects.name}`.as('found_project_name'),
  roleId: sql<string>`${identityRoles.id}`.as('found_role_id'),
  roleName: sql<string>`${identityRoles.name}`.as('found_role_name'),
  mac: sql<string>`${roleAssignments.mac}`.as('found_mac'),
}

function assignmentsIn(backend: Backend, { userId, projectId }: AssignmentFilter) {
  return backend.db
    .select(assignmentColumns)
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
    .orderBy(roleAssignments.seq)
}

/** The roles that other roles imply. */
function rolesImplied(backend: Backend) {
  const names = JSON.stringify(Object.values(impliedRoles))
  return backend.db
    .select({ id: identityRoles.id, name: identityRoles.name })
    .from(identityRoles)
    .where(sql`${identityRoles.folded} in (select value from json_each(${names}))`)
}

/**
 * The assignments that the filter lets through, oldest first. `effective`: with the implied roles, each after the one
 * that implies it; a role that is assigned and implied as well stands there twice.
 */
export async function listAssignments(
  backend: Backend,
  filter: AssignmentFilter,
  effective: boolean,
): Promise<NamedAssignment[]> {
  const [rows, implied] = await backend.db.batch([assignmentsIn(backend, filter), rolesImplied(backend)])
  const passed = await authentic(backend, 'roleAssignments', rows)
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
