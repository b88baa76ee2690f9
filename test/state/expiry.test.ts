/**
 * Expiry: a secret is hidden from the second of its expiration on and deleted by the next sweep. Only the clock is
 * faked.
 */
import { createExecutionContext, createScheduledController, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../../src/config.ts'
import worker from '../../src/index.ts'
import { call } from '../support/client.ts'
import { owner, type Person } from '../support/people.ts'
import { idOf, secret } from '../support/stored.ts'
import { entriesOf } from '../support/log-lines.ts'

const bindings = env as unknown as Environment
const MINUTE = 60_000
const EXPIRES_AFTER = 10 * MINUTE

let who: Person
let reader: Person
let start: number
let ref: string
let container: string

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  start = Date.now()
  who = await owner()
  reader = await owner()
  const expiration = new Date(start + EXPIRES_AFTER).toISOString()
  ref = await secret(who, { expiration, payload: 'short-lived', payload_content_type: 'text/plain' })
  const { token } = who
  await call('PUT', `${ref}/metadata`, { token, json: { metadata: { a: '1' } } })
  await call('PUT', `${ref}/acl`, { token, json: { read: { users: [reader.userId] } } })
  await call('POST', `${ref}/consumers`, { token, json: { service: 's', resource_type: 't', resource_id: 'i' } })
  const made = await call('POST', '/v1/containers', {
    token,
    json: { type: 'generic', secret_refs: [{ name: 'a', secret_ref: ref }] },
  })
  container = made.json.container_ref
})

afterEach(() => void vi.useRealTimers())

async function sweep(): Promise<void> {
  const context = createExecutionContext()
  await worker.scheduled(createScheduledController(), bindings)
  await waitOnExecutionContext(context)
}

async function rowsLeft(): Promise<number[]> {
  const tables = ['secrets', 'secret_metadata', 'secret_readers', 'secret_consumers', 'container_secrets']
  const counts = tables.map((table) =>
    bindings.DB.prepare(
      `select count(*) as n from ${table} where ${table === 'secrets' ? 'id' : 'secret_id'} = ?`,
    ).bind(idOf(ref)),
  )
  const results = await bindings.DB.batch<{ n: number }>(counts)
  return results.map(({ results: rows }) => rows[0]?.n ?? -1)
}

describe('a secret that has not expired', () => {
  it('a secret is readable until the last moment before its expiration, through sweeps', async () => {
    vi.setSystemTime(start + EXPIRES_AFTER - 1)
    await sweep()
    expect((await call('GET', `${ref}/payload`, { token: who.token })).text).toBe('short-lived')
    expect(await rowsLeft()).toEqual([1, 1, 1, 1, 1])
  })
})

