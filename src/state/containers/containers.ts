/** Containers: named lists of references to secrets of the same project. */
import { and, asc, eq, getTableColumns, isNull, sql, type Placeholder, type SQL } from 'drizzle-orm'
import type { Owner } from '../../caller.ts'
import { fault } from '../../faults.ts'
import { aclRow } from '../acl-columns.ts'
import { commit } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import { readPage, type ReadPage, type WantedPage } from '../database/pages.ts'
import { build, change, oneRow, preparedChange, preparedSelect, select, selectValues } from '../database/prepared.ts'
import { insertWhere, justChanged, preparedInsert, unlessChanged } from '../database/statements.ts'
import type { Acl, Container, NamedSecret } from '../entities.ts'
import { requireAuthentic, withMac } from '../integrity/row-authentication.ts'
import { countOf } from '../projects/counts.ts'
import { belowQuota, quotaValues, refusalOf } from '../projects/quota-condition.ts'
import { newRowId } from '../row-ids.ts'
import { containers, containerSecrets, issuedCertificates, secrets } from '../schema/resources.ts'
import type { KeyedScope, Scope } from '../scope.ts'
import { live } from '../secrets/secret-rows.ts'
import { revocationOf, revoke, type IssuedCertificate } from './revocations.ts'
import { authenticContainer, authenticContainers, containerColumns, selectContainer } from './container-rows.ts'

export const containerTypes = ['generic', 'rsa', 'certificate'] as const
export type ContainerType = (typeof containerTypes)[number]

/** Finds the container with this id, in any project; throws `containerNotFound`. */
export async function findContainer(scope: KeyedScope, id: string): Promise<Container> {
  const [row] = await scope.db.run(selectContainer(scope, id))
  if (!row) throw fault('containerNotFound')
  return authenticContainer(scope, row)
}

interface ContainerFilter {
  readonly name: string | undefined
  readonly type: string | undefined
}

/**
 * One page of the project's containers, oldest first, with the total number of matches. Rows that are not authentic are
 * omitted. Throws `markerUnknown`.
 */
export async function listContainers(
  scope: KeyedScope,
  projectId: string,
  { name, type }: ContainerFilter,
  page: WantedPage,
): Promise<ReadPage<Container>> {
  const list = {
    table: containers,
    scope: eq(containers.projectId, projectId),
    filter: and(
      name === undefined ? undefined : eq(containers.name, name),
      type === undefined ? undefined : sql`${containers.type} = ${type} collate nocase`,
    ),
    count: countOf('containers', projectId, scope.now),
  }
  const read = await readPage(scope.db, list, page, ({ where, limit, offset }) =>
    select(containerColumns(scope.now), (columns) =>
      build.select(columns).from(containers).where(where).orderBy(asc(containers.seq)).limit(limit).offset(offset),
    ),
  )
  return { ...read, items: await authenticContainers(scope, read.items) }
}

interface NewContainer {
  readonly name: string | null
  readonly type: ContainerType
  readonly secrets: readonly NamedSecret[]
}

/** Creates the rows of a new container and of its references. */
export async function containerRows(
  scope: KeyedScope,
  { projectId, userId }: Owner,
  { name, type, secrets: given }: Omit<NewContainer, 'type'> & { readonly type: string },
  acl: Acl | null = null,
) {
  const id = newRowId()
  const described = { id, projectId, creatorId: userId, name, type, ...aclRow(acl) }
  const members = given.map((pair) => withMac(scope, 'containerSecrets', { projectId, containerId: id, ...pair }))
  return {
    container: await withMac(scope, 'containers', { ...described, created: scope.now, updated: scope.now }),
    members: await Promise.all(members),
  }
}

/**
 * The maximum number of secrets in a container. A container is read with all of them in one row, which D1 limits to
 * 2,000,000 bytes, and one takes up to 1,750 bytes if its name is 255 characters that JSON escapes.
 */
export const MOST_MEMBERS = 1_000

const liveSecretOf = (projectId: string | Placeholder, now: string | Placeholder) =>
  sql`${secrets.projectId} = ${projectId} and ${live(now)}`

const references = sql.placeholder('references')
const newContainerId = sql.placeholder('container')
/** SQL: the references whose secret is not a live secret of the project. */
const absent = sql`json_each(${references}) as reference where not exists (
  select 1 from ${secrets} where ${secrets.id} = reference.value ->> 'secretId'
    and ${liveSecretOf(sql.placeholder('project'), sql.placeholder('now'))})`
const isStored = sql`exists (select 1 from ${containers} where ${containers.id} = ${newContainerId})`

const creation = {
  insert: preparedInsert(containers, sql`${belowQuota.containers} and not exists (select 1 from ${absent})`),
  insertReferences: preparedChange(() =>
    build
      .insert(containerSecrets)
      .select(
        sql`select null, ${newContainerId}, value ->> 'secretId', value ->> 'name', value ->> 'mac' from json_each(${references}) where ${isStored}`,
      ),
  ),
  /** Finds out why a container was not created. */
  refusal: preparedSelect(
    {
      full: unlessChanged(sql<number>`not ${belowQuota.containers}`),
      absentName: unlessChanged(
        sql<string | null>`(select reference.value ->> 'name' from ${absent} order by reference.key limit 1)`,
      ),
    },
    (columns) => build.select(columns).from(oneRow),
  ),
}

/**
 * Creates a container with its references in the caller's project, in one round trip. Throws `quotaReached`,
 * `projectDestroyed`, `containerFull`, or `containerSecretAbsent` with the name of the first reference whose secret
 * does not belong to the project.
 */
