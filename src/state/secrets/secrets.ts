/** Operations on secrets. Each change is one D1 batch, which enforces the invariants. Payloads that are set later: `new-versions.ts`. */
import { and, eq, sql } from 'drizzle-orm'
import { cacheOf } from '../../cache.ts'
import type { Owner } from '../../caller.ts'
import { openValue, seal, SealError, valueKeyOf, type Place, type ValueKey } from '../../crypto/envelope.ts'
import type { KeyPlace } from '../../crypto/keyring.ts'
import { fault } from '../../faults.ts'
import { aclRow } from '../acl-columns.ts'
import { commit, commitWhere } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { build, change, preparedSelect, select } from '../database/prepared.ts'
import { preparedInsert } from '../database/statements.ts'
import type { Acl, Secret } from '../entities.ts'
import { withMac } from '../integrity/row-authentication.ts'
import { openKey, sealingKey, underSealingKey } from '../keys/project-keys.ts'
import { payloadPlace } from '../keys/sealed-values.ts'
import { isDestroyed } from '../projects/destructions.ts'
import { belowQuota, quotaValues, refusalOf } from '../projects/quota-condition.ts'
import { storeForNewSecrets } from '../projects/secret-stores.ts'
import { currentEntity, type Current } from '../repeated-changes.ts'
import { newRowId } from '../row-ids.ts'
import { projectKeys, secretConsumers, secrets } from '../schema/resources.ts'
import { authenticSecret, FIRST_VERSION, foundColumns, GENERATED, isLiveSecret, live } from './secret-rows.ts'
import { secretIs, selectSecret } from './secret-rows.ts'
import { isExtractable, storedUsages, type Usage } from './usages.ts'

export const secretTypes = ['symmetric', 'passphrase', 'private', 'public', 'certificate', 'opaque'] as const
export type SecretType = (typeof secretTypes)[number]

/** A sealed payload, null if there is none, and the wrapped key that opens it. */
export interface SealedPayload {
  readonly store: string
  readonly keyVersion: number | null
  readonly sealed: Uint8Array | null
  readonly wrapped: Uint8Array | null
  /** When the key that seals the payload was superseded; null if it was not. */
  readonly superseded: string | null
}

/** A secret with its present payload. */
export interface SealedSecret extends Secret, SealedPayload {}

/** The content of a new secret. `payload` is null if it is set later. */
export interface NewSecret {
  readonly name: string | null
  readonly secretType: SecretType
  readonly algorithm: string | null
  readonly mode: string | null
  readonly bitLength: number | null
  readonly expiration: string | null
  readonly contentType: string | null
  readonly payload: Uint8Array | null
  /** False if the payload is a key that nobody may read; null if it may be read. */
  readonly extractable?: false | null
  /** What the key may be used for; null: what its kind says. */
  readonly usages?: readonly Usage[] | null
  /** Whether the service made the payload. */
  readonly generated?: boolean
}

/** Finds the live secret with this id, in any project; throws `secretNotFound`. */
export async function findSecret(backend: Backend, id: string, withConsumers = false): Promise<Secret> {
  const [row] = await backend.db.run(selectSecret(backend, id, withConsumers))
  if (!row) throw fault('secretNotFound')
  return authenticSecret(backend, row)
}

/** A secret, for a change that is made again after a conflict. */
export const currentSecret = (backend: Backend, secret: Secret): Current<Secret> =>
  currentEntity(secret, () => findSecret(backend, secret.id))

/** The condition that joins a secret with the key that opens it. */
export const keyOfSecret = and(
  eq(projectKeys.projectId, secrets.projectId),
  eq(projectKeys.store, secrets.store),
  eq(projectKeys.version, secrets.keyVersion),
)
/** The columns of a {@link SealedSecret}. */
export const sealedColumns = {
  ...foundColumns,
  store: secrets.store,
  keyVersion: secrets.keyVersion,
  sealed: secrets.sealed,
  wrapped: projectKeys.wrapped,
  superseded: projectKeys.superseded,
}
/** Reads the live secret with the placeholder `id`, with what opens it. */
export const sealedSecretBy = preparedSelect(sealedColumns, (columns) =>
  build.select(columns).from(secrets).leftJoin(projectKeys, keyOfSecret).where(isLiveSecret),
)

/** Reads the live secret with this id, in any project, with its present payload. */
export const selectSealedSecret = ({ now }: Pick<Backend, 'now'>, id: string, withConsumers = false) =>
  sealedSecretBy({ id, now, withConsumers })

/** Like {@link findSecret}, with the sealed payload and the wrapped key that opens it. */
export async function findSealedSecret(backend: Backend, id: string, withConsumers = false): Promise<SealedSecret> {
  const [row] = await backend.db.run(selectSealedSecret(backend, id, withConsumers))
  if (!row) throw fault('secretNotFound')
  return authenticSecret(backend, row)
}

/**
 * Records that these payloads are read, or these keys used, before the answer. Returns the ids of the secrets that were
 * not deleted.
 */
export async function recordReads(
  backend: Backend,
  read: readonly Pick<Secret, 'id' | 'projectId'>[],
  target: 'secret/payload' | 'secret/key',
): Promise<ReadonlySet<string>> {
  const isLive = live(backend.now)
  const ids = sql`(select value from json_each(${JSON.stringify(read.map(({ id }) => id))}))`
  const isTarget = sql`${secrets.id} = value ->> 'targetId' and ${secrets.projectId} = value ->> 'projectId'`
  const exists = sql`exists (select 1 from ${secrets} where ${isTarget} and ${isLive})`
  const events = read.map((secret) => changeOf(secret, 'read', target))
  const { found } = await commitWhere(backend, events, exists, {
    found: select({ id: secrets.id }, (columns) =>
      build
        .select(columns)
        .from(secrets)
        .where(and(sql`${secrets.id} in ${ids}`, isLive)),
    ),
  })
  return new Set(found.map(({ id }) => id))
}

