/** The rows of secrets: the columns of a secret, and the statement that reads it. */
import { and, eq, sql, type Placeholder, type SQL } from 'drizzle-orm'
import { aclColumns, aclRow, guarded } from '../acl-columns.ts'
import { build, preparedSelect, type Statement } from '../database/prepared.ts'
import { atMostShown, inOrder } from '../database/statements.ts'
import type { ConsumerOfSecret, Secret, SecretRow, UseAcl } from '../entities.ts'
import { requireAuthentic } from '../integrity/row-authentication.ts'
import { secrets } from '../schema/resources.ts'
import type { KeyedScope, Scope } from '../scope.ts'

/** SQL: the secret has not expired. */
export function live(now: string | Placeholder): SQL {
  return sql`(${secrets.expiration} is null or ${secrets.expiration} > ${now})`
}

/**
 * SQL: the consumers of a secret as JSON, or null unless `wanted`, because there may be many. Names are literal,
 * because drizzle omits table names in a selection and the subquery needs them.
 */
const consumersAsJson = (wanted: boolean | Placeholder) => sql<string | null>`case when ${wanted} then (
  select json_group_array(json_array(seq,
    json_object('service', service, 'resource_type', resource_type, 'resource_id', resource_id)))
  from (select * from secret_consumers where secret_consumers.secret_id = secrets.id ${atMostShown})) end`

/** The columns of a {@link SecretRow}. */
export const secretColumns = (withConsumers: boolean | Placeholder) => ({
  id: secrets.id,
  projectId: secrets.projectId,
  creatorId: secrets.creatorId,
  name: secrets.name,
  secretType: secrets.secretType,
  algorithm: secrets.algorithm,
  mode: secrets.mode,
  bitLength: secrets.bitLength,
  expiration: secrets.expiration,
  created: secrets.created,
  updated: secrets.updated,
  contentType: secrets.contentType,
  hasPayload: sql<number>`${secrets.sealed} is not null`,
  version: secrets.version,
  versionCreated: secrets.versionCreated,
  versionCreator: secrets.versionCreator,
  versionOrigin: secrets.versionOrigin,
  put: secrets.put,
  keep: secrets.keep,
  rotateDays: secrets.rotateDays,
  rotateConsumed: secrets.rotateConsumed,
  rotationDue: secrets.rotationDue,
  mac: secrets.mac,
  ...aclColumns(secrets),
  extractable: secrets.extractable,
  usages: secrets.usages,
  useGrants: secrets.useGrants,
  consumers: consumersAsJson(withConsumers),
})

/** The columns that the MAC covers, from a row that was read. */
export const protectedRow = <Row extends Omit<SecretRow, 'consumers'>>(row: Row) => ({ ...row, sealed: row.hasPayload })
/** The columns that the MAC covers, from a secret. */
export const protectedSecret = (secret: Secret) => ({ ...secret, ...aclRow(secret.acl), sealed: secret.hasPayload })

/** Converts an authentic row that was read with {@link secretColumns} to a secret; other columns are kept unchanged. */
export function asSecret<Row extends SecretRow>(row: Row): Omit<Row, keyof SecretRow> & Secret {
  return {
    ...row,
    ...guarded(row),
    use: row.useGrants === null ? null : (JSON.parse(row.useGrants) as UseAcl),
    hasPayload: row.hasPayload === 1,
    consumers: row.consumers === null ? null : inOrder<ConsumerOfSecret>(row.consumers),
  }
}

/** Converts a row to a secret; throws `RowRefused` if the row is not authentic. */
export async function authenticSecret<Row extends SecretRow>(scope: KeyedScope, row: Row) {
  await requireAuthentic(scope, 'secrets', protectedRow(row))
  return asSecret(row)
}

export const FIRST_VERSION = 1
/** The origin of a payload that the service made. */
export const GENERATED = 'generated'

/** The number of the present payload; null without one. */
export const presentVersion = ({ hasPayload, version }: Pick<Secret, 'hasPayload' | 'version'>): number | null =>
  hasPayload ? (version ?? FIRST_VERSION) : null

/** SQL: the secret has the placeholder `id` and is live at `now`. */
export const isLiveSecret = and(eq(secrets.id, sql.placeholder('id')), live(sql.placeholder('now')))
/** The columns of a select of one secret, with the placeholder `withConsumers`. */
export const foundColumns = secretColumns(sql.placeholder('withConsumers'))
const secretBy = preparedSelect(foundColumns, (columns) => build.select(columns).from(secrets).where(isLiveSecret))

/** Reads the live secret with this id, in any project. */
export const selectSecret = ({ now }: Pick<Scope, 'now'>, id: string, withConsumers: boolean): Statement<SecretRow[]> =>
  secretBy({ id, now, withConsumers })

/** SQL: the row has this secret's id and project. */
export function secretIs(secret: Pick<Secret, 'id' | 'projectId'>): SQL {
  return sql`${secrets.id} = ${secret.id} and ${secrets.projectId} = ${secret.projectId}`
}
