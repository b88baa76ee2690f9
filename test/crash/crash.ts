/**
 * The crash test: the service is killed (SIGKILL, its whole process group) at random moments of mixed writes and
 * started again, round after round. Whatever it acknowledged must be there, and open, and be whole; every acknowledged
 * order must end; nothing may be left half made.
 *
 *     node test/crash/crash.ts [--rounds N]
 */
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { spawn, type ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { seedDemo } from '../../src/local/demo.ts'
import { localKeys } from '../../src/local/keys.ts'
import { buildBundle } from '../../src/local/runtime.ts'
import { attemptTimes } from '../../src/state/order-schedule.ts'
import { countLeftovers } from './leftovers.ts'
import { nothing, write, type Acknowledged, type Client } from './traffic.ts'
import { each, verifyOrder, verifySecret } from './verification.ts'

const MOST_START_MILLISECONDS = 60_000
/** How long a kill waits for a first answer at most. */
const MOST_QUIET_MILLISECONDS = 5_000
/** An order ends within the attempts of its schedule, each of which may meet a crash and then waits for the next start. */
const MOST_PENDING_MILLISECONDS =
  attemptTimes.reduce((sum, time) => sum + time, 0) + attemptTimes.length * MOST_START_MILLISECONDS
/** Stored secrets that a round looks at, of the newest and of all; the last round looks at all. */
const SECRETS_PER_ROUND = 20
/** A token lasts an hour; the full test takes longer. */
const ROUNDS_PER_TOKEN = 100

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '1000' } } })
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

/** A server that loads by itself and serves when it is started. */
interface Server {
  readonly child: ChildProcess
  readonly loaded: Promise<void>
  readonly start: () => Promise<void>
}

function newServer(port: number): Server {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts'), String(port), state], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const says = async (word: string) => {
    const late = sleep(MOST_START_MILLISECONDS, null, { ref: false })
    const line = await Promise.race([lines.next(), late])
    if (line?.value !== word) throw new Error(`the service is not ${word}`)
  }
  const loaded = says('loaded')
  const start = async () => {
    await loaded
    child.stdin.write('start\n')
    await says('ready')
  }
  return { child, loaded, start }
}

/** What each start after a crash has to show. */
async function verifyRound(client: Client, known: Acknowledged): Promise<void> {
  const stored = [...known.secrets]
  const some = Array.from(
    { length: Math.min(SECRETS_PER_ROUND, stored.length) },
    () => stored[randomInt(stored.length)]!,
  )
  await each([...stored.slice(-SECRETS_PER_ROUND), ...some], (secret) => verifySecret(client, secret))
  await each([...known.orders.keys()], (ref) => verifyOrder(client, known, ref, MOST_PENDING_MILLISECONDS))
}

/** Waits until every acknowledged order has ended, and looks at all that was stored. */
async function verifyAll(client: Client, known: Acknowledged): Promise<void> {
  while (known.orders.size > 0) {
    await each([...known.orders.keys()], (ref) => verifyOrder(client, known, ref, MOST_PENDING_MILLISECONDS))
    if (known.orders.size > 0) await sleep(1_000)
  }
  await each(known.secrets, (secret) => verifySecret(client, secret))
}

function summaryOf({ secrets, ended, orders, deleted }: Acknowledged): string {
  const failed = [...ended.values()].filter(({ result }) => !result).length
  return `${secrets.size} secrets, ${ended.size} orders ended (${failed} in ERROR), ${orders.size} open, ${deleted.size} deletions`
}

/** Throws when two orders show the same result. */
function requireOwnResults({ ended }: Acknowledged): void {
  const results = [...ended.values()].map(({ result }) => result).filter(Boolean)
  if (new Set(results).size !== results.length) throw new Error('two orders share a result')
}

async function run(): Promise<string> {
  await buildBundle(state)
  const keys = localKeys(state)
  const known = nothing()
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const began = Date.now()
  let client: Client = { url, token: '' }
  let server = newServer(port)
  for (let round = 1; round <= rounds; round += 1) {
    await server.start()
    if (round % ROUNDS_PER_TOKEN === 1) {
      client = { url, ...(await seedDemo(url, keys.ADMIN_PASSWORD, keys.DEMO_PASSWORD)) }
    }
    const next = newServer(port)
    await verifyRound(client, known)
    await next.loaded
    let stopped = false
    const traffic = write(client, known, () => stopped)
    // A service that has just started is slow: one kill in two waits for its first answer.
    if (randomInt(2) === 0) await Promise.race([traffic.answered, sleep(MOST_QUIET_MILLISECONDS)])
    await sleep(randomInt(20, 700))
    await kill(server.child)
    stopped = true
    await traffic.ended
    server = next
    if (round % 10 === 0 || round === rounds) {
      const seconds = Math.round((Date.now() - began) / 1_000)
      console.log(`round ${round} of ${rounds} after ${seconds} s: ${summaryOf(known)}`)
    }
  }
  await server.start()
  await verifyAll(client, known)
  await kill(server.child)
  requireOwnResults(known)
  await countLeftovers(state, known)
  return `${rounds} crashes: ${summaryOf(known)}; all that was acknowledged is there and whole`
}

try {
  console.log(await run())
  rmSync(state, { recursive: true, force: true })
  console.log('1 passed, 0 failed')
} catch (error) {
  console.error(error)
  console.log(`0 passed, 1 failed (state kept in ${state})`)
  process.exit(1)
}
