/**
 * Applications: the Worker of an application beside the service, as `npm start -- --app` runs it, and the package of
 * `portcullis/client`, installed by itself into an empty folder.
 */
import { spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApplication, edgeCredentialOf } from '../../src/local/application.ts'
import { requireDemo, seedDemo, type Demo } from '../../src/local/demo.ts'
import { StartError } from '../../src/local/options.ts'
import { buildBundle, startRuntime, type Runtime } from '../../src/local/runtime.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'applications-'))
const state = join(folder, 'state')
/** What a program does with the key `ref`, as `found`. */
const inUse = `
  const key = keys.handle(ref)
  const bytes = (text) => new TextEncoder().encode(text)
  const text = (given) => new TextDecoder().decode(given)
  const context = bytes('a context')
  const ciphertext = await key.encrypt(bytes('sealed'), { context })
  const opened = text(await key.decrypt(ciphertext, { context }))
  const [first, second] = await keys.batch('decrypt', ref, [{ ciphertext, context }, { ciphertext }])
  const refused = await key.sign(bytes('x')).catch((error) => error)
  const { keyId, operations } = await key.describe()
  const found = [opened, text(first.value.plaintext), second.status, refused.status, keyId, operations.length]
`

/** What an application has: its own files, and the installed package. */
const home = join(folder, 'shop')
const LIMIT_BYTES = 4_000
const LIMIT_BYTES_OF_KEYS = 800

