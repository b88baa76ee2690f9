/** The contract: `src/contract/openapi.json` is what the tables of the service say, and leaves nothing of them out. */
/// <reference types="vite/types/importMeta.d.ts" />
import { describe, expect, it } from 'vitest'
import { rules } from '../../src/access/policy.ts'
import { adminResources, resources } from '../../src/app.ts'
import { notes } from '../../src/contract/notes.ts'
import { openApi } from '../../src/contract/openapi.ts'
import { operationIdOf } from '../../src/contract/operation-ids.ts'
import written from '../../src/contract/openapi.json'
import { typesOf } from '../../src/contract/types.ts'

const types = import.meta.glob<string>('../../src/client/api.ts', { query: '?raw', eager: true, import: 'default' })

const served = [
  ...resources.map((resource) => ({ ...resource, prefix: '/v1' })),
  ...adminResources.map((resource) => ({ ...resource, prefix: '/admin' })),
].flatMap(({ prefix, path, operations }) =>
  Object.keys(operations).map((method) => ({ method, path: prefix + path.replaceAll(/:(\w+)/g, '{$1}') })),
)

interface Written {
  readonly operationId?: string
  readonly 'x-roles'?: readonly { readonly rule: string }[]
}

const operations = Object.values(
  written.paths as unknown as Readonly<Record<string, Readonly<Record<string, Written>>>>,
)
  .flatMap((item) => Object.values(item))
  .filter(({ operationId }) => operationId !== undefined)

describe('the contract', () => {
  it('the contract that is written down is the one that the tables make: else run "npm run contract"', () => {
    expect(openApi()).toEqual(written)
  })

  it('the types of the contract are those that the client is shipped with: else run "npm run contract"', () => {
    expect(typesOf(openApi())).toBe(types['../../src/client/api.ts'])
  })

  it.each(served)('the contract has $method $path, in both forms of the path', ({ method, path }) => {
    const paths = written.paths as unknown as Readonly<Record<string, Readonly<Record<string, Written>>>>
    expect(paths[path]?.[method.toLowerCase()]?.operationId).toBe(operationIdOf(method, path))
    if (path.startsWith('/v1')) expect(paths).toHaveProperty([path.replace('/v1', '/v1/{tenant}')])
  })

  it('every id of an operation is given once', () => {
    const ids = operations.map(({ operationId }) => operationId)
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
  })

  it('every rule of the policy is the rule of an operation', () => {
    const used = new Set(operations.flatMap((operation) => operation['x-roles'] ?? []).map(({ rule }) => rule))
    expect(rules.filter((rule) => !used.has(rule))).toEqual([])
  })

  it('every note is about an operation', () => {
    const ids = new Set(operations.map(({ operationId }) => operationId))
    expect(Object.keys(notes).filter((id) => !ids.has(id))).toEqual([])
  })
})
