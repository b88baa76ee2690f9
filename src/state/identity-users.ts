/** Users: what is kept of them. One public operation is one D1 batch. */
import { and, eq, not, sql } from 'drizzle-orm'
import { hashPassword } from '../crypto/password.ts'
import { changeOf, DEPLOYMENT, type AuditAction } from './audit-events.ts'
import type { Backend } from './backend.ts'
import { commit } from './commit.ts'
import { identityFault } from './identity-faults.ts'
import { extraFits, foldName, mergedExtra, nameTaken, newId } from './identity-names.ts'
import { identityUsers, type ExtraProperties } from './identity-schema.ts'
import { changes } from './statements.ts'

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

const userColumns = {
  id: identityUsers.id,
  name: identityUsers.name,
  enabled: identityUsers.enabled,
  defaultProjectId: identityUsers.defaultProjectId,
  extra: identityUsers.extra,
}

/** The users that the filter lets through, oldest first. */
export async function listUsers(backend: Backend, { name, enabled }: UserFilter): Promise<IdentityUser[]> {
  const byName = name === undefined ? undefined : eq(identityUsers.folded, foldName(name))
  const byState = enabled === undefined ? undefined : eq(identityUsers.enabled, enabled)
  return backend.db.select(userColumns).from(identityUsers).where(and(byName, byState)).orderBy(identityUsers.seq)
}

/** The user with this id; throws `notFound`. */
export async function findUser(backend: Backend, id: string): Promise<IdentityUser> {
  const user = await backend.db.select(userColumns).from(identityUsers).where(eq(identityUsers.id, id)).get()
  if (!user) throw identityFault('notFound', 'user', id)
  return user
}

const changeBy = (id: string, action: AuditAction) => changeOf({ id, projectId: DEPLOYMENT }, action, 'account/user')

/** Makes a user; throws `userExists` when the name is taken. */
export async function createUser(backend: Backend, user: NewUser): Promise<IdentityUser> {
  const { password, ...rest } = user
  const made = { id: newId(), ...rest }
  const passwordHash = password === null ? null : await hashPassword(password)
  const insert = backend.db
    .insert(identityUsers)
    .values({ ...made, passwordHash, folded: foldName(user.name), created: backend.now })
    .onConflictDoNothing()
  const [result] = await commit(backend, changeBy(made.id, 'create'), insert)
  if (changes(result) === 0) throw identityFault('userExists', user.name)
  return made
}

/**
 * Changes a user. A new password and disabling end all tokens issued so far. Throws `notFound`, `userExists` when the
 * new name is taken, and `invalid` when the further properties grow beyond their bounds.
 */
export async function updateUser(backend: Backend, id: string, change: UserChanges): Promise<IdentityUser> {
  const { name, password, enabled, defaultProjectId, extra } = change
  const passwordHash = typeof password === 'string' ? await hashPassword(password) : password
  const endsTokens = password !== undefined || enabled === false
  const taken = nameTaken(identityUsers, id, name)
  const [[updated], [found]] = await commit(
    backend,
    changeBy(id, 'update'),
    backend.db
      .update(identityUsers)
      .set({
        name,
        folded: name === undefined ? undefined : foldName(name),
        passwordHash,
        enabled,
        defaultProjectId,
        extra: mergedExtra(extra),
        tokenEpoch: endsTokens ? sql`token_epoch + 1` : undefined,
      })
      .where(and(eq(identityUsers.id, id), not(taken), extraFits(extra)))
      .returning(userColumns),
    backend.db
      .select({ taken: sql<number>`${taken}`.as('taken') })
      .from(identityUsers)
      .where(eq(identityUsers.id, id)),
  )
  if (updated) return updated
  if (!found) throw identityFault('notFound', 'user', id)
  if (found.taken) throw identityFault('userExists', name ?? '')
  throw identityFault('invalid', 'The properties of the user are too large.')
}

/** The stored hash of a user's password; undefined for no such user, for a disabled one and for one without. */
export async function findPasswordHash(backend: Backend, id: string): Promise<string | undefined> {
  const user = await backend.db
    .select({ passwordHash: identityUsers.passwordHash })
    .from(identityUsers)
    .where(and(eq(identityUsers.id, id), eq(identityUsers.enabled, true)))
    .get()
  return user?.passwordHash ?? undefined
}

/** Sets a password in place of the one with this hash; false when that is the user's password no more. */
export async function replacePassword(
  backend: Backend,
  id: string,
  oldHash: string,
  password: string,
): Promise<boolean> {
  const update = backend.db
    .update(identityUsers)
    .set({ passwordHash: await hashPassword(password), tokenEpoch: sql`token_epoch + 1` })
    .where(and(eq(identityUsers.id, id), eq(identityUsers.passwordHash, oldHash)))
  const [result] = await commit(backend, changeBy(id, 'update'), update)
  return changes(result) > 0
}

/** Deletes a user with its role assignments and application credentials; throws `notFound`. */
export async function deleteUser(backend: Backend, id: string): Promise<void> {
  const removal = backend.db.delete(identityUsers).where(eq(identityUsers.id, id))
  const [result] = await commit(backend, changeBy(id, 'delete'), removal)
  if (changes(result) === 0) throw identityFault('notFound', 'user', id)
}
