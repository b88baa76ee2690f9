/** The first administrator, and the roles that every deployment has. */
import { sql } from 'drizzle-orm'
import { hashPassword } from '../../crypto/password.ts'
import { commit } from '../audit/commit.ts'
import { changeOf, DEPLOYMENT } from '../audit/events.ts'
import { build, change, selectValues } from '../database/prepared.ts'
import { insertWhereBuilder } from '../database/statements.ts'
import { withMac } from '../integrity/row-authentication.ts'
import { identityProjects, identityRoles, identityUsers, roleAssignments } from '../schema/identity.ts'
import { byService, type KeyedScope } from '../scope.ts'
import { insertUnlessTaken } from './named-rows.ts'
import { nameColumns, newId } from './names.ts'
import { ADMINISTRATOR, builtInRoles } from './roles.ts'

/** Name of the first user, and of the project whose administrators administer the identity. */
export const FIRST_ADMINISTRATOR = 'admin'
const ADMINISTRATIVE_PROJECT = 'admin'

/** What bootstrap depends on: the administrative project and the role `admin`, by their ids; null: there is none. */
const selectExisting = () =>
  selectValues({
    project: sql<string | null>`(select id from ${identityProjects} where administrative = 1)`,
    role: sql<string | null>`(select id from ${identityRoles} where folded = ${ADMINISTRATOR})`,
  })

const newRoles = (scope: KeyedScope) =>
  Promise.all(
    builtInRoles.map((name) => {
      const properties = { description: null, immutable: true, created: scope.now }
      return withMac(scope, 'identityRoles', { id: newId(), ...nameColumns(name), ...properties })
    }),
  )

const newProject = (scope: KeyedScope) =>
  withMac(scope, 'identityProjects', {
    id: newId(),
    ...nameColumns(ADMINISTRATIVE_PROJECT),
    created: scope.now,
    description: 'Its administrators administer the identity.',
    enabled: true,
    administrative: true,
    extra: '{}',
  })

/** The row of the first administrator. */
export const firstAdministrator = (scope: KeyedScope, passwordHash: string) =>
  withMac(scope, 'identityUsers', {
    id: newId(),
    ...nameColumns(FIRST_ADMINISTRATOR),
    created: scope.now,
    passwordHash,
    tokenEpoch: 0,
    enabled: true,
    defaultProjectId: null,
    extra: '{}',
  })

/**
 * Creates the built-in roles, the administrative project, the user `admin` with this password, and its role `admin` in
 * that project. Does nothing where an administrative project exists, even if the first administrator was deleted or
 * renamed. Concurrent calls create one administrator. All rows are written in one batch, so none is stored alone.
 */
export async function bootstrapIdentity(scope: KeyedScope, password: string): Promise<void> {
  const [existing] = await scope.db.run(selectExisting())
  if (existing?.project) return
  const passwordHash = await hashPassword(password)
  const [roles, project, user] = await Promise.all([
    newRoles(scope),
    newProject(scope),
    firstAdministrator(scope, passwordHash),
  ])
  const roleId = existing?.role ?? roles.find(({ name }) => name === ADMINISTRATOR)?.id ?? ''
  const assignment = await withMac(scope, 'roleAssignments', { userId: user.id, projectId: project.id, roleId })
  const isFirst = sql`not exists (select 1 from ${identityProjects} where administrative = 1)`
  const isPlace = sql`exists (select 1 from ${identityProjects} where id = ${project.id} and administrative = 1)
    and exists (select 1 from ${identityRoles} where id = ${roleId} and folded = ${ADMINISTRATOR})`
  // A user `admin` who existed before this batch keeps its roles: only the user of this batch becomes administrator.
  const isUser = sql`exists (select 1 from ${identityUsers} where id = ${user.id})`
  await commit(
    { ...scope, source: byService('Identity set-up') },
    changeOf({ id: user.id, projectId: DEPLOYMENT }, 'create', 'account/user', user.mac),
    change(insertWhereBuilder(identityUsers, user, isFirst).onConflictDoNothing()),
    {
      // 8 roles of 7 values: below the 100 parameters that a statement may have.
      roles: change(build.insert(identityRoles).values(roles).onConflictDoNothing()),
      project: insertUnlessTaken(identityProjects, project),
      assignment: change(
        insertWhereBuilder(roleAssignments, assignment, sql`${isUser} and ${isPlace}`).onConflictDoNothing(),
      ),
    },
  )
}
