/** Application credentials: their rows. One public operation is one D1 batch. */
import { and, eq, getTableColumns, sql, type SQL } from 'drizzle-orm'
import { hashPassword } from '../../crypto/password.ts'
import { commit } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import { build, change, select } from '../database/prepared.ts'
import { insertWhereBuilder } from '../database/statements.ts'
import { authentic, withMac } from '../integrity/row-authentication.ts'
import { applicationCredentials, identityProjects, identityUsers } from '../schema/identity.ts'
import type { KeyedScope, Scope } from '../scope.ts'
import { identityFault } from './faults.ts'
import { newId } from './names.ts'
import { authenticRoles, selectRoles, type IdentityRole } from './roles.ts'

interface CredentialProperties {
  readonly userId: string
  readonly projectId: string
  readonly name: string
  readonly description: string | null
  readonly unrestricted: boolean
  /** UTC text of 26 characters; null: it does not expire. */
  readonly expires: string | null
}

/** An application credential without its secret. */
export interface ApplicationCredential extends CredentialProperties {
  readonly id: string
  readonly roles: readonly IdentityRole[]
}

export interface NewCredential extends CredentialProperties {
  readonly secret: string
  readonly roleIds: readonly string[]
}

const { userId: ofUser, id: withId, name: withName } = applicationCredentials

const selectCredentials = (condition: SQL | undefined) =>
  select(getTableColumns(applicationCredentials), (columns) =>
    build.select(columns).from(applicationCredentials).where(condition).orderBy(applicationCredentials.seq),
  )

async function credentialsWhere(scope: KeyedScope, condition: SQL | undefined): Promise<ApplicationCredential[]> {
  const found = await scope.db.batch({ credentials: selectCredentials(condition), roles: selectRoles() })
  const roles = await authenticRoles(scope, found.roles)
  const rows = await authentic(scope, 'applicationCredentials', found.credentials)
  return rows.map(({ id, userId, projectId, name, description, unrestricted, expires, ...row }) => {
    const roleIds = JSON.parse(row.roleIds) as string[]
    const credential = { id, userId, projectId, name, description, unrestricted, expires }
    return { ...credential, roles: roles.filter((role) => roleIds.includes(role.id)) }
  })
}

/** The application credentials of a user, or the one with this name; oldest first. */
export async function listCredentials(
  scope: KeyedScope,
  userId: string,
  name?: string,
): Promise<ApplicationCredential[]> {
  const byName = name === undefined ? undefined : eq(withName, name)
  return credentialsWhere(scope, and(eq(ofUser, userId), byName))
}

/** The application credential with this id, if it is the user's; throws `notFound`. */
export async function findCredential(scope: KeyedScope, userId: string, id: string): Promise<ApplicationCredential> {
  const [found] = await credentialsWhere(scope, and(eq(ofUser, userId), eq(withId, id)))
  if (!found) throw identityFault('notFound', 'Application Credential', id)
  return found
}

const bothEnabled = (userId: string, projectId: string) =>
  sql`exists (select 1 from ${identityUsers} where id = ${userId} and enabled)
    and exists (select 1 from ${identityProjects} where id = ${projectId} and enabled)`

/**
 * Creates an application credential of a user who, when the statement runs, exists and is enabled. The caller has to
 * check that the roles are the user's, by means of a token. Throws `credentialExists` when the user has one of the same
 * name, and `notFound` when the user or project does not exist or is disabled.
 */
export async function createCredential(scope: KeyedScope, credential: NewCredential): Promise<ApplicationCredential> {
  const { secret, roleIds, ...properties } = credential
  const { userId, projectId, name } = properties
  const id = newId()
  const secretHash = await hashPassword(secret)
  const stored = { ...properties, id, secretHash, roleIds: JSON.stringify(roleIds), created: scope.now }
  const row = await withMac(scope, 'applicationCredentials', stored)
  const insert = insertWhereBuilder(applicationCredentials, row, bothEnabled(userId, projectId)).onConflictDoNothing()
  const { changed, roles, same } = await commit(scope, changeOf(row, 'create', 'credential'), change(insert), {
    roles: selectRoles(),
    same: selectCredentials(and(eq(ofUser, userId), eq(withName, name))),
  })
  if (changed === 0 && same.length > 0) throw identityFault('credentialExists', name)
  if (changed === 0) throw identityFault('notFound', 'user', userId)
  const known = await authenticRoles(scope, roles)
  return { id, ...properties, roles: known.filter((role) => roleIds.includes(role.id)) }
}

/** Deletes an application credential of the user; throws `notFound`. */
export async function deleteCredential(scope: Scope, credential: ApplicationCredential): Promise<void> {
  const { id, userId } = credential
  const removal = build.delete(applicationCredentials).where(and(eq(ofUser, userId), eq(withId, id)))
  const { changed } = await commit(scope, changeOf(credential, 'delete', 'credential'), change(removal))
  if (changed === 0) throw identityFault('notFound', 'Application Credential', id)
}
