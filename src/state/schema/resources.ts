/**
 * The tables of the Key Manager. `npm run migration` writes `migrations/` from here, from the tables beside it and from
 * `triggers.ts`.
 *
 * `seq` is the order of creation: lists are oldest first, and a page is stable while rows are added. Times are UTC text
 * of 26 characters (`2026-11-22T00:15:50.123000`), so they compare as text. Ids of projects and users are
 * opaque. What belongs to a secret or container goes with it.
 */
import { sql } from 'drizzle-orm'
import { blob, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

const ofSecret = () =>
  text('secret_id')
    .notNull()
    .references(() => secrets.id, { onDelete: 'cascade' })
const ofContainer = () =>
  text('container_id')
    .notNull()
    .references(() => containers.id, { onDelete: 'cascade' })
const bytes = (name: string) => blob(name, { mode: 'buffer' }).$type<Uint8Array>()
const seq = () => integer('seq').primaryKey({ autoIncrement: true })
/** The code that authenticates the row; `integrity/protection.ts` says over which columns. */
const mac = () => text('mac').notNull()
const times = { created: text('created').notNull(), updated: text('updated').notNull() }

/** The read ACL of a secret or container stands in its own row; all null: there is none. `users` is a JSON array of ids. */
const acl = () => ({
  aclProjectAccess: integer('acl_project_access', { mode: 'boolean' }),
  aclUsers: text('acl_users'),
  aclCreated: text('acl_created'),
  aclUpdated: text('acl_updated'),
})

/**
 * The keys of a project in a secret store, each wrapped under the master key that it names. One of them seals new
 * values, which triggers hold every stored value to; older ones open what they sealed.
 */
export const projectKeys = sqliteTable(
  'project_keys',
  {
    projectId: text('project_id').notNull(),
    store: text('store').notNull(),
    version: integer('version').notNull(),
    masterKeyId: text('master_key_id').notNull(),
    wrapped: bytes('wrapped').notNull(),
    created: text('created').notNull(),
    /** When a newer version took its place; null: it is the one that seals. */
    superseded: text('superseded'),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.store, table.version] }),
    index('project_keys_master').on(table.masterKeyId),
    uniqueIndex('project_keys_sealing')
      .on(table.projectId, table.store)
      .where(sql`superseded is null`),
    index('project_keys_age')
      .on(table.created)
      .where(sql`superseded is null`),
    index('project_keys_superseded')
      .on(table.superseded)
      .where(sql`superseded is not null`),
  ],
)

/**
 * Projects whose keys are destroyed, with all that they seal, once `due` has come. The row stays: such a project never
 * has a key again.
 */
export const projectDestructions = sqliteTable(
  'project_destructions',
  {
    projectId: text('project_id').primaryKey(),
    due: text('due').notNull(),
    /** When nothing of the project was left; null until then. */
    finished: text('finished'),
  },
  (table) => [
    index('project_destructions_due')
      .on(table.due)
      .where(sql`finished is null`),
  ],
)

export const secrets = sqliteTable(
  'secrets',
  {
    seq: seq(),
    id: text('id').notNull(),
    projectId: text('project_id').notNull(),
    creatorId: text('creator_id'),
    name: text('name'),
    secretType: text('secret_type').notNull(),
    algorithm: text('algorithm'),
    mode: text('mode'),
    bitLength: integer('bit_length'),
    expiration: text('expiration'),
    ...times,
    ...acl(),
    /** Shown as `content_types.default`; null for a secret without payload and for some that orders made. */
    contentType: text('content_type'),
    /** The secret store and the version of its project key under which `sealed` was made. */
    store: text('store').notNull(),
    keyVersion: integer('key_version'),
    mac: mac(),
    /** The payload, sealed; null until there is one. Last, so that a list does not read over it. */
    sealed: bytes('sealed'),
  },
  (table) => [
    uniqueIndex('secrets_id').on(table.id),
    index('secrets_project').on(table.projectId),
    index('secrets_name').on(table.projectId, table.name),
    index('secrets_key')
      .on(table.projectId, table.store, table.keyVersion)
      .where(sql`key_version is not null`),
    index('secrets_expiration')
      .on(table.expiration)
      .where(sql`expiration is not null`),
    /** For the few that have expired and are not swept yet: they are not counted any more. */
    index('secrets_expired')
      .on(table.projectId, table.expiration)
      .where(sql`expiration is not null`),
  ],
)

