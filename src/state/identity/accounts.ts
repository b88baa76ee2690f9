/**
 * Accounts: all that log-in and the live check of a token need to know of a user in a project, in one round trip,
 * which is the same whether the user exists or not.
 */
import { and, eq, getTableColumns, lte, or, sql, type SQL } from 'drizzle-orm'
import { commit } from '../audit/commit.ts'
import { changeOf, DEPLOYMENT } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { authentic } from '../integrity/row-authentication.ts'
import { applicationCredentials, identityProjects, identityRoles, identityUsers } from '../schema/identity.ts'
import { revokedTokens, roleAssignments } from '../schema/identity.ts'
import { credentialColumns } from './credentials.ts'
import { foldName } from './names.ts'
import { projectColumns } from './projects.ts'
import { impliedChain, impliedRoles, type RoleName } from './roles.ts'
import { userColumns } from './users.ts'

/** How a user or project is given: by its id, or by its name in the one domain. */
export type IdentityKey = { readonly id: string } | { readonly name: string }

/** How an application credential is given: by its id, or by its name among those of a user. */
export type CredentialKey = { readonly id: string } | { readonly name: string; readonly user: IdentityKey }

/** A key that nothing has: what lies outside of the one domain is looked up by it, and so takes as long. */
export const NOBODY: IdentityKey = { id: '' }

export interface AccountUser extends RoleName {
  readonly enabled: boolean
  readonly defaultProjectId: string | null
  readonly passwordHash: string | null
  readonly tokenEpoch: number
}

export interface AccountProject extends RoleName {
  readonly enabled: boolean
  readonly administrative: boolean
}

export interface AccountCredential extends RoleName {
  readonly userId: string
  readonly secretHash: string
  readonly roleIds: readonly string[]
  readonly unrestricted: boolean
  readonly expires: string | null
}

export interface Account {
  readonly user: AccountUser | undefined
  readonly project: AccountProject | undefined
  /** The user's roles in the project, with those that they imply. */
  readonly roles: readonly RoleName[]
  readonly credential: AccountCredential | undefined
  /** One of the audit ids that were asked about belongs to a revoked token. */
  readonly revoked: boolean
}

/** What is asked about. `project`: `default` is the user's default project, null is none. */
export interface AccountQuery {
  readonly user: IdentityKey
  readonly project: IdentityKey | 'default' | null
  readonly credential?: CredentialKey | undefined
  readonly auditIds?: readonly string[]
}

const idOf = (table: typeof identityUsers | typeof identityProjects, key: IdentityKey): SQL =>
  'id' in key ? sql`${key.id}` : sql`(select id from ${table} where folded = ${foldName(key.name)})`

/** The state of a user in a project. */
export function loadAccount(backend: Backend, query: AccountQuery): Promise<Account> {
  const { project, credential, auditIds = [] } = query
  const user = idOf(identityUsers, query.user)
  const defaultProject = sql`(select default_project_id from ${identityUsers} where id = ${user})`
  const projectId =
    project === 'default' ? defaultProject : project === null ? sql`null` : idOf(identityProjects, project)
  return load(backend, user, projectId, credential ? isCredential(credential) : sql`false`, auditIds)
}

/** The state of the user and project of an application credential. */
export function loadCredentialAccount(backend: Backend, key: CredentialKey): Promise<Account> {
  const where = isCredential(key)
  const user = sql`(select user_id from ${applicationCredentials} where ${where})`
  const project = sql`(select project_id from ${applicationCredentials} where ${where})`
  return load(backend, user, project, where, [])
}

function isCredential(key: CredentialKey): SQL {
  if ('id' in key) return sql`${applicationCredentials.id} = ${key.id}`
  const user = idOf(identityUsers, key.user)
  return sql`${applicationCredentials.userId} = ${user} and ${applicationCredentials.name} = ${key.name}`
}

