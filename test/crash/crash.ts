/**
 * The crash test: in each round, the service is killed (SIGKILL to its process group) at a random moment during mixed
 * writes and started again. Everything that it acknowledged must exist, decrypt and be complete; every acknowledged
 * order must finish; every acknowledged version of a secret must open under its number; no partial results may remain. Every acknowledged change must have its event in the audit log,
 * whose chain must be intact. No secret value may be in the files or in the output of the service.
 *
 * With --rotate, secrets are also read, and master keys and project keys are rotated concurrently: no read may fail,
 * and at the end nothing may depend on an older key.
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
import { nothing, type Acknowledged } from './acknowledged.ts'
import { verifyAudit } from './audit.ts'
import type { Client } from './client.ts'
import { verifyNothingLeaked } from './leaks.ts'
import { countLeftovers } from './leftovers.ts'
import { finish, operator, Ring, rotate, tally } from './rotation.ts'
import { kill, MOST_START_MILLISECONDS, newService, type Service } from './service.ts'
import { PASSPHRASE, write } from './traffic.ts'
import { verifyVersions } from './versions.ts'
import { each, read, verifyOrder, verifySecret } from './verification.ts'

/**
 * The maximum duration of an order: all attempts of its schedule, each of which a crash may delay until the next start.
 */
const MOST_PENDING_MILLISECONDS =
  attemptTimes.reduce((sum, time) => sum + time, 0) + attemptTimes.length * MOST_START_MILLISECONDS
/** The maximum time that a kill waits for the first response. */
const MOST_QUIET_MILLISECONDS = 5_000
/** The number of secrets that each round verifies, both of the newest and of all. At the end, all are verified. */
const SECRETS_PER_ROUND = 20
/** The secrets with versions that each round verifies, the newest ones. At the end, all are verified. */
const VERSIONED_PER_ROUND = 6
/** Rounds until the next log-in: a token is valid for an hour, and the full test takes longer. */
const ROUNDS_PER_TOKEN = 100
/** With --rotate, the number of rounds until a new primary master key is added. */
const ROUNDS_PER_MASTER_KEY = 3
/** The number of payloads that the leak check searches for: the newest that are too long to occur by chance. */
const MOST_SEARCHED = 50
const LEAST_SEARCHED_BYTES = 16

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '1000' }, rotate: { type: 'boolean', default: false } },
})
const rounds = Number(values.rounds)
/**
 * The connections and the duration of a round. With --rotate, one more connection rotates keys, several times a round.
 */
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

/** Verifies the service after the start that follows a crash. */
async function verifyRound(client: Client, known: Acknowledged): Promise<void> {
  const stored = [...known.secrets]
  const some = Array.from(
    { length: Math.min(SECRETS_PER_ROUND, stored.length) },
    () => stored[randomInt(stored.length)]!,
  )
  await each([...stored.slice(-SECRETS_PER_ROUND), ...some], (secret) => verifySecret(client, secret))
  await each([...known.versions].slice(-VERSIONED_PER_ROUND), (versioned) => verifyVersions(client, versioned))
  await each([...known.orders.keys()], (ref) => verifyOrder(client, known, ref, MOST_PENDING_MILLISECONDS))
}

/** Sends traffic to the service and kills it during that. */
async function crash(service: Service, client: Client, known: Acknowledged, rotating: Client | null): Promise<void> {
  let stopped = false
  const isStopped = () => stopped
  const writing = write(client, known, isStopped, traffic.writers)
  const using = Promise.all([
    writing.ended,
    read(client, known, isStopped, traffic.readers),
    ...(rotating ? [rotate(rotating, isStopped)] : []),
  ])
  // A service that has just started is slow: half of the kills wait for its first response.
  if (randomInt(2) === 0) await Promise.race([using, writing.answered, sleep(MOST_QUIET_MILLISECONDS)])
  await Promise.race([using, sleep(randomInt(20, traffic.mostMilliseconds))])
  stopped = true
  await kill(service)
  await using
}

