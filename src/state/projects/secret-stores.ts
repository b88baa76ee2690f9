/**
 * Secret stores. Each secret belongs to a store, and each store has its own project keys. There is one store, or with
 * SECRET_STORES=multiple there are two, of which a project can choose one for its new secrets.
 */
import { eq } from 'drizzle-orm'
import { fault } from '../../faults.ts'
import { commit } from '../audit/commit.ts'
import { changeOf } from '../audit/events.ts'
import { build, change, select } from '../database/prepared.ts'
import { preferredStores } from '../schema/resources.ts'
import type { Scope } from '../scope.ts'

export interface SecretStore {
  readonly id: string
  readonly name: string
  readonly globalDefault: boolean
}

/** Whether projects can choose between two secret stores. */
export interface StoreChoice {
  readonly secretStores: 'single' | 'multiple'
}

type StoreScope = Scope & StoreChoice

/** The stores of the service. The first is the only store, or with a choice the global default. */
const stores = [
  { id: '7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01', name: 'Software Only Crypto', globalDefault: true },
  { id: 'e1f6d6b4-3d0f-4a47-8c5e-54c2a9b3f702', name: 'Second Software Only Crypto', globalDefault: false },
] as const satisfies readonly SecretStore[]

/** The stores to choose from; throws `singleStore` if there is no choice. */
export function listStores({ secretStores }: StoreChoice): readonly SecretStore[] {
  if (secretStores === 'single') throw fault('singleStore')
  return stores
}

/** The store that projects without a preference use; throws `singleStore`. */
export function globalDefaultStore(choice: StoreChoice): SecretStore {
  return listStores(choice)[0] ?? stores[0]
}

/** Finds the store with this id; throws `singleStore` and `storeNotFound`. */
export function findStore(choice: StoreChoice, id: string): SecretStore {
  const store = listStores(choice).find((one) => one.id === id)
  if (!store) throw fault('storeNotFound')
  return store
}

async function preferredId({ db }: Scope, projectId: string): Promise<string | undefined> {
  const ofProject = eq(preferredStores.projectId, projectId)
  const [row] = await db.run(
    select({ store: preferredStores.store }, (columns) => build.select(columns).from(preferredStores).where(ofProject)),
  )
  return row?.store
}

/** The store that the project chose; throws `singleStore`, and `noPreferredStore` if it chose none. */
export async function preferredStore(scope: StoreScope, projectId: string): Promise<SecretStore> {
  const available = listStores(scope)
  const id = await preferredId(scope, projectId)
  const store = available.find((one) => one.id === id)
  if (!store) throw fault('noPreferredStore')
  return store
}

/** Chooses a store for the secrets that the project creates from now on. */
export async function preferStore(scope: Scope, projectId: string, store: SecretStore): Promise<void> {
  const upsert = build
    .insert(preferredStores)
    .values({ projectId, store: store.id })
    .onConflictDoUpdate({ target: preferredStores.projectId, set: { store: store.id } })
  await commit(scope, changeOf({ id: store.id, projectId }, 'update', 'secret-store/preferred'), change(upsert))
}

/** Removes the project's choice; throws `noPreferredStore` if it chose none. */
export async function removePreferredStore(scope: Scope, projectId: string): Promise<void> {
  const removal = change(build.delete(preferredStores).where(eq(preferredStores.projectId, projectId)))
  const event = changeOf({ id: projectId, projectId }, 'delete', 'secret-store/preferred')
  const { changed } = await commit(scope, event, removal)
  if (changed === 0) throw fault('noPreferredStore')
}

/** The id of the store for the project's new secrets. It reads nothing if there is no choice. */
export async function storeForNewSecrets(scope: StoreScope, projectId: string): Promise<string> {
  if (scope.secretStores === 'single') return stores[0].id
  const id = await preferredId(scope, projectId)
  return stores.find((store) => store.id === id)?.id ?? stores[0].id
}
