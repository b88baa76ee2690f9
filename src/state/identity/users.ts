/** Users: their rows. One public operation is one D1 batch; an update reads first. */
import { and, eq, getTableColumns, type SQL } from 'drizzle-orm'
import { hashPassword, MIN_PASSWORD_CHARACTERS } from '../../crypto/password.ts'
import { commit } from '../audit/commit.ts'
import { changeOf, DEPLOYMENT, type AuditAction } from '../audit/events.ts'
import { build, change, select } from '../database/prepared.ts'
import { authentic, requireAuthentic, withMac } from '../integrity/row-authentication.ts'
import { identityUsers, type ExtraProperties } from '../schema/identity.ts'
import type { KeyedScope, Scope } from '../scope.ts'
import { remainsWithout } from './administrators.ts'
import { endCredentials } from './credentials.ts'
import { identityFault } from './faults.ts'
import { insertUnlessTaken, updateRow } from './named-rows.ts'
import { foldName, mergedExtra, nameColumns, newId } from './names.ts'

export interface IdentityUser {
  readonly id: string
  readonly name: string
  readonly enabled: boolean
  readonly defaultProjectId: string | null
  readonly extra: ExtraProperties
}

interface NewUser {
  readonly name: string
  /** Null: the user cannot log in with a password. */
  readonly password: string | null
  readonly enabled: boolean
  readonly defaultProjectId: string | null
  readonly extra: ExtraProperties
}

/** What is to change; an absent member stays as it is. */
interface UserChanges {
  readonly name?: string | undefined
  readonly password?: string | null | undefined
  readonly enabled?: boolean | undefined
  readonly defaultProjectId?: string | null | undefined
  readonly extra: ExtraProperties
}

interface UserFilter {
  readonly name?: string | undefined
  readonly enabled?: boolean | undefined
}

/** Hashes a new password; throws `weakPassword` for one that is too short. */
async function hashNewPassword(password: string): Promise<string> {
  if (Array.from(password).length < MIN_PASSWORD_CHARACTERS) {
    throw identityFault('weakPassword', String(MIN_PASSWORD_CHARACTERS))
  }
  return hashPassword(password)
}

type UserRow = typeof identityUsers.$inferSelect

const asUser = ({ id, name, enabled, defaultProjectId, extra }: Omit<UserRow, 'seq' | 'mac'>): IdentityUser => ({
  id,
  name,
  enabled,
  defaultProjectId,
  extra: JSON.parse(extra) as ExtraProperties,
})

const selectUsers = (condition: SQL | undefined) =>
  select(getTableColumns(identityUsers), (columns) =>
    build.select(columns).from(identityUsers).where(condition).orderBy(identityUsers.seq),
  )

/** The users that match the filter, oldest first. */
export async function listUsers(scope: KeyedScope, { name, enabled }: UserFilter): Promise<IdentityUser[]> {
  const byName = name === undefined ? undefined : eq(identityUsers.folded, foldName(name))
  const byState = enabled === undefined ? undefined : eq(identityUsers.enabled, enabled)
  const rows = await scope.db.run(selectUsers(and(byName, byState)))
  return (await authentic(scope, 'identityUsers', rows)).map(asUser)
}

async function userRow(scope: KeyedScope, id: string): Promise<UserRow> {
  const [row] = await scope.db.run(selectUsers(eq(identityUsers.id, id)))
  if (!row) throw identityFault('notFound', 'user', id)
  return requireAuthentic(scope, 'identityUsers', row)
}

/** The user with this id; throws `notFound`. */
export async function findUser(scope: KeyedScope, id: string): Promise<IdentityUser> {
  return asUser(await userRow(scope, id))
}

const changeBy = (id: string, action: AuditAction) => changeOf({ id, projectId: DEPLOYMENT }, action, 'account/user')

/** Creates a user; throws `weakPassword`, and `userExists` when the name is taken. */
export async function createUser(scope: KeyedScope, user: NewUser): Promise<IdentityUser> {
  const { name, password, enabled, defaultProjectId, extra } = user
  const row = await withMac(scope, 'identityUsers', {
    id: newId(),
    ...nameColumns(name),
    passwordHash: password === null ? null : await hashNewPassword(password),
    tokenEpoch: 0,
    enabled,
    defaultProjectId,
    extra: JSON.stringify(extra),
    created: scope.now,
  })
  const { changed } = await commit(scope, changeBy(row.id, 'create'), insertUnlessTaken(identityUsers, row))
  if (changed === 0) throw identityFault('userExists', name)
  return asUser(row)
}

type PasswordHash = string | null | undefined

