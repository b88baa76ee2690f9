/**
 * The tables of the embedded identity: users, projects, roles, assignments, application credentials and revoked tokens.
 *
 * Ids are 32 hexadecimal digits, like Keystone's. `seq` is the creation order, in which lists are returned. `folded` is
 * the folded form of `name` and unique, so that no two users, projects or roles have names that look alike. Rows that
 * belong to a user or project are deleted with it.
 */
import { sql } from 'drizzle-orm'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

/** Properties other than the known ones, such as `email`. Like Keystone, the service stores and returns them. */
export type ExtraProperties = Readonly<Record<string, string | number | boolean | null>>

/** The MAC of the row, as in `resources.ts`. */
const mac = () => text('mac').notNull()
const seq = () => integer('seq').primaryKey({ autoIncrement: true })
const identified = {
  id: text('id').notNull(),
  name: text('name').notNull(),
  folded: text('folded').notNull(),
  created: text('created').notNull(),
}
/** {@link ExtraProperties} as JSON text. */
const extra = () => text('extra').notNull()
const ofUser = () =>
  text('user_id')
    .notNull()
    .references(() => identityUsers.id, { onDelete: 'cascade' })
const ofProject = () =>
  text('project_id')
    .notNull()
    .references(() => identityProjects.id, { onDelete: 'cascade' })

export const identityUsers = sqliteTable(
  'identity_users',
  {
    seq: seq(),
    ...identified,
    /** Null if the user has no password and cannot log in with one. */
    passwordHash: text('password_hash'),
    /** A token is valid only in the epoch in which it was issued. A new password and disabling start a new epoch. */
    tokenEpoch: integer('token_epoch').notNull().default(0),
    enabled: integer('enabled', { mode: 'boolean' }).notNull(),
    /** The scope of a log-in without one. As in Keystone, the project need not exist. */
    defaultProjectId: text('default_project_id'),
    extra: extra(),
    mac: mac(),
  },
  (table) => [
    uniqueIndex('identity_users_id').on(table.id),
    uniqueIndex('identity_users_folded').on(table.folded),
    index('identity_users_default_project').on(table.defaultProjectId),
  ],
)

export const identityProjects = sqliteTable(
  'identity_projects',
  {
    seq: seq(),
    ...identified,
    description: text('description').notNull(),
    enabled: integer('enabled', { mode: 'boolean' }).notNull(),
    /**
     * Whether administrators of this project administer the identity. True for at most one project, and never changed.
     */
    administrative: integer('administrative', { mode: 'boolean' }).notNull().default(false),
    extra: extra(),
    mac: mac(),
  },
  (table) => [
    uniqueIndex('identity_projects_id').on(table.id),
    uniqueIndex('identity_projects_folded').on(table.folded),
    uniqueIndex('identity_projects_administrative')
      .on(table.administrative)
      .where(sql`administrative = 1`),
  ],
)

export const identityRoles = sqliteTable(
  'identity_roles',
  {
    seq: seq(),
    ...identified,
    description: text('description'),
    /** Whether the role was created at bootstrap and cannot be changed, because the service depends on its name. */
    immutable: integer('immutable', { mode: 'boolean' }).notNull().default(false),
    mac: mac(),
  },
  (table) => [uniqueIndex('identity_roles_id').on(table.id), uniqueIndex('identity_roles_folded').on(table.folded)],
)

export const roleAssignments = sqliteTable(
  'role_assignments',
  {
    seq: seq(),
    userId: ofUser(),
    projectId: ofProject(),
    roleId: text('role_id')
      .notNull()
      .references(() => identityRoles.id, { onDelete: 'cascade' }),
    mac: mac(),
  },
  (table) => [
    uniqueIndex('role_assignments_identity').on(table.userId, table.projectId, table.roleId),
    index('role_assignments_project').on(table.projectId),
    index('role_assignments_role').on(table.roleId),
  ],
)

export const applicationCredentials = sqliteTable(
  'application_credentials',
  {
    seq: seq(),
    id: text('id').notNull(),
    userId: ofUser(),
    projectId: ofProject(),
    name: text('name').notNull(),
    description: text('description'),
    secretHash: text('secret_hash').notNull(),
    /** The ids of the delegated roles, as JSON. Only those that the user still has are effective. */
    roleIds: text('role_ids').notNull(),
    unrestricted: integer('unrestricted', { mode: 'boolean' }).notNull(),
    expires: text('expires'),
    created: text('created').notNull(),
    mac: mac(),
  },
  (table) => [
    uniqueIndex('application_credentials_id').on(table.id),
    uniqueIndex('application_credentials_name').on(table.userId, table.name),
    index('application_credentials_project').on(table.projectId),
  ],
)

/** Tokens that were revoked before they expired. A row can be deleted when its token has expired. */
export const revokedTokens = sqliteTable(
  'revoked_tokens',
  { auditId: text('audit_id').primaryKey(), expires: text('expires').notNull() },
  (table) => [index('revoked_tokens_expires').on(table.expires)],
)
