/**
 * The protection of every column against an attacker who can write to the database. This is the only place that defines
 * it.
 *
 * - `authenticated`: the row's MAC covers the column, so a row that was edited, swapped or copied is rejected. An older
 *   version of the same row is not rejected; for secrets, containers and orders the ledger of the project's object
 *   detects it.
 * - `present`: the MAC covers whether there is a value, and the value itself is sealed.
 * - `sealed`: AES-256-GCM with the row's place as associated data, or a column that selects the key of such a value.
 *   After a change of either, the value cannot be opened.
 * - `unprotected`: neither authenticated nor sealed. The text says why a change reveals no secret and grants no access.
 *
 * A column without a rule is a compile error, and a table without rules fails a test.
 */
import { getTableColumns } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { auditEvents } from '../schema/audit.ts'
import { applicationCredentials, identityProjects, identityRoles, identityUsers } from '../schema/identity.ts'
import { loginAttempts, revokedTokens, roleAssignments } from '../schema/identity.ts'
import { deployments, heartbeats } from '../schema/deployment.ts'
import * as tables from '../schema/resources.ts'
import { secretVersions } from '../schema/secret-versions.ts'

export type Protection = 'authenticated' | 'present' | 'sealed' | { readonly unprotected: string }

export interface ProtectedTable<Table extends SQLiteTable = SQLiteTable> {
  readonly table: Table
  /** The column with the project whose key authenticates the row; null if it is the deployment's key. */
  readonly project: PropertyKey | null
  readonly columns: Readonly<Record<string, Protection>>
}

type Columns<Table extends SQLiteTable> = Exclude<keyof Table['_']['columns'], 'mac'>
type Rules<Table extends SQLiteTable> = Readonly<Record<Columns<Table>, Protection>>

/**
 * `project` may also be `projectId` for a table without that column: rows then take it from the row that they belong
 * to.
 */
const rules = <Table extends SQLiteTable, const Project extends Columns<Table> | 'projectId' | null>(
  table: Table,
  project: Project,
  columns: Rules<Table>,
) => ({ table, project, columns })

const yes = 'authenticated'
const unprotected = (reason: string): Protection => ({ unprotected: reason })
const position = unprotected('determines the order of lists; assigned by the database')
const timestamp = unprotected('records when something happened; no decision depends on it')
const count = unprotected('maintained by triggers for totals and limits; can be recomputed from the rows')
const index = unprotected('only finds rows; the decision depends on the authenticated row that was found')
const description = unprotected('user metadata; no decision depends on it')
const limit = unprotected('compared with a count that is not authenticated either; gives access to no secret')
const preference = unprotected('selects the store of new secrets; every store seals under keys of the same project')
const registration = unprotected(
  'a consumer registration; grants nothing, and the access rules are checked before removal',
)
const progress = unprotected('the progress of an order, or the id of a result whose own row is authenticated')
const attempt = unprotected(
  'slows guesses; whoever can write here gains attempts, each of which still costs a slow hash',
)

const acl = { aclProjectAccess: yes, aclUsers: yes, aclCreated: yes, aclUpdated: yes } as const

