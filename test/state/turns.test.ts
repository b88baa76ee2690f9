/** What requests ask at the same time goes to the database together, and each is answered as if it were alone. */
import { exports } from 'cloudflare:workers'
import { sql } from 'drizzle-orm'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { forgetLiveChecks } from '../../src/access/embedded.ts'
import type { Caller } from '../../src/caller.ts'
import { together } from '../../src/state/connect.ts'
import { isSuperseded } from '../../src/state/database/refusals.ts'
import { Session } from '../../src/state/database/session.ts'
import { storeOrder } from '../../src/state/object/order-mutations.ts'
import { createSecret } from '../../src/state/secrets/secrets.ts'
import { silenceAlarms } from '../support/alarms.ts'
import { backendAt } from '../support/backend.ts'
import { base, database } from '../support/client.ts'
import { idOf, limit, owner, secret, type Person } from '../support/given.ts'
import { replicated } from '../support/replica.ts'
import { described, sealedOrder } from '../support/sealed-orders.ts'
import { watchedDatabase, type Call, type Happening } from '../support/watched-database.ts'

/** The Worker of the deployment, where each request has a context of its own, that can be cut off. */
const worker = (exports as unknown as { default: Fetcher }).default

const MANY = 20
const SLOW_MILLISECONDS = 100
/** What a request may send for others at a time, so that with its own it stays below D1's 50 on the free plan. */
const MOST_STATEMENTS = 12

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
  readonly description?: string
  readonly secret_ref?: string
  readonly container_ref?: string
  readonly secret_refs?: readonly { readonly name: string }[]
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
  // What is known of the token is then not over before the test is.
  forgetLiveChecks()
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

  it('leave out nobody whose secret is not there', async () => {
    const strangers = refs.map((ref, at) => (at % 2 ? ref : `/v1/secrets/${crypto.randomUUID()}`))
    const answers = await Promise.all(strangers.map((ref) => ask('GET', ref)))
    expect(answers.map(({ status }) => status)).toEqual(refs.map((_, at) => (at % 2 ? 200 : 404)))
  })

  it('whose batch fails are made up for by each', async () => {
    happens(async (send, call) => {
      if (call.statements.length > 1) throw new Error('D1_ERROR: the database is away')
      return slowly(send, call)
    })
    expect(statuses(await Promise.all(refs.map((ref) => ask('GET', ref))))).toEqual([200])
  })

  it('whose batch never ends are made up for by each of the others', async () => {
    const hangs = ({ statements }: Call) => statements.length > 1 && JSON.stringify(statements).includes(idOf(refs[1]!))
    happens((send, call) => (hangs(call) ? new Promise(() => null) : slowly(send, call)))
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
      const answer = await slowly(send, call)
      if (call.number > 1) throw new Error('D1_ERROR: Network connection lost.')
      return answer
    })
    const made = await times(MANY, (at) => post(at, someone))
    expect(made.filter(({ status }) => status === 201).length).toBe(1)
    expect(made.filter(({ status }) => status === 500).length).toBe(MANY - 1)
    expect(calls().length).toBeLessThan(MANY / 2)
    expect(await secretsOf(someone.projectId)).toBe(MANY + 1)
  })
})

