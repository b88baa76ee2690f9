/** The first administrator, and the roles that every deployment has. */
import { sql } from 'drizzle-orm'
import { hashPassword } from '../crypto/password.ts'
import { changeOf, DEPLOYMENT } from './audit-events.ts'
import type { Backend } from './backend.ts'
import { commit } from './commit.ts'
import { foldName, newId } from './identity-names.ts'
import { ADMINISTRATOR, builtInRoles } from './identity-roles.ts'
import { identityProjects, identityRoles, identityUsers, roleAssignments } from './identity-schema.ts'
import { byService } from './store.ts'

/** Name of the first user, and of the project whose administrators administer the identity. */
export const FIRST_ADMINISTRATOR = 'admin'
const ADMINISTRATIVE_PROJECT = 'admin'

/**
 * Makes what is missing of: the built-in roles, the administrative project, the user `admin` with this password, and
 * its role `admin` there. What exists already stays as it is, the password above all; so any number of calls at the same
 * time make one administrator. One batch: there is never a part of it.
 */
export async function bootstrapIdentity(backend: Backend, password: string): Promise<void> {
  const { db, now } = backend
  const passwordHash = await hashPassword(password)
  const roles = builtInRoles.map((name) => ({
    id: newId(),
    name,
    folded: foldName(name),
    created: now,
    description: null,
    immutable: true,
  }))
  const project = {
    id: newId(),
    name: ADMINISTRATIVE_PROJECT,
    folded: foldName(ADMINISTRATIVE_PROJECT),
    created: now,
    description: 'Its administrators administer the identity.',
    enabled: true,
    administrative: true,
    extra: {},
  }
  const user = {
    id: newId(),
    name: FIRST_ADMINISTRATOR,
    folded: foldName(FIRST_ADMINISTRATOR),
    created: now,
    passwordHash,
    tokenEpoch: 0,
    enabled: true,
    defaultProjectId: null,
    extra: {},
  }
  await commit(
    { ...backend, source: byService('Identity set-up') },
    changeOf({ id: user.id, projectId: DEPLOYMENT }, 'create', 'account/user'),
    db.insert(identityUsers).values(user).onConflictDoNothing(),
    // 8 roles of 6 values: below the 100 parameters that a statement may have.
    db.insert(identityRoles).values(roles).onConflictDoNothing(),
    db.insert(identityProjects).values(project).onConflictDoNothing(),
    // Only the user of this very batch becomes administrator: one who exists already keeps the roles it has.
    db
      .insert(roleAssignments)
      .select(
        sql`select null, u.id, p.id, r.id from ${identityUsers} u, ${identityProjects} p, ${identityRoles} r
          where u.id = ${user.id} and p.administrative = 1 and r.folded = ${ADMINISTRATOR}`,
      )
      .onConflictDoNothing(),
  )
}
