/** The destruction of a project's keys (T18), and who may start one (T29). */
import { env } from 'cloudflare:workers'
import { createScheduledController } from 'cloudflare:test'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../../src/config.ts'
import worker from '../../src/index.ts'
import { call, database, isolate, type Answer } from '../support/client.ts'
import { adminToken } from '../support/identity.ts'
import { callAs, owner, person, project, type Person } from '../support/people.ts'
import { consumer, idOf, limit, secret } from '../support/stored.ts'
import { expectRefusal, notPermitted } from '../support/refusals.ts'
import { workerWith } from '../support/worker-with.ts'
import { requests } from '../vectors/certificate-requests.json'

/** How long a certificate may take. */
const PATIENCE = { timeout: 20_000 }
const text = (payload: string) => ({ payload, payload_content_type: 'text/plain' })
const log = vi.spyOn(console, 'error').mockImplementation(() => {})

let operator: Person
beforeAll(async () => {
  operator = await person(['key-manager:service-admin'])
})
afterAll(() => {
  log.mockRestore()
})

const pathOf = (id: string) => `/admin/projects/${encodeURIComponent(id)}/destruction`
const ask = (method: string, id: string, json?: object): Promise<Answer> =>
  call(method, pathOf(id), { token: operator.token, json, headers: { Accept: 'application/json' } })
const destroy = (id: string, more: object = {}) => ask('PUT', id, { confirm: id, ...more })
const sweep = () => worker.scheduled(createScheduledController(), env as unknown as Environment)

const tables = [
  'project_keys',
  'secrets',
  'containers',
  'orders',
  'secret_consumers',
  'container_consumers',
  'project_quotas',
  'preferred_stores',
  'certificate_authorities',
  'issued_certificates',
] as const

async function rowsOf(projectId: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const table of tables) {
    const row = await database
      .prepare(`select count(*) as count from ${table} where project_id = ?`)
      .bind(projectId)
      .first<{ count: number }>()
    counts[table] = row?.count ?? Number.NaN
  }
  return counts
}

const nothing = Object.fromEntries(tables.map((table) => [table, 0]))

/** Creates a user with one entity of each kind. */
async function furnished(): Promise<{ who: Person; ref: string }> {
  const who = await owner()
  const send = callAs(() => who)
  const ref = await secret(who, text('to be destroyed'))
  const refs = [{ name: 'one', secret_ref: ref }]
  const made = await send('POST', '/v1/containers', { json: { type: 'generic', secret_refs: refs } })
  await send('POST', `${made.json.container_ref}/consumers`, { json: { name: 'one', URL: 'http://consumer.example' } })
  await consumer(ref, who)
  await send('POST', '/v1/orders', { json: { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } } })
  const meta = { request_type: 'simple-cmc', request_data: requests.p256 }
  const placed = await send('POST', '/v1/orders', { json: { type: 'certificate', meta } })
  await expect.poll(async () => (await send('GET', placed.json.order_ref)).json.status, PATIENCE).toBe('ACTIVE')
  await limit(who.projectId, { secrets: 10 })
  const several = workerWith({ SECRET_STORES: 'multiple' })
  const { json } = await several('GET', '/v1/secret-stores', { token: who.token })
  await several('POST', `${json.secret_stores[0].secret_store_ref}/preferred`, { token: who.token })
  return { who, ref }
}

const serialsOf = async (projectId: string) => {
  const { results } = await database
    .prepare('select serial from issued_certificates where project_id = ?')
    .bind(projectId)
    .all<{ serial: string }>()
  return results.map(({ serial }) => serial)
}

