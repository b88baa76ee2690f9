/** Keys that the service replaces when they reach the age that their owners set. Only the clock is faked. */
import { createScheduledController } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../../src/config.ts'
import worker from '../../src/index.ts'
import { database } from '../support/client.ts'
import { entriesOf } from '../support/log-lines.ts'
import { callAs, owner, type Person } from '../support/people.ts'
import { idOf } from '../support/stored.ts'

const DAY = 86_400_000
const log = vi.spyOn(console, 'error').mockImplementation(() => {})
const sweep = () => worker.scheduled(createScheduledController(), env as unknown as Environment)
const pass = (days: number) => vi.setSystemTime(Date.now() + days * DAY)
const logged = () => entriesOf(log)

let who: Person
const send = callAs(() => who)
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  log.mockClear()
  who = await owner()
})
afterEach(() => void vi.useRealTimers())

async function rotatedKey(days: number, more: object = {}): Promise<string> {
  const meta = { algorithm: 'aes', bit_length: 256 }
  const order = await send('POST', '/v1/orders', { json: { type: 'key', meta } })
  const ref: string = (await send('GET', order.json.order_ref)).json.secret_ref
  expect((await send('PUT', `${ref}/versioning`, { json: { rotate_days: days, ...more } })).status).toBe(200)
  return ref
}

/** From the database, because tokens do not live for days. */
async function versionsOf(ref: string): Promise<{ version: number; origin: string; creator_id: string | null }[]> {
  const { results } = await database
    .prepare(
      `select version, version_origin as origin, version_creator as creator_id from secrets where id = ?1
      union all select version, origin, creator_id from secret_versions where secret_id = ?1 order by version desc`,
    )
    .bind(idOf(ref))
    .all<{ version: number; origin: string; creator_id: string | null }>()
  return results
}
const numbersOf = async (ref: string) => (await versionsOf(ref)).map(({ version }) => version ?? 1)
const dueOf = async (ref: string) =>
  (
    await database
      .prepare('select rotation_due as due from secrets where id = ?')
      .bind(idOf(ref))
      .first<{ due: string }>()
  )?.due
const consume = (ref: string) =>
  send('POST', `${ref}/consumers`, { json: { service: 'volume', resource_type: 'volume', resource_id: 'a' } })

describe('a key that reaches its age', () => {
  it('a key that reaches its age is replaced, and again when the new one does', async () => {
    const ref = await rotatedKey(30)
    pass(29)
    await sweep()
    expect(await numbersOf(ref)).toEqual([1])
    pass(1)
    await sweep()
    await sweep()
    expect(await numbersOf(ref)).toEqual([2, 1])
    pass(30)
    await sweep()
    expect(await versionsOf(ref)).toEqual([
      { version: 3, origin: 'generated', creator_id: null },
      { version: 2, origin: 'generated', creator_id: null },
      { version: 1, origin: 'generated', creator_id: who.userId },
    ])
  })

  it('a key that reaches its age is replaced once, however many sweeps were missed', async () => {
    const ref = await rotatedKey(7)
    pass(70)
    await Promise.all([sweep(), sweep()])
    expect(await numbersOf(ref)).toEqual([2, 1])
    expect(await dueOf(ref)).toBe(`${new Date(Date.now() + 7 * DAY).toISOString().slice(0, -1)}000`)
  })

  it('a key that reaches its age is replaced by the service, as the audit log says', async () => {
    const ref = await rotatedKey(1)
    pass(1)
    await sweep()
    const event = await database
      .prepare(`select * from audit_events where target_id = ? order by seq desc limit 1`)
      .bind(idOf(ref))
      .first()
    expect(event).toMatchObject({
      action: 'update',
      target_type: 'data/security/secret/payload',
      initiator_id: null,
      operation: 'Secret rotation',
    })
  })

  it('a key that reaches its age is left alone while it has consumers, and tried again a day later', async () => {
    const ref = await rotatedKey(30)
    await consume(ref)
    pass(30)
    await sweep()
    await sweep()
    expect(await numbersOf(ref)).toEqual([1])
    expect(logged()).toContainEqual(
      expect.objectContaining({ event: 'secret not rotated', reason: 'rotationConsumed' }),
    )
    expect(logged().filter(({ event }) => event === 'secret not rotated')).toHaveLength(1)
    await database.prepare('delete from secret_consumers where secret_id = ?').bind(idOf(ref)).run()
    pass(1)
    await sweep()
    expect(await numbersOf(ref)).toEqual([2, 1])
  })

  it('a key that reaches its age is replaced despite its consumers when its owner has said so', async () => {
    const ref = await rotatedKey(30, { despite_consumers: true })
    await consume(ref)
    pass(30)
    await sweep()
    expect(await numbersOf(ref)).toEqual([2, 1])
  })

  it('a key that reaches its age is not replaced when its row is forged', async () => {
    const ref = await rotatedKey(30)
    await database
      .prepare(`update secrets set rotation_due = '2020-01-01T00:00:00.000000' where id = ?`)
      .bind(idOf(ref))
      .run()
    await sweep()
    expect(await numbersOf(ref)).toEqual([1])
    expect(logged()).toContainEqual(expect.objectContaining({ event: 'row not authentic' }))
    await database.prepare('delete from secrets where id = ?').bind(idOf(ref)).run()
  })

  it('keys that reach their age on the same day are replaced by one sweep', async () => {
    const refs: string[] = []
    for (let at = 0; at < 3; at += 1) refs.push(await rotatedKey(5))
    pass(5)
    await sweep()
    for (const ref of refs) expect(await numbersOf(ref)).toEqual([2, 1])
  })
})
