/** Containers: named lists of references to secrets of the same project. */
import { and, asc, eq, isNull, sql, type SQL } from 'drizzle-orm'
import type { Caller } from '../caller.ts'
import { fault } from '../faults.ts'
import type { Backend } from './backend.ts'
import { asContainer, containerColumns, findContainerBy, type Container, type NamedSecret } from './container-rows.ts'
import { belowQuota } from './below-quota.ts'
import { readPage, type ReadPage, type WantedPage } from './pages.ts'
import { countOf } from './project-counts.ts'
import { containers, containerSecrets, issuedCertificates, secrets } from './schema.ts'
import { live } from './secret-rows.ts'
import { changes, insertWhere } from './statements.ts'

export const containerTypes = ['generic', 'rsa', 'certificate'] as const
export type ContainerType = (typeof containerTypes)[number]

/** The container with this id, of whatever project; throws `containerNotFound`. */
export async function findContainer(backend: Backend, id: string): Promise<Container> {
  const [row] = await findContainerBy(backend, id)
  if (!row) throw fault('containerNotFound')
  return asContainer(row)
}

export interface ContainerFilter {
  readonly name: string | undefined
  readonly type: string | undefined
}

/** One page of the project's containers, oldest first, and how many match in all. Throws `markerUnknown`. */
export async function listContainers(
  backend: Backend,
  projectId: string,
  filter: ContainerFilter,
  page: WantedPage,
): Promise<ReadPage<Container>> {
  const list = {
    table: containers,
    scope: eq(containers.projectId, projectId),
    filter: and(
      filter.name === undefined ? undefined : eq(containers.name, filter.name),
      filter.type === undefined ? undefined : sql`${containers.type} = ${filter.type} collate nocase`,
    ),
    count: countOf('containers', projectId, backend.now),
  }
  const read = await readPage(backend, list, page, (where, { limit, offset }) =>
    backend.db
      .select(containerColumns(backend.now))
      .from(containers)
      .where(where)
      .orderBy(asc(containers.seq))
      .limit(limit)
      .offset(offset),
  )
  return { ...read, items: read.items.map((row) => asContainer(row)) }
}

export interface NewContainer {
  readonly name: string | null
  readonly type: ContainerType
  readonly secrets: readonly NamedSecret[]
}

const liveSecretOf = (projectId: string, now: string) => sql`${secrets.projectId} = ${projectId} and ${live(now)}`

/**
 * Stores a container of the caller's project with its references, all or nothing, in one round trip. Throws
 * `quotaReached`, or `containerSecretAbsent` naming the first reference whose secret is not the project's.
 */
export async function createContainer(backend: Backend, caller: Caller, wanted: NewContainer): Promise<string> {
  const { projectId, userId } = caller
  const { now, db } = backend
  const id = crypto.randomUUID()
  const given = JSON.stringify(wanted.secrets)
  const allowed = belowQuota(backend, 'containers', projectId)
  const absent = sql`json_each(${given}) as reference where not exists (
    select 1 from ${secrets} where ${secrets.id} = reference.value ->> 'secretId' and ${liveSecretOf(projectId, now)})`
  const row = { id, projectId, creatorId: userId, name: wanted.name, type: wanted.type, created: now, updated: now }
  const references = sql`select null, ${id}, value ->> 'secretId', value ->> 'name' from json_each(${given})
    where exists (select 1 from ${containers} where ${containers.id} = ${id})`
  const [quota, missing] = await db.batch([
    db.select({ reached: sql<number>`not ${allowed}` }).from(sql`(select 1)`),
    db
      .select({ name: sql<string | null>`reference.value ->> 'name'` })
      .from(sql`${absent} order by reference.key limit 1`),
    insertWhere(backend, containers, row, sql`${allowed} and not exists (select 1 from ${absent})`),
    db.insert(containerSecrets).select(references),
  ])
  if (quota[0]?.reached === 1) throw fault('quotaReached')
  if (missing[0]) throw fault('containerSecretAbsent', missing[0].name ?? 'None')
  return id
}

/**
 * Deletes a container with its references, consumers and ACL; the secrets stay. With `revoke` the certificate that was
 * issued into it is revoked in the same batch. Throws `containerNotFound`, and `notIssued` when there is none to revoke.
 */
export async function deleteContainer(backend: Backend, container: Container, revoke: boolean): Promise<void> {
  const { db, now } = backend
  const issued = and(eq(issuedCertificates.containerId, container.id), isNull(issuedCertificates.revoked))
  const revocable = sql`exists (select 1 from ${issuedCertificates} where ${issued})`
  const isContainer = and(eq(containers.id, container.id), eq(containers.projectId, container.projectId))
  const [found, deleted] = await db.batch([
    db.select({ id: containers.id }).from(containers).where(isContainer),
    db.delete(containers).where(and(isContainer, revoke ? revocable : undefined)),
    ...(revoke
      ? [
          db
            .update(issuedCertificates)
            .set({ revoked: now })
            .where(and(issued, sql`changes() > 0`)),
        ]
      : []),
  ])
  if (changes(deleted) === 0) throw fault(found.length > 0 ? 'notIssued' : 'containerNotFound')
}

const pairIs = (container: Container, { name, secretId }: NamedSecret): SQL =>
  sql`${containerSecrets.containerId} = ${container.id} and ${containerSecrets.secretId} = ${secretId}
    and ${containerSecrets.name} is ${name}`

function secretIsThere(backend: Backend, container: Container, secretId: string): SQL {
  return sql`exists (select 1 from ${secrets}
    where ${secrets.id} = ${secretId} and ${liveSecretOf(container.projectId, backend.now)})`
}

/** Adds a secret of the project to a container; throws `secretProvidedAbsent` or `secretInContainer`. */
export async function addToContainer(backend: Backend, container: Container, pair: NamedSecret): Promise<void> {
  const { db } = backend
  const there = secretIsThere(backend, container, pair.secretId)
  const free = sql`${there} and exists (select 1 from ${containers} where ${containers.id} = ${container.id})
    and not exists (select 1 from ${containerSecrets} where ${pairIs(container, pair)})`
  const row = { containerId: container.id, secretId: pair.secretId, name: pair.name }
  const [[found], added] = await db.batch([
    db.select({ there: sql<number>`${there}` }).from(sql`(select 1)`),
    insertWhere(backend, containerSecrets, row, free),
  ])
  if (found?.there !== 1) throw fault('secretProvidedAbsent')
  if (changes(added) === 0) throw fault('secretInContainer')
}

/** Takes a secret out of a container; throws `secretReferenceAbsent` (quoting `ref`) or `secretNotInContainer`. */
export async function removeFromContainer(
  backend: Backend,
  container: Container,
  pair: NamedSecret,
  ref: string,
): Promise<void> {
  const { db } = backend
  const [[found], removed] = await db.batch([
    db.select({ there: sql<number>`${secretIsThere(backend, container, pair.secretId)}` }).from(sql`(select 1)`),
    db.delete(containerSecrets).where(pairIs(container, pair)),
  ])
  if (found?.there !== 1) throw fault('secretReferenceAbsent', pair.name ?? 'None', ref)
  if (changes(removed) === 0) throw fault('secretNotInContainer')
}
