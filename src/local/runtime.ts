/** Runs the Worker locally: bundled as for a deployment, in workerd, with a socket of its own and its state on disk. */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from 'miniflare'
import { PAGES } from '../pages/contents.ts'
import { StartError } from './options.ts'

export const HOST = '127.0.0.1'
export const SWEEP_MILLISECONDS = 60_000
/** Milliseconds between two looks at the migrations of the database, and after which a start is given up. */
const MIGRATION_INTERVAL = 50
const MOST_MIGRATION_MILLISECONDS = 120_000
export const ROOT = resolve(import.meta.dirname, '../..')
/** The path of wrangler's script for Node. */
export const WRANGLER = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')

export interface Runtime {
  readonly url: string
  /** Restarts the service with these Workers beside it, which may have service bindings to it. */
  readonly serveBeside: (workers: readonly V4WorkerOptions[]) => Promise<void>
  readonly stop: () => Promise<void>
}

/** Runs wrangler; throws {@link StartError} with its output if it fails. */
export async function wrangler(...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [WRANGLER, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (output += part.toString()))
  const status = await new Promise((done) => child.once('close', done))
  if (status !== 0) throw new StartError(`wrangler ${args[0]} failed:\n${output}`)
}

const bundleOf = (state: string) => resolve(state, 'bundle')
const settingsOf = (state: string) => join(bundleOf(state), 'settings.json')

/** The settings from `wrangler.toml` that workerd needs. */
interface Settings {
  readonly name: string
  readonly compatibilityDate: string
  readonly database: string
}

/** Reads `wrangler.toml`. Imports wrangler, which is large, only here: only a build needs it. */
async function readSettings(): Promise<Settings> {
  const { unstable_readConfig } = await import('wrangler')
  const { name, compatibility_date, d1_databases } = unstable_readConfig({ config: join(ROOT, 'wrangler.toml') })
  const [database] = d1_databases
  if (!name || !compatibility_date || !database) throw new StartError('wrangler.toml is incomplete')
  return { name, compatibilityDate: compatibility_date, database: database.database_id ?? 'DB' }
}

/**
 * Builds the bundle that `wrangler deploy` would upload, and writes it with its settings to the state folder. `minify`:
 * minify it, as `npm run deploy` does. `entry`: build another Worker with the same bindings instead, from an `index.ts`
 * that exports a Durable Object class with the same name.
 */
export async function buildBundle(
  state: string,
  { entry, minify = false }: { readonly entry?: string; readonly minify?: boolean } = {},
): Promise<void> {
  const options = ['--dry-run', '--outdir', bundleOf(state), ...(minify ? ['--minify'] : [])]
  await wrangler('deploy', ...(entry === undefined ? [] : [entry]), ...options)
  writeFileSync(settingsOf(state), JSON.stringify(await readSettings()))
}

/** Throws {@link StartError} if the port is in use. */
export async function requireFreePort(port: number): Promise<void> {
  const probe = createServer()
  await new Promise<void>((free, taken) => {
    probe.once('error', (error: NodeJS.ErrnoException) =>
      taken(new StartError(`port ${port} cannot be used (${error.code}): choose another with --port`)),
    )
    probe.listen(port, HOST, () => probe.close(() => free()))
  })
}

/** Waits until the Worker has applied its migrations: until then it answers 503 and when to ask again. */
export async function untilMigrated(url: string): Promise<void> {
  for (let waited = 0; ; waited += MIGRATION_INTERVAL) {
    const { status, headers } = await fetch(url, { redirect: 'manual' })
    if (status !== 503 || !headers.has('Retry-After')) return
    if (waited > MOST_MIGRATION_MILLISECONDS) throw new StartError('the migrations of the database do not end')
    await new Promise((done) => setTimeout(done, MIGRATION_INTERVAL))
  }
}

/**
 * Returns Miniflare's options for the Worker of a state folder: the bundle, its bindings and the path of their state.
 */
export function workerOf(state: string, variables: Readonly<Record<string, string>>) {
  const settings = JSON.parse(readFileSync(settingsOf(state), 'utf8')) as Settings
  const contents = readFileSync(join(bundleOf(state), 'index.js'), 'utf8')
  return {
    name: settings.name,
    modules: [{ type: 'ESModule' as const, path: 'index.js', contents }],
    compatibilityDate: settings.compatibilityDate,
    cf: false as const,
    telemetry: { enabled: false },
    logRequests: false,
    d1Databases: { DB: settings.database },
    durableObjects: { PROJECT: { className: 'ProjectObject', useSQLite: true } },
    // A folder, without the router that the platform has before the Worker.
    serviceBindings: { ASSETS: { disk: { path: PAGES } } },
    bindings: { ...variables },
    resourcePersistencePath: resolve(state, 'v3'),
  }
}

/** A line that the Worker logged: `level` is `log`, `error` and so on. */
export type Print = (line: { readonly level: string; readonly message: string }) => void

/**
 * Serves the built bundle of a state folder on the port, with `variables` as its bindings. `inspectorPort` enables
 * debugging and profiling with Chrome's DevTools protocol. `print` is given what the Worker logs, which is otherwise
 * printed as it is.
 */
export async function startRuntime(
  port: number,
  state: string,
  variables: Readonly<Record<string, string>>,
  { inspectorPort, print }: { readonly inspectorPort?: number | undefined; readonly print?: Print } = {},
): Promise<Runtime> {
  const inspector = inspectorPort === undefined ? {} : { inspectorPort }
  const logs = print === undefined ? {} : { handleStructuredLogs: print }
  const sockets = { port: 0, unsafeDirectSockets: [{ host: HOST, port }], ...inspector, ...logs }
  const service = { ...workerOf(state, variables), ...sockets }
  const miniflare = new Miniflare(convertV4MiniflareOptions(service))
  await miniflare.ready
  await untilMigrated(`http://${HOST}:${port}/`)
  // A deployment has a cron trigger for this. Errors are ignored, because the next sweep does the same work.
  const sweepOnce = async () => (await miniflare.getWorker(service.name)).scheduled({})
  const sweep = setInterval(() => void sweepOnce().catch(() => null), SWEEP_MILLISECONDS)
  const serveBeside = (workers: readonly V4WorkerOptions[]) =>
    miniflare.setOptions(convertV4MiniflareOptions({ ...service, workers: [service, ...workers] }))
  const stop = async () => {
    clearInterval(sweep)
    await miniflare.dispose()
  }
  return { url: `http://${HOST}:${port}`, serveBeside, stop }
}

/** Opens the database of a stopped service for queries. */
export async function openDatabase(state: string) {
  // Without Durable Objects, whose alarms would modify the database.
  const worker = { ...workerOf(state, {}), durableObjects: {} }
  const miniflare = new Miniflare(convertV4MiniflareOptions(worker))
  const database = await miniflare.getD1Database('DB')
  return {
    first: <Row>(query: string, ...values: readonly string[]): Promise<Row | null> =>
      database
        .prepare(query)
        .bind(...values)
        .first<Row>(),
    close: () => miniflare.dispose(),
  }
}