export async function createContainer(scope: KeyedScope, caller: Owner, wanted: NewContainer): Promise<string> {
  if (wanted.secrets.length > MOST_MEMBERS) throw fault('containerFull', String(MOST_MEMBERS))
  const { projectId } = caller
  const { container, members } = await containerRows(scope, caller, wanted)
  const quota = quotaValues(scope, projectId)
  const stored = JSON.stringify(members.map(({ secretId, name, mac }) => ({ secretId, name, mac })))
  const own = { container: container.id, project: projectId, references: stored, now: scope.now }
  const values = { ...quota, ...own }
  const { changed, refusal } = await commit(
    scope,
    changeOf(container, 'create', 'container', container.mac),
    creation.insert(container, values),
    { references: creation.insertReferences(values), refusal: creation.refusal(values) },
  )
  if (changed > 0) return container.id
  if (refusal[0]?.full === 1) throw await refusalOf(scope, projectId)
  throw fault('containerSecretAbsent', refusal[0]?.absentName ?? 'None')
}

/** The good certificate that was issued into the container; null when there is none. */
async function certificateIn(scope: KeyedScope, container: Container): Promise<IssuedCertificate | null> {
  const isGood = and(eq(issuedCertificates.containerId, container.id), isNull(issuedCertificates.revoked))
  const [row] = await scope.db.run(
    select(getTableColumns(issuedCertificates), (columns) =>
      build.select(columns).from(issuedCertificates).where(isGood).limit(1),
    ),
  )
  return row ? requireAuthentic(scope, 'issuedCertificates', row) : null
}

/**
 * Deletes a container with its references, consumers and ACL, but not the secrets. With `revoking`, the certificate
 * that was issued into it is revoked in the same batch. Throws `containerNotFound`, and `notIssued` if there is none to
 * revoke.
 */
export async function deleteContainer(scope: KeyedScope, container: Container, revoking: boolean): Promise<void> {
  const certificate = revoking ? await certificateIn(scope, container) : null
  const revocation = certificate && (await revocationOf(scope, certificate))
  const isRevocable = sql`exists (select 1 from ${issuedCertificates}
    where serial = ${revocation?.serial ?? ''} and ${issuedCertificates.mac} = ${revocation?.before ?? ''})`
  const isContainer = and(eq(containers.id, container.id), eq(containers.projectId, container.projectId))
  const deletion = changeOf(container, 'delete', 'container')
  const { changed, found } = await commit(
    scope,
    revoking ? [deletion, changeOf(container, 'revoke', 'certificate')] : [deletion],
    change(build.delete(containers).where(and(isContainer, revoking ? isRevocable : undefined))),
    {
      found: select({ id: containers.id }, (columns) => build.select(columns).from(containers).where(isContainer)),
      revoked: revocation ? [revoke(revocation, justChanged)] : [],
    },
  )
  if (changed === 0) throw fault(found.length > 0 ? 'notIssued' : 'containerNotFound')
}

const pairIs = (container: Container, { name, secretId }: NamedSecret): SQL =>
  sql`${containerSecrets.containerId} = ${container.id} and ${containerSecrets.secretId} = ${secretId}
    and ${containerSecrets.name} is ${name}`

/** SQL: the secret is a live secret of the container's project. */
const secretExists = ({ now }: Scope, { projectId }: Container, secretId: string): SQL<number> =>
  sql<number>`exists (select 1 from ${secrets} where ${secrets.id} = ${secretId} and ${liveSecretOf(projectId, now)})`

/** Adds a secret of the project; throws `secretProvidedAbsent`, `secretInContainer` or `containerFull`. */
export async function addToContainer(scope: KeyedScope, container: Container, pair: NamedSecret): Promise<void> {
  const exists = secretExists(scope, container, pair.secretId)
  const isMember = sql`exists (select 1 from ${containerSecrets} where ${pairIs(container, pair)})`
  const isFull = sql`(select count(*) from ${containerSecrets} where container_id = ${container.id}) >= ${MOST_MEMBERS}`
  const isFree = sql`${exists} and exists (select 1 from ${containers} where ${containers.id} = ${container.id})
    and not ${isMember} and not ${isFull}`
  const { projectId, id: containerId } = container
  const row = await withMac(scope, 'containerSecrets', { projectId, containerId, ...pair })
  const { changed, reason } = await commit(
    scope,
    changeOf(container, 'create', 'container/secret'),
    insertWhere(containerSecrets, row, isFree),
    { reason: selectValues({ exists, full: sql<number>`not ${isMember} and ${isFull}` }) },
  )
  if (reason[0]?.exists !== 1) throw fault('secretProvidedAbsent')
  if (changed > 0) return
  throw reason[0].full === 1 ? fault('containerFull', String(MOST_MEMBERS)) : fault('secretInContainer')
}

/** Removes a secret from a container; throws `secretReferenceAbsent` (quoting `ref`) or `secretNotInContainer`. */
export async function removeFromContainer(
  scope: Scope,
  container: Container,
  pair: NamedSecret,
  ref: string,
): Promise<void> {
  const exists = secretExists(scope, container, pair.secretId)
  const { changed, reason } = await commit(
    scope,
    changeOf(container, 'delete', 'container/secret'),
    change(build.delete(containerSecrets).where(and(pairIs(container, pair), exists))),
    { reason: selectValues({ exists }) },
  )
  if (reason[0]?.exists !== 1) throw fault('secretReferenceAbsent', pair.name ?? 'None', ref)
  if (changed === 0) throw fault('secretNotInContainer')
}
