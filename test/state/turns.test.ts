/** What requests ask at the same time goes to the database together, and each is answered as if it were alone. */
import { exports } from 'cloudflare:workers'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Caller } from '../../src/caller.ts'
import { together, type Backend } from '../../src/state/backend.ts'
import { isSuperseded } from '../../src/state/database/refusals.ts'
import { withMac } from '../../src/state/keys/authentic-rows.ts'
import { storeOrder } from '../../src/state/order-rows.ts'
import { createSecret, sealedRow, type NewSecret } from '../../src/state/secrets.ts'
import { silenceAlarms } from '../support/alarms.ts'
import { backendAt } from '../support/backend.ts'
import { base, database } from '../support/client.ts'
import { idOf, limit, owner, secret, type Person } from '../support/given.ts'
import { watchedDatabase, type Happening } from '../support/watched-database.ts'

/** The Worker of the deployment, where each request has a context of its own, that can be cut off. */
const worker = (exports as unknown as { default: Fetcher }).default

const MANY = 20
const SLOW_MILLISECONDS = 100
/** D1's free plan allows 50 statements for each request; one that sends those of others has sent some before. */
const MOST_STATEMENTS = 40

const { watch, calls, forget, happens, until } = watchedDatabase()

const slowly: Happening = async (send) => {
  await scheduler.wait(SLOW_MILLISECONDS)
  return send()
}

interface Asked {
  readonly token?: string
  readonly json?: unknown
  readonly signal?: AbortSignal
}

interface Got {
  readonly status: number
  readonly name?: string
  readonly secret_ref?: string
}

async function ask(method: string, path: string, { token = who.token, json, signal }: Asked = {}): Promise<Got> {
  const headers = { 'X-Auth-Token': token, 'Content-Type': 'application/json' }
  const body = json === undefined ? {} : { body: JSON.stringify(json) }
  const response = await worker.fetch(new URL(path, base), { method, headers, ...body, ...(signal && { signal }) })
  return { ...((await response.json()) as object), status: response.status }
}

const times = <Result>(count: number, one: (at: number) => Promise<Result>) =>
  Promise.all(Array.from({ length: count }, (_, at) => one(at)))

const named = (at: number) => ({ name: String(at), payload: `payload ${at}`, payload_content_type: 'text/plain' })
const post = (at: number, asked: Asked = {}) => ask('POST', '/v1/secrets', { ...asked, json: named(at) })

/** A request that can be cut off. */
function cuttable(start: (signal: AbortSignal) => Promise<Got>) {
  const controller = new AbortController()
  const answer = start(controller.signal).catch(() => 'cut off')
  return { answer, cut: () => controller.abort() }
}

const count = async (query: string, projectId: string) =>
  (await database.prepare(`select count(*) as count from ${query}`).bind(projectId).first<number>('count')) ??
  Number.NaN
const secretsOf = (projectId: string) => count('secrets where project_id = ?', projectId)
const eventsOf = (projectId: string) =>
  count("audit_events where project_id = ? and action = 'create' and target_type = 'data/security/secret'", projectId)

let who: Person
let refs: readonly string[]

beforeAll(async () => {
  who = await owner()
  refs = await times(MANY, (at) => secret(who, named(at)))
})

beforeEach(async () => {
  await silenceAlarms()
  await ask('GET', refs[0]!)
  watch()
  forget()
  happens(slowly)
})

const statuses = (answers: readonly Got[]) => [...new Set(answers.map(({ status }) => status))]

describe('look-ups at the same time', () => {
  it('of different secrets are few calls, and each is given its own', async () => {
    const answers = await Promise.all(refs.map((ref) => ask('GET', ref)))
    expect(answers.map(({ name }) => name)).toEqual(refs.map((_, at) => String(at)))
    expect(calls().length).toBeLessThan(MANY / 2)
  })

  it('are not of more statements than a request may send', async () => {
    const missing = () => ask('GET', `/v1/secrets/${crypto.randomUUID()}`)
    expect(statuses(await times(5 * MOST_STATEMENTS, missing))).toEqual([404])
    const sizes = calls().map(({ statements }) => statements.length)
    expect(Math.max(...sizes)).toBe(MOST_STATEMENTS)
  })

  it('leave out nobody whose secret is not there', async () => {
    const strangers = refs.map((ref, at) => (at % 2 ? ref : `/v1/secrets/${crypto.randomUUID()}`))
    const answers = await Promise.all(strangers.map((ref) => ask('GET', ref)))
    expect(answers.map(({ status }) => status)).toEqual(refs.map((_, at) => (at % 2 ? 200 : 404)))
  })

  it('that are one alone are one statement, sent at once', async () => {
    await ask('GET', refs[1]!)
    await ask('GET', refs[2]!)
    expect(calls().map(({ statements }) => statements.length)).toEqual([1, 1])
  })

  it('whose batch fails are made up for by each', async () => {
    happens(async (send, call) => {
      if (call.statements.length > 1) throw new Error('D1_ERROR: the database is away')
      return slowly(send, call)
    })
    expect(statuses(await Promise.all(refs.map((ref) => ask('GET', ref))))).toEqual([200])
  })

  it('whose batch never ends are made up for by each of the others', async () => {
    happens((send, call) => (call.number === 2 ? new Promise(() => null) : slowly(send, call)))
    const first = ask('GET', refs[0]!)
    await until(1)
    const hung = ask('GET', refs[1]!).catch(() => 'hung')
    const others = await Promise.all(refs.slice(2).map((ref) => ask('GET', ref)))
    expect(statuses([await first, ...others])).toEqual([200])
    void hung
  })

  it('go on when the request that sends them is cut off', async () => {
    const first = ask('GET', refs[0]!)
    await until(1)
    const sender = cuttable((signal) => ask('GET', refs[1]!, { signal }))
    const others = Promise.all(refs.slice(2).map((ref) => ask('GET', ref)))
    await until(2)
    sender.cut()
    expect(await sender.answer).toBe('cut off')
    const begun = Date.now()
    expect(statuses([await first, ...(await others)])).toEqual([200])
    expect(Date.now() - begun).toBeLessThan(1_000)
  })
})