async function load(
  backend: Backend,
  user: SQL,
  project: SQL,
  isCredential: SQL,
  auditIds: readonly string[],
): Promise<Account> {
  const { db } = backend
  const audits = sql`${revokedTokens.auditId} in (select value from json_each(${JSON.stringify(auditIds)}))`
  const [users, projects, roles, credentials, revoked] = await db.batch([
    db
      .select(userColumns)
      .from(identityUsers)
      .where(sql`${identityUsers.id} = ${user}`),
    db
      .select(projectColumns)
      .from(identityProjects)
      .where(sql`${identityProjects.id} = ${project}`),
    rolesIn(backend, user, project),
    db.select(credentialColumns).from(applicationCredentials).where(isCredential),
    db.select({ auditId: revokedTokens.auditId }).from(revokedTokens).where(audits).limit(1),
  ])
  const [foundUser] = await authentic(backend, 'identityUsers', users)
  const [foundProject] = await authentic(backend, 'identityProjects', projects)
  const [credential] = await authentic(backend, 'applicationCredentials', credentials)
  return {
    user: foundUser,
    project: foundProject,
    roles: effectiveRoles(await authenticRolesIn(backend, roles)),
    credential: credential && { ...credential, roleIds: JSON.parse(credential.roleIds) as string[] },
    revoked: revoked.length > 0,
  }
}

/** The roles assigned to the user in the project, and those that others may imply. */
function rolesIn(backend: Backend, user: SQL, project: SQL) {
  const implied = JSON.stringify(Object.values(impliedRoles))
  const assigned = sql`${roleAssignments.userId} = ${user} and ${roleAssignments.projectId} = ${project}`
  return backend.db
    .select({
      ...getTableColumns(identityRoles),
      userId: sql<string | null>`${roleAssignments.userId}`.as('assigned_user_id'),
      projectId: sql<string | null>`${roleAssignments.projectId}`.as('assigned_project_id'),
      assignmentMac: sql<string | null>`${roleAssignments.mac}`.as('assignment_mac'),
    })
    .from(identityRoles)
    .leftJoin(roleAssignments, and(eq(roleAssignments.roleId, identityRoles.id), assigned))
    .where(
      or(
        sql`${roleAssignments.seq} is not null`,
        sql`${identityRoles.folded} in (select value from json_each(${implied}))`,
      ),
    )
    .orderBy(identityRoles.seq)
}

type FoundRole = Awaited<ReturnType<typeof rolesIn>>[number]

interface RoleRow extends RoleName {
  readonly folded: string
  readonly assigned: boolean
}

/** Those of the roles that are authentic; one counts as assigned when its assignment is, too. */
async function authenticRolesIn(backend: Backend, rows: readonly FoundRole[]): Promise<RoleRow[]> {
  const assignments = rows.flatMap(({ id: roleId, userId, projectId, assignmentMac: mac }) =>
    userId === null || projectId === null || mac === null ? [] : [{ roleId, userId, projectId, mac }],
  )
  const assigned = new Set((await authentic(backend, 'roleAssignments', assignments)).map(({ roleId }) => roleId))
  const roles = await authentic(backend, 'identityRoles', rows)
  return roles.map(({ id, name, folded }) => ({ id, name, folded, assigned: assigned.has(id) }))
}

function effectiveRoles(rows: readonly RoleRow[]): RoleName[] {
  const names = new Set(rows.filter(({ assigned }) => assigned).flatMap(({ folded }) => impliedChain(folded)))
  return rows.filter(({ folded }) => names.has(folded)).map(({ id, name }) => ({ id, name }))
}

/** Ends a token before its time. Rows of tokens that have expired by themselves go on the way. */
export async function revokeToken(
  backend: Backend,
  token: { readonly auditId: string; readonly expires: string; readonly projectId: string | null },
): Promise<void> {
  const { db, now } = backend
  const { auditId, expires, projectId } = token
  await commit(
    backend,
    changeOf({ id: auditId, projectId: projectId ?? DEPLOYMENT }, 'revoke', 'token'),
    db.insert(revokedTokens).values({ auditId, expires }).onConflictDoNothing(),
    db.delete(revokedTokens).where(lte(revokedTokens.expires, now)),
  )
}
