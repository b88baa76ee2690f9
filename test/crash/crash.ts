/**
 * The crash test: the service is killed (SIGKILL, its whole process group) at random moments of mixed writes and
 * started again, round after round. Whatever it acknowledged must be there, and open, and be whole; every acknowledged
 * order must end; nothing may be left half made. Every acknowledged change has its event in the audit log, whose chain
 * is whole. And none of the secret values that went through it is in its files or in what it printed.
 *
 *     node test/crash/crash.ts [--rounds N]
 */
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn, type ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { localKeys } from '../../src/local/keys.ts'
import { seedDemo } from '../../src/local/demo.ts'
import { buildBundle, openDatabase } from '../../src/local/runtime.ts'
import { verifyAudit } from './audit.ts'
import { verifyNothingLeaked } from './leaks.ts'
import { nothing, PASSPHRASE, verifyOrder, verifySecrets, write, type Client } from './traffic.ts'

/** An order ends within the attempts of its schedule; after one crash that is its first attempt and a second one. */
const MOST_PENDING_MILLISECONDS = 60_000
const MOST_START_MILLISECONDS = 60_000
/** Payloads that are looked for in the files. */
const MOST_SEARCHED = 50

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '1000' } } })
const rounds = Number(values.rounds)
const state = mkdtempSync(join(tmpdir(), 'crash-'))
let printed = ''

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  return typeof address === 'object' && address ? address.port : 0
}

/** Kills the service and everything that it started, at once. */
function kill(child: ChildProcess): Promise<unknown> {
  const closed = new Promise((done) => child.once('close', done))
  process.kill(-(child.pid ?? 0), 'SIGKILL')
  return closed
}

async function startServer(port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts'), String(port), state], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (printed += part.toString()))
  const ready = new Promise<boolean>((done) => child.stdout.once('data', () => done(true)))
  const ended = new Promise<boolean>((done) => child.once('close', () => done(false)))
  const late = sleep(MOST_START_MILLISECONDS, false, { ref: false })
  if (!(await Promise.race([ready, ended, late]))) throw new Error('the service did not start')
  return child
}

/** What a crash may not leave behind, counted in the database itself. */
const leftovers = {
  'secrets of a key pair that are in no container': `SELECT count(*) AS n FROM secrets WHERE secret_type IN ('private', 'public', 'passphrase')
    AND NOT EXISTS (SELECT 1 FROM container_secrets WHERE secret_id = secrets.id)`,
  'containers that no order made': `SELECT count(*) AS n FROM containers
    WHERE NOT EXISTS (SELECT 1 FROM orders WHERE container_id = containers.id)`,
  'certificates whose container is not whole': `SELECT count(*) AS n FROM containers WHERE type = 'certificate'
    AND ((SELECT count(*) FROM container_secrets WHERE container_id = containers.id) <> 2
      OR (SELECT count(*) FROM issued_certificates WHERE container_id = containers.id) <> 1)`,
  'issued certificates that are in no container': `SELECT count(*) AS n FROM issued_certificates
    WHERE NOT EXISTS (SELECT 1 FROM containers WHERE id = container_id)`,
  'ordered keys without their order': `SELECT count(*) AS n FROM secrets WHERE secret_type = 'symmetric'
    AND NOT EXISTS (SELECT 1 FROM orders WHERE secret_id = secrets.id)`,
  'orders that are over and still hold a passphrase': `SELECT count(*) AS n FROM orders
    WHERE status <> 'PENDING' AND (sealed IS NOT NULL OR due IS NOT NULL)`,
  'orders that are pending and will not be run again': `SELECT count(*) AS n FROM orders
    WHERE status = 'PENDING' AND due IS NULL`,
} as const

async function countLeftovers(): Promise<void> {
  const database = await openDatabase(state)
  for (const [what, query] of Object.entries(leftovers)) {
    const row = await database.first<{ n: number }>(query)
    if (row?.n !== 0) throw new Error(`${row?.n} ${what}`)
  }
  await database.close()
}

async function run(): Promise<string> {
  await buildBundle(state)
  const keys = localKeys(state)
  const known = nothing()
  const port = await freePort()
  let client: Client | undefined
  for (let round = 1; round <= rounds; round += 1) {
    const server = await startServer(port)
    const url = `http://127.0.0.1:${port}`
    // A token lasts an hour; the full test takes longer.
    if (!client || round % 100 === 0)
      client = { url, ...(await seedDemo(url, keys.ADMIN_PASSWORD, keys.DEMO_PASSWORD)) }
    const stored = [...known.secrets]
    await verifySecrets(client, [...stored.slice(-20), ...stored.filter(() => randomInt(50) === 0)])
    for (const ref of known.orders.keys()) await verifyOrder(client, known, ref, MOST_PENDING_MILLISECONDS)
    let stopped = false
    const writing = write(client, known, () => stopped)
    await sleep(randomInt(20, 700))
    await kill(server)
    stopped = true
    await writing
    if (round % 10 === 0 || round === rounds) {
      const open = known.orders.size
      console.log(
        `round ${round} of ${rounds}: ${known.secrets.size} secrets, ${known.ended.size} orders ended, ${open} open`,
      )
    }
  }
  const server = await startServer(port)
  const last = client ?? { url: '', token: '' }
  while (known.orders.size > 0) {
    for (const ref of known.orders.keys()) await verifyOrder(last, known, ref, MOST_PENDING_MILLISECONDS)
    if (known.orders.size > 0) await sleep(1_000)
  }
  await verifySecrets(last, known.secrets)
  console.log(`audit log: ${await verifyAudit(last, known, state)}`)
  await kill(server)
  const payloads = [...known.secrets].map(([ref, payload]) => [ref, Buffer.from(payload, 'base64')] as const)
  const canaries = {
    ...Object.fromEntries(payloads.filter(([, payload]) => payload.length >= 16).slice(-MOST_SEARCHED)),
    ...keys,
    'master key': Buffer.from(keys.MASTER_KEYS.slice(keys.MASTER_KEYS.indexOf(':') + 1), 'base64'),
    token: last.token,
    passphrase: PASSPHRASE,
  }
  console.log(`leaks: ${verifyNothingLeaked(canaries, join(state, 'v3'), printed)}`)
  await countLeftovers()
  const results = [...known.ended.values()].filter(Boolean)
  if (new Set(results).size !== results.length) throw new Error('two orders share a result')
  return `${rounds} crashes: ${known.secrets.size} secrets and ${known.ended.size} orders acknowledged, all there and whole`
}

try {
  console.log(await run())
  rmSync(state, { recursive: true, force: true })
  console.log('1 passed, 0 failed')
} catch (error) {
  console.error(error)
  console.log(`0 passed, 1 failed (state kept in ${state})`)
  process.exitCode = 1
}
