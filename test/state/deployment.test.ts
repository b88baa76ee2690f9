/**
 * One deployment, one database: what an isolate finds before it serves, from an empty database and from each earlier
 * schema, with other keys, other objects, and a schema of the future.
 */
import {
  abortAllDurableObjects,
  createScheduledController,
  evictDurableObject,
  runInDurableObject,
} from 'cloudflare:test'
import { runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../../src/config.ts'
import worker from '../../src/index.ts'
import { applyMigrations } from '../../src/state/object/migrate.ts'
import { migrations } from '../../src/state/schema/migrations.ts'
import { schemaDifferences } from '../migrations/comparison.ts'
import { isolate } from '../support/client.ts'
import { countedService } from '../support/counting.ts'
import { rowsForEveryTable, tableNames } from '../support/every-table.ts'
import { owner, type Person } from '../support/people.ts'

const bindings = env as unknown as Environment & { readonly MASTER_KEYS: string }
const { DB, PROJECT } = bindings
const random = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))
const order = { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } }

const run = (...statements: readonly string[]) => DB.batch(statements.map((one) => DB.prepare(one)))
const query = async (sql: string) => (await DB.prepare(sql).all()).results
const applied = async () => (await query('select name from d1_migrations order by id')).map(({ name }) => name)
const names = migrations.map(({ name }) => name)

/** Drops every table. */
async function clear(): Promise<void> {
  const tables = await query(
    "select name from sqlite_master where type = 'table' and name not glob 'sqlite_*' and name not glob '_cf_*'",
  )
  await run('pragma defer_foreign_keys = on', ...tables.toReversed().map(({ name }) => `drop table "${String(name)}"`))
}

/** Every row of the database, by table. */
async function contents(): Promise<Record<string, unknown[]>> {
  const existing = new Set((await query("select name from sqlite_master where type = 'table'")).map(({ name }) => name))
  const all: Record<string, unknown[]> = {}
  for (const name of tableNames.filter((one) => existing.has(one))) all[name] = await query(`select * from ${name}`)
  return all
}

/** Asks until the service answers something else than that it is being migrated. */
async function served(send = isolate()): Promise<number> {
  let status = 0
  await vi.waitUntil(
    async () => {
      const answer = await send('GET', '/')
      ;({ status } = answer)
      return status !== 503 || !answer.headers.has('Retry-After')
    },
    { interval: 5, timeout: 20_000 },
  )
  return status
}

/** Expects a complete database that wrangler finds complete, and a Worker that serves it. */
async function expectServed(send = isolate()): Promise<void> {
  expect(await served(send)).toBe(300)
  expect(await applied()).toEqual(names)
  expect(await schemaDifferences(query)).toEqual([])
}

const behind = 'The database is being brought up to date. Try again.'

beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}))
afterEach(() => void vi.restoreAllMocks())

describe('a later schema', () => {
  const FUTURE = '9999_future.sql'
  const record = `insert into d1_migrations (name) values ('${FUTURE}')`

  afterEach(() => run(`delete from d1_migrations where name = '${FUTURE}'`, 'update deployments set requires = null'))

  it('a later schema that only expands is served', async () => {
    await run('alter table secrets add later text', 'create table later (id text)', record)
    const { token } = await owner()
    expect(await served()).toBe(300)
    const send = isolate()
    const made = await send('POST', '/v1/secrets', { token, json: {} })
    expect((await send('GET', made.json.secret_ref, { token })).status).toBe(200)
    await run('alter table secrets drop column later', 'drop table later')
  })

  it('a later schema that requires a migration of the future is refused with the reason, and served again without', async () => {
    await run(record, `update deployments set requires = '${FUTURE}'`)
    for (const path of ['/', '/v1/secrets', '/identity/v3']) {
      const answer = await isolate()('GET', path)
      expect([answer.status, answer.headers.has('Retry-After')]).toEqual([503, false])
      expect(answer.json.description).toContain('deploy the newer release')
    }
    const health = await isolate()('GET', '/healthcheck?detailed')
    expect([health.status, health.json.schema]).toEqual([503, 'ahead'])
    await run(`update deployments set requires = '${names[0]}'`)
    expect(await served()).toBe(300)
  })

  it('an isolate whose database loses a table answers 503 until it is there again', async () => {
    const send = isolate()
    await expectServed(send)
    const { token } = await owner()
    await run('alter table secrets rename to hidden')
    expect((await send('GET', '/v1/secrets', { token })).status).toBe(503)
    await run('alter table hidden rename to secrets')
    expect((await send('GET', '/v1/secrets', { token })).status).toBe(200)
  })
})

