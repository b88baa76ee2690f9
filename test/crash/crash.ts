/**
 * The crash test: the service is killed (SIGKILL, its whole process group) at random moments of mixed writes and
 * started again, round after round. Whatever it acknowledged must be there, and open, and be whole; every acknowledged
 * order must end; nothing may be left half made. Every acknowledged change has its event in the audit log, whose chain
 * is whole. And none of the secret values that went through it is in its files or in what it printed.
 *
 * With --rotate, secrets are read as well, and master keys and project keys are rotated all the while: no read may fail,
 * and in the end nothing may depend on an older key.
 *
 *     node test/crash/crash.ts [--rounds N] [--rotate]
 */
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { requireDemo, seedDemo } from '../../src/local/demo.ts'
import { localKeys } from '../../src/local/keys.ts'
import { buildBundle } from '../../src/local/runtime.ts'
import { attemptTimes } from '../../src/state/orders/order-schedule.ts'
import { freePort } from '../peer/process.ts'
import { verifyAudit } from './audit.ts'
import { verifyNothingLeaked } from './leaks.ts'
import { countLeftovers } from './leftovers.ts'
import { finish, operator, Ring, rotate, tally } from './rotation.ts'
import { kill, MOST_START_MILLISECONDS, newService, type Service } from './service.ts'
import { nothing, PASSPHRASE, write, type Acknowledged, type Client } from './traffic.ts'
import { each, read, verifyOrder, verifySecret } from './verification.ts'

/** An order ends within the attempts of its schedule, each of which may meet a crash and then waits for the next start. */
const MOST_PENDING_MILLISECONDS =
  attemptTimes.reduce((sum, time) => sum + time, 0) + attemptTimes.length * MOST_START_MILLISECONDS
/** How long a kill waits for a first answer at most. */
const MOST_QUIET_MILLISECONDS = 5_000
/** Stored secrets that a round looks at, of the newest and of all; the last round looks at all. */
const SECRETS_PER_ROUND = 20
/** A token lasts an hour; the full test takes longer. */
const ROUNDS_PER_TOKEN = 100
/** A new primary master key comes every so many rounds of a rotation. */
const ROUNDS_PER_MASTER_KEY = 3
/** Payloads that are looked for in the files: the newest that are too long to be there by chance. */
const MOST_SEARCHED = 50
const LEAST_SEARCHED_BYTES = 16

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '1000' }, rotate: { type: 'boolean', default: false } },
})
const rounds = Number(values.rounds)
/** Connections of a round and its length; of the 16 connections of a rotation one rotates, several times a round. */
const traffic = values.rotate
  ? { writers: 8, readers: 7, mostMilliseconds: 4_000 }
  : { writers: 4, readers: 0, mostMilliseconds: 700 }

const state = mkdtempSync(join(tmpdir(), 'crash-'))
const { DEMO_PASSWORD, ...keys } = localKeys(state)
const ring = new Ring(keys.MASTER_KEYS)
const port = await freePort()
const url = `http://127.0.0.1:${port}`

const nextService = () => newService(port, state, { ...keys, MASTER_KEYS: String(ring) })
const logIn = async (): Promise<Client> => ({
  url,
  ...requireDemo(await seedDemo(url, keys.ADMIN_PASSWORD, DEMO_PASSWORD)),
})

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

/** Uses the service and kills it in the midst of that. */
async function crash(service: Service, client: Client, known: Acknowledged, rotating: Client | null): Promise<void> {
  let stopped = false
  const isStopped = () => stopped
  const writing = write(client, known, isStopped, traffic.writers)
  const using = Promise.all([
    writing.ended,
    read(client, known, isStopped, traffic.readers),
    ...(rotating ? [rotate(rotating, isStopped)] : []),
  ])
  // A service that has just started is slow: one kill in two waits for its first answer.
  if (randomInt(2) === 0) await Promise.race([using, writing.answered, sleep(MOST_QUIET_MILLISECONDS)])
  await Promise.race([using, sleep(randomInt(20, traffic.mostMilliseconds))])
  stopped = true
  await kill(service)
  await using
}

