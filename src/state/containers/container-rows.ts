/** The rows of containers: the columns of a container, and the statement that reads it. */
import { eq, sql, type Placeholder } from 'drizzle-orm'
import { aclColumns, aclRow, guarded } from '../acl-columns.ts'
import { build, preparedSelect, type Statement } from '../database/prepared.ts'
import { atMostShown, inOrder } from '../database/statements.ts'
import type { ConsumerOfContainer, Container, ContainerRow, NamedSecret } from '../entities.ts'
import { authentic, requireAuthentic } from '../integrity/row-authentication.ts'
import { containers } from '../schema/resources.ts'
import type { KeyedScope, Scope } from '../scope.ts'

/**
 * SQL: the references of a container as JSON, without those to expired secrets, which are hidden like the secrets.
 * Names are literal, because drizzle omits table names in a selection and the subquery needs them.
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

/** The columns of a {@link ContainerRow}. */
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

/** A reference to a secret as it is read, with the project of its container, whose key authenticates the row. */
interface MemberRow extends NamedSecret {
  readonly projectId: string
  readonly containerId: string
  readonly mac: string
}

const membersOf = ({ projectId, secrets }: ContainerRow): MemberRow[] =>
  inOrder<Omit<MemberRow, 'projectId'>>(secrets).map((member) => ({ ...member, projectId }))

/** Converts an authentic row that was read with {@link containerColumns} to a container. */
function asContainer(row: ContainerRow, members: readonly MemberRow[] = membersOf(row)): Container {
  return {
    ...row,
    ...guarded(row),
    secrets: members.map(({ name, secretId }) => ({ name, secretId })),
    consumers: inOrder<ConsumerOfContainer>(row.consumers),
  }
}

/** The columns that the MAC of a container's row covers. */
export const protectedContainer = (container: Container) => ({ ...container, ...aclRow(container.acl) })

/** Converts rows to containers, omitting rows and references that are not authentic. */
export async function authenticContainers(scope: KeyedScope, rows: readonly ContainerRow[]): Promise<Container[]> {
  const authenticRows = await authentic(scope, 'containers', rows)
  return Promise.all(
    authenticRows.map(async (row) => asContainer(row, await authentic(scope, 'containerSecrets', membersOf(row)))),
  )
}

/** Converts a row to a container; throws `RowRefused` if the row or one of its references is not authentic. */
export async function authenticContainer(scope: KeyedScope, row: ContainerRow): Promise<Container> {
  await requireAuthentic(scope, 'containers', row)
  for (const member of membersOf(row)) await requireAuthentic(scope, 'containerSecrets', member)
  return asContainer(row)
}

/** SQL: the container has the placeholder `id`. */
export const isContainer = eq(containers.id, sql.placeholder('id'))
const containerBy = preparedSelect(containerColumns(sql.placeholder('now')), (columns) =>
  build.select(columns).from(containers).where(isContainer),
)

/** Reads the container with this id, in any project. */
export const selectContainer = ({ now }: Pick<Scope, 'now'>, id: string): Statement<ContainerRow[]> =>
  containerBy({ id, now })
