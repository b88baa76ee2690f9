/** Project keys: made on first use, kept wrapped in D1, and open in the memory of this isolate once used. */
import { and, desc, eq } from 'drizzle-orm'
import { masterKeyIdOf, newWrappedKey, unwrapKey, type KeyPlace } from '../crypto/keyring.ts'
import type { ProjectKey } from '../crypto/envelope.ts'
import { fault } from '../faults.ts'
import type { Backend } from './backend.ts'
import { projectKeys } from './schema.ts'

const FIRST_VERSION = 1
const MOST_OPEN_KEYS = 5_000
/** In place of a secret store: no store has this id. */
const DEPLOYMENT_STORE = 'deployment'

/** Open keys by place, and under the place without a version the one that seals new values. Oldest first. */
const openKeys = new WeakMap<Backend['keyring'], Map<string, ProjectKey>>()

const placeName = (...parts: readonly (string | number)[]) => JSON.stringify(parts)

function cacheOf(backend: Backend): Map<string, ProjectKey> {
  const known = openKeys.get(backend.keyring)
  if (known) return known
  const cache = new Map<string, ProjectKey>()
  openKeys.set(backend.keyring, cache)
  return cache
}

function remember(backend: Backend, name: string, key: ProjectKey): void {
  const cache = cacheOf(backend)
  if (cache.size >= MOST_OPEN_KEYS)
    for (const oldest of [...cache.keys()].slice(0, MOST_OPEN_KEYS / 2)) cache.delete(oldest)
  cache.set(name, key)
}

/** Opens a stored key. The caller has read `wrapped` with the row that needs it, so this costs no round trip. */
export async function openKey(backend: Backend, place: KeyPlace, wrapped: Uint8Array): Promise<ProjectKey> {
  const name = placeName(place.project, place.store, place.version)
  const known = cacheOf(backend).get(name)
  if (known) return known
  const key = await unwrapKey(backend.keyring, place, wrapped)
  remember(backend, name, key)
  return key
}

/** Uses of keys of the deployment's own; they are wrapped like keys of projects. No project has such an id. */
export type DeploymentKey = 'row authentication' | 'certificate authority'

/**
 * The one version of a key of the deployment; the first caller of all makes it. Not remembered here. Throws
 * `masterKeyMissing` when the key that wraps it was taken out of the keyring.
 */
export async function deploymentKey(backend: Backend, project: DeploymentKey): Promise<ProjectKey> {
  return storedKey(backend, project, DEPLOYMENT_STORE)
}

/**
 * The key under which new values of the project are sealed in this store. The first caller makes it; of concurrent
 * first callers one wins and all use its key. One round trip when this isolate has not used the key yet, else none.
 */
export async function sealingKey(backend: Backend, project: string, store: string): Promise<ProjectKey> {
  const name = placeName(project, store)
  const known = cacheOf(backend).get(name)
  if (known) return known
  const key = await storedKey(backend, project, store)
  remember(backend, name, key)
  return key
}

/** The newest key of the project in this store, made if there is none: one round trip. */
async function storedKey(backend: Backend, project: string, store: string): Promise<ProjectKey> {
  const place = { project, store, version: FIRST_VERSION }
  const fresh = await newWrappedKey(backend.keyring, place)
  const row = {
    projectId: project,
    store,
    version: FIRST_VERSION,
    masterKeyId: masterKeyIdOf(fresh),
    wrapped: Buffer.from(fresh),
    created: backend.now,
  }
  const [, [current]] = await backend.db.batch([
    backend.db.insert(projectKeys).values(row).onConflictDoNothing(),
    backend.db
      .select()
      .from(projectKeys)
      .where(and(eq(projectKeys.projectId, project), eq(projectKeys.store, store)))
      .orderBy(desc(projectKeys.version))
      .limit(1),
  ])
  if (!current) throw new Error('the project key that was just stored is not there')
  const masterKeyId = masterKeyIdOf(current.wrapped)
  if (!backend.keyring.keys.has(masterKeyId)) throw fault('masterKeyMissing', masterKeyId)
  return openKey(backend, { project, store, version: current.version }, current.wrapped)
}
