/**
 * `npm run bench:look-ups`: what a look-up costs an application, in two tables and a chart. The tables are printed; with
 * `--write` both are put into the page on speed.
 *
 * 1. Far from the database: a request whose trips to the primary take 270 ms and to a replica 5 ms.
 * 2. In one thread: calls of a Worker over a service binding, by RPC and by HTTP, in alternation, as multiples of an empty
 *    RPC.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { edgeCredentialOf } from '../../src/local/application.ts'
import { requireDemo, seedDemo } from '../../src/local/demo.ts'
import { localKeys } from '../../src/local/keys.ts'
import { buildBundle, HOST, startRuntime } from '../../src/local/runtime.ts'
import { freePort } from '../peer/process.ts'
import { CHART, chartOf, tablesOf, type LookUps } from './look-ups/report.ts'
import { folderOfResults, writeIntoPage } from './write.ts'

const { values: options } = parseArgs({
  options: { write: { type: 'boolean', default: false }, rounds: { type: 'string', default: '15' } },
})
const ROUNDS = Number(options.rounds)
/** Calls of one measurement over a binding. */
const CALLS = 200
/** The bound, so long that what is remembered lasts for the run. In seconds. */
const BOUND = 60
const MARKERS = ['<!-- look-ups -->', '<!-- /look-ups -->'] as const

/** The caller: each path makes so many calls of one kind, one after the other. */
const caller = `export default {
  async fetch(request, { KEYS, NOTHING, SERVICE }) {
    const { pathname, searchParams } = new URL(request.url)
    const [ref, token] = [searchParams.get('ref'), searchParams.get('token')]
    const read = (cacheControl) => SERVICE.fetch(ref + '/payload', {
      headers: { 'X-Auth-Token': token, Accept: '*/*', ...(cacheControl && { 'Cache-Control': cacheControl }) },
    })
    const kinds = {
      '/empty': () => NOTHING.nothing(),
      '/rpc-memory': () => KEYS.payload(ref, { maxAge: ${BOUND} }),
      '/http-memory': async () => (await read('max-age=${BOUND}')).arrayBuffer(),
      '/rpc-database': () => KEYS.payload(ref),
      '/http-database': async () => (await read()).arrayBuffer(),
    }
    const call = kinds[pathname]
    let last
    for (let time = 0; time < Number(searchParams.get('calls')); time += 1) last = await call()
    return Response.json(last?.ok ?? true)
  },
}`

const median = (values: readonly number[]) => values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0

async function timed(url: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const started = performance.now()
  const answer = await fetch(url, { headers })
  const text = await answer.text()
  if (!answer.ok || text === 'false') throw new Error(`${url}: ${answer.status} ${text}`)
  return performance.now() - started
}

const state = await mkdtemp(join(tmpdir(), 'portcullis-look-ups-'))
const keys = localKeys(state)
await buildBundle(state, { entry: join(import.meta.dirname, 'look-ups', 'index.ts'), minify: true })
const variables = { ...keys, LOG: 'problems', EDGE_CREDENTIALS: 'on', STALENESS_SECONDS: String(BOUND) }
const runtime = await startRuntime(await freePort(), state, variables)
try {
  const { token } = requireDemo(await seedDemo(runtime.url, keys.ADMIN_PASSWORD, 'demo password'))
  const stored = await fetch(`${runtime.url}/v1/secrets`, {
    method: 'POST',
    headers: { 'X-Auth-Token': token, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'looked up', payload: 'x'.repeat(32), payload_content_type: 'text/plain' }),
  })
  const { secret_ref: ref } = (await stored.json()) as { readonly secret_ref: string }
  const credential = await edgeCredentialOf(runtime.url, token)

  const far = async (kind: 'cold' | 'warm', cacheControl?: string) =>
    timed(`${ref}/payload`, {
      'X-Auth-Token': token,
      Accept: '*/*',
      'X-Far': kind,
      ...(cacheControl !== undefined && { 'Cache-Control': cacheControl }),
    })
  // The first one finds no heartbeat and has it written.
  const stale = await far('cold')
  await new Promise((done) => setTimeout(done, 1_000))
  const away: Record<string, number[]> = { cold: [], warm: [], memory: [], primary: [] }
  for (let round = 0; round < ROUNDS; round += 1) {
    away['cold']?.push(await far('cold'))
    away['warm']?.push(await far('warm'))
    await far('warm', `max-age=${BOUND}`)
    away['memory']?.push(await far('warm', `max-age=${BOUND}`))
    away['primary']?.push(await far('cold', 'no-cache'))
  }

  const port = await freePort()
  const service = (entrypoint: string | undefined, props?: Record<string, unknown>) => ({
    name: 'portcullis',
    ...(entrypoint !== undefined && { entrypoint }),
    ...(props && { props }),
  })
  await runtime.serveBeside([
    {
      name: 'caller',
      modules: [{ type: 'ESModule', path: 'index.js', contents: caller }],
      compatibilityDate: '2026-10-20',
      serviceBindings: {
        KEYS: service('KeyManager', { credential }),
        NOTHING: service('Nothing'),
        SERVICE: service(undefined),
      },
      unsafeDirectSockets: [{ host: HOST, port }],
    },
  ])
  const kinds = ['empty', 'rpc-memory', 'http-memory', 'rpc-database', 'http-database'] as const
  const perCall: Record<string, number[]> = Object.fromEntries(kinds.map((kind) => [kind, []]))
  const loop = (kind: string, calls: number) =>
    timed(`http://${HOST}:${port}/${kind}?calls=${calls}&${new URLSearchParams({ ref, token }).toString()}`)
  for (const kind of kinds) await loop(kind, 5)
  for (let round = 0; round < ROUNDS; round += 1)
    for (const kind of kinds) perCall[kind]?.push((await loop(kind, CALLS)) / CALLS)

  const milliseconds = (name: string) => median(away[name] ?? [])
  const times = (kind: string) => median(perCall[kind] ?? []) / median(perCall['empty'] ?? [])
  const measured: LookUps = {
    away: {
      primary: milliseconds('primary'),
      stale,
      cold: milliseconds('cold'),
      warm: milliseconds('warm'),
      memory: milliseconds('memory'),
    },
    rpc: { memory: times('rpc-memory'), database: times('rpc-database') },
    http: { memory: times('http-memory'), database: times('http-database') },
  }
  const text = `${tablesOf(measured)}
Medians of ${ROUNDS} rounds, in which all kinds alternate; a round has ${CALLS} calls of each kind over the binding.
`
  console.log(text)
  const chart = join(await folderOfResults(options.write), 'look-ups.svg')
  await writeFile(chart, chartOf(measured))
  console.log(`written: ${chart}`)
  if (options.write) await writeIntoPage(MARKERS, `![${CHART}](../../test/bench/look-ups.svg)\n\n${text}`)
} finally {
  await runtime.stop()
  await rm(state, { recursive: true, force: true })
}
