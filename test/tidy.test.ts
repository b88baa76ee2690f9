/**
 * The rules of this repository's source: which modules import which, names, lengths, and the list of operations. A
 * module is a folder of `src`, or a file at its top.
 */
/// <reference types="vite/types/importMeta.d.ts" />
import { describe, expect, it } from 'vitest'
import { rules } from '../src/access/policy.ts'
import { resources } from '../src/app.ts'
import { differences } from './support/differences.ts'

const sources = import.meta.glob<string>(['../src/**/*.ts', '!**/*.d.ts', '!../src/client/dist/**'], {
  query: '?raw',
  eager: true,
  import: 'default',
})
const tests = import.meta.glob<string>('./**/*.ts', { query: '?raw', eager: true, import: 'default' })
const files = Object.entries(sources).map(([path, text]) => ({ path: path.replace('../src/', ''), text }))

/** The module of a file of `src`: its folder, or its own name for files at the top. */
const moduleOf = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path.replace(/\.ts$/, ''))

/** The modules that each module may import, besides itself. */
const admitted: Readonly<Record<string, readonly string[]>> = {
  caller: [],
  faults: [],
  times: [],
  log: [],
  cache: [],
  repetition: [],
  // It is shipped by itself.
  client: [],
  version: [],
  // Run when the Worker is built.
  pages: [],
  crypto: [],
  state: ['crypto', 'caller', 'faults', 'times', 'log', 'cache', 'repetition'],
  access: ['crypto', 'state', 'caller', 'faults', 'times', 'cache', 'log', 'repetition'],
  config: ['crypto', 'state'],
  // The shapes of answers, of which the Worker has the types alone.
  shapes: [],
  // Of the client, the types of what crosses a service binding.
  wire: ['client', 'shapes', 'crypto', 'state', 'access', 'caller', 'config', 'faults', 'times', 'log', 'version'],
  app: ['state', 'access', 'wire', 'config', 'faults', 'times'],
  index: ['app', 'wire', 'state', 'config', 'times', 'log'],
  // It makes the contract when the service is built.
  contract: ['app', 'wire', 'shapes', 'access', 'state', 'faults'],
  local: ['config', 'crypto', 'pages', 'state', 'faults', 'times', 'log'],
}

/** The layers of `state`, from the lowest. Folders and files import only from lower layers, types included. */
const layers: readonly (readonly string[])[] = [
  ['schema', 'row-ids', 'age'],
  ['database', 'entities'],
  ['scope', 'acl-columns'],
  ['audit', 'project-calls'],
  ['keys', 'places', 'read-only', 'wake'],
  ['integrity', 'projects'],
  ['backend', 'identity'],
  ['repeated-changes'],
  ['secrets', 'deployment'],
  ['containers', 'connect'],
  ['acls', 'consumers', 'orders', 'reconciliation', 'verification'],
  ['object'],
]
const layerOf = (module: string) => layers.findIndex((modules) => modules.includes(module))
const inState = (path: string) => path.startsWith('state/')
const innerModuleOf = (path: string) => moduleOf(path.replace('state/', ''))

/** The files of `src` that a file imports, as paths below `src`. */
function importsOf({ path, text }: { readonly path: string; readonly text: string }): string[] {
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, specifier = '']) => specifier)
  const folder = new URL(path, 'file:///src/')
  return specifiers.map((specifier) => new URL(specifier, folder).pathname.replace('/src/', ''))
}

/** The text between the bracket at this position and the one that closes it. */
function argumentsAt(text: string, start: number): string {
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1
    if (text[at] === ')') depth -= 1
    if (depth === 0) return text.slice(start, at)
  }
  throw new Error('a bracket is not closed')
}

