/**
 * Measures the size of the Worker and the cost of its cold start. Fails if either has grown by more than a tenth since
 * it was recorded, or exceeds its limit.
 *
 *     node test/start/weigh.ts [--record]        after npm run bundle
 *
 * The cost of a cold start is the processor time of a new workerd until the end of its first response, less that of a
 * workerd with an empty Worker. The first response needs the answer of the database to whether it is the Worker's; here
 * it has no rows, so the request is refused. The minimum of many starts is used, because other load on the machine can
 * only add time. On a machine that is slower than the one of the recorded figures, the milliseconds are scaled down by the
 * factor that the empty Worker takes longer.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { unstable_readConfig } from 'wrangler'

const MOST_GZIP_BYTES = 250 * 1024
const MOST_START_MILLISECONDS = 60
const GROWTH = 1.1
/** The time of the empty Worker on the machine of the recorded figures. */
const EMPTY_MILLISECONDS = 19
const FEWEST_STARTS = 15
/** Measuring continues while the figure is too high: noise disappears with more starts, a regression does not. */
const MOST_STARTS = 60

interface Figures {
  readonly gzipBytes: number
  readonly startMilliseconds: number
}

const { default: workerd } = createRequire(import.meta.url)('workerd') as { readonly default: string }
const root = join(import.meta.dirname, '../..')
const RECORDED = join(import.meta.dirname, 'recorded.json')
const bundle = readFileSync(join(root, '.wrangler/bundle/index.js'))
const EMPTY = 'export class ProjectObject {}\nexport default { fetch: () => new Response() }\n'
const { compatibility_date: date } = unstable_readConfig({ config: join(root, 'wrangler.toml') })

/** The answer of D1 to each query: no rows. */
const NO_ROWS = '[{ success: true, results: { columns: [], rows: [] }, meta: { served_by_primary: true } }]'

/** A configuration of workerd, with a database that has no rows. */
const configuration = (port: number) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "database", worker = .database)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [(name = "index.js", esModule = embed "index.js")],
  compatibilityDate = "${date}",
  bindings = [
    (name = "MASTER_KEYS", text = "test:7vYh0nq3cJpXlU0oM2b8w1kTz5rRg9eDs4aQxIuVfHc="),
    (name = "DB", wrapped = (
      moduleName = "cloudflare-internal:d1-api",
      innerBindings = [(name = "fetcher", service = "database")]
    ))
  ]
);
const database :Workerd.Worker = (
  modules = [(name = "index.js", esModule = "export default { fetch: () => Response.json(${NO_ROWS}) }")],
  compatibilityDate = "${date}"
);
`

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

/** Returns the processor time of all threads of a process, in milliseconds. */
function processorTime(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const nanoseconds = threads.map(
    (thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0],
  )
  return nanoseconds.reduce((sum, time) => sum + Number(time), 0) / 1e6
}

/** Sends requests until the socket is open, and returns the status of the first response. */
async function firstAnswer(url: string): Promise<number> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    try {
      const response = await fetch(url, { headers: { 'X-Auth-Token': 'none' } })
      await response.arrayBuffer()
      return response.status
    } catch {
      await sleep(5)
    }
  }
  throw new Error('workerd did not start')
}

/** Returns the processor time of one cold start. Throws unless the Worker responds with this status. */
async function start(folder: string, status: number): Promise<number> {
  const port = await freePort()
  writeFileSync(join(folder, 'workerd.capnp'), configuration(port))
  const child = spawn(workerd, ['serve', join(folder, 'workerd.capnp')], { stdio: ['ignore', 'ignore', 'inherit'] })
  try {
    const answered = await firstAnswer(`http://127.0.0.1:${port}/v1/secrets`)
    if (answered !== status) throw new Error(`the first response was ${answered} instead of ${status}`)
    return processorTime(child.pid ?? 0)
  } finally {
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    await closed
  }
}

async function startMilliseconds(enough: number): Promise<number> {
  const folders = [mkdtempSync(join(tmpdir(), 'weigh-')), mkdtempSync(join(tmpdir(), 'weigh-'))] as const
  const [service, empty] = folders
  writeFileSync(join(service, 'index.js'), bundle)
  writeFileSync(join(empty, 'index.js'), EMPTY)
  try {
    let least: readonly [service: number, empty: number] = [Infinity, Infinity]
    const figure = () => (least[0] - least[1]) / Math.max(1, least[1] / EMPTY_MILLISECONDS)
    for (let starts = 0; starts < FEWEST_STARTS || (figure() > enough && starts < MOST_STARTS); starts += 1) {
      least = [Math.min(least[0], await start(service, 503)), Math.min(least[1], await start(empty, 200))]
    }
    console.log(`processor time of a start: ${least[0].toFixed(1)} ms, with an empty Worker ${least[1].toFixed(1)} ms`)
    return figure()
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true })
  }
}

/** Returns the faults of a figure. */
function judge(name: string, figure: number, recorded: number, limit: number): string[] {
  console.log(`${name}: ${figure.toFixed(0)} (recorded ${recorded.toFixed(0)}, limit ${limit})`)
  if (figure > limit) return [`${name} exceeds its limit`]
  return figure > recorded * GROWTH ? [`${name} has grown by more than a tenth`] : []
}

const gzipBytes = gzipSync(bundle).length
const recorded = JSON.parse(readFileSync(RECORDED, 'utf8')) as Figures
const enough = Math.min(recorded.startMilliseconds * GROWTH, MOST_START_MILLISECONDS)
const figures: Figures = { gzipBytes, startMilliseconds: await startMilliseconds(enough) }
if (process.argv.includes('--record')) writeFileSync(RECORDED, `${JSON.stringify(figures, null, 2)}\n`)
const faults = [
  ...judge('bytes of the bundle, gzip', figures.gzipBytes, recorded.gzipBytes, MOST_GZIP_BYTES),
  ...judge(
    'milliseconds of a cold start',
    figures.startMilliseconds,
    recorded.startMilliseconds,
    MOST_START_MILLISECONDS,
  ),
]
for (const fault of faults) console.error(fault)
process.exit(faults.length > 0 ? 1 : 0)
