/** The rows of containers: which columns make a container, and the statement that reads it. */
import { eq, sql } from 'drizzle-orm'
import { aclColumns, guarded, type AclRow, type Guarded } from './guarded.ts'
import { containers } from './schema.ts'
import { inOrder } from './statements.ts'
import type { Store } from './store.ts'

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
  readonly secrets: readonly NamedSecret[]
  readonly consumers: readonly ConsumerOfContainer[]
}

/**
 * References to secrets that have expired are hidden like the secrets themselves. Written with literal names: in a
 * selection drizzle leaves the table's name away, which a subquery needs.
 */
const secretsAsJson = (now: string) => sql<string>`(
  select json_group_array(json_array(container_secrets.seq,
    json_object('name', container_secrets.name, 'secretId', container_secrets.secret_id)))
  from container_secrets join secrets on secrets.id = container_secrets.secret_id
  where container_secrets.container_id = containers.id
    and (secrets.expiration is null or secrets.expiration > ${now}))`

const consumersAsJson = sql<string>`(
  select json_group_array(json_array(seq, json_object('name', name, 'URL', url)))
  from container_consumers where container_consumers.container_id = containers.id)`

/** The columns of a {@link Container}. */
export const containerColumns = (now: string) => ({
  id: containers.id,
  projectId: containers.projectId,
  creatorId: containers.creatorId,
  name: containers.name,
  type: containers.type,
  created: containers.created,
  updated: containers.updated,
  ...aclColumns(containers),
  secrets: secretsAsJson(now),
  consumers: consumersAsJson,
})

export interface ContainerRow extends Omit<Container, 'secrets' | 'consumers' | keyof Guarded>, AclRow {
  readonly secrets: string
  readonly consumers: string
}

/** The container of a row read with {@link containerColumns}. */
export function asContainer(row: ContainerRow): Container {
  return {
    ...row,
    ...guarded(row),
    secrets: inOrder<NamedSecret>(row.secrets),
    consumers: inOrder<ConsumerOfContainer>(row.consumers),
  }
}

/** The statement that reads the container with this id, for a batch. */
export function findContainerBy({ db, now }: Store, id: string) {
  return db.select(containerColumns(now)).from(containers).where(eq(containers.id, id))
}
