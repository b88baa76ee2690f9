/** The audit log: every change has an event, the project's object chains the events, and no event is lost. */
import {
  createScheduledController,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../../src/config.ts'
import { findBreak, type ChainedEvent } from '../../src/crypto/event-chain.ts'
import worker from '../../src/index.ts'
import { sealEvents } from '../../src/state/object/seal.ts'
import { Session } from '../../src/state/database/session.ts'
import { byService } from '../../src/state/scope.ts'
import { formatTime } from '../../src/times.ts'
import { databaseOf } from '../support/backend.ts'
import { call, isolate } from '../support/client.ts'
import { owner, person, type Person } from '../support/people.ts'
import { idOf, limit, secret } from '../support/stored.ts'
import { requests } from '../vectors/certificate-requests.json'

const bindings = env as unknown as Environment
const DAY = 86_400_000
const PAYLOAD = { payload: 'a payload', payload_content_type: 'text/plain' }

let who: Person
let auditor: Person
beforeEach(async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  who = await owner()
  auditor = await person(['audit'], { projectId: who.projectId })
})
afterEach(() => void vi.useRealTimers())

const object = () => bindings.PROJECT.getByName(who.projectId)
const stored = async () =>
  (
    await bindings.DB.prepare('select * from audit_events where project_id = ? order by seq')
      .bind(who.projectId)
      .all<Record<string, string & number>>()
  ).results

async function seal(): Promise<void> {
  await object().sealBy(formatTime(Date.now() + DAY))
  await runDurableObjectAlarm(object())
}

async function exported(query = ''): Promise<{ events: ChainedEvent[]; head?: { number: number; hash: string } }> {
  const answer = await call('GET', `/v1/audit?limit=100${query}`, { token: auditor.token })
  expect(answer.status).toBe(200)
  return answer.json
}

/** The events since the project was set up, as `action target`. */
async function since(before: number): Promise<string[]> {
  return (await stored()).slice(before).map((row) => `${row['action']} ${row['target_type']}`)
}

async function changed(request: () => Promise<unknown>): Promise<string[]> {
  const before = (await stored()).length
  await request()
  return (await since(before)).map((line) => line.replace('data/security/', ''))
}

describe('an event of a certificate', () => {
  it('an event of a certificate says who revoked it, by its serial number, once', async () => {
    const send = (method: string, path: string, json?: object) => call(method, path, { token: who.token, json })
    const meta = { request_type: 'simple-cmc', request_data: requests.p256 }
    const placed = await send('POST', '/v1/orders', { type: 'certificate', meta })
    await expect
      .poll(async () => (await send('GET', placed.json.order_ref)).json.status, { timeout: 20_000 })
      .toBe('ACTIVE')
    const [authority] = (await send('GET', '/v1/cas')).json.cas as string[]
    const { certificates } = (await send('GET', `${authority}/certificates`)).json
    const revoke = () => send('POST', `${authority}/certificates/${certificates[0].serial}/revoke`)
    expect(await changed(async () => [await revoke(), await revoke()])).toEqual(['revoke certificate'])
    const event = (await stored()).at(-1)
    expect(event).toMatchObject({
      target_id: certificates[0].serial,
      initiator_id: who.userId,
      operation: 'Issued Certificate revocation',
      rule: 'certificate:revoke',
    })
    const made = (await stored()).filter(({ action }) => String(action) === 'create')
    const kinds = made.map((row) => String(row['target_type']).replace('data/security/', ''))
    expect(kinds).toEqual(expect.arrayContaining(['certificate-authority', 'certificate']))
  })
})

