/** Project keys: created on first use, kept wrapped in D1, and cached unwrapped in the memory of this isolate. */
import { and, eq, getTableColumns, isNull, sql } from 'drizzle-orm'
import { cacheOf } from '../../cache.ts'
import type { ProjectKey } from '../../crypto/envelope.ts'
import { masterKeyIdOf, newWrappedKey, unwrapKey, type KeyPlace } from '../../crypto/keyring.ts'
import { Fault, fault } from '../../faults.ts'
import { build, idempotent, select } from '../database/prepared.ts'
import { isSuperseded } from '../database/refusals.ts'
import { insertWhere } from '../database/statements.ts'
import { projectDestructions, projectKeys } from '../schema/resources.ts'
import type { KeyedScope } from '../scope.ts'
import { ROW_KEYS_OWNER } from './sealed-values.ts'

const FIRST_VERSION = 1
/** Used in place of the id of a secret store; no store has this id. */
const DEPLOYMENT_STORE = 'deployment'

/** Unwrapped keys by project, store and version, and by project and store the key that seals new values. */
const openKeys = cacheOf<ProjectKey>({ entries: 5_000 })

const placeName = (...parts: readonly (string | number)[]) => JSON.stringify(parts)

/**
 * Unwraps a stored key. The caller has read `wrapped` with the row that needs it, so this costs no round trip. Throws
 * `masterKeyMissing` if the master key that wraps it is not in the keyring, and SealError if it does not open.
 */
export async function openKey({ keyring }: KeyedScope, place: KeyPlace, wrapped: Uint8Array): Promise<ProjectKey> {
  const name = placeName(place.project, place.store, place.version)
  const cached = openKeys(keyring).get(name)
  if (cached) return cached
  const masterKeyId = masterKeyIdOf(wrapped)
  if (!keyring.keys.has(masterKeyId)) throw fault('masterKeyMissing', masterKeyId)
  const key = await unwrapKey(keyring, place, wrapped)
  openKeys(keyring).set(name, key)
  return key
}

/** The row of a new key, wrapped under the primary master key. */
export async function newKeyRow(
  { keyring, now }: KeyedScope,
  place: KeyPlace,
): Promise<typeof projectKeys.$inferInsert> {
  const wrapped = await newWrappedKey(keyring, place)
  return {
    projectId: place.project,
    store: place.store,
    version: place.version,
    masterKeyId: masterKeyIdOf(wrapped),
    wrapped,
    created: now,
  }
}

/**
 * The key that seals new values of the project in this store. The first caller creates it; of concurrent first callers
 * one succeeds, and all use its key. One round trip if this isolate has not cached the key, otherwise none. A cached
 * key may have been superseded, which the statement that stores the value detects; see {@link underSealingKey}. Throws
 * `projectDestroyed`, and `masterKeyMissing` if the master key that wraps it is not in the keyring.
 */
export async function sealingKey(scope: KeyedScope, project: string, store: string): Promise<ProjectKey> {
  const name = placeName(project, store)
  const cache = openKeys(scope.keyring)
  const cached = cache.get(name)
  if (cached) return cached
  const key = await storedKey(scope, project, store)
  cache.set(name, key)
  return key
}

/** The deployment's key that authenticates rows. It has one version and is created by the first caller. */
export const rowAuthenticationKey = (scope: KeyedScope): Promise<ProjectKey> =>
  sealingKey(scope, ROW_KEYS_OWNER, DEPLOYMENT_STORE)

/** SQL: the row is that of the key that authenticates rows. */
export const isRowAuthenticationKey = and(
  eq(projectKeys.projectId, ROW_KEYS_OWNER),
  eq(projectKeys.store, DEPLOYMENT_STORE),
  isNull(projectKeys.superseded),
)

/**
 * Caches the key that authenticates rows, which the caller has read with another row. Throws `masterKeyMissing`, and
 * {@link SealError} if the key does not open.
 */
export async function takeRowAuthenticationKey(scope: KeyedScope, version: number, wrapped: Uint8Array): Promise<void> {
  const place = { project: ROW_KEYS_OWNER, store: DEPLOYMENT_STORE, version }
  openKeys(scope.keyring).set(placeName(ROW_KEYS_OWNER, DEPLOYMENT_STORE), await openKey(scope, place, wrapped))
}

/** Reads the newest key of the project in this store, created if there is none, in one round trip. */
async function storedKey(scope: KeyedScope, project: string, store: string): Promise<ProjectKey> {
  const row = await newKeyRow(scope, { project, store, version: FIRST_VERSION })
  const ofPlace = and(eq(projectKeys.projectId, project), eq(projectKeys.store, store))
  // A destroyed project never gets a key again, so no version of a key is ever assigned twice.
  const isFirst = sql`not exists (select 1 from ${projectKeys} where ${ofPlace}) and not exists (
    select 1 from ${projectDestructions} where project_id = ${project} and due <= ${scope.now})`
  const {
    newest: [newest],
  } = await scope.db.batch({
    created: idempotent(insertWhere(projectKeys, row, isFirst)),
    newest: select(getTableColumns(projectKeys), (columns) =>
      build
        .select(columns)
        .from(projectKeys)
        .where(and(ofPlace, isNull(projectKeys.superseded))),
    ),
  })
  if (!newest) throw fault('projectDestroyed')
  return openKey(scope, { project, store, version: newest.version }, newest.wrapped)
}

const MOST_ATTEMPTS = 3

/** The project's object reports a superseded key as a fault, because a call does not preserve the class of an error. */
const isAboutKey = (error: unknown) =>
  isSuperseded(error) || (error instanceof Fault && error.failure === 'keySuperseded')

/**
 * Runs an operation that seals values of the project and stores them. If the cached key was superseded, nothing has
 * been stored, and the operation is run again with the newest key. Throws `keySuperseded` if this fails several times.
 */
export async function underSealingKey<Value>(
  { keyring }: KeyedScope,
  project: string,
  operation: () => Promise<Value>,
): Promise<Value> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    try {
      return await operation()
    } catch (error) {
      if (!isAboutKey(error)) throw error
      const ofProject = `${placeName(project).slice(0, -1)},`
      const cache = openKeys(keyring)
      for (const name of cache.keys()) if (name.startsWith(ofProject)) cache.delete(name)
    }
  }
  throw fault('keySuperseded')
}