describe('a secret whose expiration has passed', () => {
  beforeEach(() => void vi.setSystemTime(start + EXPIRES_AFTER))

  const used = { service: 's', resource_type: 't', resource_id: 'i' }
  it.each<[method: string, path: string, json?: object]>([
    ['GET', ''],
    ['GET', '/payload'],
    ['PUT', ''],
    ['DELETE', ''],
    ['GET', '/metadata'],
    ['PUT', '/metadata', { metadata: { a: '2' } }],
    ['POST', '/metadata', { key: 'b', value: '1' }],
    ['GET', '/metadata/a'],
    ['PUT', '/metadata/a', { key: 'a', value: '2' }],
    ['DELETE', '/metadata/a'],
    ['GET', '/acl'],
    ['PUT', '/acl', { read: { users: [] } }],
    ['PATCH', '/acl', { read: { users: [] } }],
    ['DELETE', '/acl'],
    ['GET', '/consumers'],
    ['POST', '/consumers', { ...used, resource_id: 'j' }],
    ['DELETE', '/consumers', used],
  ])('a secret whose expiration has passed is hidden from %s …%s at once', async (method, path, json) => {
    const answer = await call(method, ref + path, { token: who.token, json })
    expect([answer.status, answer.json.description]).toEqual([404, 'Secret not found.'])
  })

  it('a secret whose expiration has passed is hidden from its consumers and from the users of its ACL', async () => {
    const consumers = await bindings.DB.prepare('select id from secret_consumers where secret_id = ?')
      .bind(idOf(ref))
      .first<{ id: string }>()
    expect((await call('GET', `${ref}/consumers/${consumers?.id}`, { token: who.token })).status).toBe(404)
    const list = async () => (await call('GET', '/v1/secrets?acl_only=true', { token: reader.token })).json.total
    expect([await list(), (await call('GET', ref, { token: reader.token })).status]).toEqual([0, 404])
    vi.setSystemTime(start + EXPIRES_AFTER - 1)
    expect([await list(), (await call('GET', ref, { token: reader.token })).status]).toEqual([1, 200])
  })

  it('a secret whose expiration has passed counts as absent when a container names it', async () => {
    const unknown = ref.replace(idOf(ref), crypto.randomUUID())
    const tries: [method: string, path: string, json: (secret: string) => object][] = [
      ['POST', '/v1/containers', (secret) => ({ type: 'generic', secret_refs: [{ name: 'a', secret_ref: secret }] })],
      ['POST', `${container}/secrets`, (secret) => ({ name: 'b', secret_ref: secret })],
      ['DELETE', `${container}/secrets`, (secret) => ({ name: 'a', secret_ref: secret })],
    ]
    for (const [method, path, json] of tries) {
      const [expired, absent] = [
        await call(method, path, { token: who.token, json: json(ref) }),
        await call(method, path, { token: who.token, json: json(unknown) }),
      ]
      expect(absent.status).toBeGreaterThanOrEqual(400)
      expect(expired.text.replaceAll(ref, unknown)).toBe(absent.text)
    }
    const pair = bindings.DB.prepare('select name from container_secrets where secret_id = ?').bind(idOf(ref))
    expect(await pair.first('name')).toBe('a')
    const events = bindings.DB.prepare(
      "select id from audit_events where target_type like '%/secret' and target_id = ?",
    )
    expect((await events.bind(idOf(container)).all()).results).toEqual([])
  })

  it('a secret whose expiration has passed is in no list, no total and no container', async () => {
    const list = await call('GET', '/v1/secrets', { token: who.token })
    expect([list.json.secrets, list.json.total]).toEqual([[], 0])
    const shown = await call('GET', container, { token: who.token })
    expect([shown.status, shown.json.secret_refs]).toEqual([200, []])
    const containers = await call('GET', '/v1/containers', { token: who.token })
    expect(containers.json.containers[0]).toMatchObject({ container_ref: container, secret_refs: [] })
  })

  it('a secret whose expiration has passed is deleted by the next sweep with everything that belongs to it', async () => {
    expect(await rowsLeft()).toEqual([1, 1, 1, 1, 1])
    await sweep()
    expect(await rowsLeft()).toEqual([0, 0, 0, 0, 0])
    expect((await call('GET', container, { token: who.token })).status).toBe(200)
  })
})

describe('a secret whose expiration the service did not write', () => {
  it('a secret whose expiration the service did not write is hidden and logged, and stays in the database', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {})
    await bindings.DB.prepare('update secrets set expiration = ? where id = ?')
      .bind(new Date(start - MINUTE).toISOString().slice(0, -1), idOf(ref))
      .run()
    await sweep()
    expect((await call('GET', ref, { token: who.token })).status).toBe(404)
    expect(await rowsLeft()).toEqual([1, 1, 1, 1, 1])
    expect(entriesOf(log)).toContainEqual(expect.objectContaining({ event: 'row not authentic', table: 'secrets' }))
    log.mockRestore()
  })
})

describe('an order', () => {
  it('an order is still readable after the secret that it made has expired', async () => {
    const expiration = new Date(Date.now() + EXPIRES_AFTER).toISOString()
    const placed = await call('POST', '/v1/orders', {
      token: who.token,
      json: { type: 'key', meta: { algorithm: 'aes', bit_length: 128, expiration } },
    })
    vi.setSystemTime(Date.now() + EXPIRES_AFTER)
    await sweep()
    const order = await call('GET', placed.json.order_ref, { token: who.token })
    expect([order.status, order.json.status]).toEqual([200, 'ACTIVE'])
    expect((await call('GET', order.json.secret_ref, { token: who.token })).status).toBe(404)
  })

  it('a certificate order ends in ERROR when the key of its container has expired', async () => {
    const expiration = new Date(Date.now() + EXPIRES_AFTER).toISOString()
    const ordered = async (wanted: object) => {
      const placed = await call('POST', '/v1/orders', { token: who.token, json: wanted })
      for (;;) {
        const { json } = await call('GET', placed.json.order_ref, { token: who.token })
        if (json.status !== 'PENDING') return json
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    const pair = await ordered({ type: 'asymmetric', meta: { algorithm: 'ec', bit_length: 256, expiration } })
    const meta = { request_type: 'stored-key', container_ref: pair.container_ref, subject_dn: 'cn=a.example' }
    expect(await ordered({ type: 'certificate', meta })).toMatchObject({ status: 'ACTIVE' })
    vi.setSystemTime(Date.now() + EXPIRES_AFTER)
    expect(await ordered({ type: 'certificate', meta })).toMatchObject({ status: 'ERROR', error_status_code: '400' })
    expect((await call('GET', pair.order_ref, { token: who.token })).json).toEqual(pair)
  })
})