describe('a batch that the database refuses for one of them', () => {
  const NOW = '2026-11-22T00:00:00.000000'
  const caller: Caller = { userId: 'somebody', projectId: crypto.randomUUID(), roles: [] }

  it('is stored for the others', async () => {
    const backend = await backendAt(NOW)
    await createSecret(backend, caller, described)
    const orders = await times(4, (at) => sealedOrder(backend, caller, at === 2 ? 99 : 1))
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

describe('new containers at the same time', () => {
  it('are each made of its own secrets, or refused for its own', async () => {
    const someone = await owner()
    const own = await times(3, (at) => secret(someone, named(at)))
    const isMissing = (at: number) => at % 4 === 3
    forget()
    const made = await times(MANY, (at) => {
      const refOf = (one: string) => (isMissing(at) ? `${base}/v1/secrets/${crypto.randomUUID()}` : one)
      const secrets = own.map((ref, place) => ({ name: `${at} ${place}`, secret_ref: refOf(ref) }))
      const json = { type: 'generic', name: `container ${at}`, secret_refs: secrets }
      return Promise.all([ask('POST', '/v1/containers', { ...someone, json }), post(at, someone)])
    })
    expect(calls().some(({ statements }) => statements.length > 5)).toBe(true)
    for (const [at, [container, single]] of made.entries()) {
      expect(single.status).toBe(201)
      expect(container.status).toBe(isMissing(at) ? 404 : 201)
      if (isMissing(at)) expect(container.description).toContain(`'${at} 0'`)
      else {
        const found = await ask('GET', container.container_ref!, someone)
        expect(found.name).toBe(`container ${at}`)
        expect(found.secret_refs?.map(({ name }) => name)).toEqual([`${at} 0`, `${at} 1`, `${at} 2`])
      }
    }
  })
})

describe('queries of one turn', () => {
  const query = 'select ? as value'
  const rowsOf = (session: Session, count: number) => times(count, (at) => session.rows(query, [at]))

  it('are in batches of what a request may send, and each is given its own rows', async () => {
    const count = 1 + 2 * MOST_STATEMENTS + 1
    const rows = await rowsOf(new Session(database, 'first-primary'), count)
    expect(rows).toEqual(Array.from({ length: count }, (_, at) => [[at]]))
    expect(calls().map(({ statements }) => statements.length)).toEqual([1, MOST_STATEMENTS, MOST_STATEMENTS, 1])
  })

  it('are asked at once while nobody else asks', async () => {
    const session = new Session(database, 'first-primary')
    const first = session.rows(query, ['first'])
    expect(calls().length).toBe(1)
    const second = session.rows(query, ['second'])
    expect(calls().length).toBe(1)
    await Promise.all([first, second])
    expect(calls().length).toBe(2)
    const third = session.rows(query, ['third'])
    expect(calls().length).toBe(3)
    await third
  })

  it('are in batches of their own for the primary and for any copy', async () => {
    const reaches = ['first-primary', 'first-unconstrained']
    const rowsFrom = (reach: string) => times(4, () => new Session(database, reach).rows(query, [reach]))
    const rows = await Promise.all(reaches.map(rowsFrom))
    expect(rows).toEqual(reaches.map((reach) => Array.from({ length: 4 }, () => [[reach]])))
    const asked = calls().map(({ statements }) => statements.flat())
    expect(asked.filter((values) => new Set(values).size > 1)).toEqual([])
    expect(new Set(asked.filter(({ length }) => length > 1).flat())).toEqual(new Set(reaches))
  })

  it('are counted for a minute where they do not end, and then nobody waits for a turn', async () => {
    const { promise: cutOff, resolve: end } = Promise.withResolvers<void>()
    happens(async (send, { number }) => {
      if (number === 1) await cutOff
      return send()
    })
    const session = new Session(database, 'first-primary')
    const first = session.rows(query, ['cut off'])
    const begun = Date.now()
    const clock = vi.spyOn(Date, 'now').mockReturnValue(begun + 59_000)
    const second = session.rows(query, ['soon'])
    expect(calls().length).toBe(1)
    await second
    clock.mockReturnValue(begun + 61_000)
    const third = session.rows(query, ['later'])
    expect(calls().length).toBe(3)
    end()
    await Promise.all([first, third])
  })

  it('may be of a project, one by one as well', async () => {
    const db = new Session(database, 'first-primary').together('project')
    expect(await db.select({ one: sql<number>`1`.as('one') }).from(sql`(select 1)`)).toEqual([{ one: 1 }])
  })

  it('have all seen what their batch has', async () => {
    const { binding, trips } = replicated()
    const sessions = Array.from({ length: 5 }, () => new Session(binding, 'first-unconstrained'))
    await Promise.all(sessions.map((session, at) => session.rows(query, [at])))
    expect(trips).toEqual({ primary: 0, replica: 2 })
    for (const { seen } of sessions) expect(seen).toEqual({ bookmark: expect.stringMatching(/^0{8}-/), lagging: true })
  })
})
