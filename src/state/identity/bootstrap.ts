/** The first administrator, and the roles that every deployment has. */
import { eq, sql } from 'drizzle-orm'
import { hashPassword } from '../../crypto/password.ts'
import { commit } from '../audit/commit.ts'
import { changeOf, DEPLOYMENT } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { insertWhere } from '../database/statements.ts'
import { byService } from '../scope.ts'
import { withMac } from '../integrity/row-authentication.ts'
import { identityProjects, identityRoles, identityUsers, roleAssignments } from '../schema/identity.ts'
import { foldName, newId } from './names.ts'
import { ADMINISTRATOR, builtInRoles } from './roles.ts'

/** Name of the first user, and of the project whose administrators administer the identity. */
export const FIRST_ADMINISTRATOR = 'admin'
const ADMINISTRATIVE_PROJECT = 'admin'

/**
 * Makes the built-in roles, the administrative project, the user `admin` with this password, and its role `admin` there,
 * once: where there is an administrative project nothing is made, also when the first administrator has been deleted or
 * renamed. Any number of calls at the same time make one administrator. One batch: there is never a part of it.
 */
export async function bootstrapIdentity(backend: Backend, password: string): Promise<void> {
  const { db, now } = backend
  const administrative = eq(identityProjects.administrative, true)
  const made = db.select({ id: identityProjects.id }).from(identityProjects).where(administrative)
  if ((await made).length > 0) return
  const passwordHash = await hashPassword(password)
  const described = builtInRoles.map((name) => ({ name, folded: foldName(name), description: null, immutable: true }))
  const roles = await Promise.all(
    described.map((role) => withMac(backend, 'identityRoles', { id: newId(), created: now, ...role })),
  )
  const project = await withMac(backend, 'identityProjects', {
    id: newId(),
    name: ADMINISTRATIVE_PROJECT,
    folded: foldName(ADMINISTRATIVE_PROJECT),
    created: now,
    description: 'Its administrators administer the identity.',
    enabled: true,
    administrative: true,
    extra: '{}',
  })
  const user = await withMac(backend, 'identityUsers', {
    id: newId(),
    name: FIRST_ADMINISTRATOR,
    folded: foldName(FIRST_ADMINISTRATOR),
    created: now,
    passwordHash,
    tokenEpoch: 0,
    enabled: true,
    defaultProjectId: null,
    extra: '{}',
  })
  const { projectId, roleId } = await placeOfAdministrators(backend, project.id, roles)
  const assignment = await withMac(backend, 'roleAssignments', { userId: user.id, projectId, roleId })
  const isPlace = sql`exists (select 1 from ${identityProjects} where id = ${projectId} and administrative = 1)
    and exists (select 1 from ${identityRoles} where id = ${roleId} and folded = ${ADMINISTRATOR})`
  const isUser = sql`exists (select 1 from ${identityUsers} where id = ${user.id})`
  await commit(
    { ...backend, source: byService('Identity set-up') },
    changeOf({ id: user.id, projectId: DEPLOYMENT }, 'create', 'account/user', user.mac),
    insertWhere(backend, identityUsers, user, sql`not exists ${made}`).onConflictDoNothing(),
    // 8 roles of 7 values: below the 100 parameters that a statement may have.
    db.insert(identityRoles).values(roles).onConflictDoNothing(),
    db.insert(identityProjects).values(project).onConflictDoNothing(),
    // Only the user of this very batch becomes administrator: one who exists already keeps the roles it has.
    insertWhere(backend, roleAssignments, assignment, sql`${isUser} and ${isPlace}`).onConflictDoNothing(),
  )
}

/** The administrative project and the role `admin`: those that exist, else those that are about to be made. */
async function placeOfAdministrators(
  { db }: Backend,
  newProjectId: string,
  newRoles: readonly { readonly id: string; readonly name: string }[],
) {
  const [[project], [role]] = await db.batch([
    db.select({ id: identityProjects.id }).from(identityProjects).where(eq(identityProjects.administrative, true)),
    db.select({ id: identityRoles.id }).from(identityRoles).where(eq(identityRoles.folded, ADMINISTRATOR)),
  ])
  const newRole = newRoles.find(({ name }) => name === ADMINISTRATOR)
  return { projectId: project?.id ?? newProjectId, roleId: role?.id ?? newRole?.id ?? '' }
}
