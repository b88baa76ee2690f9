/** Roles: their rows, and which of them imply others. One public operation is one D1 batch; an update reads first. */
import { and, eq, getTableColumns, sql, type SQL } from 'drizzle-orm'
import { commit } from '../audit/commit.ts'
import { changeOf, DEPLOYMENT, type AuditAction } from '../audit/events.ts'
import { build, change, changeReturning, select } from '../database/prepared.ts'
import { justChanged } from '../database/statements.ts'
import { authentic, requireAuthentic, withMac } from '../integrity/row-authentication.ts'
import { applicationCredentials, identityRoles } from '../schema/identity.ts'
import type { KeyedScope, Scope } from '../scope.ts'
import { identityFault } from './faults.ts'
import { insertUnlessTaken, updateRow } from './named-rows.ts'
import { foldName, nameColumns, newId } from './names.ts'

/** The part of a role that tokens carry. */
export interface RoleName {
  readonly id: string
  readonly name: string
}

export interface IdentityRole extends RoleName {
  readonly description: string | null
  readonly immutable: boolean
}

/** What is to change; an absent member stays as it is. */
interface RoleChanges {
  readonly name?: string | undefined
  readonly description?: string | null | undefined
}

/** The roles of every deployment: Keystone's own, and those that the Key Manager's rules name. */
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

export type RoleRow = typeof identityRoles.$inferSelect

const asRole = ({ id, name, description, immutable }: Omit<RoleRow, 'seq' | 'mac'>): IdentityRole => ({
  id,
  name,
  description,
  immutable,
})

/** Selects the rows of the roles for which the condition holds, of all without one; oldest first. */
export const selectRoles = (condition?: SQL) =>
  select(getTableColumns(identityRoles), (columns) =>
    build.select(columns).from(identityRoles).where(condition).orderBy(identityRoles.seq),
  )

/** The roles of those rows whose MAC is valid; the rows are those of {@link selectRoles}. */
export async function authenticRoles(scope: KeyedScope, rows: readonly RoleRow[]): Promise<IdentityRole[]> {
  return (await authentic(scope, 'identityRoles', rows)).map(asRole)
}

/** All roles, or the one with this name; oldest first. */
export async function listRoles(scope: KeyedScope, name?: string): Promise<IdentityRole[]> {
  const byName = name === undefined ? undefined : eq(identityRoles.folded, foldName(name))
  return authenticRoles(scope, await scope.db.run(selectRoles(byName)))
}

async function roleRow(scope: KeyedScope, id: string): Promise<RoleRow> {
  const [row] = await scope.db.run(selectRoles(eq(identityRoles.id, id)))
  if (!row) throw identityFault('notFound', 'role', id)
  return requireAuthentic(scope, 'identityRoles', row)
}

/** The role with this id; throws `notFound`. */
export async function findRole(scope: KeyedScope, id: string): Promise<IdentityRole> {
  return asRole(await roleRow(scope, id))
}

const changeBy = (id: string, action: AuditAction) => changeOf({ id, projectId: DEPLOYMENT }, action, 'role')

/** Creates a role; throws `roleExists` when the name is taken. */
export async function createRole(scope: KeyedScope, name: string, description: string | null): Promise<IdentityRole> {
  const row = await withMac(scope, 'identityRoles', {
    id: newId(),
    ...nameColumns(name),
    description,
    immutable: false,
    created: scope.now,
  })
  const { changed } = await commit(scope, changeBy(row.id, 'create'), insertUnlessTaken(identityRoles, row))
  if (changed === 0) throw identityFault('roleExists', name)
  return asRole(row)
}

/** Changes a role. Throws `notFound`, `immutableUpdate`, `roleExists` for a taken name, and `changedConcurrently`. */
export async function updateRole(
  scope: KeyedScope,
  id: string,
  { name, description }: RoleChanges,
): Promise<IdentityRole> {
  const row = await updateRow(scope, {
    table: identityRoles,
    event: changeBy(id, 'update'),
    newName: name,
    read: () => roleRow(scope, id),
    changed: async (before) => {
      if (before.immutable) throw identityFault('immutableUpdate', 'role', id)
      return withMac(scope, 'identityRoles', {
        ...before,
        ...nameColumns(name ?? before.name),
        description: description === undefined ? before.description : description,
      })
    },
    taken: () => identityFault('roleExists', name ?? ''),
  })
  return asRole(row)
}

/** Deletes the application credentials that use the role, if the statement before it changed a row. */
function endCredentialsWith(roleId: string) {
  const uses = sql`exists (select 1 from json_each(${applicationCredentials.roleIds}) where value = ${roleId})`
  return change(build.delete(applicationCredentials).where(and(uses, justChanged)))
}

/** Deletes a role with its assignments and the application credentials with it. Throws `notFound`, `immutableDelete`. */
export async function deleteRole(scope: Scope, id: string): Promise<void> {
  const isRole = eq(identityRoles.id, id)
  const deletable = and(isRole, eq(identityRoles.immutable, false))
  const removal = build.delete(identityRoles).where(deletable).returning({ id: identityRoles.id })
  const { changed, kept } = await commit(scope, changeBy(id, 'delete'), changeReturning(removal), {
    credentials: endCredentialsWith(id),
    kept: selectRoles(isRole),
  })
  if (kept.length > 0) throw identityFault('immutableDelete', 'role', id)
  if (changed === 0) throw identityFault('notFound', 'role', id)
}
