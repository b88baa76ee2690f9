/** The stored counts of a project's rows equal a count of the rows, after any sequence of changes. */
import { afterEach, describe, expect, it } from 'vitest'
import { deleteExpired } from '../../src/state/secrets/expiry.ts'
import { formatTime } from '../../src/times.ts'
import { backendAt } from '../support/backend.ts'
import { database } from '../support/client.ts'
import { peopleOf, type Person } from '../support/people.ts'
import { canarySecret, close, emptyContainer, idOf, keyOrder } from '../support/stored.ts'
import { countedService } from '../support/counting.ts'
import { fakeKeystone, keystoneVariables } from '../support/keystone.ts'
import { countedTables, miscounted } from '../support/recount.ts'

const keystone = fakeKeystone()
const send = countedService(keystoneVariables)
const MINUTE = 60_000

const person = peopleOf(keystone)

const times = <Value>(count: number, act: (at: number) => Promise<Value>): Promise<Value[]> =>
  Promise.all(Array.from({ length: count }, (_, at) => act(at)))

/** The stored counts of a project: secrets, orders, containers, consumers of secrets and of containers. */
async function counts({ projectId }: Person): Promise<number[]> {
  const kept = database.prepare(`SELECT ${countedTables.join(', ')} FROM project_counts WHERE project_id = ?`)
  return (await kept.bind(projectId).raw<number[]>())[0] ?? []
}

async function totals({ token }: Person): Promise<number[]> {
  const lists = ['/v1/secrets', '/v1/orders', '/v1/containers']
  return Promise.all(lists.map(async (path) => (await send('GET', path, { token })).json.total))
}

const register = (ref: string, { token }: Person, name: string) =>
  send('POST', `${ref}/consumers`, {
    token,
    json: ref.includes('/secrets/')
      ? { service: 'image', resource_type: 'image', resource_id: name }
      : { name, URL: 'http://image.example' },
  })

afterEach(async () => {
  for (const table of countedTables) {
    expect([table, await database.prepare(miscounted(table)).first('n')]).toEqual([table, 0])
  }
})

describe('the stored counts', () => {
  it('the stored counts are right after parallel creations and deletions', async () => {
    const who = person(['admin'])
    const refs = await times(40, async (at) => {
      const make = [canarySecret, emptyContainer, keyOrder, canarySecret][at % 4] ?? canarySecret
      const ref = await make(send, who)
      if (at % 8 < 4) await times(2, () => send('DELETE', ref, { token: who.token }))
      return ref
    })
    expect(refs).toHaveLength(40)
    // The secrets of deleted orders remain: ten orders, ten secrets.
    expect(await counts(who)).toEqual([20, 5, 5, 0, 0])
    expect(await totals(who)).toEqual([20, 5, 5])
  })

  it('the stored counts follow consumers that are deleted with their secret or container, in the project that registered them', async () => {
    const [who, reader] = [person(['admin', 'creator']), person(['admin', 'creator'])]
    const [secret, container] = [await canarySecret(send, who), await emptyContainer(send, who)]
    for (const ref of [secret, container]) {
      await close(send, who, ref, [reader.userId])
      for (const name of ['one', 'two']) expect((await register(ref, who, name)).status).toBe(200)
      expect((await register(ref, reader, 'three')).status).toBe(200)
      expect((await register(ref, reader, 'three')).status).toBe(200)
    }
    expect([await counts(who), await counts(reader)]).toEqual([
      [1, 0, 1, 2, 2],
      [0, 0, 0, 1, 1],
    ])
    for (const ref of [secret, container]) await send('DELETE', ref, { token: who.token })
    expect([await counts(who), await counts(reader)]).toEqual([
      [0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0],
    ])
  })

  it('the stored counts decrease when a consumer is deregistered', async () => {
    const who = person(['admin'])
    const ref = await canarySecret(send, who)
    await register(ref, who, 'one')
    const json = { service: 'image', resource_type: 'image', resource_id: 'one' }
    await times(3, () => send('DELETE', `${ref}/consumers`, { token: who.token, json }))
    expect(await counts(who)).toEqual([1, 0, 0, 0, 0])
  })

  it('the stored counts include what an order made, which is stored once', async () => {
    const who = person(['admin'])
    const meta = { algorithm: 'ec', bit_length: 256 }
    await send('POST', '/v1/orders', { token: who.token, json: { type: 'asymmetric', meta } })
    await send('POST', '/v1/orders', {
      token: who.token,
      json: { type: 'asymmetric', meta: { ...meta, bit_length: 8 } },
    })
    expect(await counts(who)).toEqual([2, 2, 1, 0, 0])
  })

  it('the stored counts include expired rows until the sweep deletes them, though totals and quotas leave them out', async () => {
    const who = person(['admin'])
    const start = Date.now()
    const expiration = new Date(start + 1_000).toISOString()
    await times(3, () => canarySecret(send, who, { expiration }))
    await canarySecret(send, who, { expiration: new Date(start + MINUTE).toISOString() })
    await canarySecret(send, who)
    expect(await totals(who)).toEqual([5, 0, 0])
    const limited = countedService({ ...keystoneVariables, QUOTA_SECRETS: '3' })
    const create = async () => (await limited('POST', '/v1/secrets', { token: who.token, json: {} })).status
    expect(await create()).toBe(403)
    await expect.poll(() => totals(who), { timeout: 5_000 }).toEqual([2, 0, 0])
    expect(await counts(who)).toEqual([5, 0, 0, 0, 0])
    expect([await create(), await create()]).toEqual([201, 403])
    expect(await deleteExpired(await backendAt(formatTime(start + 2_000)))).toBe(3)
    expect(await counts(who)).toEqual([3, 0, 0, 0, 0])
    expect(await totals(who)).toEqual([3, 0, 0])
  })

  it('the stored counts are rolled back together with the change that failed', async () => {
    const who = person(['admin'])
    const id = idOf(await canarySecret(send, who))
    const again = database.prepare(
      `INSERT INTO secrets (id, project_id, secret_type, created, updated, store, mac)
       SELECT ?1, project_id, secret_type, created, updated, store, mac FROM secrets WHERE id = ?2`,
    )
    const fresh = again.bind(crypto.randomUUID(), id)
    await expect(database.batch([fresh, again.bind(id, id)])).rejects.toThrow('UNIQUE')
    expect(await counts(who)).toEqual([1, 0, 0, 0, 0])
  })

  it('the stored counts follow a row whose project changes', async () => {
    const [who, other] = [person(['admin']), person(['admin'])]
    const ref = await canarySecret(send, who)
    await keyOrder(send, who)
    await emptyContainer(send, who)
    await register(ref, who, 'one')
    for (const table of countedTables) {
      const move = database.prepare(`UPDATE ${table} SET project_id = ? WHERE project_id = ?`)
      await move.bind(other.projectId, who.projectId).run()
    }
    expect([await counts(who), await counts(other)]).toEqual([
      [0, 0, 0, 0, 0],
      [2, 1, 1, 1, 0],
    ])
  })
})
