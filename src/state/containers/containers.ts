/** Containers: named lists of references to secrets of the same project. */
import { and, asc, eq, getTableColumns, isNull, sql, type Placeholder, type SQL } from 'drizzle-orm'
import type { Caller } from '../../caller.ts'
import { fault } from '../../faults.ts'
import { commit } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { together } from '../connect.ts'
import { belowQuota, quotaValues, refusalOf } from '../projects/quota-condition.ts'
import {
  authenticContainer,
  authenticContainers,
  containerBy,
  containerColumns,
  type Container,
  type NamedSecret,
} from './container-rows.ts'
import { changes, insertWhere, justChanged, storableJson, writtenInsert } from '../database/statements.ts'
import { writtenChange, writtenSelect } from '../database/written.ts'
import { aclRow } from '../acl-columns.ts'
import { requireAuthentic, withMac } from '../integrity/row-authentication.ts'
import { readPage, type ReadPage, type WantedPage } from '../database/pages.ts'
import { countOf } from '../projects/counts.ts'
import { containers, containerSecrets, issuedCertificates, secrets } from '../schema/resources.ts'
import { live } from '../secrets/secret-rows.ts'

export const containerTypes = ['generic', 'rsa', 'certificate'] as const
export type ContainerType = (typeof containerTypes)[number]

/** The container with this id, of whatever project; throws `containerNotFound`. */
export async function findContainer(backend: Backend, id: string): Promise<Container> {
  const [row] = await containerBy.ask(backend.session, { id, now: backend.now })
  if (!row) throw fault('containerNotFound')
  return authenticContainer(backend, row)
}

export interface ContainerFilter {
  readonly name: string | undefined
  readonly type: string | undefined
}

/**
 * One page of the project's containers, oldest first, and how many match in all. Rows that are not authentic are left
 * out. Throws `markerUnknown`.
 */
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
  return { ...read, items: await authenticContainers(backend, read.items) }
}

export interface NewContainer {
  readonly name: string | null
  readonly type: ContainerType
  readonly secrets: readonly NamedSecret[]
}

/** A new container with its references as rows. */
export async function containerRows(
  backend: Backend,
  { projectId, userId }: Pick<Caller, 'projectId' | 'userId'>,
  { name, type, secrets: given }: Omit<NewContainer, 'type'> & { readonly type: string },
) {
  const id = crypto.randomUUID()
  const described = { id, projectId, creatorId: userId, name, type, ...aclRow(null) }
  const members = given.map((pair) => withMac(backend, 'containerSecrets', { containerId: id, ...pair }))
  return {
    container: await withMac(backend, 'containers', { ...described, created: backend.now, updated: backend.now }),
    members: await Promise.all(members),
  }
}

const liveSecretOf = (projectId: string | Placeholder, now: string | Placeholder) =>
  sql`${secrets.projectId} = ${projectId} and ${live(now)}`

const references = sql.placeholder('references')
const newId = sql.placeholder('container')
const absent = sql`json_each(${references}) as reference where not exists (
  select 1 from ${secrets} where ${secrets.id} = reference.value ->> 'secretId'
    and ${liveSecretOf(sql.placeholder('project'), sql.placeholder('now'))})`
const isThere = sql`exists (select 1 from ${containers} where ${containers.id} = ${newId})`
const insertContainer = writtenInsert(
  containers,
  sql`${belowQuota.containers} and not exists (select 1 from ${absent})`,
)
const insertReferences = writtenChange((db) =>
  db
    .insert(containerSecrets)
    .select(
      sql`select null, ${newId}, value ->> 'secretId', value ->> 'name', value ->> 'mac' from json_each(${references}) where ${isThere}`,
    ),
)
const refusal = {
  full: sql<number>`not ${belowQuota.containers}`.as('full'),
  name: sql<string | null>`(select reference.value ->> 'name' from ${absent} order by reference.key limit 1)`.as(
    'name',
  ),
}
/** Why a container is not made. */
const missingOf = writtenSelect(refusal, (db, columns) => db.select(columns).from(sql`(select 1)`))

/**
 * Stores a container of the caller's project with its references, all or nothing, in one round trip. Throws
 * `quotaReached`, `containerFull`, or `containerSecretAbsent` naming the first reference whose secret is not the
 * project's.
 */
export async function createContainer(backend: Backend, caller: Caller, wanted: NewContainer): Promise<string> {
  if (wanted.secrets.length > MOST_MEMBERS) throw fault('containerFull', String(MOST_MEMBERS))
  const { projectId } = caller
  const { container, members } = await containerRows(backend, caller, wanted)
  const { id } = container
  const quota = quotaValues(backend, 'containers', projectId)
  const values = { ...quota, container: id, project: projectId, references: storableJson(members), now: backend.now }
  const store = together(backend, projectId)
  const [made, , [missing]] = await commit(
    store,
    changeOf(container, 'create', 'container', container.mac),
    insertContainer(store, container, values),
    insertReferences(store, values),
    missingOf.inBatch(store, values),
  )
  if (changes(made) > 0) return id
  if (missing?.full === 1) throw await refusalOf(backend, projectId)
  throw fault('containerSecretAbsent', missing?.name ?? 'None')
}

