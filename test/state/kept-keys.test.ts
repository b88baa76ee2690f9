/**
 * Keys that must not go: the key of the rows' MACs is never superseded, and an older version of a project key stays as
 * long as a waiting passphrase or the private key of an authority needs it, also one that cannot be read.
 */
import { createScheduledController } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import worker from '../../src/index.ts'
import { runOrder } from '../../src/state/orders/order-runs.ts'
import { placeKeyPairOrder } from '../../src/state/orders/orders.ts'
import { formatTime } from '../../src/times.ts'
import { backendAt } from '../support/backend.ts'
import { call, database, isolate } from '../support/client.ts'
import { owner, person, type Person } from '../support/people.ts'
import { canarySecret, CANARY, idOf } from '../support/stored.ts'

const ROW_KEYS = 'row authentication'
const log = vi.spyOn(console, 'error').mockImplementation(() => {})

let operator: Person
beforeAll(async () => {
  operator = await person(['key-manager:service-admin'])
})
afterAll(() => {
  log.mockRestore()
})

const rotate = async (json?: object) => (await call('POST', '/admin/rotate', { token: operator.token, json })).json
const supersede = (project?: string) => rotate({ project_keys: project === undefined ? {} : { project_id: project } })

async function versionsOf(project: string): Promise<number[]> {
  const { results } = await database
    .prepare('select version from project_keys where project_id = ? order by version')
    .bind(project)
    .all<{ version: number }>()
  return results.map(({ version }) => version)
}

const hexOf = (table: string, column: string, id: string) =>
  database.prepare(`select hex(${column}) as hex from ${table} where id = ?`).bind(id).first<string>('hex')
const write = (table: string, column: string, id: string, hex: string) =>
  database.prepare(`update ${table} set ${column} = unhex(?) where id = ?`).bind(hex, id).run()

describe('the key of the rows’ MACs', () => {
  async function expectReadable(who: Person, ref: string): Promise<void> {
    const read = await isolate()('GET', `${ref}/payload`, { token: who.token })
    expect([read.status, read.text]).toEqual([200, CANARY])
  }

  it('the key of the rows’ MACs is not superseded by a new version of the keys of all projects', async () => {
    const who = await owner()
    const ref = await canarySecret(call, who)
    // The rotation takes only keys that were created before its own moment.
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect((await supersede()).superseded).toBeGreaterThan(0)
    expect(await versionsOf(who.projectId)).toEqual([2])
    expect(await versionsOf(ROW_KEYS)).toEqual([1])
    await expectReadable(who, ref)
  })

  it('the key of the rows’ MACs is not superseded when the operator names its owner', async () => {
    expect((await supersede(ROW_KEYS)).superseded).toBe(0)
    expect(await versionsOf(ROW_KEYS)).toEqual([1])
  })

  it('the key of the rows’ MACs is not superseded by a sweep for which it is too old', async () => {
    const who = await owner()
    const ref = await canarySecret(call, who)
    const old = formatTime(Date.now() - 100 * 86_400_000)
    await database
      .prepare('update project_keys set created = ? where project_id in (?, ?)')
      .bind(old, who.projectId, ROW_KEYS)
      .run()
    await worker.scheduled(createScheduledController(), { ...env, PROJECT_KEY_DAYS: '30' })
    expect(await versionsOf(who.projectId)).toEqual([2])
    expect(await versionsOf(ROW_KEYS)).toEqual([1])
    await expectReadable(who, ref)
  })
})

describe('the key of a waiting passphrase', () => {
  const use = { extractable: null, usages: null }
  const wanted = { name: null, algorithm: 'ec', bitLength: 256, mode: null, expiration: null, contentType: null }

  /** An order with a passphrase that was accepted and whose Worker ended before it ran. */
  async function waiting(who: Person): Promise<string> {
    const backend = await backendAt(formatTime(Date.now()))
    const shown = { algorithm: 'ec', bit_length: 256 }
    const caller = { ...who, roles: [], cloudAdmin: false }
    return (await placeKeyPairOrder(backend, caller, { ...wanted, use, passphrase: 'a passphrase', shown } as never)).id
  }

  const finished = async (who: Person, id: string) => {
    await runOrder(await backendAt(formatTime(Date.now())), who.projectId, id)
    return (await call('GET', `/v1/orders/${id}`, { token: who.token })).json
  }

  it('the key of a waiting passphrase may get a new version, and the order ends with its key pair', async () => {
    const who = await owner()
    const id = await waiting(who)
    expect(await supersede(who.projectId)).toMatchObject({ resealed: 1, retired: 1, unreadable: 0 })
    expect(await versionsOf(who.projectId)).toEqual([2])
    expect((await finished(who, id)).status).toBe('ACTIVE')
  })

  it('the key of a waiting passphrase that cannot be read stays until it can, and the order is not lost', async () => {
    const who = await owner()
    const id = await waiting(who)
    const kept = (await hexOf('orders', 'sealed', id)) ?? ''
    await database.prepare(`update orders set sealed = x'01' where id = ?`).bind(id).run()
    expect(await supersede(who.projectId)).toMatchObject({ unreadable: 1, retired: 0 })
    expect(await rotate()).toMatchObject({ retired: 0 })
    expect(await versionsOf(who.projectId)).toEqual([1, 2])
    // The operator puts the row back from a copy; the trigger that guards writes of values is bypassed as a restore does.
    await database.prepare('drop trigger orders_resealed').run()
    await write('orders', 'sealed', id, kept)
    expect(await rotate()).toMatchObject({ resealed: 1, retired: 1 })
    expect(await versionsOf(who.projectId)).toEqual([2])
    expect((await finished(who, id)).status).toBe('ACTIVE')
  })
})

describe('the key of a certificate authority', () => {
  it.each(['root_sealed', 'issuing_sealed'])(
    'the key of a certificate authority stays while its %s cannot be read, and then the authority signs again',
    async (column) => {
      const who = await owner()
      const { json } = await call('GET', '/v1/cas', { token: who.token })
      const id = idOf(json.cas[0])
      const [before = 0] = await versionsOf(who.projectId)
      const kept = (await hexOf('certificate_authorities', column, id)) ?? ''
      const damaged = kept.slice(0, -2) + (kept.endsWith('00') ? '01' : '00')
      await database.prepare('drop trigger if exists certificate_authorities_resealed').run()
      await write('certificate_authorities', column, id, damaged)
      expect(await supersede(who.projectId)).toMatchObject({ superseded: 1, unreadable: 1, retired: 0 })
      expect(await versionsOf(who.projectId)).toEqual([before, before + 1])
      await write('certificate_authorities', column, id, kept)
      expect(await rotate()).toMatchObject({ resealed: 1, retired: 1, unreadable: 0 })
      expect(await versionsOf(who.projectId)).toEqual([before + 1])
      expect((await isolate()('GET', `${json.cas[0]}/crl`, { token: who.token })).status).toBe(200)
    },
  )
})
