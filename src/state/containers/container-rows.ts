/** The rows of containers: which columns make a container, and the statement that reads it. */
import { eq, sql, type Placeholder } from 'drizzle-orm'
import { atMostShown, inOrder } from '../database/statements.ts'
import type { KeyedStore, Store } from '../scope.ts'
import { writtenSelect } from '../database/written.ts'
import { aclColumns, aclRow, guarded, type AclRow, type Guarded } from '../acl-columns.ts'
import { authentic, requireAuthentic } from '../integrity/row-authentication.ts'
import { containers } from '../schema/resources.ts'

/** A secret in a container under a name; null: it was given without one. */
export interface NamedSecret {
  readonly name: string | null
  readonly secretId: string
}

export interface ConsumerOfContainer {
  readonly name: string
  readonly URL: string
}

export interface Container extends Guarded {
  readonly id: string
  readonly name: string | null
  readonly type: string
  readonly created: string
  readonly updated: string
  /** The code of its row: a change is stored only over the row that it was made from. */
  readonly mac: string
  readonly secrets: readonly NamedSecret[]
  readonly consumers: readonly ConsumerOfContainer[]
}

/**
 * References to secrets that have expired are hidden like the secrets themselves. Written with literal names: in a
 * selection drizzle leaves the table's name away, which a subquery needs.
 */
const secretsAsJson = (now: string | Placeholder) => sql<string>`(
  select json_group_array(json_array(container_secrets.seq,
    json_object('name', container_secrets.name, 'secretId', container_secrets.secret_id,
      'containerId', container_secrets.container_id, 'mac', container_secrets.mac)))
  from container_secrets join secrets on secrets.id = container_secrets.secret_id
  where container_secrets.container_id = containers.id
    and (secrets.expiration is null or secrets.expiration > ${now}))`

const consumersAsJson = sql<string>`(
  select json_group_array(json_array(seq, json_object('name', name, 'URL', url)))
  from (select * from container_consumers where container_consumers.container_id = containers.id ${atMostShown}))`

/** The columns of a {@link Container}. */
export const containerColumns = (now: string | Placeholder) => ({
  id: containers.id,
  projectId: containers.projectId,
  creatorId: containers.creatorId,
  name: containers.name,
  type: containers.type,
  created: containers.created,
  updated: containers.updated,
  mac: containers.mac,
  ...aclColumns(containers),
  secrets: secretsAsJson(now),
  consumers: consumersAsJson,
})

export interface ContainerRow extends Omit<Container, 'secrets' | 'consumers' | keyof Guarded>, AclRow {
  readonly secrets: string
  readonly consumers: string
}

/** A reference as it is read. */
interface MemberRow extends NamedSecret {
  readonly containerId: string
  readonly mac: string
}

const membersOf = (row: ContainerRow) => inOrder<MemberRow>(row.secrets)

/** The container of an authentic row read with {@link containerColumns}. */
export function asContainer(row: ContainerRow, members: readonly MemberRow[] = membersOf(row)): Container {
  return {
    ...row,
    ...guarded(row),
    secrets: members.map(({ name, secretId }) => ({ name, secretId })),
    consumers: inOrder<ConsumerOfContainer>(row.consumers),
  }
}

/** What the code of a container's row covers. */
export const protectedContainer = (container: Container) => ({ ...container, ...aclRow(container.acl) })

/** The containers of those rows that are authentic, with those of their references that are. */
export async function authenticContainers(backend: KeyedStore, rows: readonly ContainerRow[]): Promise<Container[]> {
  const passed = await authentic(backend, 'containers', rows)
  return Promise.all(
    passed.map(async (row) => asContainer(row, await authentic(backend, 'containerSecrets', membersOf(row)))),
  )
}

/** The container of a row; throws `RowRefused` when the row, or a reference in it, is not authentic. */
export async function authenticContainer(backend: KeyedStore, row: ContainerRow): Promise<Container> {
  await requireAuthentic(backend, 'containers', row)
  for (const member of membersOf(row)) await requireAuthentic(backend, 'containerSecrets', member)
  return asContainer(row)
}

const foundColumns = containerColumns(sql.placeholder('now'))
/** Reads the container with this `id`, as it is `now`. */
export const containerBy = writtenSelect(foundColumns, (db, columns) =>
  db
    .select(columns)
    .from(containers)
    .where(eq(containers.id, sql.placeholder('id'))),
)

/** The statement that reads the container with this id, for a batch. */
export const findContainerBy = (store: Store, id: string) => containerBy.inBatch(store, { id, now: store.now })
