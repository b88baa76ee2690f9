/**
 * Secret stores: where new secrets of a project are kept, each with project keys of its own. There is one, or with
 * SECRET_STORES=multiple there are two, between which a project may choose.
 */
import { eq } from 'drizzle-orm'
import { fault } from '../../faults.ts'
import { commit } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import type { Backend } from '../backend.ts'
import { changes } from '../database/statements.ts'
import { preferredStores } from '../schema/resources.ts'

export interface SecretStore {
  readonly id: string
  readonly name: string
  readonly globalDefault: boolean
}

/** The stores of the service. The first is the only one of a service without a choice, and else the global default. */
const stores = [
  { id: '7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01', name: 'Software Only Crypto', globalDefault: true },
  { id: 'e1f6d6b4-3d0f-4a47-8c5e-54c2a9b3f702', name: 'Second Software Only Crypto', globalDefault: false },
] as const satisfies readonly SecretStore[]

/** The stores to choose from; throws `singleStore` when there is no choice. */
export function listStores({ secretStores }: Backend): readonly SecretStore[] {
  if (secretStores === 'single') throw fault('singleStore')
  return stores
}

/** The store that projects without a preference use; throws `singleStore`. */
export function globalDefaultStore(backend: Backend): SecretStore {
  return listStores(backend)[0] ?? stores[0]
}

/** The store with this id; throws `singleStore` and `storeNotFound`. */
export function findStore(backend: Backend, id: string): SecretStore {
  const store = listStores(backend).find((one) => one.id === id)
  if (!store) throw fault('storeNotFound')
  return store
}

async function preferredId(backend: Backend, projectId: string): Promise<string | undefined> {
  const row = await backend.db.select().from(preferredStores).where(eq(preferredStores.projectId, projectId)).get()
  return row?.store
}

/** The store that the project chose; throws `singleStore`, and `noPreferredStore` when it chose none. */
export async function preferredStore(backend: Backend, projectId: string): Promise<SecretStore> {
  const available = listStores(backend)
  const id = await preferredId(backend, projectId)
  const store = available.find((one) => one.id === id)
  if (!store) throw fault('noPreferredStore')
  return store
}

/** Chooses a store for the secrets that the project makes from now on. */
export async function preferStore(backend: Backend, projectId: string, store: SecretStore): Promise<void> {
  const upsert = backend.db
    .insert(preferredStores)
    .values({ projectId, store: store.id })
    .onConflictDoUpdate({ target: preferredStores.projectId, set: { store: store.id } })
  const change = changeOf({ id: store.id, projectId }, 'update', 'secret-store/preferred')
  await commit(backend, change, upsert)
}

/** Takes the project's choice back; throws `noPreferredStore` when it chose none. */
export async function forgetPreferredStore(backend: Backend, projectId: string): Promise<void> {
  const removal = backend.db.delete(preferredStores).where(eq(preferredStores.projectId, projectId))
  const [result] = await commit(
    backend,
    changeOf({ id: projectId, projectId }, 'delete', 'secret-store/preferred'),
    removal,
  )
  if (changes(result) === 0) throw fault('noPreferredStore')
}

/** The id of the store in which the project's new secrets are kept: no look-up when there is no choice. */
export async function storeForNewSecrets(backend: Backend, projectId: string): Promise<string> {
  if (backend.secretStores === 'single') return stores[0].id
  const id = await preferredId(backend, projectId)
  return stores.find((store) => store.id === id)?.id ?? stores[0].id
}