describe('the destruction of a project', () => {
  it('the destruction of a project deletes its keys and everything of its own, and nothing of another project', async () => {
    const { who, ref } = await furnished()
    const other = await furnished()
    const before = await rowsOf(other.who.projectId)
    expect(Object.values(await rowsOf(who.projectId)).every((count) => count > 0)).toBe(true)
    const done = await destroy(who.projectId)
    expect(done.status).toBe(202)
    expect(done.json).toEqual({ project_id: who.projectId, due: expect.any(String), finished: expect.any(String) })
    expect(await rowsOf(who.projectId)).toEqual(nothing)
    for (const send of [call, isolate()]) {
      expect((await send('GET', ref, { token: who.token })).status).toBe(404)
      expect((await send('GET', `${ref}/payload`, { token: who.token })).status).toBe(404)
    }
    expect(await rowsOf(other.who.projectId)).toEqual(before)
    expect((await call('GET', `${other.ref}/payload`, { token: other.who.token })).text).toBe('to be destroyed')
  })

  it('the destruction of a project ends its authority, and the log says which certificates end with it', async () => {
    const { who } = await furnished()
    const send = callAs(() => who)
    const [authority] = (await send('GET', '/v1/cas')).json.cas as string[]
    const serials = await serialsOf(who.projectId)
    expect(serials).toHaveLength(1)
    await destroy(who.projectId)
    for (const part of ['', '/cacert', '/crl', '/certificates'])
      expect((await isolate()('GET', `${authority}${part}`, { token: who.token })).status).toBe(404)
    for (const known of [call, isolate()])
      expect((await known('GET', '/v1/cas', { token: who.token })).status).toBe(409)
    const { results } = await database
      .prepare("select target_id as id from audit_events where project_id = ? and action = 'revoke'")
      .bind(who.projectId)
      .all<{ id: string }>()
    expect(results.map(({ id }) => id)).toEqual(serials)
  })

  it('the destruction of a project is final: an isolate that has cached its key stores nothing either', async () => {
    const who = await owner()
    const known = isolate()
    const post = (send: typeof call) => send('POST', '/v1/secrets', { token: who.token, json: text('later') })
    expect((await post(known)).status).toBe(201)
    await destroy(who.projectId)
    const description = 'Secret creation issue seen - The keys of this project were destroyed.'
    for (const send of [known, call, isolate()])
      expect((await post(send)).json).toEqual({ code: 409, title: 'Conflict', description })
    const order = { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } }
    const keyless: [path: string, json: object, operation: string][] = [
      ['/v1/secrets', {}, 'Secret creation'],
      ['/v1/containers', { type: 'generic' }, 'Container creation'],
      ['/v1/orders', order, 'Order creation'],
      ['/v1/orders', { type: 'key', meta: { algorithm: 'unknown', bit_length: 128 } }, 'Order creation'],
      ['/v1/orders', { type: 'asymmetric', meta: { algorithm: 'ec', bit_length: 256 } }, 'Order creation'],
    ]
    for (const [path, json, name] of keyless) {
      const refused = await known('POST', path, { token: who.token, json })
      expectRefusal(refused, 409, `${name} issue seen - The keys of this project were destroyed.`)
    }
    expect(await rowsOf(who.projectId)).toEqual(nothing)
    expectRefusal(await destroy(who.projectId), 409, 'Conflict. The destruction of the keys of this project has begun.')
  })

  it('the destruction of a project continues where it was cut off, and rows that are not deleted yet are hidden', async () => {
    const who = await owner()
    const ref = await secret(who, text('cut off'))
    const due = '2026-01-01T00:00:00.000000'
    await database.prepare('insert into project_destructions values (?, ?, null)').bind(who.projectId, due).run()
    await database.prepare('delete from project_keys where project_id = ?').bind(who.projectId).run()
    expect((await call('GET', `${ref}/payload`, { token: who.token })).status).toBe(404)
    expect((await ask('GET', who.projectId)).json).toEqual({ project_id: who.projectId, due, finished: null })
    await sweep()
    expect(await rowsOf(who.projectId)).toEqual(nothing)
    expect((await ask('GET', who.projectId)).json.finished).toEqual(expect.any(String))
  })

  it('the destruction of a project deletes more rows than one step does', async () => {
    const who = await owner()
    const ref = await secret(who, text('one of many'))
    await database
      .prepare(
        `insert into secrets (id, project_id, secret_type, created, updated, store, mac)
         select id || '-' || value, project_id, secret_type, created, updated, store, mac
         from secrets, (with recursive n(value) as (select 1 union all select value + 1 from n where value < 1200) select value from n)
         where id = ?`,
      )
      .bind(idOf(ref))
      .run()
    expect((await rowsOf(who.projectId))['secrets']).toBe(1201)
    await destroy(who.projectId)
    expect(await rowsOf(who.projectId)).toEqual(nothing)
  })
})