describe('an event', () => {
  it('an event records who did what to what, when, under which rule and in which request', async () => {
    const made = await call('POST', '/v1/secrets', { token: who.token, json: PAYLOAD })
    await seal()
    const { events } = await exported()
    const event = events.find(({ target }) => (target as { id: string }).id === idOf(made.json.secret_ref))
    expect(event).toEqual({
      typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
      eventType: 'activity',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/),
      action: 'create',
      outcome: 'success',
      name: 'Secret creation',
      initiator: { typeURI: 'data/security/account/user', id: who.userId, project_id: who.projectId },
      target: { typeURI: 'data/security/secret', id: idOf(made.json.secret_ref), project_id: who.projectId },
      observer: { typeURI: 'service/security/keymanager', id: 'portcullis' },
      reason: { policyType: 'rule', policyId: 'secrets:post' },
      tags: [`correlation_id?value=${made.headers.get('X-OpenStack-Request-Id')}`],
      attachments: [
        { name: 'mac of the target', typeURI: 'text/plain', content: expect.stringMatching(/^[\w+/]{43}=$/) },
      ],
      number: expect.any(Number),
      previous: expect.stringMatching(/^[0-9a-f]{64}$/),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  it('every change has an event, and a request that changes nothing has none', async () => {
    const { token } = who
    const as = (method: string, path: string, json?: unknown) => () => call(method, path, { token, json })
    let ref = ''
    const make = async () => (ref = await secret(who, PAYLOAD))
    expect(await changed(make)).toEqual(['create secret'])
    const consumer = { service: 's', resource_type: 't', resource_id: 'i' }
    const steps: [() => Promise<unknown>, ...string[]][] = [
      [as('PUT', `${ref}/metadata`, { metadata: { a: '1' } }), 'update secret/metadata'],
      [as('PUT', `${ref}/metadata`, { metadata: {} }), 'update secret/metadata'],
      [as('POST', `${ref}/metadata`, { key: 'b', value: '1' }), 'create secret/metadata'],
      [as('POST', `${ref}/metadata`, { key: 'b', value: '2' })],
      [as('PUT', `${ref}/metadata/b`, { key: 'b', value: '3' }), 'update secret/metadata'],
      [as('DELETE', `${ref}/metadata/b`), 'delete secret/metadata'],
      [as('DELETE', `${ref}/metadata/b`)],
      [as('PUT', `${ref}/acl`, { read: { users: ['x'] } }), 'update secret/acl'],
      [as('DELETE', `${ref}/acl`), 'delete secret/acl'],
      [as('DELETE', `${ref}/acl`)],
      [as('POST', `${ref}/consumers`, consumer), 'create secret/consumer'],
      [as('POST', `${ref}/consumers`, consumer)],
      [as('DELETE', `${ref}/consumers`, consumer), 'delete secret/consumer'],
      [as('DELETE', `${ref}/consumers`, consumer)],
      [as('GET', `${ref}/payload`)],
      [
        as('POST', '/v1/orders', { type: 'key', meta: { algorithm: 'aes', bit_length: 256 } }),
        'create order',
        'create secret',
      ],
      [as('POST', '/v1/orders', { type: 'key', meta: { algorithm: 'unknown', bit_length: 256 } }), 'create order'],
    ]
    for (const [request, ...events] of steps) expect(await changed(request)).toEqual(events)
    let container = ''
    const contain = async () => {
      const json = { type: 'generic', secret_refs: [{ name: 'a', secret_ref: ref }] }
      container = (await call('POST', '/v1/containers', { token, json })).json.container_ref
    }
    expect(await changed(contain)).toEqual(['create container'])
    const pair = { name: 'b', secret_ref: ref }
    expect(await changed(as('POST', `${container}/secrets`, pair))).toEqual(['create container/secret'])
    expect(await changed(as('POST', `${container}/secrets`, pair))).toEqual([])
    expect(await changed(as('DELETE', `${container}/secrets`, pair))).toEqual(['delete container/secret'])
    expect(await changed(as('DELETE', `${container}/acl`))).toEqual([])
    expect(await changed(as('DELETE', container))).toEqual(['delete container'])
    expect(await changed(as('DELETE', ref))).toEqual(['delete secret'])
    expect(await changed(as('DELETE', ref))).toEqual([])
    expect(await changed(() => limit(who.projectId, { secrets: 1000 }))).toEqual(['update quota'])
  })

  it("the event of an order's run names the order and everything it made, under the user who ordered", async () => {
    const meta = { algorithm: 'ec', bit_length: 256, passphrase: 'a passphrase' }
    const json = { type: 'asymmetric', meta }
    const before = (await stored()).length
    const { json: made } = await call('POST', '/v1/orders', { token: who.token, json })
    await vi.waitFor(async () => {
      const order = await call('GET', made.order_ref, { token: who.token })
      expect(order.json.status).toBe('ACTIVE')
    })
    expect(await since(before)).toEqual([
      'create data/security/order',
      'update data/security/order',
      'create data/security/container',
      ...Array.from({ length: 3 }, () => 'create data/security/secret'),
    ])
    const rows = (await stored()).slice(before + 1)
    expect(new Set(rows.map((row) => `${row['initiator_id']} ${row['on_behalf_of']}`))).toEqual(
      new Set([`null ${who.userId}`]),
    )
  })

  it('a refused request has an event in the log of the project that owns the entity', async () => {
    const ref = await secret(who, PAYLOAD)
    const stranger = await owner()
    const before = (await stored()).length
    expect((await call('GET', `${ref}/payload`, { token: stranger.token })).status).toBe(403)
    expect((await call('DELETE', ref, { token: stranger.token })).status).toBe(403)
    const rows = (await stored()).slice(before)
    const facts = rows.map((row) => [row['action'], row['outcome'], row['reason'], row['rule'], row['initiator_id']])
    expect(facts).toEqual([
      ['read', 'failure', '403', 'secret:decrypt', stranger.userId],
      ['delete', 'failure', '403', 'secret:delete', stranger.userId],
    ])
    expect(rows.map((row) => [row['target_type'], row['target_id']])).toEqual(
      [1, 2].map(() => ['data/security/secret', idOf(ref)]),
    )
  })

  it("a refusal about something that belongs to no project has an event in the log of the caller's project", async () => {
    const [another, before] = [crypto.randomUUID(), (await stored()).length]
    const asked = [`/v1/project-quotas/${another}`, `/admin/projects/${another}/destruction`]
    for (const path of asked) expect((await call('GET', path, { token: who.token })).status).toBe(403)
    const facts = (await stored()).slice(before).map((row) => [row['target_type'], row['target_id']])
    expect(facts).toEqual([
      ['data/security/quota', another],
      ['data/security/project/destruction', another],
    ])
  })

  it('free text in a path is in no event: what was refused is then named after the project of the caller', async () => {
    const before = (await stored()).length
    const texts = ['x'.repeat(255), 'x'.repeat(10_000), '<b>', 'a b', 'id', 'ä', `${crypto.randomUUID()}x`]
    for (const text of texts) {
      const id = encodeURIComponent(text)
      for (const [method, path] of [
        ['GET', `/v1/project-quotas/${id}`],
        ['PUT', `/admin/projects/${id}/destruction`],
      ] as const) {
        expect((await call(method, path, { token: who.token })).status).toBe(403)
      }
    }
    const facts = (await stored()).slice(before).map((row) => [row['target_type'], row['target_id'], row['rule']])
    expect(facts).toEqual([
      ['data/security/project', who.projectId, 'project_quotas:get'],
      ['data/security/project', who.projectId, 'project_destruction:put'],
    ])
  })

  it('nothing is stored for a project whose id is free text, and so no event is', async () => {
    const operator = await person(['key-manager:service-admin'], { projectId: who.projectId })
    const send = (path: string, json: object) => call('PUT', path, { token: operator.token, json })
    for (const id of ['x'.repeat(65), 'x'.repeat(255), 'a b', 'ä']) {
      const path = encodeURIComponent(id)
      expect((await send(`/v1/project-quotas/${path}`, { project_quotas: { secrets: 1 } })).status).toBe(404)
      expect((await send(`/admin/projects/${path}/destruction`, { confirm: id })).status).toBe(400)
      const { results } = await bindings.DB.prepare('select 1 from audit_events where project_id = ? or target_id = ?')
        .bind(id, id)
        .all()
      expect(results).toEqual([])
    }
  })

  it('refusals of one caller, target and rule within a minute are one event, and the next one counts them', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const ref = await secret(who, PAYLOAD)
    const stranger = await owner()
    const refused = async (token = stranger.token, path = `${ref}/payload`) =>
      expect((await call('GET', path, { token })).status).toBe(403)
    const before = (await stored()).length
    const names = async () => (await stored()).slice(before).map((row) => row['operation'])
    for (let time = 0; time < 40; time += 1) await refused()
    expect(await names()).toEqual(['Secret payload retrieval'])
    // Another rule, another target and another caller are other kinds.
    await refused(stranger.token, ref)
    await refused(stranger.token, `${await secret(who, PAYLOAD)}/payload`)
    await refused((await owner()).token)
    expect((await names()).filter((name) => String(name).includes('more'))).toEqual([])
    const recorded = (await stored()).length
    vi.setSystemTime(Date.now() + 59_000)
    await refused()
    expect((await stored()).length).toBe(recorded)
    vi.setSystemTime(Date.now() + 2_000)
    await refused()
    await refused()
    expect((await names()).at(-1)).toBe('Secret payload retrieval (and 40 more refusals before it)')
    vi.setSystemTime(Date.now() + 61_000)
    await refused()
    expect((await names()).at(-1)).toBe('Secret payload retrieval (and 1 more refusals before it)')
    vi.setSystemTime(Date.now() + 61_000)
    await refused()
    expect((await names()).at(-1)).toBe('Secret payload retrieval')
  })

  it('refusals at the same moment are one event too', async () => {
    const ref = await secret(who, PAYLOAD)
    const stranger = await owner()
    const before = (await stored()).length
    const answers = await Promise.all(Array.from({ length: 20 }, () => call('DELETE', ref, { token: stranger.token })))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 403))
    expect(await since(before)).toEqual(['delete data/security/secret'])
  })

  it('the deletion of expired rows has an event', async () => {
    const ref = await secret(who, { ...PAYLOAD, expiration: new Date(Date.now() + DAY).toISOString() })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + DAY })
    await worker.scheduled(createScheduledController(), bindings)
    vi.useRealTimers()
    const row = (await stored()).at(-1)
    expect([row?.['action'], row?.['target_id'], row?.['initiator_id'], row?.['operation']]).toEqual([
      'delete',
      idOf(ref),
      null,
      'Sweep',
    ])
  })
})

