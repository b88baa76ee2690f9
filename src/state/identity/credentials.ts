/** Application credentials: what is kept of them. One public operation is one D1 batch. */
import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import { hashPassword } from '../../crypto/password.ts'
import { commit } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { changes, insertWhere } from '../database/statements.ts'
import { authentic, withMac } from '../integrity/row-authentication.ts'
import { applicationCredentials, identityProjects, identityRoles, identityUsers } from '../schema/identity.ts'
import { identityFault } from './faults.ts'
import { newId } from './names.ts'
import { authenticRoles, roleColumns, type IdentityRole } from './roles.ts'

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

export const credentialColumns = getTableColumns(applicationCredentials)

/** The application credentials of a user, or the one with this name; oldest first. */
export async function listCredentials(
  backend: Backend,
  userId: string,
  name?: string,
): Promise<ApplicationCredential[]> {
  const byName = name === undefined ? undefined : eq(applicationCredentials.name, name)
  return select(backend, and(eq(applicationCredentials.userId, userId), byName))
}

/** The application credential with this id, if it is the user's; throws `notFound`. */
export async function findCredential(backend: Backend, userId: string, id: string): Promise<ApplicationCredential> {
  const [found] = await select(
    backend,
    and(eq(applicationCredentials.userId, userId), eq(applicationCredentials.id, id)),
  )
  if (!found) throw identityFault('notFound', 'Application Credential', id)
  return found
}

async function select(backend: Backend, condition: ReturnType<typeof and>): Promise<ApplicationCredential[]> {
  const { db } = backend
  const [rows, foundRoles] = await db.batch([
    db.select(credentialColumns).from(applicationCredentials).where(condition).orderBy(applicationCredentials.seq),
    db.select(roleColumns).from(identityRoles).orderBy(identityRoles.seq),
  ])
  const roles = await authenticRoles(backend, foundRoles)
  return (await authentic(backend, 'applicationCredentials', rows)).map((row) => {
    const { id, userId, projectId, name, description, unrestricted, expires } = row
    const roleIds = JSON.parse(row.roleIds) as string[]
    const credential = { id, userId, projectId, name, description, unrestricted, expires }
    return { ...credential, roles: roles.filter((role) => roleIds.includes(role.id)) }
  })
}

/**
 * Makes an application credential of a user who, when the statement runs, exists and is enabled. The roles have to be
 * the user's: whoever calls knows them from a checked token. Throws `credentialExists` when the user has one of the
 * same name, and `notFound` when the user or project has gone meanwhile.
 */
export async function createCredential(backend: Backend, credential: NewCredential): Promise<ApplicationCredential> {
  const { secret, roleIds, ...properties } = credential
  const { userId, projectId, name } = properties
  const { db } = backend
  const id = newId()
  const secretHash = await hashPassword(secret)
  const stored = { ...properties, id, secretHash, roleIds: JSON.stringify(roleIds), created: backend.now }
  const row = await withMac(backend, 'applicationCredentials', stored)
  const userLives = sql`exists (select 1 from ${identityUsers} where id = ${userId} and enabled)`
  const projectLives = sql`exists (select 1 from ${identityProjects} where id = ${projectId} and enabled)`
  const bothLive = sql`${userLives} and ${projectLives}`
  const [result, roles, [same]] = await commit(
    backend,
    changeOf(row, 'create', 'credential'),
    insertWhere(backend, applicationCredentials, row, bothLive).onConflictDoNothing(),
    db.select(roleColumns).from(identityRoles).orderBy(identityRoles.seq),
    db
      .select({ id: applicationCredentials.id })
      .from(applicationCredentials)
      .where(and(eq(applicationCredentials.userId, userId), eq(applicationCredentials.name, name))),
  )
  if (changes(result) === 0 && same) throw identityFault('credentialExists', name)
  if (changes(result) === 0) throw identityFault('notFound', 'user', userId)
  const known = await authenticRoles(backend, roles)
  return { id, ...properties, roles: known.filter((role) => roleIds.includes(role.id)) }
}

/** Deletes an application credential of the user; throws `notFound`. */
export async function deleteCredential(backend: Backend, credential: ApplicationCredential): Promise<void> {
  const { id, userId } = credential
  const removal = backend.db
    .delete(applicationCredentials)
    .where(and(eq(applicationCredentials.userId, userId), eq(applicationCredentials.id, id)))
  const [result] = await commit(backend, changeOf(credential, 'delete', 'credential'), removal)
  if (changes(result) === 0) throw identityFault('notFound', 'Application Credential', id)
}
