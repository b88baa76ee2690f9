/**
 * Clients that repeat a request after a 503, on a platform that fails at random: errors, latencies and cut-offs of the
 * database, the objects and Keystone. Afterwards everything that was acknowledged is there, once. The seed
 * gives the choices; which call of parallel clients gets which of them differs from run to run. `npm run faults` has 1,000
 * runs, `npm test` fewer.
 */
import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { database, type Answer, type Request } from '../support/client.ts'
import {
  faultyPlatform,
  healthy,
  objectErrors,
  overloadErrors,
  repeatableErrors,
  resetErrors,
  type Failure,
  type Place,
} from '../support/faulty-platform.ts'
import { fakeKeystone, keystoneVariables } from '../support/keystone.ts'
import { peopleOf } from '../support/people.ts'
import { countedTables, miscounted } from '../support/recount.ts'

const RUNS = Number((env as unknown as { readonly FAULTS: string }).FAULTS || '40')
const SEED = 20_261_130
/** Clients at the same moment. */
const CLIENTS = 4
/** The part of calls that fail, and of these with an error that must not be repeated. */
const FAILING = 0.12
const NOT_REPEATABLE = 0.2
const MOST_LATENCY_MILLISECONDS = 4
/** Tries of a client before it gives up; with these figures none does. */
const TRIES = 10
/** The time of a run on a busy machine, in milliseconds. */
const MOST_MILLISECONDS = 3_000

/** Pseudo-random numbers below 1 from a seed (xorshift). */
function numbersFrom(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
const random = numbersFrom(SEED)
const oneOf = <One>(values: readonly One[]): One => values[Math.floor(random() * values.length)]!

function failureAt(place: Place): Failure | null {
  if (random() >= FAILING) return null
  const lost = random() < 0.5 ? 'request' : 'answer'
  const isHard = random() < NOT_REPEATABLE
  if (place === 'object') {
    if (isHard) return { lost: 'request', error: objectErrors.overloaded() }
    return { lost, error: oneOf([objectErrors.repeatable, objectErrors.restarted])() }
  }
  if (place === 'keystone') return { lost, error: new TypeError('Network connection lost.') }
  if (!isHard) return { lost, error: new Error(oneOf(repeatableErrors)) }
  // A call that was refused for overload was not begun.
  if (random() < 0.5) return { lost: 'request', error: new Error(oneOf(overloadErrors)) }
  return { lost, error: new Error(oneOf(resetErrors)) }
}

const figures = { requests: 0, answers503: 0, answers500: 0, failures: 0, calls: 0 }
const latency = () => new Promise((resolve) => setTimeout(resolve, random() * MOST_LATENCY_MILLISECONDS))

async function fate(_number: number, place: Place): Promise<Failure | null> {
  figures.calls += 1
  await latency()
  const failure = failureAt(place)
  if (failure) figures.failures += 1
  return failure
}

const keystone = fakeKeystone()
const answered = globalThis.fetch
const person = peopleOf(keystone)
const platform = faultyPlatform(keystoneVariables)

/** Lines of the log about failures that nobody has foreseen. */
const unexpected: string[] = []
function unexpectedIn(line: unknown): string[] {
  const text = typeof line === 'string' ? line : JSON.stringify(line)
  return text.includes('unexpected failure') ? [text] : []
}

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation((line: unknown) => void unexpected.push(...unexpectedIn(line)))
  vi.stubGlobal('fetch', async (...given: Parameters<typeof fetch>) => {
    const failure = await fate(0, 'keystone')
    if (failure?.lost === 'request') throw failure.error
    const answer = await answered(...given)
    if (failure) throw failure.error
    return answer
  })
})
afterAll(() => vi.restoreAllMocks())

/** Sends a request, again after each 503. */
async function ask(token: string, method: string, path: string, request: Request = {}): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    figures.requests += 1
    const answer = await platform.send(method, path, { token, ...request })
    if (answer.status === 500) figures.answers500 += 1
    if (answer.status !== 503 || attempt === TRIES) return answer
    figures.answers503 += 1
  }
}

/** What a project must contain, by table. */
type Expected = Record<string, number>
interface Client {
  readonly projectId: string
  readonly expected: Expected
  /** Payloads by the paths of the secrets that were not deleted. */
  readonly payloads: Map<string, string>
  readonly token: string
}

