/** Roles: what is kept of them, and which of them carry others. One public operation is one D1 batch. */
import { and, eq, getTableColumns, not, sql } from 'drizzle-orm'
import { commit } from '../audit/commit.ts'
import { changeOf, DEPLOYMENT, type AuditAction } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { changes } from '../database/statements.ts'
import { authentic, requireAuthentic, withMac } from '../integrity/row-authentication.ts'
import { identityRoles } from '../schema/identity.ts'
import { identityFault } from './faults.ts'
import { foldName, nameTaken, newId } from './names.ts'

/** A role as tokens carry it. */
export interface RoleName {
  readonly id: string
  readonly name: string
}

export interface IdentityRole extends RoleName {
  readonly description: string | null
  readonly immutable: boolean
}

/** What is to change; absent: it stays. */
export interface RoleChanges {
  readonly name?: string | undefined
  readonly description?: string | null | undefined
}

/** The roles that every deployment has: Keystone's own, and those that the Key Manager's rules name. */
export const builtInRoles = [
  'admin',
  'member',
  'reader',
  'service',
  'creator',
  'observer',
  'audit',
  'key-manager:service-admin',
] as const

/** The one role that each of these implies directly, as Keystone's bootstrap sets them up. */
export const impliedRoles: Readonly<Record<string, string>> = { admin: 'member', member: 'reader' }

/** The role of the administrators, in every project. */
export const ADMINISTRATOR = 'admin'

/** The role and every role that it implies, directly or not, by their folded names. */
export function impliedChain(folded: string): string[] {
  const chain = [folded]
  for (let next = following(folded); next !== undefined; next = following(next)) chain.push(next)
  return chain
}

function following(folded: string): string | undefined {
  return Object.hasOwn(impliedRoles, folded) ? impliedRoles[folded] : undefined
}

type RoleRow = typeof identityRoles.$inferSelect

export const roleColumns = getTableColumns(identityRoles)

const asRole = ({ id, name, description, immutable }: Omit<RoleRow, 'seq' | 'mac'>): IdentityRole => ({
  id,
  name,
  description,
  immutable,
})

/** The roles of those rows, read with {@link roleColumns}, that are authentic. */
export async function authenticRoles(backend: Backend, rows: readonly RoleRow[]): Promise<IdentityRole[]> {
  return (await authentic(backend, 'identityRoles', rows)).map(asRole)
}

/** All roles, or the one with this name; oldest first. */
export async function listRoles(backend: Backend, name?: string): Promise<IdentityRole[]> {
  const byName = name === undefined ? undefined : eq(identityRoles.folded, foldName(name))
  const rows = await backend.db.select(roleColumns).from(identityRoles).where(byName).orderBy(identityRoles.seq)
  return authenticRoles(backend, rows)
}

async function roleRow(backend: Backend, id: string): Promise<RoleRow> {
  const row = await backend.db.select(roleColumns).from(identityRoles).where(eq(identityRoles.id, id)).get()
  if (!row) throw identityFault('notFound', 'role', id)
  return requireAuthentic(backend, 'identityRoles', row)
}

/** The role with this id; throws `notFound`. */
export async function findRole(backend: Backend, id: string): Promise<IdentityRole> {
  return asRole(await roleRow(backend, id))
}

const changeBy = (id: string, action: AuditAction) => changeOf({ id, projectId: DEPLOYMENT }, action, 'role')

/** Makes a role; throws `roleExists` when the name is taken. */
export async function createRole(backend: Backend, name: string, description: string | null): Promise<IdentityRole> {
  const made = { id: newId(), name, description, immutable: false, folded: foldName(name), created: backend.now }
  const row = await withMac(backend, 'identityRoles', made)
  const insert = backend.db.insert(identityRoles).values(row).onConflictDoNothing()
  const [result] = await commit(backend, changeBy(row.id, 'create'), insert)
  if (changes(result) === 0) throw identityFault('roleExists', name)
  return asRole(row)
}

/** Changes a role. Throws `notFound`, `immutableUpdate`, and `roleExists` when the new name is taken. */
export async function updateRole(backend: Backend, id: string, change: RoleChanges): Promise<IdentityRole> {
  const { name, description } = change
  const before = await roleRow(backend, id)
  if (before.immutable) throw identityFault('immutableUpdate', 'role', id)
  const taken = nameTaken(identityRoles, id, name)
  const { seq: _, ...row } = await withMac(backend, 'identityRoles', {
    ...before,
    name: name ?? before.name,
    folded: foldName(name ?? before.name),
    description: description === undefined ? before.description : description,
  })
  const asRead = and(eq(identityRoles.id, id), eq(identityRoles.mac, before.mac), not(taken))
  const [result, [found]] = await commit(
    backend,
    changeBy(id, 'update'),
    backend.db.update(identityRoles).set(row).where(asRead),
    backend.db.select({ taken: sql<number>`${taken}`.as('taken') }).from(sql`(select 1)`),
  )
  if (changes(result) > 0) return asRole(row)
  if (found?.taken) throw identityFault('roleExists', name ?? '')
  // Somebody else changed it meanwhile: the change is made of what it is now.
  return updateRole(backend, id, change)
}

/** Deletes a role with its assignments. Throws `notFound` and `immutableDelete`. */
export async function deleteRole(backend: Backend, id: string): Promise<void> {
  const { db } = backend
  const [deleted, [kept]] = await commit(
    backend,
    changeBy(id, 'delete'),
    db
      .delete(identityRoles)
      .where(and(eq(identityRoles.id, id), eq(identityRoles.immutable, false)))
      .returning({ id: identityRoles.id }),
    db.select({ id: identityRoles.id }).from(identityRoles).where(eq(identityRoles.id, id)),
  )
  if (kept) throw identityFault('immutableDelete', 'role', id)
  if (deleted.length === 0) throw identityFault('notFound', 'role', id)
}
