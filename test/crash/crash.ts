/**
 * The crash test: the service is killed (SIGKILL, its whole process group) at random moments of mixed writes and
 * started again, round after round. Whatever it acknowledged must be there, and open, and be whole; every acknowledged
 * order must end; nothing may be left half made.
 *
 * With --rotate, master keys and project keys are rotated all the while: no read may fail, and in the end nothing may
 * depend on an older key.
 *
 *     node test/crash/crash.ts [--rounds N] [--rotate]
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
import { countedTables, miscounted } from '../support/recount.ts'
import { finish, operator, Ring, rotate, tally } from './rotation.ts'
import { nothing, read, verifyOrder, verifySecrets, write, type Client } from './traffic.ts'

/** An order ends within the attempts of its schedule; after one crash that is its first attempt and a second one. */
const MOST_PENDING_MILLISECONDS = 60_000
const MOST_START_MILLISECONDS = 60_000

/** A new primary master key comes every so many rounds. */
const ROUNDS_PER_MASTER_KEY = 3
/** Of 16 connections in all, one rotates; a round is long enough for several rotations. */
const ROTATING = { writers: 8, readers: 7, mostMilliseconds: 4_000 } as const
const MOST_FINAL_STEPS = 200

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '1000' }, rotate: { type: 'boolean', default: false } },
})
const rounds = Number(values.rounds)
const state = mkdtempSync(join(tmpdir(), 'crash-'))

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

async function startServer(port: number, ring: Ring): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts'), String(port), state], {
    detached: true,
    env: { ...process.env, MASTER_KEYS: String(ring) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
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
  'values that are sealed under no key': `SELECT count(*) AS n FROM secrets WHERE key_version IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM project_keys WHERE project_id = secrets.project_id AND store = secrets.store
      AND version = key_version)`,
  ...Object.fromEntries(countedTables.map((table) => [`projects whose ${table} are miscounted`, miscounted(table)])),
}

/** What may not be there once a rotation has ended. */
const ofOlderKeys = {
  'superseded project keys': 'SELECT count(*) AS n FROM project_keys WHERE superseded IS NOT NULL',
  'values that are not sealed under the key that seals': `SELECT count(*) AS n FROM secrets
    WHERE key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys WHERE project_id = secrets.project_id
      AND store = secrets.store AND version = key_version AND superseded IS NULL)`,
  'project keys under several master keys': 'SELECT count(DISTINCT master_key_id) - 1 AS n FROM project_keys',
} as const

async function countLeftovers(): Promise<void> {
  const database = await openDatabase(state)
  for (const [what, query] of Object.entries({ ...leftovers, ...(values.rotate && ofOlderKeys) })) {
    const row = await database.first<{ n: number }>(query)
    if (row?.n !== 0) throw new Error(`${row?.n} ${what}`)
  }
  await database.close()
}

async function run(): Promise<string> {
  await buildBundle(state)
  const keys = localKeys(state)
  const known = nothing()
  const ring = new Ring(keys.MASTER_KEYS)
  const port = await freePort()
  let client: Client | undefined
  for (let round = 1; round <= rounds; round += 1) {
    if (values.rotate && round % ROUNDS_PER_MASTER_KEY === 0) ring.addPrimary()
    const server = await startServer(port, ring)
    const url = `http://127.0.0.1:${port}`
    // A token lasts an hour, which the full test takes longer than, and no longer than the master key that signed it.
    if (!client || values.rotate || round % 100 === 0)
      client = { url, ...(await seedDemo(url, keys.ADMIN_PASSWORD, keys.DEMO_PASSWORD)) }
    const stored = [...known.secrets]
    await verifySecrets(client, [...stored.slice(-20), ...stored.filter(() => randomInt(50) === 0)])
    for (const ref of known.orders.keys()) await verifyOrder(client, known, ref, MOST_PENDING_MILLISECONDS)
    let stopped = false
    const isStopped = () => stopped
    const administrator = values.rotate ? await operator(url, keys.ADMIN_PASSWORD) : null
    if (administrator) await ring.removeUnused(administrator)
    const traffic = administrator
      ? [
          write(client, known, isStopped, ROTATING.writers),
          read(client, known, isStopped, ROTATING.readers),
          rotate(administrator, isStopped),
        ]
      : [write(client, known, isStopped)]
    await sleep(randomInt(20, values.rotate ? ROTATING.mostMilliseconds : 700))
    await kill(server)
    stopped = true
    await Promise.all(traffic)
    if (known.failedReads.length > 0) throw new Error(`failed reads: ${known.failedReads.slice(0, 5).join('; ')}`)
    if (round % 10 === 0 || round === rounds) {
      const open = known.orders.size
      console.log(
        `round ${round} of ${rounds}: ${known.secrets.size} secrets, ${known.ended.size} orders ended, ${open} open`,
        ...(values.rotate ? [`${known.reads} reads, ${ring.made} master keys, ${JSON.stringify(tally)}`] : []),
      )
    }
  }
  let server = await startServer(port, ring)
  let last = client ?? { url: '', token: '' }
  while (known.orders.size > 0) {
    for (const ref of known.orders.keys()) await verifyOrder(last, known, ref, MOST_PENDING_MILLISECONDS)
    if (known.orders.size > 0) await sleep(1_000)
  }
  if (values.rotate) {
    const administrator = await operator(last.url, keys.ADMIN_PASSWORD)
    await finish(administrator, MOST_FINAL_STEPS)
    await ring.removeUnused(administrator)
    await kill(server)
    if (String(ring).includes(',')) throw new Error('an older master key is still depended on')
    server = await startServer(port, ring)
    last = { url: last.url, ...(await seedDemo(last.url, keys.ADMIN_PASSWORD, keys.DEMO_PASSWORD)) }
  }
  await verifySecrets(last, known.secrets)
  await kill(server)
  await countLeftovers()
  const results = [...known.ended.values()].filter(Boolean)
  if (new Set(results).size !== results.length) throw new Error('two orders share a result')
  const rotated = values.rotate
    ? `; ${ring.made} master keys and ${tally.superseded} project keys later (${tally.resealed} values sealed again), none of ${known.reads} reads failed`
    : ''
  return `${rounds} crashes: ${known.secrets.size} secrets and ${known.ended.size} orders acknowledged, all there and whole${rotated}`
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
