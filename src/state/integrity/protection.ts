/**
 * What protects each column of each table from whoever can write to the database: the one place that says so.
 *
 * - `authenticated`: the row's MAC covers it. A row that was edited, swapped or copied does not pass. An older state of
 *   the same row passes: that of a secret, container or order is found by the ledger of the project's object.
 * - `present`: the MAC covers whether there is a value; the value is sealed.
 * - `sealed`: AES-256-GCM with the row's place as associated data, or what finds the key of such a value: a wrong one
 *   does not open.
 * - anything else: neither, and the text says why nothing is opened or granted by it.
 *
 * A column without a rule does not compile, a table without rules breaks a test.
 */
import { getTableColumns } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { auditEvents } from '../schema/audit.ts'
import { applicationCredentials, identityProjects, identityRoles, identityUsers } from '../schema/identity.ts'
import { revokedTokens, roleAssignments } from '../schema/identity.ts'
import * as tables from '../schema/resources.ts'

export type Protection = 'authenticated' | 'present' | 'sealed' | { readonly neither: string }

export interface ProtectedTable<Table extends SQLiteTable = SQLiteTable> {
  readonly table: Table
  /** The member that names the project whose key authenticates the row; null: the key of the deployment. */
  readonly project: PropertyKey | null
  readonly columns: Readonly<Record<string, Protection>>
}

type Columns<Table extends SQLiteTable> = Exclude<keyof Table['_']['columns'], 'mac'>
type Rules<Table extends SQLiteTable> = Readonly<Record<Columns<Table>, Protection>>

/** A row may also be given its project beside its columns, where it belongs to a row that has one. */
const rules = <Table extends SQLiteTable, const Project extends Columns<Table> | 'projectId' | null>(
  table: Table,
  project: Project,
  columns: Rules<Table>,
) => ({ table, project, columns })

const yes = 'authenticated'
const neither = (why: string): Protection => ({ neither: why })
const place = neither('the order of lists; given by the database')
const moment = neither('says when something happened; nothing is decided by it')
const count = neither('kept by the database for totals and limits; the rows can be counted again')
const index = neither('finds rows; the authenticated row that it finds decides')
const description = neither('describes; nothing is decided by it')
const limit = neither('is compared with a count that is not authenticated either; no secret is opened by it')
const preference = neither('says where new secrets are kept; each store seals under keys of the same project')
const registration = neither('a registration; it grants nothing, and its removal is asked of the rules first')
const progress = neither('says how far the order is, or points at a result that its own row guards')

const acl = { aclProjectAccess: yes, aclUsers: yes, aclCreated: yes, aclUpdated: yes } as const

/** The tables whose rows carry a MAC, and what protects each of their columns; see `row-authentication.ts`. */
export const protectedTables = {
  secrets: rules(tables.secrets, 'projectId', {
    seq: place,
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
    updated: moment,
    ...acl,
    contentType: yes,
    store: 'sealed',
    keyVersion: 'sealed',
    sealed: 'present',
  }),
  containers: rules(tables.containers, 'projectId', {
    seq: place,
    id: yes,
    projectId: yes,
    creatorId: yes,
    name: yes,
    type: yes,
    created: yes,
    updated: moment,
    ...acl,
  }),
  containerSecrets: rules(tables.containerSecrets, 'projectId', {
    seq: place,
    containerId: yes,
    secretId: yes,
    name: yes,
  }),
  orders: rules(tables.orders, 'projectId', {
    seq: place,
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
    updated: moment,
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
    generation: place,
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
    seq: place,
    id: yes,
    name: yes,
    folded: yes,
    created: yes,
    passwordHash: yes,
    tokenEpoch: yes,
    enabled: yes,
    defaultProjectId: neither('where a log-in without a scope leads, if the user has a role there'),
    extra: yes,
  }),
  identityProjects: rules(identityProjects, null, {
    seq: place,
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
    seq: place,
    id: yes,
    name: yes,
    folded: yes,
    created: yes,
    description: yes,
    immutable: yes,
  }),
  roleAssignments: rules(roleAssignments, null, { seq: place, userId: yes, projectId: yes, roleId: yes }),
  applicationCredentials: rules(applicationCredentials, null, {
    seq: place,
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
} as const satisfies Readonly<Record<string, ProtectedTable>>

/** Tables whose rows carry no MAC, and why none is needed. */
export const otherTables = {
  projectKeys: {
    projectId: 'sealed',
    store: 'sealed',
    version: 'sealed',
    masterKeyId: neither('finds keys that are to be rewrapped; the wrapped key names its master key itself'),
    wrapped: 'sealed',
    created: moment,
    superseded: neither('says which key seals; each of them opens what names it'),
  },
  projectDestructions: {
    projectId: neither('a destruction that is asked for; its absence leaves things as they are'),
    due: moment,
    finished: moment,
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
    seq: place,
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
    seq: place,
    id: registration,
    secretId: registration,
    projectId: registration,
    service: registration,
    resourceType: registration,
    resourceId: registration,
    created: moment,
    updated: moment,
  },
  containerConsumers: {
    seq: place,
    id: registration,
    containerId: registration,
    projectId: registration,
    name: registration,
    url: registration,
    created: moment,
    updated: moment,
  },
  revokedTokens: {
    auditId: neither('ends the power of a token; without it the token ends within the hour'),
    expires: moment,
  },
  auditEvents: Object.fromEntries(
    Object.keys(getTableColumns(auditEvents)).map((column) => [column, neither('the chain of the log covers it')]),
  ) as Record<keyof (typeof auditEvents)['_']['columns'], Protection>,
} as const satisfies {
  readonly [Name in Exclude<keyof typeof tables, keyof typeof protectedTables>]: Readonly<
    Record<keyof (typeof tables)[Name]['_']['columns'], Protection>
  >
} & {
  readonly auditEvents: Readonly<Record<keyof (typeof auditEvents)['_']['columns'], Protection>>
} & { readonly revokedTokens: Readonly<Record<keyof (typeof revokedTokens)['_']['columns'], Protection>> }

export type ProtectedName = keyof typeof protectedTables