describe('a Worker that does not belong to the database', () => {
  let who: Person

  /** The objects of the Worker under another name: its namespace has other ids. */
  const elsewhere = {
    getByName: (name: string) => PROJECT.getByName(`elsewhere ${name}`),
    idFromName: (name: string) => PROJECT.idFromName(`elsewhere ${name}`),
  } as unknown as Environment['PROJECT']

  beforeEach(async () => {
    who = await owner()
    const { token } = who
    const send = isolate()
    await send('POST', '/v1/secrets', { token, json: { payload: 'x', payload_content_type: 'text/plain' } })
    await run(
      // What a sweep deletes: a project whose destruction is due, and sealed events from before the retention period.
      `insert into project_destructions (project_id, due) values ('${who.projectId}', '2020-01-01T00:00:00.000000')`,
      "delete from audit_events where id = 'old'",
      `insert into audit_events (id, project_id, time, action, outcome, target_type, target_id, operation, number, hash)
        values ('old', 'p', '2020-01-01T00:00:00.000000', 'create', 'success', 'x', 'x', 'x', 1, 'x')`,
      "update audit_events set seq = 0 where id = 'old'",
    )
  })

  it.each<[string, Readonly<Record<string, unknown>>, string, object]>([
    ['with other keys', { MASTER_KEYS: `other:${random()}` }, 'MASTER_KEYS', { keys: 'incomplete' }],
    ['with another key of the same id', { MASTER_KEYS: `test:${random()}` }, 'other master keys', { keys: 'foreign' }],
    [
      'with other objects',
      { PROJECT: elsewhere },
      'other Durable Objects',
      { keys: 'complete', deployment: 'foreign' },
    ],
  ])('a Worker %s refuses requests and the sweep, and changes nothing', async (_, variables, reason, health) => {
    const before = await contents()
    const send = isolate(variables)
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/v1/secrets'],
      ['POST', '/v1/secrets'],
      ['POST', '/v1/orders'],
      ['GET', '/identity/v3'],
      ['GET', '/admin/rotate'],
    ] as const) {
      const json = method === 'POST' ? { json: order } : {}
      const answer = await send(method, path, { token: who.token, ...json })
      expect([method, path, answer.status]).toEqual([method, path, 503])
      expect(answer.json.description).toContain(reason)
    }
    const detailed = await send('GET', '/healthcheck?detailed')
    expect(detailed.status).toBe(503)
    expect(detailed.json).toMatchObject({ schema: 'current', ...health })
    const environment = { ...bindings, ...variables } as Environment
    await expect(worker.scheduled(createScheduledController(), environment)).rejects.toThrow()
    expect(await contents()).toEqual(before)
    // The Worker of the database does what was due.
    await worker.scheduled(createScheduledController(), { ...bindings })
    expect(await query(`select id from secrets where project_id = '${who.projectId}'`)).toEqual([])
    expect(JSON.stringify((await contents())['audit_events'])).not.toContain('"old"')
  })

  it('a Worker with other objects takes the database over once ADOPT_DATABASE names it, and the one before refuses', async () => {
    const [row] = await query('select id from deployments')
    const variables = { PROJECT: elsewhere }
    const wrong = await isolate({ ...variables, ADOPT_DATABASE: '0'.repeat(32) })('GET', '/')
    expect(wrong.status).toBe(503)
    const adopting = isolate({ ...variables, ADOPT_DATABASE: String(row?.['id']) })
    expect((await adopting('GET', '/')).status).toBe(300)
    expect((await isolate(variables)('GET', '/v1/secrets', { token: who.token })).status).toBe(200)
    expect((await isolate()('GET', '/v1/secrets', { token: who.token })).json.description).toContain('Durable Objects')
    const events = "select action from audit_events where target_type = 'data/security/deployment' order by seq"
    expect(await query(events)).toEqual([{ action: 'create' }, { action: 'update' }])
    expect((await isolate({ ADOPT_DATABASE: String(row?.['id']) })('GET', '/')).status).toBe(300)
    expect((await isolate()('GET', '/v1/secrets', { token: who.token })).status).toBe(200)
  })

  it('a Worker with other keys does not take the database over, whatever ADOPT_DATABASE names', async () => {
    const [row] = await query('select id from deployments')
    const variables = { MASTER_KEYS: `test:${random()}`, PROJECT: elsewhere, ADOPT_DATABASE: String(row?.['id']) }
    expect((await isolate(variables)('GET', '/')).json.description).toContain('other master keys')
  })
})