describe('the chain', () => {
  it('the chain is complete, counts from 1, ends at the head that the object keeps, and is read in pages', async () => {
    for (const _ of [1, 2, 3]) await secret(who, PAYLOAD)
    await seal()
    await secret(who, PAYLOAD)
    await seal()
    const { events, head } = await exported('&head=true')
    expect(events.map(({ number }) => number)).toEqual(
      Array.from({ length: (await stored()).length }, (_, at) => at + 1),
    )
    expect(await findBreak(events)).toBeNull()
    expect(head).toEqual({ number: events.length, hash: events.at(-1)?.hash })
    const first = await call('GET', '/v1/audit?limit=2', { token: auditor.token })
    expect(first.json).toEqual({ events: events.slice(0, 2), marker: 2 })
    const second = await call('GET', '/v1/audit?limit=2&marker=2', { token: auditor.token })
    expect(second.json.events).toEqual(events.slice(2, 4))
  })

  it('the log does not show an event before it is sealed, nor to another project', async () => {
    await secret(who, PAYLOAD)
    expect((await exported()).events).toEqual([])
    await seal()
    const other = await person(['audit'])
    const seen = await call('GET', '/v1/audit?limit=100', { token: other.token })
    expect(
      seen.json.events.filter(({ target }: ChainedEvent) => JSON.stringify(target).includes(who.projectId)),
    ).toEqual([])
    expect((await call('GET', '/v1/audit', { token: who.token })).status).toBe(403)
  })

  it('the chain continues where it ended after the object was evicted', async () => {
    await secret(who, PAYLOAD)
    await seal()
    await evictDurableObject(object())
    await secret(who, PAYLOAD)
    await seal()
    expect(await findBreak((await exported()).events)).toBeNull()
  })

  it('a change wakes the object to seal events, and so does the cron trigger', async () => {
    const woken = () => runInDurableObject(object(), (_, { storage }) => storage.getAlarm())
    await secret(who, PAYLOAD)
    await vi.waitFor(async () => expect(await woken()).not.toBeNull())
    expect(((await woken()) ?? 0) - Date.now()).toBeLessThan(60_000)
    await runInDurableObject(object(), (_, { storage }) => storage.deleteAlarm())
    await worker.scheduled(createScheduledController(), bindings)
    expect((await woken()) ?? Infinity).toBeLessThan(Date.now() + 1000)
  })
})