/** One run: a project with a secret, and three further changes. */
async function session(): Promise<Client> {
  const { token, projectId } = person(['admin', 'creator'])
  const expected: Expected = { secrets: 0, containers: 0, orders: 0, secret_consumers: 0, events: 0 }
  const payloads = new Map<string, string>()
  const gains = (table: string, by = 1) => void (expected[table] = (expected[table] ?? 0) + by)
  const succeed = async (status: number, method: string, path: string, request?: Request) => {
    const answer = await ask(token, method, path, request)
    expect([method, path, answer.status, answer.text, unexpected]).toEqual([method, path, status, answer.text, []])
    gains('events')
    return answer
  }
  const store = async () => {
    const payload = crypto.randomUUID()
    const json = { payload, payload_content_type: 'text/plain' }
    const { secret_ref: ref } = (await succeed(201, 'POST', '/v1/secrets', { json })).json
    gains('secrets')
    payloads.set(ref, payload)
    return ref as string
  }
  const ref = await store()
  const consumer = { service: 'image', resource_type: 'image', resource_id: 'one' }
  let consumers = 0
  const changes: readonly (() => Promise<unknown>)[] = [
    store,
    () => succeed(201, 'PUT', `${ref}/metadata`, { json: { metadata: { key: crypto.randomUUID() } } }),
    () => succeed(200, 'PUT', `${ref}/acl`, { json: { read: { users: [crypto.randomUUID()] } } }),
    async () => {
      const secret_refs = [{ name: 'part', secret_ref: ref }]
      await succeed(201, 'POST', '/v1/containers', { json: { type: 'generic', secret_refs } })
      gains('containers')
    },
    async () => {
      await succeed(202, 'POST', '/v1/orders', { json: { type: 'key', meta: { algorithm: 'aes', bit_length: 256 } } })
      gains('orders')
      gains('secrets')
      // The order, and its key.
      gains('events')
    },
    async () => {
      await succeed(200, 'POST', `${ref}/consumers`, { json: { ...consumer, resource_id: String((consumers += 1)) } })
      gains('secret_consumers')
    },
    async () => {
      const other = await store()
      await succeed(204, 'DELETE', other)
      gains('secrets', -1)
      payloads.delete(other)
    },
  ]
  for (let change = 0; change < 3; change += 1) await oneOf(changes)()
  return { projectId, expected, payloads, token }
}

async function storedIn(projectId: string): Promise<Expected> {
  const count = async (table: string) =>
    (await database
      .prepare(`select count(*) as n from ${table} where project_id = ?`)
      .bind(projectId)
      .first<number>('n')) ?? Number.NaN
  const tables = ['secrets', 'containers', 'orders', 'secret_consumers']
  const counts = await Promise.all(tables.map(async (table) => [table, await count(table)] as const))
  return { ...Object.fromEntries(counts), events: await count('audit_events') }
}

it(
  `after ${RUNS} runs with random failures (seed ${SEED}) nothing is lost, nothing doubled, and no answer was 500`,
  { timeout: RUNS * MOST_MILLISECONDS },
  async () => {
    const clients: Client[] = []
    for (let run = 0; run < RUNS; run += CLIENTS) {
      platform.decide(fate)
      const begun = Array.from({ length: Math.min(CLIENTS, RUNS - run) }, session)
      clients.push(...(await Promise.all(begun)))
      await platform.settled()
    }
    platform.decide(healthy)
    let [lost, doubled, unreadable] = [0, 0, 0]
    for (const { projectId, expected, payloads, token } of clients) {
      const stored = await storedIn(projectId)
      for (const [table, n] of Object.entries(expected)) {
        lost += Math.max(0, n - stored[table]!)
        doubled += Math.max(0, stored[table]! - n)
      }
      for (const [ref, payload] of payloads) {
        const answer = await ask(token, 'GET', `${ref}/payload`, { headers: { Accept: 'text/plain' } })
        if (answer.status !== 200 || answer.text !== payload) unreadable += 1
      }
    }
    console.log({ event: 'random failures', runs: RUNS, lost, doubled, unreadable, ...figures })
    expect({ lost, doubled, unreadable, answers500: figures.answers500 }).toEqual({
      lost: 0,
      doubled: 0,
      unreadable: 0,
      answers500: 0,
    })
    expect(figures.failures).toBeGreaterThan(RUNS)
    for (const table of countedTables) expect(await database.prepare(miscounted(table)).first('n'), table).toBe(0)
  },
)
