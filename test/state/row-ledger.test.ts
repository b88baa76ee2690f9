/** Rollback: the project's object detects rows that an older backup of the database restores or removes (T27). */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../../src/config.ts'
import { compareRows, COMPARISON_INTERVAL } from '../../src/state/object/patrol.ts'
import { formatTime } from '../../src/times.ts'
import { backendAt } from '../support/backend.ts'
import { call, database } from '../support/client.ts'
import { owner, person, type Person } from '../support/people.ts'
import { idOf, secret } from '../support/stored.ts'
import { entriesOf } from '../support/log-lines.ts'

const bindings = env as unknown as Environment
const log = vi.spyOn(console, 'error').mockImplementation(() => {})

let who: Person
const object = () => bindings.PROJECT.getByName(who.projectId)

/** Runs the alarm when a comparison is due, which also seals all events, and returns the differing rows. */
async function compareAfterInterval(): Promise<readonly string[]> {
  vi.setSystemTime(Date.now() + COMPARISON_INTERVAL)
  await runDurableObjectAlarm(object())
  return (await object().integrity()).rows
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  who = await owner()
  log.mockClear()
})
afterEach(() => void vi.useRealTimers())

const text = (payload: string) => ({ payload, payload_content_type: 'text/plain' })
type Row = Record<string, unknown>
type Table = 'secrets' | 'containers' | 'orders'
const rowOf = async (id: string, table: Table = 'secrets') =>
  (await database.prepare(`select * from ${table} where id = ?`).bind(id).first<Row>()) ?? {}

/** Restores a row, with its MAC. */
async function restore(row: Row, table: Table = 'secrets'): Promise<void> {
  const columns = Object.keys(row)
  const values = columns.map((column) => {
    const value = row[column]
    return Array.isArray(value) ? Uint8Array.from(value as number[]) : value
  })
  const places = columns.map(() => '?').join(', ')
  await database
    .prepare(`insert or replace into ${table} (${columns.join(', ')}) values (${places})`)
    .bind(...values)
    .run()
}

async function made(): Promise<{ ref: string; id: string }> {
  const ref = await secret(who, text('a payload'))
  return { ref, id: idOf(ref) }
}

describe('T27: the object of a project', () => {
  it('T27: the object of a project reports nothing where only the service has written', async () => {
    const { ref } = await made()
    await made()
    const { token } = who
    await call('PUT', `${ref}/acl`, { token, json: { read: { 'project-access': false } } })
    const gone = await made()
    await call('DELETE', gone.ref, { token })
    await call('POST', '/v1/containers', {
      token,
      json: { type: 'generic', secret_refs: [{ name: 'a', secret_ref: ref }] },
    })
    await call('POST', '/v1/orders', { token, json: { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } } })
    expect(await compareAfterInterval()).toEqual([])
    expect(await compareAfterInterval()).toEqual([])
    expect(log).not.toHaveBeenCalled()
  })

  it('T27: the object of a project reports nothing after the destruction of a project that never had a key', async () => {
    await call('POST', '/v1/containers', { token: who.token, json: { type: 'generic' } })
    await runDurableObjectAlarm(object())
    const { token } = await person(['key-manager:service-admin'])
    const json = { confirm: who.projectId }
    expect((await call('PUT', `/admin/projects/${who.projectId}/destruction`, { token, json })).status).toBe(202)
    expect(await compareAfterInterval()).toEqual([])
    expect(log).not.toHaveBeenCalled()
  })

  it('T27: the object of a project waits until the event of a destruction is sealed before it reports rows as missing', async () => {
    await made()
    await runDurableObjectAlarm(object())
    const { token } = await person(['key-manager:service-admin'])
    const json = { confirm: who.projectId }
    expect((await call('PUT', `/admin/projects/${who.projectId}/destruction`, { token, json })).status).toBe(202)
    const store = { ...(await backendAt(formatTime(Date.now()))), recorded: () => undefined }
    const options = { head: 0, now: Date.now() }
    await runInDurableObject(object(), (_, { storage }) => compareRows(storage, store, who.projectId, options))
    expect((await object().integrity()).rows).toEqual([])
    expect(await compareAfterInterval()).toEqual([])
  })

  it('T27: the object of a project reports a secret that came back after its deletion', async () => {
    const { ref, id } = await made()
    const row = await rowOf(id)
    await call('DELETE', ref, { token: who.token })
    await restore(row)
    expect((await call('GET', `${ref}/payload`, { token: who.token })).status).toBe(200)
    expect(await compareAfterInterval()).toEqual([`secret/${id} unknown`])
    expect(entriesOf(log).map(({ event }) => event)).toEqual(['rows differ from ledger'])
  })

  it('T27: the object of a project reports an older state of a secret, whose ACL was private since', async () => {
    const { ref, id } = await made()
    const row = await rowOf(id)
    await call('PUT', `${ref}/acl`, { token: who.token, json: { read: { 'project-access': false } } })
    await compareAfterInterval()
    await restore(row)
    expect(await compareAfterInterval()).toEqual([`secret/${id} changed`])
  })

  it.each([
    ['container', 'containers', { type: 'generic' }],
    ['order', 'orders', { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } }],
  ] as const)(
    'T27: the object of a project reports a %s that was restored after its deletion',
    async (kind, table, json) => {
      const { token } = who
      const { json: created } = await call('POST', `/v1/${table}`, { token, json })
      const id = idOf(created[`${kind}_ref`])
      const row = await rowOf(id, table)
      await call('DELETE', `/v1/${table}/${id}`, { token })
      await restore(row, table)
      expect(await compareAfterInterval()).toContain(`${kind}/${id} unknown`)
    },
  )

  it('T27: the object of a project reports a secret that is gone without a deletion, once', async () => {
    const { id } = await made()
    await compareAfterInterval()
    await database.prepare('delete from secrets where id = ?').bind(id).run()
    expect(await compareAfterInterval()).toEqual([`secret/${id} gone`])
    expect(await compareAfterInterval()).toEqual([`secret/${id} gone`])
    expect(log).toHaveBeenCalledTimes(1)
  })

  it('T27: a rollback is shown to the auditor, and kept as an event of the log', async () => {
    const { id } = await made()
    await compareAfterInterval()
    await database.prepare('delete from secrets where id = ?').bind(id).run()
    await compareAfterInterval()
    await compareAfterInterval()
    // Tokens do not remain valid for so many hours.
    vi.useRealTimers()
    const { token } = await person(['audit'], { projectId: who.projectId })
    const shown = await call('GET', '/v1/audit?head=true', { token })
    expect(shown.json.rows).toEqual([`secret/${id} gone`])
    const { results } = await database
      .prepare(`select outcome from audit_events where project_id = ? and action = 'monitor' and target_id = ?`)
      .bind(who.projectId, id)
      .all()
    expect(results).toEqual([{ outcome: 'failure' }])
  })
})