describe('a source file', () => {
  it('every source file is read by this test', () => {
    expect(files.length).toBeGreaterThan(50)
    expect(files.flatMap(importsOf).length).toBeGreaterThan(100)
  })

  it.each(files)('$path imports only modules below its own', (file) => {
    const module = moduleOf(file.path)
    expect(admitted).toHaveProperty(module)
    const others = importsOf(file).map(moduleOf)
    const forbidden = others.filter((other) => other !== module && !admitted[module]?.includes(other))
    expect(forbidden).toEqual([])
  })

  it.each(files.filter(({ path }) => inState(path)))('$path imports from lower layers of the state alone', (file) => {
    const module = innerModuleOf(file.path)
    expect(layerOf(module), module).toBeGreaterThanOrEqual(0)
    const others = importsOf(file).filter(inState).map(innerModuleOf)
    expect(others.filter((other) => other !== module && layerOf(other) >= layerOf(module))).toEqual([])
  })

  it('only the entry point and the configuration import object/, whose code runs in the Durable Object alone', () => {
    const inObject = (path: string) => path.startsWith('state/object/')
    const importers = files.filter((file) => !inObject(file.path) && importsOf(file).some(inObject))
    expect(importers.map(({ path }) => path).toSorted()).toEqual(['index.ts', 'local/drill-worker/index.ts'])
  })

  it('every relative import names an existing file inside src', () => {
    const known = new Set(files.map(({ path }) => path))
    const unknown = files.flatMap((file) =>
      importsOf(file).filter((path) => !known.has(path) && !path.endsWith('.json')),
    )
    expect(unknown).toEqual([])
  })

  it('the Worker has no shape of an answer but its type', () => {
    const carrying = files.filter(
      ({ path, text }) => !/^(contract|shapes)\//.test(path) && /^import (?!type)[^\n]*\/shapes\//m.test(text),
    )
    expect(carrying.map(({ path }) => path)).toEqual([])
  })

  it.each(files)('$path has at most 400 lines', ({ text }) => {
    expect(text.split('\n').length - 1).toBeLessThanOrEqual(400)
  })

  it('every file is named after what it contains', () => {
    const vague = [...files.map(({ path }) => path), ...Object.keys(tests)].filter((path) =>
      /(^|[/-])(utils?|helpers?|common|misc|shared|lib)([/.-]|$)/i.test(path),
    )
    expect(vague).toEqual([])
  })

  it('no source file uses a transaction, because D1 has only batches', () => {
    expect(files.filter(({ text }) => text.includes('.transaction(')).map(({ path }) => path)).toEqual([])
  })

  it('nothing outside of a function holds promises, because requests of an isolate must not wait for each other', () => {
    const held = /^(?:export )?(?:const|let) [^\n]*(?:Map|Set|cacheOf)<[^\n]*Promise<|^(?:export )?let [^\n]*Promise</m
    expect(
      files.filter(({ path, text }) => !path.startsWith('local/') && held.test(text)).map(({ path }) => path),
    ).toEqual([])
  })

  it('every write goes through commit, so that no change is stored without its audit event', () => {
    const writes = /\b(?:change|changeReturning|idempotent|insert\w*)\(/
    const bare = files.flatMap(({ path, text }) =>
      [...text.matchAll(/db\.(?:run|batch)(?=\()/g)]
        .map(({ index, 0: call }) => argumentsAt(text, index + call.length))
        .filter((run) => {
          const [, name] = /^\((\w+)(?:,|$)/.exec(run) ?? []
          return (
            writes.test(run) || (name !== undefined && new RegExp(`const ${name} = (?:change|idempotent)`).test(text))
          )
        })
        .map(() => path),
    )
    expect(bare.toSorted()).toEqual([
      'state/audit/events.ts', // A finding of the Durable Object is an event without a change.
      'state/audit/refusals.ts', // A refusal as well.
      'state/audit/retention.ts', // Events after their retention period.
      'state/identity/login-attempts.ts', // The count of an attempt, whose result is recorded later.
      'state/keys/project-key-versions.ts', // The deletion of a superseded key without values.
      'state/keys/project-keys.ts', // A key that is created on first use.
      'state/object/order-mutations.ts', // The claim of a run, which may be repeated and is visible in the order.
      'state/object/seal.ts', // The numbers of events in the chain.
    ])
  })

  it('SQL is in state only, and HTTP is not in state, crypto or access', () => {
    const outside = files.filter(({ path, text }) => moduleOf(path) !== 'state' && text.includes("from 'drizzle-orm"))
    expect(outside.map(({ path }) => path)).toEqual([])
    const inside = files.filter(({ path, text }) => /^(state|crypto|access)\//.test(path) && /from 'hono/.test(text))
    expect(inside.map(({ path }) => path)).toEqual([])
  })
})

/** The operations and their names in error messages, as the API defines them. */
const contract: Readonly<Record<string, string>> = {
  'GET /secrets': 'Secret(s) retrieval',
  'POST /secrets': 'Secret creation',
  'GET /secrets/*': 'Secret retrieval',
  'PUT /secrets/*': 'Secret update',
  'DELETE /secrets/*': 'Secret deletion',
  'GET /secrets/*/payload': 'Secret payload retrieval',
  'GET /secrets/*/versions': 'Secret version(s) retrieval',
  'POST /secrets/*/versions': 'Secret version creation',
  'GET /secrets/*/versions/*': 'Secret version retrieval',
  'PATCH /secrets/*/versions/*': 'Secret version update',
  'DELETE /secrets/*/versions/*': 'Secret version deletion',
  'GET /secrets/*/versions/*/payload': 'Secret payload retrieval',
  'GET /secrets/*/versioning': 'Secret versioning retrieval',
  'PUT /secrets/*/versioning': 'Secret versioning update',
  'GET /secrets/*/acl': 'SecretACL(s) retrieval',
  'PUT /secrets/*/acl': 'SecretACL(s) Update',
  'PATCH /secrets/*/acl': 'SecretACL(s) Update',
  'DELETE /secrets/*/acl': 'SecretACL(s) deletion',
  'POST /secrets/*/encrypt': 'Encryption',
  'POST /secrets/*/decrypt': 'Decryption',
  'POST /secrets/*/rewrap': 'Rewrapping',
  'POST /secrets/*/datakey': 'Data key creation',
  'POST /secrets/*/sign': 'Signature',
  'POST /secrets/*/verify': 'Verification',
  'POST /secrets/*/mac': 'Message authentication',
  'GET /secrets/*/key': 'Key retrieval',
  'PATCH /secrets/*/key': 'Key update',
  'GET /secrets/*/acl/use': 'UseACL retrieval',
  'PUT /secrets/*/acl/use': 'UseACL update',
  'DELETE /secrets/*/acl/use': 'UseACL deletion',
  'GET /extensions': 'Extensions retrieval',
  'GET /secrets/*/metadata': 'Secret metadata retrieval',
  'PUT /secrets/*/metadata': 'Secret metadata creation',
  'POST /secrets/*/metadata': 'Secret metadatum creation',
  'GET /secrets/*/metadata/*': 'Secret metadatum retrieval',
  'PUT /secrets/*/metadata/*': 'Secret metadatum update',
  'DELETE /secrets/*/metadata/*': 'Secret metadatum removal',
  'GET /secrets/*/consumers': 'SecretConsumers(s) retrieval',
  'POST /secrets/*/consumers': 'SecretConsumer creation',
  'DELETE /secrets/*/consumers': 'SecretConsumer deletion',
  'GET /secrets/*/consumers/*': 'SecretConsumer retrieval',
  'GET /containers': 'Containers(s) retrieval',
  'POST /containers': 'Container creation',
  'GET /containers/*': 'Container retrieval',
  'DELETE /containers/*': 'Container deletion',
  'POST /containers/*/secrets': 'Container Secret creation',
  'DELETE /containers/*/secrets': 'Container Secret deletion',
  'GET /containers/*/acl': 'ContainerACL(s) retrieval',
  'PUT /containers/*/acl': 'ContainerACL(s) Update',
  'PATCH /containers/*/acl': 'ContainerACL(s) Update',
  'DELETE /containers/*/acl': 'ContainerACL(s) deletion',
  'GET /containers/*/consumers': 'ContainerConsumers(s) retrieval',
  'POST /containers/*/consumers': 'ContainerConsumer creation',
  'DELETE /containers/*/consumers': 'ContainerConsumer deletion',
  'GET /containers/*/consumers/*': 'ContainerConsumer retrieval',
  'GET /orders': 'Order(s) retrieval',
  'POST /orders': 'Order creation',
  'PUT /orders': 'Order update',
  'GET /orders/*': 'Order retrieval',
  'PUT /orders/*': 'Order update',
  'DELETE /orders/*': 'Order deletion',
  'GET /quotas': 'Quotas',
  'GET /project-quotas': 'Project Quotas',
  'GET /project-quotas/*': 'Project Quotas',
  'PUT /project-quotas/*': 'Project Quotas',
  'DELETE /project-quotas/*': 'Project Quotas',
  'GET /secret-stores': 'List available secret stores',
  'GET /secret-stores/global-default': 'Retrieve global default secret store',
  'GET /secret-stores/preferred': 'Retrieve project preferred store',
  'GET /secret-stores/*': 'Secret store retrieval',
  'POST /secret-stores/*/preferred': 'Setting preferred secret store',
  'DELETE /secret-stores/*/preferred': 'Removing preferred secret store',
  'GET /transport_keys': 'Transport Key(s) retrieval',
  'POST /transport_keys': 'Transport Key Creation',
  'GET /transport_keys/*': 'Transport Key retrieval',
  'DELETE /transport_keys/*': 'Transport Key deletion',
  'GET /audit': 'Audit log retrieval',
  'GET /cas': 'CertificateAuthorities(s) retrieval',
  'GET /cas/*': 'CertificateAuthority retrieval',
  'GET /cas/*/cacert': 'CA Certificate retrieval',
  'GET /cas/*/intermediates': 'CA Intermediates retrieval',
  'GET /cas/*/crl': 'CA Revocation List retrieval',
  'GET /cas/*/certificates': 'Issued Certificate(s) retrieval',
  'POST /cas/*/certificates/*/revoke': 'Issued Certificate revocation',
}

describe('an operation', () => {
  const operations = resources.flatMap(({ path, operations }) =>
    Object.entries(operations).map(([method, operation]) => ({
      route: `${method} ${path.replaceAll(/:[a-z]+/gi, '*')}`,
      operation,
    })),
  )

  it.each(operations)('$route has a rule of the policy', ({ operation: { rule } }) => {
    for (const each of typeof rule === 'string' ? [rule] : rule.of) expect(rules).toContain(each)
  })

  it('every operation is on one route, once', () => {
    const routes = operations.map(({ route }) => route)
    expect(routes.filter((route, at) => routes.indexOf(route) !== at)).toEqual([])
  })

  it('the operations and their names are exactly those of the contract', () => {
    const names = Object.fromEntries(operations.map(({ route, operation }) => [route, operation.name]))
    expect(names).toEqual(contract)
  })
})

describe('a test file', () => {
  const testFiles = Object.entries(tests).filter(([path]) => path.endsWith('.test.ts'))

  it.each(testFiles)('the test file %s begins with a comment that says what it proves', (_path, text) => {
    expect(text.replace(/^\/\/\/ <reference [^\n]*\n/, '')).toMatch(/^\/\*\*/)
  })

  it('test/api imports nothing of src, so that it runs against Barbican as it is', () => {
    const strange = testFiles
      .filter(([path]) => path.startsWith('./api/'))
      .filter(([, text]) => text.includes("from '../../src/"))
    expect(strange.map(([path]) => path)).toEqual([])
  })
})

describe('a difference from Barbican', () => {
  const used = Object.entries(tests).filter(([path]) => path.endsWith('.test.ts') && !path.endsWith('tidy.test.ts'))

  it.each(Object.keys(differences))('a test covers the difference from Barbican: %s', (difference) => {
    expect(used.some(([, text]) => text.includes(`'${difference}'`))).toBe(true)
  })
})