/** The operator of a rotation, who takes unused master keys out of the ring and now and then puts a new one in. */
async function operate(round: number): Promise<Client> {
  const client = await operator(url, keys.ADMIN_PASSWORD)
  await ring.removeUnused(client)
  if (round % ROUNDS_PER_MASTER_KEY === 0) ring.addPrimary()
  return client
}

function summaryOf({ secrets, ended, orders, changed, reads }: Acknowledged): string {
  const failed = [...ended.values()].filter(({ result }) => !result).length
  const rotated = values.rotate
    ? `; ${reads} reads, ${Object.keys(ring.ever).length} master keys, ${tally.superseded} project keys (${tally.resealed} values sealed again)`
    : ''
  return `${secrets.size} secrets, ${ended.size} orders ended (${failed} in ERROR), ${orders.size} open, ${changed.delete.size} deletions${rotated}`
}

/** The rounds. Gives the service that is loaded for one more. */
async function crashAgainAndAgain(known: Acknowledged): Promise<Service> {
  const began = Date.now()
  let client: Client = { url, token: '' }
  let service = nextService()
  for (let round = 1; round <= rounds; round += 1) {
    await service.start()
    // A token ends with the master key that signed it.
    if (values.rotate || round % ROUNDS_PER_TOKEN === 1) client = await logIn()
    const rotating = values.rotate ? await operate(round) : null
    const next = nextService()
    await verifyRound(client, known)
    await next.loaded
    await crash(service, client, known, rotating)
    service = next
    if (round % 10 === 0 || round === rounds) {
      const seconds = Math.round((Date.now() - began) / 1_000)
      console.log(`round ${round} of ${rounds} after ${seconds} s: ${summaryOf(known)}`)
    }
  }
  return service
}

/** Waits until every acknowledged order has ended. Throws when two of them show the same result. */
async function endOrders(client: Client, known: Acknowledged): Promise<void> {
  while (known.orders.size > 0) {
    await each([...known.orders.keys()], (ref) => verifyOrder(client, known, ref, MOST_PENDING_MILLISECONDS))
    if (known.orders.size > 0) await sleep(1_000)
  }
  const results = [...known.ended.values()].map(({ result }) => result).filter(Boolean)
  if (new Set(results).size !== results.length) throw new Error('two orders share a result')
}

/** Ends the rotation. Gives a service that has the last master key alone. */
async function endRotation(service: Service): Promise<Service> {
  await finish(await operator(url, keys.ADMIN_PASSWORD), ring)
  await kill(service)
  const last = nextService()
  await last.start()
  return last
}

/** What may be found neither in the files nor in the output. */
function canariesOf({ secrets }: Acknowledged, { token }: Client) {
  const payloads = [...secrets].map(([ref, payload]) => [ref, Buffer.from(payload, 'base64')] as const)
  const searched = payloads.filter(([, payload]) => payload.length >= LEAST_SEARCHED_BYTES).slice(-MOST_SEARCHED)
  const passwords = { 'administrator password': keys.ADMIN_PASSWORD, 'demo password': DEMO_PASSWORD }
  return { ...Object.fromEntries(searched), ...ring.ever, ...passwords, token, passphrase: PASSPHRASE }
}

async function run(): Promise<string> {
  await buildBundle(state)
  const known = nothing()
  let service = await crashAgainAndAgain(known)
  await service.start()
  await endOrders(await logIn(), known)
  if (values.rotate) service = await endRotation(service)
  const client = await logIn()
  await each(known.secrets, (secret) => verifySecret(client, secret))
  console.log(`audit log: ${await verifyAudit(client, known, state)}`)
  await kill(service)
  console.log(`leaks: ${verifyNothingLeaked(canariesOf(known, client), state)}`)
  await countLeftovers(state, known, values.rotate)
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