/** Finds the secrets whose ACL names a user. An index only: the ACL that counts stands in the secret's row. */
export const secretReaders = sqliteTable(
  'secret_readers',
  { userId: text('user_id').notNull(), secretId: ofSecret() },
  (table) => [
    primaryKey({ columns: [table.userId, table.secretId] }),
    index('secret_readers_secret').on(table.secretId),
  ],
)

export const secretMetadata = sqliteTable(
  'secret_metadata',
  { secretId: ofSecret(), key: text('key').notNull(), value: text('value').notNull() },
  (table) => [primaryKey({ columns: [table.secretId, table.key] })],
)

export const secretConsumers = sqliteTable(
  'secret_consumers',
  {
    seq: seq(),
    id: text('id').notNull(),
    secretId: ofSecret(),
    /** The project that registered it, which is not always the secret's: its quota counts it. */
    projectId: text('project_id').notNull(),
    service: text('service').notNull(),
    resourceType: text('resource_type').notNull(),
    resourceId: text('resource_id').notNull(),
    ...times,
  },
  (table) => [
    uniqueIndex('secret_consumers_id').on(table.id),
    uniqueIndex('secret_consumers_identity').on(table.secretId, table.service, table.resourceType, table.resourceId),
    index('secret_consumers_project').on(table.projectId),
  ],
)

export const containers = sqliteTable(
  'containers',
  {
    seq: seq(),
    id: text('id').notNull(),
    projectId: text('project_id').notNull(),
    creatorId: text('creator_id'),
    name: text('name'),
    type: text('type').notNull(),
    ...times,
    ...acl(),
    mac: mac(),
  },
  (table) => [uniqueIndex('containers_id').on(table.id), index('containers_project').on(table.projectId)],
)

export const containerSecrets = sqliteTable(
  'container_secrets',
  {
    seq: seq(),
    containerId: ofContainer(),
    secretId: ofSecret(),
    name: text('name'),
    mac: mac(),
  },
  (table) => [
    index('container_secrets_container').on(table.containerId),
    index('container_secrets_secret').on(table.secretId),
  ],
)

export const containerConsumers = sqliteTable(
  'container_consumers',
  {
    seq: seq(),
    id: text('id').notNull(),
    containerId: ofContainer(),
    projectId: text('project_id').notNull(),
    name: text('name').notNull(),
    url: text('url').notNull(),
    ...times,
  },
  (table) => [
    uniqueIndex('container_consumers_id').on(table.id),
    uniqueIndex('container_consumers_identity').on(table.containerId, table.name, table.url),
    index('container_consumers_project').on(table.projectId),
  ],
)

export const orders = sqliteTable(
  'orders',
  {
    seq: seq(),
    id: text('id').notNull(),
    projectId: text('project_id').notNull(),
    creatorId: text('creator_id').notNull(),
    type: text('type').notNull(),
    /** What was asked for, as JSON text; GET shows it. It never holds key material. */
    meta: text('meta').notNull(),
    status: text('status').notNull(),
    subStatus: text('sub_status'),
    subStatusMessage: text('sub_status_message'),
    errorStatusCode: text('error_status_code'),
    errorReason: text('error_reason'),
    secretId: text('secret_id'),
    containerId: text('container_id'),
    ...times,
    /** What the secrets that it makes show as their content type; null: nothing. */
    contentType: text('content_type'),
    /** While PENDING: how often it has been run, and when it is to be run again unless it is finished by then. */
    attempts: integer('attempts').notNull().default(0),
    due: text('due'),
    /** While PENDING: the passphrase for what is made, sealed under the project's key of this store and version. */
    store: text('store'),
    keyVersion: integer('key_version'),
    mac: mac(),
    sealed: bytes('sealed'),
    /** Who asked last: placed it, or gave it another `meta`. Its run has the rights of this user; null: of the creator. */
    requesterId: text('requester_id'),
  },
  (table) => [
    uniqueIndex('orders_id').on(table.id),
    index('orders_project').on(table.projectId),
    index('orders_key')
      .on(table.projectId, table.store, table.keyVersion)
      .where(sql`key_version is not null`),
    index('orders_due')
      .on(table.projectId, table.due)
      .where(sql`due is not null`),
  ],
)