describe('new secrets at the same time', () => {
  it('are few calls, and each is there with its event', async () => {
    const someone = await owner()
    await post(0, someone)
    forget()
    const made = await times(MANY, (at) => post(at, someone))
    expect(calls().length).toBeLessThan(MANY / 2)
    const found = await Promise.all(made.map(({ secret_ref: ref }) => ask('GET', ref!, someone)))
    expect(found.map(({ name }) => name)).toEqual(refs.map((_, at) => String(at)))
    expect(await secretsOf(someone.projectId)).toBe(MANY + 1)
    expect(await eventsOf(someone.projectId)).toBe(MANY + 1)
  })

  it('of different projects are in calls of their own', async () => {
    const people = await times(3, () => owner())
    await Promise.all(people.map((person) => post(0, person)))
    forget()
    await times(MANY, (at) => post(at, people[at % people.length]))
    const projectsIn = (values: readonly unknown[]) =>
      people.filter(({ projectId }) => JSON.stringify(values).includes(projectId)).length
    expect(new Set(calls().map(({ statements }) => projectsIn(statements)))).toEqual(new Set([1]))
  })

  it('are as many as the quota allows', async () => {
    const someone = await owner()
    await limit(someone.projectId, { secrets: 3 })
    const made = await times(9, (at) => post(at, someone))
    expect(made.filter(({ status }) => status === 201).length).toBe(3)
    expect(made.filter(({ status }) => status === 403).length).toBe(6)
    expect(await secretsOf(someone.projectId)).toBe(3)
  })

  it('are made when the request that sends them is cut off', async () => {
    const someone = await owner()
    await post(0, someone)
    forget()
    const first = post(1, someone)
    await until(1)
    const sender = cuttable((signal) => post(2, { ...someone, signal }))
    const others = times(MANY, (at) => post(at, someone))
    await until(2)
    sender.cut()
    expect(await sender.answer).toBe('cut off')
    expect(statuses([await first, ...(await others)])).toEqual([201])
    expect(await secretsOf(someone.projectId)).toBe(MANY + 3)
  })

  it('are told when their batch may be lost, and none is sent twice', async () => {
    const someone = await owner()
    await post(0, someone)
    forget()
    happens(async (send, call) => {
      await slowly(send, call)
      if (call.statements.length > 2) throw new Error('D1_ERROR: Network connection lost.')
    })
    const made = await times(MANY, (at) => post(at, someone).catch(() => ({ status: 0 })))
    expect(statuses(made.slice(1))).toEqual([500])
    expect(calls().length).toBeLessThan(MANY / 2)
    expect(await secretsOf(someone.projectId)).toBe(MANY + 1)
  })
})

describe('a batch that the database refuses for one of them', () => {
  const NOW = '2026-11-22T00:00:00.000000'
  const caller: Caller = { userId: 'somebody', projectId: crypto.randomUUID(), roles: [] }
  const described: NewSecret = {
    name: null,
    secretType: 'symmetric',
    algorithm: 'aes',
    mode: null,
    bitLength: 256,
    expiration: null,
    contentType: 'application/octet-stream',
    payload: new Uint8Array(32),
  }

  /** An order with the key that it made, under this version of the project's key. */
  async function order(backend: Backend, keyVersion: number) {
    const { projectId, userId: creatorId } = caller
    const made = { status: 'ACTIVE', created: NOW, updated: NOW, contentType: null, type: 'key', meta: '{}' }
    return {
      order: await withMac(backend, 'orders', { ...made, id: crypto.randomUUID(), projectId, creatorId }),
      secret: { ...(await sealedRow(backend, caller, described)), keyVersion },
    }
  }

  it('is stored for the others', async () => {
    const backend = await backendAt(NOW)
    await createSecret(backend, caller, described)
    const orders = await times(4, (at) => order(backend, at === 2 ? 99 : 1))
    forget()
    const store = together(backend, caller.projectId)
    const outcomes = await Promise.allSettled(orders.map((one) => storeOrder(store, one)))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(isSuperseded((outcomes[2] as PromiseRejectedResult).reason)).toBe(true)
    expect(await secretsOf(caller.projectId)).toBe(4)
    // The first, the three that came meanwhile, and each of these again.
    expect(calls().length).toBe(5)
  })
})

it('look-ups of the primary and of any copy are not in one call', async () => {
  const asked = refs.slice(0, 6).map((ref, at) => ask(at % 2 ? 'GET' : 'PUT', ref))
  await Promise.all(asked)
  const ids = (at: number) =>
    refs
      .slice(0, 6)
      .filter((_, one) => one % 2 === at)
      .map(idOf)
  const found = (values: readonly unknown[], at: number) => ids(at).some((id) => JSON.stringify(values).includes(id))
  expect(calls().some(({ statements }) => found(statements, 0) && found(statements, 1))).toBe(false)
})
