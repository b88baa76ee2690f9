/**
 * A year of an operator in some minutes, with the programs that `src/docs/operating.md` names: a database of an earlier
 * schema is upgraded, used, run beside a staging service, killed, dumped, drilled, restored, reconciled, given new master
 * keys, and one project of it is destroyed. The stock client reads the same secrets after every step.
 */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseEnv } from 'node:util'
import { openSession, show, succeed, text, withPassword, type Session } from './openstack.ts'
import { freePort, run, runToSuccess } from './process.ts'
import type { Outcome } from './report.ts'
import { Report } from './report.ts'
import { startWorker, type Worker } from './worker.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const WRANGLER = join(ROOT, 'node_modules', 'wrangler', 'bin', 'wrangler.js')
/** A dump of a service as it was with the first three migrations, with the keys and passwords that it had. */
const EARLIER_SCHEMA = join(import.meta.dirname, 'recorded', 'earlier-schema.sql')
const FIRST_KEYS = {
  MASTER_KEYS: 'first:Q2Yx0m5nVtJq8hK3sPz7LwDfRg1uXaBe4oTiNcHy6kU=',
  ADMIN_PASSWORD: 'first administrator',
  DEMO_PASSWORD: 'first demo user',
}
/** Secrets of that dump: `kept 1` to `kept 12`, and what each contains. */
const KEPT = Array.from({ length: 12 }, (_, at) => [`kept ${at + 1}`, `value ${at + 1} of the first schema`] as const)
const KEYS_FILE = 'portcullis.env'
/** The sweep runs each minute, and destroys in its first run after the destruction is due. */
const DESTRUCTION_SECONDS = 150

const program = (name: string, ...args: readonly string[]) =>
  runToSuccess(process.execPath, [join(ROOT, 'src', 'local', name), ...args], { folder: ROOT })

const writeKeys = (state: string, keys: Readonly<Record<string, string>>): void => {
  mkdirSync(state, { recursive: true, mode: 0o700 })
  const lines = Object.entries(keys).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(join(state, KEYS_FILE), lines.join(''), { mode: 0o600 })
}

/** Dumps the database of a stopped service with wrangler, as a reader of the pages does. */
async function dump(state: string, folder: string): Promise<string> {
  const project = mkdtempSync(join(folder, 'project-'))
  cpSync(join(ROOT, 'wrangler.toml'), join(project, 'wrangler.toml'))
  mkdirSync(join(project, '.wrangler'))
  symlinkSync(state, join(project, '.wrangler', 'state'))
  const file = join(project, 'dump.sql')
  await runToSuccess(process.execPath, [WRANGLER, 'd1', 'export', 'DB', '--local', '--output', file], {
    folder: project,
  })
  return file
}

/** One operator: the services that it starts one after the other on the same port, and its client. */
class Operator {
  readonly #folder: string
  readonly #port: number
  readonly report = new Report('year')
  #worker: Worker | undefined
  /** What the client must read, by name. */
  readonly #expected = new Map<string, string>(KEPT)

  constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
  }

  async start(state: string, variables: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#worker = await startWorker({ port: this.#port, state, variables })
  }

  async stop(): Promise<void> {
    await this.#worker?.stop()
    this.#worker = undefined
  }

  async kill(): Promise<void> {
    await this.#worker?.kill()
    this.#worker = undefined
  }

  get url(): string {
    return this.#worker?.url ?? ''
  }

  /** The client of the demo user. */
  async user(): Promise<Session> {
    const {
      OS_AUTH_URL = '',
      OS_USERNAME = '',
      OS_PASSWORD = '',
      OS_PROJECT_NAME = '',
    } = this.#worker?.environment ?? {}
    const credentials = { authUrl: OS_AUTH_URL, username: OS_USERNAME, password: OS_PASSWORD, project: OS_PROJECT_NAME }
    return openSession(credentials, join(this.#folder, 'client'), this.report)
  }

  async administrator(): Promise<Session> {
    const changed = { OS_USERNAME: 'admin', OS_PASSWORD: FIRST_KEYS.ADMIN_PASSWORD, OS_PROJECT_NAME: 'admin' }
    return withPassword(await this.user(), changed)
  }

  /** Calls an operator's route with a token of the administrator. */
  async admin(method: string, path: string, body?: object): Promise<Readonly<Record<string, unknown>>> {
    const token = (await succeed(await this.administrator(), 'token', 'issue', '-f', 'value', '-c', 'id')).trim()
    const response = await fetch(`${this.url}/admin${path}`, {
      method,
      headers: { 'X-Auth-Token': token, ...(body && { 'Content-Type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    const answered = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${answered}`)
    return answered === '' ? {} : (JSON.parse(answered) as Record<string, unknown>)
  }

  async store(name: string, payload: string): Promise<void> {
    const session = await this.user()
    const options = ['--name', name, '--payload', payload, '--payload-content-type', 'text/plain']
    await succeed(session, 'secret', 'store', ...options)
    this.#expected.set(name, payload)
  }

  /** The stock client finds every secret by its name and reads what was stored. */
  async readsAll(): Promise<void> {
    const session = await this.user()
    const listed = await succeed(session, 'secret', 'list', '--limit', '100', '-f', 'json')
    const rows = JSON.parse(listed) as { readonly Name: string; readonly 'Secret href': string }[]
    const refs = new Map(rows.map((row) => [row.Name, row['Secret href']]))
    for (const [name, payload] of this.#expected) {
      const ref = refs.get(name)
      assert.ok(ref !== undefined, `${name} is not listed`)
      assert.equal(text(await show(session, 'secret', 'get', ref, '--payload'), 'Payload'), payload, name)
    }
  }

  /** A write is refused, with a reason that the client shows. */
  async isReadOnly(): Promise<void> {
    const { status } = await run('openstack', ['secret', 'store', '--payload', 'x'], {
      environment: (await this.user()).environment,
      folder: this.#folder,
    })
    assert.notEqual(status, 0, 'a secret was stored although the service is read-only')
  }

  /** Reports until every page is complete, and adopts each. Returns how many rows differed. */
  async reconcile(): Promise<number> {
    let [differing, marker]: [number, string | undefined] = [0, '']
    while (marker !== undefined) {
      const page: object = marker === '' ? {} : { marker }
      const report = await this.admin('POST', '/reconcile', page)
      if (report['complete'] !== true) continue
      const projects = report['projects'] as { readonly rows: Readonly<Record<string, unknown>> }[]
      for (const { rows } of projects)
        for (const kind of ['changed', 'gone', 'unknown']) differing += Number(rows[kind])
      if (typeof report['confirm'] === 'string')
        await this.admin('POST', '/reconcile', { ...page, confirm: report['confirm'] })
      marker = report['marker'] as string | undefined
    }
    return differing
  }
}

/** The administrator gets the role that the operator's routes need. */
async function becomeServiceAdmin(operator: Operator): Promise<void> {
  const administrator = await operator.administrator()
  await succeed(administrator, 'role', 'add', '--user', 'admin', '--project', 'admin', 'key-manager:service-admin')
}

/** A new master key is put before the old one, everything is rewrapped, and the old one is removed. */
async function rotate(operator: Operator, state: string): Promise<void> {
  const file = join(state, 'rotated-keys')
  const { MASTER_KEYS, ADMIN_PASSWORD } = FIRST_KEYS
  writeFileSync(file, `MASTER_KEYS=${MASTER_KEYS}\nADMIN_PASSWORD=${ADMIN_PASSWORD}\n`, { mode: 0o600 })
  await program('setup.ts', '--rotate', '--local', '--file', file)
  const both = parseEnv(readFileSync(file, 'utf8'))['MASTER_KEYS'] ?? ''
  await operator.stop()
  writeKeys(state, { ...FIRST_KEYS, MASTER_KEYS: both })
  await operator.start(state)
  await operator.readsAll()
  await operator.admin('POST', '/rotate')
  const { master_keys: keys } = await operator.admin('GET', '/rotate')
  const removable = (keys as { readonly id: string; readonly removable: boolean }[]).filter((key) => key.removable)
  assert.deepEqual(
    removable.map(({ id }) => id),
    ['first'],
  )
  await operator.stop()
  const [primary = '', ...others] = both.split(',')
  assert.deepEqual(others, [MASTER_KEYS])
  writeKeys(state, { ...FIRST_KEYS, MASTER_KEYS: primary })
  await operator.start(state)
}

/** The keys of the demo project are destroyed, with all that they seal. */
async function destroy(operator: Operator): Promise<void> {
  const project = text(await show(await operator.user(), 'project', 'show', 'demo'), 'id')
  await operator.admin('PUT', `/projects/${project}/destruction`, { confirm: project })
  const deadline = Date.now() + DESTRUCTION_SECONDS * 1_000
  for (;;) {
    const { status, stdout } = await run('openstack', ['secret', 'list', '-f', 'json'], {
      environment: (await operator.user()).environment,
    })
    if (status === 0 && stdout.trim() === '[]') return
    assert.ok(Date.now() < deadline, `the secrets of a destroyed project are still listed: ${stdout}`)
    await sleep(5_000)
  }
}

async function year(operator: Operator, folder: string): Promise<void> {
  const { step } = operator.report
  const [first, second] = [join(folder, 'first'), join(folder, 'second')]
  await step('setup makes keys for a deployment', () =>
    program('setup.ts', '--local', '--file', join(folder, 'deployment-keys')),
  )
  await step('a dump of an earlier schema is loaded', () =>
    program('restore.ts', EARLIER_SCHEMA, '--persist-to', first),
  )
  await step('the service upgrades the earlier schema', async () => {
    writeKeys(first, FIRST_KEYS)
    await operator.start(first)
    await operator.readsAll()
  })
  await step('the operator reconciles what came with the dump', async () => {
    await becomeServiceAdmin(operator)
    assert.ok((await operator.reconcile()) > 0)
    assert.equal(await operator.reconcile(), 0)
  })
  await step('secrets are stored in the upgraded service', async () => {
    await operator.store('after the upgrade', 'stored by the present schema')
    await operator.readsAll()
  })
  await step('a staging service beside it has other keys and no secret of it', async () => {
    const staging = new Operator(folder, await freePort())
    await staging.start(join(folder, 'staging'))
    try {
      const listed = await succeed(await staging.user(), 'secret', 'list', '-f', 'json')
      assert.deepEqual(JSON.parse(listed), [])
    } finally {
      await staging.stop()
    }
  })
  await step('after SIGKILL everything that was acknowledged is there', async () => {
    await operator.store('before the kill', 'acknowledged')
    await operator.kill()
    await operator.start(first)
    await operator.readsAll()
  })
  const file = await step('the database is dumped', async () => {
    await operator.stop()
    return dump(first, folder)
  })
  await step('the drill opens every value of the dump', () =>
    program('drill.ts', file, '--keys', join(first, KEYS_FILE)),
  )
  await step('the dump is restored, read-only', async () => {
    await program('restore.ts', file, '--persist-to', second)
    cpSync(join(first, KEYS_FILE), join(second, KEYS_FILE))
    await operator.start(second, { READ_ONLY: 'on' })
    await operator.readsAll()
    await operator.isReadOnly()
  })
  await step('the operator reconciles the restored database, and it is written to again', async () => {
    assert.ok((await operator.reconcile()) > 0)
    await operator.stop()
    await operator.start(second)
    await operator.store('after the restore', 'written again')
    await operator.readsAll()
  })
  await step('the master key is rotated and the old one removed', () => rotate(operator, second))
  await step('the stock client reads the same secrets under the new key', () => operator.readsAll())
  await step('the keys of the project are destroyed', () => destroy(operator))
}

/** Replays the year in `folder` and returns an outcome for each step. */
export async function runYear(folder: string): Promise<readonly Outcome[]> {
  mkdirSync(folder, { recursive: true })
  const operator = new Operator(folder, await freePort())
  try {
    await operator.report.scenario('year', () => year(operator, folder))
  } finally {
    await operator.stop()
  }
  return operator.report.outcomes
}
