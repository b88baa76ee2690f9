/** Project keys: made on first use, kept wrapped in D1, and open in the memory of this isolate once used. */
import { and, eq, isNull, sql } from 'drizzle-orm'
import type { ProjectKey } from '../../crypto/envelope.ts'
import { masterKeyIdOf, newWrappedKey, unwrapKey, type KeyPlace, type Keyring } from '../../crypto/keyring.ts'
import { Fault, fault } from '../../faults.ts'
import type { KeyedStore } from '../scope.ts'
import { isSuperseded } from '../database/refusals.ts'
import { insertWhere } from '../database/statements.ts'
import { projectDestructions, projectKeys } from '../schema/resources.ts'
import { ROW_KEYS_OWNER } from './sealed-values.ts'

const FIRST_VERSION = 1
const MOST_OPEN_KEYS = 5_000
/** In place of a secret store: no store has this id. */
const DEPLOYMENT_STORE = 'deployment'

/** Open keys by place, and under the place without a version the one that seals new values. Oldest first. */
const openKeys = new WeakMap<Keyring, Map<string, ProjectKey>>()

const placeName = (...parts: readonly (string | number)[]) => JSON.stringify(parts)

function cacheOf(backend: KeyedStore): Map<string, ProjectKey> {
  const known = openKeys.get(backend.keyring)
  if (known) return known
  const cache = new Map<string, ProjectKey>()
  openKeys.set(backend.keyring, cache)
  return cache
}

function remember(backend: KeyedStore, name: string, key: ProjectKey): void {
  const cache = cacheOf(backend)
  if (cache.size >= MOST_OPEN_KEYS)
    for (const oldest of [...cache.keys()].slice(0, MOST_OPEN_KEYS / 2)) cache.delete(oldest)
  cache.set(name, key)
}

/** Opens a stored key. The caller has read `wrapped` with the row that needs it, so this costs no round trip. */
export async function openKey(backend: KeyedStore, place: KeyPlace, wrapped: Uint8Array): Promise<ProjectKey> {
  const name = placeName(place.project, place.store, place.version)
  const known = cacheOf(backend).get(name)
  if (known) return known
  const key = await unwrapKey(backend.keyring, place, wrapped)
  remember(backend, name, key)
  return key
}

/** The row of a new key, wrapped under the primary master key. */
export async function newKeyRow(backend: KeyedStore, place: KeyPlace): Promise<typeof projectKeys.$inferInsert> {
  const wrapped = await newWrappedKey(backend.keyring, place)
  return {
    projectId: place.project,
    store: place.store,
    version: place.version,
    masterKeyId: masterKeyIdOf(wrapped),
    wrapped,
    created: backend.now,
  }
}

/**
 * The key under which new values of the project are sealed in this store. The first caller makes it; of concurrent
 * first callers one wins and all use its key. One round trip when this isolate has not used the key yet, else none: so
 * it may have been superseded, which the statement that stores the value finds out; see {@link underSealingKey}.
 * Throws `projectDestroyed`, and `masterKeyMissing` when the master key that wraps it was taken out of the keyring.
 */
export async function sealingKey(backend: KeyedStore, project: string, store: string): Promise<ProjectKey> {
  const name = placeName(project, store)
  const known = cacheOf(backend).get(name)
  if (known) return known
  const key = await storedKey(backend, project, store)
  remember(backend, name, key)
  return key
}

/** The key of the deployment that authenticates rows: one version, made by the first caller of all, and remembered. */
export const rowAuthenticationKey = (backend: KeyedStore): Promise<ProjectKey> =>
  sealingKey(backend, ROW_KEYS_OWNER, DEPLOYMENT_STORE)

/** The newest key of the project in this store, made if there is none: one round trip. */
async function storedKey(backend: KeyedStore, project: string, store: string): Promise<ProjectKey> {
  const row = await newKeyRow(backend, { project, store, version: FIRST_VERSION })
  const ofPlace = and(eq(projectKeys.projectId, project), eq(projectKeys.store, store))
  // A version is never given twice, so a destroyed project has no key again.
  const isFirst = sql`not exists (select 1 from ${projectKeys} where ${ofPlace}) and not exists (
    select 1 from ${projectDestructions} where project_id = ${project} and due <= ${backend.now})`
  const [, [current]] = await backend.db.batch([
    insertWhere(backend, projectKeys, row, isFirst),
    backend.db
      .select()
      .from(projectKeys)
      .where(and(ofPlace, isNull(projectKeys.superseded))),
  ])
  if (!current) throw fault('projectDestroyed')
  const masterKeyId = masterKeyIdOf(current.wrapped)
  if (!backend.keyring.keys.has(masterKeyId)) throw fault('masterKeyMissing', masterKeyId)
  return openKey(backend, { project, store, version: current.version }, current.wrapped)
}

const MOST_ATTEMPTS = 3

/** The project's object tells of it as a fault, since an error's class does not cross the call. */
const isAboutKey = (error: unknown) =>
  isSuperseded(error) || (error instanceof Fault && error.failure === 'keySuperseded')

/**
 * Runs an operation that seals values of the project and stores them. When the key that this isolate knew was
 * superseded meanwhile, nothing was stored, and the operation is run again with the key that seals now. Throws
 * `keySuperseded` when keys change faster than that.
 */
export async function underSealingKey<Value>(
  backend: KeyedStore,
  project: string,
  operation: () => Promise<Value>,
): Promise<Value> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    try {
      return await operation()
    } catch (error) {
      if (!isAboutKey(error)) throw error
      const ofProject = `${placeName(project).slice(0, -1)},`
      for (const name of cacheOf(backend).keys()) if (name.startsWith(ofProject)) cacheOf(backend).delete(name)
    }
  }
  throw fault('keySuperseded')
}
