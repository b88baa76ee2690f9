/** The rows of secrets: which columns make a secret, and the statements that read it. */
import { and, eq, sql, type Placeholder, type SQL } from 'drizzle-orm'
import { aclColumns, aclRow, guarded } from '../acl-columns.ts'
import { build, preparedSelect, type Statement } from '../database/prepared.ts'
import { atMostShown, inOrder } from '../database/statements.ts'
import type { ConsumerOfSecret, Secret, SecretRow } from '../entities.ts'
import { requireAuthentic } from '../integrity/row-authentication.ts'
import { secrets } from '../schema/resources.ts'
import type { KeyedScope, Scope } from '../scope.ts'

/** The secret exists and has not expired. */
export function live(now: string | Placeholder): SQL {
  return sql`(${secrets.expiration} is null or ${secrets.expiration} > ${now})`
}

/**
 * Null unless they are wanted: a secret may have many. Written with literal names: in a selection drizzle leaves the
 * table's name out, which a subquery needs.
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
  mac: secrets.mac,
  ...aclColumns(secrets),
  consumers: consumersAsJson(withConsumers),
})

/** What the MAC of a secret's row covers, of a row that was read. */
export const protectedRow = <Row extends Omit<SecretRow, 'consumers'>>(row: Row) => ({ ...row, sealed: row.hasPayload })
/** What the MAC of a secret's row covers, of the secret itself. */
export const protectedSecret = (secret: Secret) => ({ ...secret, ...aclRow(secret.acl), sealed: secret.hasPayload })

/** The secret of an authentic row read with {@link secretColumns}; further columns stay as they are. */
export function asSecret<Row extends SecretRow>(row: Row): Omit<Row, keyof SecretRow> & Secret {
  return {
    ...row,
    ...guarded(row),
    hasPayload: row.hasPayload === 1,
    consumers: row.consumers === null ? null : inOrder<ConsumerOfSecret>(row.consumers),
  }
}

/** The secret of a row; throws `RowRefused` when the row is not authentic. */
export async function authenticSecret<Row extends SecretRow>(scope: KeyedScope, row: Row) {
  await requireAuthentic(scope, 'secrets', protectedRow(row))
  return asSecret(row)
}

/** The secret with this `id` if it is live at `now`. */
export const isLiveSecret = and(eq(secrets.id, sql.placeholder('id')), live(sql.placeholder('now')))
/** The columns of a secret that is read by itself. */
export const foundColumns = secretColumns(sql.placeholder('withConsumers'))
const secretBy = preparedSelect(foundColumns, (columns) => build.select(columns).from(secrets).where(isLiveSecret))

/** Reads the live secret with this id, of whatever project. */
export const selectSecret = ({ now }: Pick<Scope, 'now'>, id: string, withConsumers: boolean): Statement<SecretRow[]> =>
  secretBy({ id, now, withConsumers })

/** The row is this secret's, in the project that it was found in. */
export function secretIs(secret: Pick<Secret, 'id' | 'projectId'>): SQL {
  return sql`${secrets.id} = ${secret.id} and ${secrets.projectId} = ${secret.projectId}`
}
