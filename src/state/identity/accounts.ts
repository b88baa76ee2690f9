/**
 * Accounts: everything that log-in and the live check of a token need of a user in a project. It is loaded in one round
 * trip with the same statements whether the user exists or not, so that the time does not reveal it.
 */
import { and, eq, getTableColumns, isNotNull, lte, or, sql, type SQL } from 'drizzle-orm'
import { commit } from '../audit/commit.ts'
import { changeOf, DEPLOYMENT } from '../audit/events.ts'
import { build, change, preparedSelect, type Values } from '../database/prepared.ts'
import type { BatchResults } from '../database/session.ts'
import { authentic } from '../integrity/row-authentication.ts'
import { applicationCredentials, identityProjects, identityRoles, identityUsers } from '../schema/identity.ts'
import { revokedTokens, roleAssignments } from '../schema/identity.ts'
import type { KeyedScope, Scope } from '../scope.ts'
import { foldName } from './names.ts'
import { impliedChain, impliedRoles, type RoleName, type RoleRow } from './roles.ts'

/** How a request identifies a user or project: by its id, or by its name in the one domain. */
export type IdentityKey = { readonly id: string } | { readonly name: string }

/** How a request identifies an application credential: by its id, or by its name among those of a user. */
export type CredentialKey = { readonly id: string } | { readonly name: string; readonly user: IdentityKey }

/** A key that no row has. It stands for what is outside of the one domain, so that finding nothing takes as long. */
export const NOBODY: IdentityKey = { id: '' }

export interface AccountUser extends RoleName {
  readonly enabled: boolean
  readonly defaultProjectId: string | null
  readonly passwordHash: string | null
  readonly tokenEpoch: number
}

interface AccountProject extends RoleName {
  readonly enabled: boolean
  readonly administrative: boolean
}

interface AccountCredential extends RoleName {
  readonly userId: string
  readonly description: string | null
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
  /** One of the query's audit ids belongs to a revoked token. */
  readonly revoked: boolean
}

/** Which account is loaded. */
export interface AccountQuery {
  readonly user: IdentityKey
  /** `default` is the user's default project, null is none. */
  readonly project: IdentityKey | 'default' | null
  /** Id of an application credential; null: none. */
  readonly credentialId?: string | null
  /** The audit ids that are searched among those of revoked tokens. */
  readonly auditIds?: readonly string[]
}

/** Roles of {@link selectRolesOf}: all columns, and those of the assignment, which are null for a role without one. */
interface FoundRole extends RoleRow {
  readonly userId: string | null
  readonly projectId: string | null
  readonly assignmentMac: string | null
}

const idNamed = (table: typeof identityUsers | typeof identityProjects, folded: string): SQL =>
  sql`(select id from ${table} where folded = ${sql.placeholder(folded)})`

/** The id of the user whose id or name a request gives. {@link keyValues} has the values of the placeholders. */
const givenUser = sql`coalesce(${sql.placeholder('userId')}, ${idNamed(identityUsers, 'userFolded')})`

const defaultProject = sql`(
  select default_project_id from ${identityUsers} where ${sql.placeholder('useDefault')} and id = ${givenUser}
)`
const givenProject = sql`coalesce(
  ${sql.placeholder('projectId')}, ${idNamed(identityProjects, 'projectFolded')}, ${defaultProject}
)`
const credentialNamed = sql`(
  select id from ${applicationCredentials} where user_id = ${givenUser} and name = ${sql.placeholder('credentialName')}
)`
const givenCredential = sql`coalesce(${sql.placeholder('credentialId')}, ${credentialNamed})`

/** The values of the placeholders `…Id` and `…Folded` for a key; null: none. */
function keyValues(prefix: 'user' | 'project', key: IdentityKey | null): Values {
  const id = key && 'id' in key ? key.id : null
  const folded = key && 'name' in key ? foldName(key.name) : null
  return { [`${prefix}Id`]: id, [`${prefix}Folded`]: folded }
}

/** The roles that are assigned to the user in the project, and those that other roles may imply; oldest first. */
function selectRolesOf(user: SQL, project: SQL) {
  const fields = {
    ...getTableColumns(identityRoles),
    userId: roleAssignments.userId,
    projectId: roleAssignments.projectId,
    assignmentMac: roleAssignments.mac,
  }
  const isAssigned = sql`${roleAssignments.userId} = ${user} and ${roleAssignments.projectId} = ${project}`
  const implied = JSON.stringify(Object.values(impliedRoles))
  const isImplied = sql`${identityRoles.folded} in (select value from json_each(${implied}))`
  return preparedSelect(fields, (selected) =>
    build
      .select(selected)
      .from(identityRoles)
      .leftJoin(roleAssignments, and(eq(roleAssignments.roleId, identityRoles.id), isAssigned))
      .where(or(isNotNull(roleAssignments.seq), isImplied))
      .orderBy(identityRoles.seq),
  )
}

const revokedOf = preparedSelect({ auditId: revokedTokens.auditId }, (fields) => {
  const isGiven = sql`${revokedTokens.auditId} in (select value from json_each(${sql.placeholder('auditIds')}))`
  return build.select(fields).from(revokedTokens).where(isGiven).limit(1)
})

