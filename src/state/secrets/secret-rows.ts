/** The rows of secrets: which columns make a secret, and the statements that read it. */
import { and, eq, sql, type Placeholder, type SQL } from 'drizzle-orm'
import { atMostShown, inOrder } from '../database/statements.ts'
import type { KeyedStore, Store } from '../scope.ts'
import { writtenSelect } from '../database/written.ts'
import { aclColumns, aclRow, guarded, type AclRow, type Guarded } from '../acl-columns.ts'
import { requireAuthentic } from '../integrity/row-authentication.ts'
import { secrets } from '../schema/resources.ts'

/** Who uses a secret, as its registrations say. */
export interface ConsumerOfSecret {
  readonly service: string
  readonly resource_type: string
  readonly resource_id: string
}

/** A secret without its payload. */
export interface Secret extends Guarded {
  readonly id: string
  readonly projectId: string
  readonly creatorId: string | null
  readonly name: string | null
  readonly secretType: string
  readonly algorithm: string | null
  readonly mode: string | null
  readonly bitLength: number | null
  readonly expiration: string | null
  readonly created: string
  readonly updated: string
  readonly contentType: string | null
  readonly hasPayload: boolean
  /** The code of its row: a change is stored only over the row that it was made from. */
  readonly mac: string
  /** At most {@link MOST_SHOWN_CONSUMERS} of them; null: they were not asked for. */
  readonly consumers: readonly ConsumerOfSecret[] | null
}

/** The secret is there and has not expired. */
export function live(now: string | Placeholder): SQL {
  return sql`(${secrets.expiration} is null or ${secrets.expiration} > ${now})`
}

/**
 * Null unless they are wanted: a secret may have many. Written with literal names: in a selection drizzle leaves the
 * table's name away, which a subquery needs.
 */
const consumersAsJson = (wanted: boolean | Placeholder) => sql<string | null>`case when ${wanted} then (
  select json_group_array(json_array(seq,
    json_object('service', service, 'resource_type', resource_type, 'resource_id', resource_id)))
  from (select * from secret_consumers where secret_consumers.secret_id = secrets.id ${atMostShown})) end`

/** The columns of a {@link Secret}. */
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

export interface SecretRow extends Omit<Secret, 'hasPayload' | 'consumers' | keyof Guarded>, AclRow {
  readonly hasPayload: number
  readonly consumers: string | null
}

/** What the code of a secret's row covers, of a row that was read or of the secret itself. */
export const protectedRow = <Row extends Omit<SecretRow, 'consumers'>>(row: Row) => ({ ...row, sealed: row.hasPayload })
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
export async function authenticSecret<Row extends SecretRow>(backend: KeyedStore, row: Row) {
  await requireAuthentic(backend, 'secrets', protectedRow(row))
  return asSecret(row)
}

/** The secret with this `id` if it is live at `now`. */
export const isLiveSecret = and(eq(secrets.id, sql.placeholder('id')), live(sql.placeholder('now')))
/** The columns of a secret that is read by itself. */
export const foundColumns = secretColumns(sql.placeholder('withConsumers'))
/** Reads the secret for which {@link isLiveSecret} holds. */
export const secretBy = writtenSelect(foundColumns, (db, columns) =>
  db.select(columns).from(secrets).where(isLiveSecret),
)

/** The statement that reads the live secret with this id, for a batch. */
export const findSecretBy = (store: Store, id: string, withConsumers: boolean) =>
  secretBy.inBatch(store, { id, now: store.now, withConsumers })

/** The row is this secret's, in the project that it was found in. */
export function secretIs(secret: Secret): SQL {
  return sql`${secrets.id} = ${secret.id} and ${secrets.projectId} = ${secret.projectId}`
}