const KEY = 'the key of all links'
const variables = {
  MASTER_KEYS: 'test:7vYh0nq3cJpXlU0oM2b8w1kTz5rRg9eDs4aQxIuVfHc=',
  ADMIN_PASSWORD: 'an administrator of tests',
  EDGE_CREDENTIALS: 'on',
  LOG: 'problems',
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  return port
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}${stdout}`)
  return stdout
}

let runtime: Runtime
let demo: Demo
let userId: string
/** A credential with a secret, for clients that log in. */
let credential: { readonly id: string; readonly secret: string }
/** The URLs of the applications: over a service binding, over HTTP, and one that uses a key over a binding. */
let [app, appOverHttp, appWithKey] = ['', '', '']

async function send(method: string, path: string, json?: object): Promise<Response> {
  const headers = { 'X-Auth-Token': demo.token, 'X-Subject-Token': demo.token, 'Content-Type': 'application/json' }
  return fetch(`${runtime.url}${path}`, { method, headers, ...(json && { body: JSON.stringify(json) }) })
}
/** The members of answers that are read here. */
interface Answer {
  readonly secret_ref: string
  readonly token: { readonly user: { readonly id: string } }
  readonly application_credential: { readonly id: string; readonly secret: string }
}
const members = async (answer: Response) => (await answer.json()) as Answer
const store = async (name: string, payload: string): Promise<string> => {
  const json = { name, payload, payload_content_type: 'text/plain' }
  return (await members(await send('POST', '/v1/secrets', json))).secret_ref
}

/** Stores a key for encryption that nobody can read, and returns its ref. */
const storeKey = async (): Promise<string> => {
  const payload = { payload: 'k'.repeat(32), payload_content_type: 'text/plain' }
  const json = { ...payload, secret_type: 'symmetric', extractable: false }
  return (await members(await send('POST', '/v1/secrets', json))).secret_ref
}
/** What {@link inUse} finds. */
const foundWith = (ref: string) => ['sealed', 'sealed', 400, 409, `${ref.slice(-36)}@1`, 4]

function install(): void {
  run('npm', ['pack', './src/client', '--pack-destination', folder, '--silent'], ROOT)
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), '{ "name": "shop", "private": true, "type": "module" }')
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? ''
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder, tarball)], home)
}

/** Writes an application that logs in over HTTP, with one client for all requests of an isolate. */
function writeOverHttp(): string {
  const main = join(home, 'over-http.js')
  writeFileSync(
    main,
    `import { env } from 'cloudflare:workers'
     import { keyManager } from 'portcullis/client'
     const keys = keyManager(env.URL, { credential: { id: env.ID, secret: env.SECRET } })
     export default { fetch: async () => new Response(await keys.text({ name: 'greeting' })) }`,
  )
  const vars = { URL: runtime.url, ID: credential.id, SECRET: credential.secret }
  const services = [{ binding: 'KEYS', service: 'portcullis', entrypoint: 'KeyManager' }]
  const config = { name: 'over-http', main, compatibility_date: '2026-10-20', vars, services }
  writeFileSync(join(home, 'over-http.json'), JSON.stringify(config))
  return join(home, 'over-http.json')
}

/** Writes an application that uses a key, whose ref is in the query, over a service binding. */
function writeWithKey(): string {
  const main = join(home, 'with-key.js')
  writeFileSync(
    main,
    `import { keyManager } from 'portcullis/client'
     import { keyUser } from 'portcullis/client/keys'
     export default {
       async fetch(request, env) {
         const keys = keyUser(keyManager(env.KEYS))
         const ref = new URL(request.url).searchParams.get('ref')
         ${inUse}
         return Response.json(found)
       },
     }`,
  )
  const services = [{ binding: 'KEYS', service: 'portcullis', entrypoint: 'KeyManager' }]
  const config = { name: 'with-key', main, compatibility_date: '2026-10-20', services }
  writeFileSync(join(home, 'with-key.json'), JSON.stringify(config))
  return join(home, 'with-key.json')
}

beforeAll(async () => {
  install()
  await buildBundle(state)
  const [port, first, second, third] = [await freePort(), await freePort(), await freePort(), await freePort()]
  runtime = await startRuntime(port, state, variables)
  demo = requireDemo(await seedDemo(runtime.url, variables.ADMIN_PASSWORD, 'a password of the demo'))
  userId = (await members(await send('GET', '/identity/v3/auth/tokens'))).token.user.id
  const made = { application_credential: { name: 'a program', roles: [{ name: 'member' }] } }
  const path = `/identity/v3/users/${userId}/application_credentials`
  credential = (await members(await send('POST', path, made))).application_credential
  cpSync(join(ROOT, 'test/application'), home, { recursive: true })
  const edge = await edgeCredentialOf(runtime.url, demo.token)
  const built = [
    await buildApplication(join(home, 'wrangler.toml'), state, { port: first, credential: edge }),
    await buildApplication(writeOverHttp(), state, { port: second, credential: 'none' }),
    await buildApplication(writeWithKey(), state, { port: third, credential: edge }),
  ]
  await runtime.serveBeside(built.map(({ options }) => options))
  ;[app, appOverHttp, appWithKey] = [first, second, third].map((at) => `http://127.0.0.1:${at}`) as [
    string,
    string,
    string,
  ]
  await store('greeting', 'hello')
  await store('links', KEY)
}, 180_000)

