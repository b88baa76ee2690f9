/**
 * Bundles as they are deployed, in workerd with a database on disk: the previous release on the new schema, a second
 * Worker on the same database, and a migration whose process is killed.
 */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildBundle, startRuntime, type Runtime } from '../../src/local/runtime.ts'
import { migrations } from '../../src/state/schema/migrations.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const WRANGLER = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')
const BUILD_MILLISECONDS = 120_000
/** Milliseconds from the start of a service, on an empty database, to its end. Its migrations take place between them. */
const KILLS = [200, 300, 400, 500, 600, 800]

const folder = mkdtempSync(join(tmpdir(), 'portcullis-releases-'))
const state = join(folder, 'state')
const built = join(folder, 'built')
const ADMIN_PASSWORD = 'an administrator of releases'
const variables = {
  MASTER_KEYS: `a:${randomBytes(32).toString('base64')}`,
  ADMIN_PASSWORD,
  LOG: 'problems',
  POLICY: 'both',
}

const run = (command: string, args: readonly string[], cwd: string) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

/** The last commit without the newest migration; null in a clone without that history. */
function previousRelease(): string | null {
  const newest = migrations.at(-1)?.name ?? ''
  try {
    const added = run('git', ['log', '-1', '--format=%H', '--diff-filter=A', '--', `migrations/${newest}`], ROOT).trim()
    return run('git', ['rev-parse', '--verify', '--quiet', added === '' ? 'HEAD' : `${added}^`], ROOT).trim()
  } catch {
    return null
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', () => listening()))
  const { port } = server.address() as { port: number }
  await new Promise((closed) => server.close(closed))
  return port
}

/** Serves a bundle on the state, under a name of the Worker, which decides which objects are its own. */
async function served<Value>(
  bundle: string,
  use: (runtime: Runtime) => Promise<Value>,
  { name = 'portcullis', ...more }: Readonly<Record<string, string>> = {},
  folderOf = state,
): Promise<Value> {
  cpSync(bundle, join(folderOf, 'bundle'), { recursive: true })
  const settings = join(folderOf, 'bundle/settings.json')
  writeFileSync(settings, JSON.stringify({ ...JSON.parse(readFileSync(settings, 'utf8')), name }))
  const runtime = await startRuntime(await freePort(), folderOf, { ...variables, ...more })
  try {
    return await use(runtime)
  } finally {
    await runtime.stop()
  }
}

const current = join(built, 'bundle')
const previous = join(folder, 'previous')
const release = previousRelease()

function buildPrevious(commit: string): void {
  const source = join(folder, 'source')
  mkdirSync(source, { recursive: true })
  const archive = join(folder, 'source.tar')
  run('git', ['archive', '--output', archive, commit], ROOT)
  run('tar', ['-xf', archive, '-C', source], ROOT)
  symlinkSync(join(ROOT, 'node_modules'), join(source, 'node_modules'))
  run(process.execPath, [WRANGLER, 'deploy', '--dry-run', '--outdir', previous], source)
  cpSync(join(current, 'settings.json'), join(previous, 'settings.json'))
}

async function tokenOf(url: string): Promise<string> {
  const domain = { id: 'default' }
  const user = { name: 'admin', domain, password: ADMIN_PASSWORD }
  const auth = {
    identity: { methods: ['password'], password: { user } },
    scope: { project: { name: 'admin', domain } },
  }
  const response = await fetch(`${url}/identity/v3/auth/tokens`, {
    method: 'POST',
    body: JSON.stringify({ auth }),
    headers: { 'Content-Type': 'application/json' },
  })
  const token = response.headers.get('X-Subject-Token')
  if (token === null) throw new Error(`no token: ${response.status} ${await response.text()}`)
  return token
}

/** Stores a secret and an order, and returns the path of the secret. */
async function store(url: string, payload: string): Promise<string> {
  const headers = { 'X-Auth-Token': await tokenOf(url), 'Content-Type': 'application/json' }
  const send = async (path: string, json: object) =>
    fetch(url + path, { method: 'POST', headers, body: JSON.stringify(json) })
  const made = await send('/v1/secrets', { payload, payload_content_type: 'text/plain' })
  const order = await send('/v1/orders', { type: 'key', meta: { algorithm: 'aes', bit_length: 256 } })
  expect([made.status, order.status]).toEqual([201, 202])
  const { secret_ref: ref } = (await made.json()) as { readonly secret_ref: string }
  return new URL(ref).pathname
}

async function read(url: string, path: string): Promise<string> {
  const response = await fetch(`${url}${path}/payload`, { headers: { 'X-Auth-Token': await tokenOf(url) } })
  return response.text()
}

beforeAll(async () => {
  mkdirSync(state, { recursive: true })
  await buildBundle(built)
  if (release !== null) buildPrevious(release)
}, 2 * BUILD_MILLISECONDS)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Starts a service on an empty database and kills its processes after this time. */
async function killed(folderOf: string, milliseconds: number): Promise<void> {
  cpSync(current, join(folderOf, 'bundle'), { recursive: true })
  const child = spawn(process.execPath, [join(ROOT, 'test/crash/server.ts'), String(await freePort()), folderOf], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    detached: true,
  })
  const closed = new Promise((end) => child.once('close', end))
  await new Promise((loaded) => child.once('message', loaded))
  child.send('start')
  await new Promise((later) => setTimeout(later, milliseconds))
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  await closed
}

