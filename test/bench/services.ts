/** Starts the key managers and the ceilings on loopback ports, and fills them. */
import { join } from 'node:path'
import { requireDemo, seedDemo } from '../../src/local/demo.ts'
import { localKeys } from '../../src/local/keys.ts'
import { buildBundle, startRuntime, type Runtime } from '../../src/local/runtime.ts'
import { newAuditId, readToken, signToken } from '../../src/access/tokens.ts'
import { readKeyring } from '../../src/crypto/keyring.ts'
import { formatTime } from '../../src/times.ts'
import { startBarbican } from '../peer/barbican.ts'
import { startKeystone } from '../peer/keystone.ts'
import { freePort } from '../peer/process.ts'
import { headersOf, type Request } from './load.ts'
import { newSecret, type Project, type Service } from './operations.ts'

/** The number of secrets in the project for reads, and in the project for writes. */
const READ_SECRETS = 2_000
const WRITTEN_SECRETS = 200
/** Parallel requests while a service is filled. */
const FILLERS = 8

interface Credentials {
  readonly user: string
  readonly password: string
  readonly project: string
}

/** Logs in through the v3 identity API, which Portcullis and Keystone have in common. */
async function logIn(identity: string, method: object, project: string): Promise<string> {
  const scope = { project: { name: project, domain: { id: 'default' } } }
  const response = await fetch(`${identity}/auth/tokens`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ auth: { identity: method, scope } }),
  })
  const token = response.headers.get('X-Subject-Token')
  if (!token) throw new Error(`no token from ${identity}: ${response.status} ${await response.text()}`)
  return token
}

const passwordMethod = ({ user, password }: Credentials) => ({
  methods: ['password'],
  password: { user: { name: user, password, domain: { id: 'default' } } },
})

const tokenMethod = (id: string) => ({ methods: ['token'], token: { id } })

const callOf = (url: string) =>
  async function call(request: Request): Promise<string> {
    const { method, path, body } = request
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await fetch(url + path, { method, headers: headersOf(request), ...sent })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text
  }

/** Calls `make` `count` times, some calls in parallel. */
async function makeMany<Made>(count: number, make: () => Promise<Made>): Promise<Made[]> {
  const made: Made[] = []
  let started = 0
  const work = async () => {
    while (started < count) {
      started += 1
      made.push(await make())
    }
  }
  await Promise.all(Array.from({ length: FILLERS }, work))
  return made
}

async function fill(url: string, token: string, count: number): Promise<Project> {
  const call = callOf(url)
  const make = async () => {
    const made = await call({ method: 'POST', path: '/v1/secrets', token, body: newSecret('a secret') })
    return (JSON.parse(made) as { secret_ref: string }).secret_ref.slice(-36)
  }
  // Not in parallel, because Barbican fails if several requests create the same project and its key.
  const first = await make()
  return { token, secretIds: [first, ...(await makeMany(count - 1, make))] }
}

async function filled(url: string, tokens: { readonly read: string; readonly written: string }) {
  const read = await fill(url, tokens.read, READ_SECRETS)
  return { url, read, written: await fill(url, tokens.written, WRITTEN_SECRETS), call: callOf(url) }
}

/** Starts Portcullis, bundled as by `npm run deploy`, with the embedded identity. */
export async function startPortcullis(
  state: string,
  { minify, inspectorPort }: { readonly minify: boolean; readonly inspectorPort?: number },
): Promise<Service> {
  const { DEMO_PASSWORD, ...keys } = localKeys(state)
  await buildBundle(state, { minify })
  const { url, stop } = await startRuntime(
    await freePort(),
    state,
    { ...keys, LOG: 'problems', POLICY: 'secure' },
    { inspectorPort },
  )
  const { token } = requireDemo(await seedDemo(url, keys.ADMIN_PASSWORD, DEMO_PASSWORD))
  const administrator = { user: 'admin', password: keys.ADMIN_PASSWORD, project: 'admin' }
  const written = await logIn(`${url}/identity/v3`, passwordMethod(administrator), administrator.project)
  const keyring = await readKeyring(keys.MASTER_KEYS)
  const claims = await readToken(keyring, token, formatTime(Date.now()))
  if (!claims) throw new Error('the token of the demo user cannot be read')
  return {
    name: 'Portcullis',
    ...(await filled(url, { read: token, written })),
    mostPerSecond: 5_000,
    // Signed here with the service's own code and key, which is faster than a log-in for each.
    freshTokens: (count) =>
      Promise.all(Array.from({ length: count }, () => signToken(keyring, { ...claims, auditIds: [newAuditId()] }))),
    stop,
  }
}

/** Starts Barbican, the reference, from Debian's packages, with MariaDB and a Keystone. */
export async function startReference(state: string): Promise<Service> {
  const keystone = await startKeystone({
    state: join(state, 'keystone'),
    port: await freePort(),
    // Unused: the benchmark does not read the catalog.
    keyManagerUrl: 'http://127.0.0.1:9311',
  })
  const barbican = await startBarbican({
    state: join(state, 'barbican'),
    port: await freePort(),
    keystone,
    withLength: true,
  })
  const reader = { user: 'project_a_admin', password: 'barbican', project: 'project_a' }
  const writer = { ...reader, user: 'project_b_admin', project: 'project_b' }
  const [read, written] = [
    await logIn(keystone.url, passwordMethod(reader), reader.project),
    await logIn(keystone.url, passwordMethod(writer), writer.project),
  ]
  return {
    name: 'Barbican',
    ...(await filled(barbican.url, { read, written })),
    mostPerSecond: 200,
    freshTokens: (count) => makeMany(count, () => logIn(keystone.url, tokenMethod(read), reader.project)),
    stop: async () => {
      await barbican.stop()
      await keystone.stop()
    },
  }
}

/** Starts the Worker of the ceilings with the same settings, and returns it with the ids of its rows. */
export async function startCeilings(state: string): Promise<Runtime & { readonly ids: readonly string[] }> {
  await buildBundle(state, { entry: join(import.meta.dirname, 'ceilings', 'index.ts'), minify: true })
  const runtime = await startRuntime(await freePort(), state, {})
  const ids = await callOf(runtime.url)({ method: 'POST', path: `/fill/${READ_SECRETS}` })
  return { ...runtime, ids: JSON.parse(ids) as string[] }
}
