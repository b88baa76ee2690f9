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
import { json as answer, noContent } from './http/answers.ts'
import type { Refs } from './http/refs.ts'
import { operation, projectTarget, resource, type Call } from './http/resource.ts'

/** Creation time of all stores. They are built into the service and not stored, so they have no times of their own. */
const CREATED = '2026-11-22T00:00:00.000000'

function view({ id, name, globalDefault }: SecretStore, refs: Refs) {
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
      answer: ({ c, backend, refs }) =>
        answer(c, 200, { secret_stores: listStores(backend).map((store) => view(store, refs)) }),
    }),
  },
})

const globalDefault = resource({
  path: '/secret-stores/global-default',
  operations: {
    GET: operation({
      name: 'Retrieve global default secret store',
      rule: 'secretstores:get_global_default',
      answer: ({ c, backend, refs }) => answer(c, 200, view(globalDefaultStore(backend), refs)),
    }),
  },
})

const preferred = resource({
  path: '/secret-stores/preferred',
  operations: {
    GET: operation({
      name: 'Retrieve project preferred store',
      rule: 'secretstores:get_preferred',
      async answer({ c, backend, caller, refs }) {
        return answer(c, 200, view(await preferredStore(backend, caller.projectId), refs))
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
  operations: {
    GET: operation<StoreTarget>({
      name: 'Secret store retrieval',
      rule: 'secretstore:get',
      answer: ({ c, refs }, { store }) => answer(c, 200, view(store, refs)),
    }),
  },
})

const preference = resource<StoreTarget>({
  path: '/secret-stores/:store/preferred',
  find: storeOfPath,
  operations: {
    POST: operation<StoreTarget>({
      name: 'Setting preferred secret store',
      rule: 'secretstore_preferred:post',
      async answer({ c, backend, caller }, { store }) {
        await preferStore(backend, caller.projectId, store)
        return noContent(c)
      },
    }),
    DELETE: operation<StoreTarget>({
      name: 'Removing preferred secret store',
      rule: 'secretstore_preferred:delete',
      async answer({ c, backend, caller }) {
        await removePreferredStore(backend, caller.projectId)
        return noContent(c)
      },
    }),
  },
})

export const secretStoreResources = [collection, globalDefault, preferred, item, preference]
