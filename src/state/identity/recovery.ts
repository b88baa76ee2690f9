/**
 * The way back when nobody can administer the identity any more: whoever deploys the service makes the first
 * administrator anew. `ADMIN_RECOVERY=reset` allows it.
 */
import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import { hashPassword } from '../../crypto/password.ts'
import { commit } from '../audit/commit.ts'
import { changeOf, DEPLOYMENT } from '../audit/events.ts'
import { build, change, select, selectValues } from '../database/prepared.ts'
import { insertWhereBuilder } from '../database/statements.ts'
import { requireAuthentic, withMac } from '../integrity/row-authentication.ts'
import { identityProjects, identityRoles, identityUsers, roleAssignments } from '../schema/identity.ts'
import { byService, type KeyedScope } from '../scope.ts'
import { bootstrapIdentity, FIRST_ADMINISTRATOR, firstAdministrator } from './bootstrap.ts'
import { endCredentials } from './credentials.ts'
import { identityFault } from './faults.ts'
import { ADMINISTRATOR } from './roles.ts'

type UserRow = typeof identityUsers.$inferSelect

/** What the role is assigned with; null: it does not exist. */
const selectPlace = () =>
  selectValues({
    projectId: sql<string | null>`(select id from ${identityProjects} where administrative = 1)`,
    roleId: sql<string | null>`(select id from ${identityRoles} where folded = ${ADMINISTRATOR})`,
  })

const selectFirst = () =>
  select(getTableColumns(identityUsers), (columns) =>
    build.select(columns).from(identityUsers).where(eq(identityUsers.folded, FIRST_ADMINISTRATOR)),
  )

/** The user with the password: the one that is there, enabled and without tokens, or a new one. */
async function recovered(scope: KeyedScope, before: UserRow | undefined, passwordHash: string) {
  if (!before) return firstAdministrator(scope, passwordHash)
  await requireAuthentic(scope, 'identityUsers', before)
  const { seq: _, ...row } = before
  const changes = { passwordHash, enabled: true, tokenEpoch: before.tokenEpoch + 1 }
  return withMac(scope, 'identityUsers', { ...row, ...changes })
}

/**
 * Gives the user `admin` this password and the role `admin` in the administrative project, whether it was disabled,
 * deleted, or had lost its password or role. Its tokens and application credentials end. One batch, with an event in the
 * deployment's log. Throws `changedConcurrently` when somebody else changes the user at the same time.
 */
export async function recoverAdministrator(scope: KeyedScope, password: string): Promise<void> {
  await bootstrapIdentity(scope, password)
  const { place, users } = await scope.db.batch({ place: selectPlace(), users: selectFirst() })
  const [before] = users
  const { projectId = null, roleId = null } = place[0] ?? {}
  if (projectId === null || roleId === null) throw identityFault('unauthenticated')
  const row = await recovered(scope, before, await hashPassword(password))
  const assignment = await withMac(scope, 'roleAssignments', { userId: row.id, projectId, roleId })
  const isStored = sql`exists (select 1 from ${identityUsers} where id = ${row.id} and mac = ${row.mac})`
  const asRead = before && and(eq(identityUsers.id, before.id), eq(identityUsers.mac, before.mac))
  const storing = asRead
    ? change(build.update(identityUsers).set(row).where(asRead))
    : change(insertWhereBuilder(identityUsers, row, sql`true`).onConflictDoNothing())
  const { changed } = await commit(
    { ...scope, source: { ...byService('Administrator recovery'), requestId: scope.source.requestId } },
    changeOf({ id: row.id, projectId: DEPLOYMENT }, before ? 'update' : 'create', 'account/user'),
    storing,
    {
      credentials: endCredentials({ userId: row.id }),
      // An assignment whose code is not valid counts as none, so it is written anew.
      assignment: change(
        insertWhereBuilder(roleAssignments, assignment, isStored).onConflictDoUpdate({
          target: [roleAssignments.userId, roleAssignments.projectId, roleAssignments.roleId],
          set: { mac: assignment.mac },
        }),
      ),
    },
  )
  if (changed === 0) throw identityFault('changedConcurrently')
}