/** The tables whose rows carry a MAC, and the protection of their columns; see `row-authentication.ts`. */
export const protectedTables = {
  secrets: rules(tables.secrets, 'projectId', {
    seq: position,
    id: yes,
    projectId: yes,
    creatorId: yes,
    name: yes,
    secretType: yes,
    algorithm: yes,
    mode: yes,
    bitLength: yes,
    expiration: yes,
    created: yes,
    updated: timestamp,
    ...acl,
    contentType: yes,
    store: 'sealed',
    keyVersion: 'sealed',
    sealed: 'present',
    extractable: yes,
    usages: yes,
    useGrants: yes,
    version: yes,
    versionCreated: yes,
    versionCreator: yes,
    versionOrigin: unprotected('says how the payload came about; whoever has a key rotated may replace it anyway'),
    put: yes,
    keep: yes,
    rotateDays: yes,
    rotateConsumed: yes,
    rotationDue: yes,
  }),
  secretVersions: rules(secretVersions, 'projectId', {
    seq: position,
    id: yes,
    secretId: yes,
    projectId: yes,
    version: yes,
    enabled: yes,
    created: yes,
    creatorId: yes,
    origin: yes,
    contentType: yes,
    destroyed: unprotected('hides the payload, which whoever can write here can delete as well'),
    store: 'sealed',
    keyVersion: 'sealed',
    // Not `present`: payloads are destroyed in one statement, by which time nobody has read their rows.
    sealed: 'sealed',
  }),
  containers: rules(tables.containers, 'projectId', {
    seq: position,
    id: yes,
    projectId: yes,
    creatorId: yes,
    name: yes,
    type: yes,
    created: yes,
    updated: timestamp,
    ...acl,
  }),
  containerSecrets: rules(tables.containerSecrets, 'projectId', {
    seq: position,
    containerId: yes,
    secretId: yes,
    name: yes,
  }),
  orders: rules(tables.orders, 'projectId', {
    seq: position,
    id: yes,
    projectId: yes,
    creatorId: yes,
    requesterId: yes,
    type: yes,
    meta: yes,
    status: progress,
    subStatus: progress,
    subStatusMessage: progress,
    errorStatusCode: progress,
    errorReason: progress,
    secretId: progress,
    containerId: progress,
    created: yes,
    updated: timestamp,
    contentType: yes,
    attempts: progress,
    due: progress,
    store: 'sealed',
    keyVersion: 'sealed',
    sealed: 'sealed',
  }),
  certificateAuthorities: rules(tables.certificateAuthorities, 'projectId', {
    id: yes,
    projectId: yes,
    generation: position,
    root: yes,
    issuing: yes,
    expiration: yes,
    created: yes,
    store: 'sealed',
    keyVersion: 'sealed',
    rootSealed: 'sealed',
    issuingSealed: 'sealed',
  }),
  issuedCertificates: rules(tables.issuedCertificates, null, {
    serial: yes,
    authorityId: yes,
    projectId: yes,
    containerId: yes,
    expiration: yes,
    created: yes,
    revoked: yes,
  }),
  identityUsers: rules(identityUsers, null, {
    seq: position,
    id: yes,
    name: yes,
    folded: yes,
    created: yes,
    passwordHash: yes,
    tokenEpoch: yes,
    enabled: yes,
    defaultProjectId: unprotected('the scope of a log-in without one; the user must have a role there'),
    extra: yes,
  }),
  identityProjects: rules(identityProjects, null, {
    seq: position,
    id: yes,
    name: yes,
    folded: yes,
    created: yes,
    description: yes,
    enabled: yes,
    administrative: yes,
    extra: yes,
  }),
  identityRoles: rules(identityRoles, null, {
    seq: position,
    id: yes,
    name: yes,
    folded: yes,
    created: yes,
    description: yes,
    immutable: yes,
  }),
  roleAssignments: rules(roleAssignments, null, { seq: position, userId: yes, projectId: yes, roleId: yes }),
  applicationCredentials: rules(applicationCredentials, null, {
    seq: position,
    id: yes,
    userId: yes,
    projectId: yes,
    name: yes,
    description: yes,
    secretHash: yes,
    roleIds: yes,
    unrestricted: yes,
    expires: yes,
    created: yes,
  }),
  deployments: rules(deployments, null, {
    place: unprotected('the place of the only row'),
    id: yes,
    objects: yes,
    requires: unprotected('set by migrations, which have no keys; whoever can write here can only stop the service'),
  }),
  heartbeats: rules(heartbeats, null, { place: unprotected('the place of the only row'), at: yes }),
} as const satisfies Readonly<Record<string, ProtectedTable>>

/** The tables whose rows carry no MAC, and for each column why it needs none. */
export const otherTables = {
  projectKeys: {
    projectId: 'sealed',
    store: 'sealed',
    version: 'sealed',
    masterKeyId: unprotected('only finds keys to rewrap; the wrapped key contains the id of its master key'),
    wrapped: 'sealed',
    created: timestamp,
    superseded: unprotected('selects the key that seals new values; every version opens the values that refer to it'),
  },
  projectDestructions: {
    projectId: unprotected('a requested destruction; without the row nothing is destroyed'),
    due: timestamp,
    finished: timestamp,
  },
  projectCounts: {
    projectId: count,
    secrets: count,
    orders: count,
    containers: count,
    secretConsumers: count,
    containerConsumers: count,
  },
  projectQuotas: {
    seq: position,
    projectId: limit,
    secrets: limit,
    orders: limit,
    containers: limit,
    consumers: limit,
    cas: limit,
  },
  preferredStores: {
    projectId: preference,
    store: preference,
  },
  secretReaders: { userId: index, secretId: index },
  secretMetadata: { secretId: description, key: description, value: description },
  secretConsumers: {
    seq: position,
    id: registration,
    secretId: registration,
    projectId: registration,
    service: registration,
    resourceType: registration,
    resourceId: registration,
    created: timestamp,
    updated: timestamp,
  },
  containerConsumers: {
    seq: position,
    id: registration,
    containerId: registration,
    projectId: registration,
    name: registration,
    url: registration,
    created: timestamp,
    updated: timestamp,
  },
  revokedTokens: {
    auditId: unprotected('revokes a token; without the row the token remains valid until it expires, within the hour'),
    expires: timestamp,
  },
  loginAttempts: {
    subject: attempt,
    failures: attempt,
    allowance: attempt,
    refusedUntil: attempt,
    told: attempt,
    expires: attempt,
  },
  auditEvents: Object.fromEntries(
    Object.keys(getTableColumns(auditEvents)).map((column) => [
      column,
      unprotected('covered by the hash chain of the audit log'),
    ]),
  ) as Record<keyof (typeof auditEvents)['_']['columns'], Protection>,
} as const satisfies {
  readonly [Name in Exclude<keyof typeof tables, keyof typeof protectedTables>]: Readonly<
    Record<keyof (typeof tables)[Name]['_']['columns'], Protection>
  >
} & {
  readonly auditEvents: Readonly<Record<keyof (typeof auditEvents)['_']['columns'], Protection>>
} & {
  readonly revokedTokens: Readonly<Record<keyof (typeof revokedTokens)['_']['columns'], Protection>>
  readonly loginAttempts: Readonly<Record<keyof (typeof loginAttempts)['_']['columns'], Protection>>
}

export type ProtectedName = keyof typeof protectedTables