describe('an object of another deployment', () => {
  it('an object that was of another deployment stores, runs and seals nothing', async () => {
    const { token, projectId } = await owner()
    const send = isolate()
    await send('POST', '/v1/secrets', { token, json: {} })
    const object = PROJECT.getByName(projectId)
    const own = await runInDurableObject(object, (_, { storage }) => storage.get('deployment'))
    await runInDurableObject(object, (_, { storage }) => storage.put('deployment', 'another'))
    await evictDurableObject(object)
    const refused = await send('POST', '/v1/orders', { token, json: order })
    expect([refused.status, refused.json.description]).toEqual([503, expect.stringContaining('Durable Objects')])
    await runInDurableObject(object, (_, { storage }) => storage.setAlarm(Date.now()))
    await runDurableObjectAlarm(object)
    const unsealed = `select count(*) as n from audit_events where project_id = '${projectId}' and number is null`
    expect((await query(unsealed))[0]?.['n']).toBeGreaterThan(0)
    expect(await query('select * from orders')).toEqual([])
    await runInDurableObject(object, async (_, { storage }) => {
      if (own === undefined) await storage.delete('deployment')
      else await storage.put('deployment', own)
    })
    await evictDurableObject(object)
    expect((await send('POST', '/v1/orders', { token, json: order })).status).toBe(202)
    await runInDurableObject(object, (_, { storage }) => storage.setAlarm(Date.now()))
    await runDurableObjectAlarm(object)
    expect(await query(unsealed)).toEqual([{ n: 0 }])
  })
})

describe('what the question costs', () => {
  const asks = ({ text }: { readonly text: string }) => text.includes('d1_migrations')

  it('the question costs a cold read no trip of its own, and a warm request nothing', async () => {
    const { token } = await owner()
    const reading = countedService()
    const cold = await reading('GET', '/v1/secrets', { token })
    expect([cold.status, cold.cost.statements.filter(asks).length]).toEqual([200, 1])
    expect(cold.cost.statements.findIndex(asks)).toBe(0)
    expect(cold.cost.trips).toBe(1)
    const warm = await reading('GET', '/v1/secrets', { token })
    expect([warm.cost.trips, warm.cost.statements.filter(asks).length]).toEqual([1, 0])
    const version = countedService()
    expect((await version('GET', '/')).cost.trips).toBe(1)
    expect((await version('GET', '/')).cost.trips).toBe(0)
  })
})