/** The statements that load an account, compiled once; the parameters are SQL for ids. */
function accountStatements(user: SQL, project: SQL, credential: SQL) {
  const users = preparedSelect(getTableColumns(identityUsers), (columns) =>
    build.select(columns).from(identityUsers).where(eq(identityUsers.id, user)),
  )
  const projects = preparedSelect(getTableColumns(identityProjects), (columns) =>
    build.select(columns).from(identityProjects).where(eq(identityProjects.id, project)),
  )
  const roles = selectRolesOf(user, project)
  const credentials = preparedSelect(getTableColumns(applicationCredentials), (columns) =>
    build.select(columns).from(applicationCredentials).where(eq(applicationCredentials.id, credential)),
  )
  return (values: Values) => ({
    users: users(values),
    projects: projects(values),
    roles: roles(values),
    credentials: credentials(values),
    revoked: revokedOf(values),
  })
}

const accountOfUser = accountStatements(givenUser, givenProject, sql`${sql.placeholder('credentialId')}`)

const accountOfCredential = accountStatements(
  sql`(select user_id from ${applicationCredentials} where id = ${givenCredential})`,
  sql`(select project_id from ${applicationCredentials} where id = ${givenCredential})`,
  givenCredential,
)

/** The statements that load an account; {@link accountFrom} makes the account of their results. */
export type AccountStatements = ReturnType<typeof accountOfUser>

/** Reads the state of a user in a project. */
export function selectAccount({ user, project, credentialId = null, auditIds = [] }: AccountQuery): AccountStatements {
  const isDefault = project === 'default'
  return accountOfUser({
    ...keyValues('user', user),
    ...keyValues('project', isDefault ? null : project),
    useDefault: isDefault ? 1 : 0,
    credentialId,
    auditIds: JSON.stringify(auditIds),
  })
}

/** Reads the state of the user and project of an application credential. */
export function selectCredentialAccount(key: CredentialKey): AccountStatements {
  return accountOfCredential({
    ...keyValues('user', 'user' in key ? key.user : null),
    credentialId: 'id' in key ? key.id : null,
    credentialName: 'name' in key ? key.name : null,
    auditIds: '[]',
  })
}

/** The state of a user in a project. */
export const loadAccount = async (scope: KeyedScope, query: AccountQuery): Promise<Account> =>
  accountFrom(scope, await scope.db.batch(selectAccount(query)))

/** The state of the user and project of an application credential. */
export const loadCredentialAccount = async (scope: KeyedScope, key: CredentialKey): Promise<Account> =>
  accountFrom(scope, await scope.db.batch(selectCredentialAccount(key)))

/** Checks the rows that were read and makes an account of them; rows that are not authentic count as absent. */
export async function accountFrom(
  scope: KeyedScope,
  { users, projects, roles, credentials, revoked }: BatchResults<AccountStatements>,
): Promise<Account> {
  const [user] = await authentic(scope, 'identityUsers', users)
  const [project] = await authentic(scope, 'identityProjects', projects)
  const [credential] = await authentic(scope, 'applicationCredentials', credentials)
  return {
    user,
    project,
    roles: effectiveRoles(await authenticRolesOf(scope, roles)),
    credential: credential && { ...credential, roleIds: JSON.parse(credential.roleIds) as string[] },
    revoked: revoked.length > 0,
  }
}

interface AccountRole extends RoleName {
  readonly folded: string
  readonly assigned: boolean
}

/** The roles whose MAC is valid; one counts as assigned if the MAC of its assignment is valid, too. */
async function authenticRolesOf(scope: KeyedScope, rows: readonly FoundRole[]): Promise<AccountRole[]> {
  const assignments = rows.flatMap(({ id: roleId, userId, projectId, assignmentMac: mac }) =>
    userId === null || projectId === null || mac === null ? [] : [{ roleId, userId, projectId, mac }],
  )
  const assigned = new Set((await authentic(scope, 'roleAssignments', assignments)).map(({ roleId }) => roleId))
  const roles = await authentic(scope, 'identityRoles', rows)
  return roles.map(({ id, name, folded }) => ({ id, name, folded, assigned: assigned.has(id) }))
}

function effectiveRoles(rows: readonly AccountRole[]): RoleName[] {
  const names = new Set(rows.filter(({ assigned }) => assigned).flatMap(({ folded }) => impliedChain(folded)))
  return rows.filter(({ folded }) => names.has(folded)).map(({ id, name }) => ({ id, name }))
}

/** Revokes a token before it expires, and deletes the revocations of tokens that have expired. */
export async function revokeToken(
  scope: Scope,
  token: { readonly auditId: string; readonly expires: string; readonly projectId: string | null },
): Promise<void> {
  const { auditId, expires, projectId } = token
  await commit(
    scope,
    changeOf({ id: auditId, projectId: projectId ?? DEPLOYMENT }, 'revoke', 'token'),
    change(build.insert(revokedTokens).values({ auditId, expires }).onConflictDoNothing()),
    { expired: change(build.delete(revokedTokens).where(lte(revokedTokens.expires, scope.now))) },
  )
}
