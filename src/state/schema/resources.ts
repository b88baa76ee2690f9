/**
 * The tables of the Key Manager. `npm run migration` generates `migrations/` from the tables in this folder and from
 * `triggers.ts`.
 *
 * `seq` is the creation order: lists are oldest first, and pages remain stable while rows are added. Times are UTC text
 * of 26 characters (`2026-11-22T00:15:50.123000`), which sorts chronologically. Ids of projects and users are opaque.
 * Rows that belong to a secret or container are deleted with it.
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
/** The MAC of the row; `integrity/protection.ts` defines the columns that it covers. */
const mac = () => text('mac').notNull()
const times = { created: text('created').notNull(), updated: text('updated').notNull() }

/**
 * The read ACL of a secret or container, in the entity's row; all null if it has none. `users` is a JSON array of ids.
 */
const acl = () => ({
  aclProjectAccess: integer('acl_project_access', { mode: 'boolean' }),
  aclUsers: text('acl_users'),
  aclCreated: text('acl_created'),
  aclUpdated: text('acl_updated'),
})

/**
 * The versions of a project's key in a secret store, each wrapped under the master key `masterKeyId`. The newest
 * version seals new values, which triggers enforce; superseded ones only open the values that they have sealed.
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
    /** When a newer version superseded it; null if it is the newest one. */
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
 * Projects whose keys and rows are destroyed from `due` on. The row is never deleted afterwards, so that the project
 * cannot get a key again.
 */
export const projectDestructions = sqliteTable(
  'project_destructions',
  {
    projectId: text('project_id').primaryKey(),
    due: text('due').notNull(),
    /** When the last row of the project was deleted; null until then. */
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
    /** Shown as `content_types.default`; null for a secret without payload and for some that orders generated. */
    contentType: text('content_type'),
    /** The secret store and the version of the project key under which `sealed` is sealed. */
    store: text('store').notNull(),
    keyVersion: integer('key_version'),
    mac: mac(),
    /** The sealed payload; null if there is none yet. Behind the first columns, so that reading them does not read it. */
    sealed: bytes('sealed'),
    /** False if the payload is a key that nobody can read; null if it can be read. */
    extractable: integer('extractable', { mode: 'boolean' }),
    /** JSON of what the key may be used for, if it is not what the kind of the secret says. */
    usages: text('usages'),
    /** JSON of who may use the key without reading it; null if there is no such ACL. */
    useGrants: text('use_grants'),
    // What follows is null until it is needed: SQLite reads past a payload only for a column that has a value.
    /** The number of the present payload; null: 1. Older payloads are in `secret_versions`. */
    version: integer('version'),
    /** When the present payload was stored, by whom (null: the service) and how; all null if with the secret. */
    versionCreated: text('version_created'),
    versionCreator: text('version_creator'),
    versionOrigin: text('version_origin'),
    /** `replace`: a PUT without `If-Match` makes a version as well; null: it is refused. */
    put: text('put'),
    /** The number of payloads that are kept, the present one included; null: KEEP_VERSIONS. */
    keep: integer('keep'),
    /** The age in days at which the service replaces a key that it made, also one with consumers; null: never. */
    rotateDays: integer('rotate_days'),
    rotateConsumed: integer('rotate_consumed', { mode: 'boolean' }),
    rotationDue: text('rotation_due'),
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
    /** Finds the secrets that have expired but are not deleted yet, which are subtracted from the project's count. */
    index('secrets_expired')
      .on(table.projectId, table.expiration)
      .where(sql`expiration is not null`),
    index('secrets_rotation')
      .on(table.rotationDue)
      .where(sql`rotation_due is not null`),
  ],
)

/** Finds the secrets whose ACL names a user. It is only an index: the ACL in the secret's row is authoritative. */
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
    /** The project that registered the consumer and whose quota counts it. The secret may belong to another project. */
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
    /** The request, as JSON text, which GET returns. It never contains key material. */
    meta: text('meta').notNull(),
    status: text('status').notNull(),
    subStatus: text('sub_status'),
    subStatusMessage: text('sub_status_message'),
    errorStatusCode: text('error_status_code'),
    errorReason: text('error_reason'),
    secretId: text('secret_id'),
    containerId: text('container_id'),
    ...times,
    /** The content type of the generated secrets; null if they show none. */
    contentType: text('content_type'),
    /** While PENDING: the number of attempts, and when the next one starts unless the order has ended. */
    attempts: integer('attempts').notNull().default(0),
    due: text('due'),
    /** While PENDING: the passphrase for the private key, sealed under the project's key of this store and version. */
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
 * The number of rows of each kind per project. Only triggers write it, in the transaction that changes the rows.
 * Consumers are counted for the project that registered them.
 */
export const projectCounts = sqliteTable('project_counts', {
  projectId: text('project_id').primaryKey(),
  secrets: integer('secrets').notNull().default(0),
  orders: integer('orders').notNull().default(0),
  containers: integer('containers').notNull().default(0),
  secretConsumers: integer('secret_consumers').notNull().default(0),
  containerConsumers: integer('container_consumers').notNull().default(0),
})

/** Limits that were set for a project; null if the configured default applies. */
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
    /** The certificates, as DER. */
    root: bytes('root').notNull(),
    issuing: bytes('issuing').notNull(),
    /** When the issuing certificate expires. */
    expiration: text('expiration').notNull(),
    created: text('created').notNull(),
    store: text('store').notNull(),
    keyVersion: integer('key_version').notNull(),
    mac: mac(),
    /** The private keys, PKCS#8, sealed under the authorities' key of this store and version. */
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

/** Issued certificates. A row is kept when its container is deleted, because the certificate remains valid. */
export const issuedCertificates = sqliteTable(
  'issued_certificates',
  {
    serial: text('serial').primaryKey(),
    authorityId: text('authority_id').notNull(),
    projectId: text('project_id').notNull(),
    containerId: text('container_id').notNull(),
    expiration: text('expiration').notNull(),
    created: text('created').notNull(),
    /** When the certificate was revoked; null if it was not. */
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