/** The row with the changes, without its MAC; throws `invalid` when the further properties are too large. */
function changedUser(before: UserRow, changes: UserChanges, passwordHash: PasswordHash): UserRow {
  const { name, enabled, defaultProjectId } = changes
  const extra = mergedExtra(before.extra, changes.extra)
  if (extra === null) throw identityFault('invalid', 'The properties of the user are too large.')
  const endsTokens = passwordHash !== undefined || enabled === false
  return {
    ...before,
    ...nameColumns(name ?? before.name),
    passwordHash: passwordHash === undefined ? before.passwordHash : passwordHash,
    enabled: enabled ?? before.enabled,
    defaultProjectId: defaultProjectId === undefined ? before.defaultProjectId : defaultProjectId,
    extra,
    tokenEpoch: before.tokenEpoch + (endsTokens ? 1 : 0),
  }
}

/** What a change of a user requires and takes along: an administrator remains, and application credentials end. */
function consequences(id: string, { password, enabled }: UserChanges) {
  const disables = enabled === false || password === null
  const onlyIf = { condition: remainsWithout(id), unmet: () => identityFault('lastAdministrator') }
  const ends = enabled === false || password !== undefined
  return {
    onlyIf: disables ? onlyIf : undefined,
    following: ends ? { credentials: endCredentials({ userId: id }) } : undefined,
  }
}

/**
 * Changes a user. A new password and disabling invalidate all tokens issued so far, and delete the application
 * credentials. Throws `notFound`, `userExists` when the new name is taken, `weakPassword`, `invalid` when the further
 * properties exceed their bound, `lastAdministrator` for one who is to lose the power to log in, and
 * `changedConcurrently`.
 */
export async function updateUser(scope: KeyedScope, id: string, changes: UserChanges): Promise<IdentityUser> {
  const { name, password } = changes
  const passwordHash = typeof password === 'string' ? await hashNewPassword(password) : password
  const row = await updateRow(scope, {
    ...consequences(id, changes),
    table: identityUsers,
    event: changeBy(id, 'update'),
    newName: name,
    read: () => userRow(scope, id),
    changed: async (before) => withMac(scope, 'identityUsers', changedUser(before, changes, passwordHash)),
    taken: () => identityFault('userExists', name ?? ''),
  })
  return asUser(row)
}

/** The stored hash of a user's password; undefined for an unknown or disabled user, or one without a password. */
export async function findPasswordHash(scope: KeyedScope, id: string): Promise<string | undefined> {
  const [row] = await scope.db.run(selectUsers(and(eq(identityUsers.id, id), eq(identityUsers.enabled, true))))
  const user = row && (await requireAuthentic(scope, 'identityUsers', row))
  return user?.passwordHash ?? undefined
}

/**
 * Replaces the password with the hash `oldHash`, which invalidates all tokens issued so far and deletes the application
 * credentials. Throws `weakPassword`, `unauthenticated` when the user's password has another hash, `notFound`, and
 * `changedConcurrently`.
 */
export async function replacePassword(scope: KeyedScope, id: string, oldHash: string, password: string): Promise<void> {
  const passwordHash = await hashNewPassword(password)
  await updateRow(scope, {
    ...consequences(id, { password, extra: {} }),
    table: identityUsers,
    event: changeBy(id, 'update'),
    read: () => userRow(scope, id),
    changed: async (before) => {
      if (before.passwordHash !== oldHash) throw identityFault('unauthenticated')
      return withMac(scope, 'identityUsers', changedUser(before, { extra: {} }, passwordHash))
    },
  })
}

/**
 * Stores the same password under a hash of today's cost. Nothing ends with it, and nothing happens when the password has
 * changed since.
 */
export async function renewPasswordHash(
  scope: KeyedScope,
  id: string,
  oldHash: string,
  password: string,
): Promise<void> {
  const before = await userRow(scope, id)
  if (before.passwordHash !== oldHash) return
  const { seq: _, ...row } = await withMac(scope, 'identityUsers', {
    ...before,
    passwordHash: await hashPassword(password),
  })
  const asRead = and(eq(identityUsers.id, id), eq(identityUsers.mac, before.mac))
  await commit(scope, changeBy(id, 'update'), change(build.update(identityUsers).set(row).where(asRead)))
}

/** Deletes a user with its role assignments and application credentials; throws `notFound`, `lastAdministrator`. */
export async function deleteUser(scope: Scope, id: string): Promise<void> {
  const isUser = eq(identityUsers.id, id)
  const removal = build.delete(identityUsers).where(and(isUser, remainsWithout(id)))
  const { changed, kept } = await commit(scope, changeBy(id, 'delete'), change(removal), { kept: selectUsers(isUser) })
  if (kept.length > 0) throw identityFault('lastAdministrator')
  if (changed === 0) throw identityFault('notFound', 'user', id)
}