describe('reading a payload', () => {
  const asked = { headers: { Accept: 'text/plain' } }

  it('reading a payload writes no event by default', async () => {
    const ref = await secret(who, PAYLOAD)
    expect(await changed(() => call('GET', `${ref}/payload`, { token: who.token, ...asked }))).toEqual([])
  })

  it('with AUDIT_READS=strict reading a payload writes an event, only when a payload was returned', async () => {
    const strict = isolate({ AUDIT_READS: 'strict' })
    const ref = await secret(who, PAYLOAD)
    const empty = await secret(who)
    const read = (path: string) => () => strict('GET', path, { token: who.token, ...asked })
    expect(await changed(read(`${ref}/payload`))).toEqual(['read secret/payload'])
    expect(await changed(read(ref))).toEqual(['read secret/payload'])
    expect(await changed(read(`${empty}/payload`))).toEqual([])
    for (const Accept of ['text/html', 'TEXT/PLAIN', 'application/pkcs7-mime']) {
      const refused = () => strict('GET', `${ref}/payload`, { token: who.token, headers: { Accept } })
      expect(await changed(refused)).toEqual([])
    }
    expect((await read(`${ref}/payload`)()).text).toBe('a payload')
  })

  it('with AUDIT_READS=strict a payload is refused when the event cannot be stored', async () => {
    const { DB } = bindings
    const prepare = (query: string) => DB.prepare(query.replace('insert into "audit_events"', 'no statement'))
    const full = databaseOf({ prepare, batch: DB.batch.bind(DB) })
    const ref = await secret(who, PAYLOAD)
    const answers = ['log', 'strict'].map((reads) =>
      isolate({ AUDIT_READS: reads, DB: full })('GET', `${ref}/payload`, { token: who.token, ...asked }),
    )
    const [logged, refused] = await Promise.all(answers)
    expect([logged?.status, logged?.text]).toEqual([200, 'a payload'])
    expect(refused?.status).toBe(500)
    expect(refused?.text).not.toContain('a payload')
  })
})

