/** Users: what is kept of them. One public operation is one D1 batch. */
import { and, eq, getTableColumns, not, sql } from 'drizzle-orm'
import { hashPassword } from '../../crypto/password.ts'
import { commit } from '../audit/commit.ts'
import { changeOf, DEPLOYMENT, type AuditAction } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { changes } from '../database/statements.ts'
import { authentic, requireAuthentic, withMac } from '../integrity/row-authentication.ts'
import { identityUsers, type ExtraProperties } from '../schema/identity.ts'
import { identityFault } from './faults.ts'
import { foldName, mergedExtra, nameTaken, newId } from './names.ts'

export interface IdentityUser {
  readonly id: string
  readonly name: string
  readonly enabled: boolean
  readonly defaultProjectId: string | null
  readonly extra: ExtraProperties
}

export interface NewUser {
  readonly name: string
  /** Null: the user cannot log in with a password. */
  readonly password: string | null
  readonly enabled: boolean
  readonly defaultProjectId: string | null
  readonly extra: ExtraProperties
}

/** What is to change; absent: it stays. */
export interface UserChanges {
  readonly name?: string | undefined
  readonly password?: string | null | undefined
  readonly enabled?: boolean | undefined
  readonly defaultProjectId?: string | null | undefined
  readonly extra: ExtraProperties
}

export interface UserFilter {
  readonly name?: string | undefined
  readonly enabled?: boolean | undefined
}

type UserRow = typeof identityUsers.$inferSelect

export const userColumns = getTableColumns(identityUsers)

const asUser = ({ id, name, enabled, defaultProjectId, extra }: Omit<UserRow, 'seq' | 'mac'>): IdentityUser => ({
  id,
  name,
  enabled,
  defaultProjectId,
  extra: JSON.parse(extra) as ExtraProperties,
})

/** The users that the filter lets through, oldest first. */
export async function listUsers(backend: Backend, { name, enabled }: UserFilter): Promise<IdentityUser[]> {
  const byName = name === undefined ? undefined : eq(identityUsers.folded, foldName(name))
  const byState = enabled === undefined ? undefined : eq(identityUsers.enabled, enabled)
  const found = and(byName, byState)
  const rows = await backend.db.select(userColumns).from(identityUsers).where(found).orderBy(identityUsers.seq)
  return (await authentic(backend, 'identityUsers', rows)).map(asUser)
}

async function userRow(backend: Backend, id: string): Promise<UserRow> {
  const row = await backend.db.select(userColumns).from(identityUsers).where(eq(identityUsers.id, id)).get()
  if (!row) throw identityFault('notFound', 'user', id)
  return requireAuthentic(backend, 'identityUsers', row)
}

/** The user with this id; throws `notFound`. */
export async function findUser(backend: Backend, id: string): Promise<IdentityUser> {
  return asUser(await userRow(backend, id))
}

const changeBy = (id: string, action: AuditAction) => changeOf({ id, projectId: DEPLOYMENT }, action, 'account/user')

/** Makes a user; throws `userExists` when the name is taken. */
export async function createUser(backend: Backend, user: NewUser): Promise<IdentityUser> {
  const { password, ...rest } = user
  const row = await withMac(backend, 'identityUsers', {
    id: newId(),
    ...rest,
    extra: JSON.stringify(rest.extra),
    folded: foldName(user.name),
    passwordHash: password === null ? null : await hashPassword(password),
    tokenEpoch: 0,
    created: backend.now,
  })
  const insert = backend.db.insert(identityUsers).values(row).onConflictDoNothing()
  const [result] = await commit(backend, changeBy(row.id, 'create'), insert)
  if (changes(result) === 0) throw identityFault('userExists', user.name)
  return asUser(row)
}

/** Stores a user over the row that it was made from, if no other has the name; gives whether the name was taken. */
async function storeUser(backend: Backend, before: UserRow, changed: UserRow, name?: string) {
  const { seq: _, ...row } = await withMac(backend, 'identityUsers', changed)
  const taken = nameTaken(identityUsers, before.id, name)
  const asRead = and(eq(identityUsers.id, before.id), eq(identityUsers.mac, before.mac), not(taken))
  const [result, [found]] = await commit(
    backend,
    changeBy(before.id, 'update'),
    backend.db.update(identityUsers).set(row).where(asRead),
    backend.db.select({ taken: sql<number>`${taken}`.as('taken') }).from(sql`(select 1)`),
  )
  return { stored: changes(result) > 0, taken: found?.taken === 1 }
}

/**
 * Changes a user. A new password and disabling end all tokens issued so far. Throws `notFound`, `userExists` when the
 * new name is taken, and `invalid` when the further properties grow beyond their bounds.
 */
export async function updateUser(backend: Backend, id: string, change: UserChanges): Promise<IdentityUser> {
  const { name, password, enabled, defaultProjectId, extra } = change
  const before = await userRow(backend, id)
  const merged = mergedExtra(before.extra, extra)
  if (merged === null) throw identityFault('invalid', 'The properties of the user are too large.')
  const passwordHash = typeof password === 'string' ? await hashPassword(password) : password
  const endsTokens = password !== undefined || enabled === false
  const changed = {
    ...before,
    name: name ?? before.name,
    folded: foldName(name ?? before.name),
    passwordHash: passwordHash === undefined ? before.passwordHash : passwordHash,
    enabled: enabled ?? before.enabled,
    defaultProjectId: defaultProjectId === undefined ? before.defaultProjectId : defaultProjectId,
    extra: merged,
    tokenEpoch: before.tokenEpoch + (endsTokens ? 1 : 0),
  }
  const { stored, taken } = await storeUser(backend, before, changed, name)
  if (stored) return asUser(changed)
  if (taken) throw identityFault('userExists', name ?? '')
  // Somebody else changed it meanwhile: the change is made of what it is now.
  return updateUser(backend, id, change)
}

/** The stored hash of a user's password; undefined for no such user, for a disabled one and for one without. */
export async function findPasswordHash(backend: Backend, id: string): Promise<string | undefined> {
  const row = await backend.db
    .select(userColumns)
    .from(identityUsers)
    .where(and(eq(identityUsers.id, id), eq(identityUsers.enabled, true)))
    .get()
  const user = row && (await requireAuthentic(backend, 'identityUsers', row))
  return user?.passwordHash ?? undefined
}

/** Sets a password in place of the one with this hash; false when that is the user's password no more. */
export async function replacePassword(
  backend: Backend,
  id: string,
  oldHash: string,
  password: string,
): Promise<boolean> {
  const passwordHash = await hashPassword(password)
  const before = await userRow(backend, id)
  if (before.passwordHash !== oldHash) return false
  const changed = { ...before, passwordHash, tokenEpoch: before.tokenEpoch + 1 }
  return (await storeUser(backend, before, changed)).stored || replacePassword(backend, id, oldHash, password)
}

/** Deletes a user with its role assignments and application credentials; throws `notFound`. */
export async function deleteUser(backend: Backend, id: string): Promise<void> {
  const removal = backend.db.delete(identityUsers).where(eq(identityUsers.id, id))
  const [result] = await commit(backend, changeBy(id, 'delete'), removal)
  if (changes(result) === 0) throw identityFault('notFound', 'user', id)
}
