/**
 * The resources under `/secret-stores`: all stores, the global default, the project's preference, and single stores.
 */
import {
  findStore,
  removePreferredStore,
  globalDefaultStore,
  listStores,
  preferStore,
  preferredStore,
  type SecretStore,
} from '../state/projects/secret-stores.ts'
import type { Target } from '../access/policy.ts'
import type { Shapes } from '../shapes/index.ts'
import { NO_CONTENT } from './http/replies.ts'
import type { Refs } from './http/refs.ts'
import { operation, projectTarget, resource, type Call } from './http/resource.ts'

/** Creation time of all stores. They are built into the service and not stored, so they have no times of their own. */
const CREATED = '2026-11-22T00:00:00.000000'

function view({ id, name, globalDefault }: SecretStore, refs: Refs): Shapes['SecretStore'] {
  return {
    created: CREATED,
    updated: CREATED,
    status: 'ACTIVE',
    crypto_plugin: 'simple_crypto',
    global_default: globalDefault,
    name,
    secret_store_plugin: 'store_crypto',
    secret_store_ref: refs.to('secret-stores', id),
  }
}

const collection = resource({
  path: '/secret-stores',
  operations: {
    GET: operation({
      name: 'List available secret stores',
      rule: 'secretstores:get',
      answers: { 200: 'SecretStores' },
      faults: ['singleStore'],
      answer({ backend, refs }) {
        return { status: 200, json: { secret_stores: listStores(backend).map((store) => view(store, refs)) } }
      },
    }),
  },
})

const globalDefault = resource({
  path: '/secret-stores/global-default',
  operations: {
    GET: operation({
      name: 'Retrieve global default secret store',
      rule: 'secretstores:get_global_default',
      answers: { 200: 'SecretStore' },
      faults: ['singleStore'],
      answer: ({ backend, refs }) => ({ status: 200, json: view(globalDefaultStore(backend), refs) }),
    }),
  },
})

const preferred = resource({
  path: '/secret-stores/preferred',
  operations: {
    GET: operation({
      name: 'Retrieve project preferred store',
      rule: 'secretstores:get_preferred',
      answers: { 200: 'SecretStore' },
      faults: ['singleStore', 'noPreferredStore'],
      async answer({ backend, caller, refs }) {
        return { status: 200, json: view(await preferredStore(backend, caller.projectId), refs) }
      },
    }),
  },
})

type StoreTarget = Target & { readonly store: SecretStore }

/**
 * Finds the store that the path names; every project has access to it. As in Barbican, a 404 precedes the policy check.
 */
async function storeOfPath({ backend, caller, param }: Call): Promise<StoreTarget> {
  const store = findStore(backend, param('store'))
  return { ...projectTarget(caller), store }
}

const item = resource<StoreTarget>({
  path: '/secret-stores/:store',
  find: storeOfPath,
  faults: ['singleStore', 'storeNotFound'],
  operations: {
    GET: operation({
      name: 'Secret store retrieval',
      rule: 'secretstore:get',
      answers: { 200: 'SecretStore' },
      faults: [],
      answer: ({ refs }, { store }) => ({ status: 200, json: view(store, refs) }),
    }),
  },
})

const preference = resource<StoreTarget>({
  path: '/secret-stores/:store/preferred',
  find: storeOfPath,
  faults: ['singleStore', 'storeNotFound'],
  operations: {
    POST: operation({
      name: 'Setting preferred secret store',
      rule: 'secretstore_preferred:post',
      answers: { 204: null },
      faults: [],
      async answer({ backend, caller }, { store }) {
        await preferStore(backend, caller.projectId, store)
        return NO_CONTENT
      },
    }),
    DELETE: operation({
      name: 'Removing preferred secret store',
      rule: 'secretstore_preferred:delete',
      answers: { 204: null },
      faults: ['noPreferredStore'],
      async answer({ backend, caller }) {
        await removePreferredStore(backend, caller.projectId)
        return NO_CONTENT
      },
    }),
  },
})

export const secretStoreResources = [collection, globalDefault, preferred, item, preference]
