/**
 * What programs of others make of the contract: the types of `openapi-typescript`, which must be those that the client is
 * shipped with, and a client of `@hey-api/openapi-ts`, which is used against the service. They are installed from npm for
 * this run only, with the TypeScript that they need.
 */
import { build } from 'esbuild'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { installFromNpm } from './packages.ts'
import { run, runToSuccess, words, type Environment } from './process.ts'
import type { Outcome } from './report.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const CONTRACT = join(ROOT, 'src/contract/openapi.json')
const PACKAGES = ['openapi-typescript@7.13.0', '@hey-api/openapi-ts@0.99.0', 'typescript@5.9.3']

/**
 * Fails to compile, with the name, for a schema, a body, a query or an answer of 200 that has another type. Entities with
 * further members, whose names are not known, have them in another form.
 */
const COMPARISON = `
  import type { components as Theirs, operations as TheirOperations } from './theirs.ts'
  import type { components as Ours, operations as OurOperations } from './ours.ts'
  type Same<One, Other> = [One] extends [Other] ? ([Other] extends [One] ? true : false) : false
  type Different<One, Other> = {
    [Name in keyof One | keyof Other]: Name extends keyof One & keyof Other
      ? Same<One[Name], Other[Name]> extends true ? never : Name
      : Name
  }[keyof One | keyof Other]
  type Body<Operation> = Operation extends { requestBody?: infer Value } ? Value : never
  type Bodies<All> = { [Name in keyof All]: Body<All[Name]> }
  type Parameters<All> = { [Name in keyof All]: All[Name] extends { parameters: infer Value } ? Value : never }
  type Named<Name> = Name extends 'Project' | 'User' | \`\${'One' | 'Identity'}\${string}\` | 'Projects' | 'Users' | \`\${'post' | 'patch'}Identity\${string}\` ? never : Name
  declare const schemas: Named<Different<Ours['schemas'], Theirs['schemas']>>
  declare const bodies: Named<Different<Bodies<OurOperations>, Bodies<TheirOperations>>>
  declare const parameters: Different<Parameters<OurOperations>, Parameters<TheirOperations>>
  export const none: readonly never[] = [schemas, bodies, parameters]
`

const compilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  target: 'es2024',
  lib: ['es2024'],
  types: [],
  module: 'esnext',
  moduleResolution: 'bundler',
  allowImportingTsExtensions: true,
}

/** Their programs look for Node. */
const tools = { environment: { PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` } }

/** An order, the secrets under the path of the tenant, a container, and a consumer of a secret. */
const PROGRAM = `
  import { client } from './made/client.gen'
  import { getOrder, getSecrets2, postContainers, postOrders, postSecretConsumers, postSecrets } from './made/sdk.gen'
  const { URL = '', TOKEN = '', PROJECT = '' } = process.env
  client.setConfig({ baseUrl: URL, auth: TOKEN, throwOnError: true })
  const idOf = (ref: string) => ref.slice(ref.lastIndexOf('/') + 1)
  const requireStatus = (response: Response, status: number) => {
    if (response.status !== status) throw new Error(\`\${response.url}: \${response.status}\`)
  }
  const order = await postOrders({
    body: { type: 'key', meta: { name: 'generated', algorithm: 'aes', bit_length: 256, mode: 'gcm' } },
    throwOnError: true,
  })
  requireStatus(order.response, 202)
  const shown = await getOrder({ path: { order: idOf(order.data.order_ref) }, throwOnError: true })
  if (shown.data.type !== 'key') throw new Error('the order is not for a key')
  const secret = await postSecrets({
    body: { name: 'generated', payload: 'open sesame', payload_content_type: 'text/plain' },
    throwOnError: true,
  })
  requireStatus(secret.response, 201)
  const listed = await getSecrets2({ path: { tenant: PROJECT }, query: { name: 'generated', limit: 10 }, throwOnError: true })
  if (!listed.data.secrets.some(({ secret_ref }) => secret_ref.endsWith(idOf(secret.data.secret_ref))))
    throw new Error('the secret is not in the list of the tenant')
  const container = await postContainers({
    body: { type: 'generic', name: 'login', secret_refs: [{ name: 'password', secret_ref: secret.data.secret_ref }] },
    throwOnError: true,
  })
  requireStatus(container.response, 201)
  const consumed = await postSecretConsumers({
    path: { secret: idOf(secret.data.secret_ref) },
    body: { service: 'compute', resource_type: 'instance', resource_id: 'one' },
    throwOnError: true,
  })
  if (consumed.data.consumers?.length !== 1) throw new Error('the secret does not have the consumer')
  console.log('done')
`

async function outcome(name: string, check: () => Promise<unknown>): Promise<Outcome> {
  try {
    await check()
    return { name: `generated: ${name}`, failure: null }
  } catch (error) {
    return { name: `generated: ${name}`, failure: String(error) }
  }
}

async function compareTypes(state: string, bin: string): Promise<void> {
  const theirs = join(state, 'theirs.ts')
  await runToSuccess(
    join(bin, 'openapi-typescript'),
    [CONTRACT, ...words`--default-non-nullable false --output`, theirs],
    tools,
  )
  copyFileSync(join(ROOT, 'src/client/api.ts'), join(state, 'ours.ts'))
  writeFileSync(join(state, 'comparison.ts'), COMPARISON)
  writeFileSync(join(state, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['comparison.ts'] }))
  const { status, stdout } = await run(join(bin, 'tsc'), ['-p', state], tools)
  if (status !== 0) throw new Error(stdout.slice(0, 2_000))
}

/** Makes the client and uses it. */
async function useClient(state: string, bin: string, environment: Environment): Promise<void> {
  // The program does not decode references; braces in them are encoded, as in every URI.
  const plain = readFileSync(CONTRACT, 'utf8').replaceAll('%7B', '{').replaceAll('%7D', '}')
  writeFileSync(join(state, 'plain.json'), plain)
  const made = ['--input', 'plain.json', '--output', 'made', '--client', '@hey-api/client-fetch']
  await runToSuccess(join(bin, 'openapi-ts'), made, { ...tools, folder: state })
  writeFileSync(join(state, 'program.ts'), PROGRAM)
  const strict = {
    ...compilerOptions,
    lib: ['es2024', 'dom', 'dom.iterable'],
    types: [join(ROOT, 'node_modules/@types/node')],
  }
  // Its client is not made for this option.
  const options = { ...strict, exactOptionalPropertyTypes: false, skipLibCheck: true }
  writeFileSync(join(state, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['program.ts'] }))
  const { status, stdout } = await run(join(bin, 'tsc'), ['-p', state], tools)
  if (status !== 0) throw new Error(stdout.slice(0, 2_000))
  const program = join(state, 'program.mjs')
  await build({
    entryPoints: [join(state, 'program.ts')],
    outfile: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
  })
  await runToSuccess(process.execPath, [program], { environment })
}

/** Makes and uses both; `environment` is what `npm start` prints. `state` is the folder to install them into. */
export async function runGenerated(state: string, environment: Environment): Promise<readonly Outcome[]> {
  mkdirSync(state, { recursive: true })
  writeFileSync(join(state, 'package.json'), '{ "private": true, "type": "module" }')
  await installFromNpm(state, PACKAGES)
  const bin = join(state, 'node_modules/.bin')
  return [
    await outcome('the types of openapi-typescript are those of the client', () => compareTypes(state, bin)),
    await outcome('a client of openapi-ts does what the README shows', () => useClient(state, bin, environment)),
  ]
}
