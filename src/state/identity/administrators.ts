/**
 * Administrators of the identity: users with the role `admin` in the administrative project. The last one who can log in
 * is kept, by conditions inside of the statements that would remove it: two requests that each remove one of the last
 * two administrators cannot both succeed.
 */
import { sql, type SQL } from 'drizzle-orm'
import { identityProjects, identityRoles, identityUsers, roleAssignments } from '../schema/identity.ts'
import { ADMINISTRATOR } from './roles.ts'

/** The administrators who can log in with a password, as the tables `u`, `p`, `r` and the assignment `a`. */
const administrators = sql`select 1 from ${roleAssignments} as a
  join ${identityUsers} as u on u.id = a.user_id
  join ${identityProjects} as p on p.id = a.project_id
  join ${identityRoles} as r on r.id = a.role_id
  where r.folded = ${ADMINISTRATOR} and p.administrative = 1 and p.enabled and u.enabled
    and u.password_hash is not null`

const isAdministrator = (userId: string): SQL => sql`exists (${administrators} and u.id = ${userId})`
const isAnother = (userId: string): SQL => sql`exists (${administrators} and u.id <> ${userId})`

/** Whether an administrator remains when this user is none any more. Also true when the user is none now. */
export const remainsWithout = (userId: string): SQL<number> =>
  sql<number>`(not ${isAdministrator(userId)} or ${isAnother(userId)})`

/** Whether an administrator remains when this assignment is removed. */
export function remainsUnassigned(assignment: {
  readonly userId: string
  readonly projectId: string
  readonly roleId: string
}): SQL<number> {
  const { userId, projectId, roleId } = assignment
  const isMeant = sql`exists (${administrators} and a.user_id = ${userId} and a.project_id = ${projectId} and a.role_id = ${roleId})`
  return sql<number>`(not ${isMeant} or ${isAnother(userId)})`
}
