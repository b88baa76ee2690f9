/** An operator of the year: the programs of the pages, and the services that it starts one after the other on a port. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSession, show, succeed, text, withPassword, type Session } from './openstack.ts'
import { run, runToSuccess } from './process.ts'
import { Report } from './report.ts'
import { startWorker, type Worker } from './worker.ts'

export const ROOT = join(import.meta.dirname, '..', '..')
const WRANGLER = join(ROOT, 'node_modules', 'wrangler', 'bin', 'wrangler.js')
/** The keys and passwords of the service whose dump is loaded first. */
export const FIRST_KEYS = {
  MASTER_KEYS: 'first:Q2Yx0m5nVtJq8hK3sPz7LwDfRg1uXaBe4oTiNcHy6kU=',
  ADMIN_PASSWORD: 'first administrator',
  DEMO_PASSWORD: 'first demo user',
}
/** Secrets of the dump of the earlier schema: `kept 1` to `kept 12`, and what each contains. */
const KEPT = Array.from({ length: 12 }, (_, at) => [`kept ${at + 1}`, `value ${at + 1} of the first schema`] as const)
export const KEYS_FILE = 'portcullis.env'

/** Runs a program of `src/local`, which must succeed; returns its output. */
export const program = (name: string, ...args: readonly string[]) =>
  runToSuccess(process.execPath, [join(ROOT, 'src', 'local', name), ...args], { folder: ROOT })

/** Writes the keys of a service into its state folder. */
export const writeKeys = (state: string, keys: Readonly<Record<string, string>>): void => {
  mkdirSync(state, { recursive: true, mode: 0o700 })
  const lines = Object.entries(keys).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(join(state, KEYS_FILE), lines.join(''), { mode: 0o600 })
}

/** Dumps the database of a stopped service with wrangler, as a reader of the pages does. */
export async function dump(state: string, folder: string): Promise<string> {
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

type Json = Readonly<Record<string, unknown>>

/** One operator: the services that it starts one after the other on the same port, and its client. */
export class Operator {
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

  /** Sends a request with this token; returns the answer, which must be one of success. */
  async #call(token: string, method: string, path: string, body?: object): Promise<Json> {
    const response = await fetch(new URL(path, this.url), {
      method,
      headers: {
        'X-Auth-Token': token,
        'OpenStack-API-Version': 'key-manager 1.1',
        Accept: 'application/json',
        ...(body && { 'Content-Type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const answered = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${answered}`)
    return answered === '' ? {} : (JSON.parse(answered) as Json)
  }

  /** Calls a route as the demo user, with the token that the service printed when it started. */
  call(method: string, path: string, body?: object): Promise<Json> {
    return this.#call(this.#worker?.environment['TOKEN'] ?? '', method, path, body)
  }

  /** Calls an operator's route with a new token of the administrator. */
  async admin(method: string, path: string, body?: object): Promise<Json> {
    const token = await succeed(await this.administrator(), 'token', 'issue', '-f', 'value', '-c', 'id')
    return this.#call(token.trim(), method, `/admin${path}`, body)
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