/**
 * Removes unused master keys from the ring and, in some rounds, adds a new one. Returns a client with the operator's
 * token.
 */
async function operate(round: number): Promise<Client> {
  const client = await operator(url, keys.ADMIN_PASSWORD)
  await ring.removeUnused(client)
  if (round % ROUNDS_PER_MASTER_KEY === 0) ring.addPrimary()
  return client
}

function summaryOf({ secrets, ended, orders, versions, changed, reads }: Acknowledged): string {
  const numbers = [...versions.values()].reduce((sum, { payloads }) => sum + payloads.size, 0)
  const failed = [...ended.values()].filter(({ result }) => !result).length
  const rotated = values.rotate
    ? `; ${reads} reads, ${Object.keys(ring.ever).length} master keys, ${tally.superseded} project keys (${tally.resealed} values resealed)`
    : ''
  return `${secrets.size} secrets, ${numbers} versions of ${versions.size} more, ${ended.size} orders ended (${failed} in ERROR), ${orders.size} open, ${changed.delete.size} deletions${rotated}`
}

/** Runs the rounds. Returns the next service, loaded but not started. */
async function crashRepeatedly(known: Acknowledged): Promise<Service> {
  const began = Date.now()
  let client: Client = { url, token: '' }
  let service = nextService()
  for (let round = 1; round <= rounds; round += 1) {
    await service.start()
    // A token becomes invalid with the master key that signed it.
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

/** Waits until every acknowledged order has finished. Throws if two of them have the same result. */
async function endOrders(client: Client, known: Acknowledged): Promise<void> {
  while (known.orders.size > 0) {
    await each([...known.orders.keys()], (ref) => verifyOrder(client, known, ref, MOST_PENDING_MILLISECONDS))
    if (known.orders.size > 0) await sleep(1_000)
  }
  const results = [...known.ended.values()].map(({ result }) => result).filter(Boolean)
  if (new Set(results).size !== results.length) throw new Error('two orders share a result')
}

/** Completes the rotation. Returns a service that only has the last master key. */
async function endRotation(service: Service): Promise<Service> {
  await finish(await operator(url, keys.ADMIN_PASSWORD), ring)
  await kill(service)
  const last = nextService()
  await last.start()
  return last
}

/** Returns the values that must be neither in the files nor in the output. */
function canariesOf({ secrets, versions }: Acknowledged, { token }: Client) {
  const payloads = [...secrets].map(([ref, payload]) => [ref, Buffer.from(payload, 'base64')] as const)
  const searched = payloads.filter(([, payload]) => payload.length >= LEAST_SEARCHED_BYTES).slice(-MOST_SEARCHED)
  const encrypted = [...versions].flatMap(([ref, of]) => of.encrypted.map(({ plaintext }) => [ref, plaintext] as const))
  const plaintexts = encrypted
    .slice(-MOST_SEARCHED)
    .map(([ref, plaintext], at) => [`${ref} plaintext ${at}`, Buffer.from(plaintext, 'base64')])
  const passwords = { 'administrator password': keys.ADMIN_PASSWORD, 'demo password': DEMO_PASSWORD }
  return {
    ...Object.fromEntries([...searched, ...plaintexts]),
    ...ring.ever,
    ...passwords,
    token,
    passphrase: PASSPHRASE,
  }
}

async function run(): Promise<string> {
  await buildBundle(state)
  const known = nothing()
  let service = await crashRepeatedly(known)
  await service.start()
  await endOrders(await logIn(), known)
  if (values.rotate) service = await endRotation(service)
  const client = await logIn()
  await each(known.secrets, (secret) => verifySecret(client, secret))
  await each(known.versions, (versioned) => verifyVersions(client, versioned))
  console.log(`audit log: ${await verifyAudit(client, known, state)}`)
  await kill(service)
  console.log(`leaks: ${verifyNothingLeaked(canariesOf(known, client), state)}`)
  await countLeftovers(state, known, values.rotate)
  return `${rounds} crashes: ${summaryOf(known)}; everything acknowledged exists and is complete`
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