describe('a crash while events are sealed', () => {
  const CUT = new Error('the power is cut')
  /** The database, which fails before or after the statement that numbers the events. */
  function cut(when: 'before' | 'after'): D1Database {
    const { DB } = bindings
    const prepare = (query: string) => {
      const statement = DB.prepare(query)
      if (!query.startsWith('update "audit_events"')) return statement
      const broken = (values: unknown[]) => () => cutOff(statement.bind(...values))
      return { bind: (...values: unknown[]) => ({ run: broken(values), all: broken(values) }) }
    }
    const cutOff = async (statement: D1PreparedStatement) => {
      if (when === 'after') await statement.run()
      throw CUT
    }
    return databaseOf({ prepare: prepare as D1Database['prepare'], batch: DB.batch.bind(DB) })
  }

  it.each(['before', 'after'] as const)(
    'a crash %s the database has the sealed events leaves no gap and no fork',
    async (when) => {
      for (const _ of [1, 2]) await secret(who, PAYLOAD)
      const crash = runInDurableObject(object(), async (_, { storage }) => {
        const now = formatTime(Date.now())
        const quotas = { secrets: -1, orders: -1, containers: -1, consumers: -1 }
        const store = { db: new Session(cut(when), 'first-primary'), quotas, now, source: byService('Test') }
        const given = { ...store, recorded: () => undefined }
        return sealEvents(storage, given, who.projectId, 90).catch((error: Error) => error === CUT)
      })
      expect(await crash).toBe(true)
      await secret(who, PAYLOAD)
      await seal()
      const { events, head } = await exported('&head=true')
      expect(events).toHaveLength((await stored()).length)
      expect(await findBreak(events)).toBeNull()
      expect(head?.number).toBe(events.length)
    },
  )
})