/** As {@link recordReads}, of one secret. Throws `secretNotFound` if it was deleted. */
export async function recordRead(
  backend: Backend,
  secret: Pick<Secret, 'id' | 'projectId'>,
  target: 'secret/payload' | 'secret/key',
): Promise<void> {
  const found = await recordReads(backend, [secret], target)
  if (!found.has(secret.id)) throw fault('secretNotFound')
}

/**
 * The payload for whoever may read it. Throws `notExtractable` if nobody may, and as {@link openPayload}. Every way on
 * which a payload leaves the service goes through here, or through `readVersion`.
 */
export function readPayload(backend: Backend, secret: SealedSecret): Promise<Uint8Array<ArrayBuffer>> {
  if (!isExtractable(secret)) throw fault('notExtractable')
  return openPayload(backend, secret)
}

/** Keys of payloads that this isolate has opened: deriving one costs as much as opening the payload. */
const valueKeys = cacheOf<ValueKey>({ entries: 5_000 })

async function payloadKey(backend: Backend, place: KeyPlace & Place, wrapped: Uint8Array): Promise<ValueKey> {
  const name = JSON.stringify([place.project, place.store, place.version, place.kind, place.id])
  const cache = valueKeys(backend.keyring)
  const cached = cache.get(name)
  if (cached) return cached
  const key = await valueKeyOf(await openKey(backend, place, wrapped), place)
  cache.set(name, key)
  return key
}

/** Opens a payload in its place. Throws `noPayload` if there is none, and SealError if it cannot be opened there. */
export async function openSealed(
  backend: Backend,
  place: Place,
  { store, keyVersion, sealed, wrapped }: SealedPayload,
): Promise<Uint8Array<ArrayBuffer>> {
  const { project } = place
  if (!sealed) throw fault('noPayload')
  if (!wrapped || keyVersion === null) {
    // The destruction of a project deletes its keys first and its rows in later steps.
    if (await isDestroyed(backend, project)) throw fault('secretNotFound')
    throw new SealError('the key of a stored payload is missing')
  }
  return openValue(await payloadKey(backend, { ...place, store, version: keyVersion }, wrapped), sealed)
}

/**
 * Opens the present payload, for use within the service. Throws `noPayload` if there is none, and SealError if it cannot
 * be opened in its place.
 */
export function openPayload(backend: Backend, secret: SealedSecret): Promise<Uint8Array<ArrayBuffer>> {
  return openSealed(backend, payloadPlace(secret.projectId, secret.id, secret.version ?? FIRST_VERSION), secret)
}

/** Creates the row of a new secret and seals its payload. One round trip if the project's key is not cached. */
export async function sealedRow(
  backend: Backend,
  caller: Owner,
  secret: NewSecret,
  acl: Acl | null = null,
): Promise<typeof secrets.$inferInsert> {
  const { payload, usages, generated = false, ...described } = secret
  const id = newRowId()
  const store = await storeForNewSecrets(backend, caller.projectId)
  const key = payload && (await sealingKey(backend, caller.projectId, store))
  return withMac(backend, 'secrets', {
    ...described,
    name: described.name ?? (backend.nameDefault === 'id' ? id : null),
    id,
    projectId: caller.projectId,
    creatorId: caller.userId,
    created: backend.now,
    updated: backend.now,
    ...aclRow(acl),
    extractable: described.extractable ?? null,
    usages: usages ? storedUsages(usages) : null,
    useGrants: null,
    store,
    keyVersion: key ? key.version : null,
    sealed: key ? await seal(key, payloadPlace(caller.projectId, id, FIRST_VERSION), payload) : null,
    versionOrigin: generated ? GENERATED : null,
  })
}

const insertSecret = preparedInsert(secrets, belowQuota.secrets)

/** Creates a secret in the caller's project and returns its id; throws `quotaReached` or `projectDestroyed`. */
export async function createSecret(backend: Backend, caller: Owner, secret: NewSecret): Promise<string> {
  const { projectId } = caller
  return underSealingKey(backend, projectId, async () => {
    const row = await sealedRow(backend, caller, secret)
    const insert = insertSecret(row, quotaValues(backend, projectId))
    const { changed } = await commit(backend, changeOf(row, 'create', 'secret', row.mac), insert)
    if (changed === 0) throw await refusalOf(backend, projectId)
    return row.id
  })
}

/**
 * Deletes a secret with its ciphertext, metadata, consumers, ACL and references in containers. With `unlessConsumed`, a
 * secret that has consumers is not deleted, and `hasConsumers` is thrown.
 */
export async function deleteSecret(backend: Backend, secret: Secret, unlessConsumed: boolean): Promise<void> {
  const unused = sql`not exists (select 1 from ${secretConsumers} where ${secretConsumers.secretId} = ${secret.id})`
  const isUnused = unlessConsumed ? unused : undefined
  const { changed, found } = await commit(
    backend,
    changeOf(secret, 'delete', 'secret'),
    change(build.delete(secrets).where(and(secretIs(secret), isUnused))),
    {
      found: select({ id: secrets.id }, (columns) => build.select(columns).from(secrets).where(secretIs(secret))),
    },
  )
  if (changed === 0) throw fault(found.length > 0 ? 'hasConsumers' : 'secretNotFound')
}
