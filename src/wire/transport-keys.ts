/**
 * The resources under `/transport_keys`. Only a back end that wraps payloads in transit has transport keys. This
 * service has none, so the collection is empty, and keys can neither be found nor added.
 */
import type { Target } from '../access/policy.ts'
import { fault } from '../faults.ts'
import { pageEnd } from './http/answers.ts'
import { deferred } from './http/body.ts'
import { pageQuery } from './http/paging.ts'
import { isCanonicalId } from './http/refs.ts'
import { operation, projectTarget, resource, type Call } from './http/resource.ts'
import { object, schemaFault, text } from './http/schema.ts'
import * as z from 'zod/mini'

const SCHEMA = 'Transport Key'
const keyBody = {
  name: SCHEMA,
  type: z.lazy(() => object({ plugin_name: z.optional(text()), transport_key: z.optional(text()) })),
}

const keyReader = deferred(keyBody)

const collection = resource({
  path: '/transport_keys',
  operations: {
    GET: operation({
      name: 'Transport Key(s) retrieval',
      rule: 'transport_keys:get',
      query: pageQuery,
      answers: { 200: 'TransportKeys' },
      faults: [],
      answer({ search, query, refs }) {
        const end = pageEnd({ href: refs.to('transport_keys'), search, page: query, count: 0, total: 0 })
        return { status: 200, json: { transport_keys: [], ...end } }
      },
    }),
    POST: operation({
      name: 'Transport Key Creation',
      rule: 'transport_keys:post',
      body: keyReader,
      answers: {},
      faults: ['transportKeyUnsupported'],
      async answer(_call, _target, read) {
        const body = await read()
        for (const member of ['plugin_name', 'transport_key'] as const) {
          if (!body[member]) throw schemaFault(SCHEMA, `${member} must be provided`, member)
        }
        throw fault('transportKeyUnsupported')
      },
    }),
  },
})

/** Checks the format of the id, which as in Barbican precedes the policy check. */
async function requireId({ caller, param }: Call): Promise<Target> {
  if (!isCanonicalId(param('key'))) throw fault('transportKeyId')
  return projectTarget(caller)
}

function throwNotFound(): never {
  throw fault('transportKeyAbsent')
}

const item = resource({
  path: '/transport_keys/:key',
  find: requireId,
  faults: ['transportKeyId'],
  operations: {
    GET: operation({
      name: 'Transport Key retrieval',
      rule: 'transport_key:get',
      answers: {},
      faults: ['transportKeyAbsent'],
      answer: throwNotFound,
    }),
    DELETE: operation({
      name: 'Transport Key deletion',
      rule: 'transport_key:delete',
      answers: {},
      faults: ['transportKeyAbsent'],
      answer: throwNotFound,
    }),
  },
})

export const transportKeyResources = [collection, item]