/** The certificate that was issued into a container and is good, as it is to be stored; null when there is none. */
async function revocation(backend: Backend, container: Container) {
  const good = and(eq(issuedCertificates.containerId, container.id), isNull(issuedCertificates.revoked))
  const row = await backend.db.select(getTableColumns(issuedCertificates)).from(issuedCertificates).where(good).get()
  if (!row) return null
  await requireAuthentic(backend, 'issuedCertificates', row)
  const { mac } = await withMac(backend, 'issuedCertificates', { ...row, revoked: backend.now })
  return { serial: row.serial, before: row.mac, mac, at: backend.now }
}

/**
 * Deletes a container with its references, consumers and ACL; the secrets stay. With `revoke` the certificate that was
 * issued into it is revoked in the same batch. Throws `containerNotFound`, and `notIssued` when there is none to revoke.
 */
export async function deleteContainer(backend: Backend, container: Container, revoke: boolean): Promise<void> {
  const { db } = backend
  const revoked = revoke ? await revocation(backend, container) : null
  const isIssued = eq(issuedCertificates.mac, revoked?.before ?? '')
  const revocable = sql`exists (select 1 from ${issuedCertificates} where serial = ${revoked?.serial ?? ''} and ${isIssued})`
  const isContainer = and(eq(containers.id, container.id), eq(containers.projectId, container.projectId))
  const deletion = changeOf(container, 'delete', 'container')
  const [deleted, found] = await commit(
    backend,
    revoke ? [deletion, changeOf(container, 'revoke', 'certificate')] : [deletion],
    db.delete(containers).where(and(isContainer, revoke ? revocable : undefined)),
    db.select({ id: containers.id }).from(containers).where(isContainer),
    ...(revoked
      ? [
          db
            .update(issuedCertificates)
            .set({ revoked: revoked.at, mac: revoked.mac })
            .where(and(eq(issuedCertificates.serial, revoked.serial), isIssued, justChanged)),
        ]
      : []),
  )
  if (changes(deleted) === 0) throw fault(found.length > 0 ? 'notIssued' : 'containerNotFound')
}

/**
 * Secrets of a container: it is read with all of them, in a row that may have 2,000,000 bytes, and each takes up to 1,750
 * when its name is 255 characters that JSON escapes.
 */
export const MOST_MEMBERS = 1_000

const pairIs = (container: Container, { name, secretId }: NamedSecret): SQL =>
  sql`${containerSecrets.containerId} = ${container.id} and ${containerSecrets.secretId} = ${secretId}
    and ${containerSecrets.name} is ${name}`

function secretIsThere(backend: Backend, container: Container, secretId: string): SQL {
  return sql`exists (select 1 from ${secrets}
    where ${secrets.id} = ${secretId} and ${liveSecretOf(container.projectId, backend.now)})`
}

/** Adds a secret of the project; throws `secretProvidedAbsent`, `secretInContainer` or `containerFull`. */
export async function addToContainer(backend: Backend, container: Container, pair: NamedSecret): Promise<void> {
  const { db } = backend
  const there = secretIsThere(backend, container, pair.secretId)
  const known = sql`exists (select 1 from ${containerSecrets} where ${pairIs(container, pair)})`
  const full = sql`(select count(*) from ${containerSecrets} where container_id = ${container.id}) >= ${MOST_MEMBERS}`
  const free = sql`${there} and exists (select 1 from ${containers} where ${containers.id} = ${container.id})
    and not ${known} and not ${full}`
  const row = await withMac(backend, 'containerSecrets', { containerId: container.id, ...pair })
  const [added, [found]] = await commit(
    backend,
    changeOf(container, 'create', 'container/secret'),
    insertWhere(backend, containerSecrets, row, free),
    db.select({ there: sql<number>`${there}`, over: sql<number>`not ${known} and ${full}` }).from(sql`(select 1)`),
  )
  if (found?.there !== 1) throw fault('secretProvidedAbsent')
  if (changes(added) > 0) return
  throw found.over === 1 ? fault('containerFull', String(MOST_MEMBERS)) : fault('secretInContainer')
}

/** Takes a secret out of a container; throws `secretReferenceAbsent` (quoting `ref`) or `secretNotInContainer`. */
export async function removeFromContainer(
  backend: Backend,
  container: Container,
  pair: NamedSecret,
  ref: string,
): Promise<void> {
  const { db } = backend
  const there = secretIsThere(backend, container, pair.secretId)
  const [removed, [found]] = await commit(
    backend,
    changeOf(container, 'delete', 'container/secret'),
    db.delete(containerSecrets).where(and(pairIs(container, pair), there)),
    db.select({ there: sql<number>`${there}` }).from(sql`(select 1)`),
  )
  if (found?.there !== 1) throw fault('secretReferenceAbsent', pair.name ?? 'None', ref)
  if (changes(removed) === 0) throw fault('secretNotInContainer')
}