it.each(KILLS)('a migration whose processes are killed after %i ms is completed by the next start', async (after) => {
  const folderOf = join(folder, `killed ${after}`)
  await killed(folderOf, after)
  const path = await served(current, ({ url }) => store(url, 'after the kill'), {}, folderOf)
  expect(await served(current, ({ url }) => read(url, path), {}, folderOf)).toBe('after the kill')
})

it('wrangler finds the migrations applied that the Worker has applied', async () => {
  await served(current, async () => undefined)
  const list = ['d1', 'migrations', 'list', 'DB', '--local', '--persist-to', state]
  expect(run(process.execPath, [WRANGLER, ...list], ROOT)).toContain('No migrations to apply')
})

it.skipIf(release === null)(
  'the previous release serves the new schema: each release reads what the other has stored',
  async () => {
    const byNew = await served(current, ({ url }) => store(url, 'stored by this release'))
    const byOld = await served(previous, async ({ url }) => {
      expect(await read(url, byNew)).toBe('stored by this release')
      return store(url, 'stored by the one before')
    })
    expect(await served(current, ({ url }) => read(url, byOld))).toBe('stored by the one before')
  },
)

it('a second Worker with fresh objects is refused with the reason, until it takes the database over', async () => {
  const path = await served(current, ({ url }) => store(url, 'of the first'))
  const health = (answer: Response) => answer.json() as Promise<{ deployment: string; reasons: string[] }>
  await served(
    current,
    async ({ url }) => {
      const answer = await fetch(`${url}/v1/secrets`)
      expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('other Durable Objects')])
      expect((await health(await fetch(`${url}/healthcheck?detailed`))).deployment).toBe('foreign')
    },
    { name: 'portcullis-renamed' },
  )
  expect(await served(current, ({ url }) => read(url, path))).toBe('of the first')
  const query = [
    'd1',
    'execute',
    'DB',
    '--local',
    '--persist-to',
    state,
    '--json',
    '--command',
    'select id from deployments',
  ]
  const [{ results }] = JSON.parse(run(process.execPath, [WRANGLER, ...query], ROOT)) as [{ results: [{ id: string }] }]
  const adopting = { name: 'portcullis-renamed', ADOPT_DATABASE: results[0].id }
  expect(await served(current, ({ url }) => read(url, path), adopting)).toBe('of the first')
  await served(current, async ({ url }) => {
    expect((await health(await fetch(`${url}/healthcheck?detailed`))).deployment).toBe('foreign')
  })
  await served(current, ({ url }) => read(url, path), { ADOPT_DATABASE: results[0].id })
})