// From here on the database is emptied, which the caches of the other isolates of the tests do not expect.
describe('an empty database', () => {
  it.each([
    ['GET', '/'],
    ['GET', '/v1'],
    ['GET', '/v1/secrets'],
    ['GET', '/identity/v3'],
    ['POST', '/identity/v3/auth/tokens'],
    ['DELETE', '/admin/nothing'],
  ])('an empty database is migrated on %s %s, which is refused with when to try again', async (method, path) => {
    await clear()
    const json = method === 'POST' ? { auth: { identity: {} } } : undefined
    const answer = await isolate()(method, path, json ? { json } : {})
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, '1'])
    expect(answer.json).toEqual({ code: 503, title: 'Service Unavailable', description: behind })
    await expectServed()
  })

  it('an empty database does not change the health check, which only tells with ?detailed', async () => {
    await clear()
    const send = isolate()
    const plain = await send('GET', '/healthcheck')
    expect([plain.status, plain.text]).toEqual([200, 'OK'])
    const detailed = await send('GET', '/healthcheck?detailed')
    expect([detailed.status, detailed.json.reasons, detailed.json.schema]).toEqual([503, [behind], 'behind'])
    await expectServed()
    const { status, json } = await isolate()('GET', '/healthcheck?detailed')
    expect(status).toBe(200)
    expect(json).toEqual({
      detailed: true,
      reasons: ['OK'],
      schema: 'current',
      keys: 'complete',
      deployment: 'own',
      replicas: expect.stringMatching(/^(not )?answering$/),
    })
  })

  it('an empty database is migrated by the cron trigger alone', async () => {
    await clear()
    await expect(worker.scheduled(createScheduledController(), bindings)).rejects.toThrow('schemaBehind')
    await vi.waitUntil(async () => (await applied().catch(() => [])).length === names.length, { timeout: 20_000 })
    await worker.scheduled(createScheduledController(), { ...bindings })
    await expectServed()
  })

  it('an empty database that many isolates meet at once is migrated once and has one deployment', async () => {
    await clear()
    const isolates = Array.from({ length: 8 }, () => isolate())
    await Promise.all(isolates.map((send) => served(send)))
    await Promise.all(isolates.map((send) => expectServed(send)))
    expect(await query('select count(*) as n from deployments where mac is not null')).toEqual([{ n: 1 }])
    const events = "select count(*) as n from audit_events where target_type = 'data/security/deployment'"
    expect(await query(events)).toEqual([{ n: 1 }])
  })

  it('a migration that is cut off with its object is done by the next request', async () => {
    await clear()
    for (let round = 0; round < 5; round += 1) {
      const asked = isolate()('GET', '/')
      await abortAllDurableObjects()
      await asked
    }
    await expectServed()
  })
})

describe('an earlier schema', () => {
  it.each(names.slice(0, -1).map((name, at) => [name, at + 1] as const))(
    'a database as it was after %s keeps all its rows and is brought up to date',
    async (_, count) => {
      await clear()
      await applyMigrations(DB, migrations.slice(0, count))
      const there = new Set<string>()
      for (const table of tableNames)
        for (const { name } of await query(`pragma table_info("${table}")`)) there.add(`${table}.${String(name)}`)
      await run(...rowsForEveryTable((table, column) => there.has(`${table}.${column}`)))
      const before = await contents()
      await expectServed()
      const after = await contents()
      for (const [table, rows] of Object.entries(before)) {
        expect(rows, table).not.toEqual([])
        for (const row of rows) {
          // What was null may have a value now: the deployment is claimed.
          const kept = Object.fromEntries(Object.entries(row as object).filter(([, value]) => value !== null))
          expect(after[table], table).toContainEqual(expect.objectContaining(kept))
        }
      }
    },
  )

  it.each(
    migrations.flatMap(({ name, statements }, at) => {
      const cuts = new Set([1, Math.ceil(statements.length / 2), statements.length])
      return [...cuts].map((cut) => [name, cut, statements.length, at] as const)
    }),
  )('a database in which %s stopped after %i of %i statements is completed', async (_name, cut, _all, at) => {
    await clear()
    await applyMigrations(DB, migrations.slice(0, at))
    await run(...(migrations[at]?.statements.slice(0, cut) ?? []))
    await expectServed()
  })

  it('a migration that the database refuses is logged, and the rest of the database stays as it was', async () => {
    await clear()
    await applyMigrations(DB, migrations.slice(0, 1))
    const refused = { name: '9999_refused.sql', statements: ['CREATE TABLE later (id text)', 'DROP TABLE nowhere'] }
    await expect(applyMigrations(DB, [migrations[0]!, refused])).rejects.toThrow('no such table')
    expect(await query("select name from sqlite_master where name = 'later'")).toEqual([])
    expect(await applied()).toEqual(names.slice(0, 1))
    await expectServed()
  })
})