/**
 * How many rows of each kind a project has. Triggers keep it, in the transaction of whatever changes the rows. Nothing
 * else writes here. Consumers are counted for the project that registered them.
 */
export const projectCounts = sqliteTable('project_counts', {
  projectId: text('project_id').primaryKey(),
  secrets: integer('secrets').notNull().default(0),
  orders: integer('orders').notNull().default(0),
  containers: integer('containers').notNull().default(0),
  secretConsumers: integer('secret_consumers').notNull().default(0),
  containerConsumers: integer('container_consumers').notNull().default(0),
})

/** The limits that a project was given; null: the configured default applies. */
export const projectQuotas = sqliteTable(
  'project_quotas',
  {
    seq: seq(),
    projectId: text('project_id').notNull(),
    secrets: integer('secrets'),
    orders: integer('orders'),
    containers: integer('containers'),
    consumers: integer('consumers'),
    cas: integer('cas'),
  },
  (table) => [uniqueIndex('project_quotas_project').on(table.projectId)],
)

/** The secret store that a project chose for its new secrets. */
export const preferredStores = sqliteTable('preferred_stores', {
  projectId: text('project_id').primaryKey(),
  store: text('store').notNull(),
})

/** What stands in the place of a project in authorities of the time when there was one for all projects. */
const NO_PROJECT = 'certificate authority'

/**
 * The certificate authorities of projects, one after the other in each: the newest issues until what it issues would
 * outlive it, the older ones stay for their revocation lists.
 */
export const certificateAuthorities = sqliteTable(
  'certificate_authorities',
  {
    id: text('id').primaryKey(),
    /** From 1, in the order in which they were made, whatever their project. */
    generation: integer('generation').notNull(),
    /** Certificates, DER. */
    root: bytes('root').notNull(),
    issuing: bytes('issuing').notNull(),
    /** When the issuing certificate ends. */
    expiration: text('expiration').notNull(),
    created: text('created').notNull(),
    store: text('store').notNull(),
    keyVersion: integer('key_version').notNull(),
    mac: mac(),
    /** The private keys, PKCS#8, sealed. */
    rootSealed: bytes('root_sealed').notNull(),
    issuingSealed: bytes('issuing_sealed').notNull(),
    /** Last, and with a default, because it was added to a table that there was. */
    projectId: text('project_id').notNull().default(NO_PROJECT),
  },
  (table) => [
    uniqueIndex('certificate_authorities_generation').on(table.generation),
    index('certificate_authorities_project').on(table.projectId, table.generation),
  ],
)

/** What the authorities have issued. A row outlives the container, because a certificate does. */
export const issuedCertificates = sqliteTable(
  'issued_certificates',
  {
    serial: text('serial').primaryKey(),
    authorityId: text('authority_id').notNull(),
    projectId: text('project_id').notNull(),
    containerId: text('container_id').notNull(),
    expiration: text('expiration').notNull(),
    created: text('created').notNull(),
    /** When it was revoked; null: it is good. */
    revoked: text('revoked'),
    mac: mac(),
  },
  (table) => [
    index('issued_certificates_container').on(table.containerId),
    index('issued_certificates_project').on(table.projectId, table.authorityId, table.created),
    index('issued_certificates_revoked')
      .on(table.authorityId, table.expiration)
      .where(sql`revoked is not null`),
  ],
)