describe('T29: a destruction', () => {
  it('T29: only the operator may start a destruction', async () => {
    const who = await owner()
    const ref = await secret(who, text('kept'))
    const headers = { Accept: 'application/json' }
    const json = { confirm: who.projectId }
    expect((await call('PUT', pathOf(who.projectId), { json })).status).toBe(401)
    for (const token of [who.token, await adminToken()]) {
      for (const [method, name] of [
        ['GET', 'Key destruction report'],
        ['PUT', 'Key destruction'],
        ['DELETE', 'Key destruction cancellation'],
      ] as const) {
        const body = method === 'PUT' ? { json } : {}
        expectRefusal(await call(method, pathOf(who.projectId), { token, headers, ...body }), 403, notPermitted(name))
      }
    }
    expect((await call('GET', `${ref}/payload`, { token: who.token })).text).toBe('kept')
  })

  it.each([
    ['another id', { confirm: 'another' }],
    ['no id', {}],
    ['an id in a list', { confirm: ['x'] }],
    ['a delay that is no number', { confirm: 'PROJECT', delay_hours: '1' }],
    ['a delay below zero', { confirm: 'PROJECT', delay_hours: -1 }],
    ['a delay without end', { confirm: 'PROJECT', delay_hours: 1e9 }],
  ])('T29: a destruction is refused with %s', async (_, body) => {
    const id = await project()
    const json = JSON.parse(JSON.stringify(body).replace('PROJECT', id)) as object
    expect((await ask('PUT', id, json)).status).toBe(400)
    expect((await ask('GET', id)).status).toBe(404)
  })

  it('T29: a delayed destruction can be brought forward, and cancelled until its time', async () => {
    const who = await owner()
    const ref = await secret(who, text('delayed'))
    expect((await destroy(who.projectId, { delay_hours: 48 })).json.finished).toBeNull()
    await sweep()
    expect((await call('GET', `${ref}/payload`, { token: who.token })).text).toBe('delayed')
    expect((await ask('DELETE', who.projectId)).status).toBe(204)
    expect((await ask('DELETE', who.projectId)).status).toBe(404)
    await sweep()
    expect((await call('GET', `${ref}/payload`, { token: who.token })).text).toBe('delayed')
    await destroy(who.projectId, { delay_hours: 48 })
    await destroy(who.projectId)
    expect(await rowsOf(who.projectId)).toEqual(nothing)
    expect((await ask('DELETE', who.projectId)).status).toBe(409)
  })

  it('T29: a destruction does not delete the key that authenticates rows', async () => {
    expect((await destroy('row authentication')).status).toBe(400)
  })
})

describe('a deleted project of the embedded identity', () => {
  const remove = async (id: string) =>
    call('DELETE', `https://kms.example:9311/identity/v3/projects/${id}`, { token: await adminToken() })

  it('a deleted project of the embedded identity loses its keys and what they sealed with the next sweep', async () => {
    const { who } = await furnished()
    expect((await remove(who.projectId)).status).toBe(204)
    await sweep()
    expect(await rowsOf(who.projectId)).toEqual(nothing)
    expect((await remove(who.projectId)).status).toBe(404)
  })

  it('a deleted project of the embedded identity whose destruction was planned for later is destroyed with the next sweep', async () => {
    const { who } = await furnished()
    await destroy(who.projectId, { delay_hours: 48 })
    expect((await remove(who.projectId)).status).toBe(204)
    await sweep()
    expect(await rowsOf(who.projectId)).toEqual(nothing)
  })

  it('an unknown project id and the administrative project are not destroyed', async () => {
    const { results } = await database.prepare('select id from identity_projects where administrative = 1').all()
    const administrative = String(results[0]?.['id'])
    for (const id of ['unknown', administrative]) {
      expect((await remove(id)).status).toBeGreaterThanOrEqual(400)
      expect((await ask('GET', id)).status).toBe(404)
    }
  })
})
