/** Application credentials: their rows. One public operation is one D1 batch. */
import { and, eq, getTableColumns, sql, type SQL } from 'drizzle-orm'
import { hashPassword } from '../../crypto/password.ts'
import { commit } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import { build, change, select, selectValues } from '../database/prepared.ts'
import { insertWhereBuilder, justChanged } from '../database/statements.ts'
import { authentic, withMac } from '../integrity/row-authentication.ts'
import { applicationCredentials, identityProjects, identityUsers } from '../schema/identity.ts'
import { identityRoles, roleAssignments } from '../schema/identity.ts'
import type { KeyedScope, Scope } from '../scope.ts'
import { identityFault } from './faults.ts'
import { newId } from './names.ts'
import { authenticRoles, impliedChain, impliedRoles, selectRoles, type IdentityRole } from './roles.ts'

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

interface NewCredential extends CredentialProperties {
  readonly secret: string
  readonly roleIds: readonly string[]
}

/** Keystone's words for a role that the user does not have. */
export const UNASSIGNED = 'Cannot create an application credential with unassigned role'

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
  sql<number>`exists (select 1 from ${identityUsers} where id = ${userId} and enabled)
    and exists (select 1 from ${identityProjects} where id = ${projectId} and enabled)`

/** Each role with each that it implies, as pairs of names. */
const implications = JSON.stringify(
  Object.keys(impliedRoles).flatMap((name) =>
    impliedChain(name)
      .slice(1)
      .map((implied) => [name, implied]),
  ),
)

/** Whether the user has every one of the roles in the project, by assignments of them or of what implies them. */
function allHeld({ userId, projectId }: CredentialProperties, roleIds: readonly string[]): SQL<number> {
  const implies = sql`exists (select 1 from json_each(${implications}) as pair
    where pair.value ->> 0 = had.folded and pair.value ->> 1 = asked.folded)`
  const isHeld = sql`exists (select 1 from ${roleAssignments} as given
    join ${identityRoles} as had on had.id = given.role_id
    join ${identityRoles} as asked on asked.id = one.value
    where given.user_id = ${userId} and given.project_id = ${projectId} and (had.id = asked.id or ${implies}))`
  return sql<number>`not exists (select 1 from json_each(${JSON.stringify(roleIds)}) as one where not ${isHeld})`
}

/**
 * Creates an application credential of a user who, when the statement runs, exists, is enabled and has the roles: a role
 * that is removed at the same time takes the credential along or keeps it from being made. Throws `credentialExists` when
 * the user has one of the same name, `credentialInvalid` for a role that the user has no more, and `notFound` when the
 * user or project does not exist or is disabled.
 */
export async function createCredential(scope: KeyedScope, credential: NewCredential): Promise<ApplicationCredential> {
  const { secret, roleIds, ...properties } = credential
  const { userId, projectId, name } = properties
  const id = newId()
  const secretHash = await hashPassword(secret)
  const stored = { ...properties, id, secretHash, roleIds: JSON.stringify(roleIds), created: scope.now }
  const row = await withMac(scope, 'applicationCredentials', stored)
  const [enabled, held] = [bothEnabled(userId, projectId), allHeld(properties, roleIds)]
  const insert = insertWhereBuilder(applicationCredentials, row, sql`${enabled} and ${held}`).onConflictDoNothing()
  const { changed, roles, same, found } = await commit(scope, changeOf(row, 'create', 'credential'), change(insert), {
    roles: selectRoles(),
    same: selectCredentials(and(eq(ofUser, userId), eq(withName, name))),
    found: selectValues({ enabled, held }),
  })
  if (changed === 0 && same.length > 0) throw identityFault('credentialExists', name)
  if (changed === 0 && found[0]?.enabled) throw identityFault('credentialInvalid', UNASSIGNED)
  if (changed === 0) throw identityFault('notFound', 'user', userId)
  const known = await authenticRoles(scope, roles)
  return { id, ...properties, roles: known.filter((role) => roleIds.includes(role.id)) }
}

/**
 * Deletes the application credentials of the user, or those in one project, if the statement before it changed a row.
 * They are deleted and not skipped at log-in, so that they do not revive when the user or the role comes back.
 */
export function endCredentials({ userId, projectId }: { readonly userId: string; readonly projectId?: string }) {
  const inProject = projectId === undefined ? undefined : eq(applicationCredentials.projectId, projectId)
  return change(build.delete(applicationCredentials).where(and(eq(ofUser, userId), inProject, justChanged)))
}

/** Stores the same secret under a hash of today's cost; nothing happens when the credential has ended since. */
export async function renewSecretHash(scope: KeyedScope, id: string, secret: string): Promise<void> {
  const [before] = await authentic(
    scope,
    'applicationCredentials',
    await scope.db.run(selectCredentials(eq(withId, id))),
  )
  if (!before) return
  const { seq: _, ...row } = await withMac(scope, 'applicationCredentials', {
    ...before,
    secretHash: await hashPassword(secret),
  })
  const asRead = and(eq(withId, id), eq(applicationCredentials.mac, before.mac))
  const renewal = change(build.update(applicationCredentials).set(row).where(asRead))
  await commit(scope, changeOf(before, 'update', 'credential'), renewal)
}

/** Deletes an application credential of the user; throws `notFound`. */
export async function deleteCredential(scope: Scope, credential: ApplicationCredential): Promise<void> {
  const { id, userId } = credential
  const removal = build.delete(applicationCredentials).where(and(eq(ofUser, userId), eq(withId, id)))
  const { changed } = await commit(scope, changeOf(credential, 'delete', 'credential'), change(removal))
  if (changed === 0) throw identityFault('notFound', 'Application Credential', id)
}