describe('T27: a database that was restored from a backup', () => {
  it('T27: a restored database is noticed at the next sealing, recorded, and shows as a gap; the present events are kept', async () => {
    await secret(who, PAYLOAD)
    await seal()
    const yesterday = await stored()
    const gone = idOf(await secret(who, PAYLOAD))
    await seal()
    const { number: lost } = (await object().integrity()).head
    const names = Object.keys(yesterday[0] ?? {})
    await bindings.DB.prepare('delete from audit_events where project_id = ?').bind(who.projectId).run()
    for (const row of yesterday) {
      const insert = `insert into audit_events (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`
      await bindings.DB.prepare(insert)
        .bind(...names.map((name) => row[name]))
        .run()
    }
    const kept = idOf(await secret(who, PAYLOAD))
    await seal()
    const { events } = await exported()
    const targets = events.map(({ target }) => (target as { id: string }).id)
    expect(targets).toContain(kept)
    expect(targets).not.toContain(gone)
    expect(await findBreak(events)).toEqual({
      number: yesterday.length + 1,
      reason: `event ${lost + 1} stands where ${yesterday.length + 1} belongs`,
    })
    expect(events.find(({ action }) => action === 'monitor')).toMatchObject({
      outcome: 'failure',
      target: { typeURI: 'data/security/audit-log', id: who.projectId },
    })
    const { incidents } = await object().integrity()
    expect(incidents).toMatchObject([{ expected: { number: lost }, found: { number: yesterday.length } }])
    await secret(who, PAYLOAD)
    await seal()
    expect((await object().integrity()).incidents).toHaveLength(1)
  })

  it('T27: a restored database is noticed when its last event has another hash', async () => {
    await secret(who, PAYLOAD)
    await seal()
    await bindings.DB.prepare('update audit_events set hash = ? where project_id = ? and number = ?')
      .bind('0'.repeat(64), who.projectId, (await object().integrity()).head.number)
      .run()
    await secret(who, PAYLOAD)
    await seal()
    expect((await object().integrity()).incidents).toHaveLength(1)
    expect(await findBreak((await exported()).events)).not.toBeNull()
  })

  it('T27: a log that ends beyond the head is noticed, and none of its numbers is given again', async () => {
    await secret(who, PAYLOAD)
    await seal()
    const { number } = (await object().integrity()).head
    await bindings.DB.prepare('update audit_events set number = number + 2 where project_id = ? and number = ?')
      .bind(who.projectId, number)
      .run()
    for (let made = 0; made < 3; made += 1) await secret(who, PAYLOAD)
    await seal()
    const { incidents, head } = await object().integrity()
    expect(incidents).toMatchObject([{ expected: { number }, found: { number: number + 2 } }])
    // Three secrets and the event of the incident.
    expect(head.number).toBe(number + 2 + 4)
    expect((await stored()).every((row) => Number.isInteger(row['number']))).toBe(true)
  })
})

describe('an event whose retention has ended', () => {
  it('an event whose retention has ended is deleted, and the chain is complete from the first event that is kept', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    await secret(who, PAYLOAD)
    await seal()
    const old = (await stored()).length
    const start = Date.now()
    vi.setSystemTime(start + 89 * DAY)
    await worker.scheduled(createScheduledController(), bindings)
    expect(await stored()).toHaveLength(old)
    vi.setSystemTime(start + 91 * DAY)
    await worker.scheduled(createScheduledController(), bindings)
    expect(await stored()).toHaveLength(0)
    vi.setSystemTime(start)
    const now = formatTime(start + 91 * DAY)
    await secret(who, PAYLOAD)
    await bindings.DB.prepare('update audit_events set time = ? where project_id = ?').bind(now, who.projectId).run()
    vi.setSystemTime(start + 91 * DAY)
    await seal()
    vi.setSystemTime(start)
    const { events } = await exported()
    expect(events.map(({ number }) => number)).toEqual([old + 1])
    expect(await findBreak(events)).toBeNull()
    expect((await object().integrity()).incidents).toEqual([])
  })
})