afterAll(async () => {
  await runtime?.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('the package of the client', () => {
  it('the package has the client alone, and nothing to install with it', () => {
    expect(readdirSync(join(home, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['portcullis'])
    const installed = join(home, 'node_modules/portcullis')
    expect(readdirSync(installed).toSorted()).toEqual(['dist', 'package.json'])
    const [own, root] = [join(installed, 'package.json'), join(ROOT, 'package.json')].map((file) =>
      JSON.parse(readFileSync(file, 'utf8')),
    )
    expect([own.name, own.version, own.license]).toEqual([root.name, root.version, root.license])
    expect(own).not.toHaveProperty('dependencies')
  })

  it(`the client has at most ${LIMIT_BYTES} bytes, minified and compressed`, async () => {
    const entryPoints = [join(home, 'node_modules/portcullis/dist/index.js')]
    const { outputFiles } = await build({ entryPoints, bundle: true, minify: true, format: 'esm', write: false })
    expect(gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length).toBeLessThanOrEqual(LIMIT_BYTES)
  })

  it(`the use of keys adds at most ${LIMIT_BYTES_OF_KEYS} bytes`, async () => {
    const contents = `export * from 'portcullis/client'; export * from 'portcullis/client/keys'`
    const stdin = { contents, resolveDir: home }
    const { outputFiles } = await build({ stdin, bundle: true, minify: true, format: 'esm', write: false })
    const size = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length
    expect(size).toBeLessThanOrEqual(LIMIT_BYTES + LIMIT_BYTES_OF_KEYS)
  })

  const declared = `
    import { keyManager, KeyManagerError, type KeyManagerBinding, type paths } from 'portcullis/client'
    import { keyUser } from 'portcullis/client/keys'
    declare const KEYS: KeyManagerBinding
    const keys = keyManager(KEYS, { timeout: 1000 })
    export const found: { A: string; B: string } = await keys.require({ A: 'a', B: { ref: 'b' } })
    // @ts-expect-error No such name was required.
    export const none: string = (await keys.require({ A: 'a' })).B
    export const key = await keys.key({ name: 'x' }, { name: 'HMAC', hash: 'SHA-256' }, ['sign'])
    export const { bytes }: { bytes: Uint8Array } = await keys.payload('x', { fresh: true })
    export const sealed: Uint8Array = await keyUser(keys).handle('x').encrypt(bytes, { context: bytes })
    export const { valid }: { valid: boolean } = await keyUser(keys).verify('x', { input: bytes, signature: bytes })
    // @ts-expect-error There is no such member.
    await keyUser(keys).encrypt('x', { plaintext: bytes, nonce: bytes })
    type Listed = paths['/v1/secrets']['get']['responses'][200]['content']['application/json']
    export const names = ({ secrets }: Listed): (string | null)[] => secrets.map(({ name }) => name)
    export const order: paths['/v1/orders']['post']['requestBody']['content']['application/json'] = {
      type: 'key',
      meta: { algorithm: 'aes', bit_length: 256 },
    }
    // @ts-expect-error A container is of one of three types.
    export const type: paths['/v1/containers']['post']['requestBody']['content']['application/json']['type'] = 'other'
    export const is = (error: unknown) => error instanceof KeyManagerError && error.status === 404
  `
  const inWorkers = `
    export const signature: ArrayBuffer = await crypto.subtle.sign('HMAC', key, new Uint8Array(1))
    export const over = keyManager('https://keys.example', { fetch, credential: { id: 'id', secret: 'secret' } })
    await over.ready({ signal: AbortSignal.timeout(1000) })
  `
  const runtimes = { none: [], Workers: [join(ROOT, 'node_modules/@cloudflare/workers-types')] }
  it.each([
    ['none', 'nodenext', 'nodenext', declared],
    ['none', 'esnext', 'bundler', declared],
    ['Workers', 'esnext', 'bundler', declared + inWorkers],
  ] as const)(
    'the types are strict with the types of a runtime: %s, module %s',
    (types, module, resolution, source) => {
      writeFileSync(join(home, 'typed.ts'), source)
      const compilerOptions = {
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        target: 'es2024',
        lib: ['es2024'],
        module,
        moduleResolution: resolution,
        types: runtimes[types],
      }
      writeFileSync(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['typed.ts'] }))
      expect(run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', home], home)).toBe('')
    },
  )
})

/** The runtimes that `npm run interop` installs. */
const installed = (process.env['RUNTIMES'] ?? '').split(delimiter).filter((file) => file !== '')

/** The Node that runs this, and another one of this machine if there is one that is new enough for the client. */
function nodes(): string[] {
  const others = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((directory) => !directory.includes('node_modules'))
    .map((directory) => join(directory, 'node'))
    .filter((file) => existsSync(file))
    .map((file) => realpathSync(file))
    .filter((file) => Number(run(file, ['-p', 'process.versions.node.split(".")[0]'], ROOT)) >= 20)
  return [...new Set([process.execPath, ...others])]
}

const usingProgram = `
  import { keyManager } from 'portcullis/client'
  import { keyUser } from 'portcullis/client/keys'
  const [url, id, secret, ref] = process.argv.slice(2)
  const keys = keyUser(keyManager(url, { credential: { id, secret } }))
  ${inUse}
  console.log(JSON.stringify(found))
`

const program = `
  import { keyManager } from 'portcullis/client'
  const [url, id, secret] = process.argv.slice(2)
  const keys = keyManager(url, { credential: { id, secret } })
  const all = await Promise.all(Array.from({ length: 8 }, () => keys.text({ name: 'greeting' })))
  const key = await keys.key({ name: 'links' }, { name: 'HMAC', hash: 'SHA-256' }, ['sign'])
  const missing = await keys.require({ A: 'greeting', B: 'none' }).catch((error) => error)
  console.log(JSON.stringify([new Set(all).size, all[0], key.extractable, missing.name, missing.missing]))
`

describe('the client in a runtime', () => {
  it.each([...nodes(), ...installed])('the client works in %s', (command) => {
    writeFileSync(join(home, 'program.mjs'), program)
    const options = command.endsWith('deno') ? ['run', '--allow-net', '--allow-read'] : []
    const output = run(command, [...options, 'program.mjs', runtime.url, credential.id, credential.secret], home)
    expect(JSON.parse(output)).toEqual([1, 'hello', false, 'KeyManagerError', ['B']])
  })

  it.each([...nodes(), ...installed])('keys are used in %s', async (command) => {
    writeFileSync(join(home, 'using.mjs'), usingProgram)
    const options = command.endsWith('deno') ? ['run', '--allow-net', '--allow-read'] : []
    const ref = await storeKey()
    const output = run(command, [...options, 'using.mjs', runtime.url, credential.id, credential.secret, ref], home)
    expect(JSON.parse(output)).toEqual(foundWith(ref))
  })

  it('the client in a Worker serves several requests at once from one client of the isolate', async () => {
    const ask = async () => (await fetch(appOverHttp)).text()
    const answers = await Promise.all(Array.from({ length: 6 }, ask))
    expect(new Set([...answers, await ask()])).toEqual(new Set(['hello']))
  })
})

describe('an application with a service binding', () => {
  it('an application without any secret of its own looks a key up by its name', async () => {
    const config = readFileSync(join(home, 'wrangler.toml'), 'utf8')
    expect(config.slice(config.indexOf('[[services]]')).trim().split('\n')).toHaveLength(5)
    const answer = await fetch(`${app}/a/path`)
    const signature = createHmac('sha256', KEY).update('/a/path').digest('hex')
    expect([answer.status, await answer.text()]).toEqual([200, `/a/path?signature=${signature}\n`])
  })

  it('an application uses a key that it cannot read', async () => {
    const ref = await storeKey()
    const answer = await fetch(`${appWithKey}/?ref=${encodeURIComponent(ref)}`)
    expect([answer.status, await answer.json()]).toEqual([200, foundWith(ref)])
  })

  it('a new secret of the same name is used from the next request on', async () => {
    const ref = await store('links', 'another key')
    const signature = createHmac('sha256', 'another key').update('/x').digest('hex')
    expect(await (await fetch(`${app}/x`)).text()).toContain(signature)
    await send('DELETE', new URL(ref).pathname)
    expect(await (await fetch(`${app}/x`)).text()).not.toContain(signature)
  })

  it('the deletion of the credential ends the look-ups of the application', async () => {
    const id = await edgeCredentialOf(runtime.url, demo.token)
    expect((await fetch(`${app}/x`)).status).toBe(200)
    const path = `/identity/v3/users/${userId}/application_credentials/${id}`
    expect((await send('DELETE', path)).status).toBe(204)
    const answer = await fetch(`${app}/x`)
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringMatching(/^unauthenticated: /)])
  })

  it('an application without a binding to the entrypoint is refused with a sentence', async () => {
    const config = join(folder, 'unbound.json')
    writeFileSync(config, JSON.stringify({ name: 'unbound', main: 'index.js', compatibility_date: '2026-10-20' }))
    const building = buildApplication(config, state, { port: 1, credential: '' })
    await expect(building).rejects.toThrow(StartError)
    await expect(building).rejects.toThrow('no service binding to the entrypoint KeyManager of portcullis')
  })
})
