/** T16: concurrent requests never break an invariant: one project key, one winner, exact quotas. */
import { describe, expect, it } from 'vitest'
import { call, database, isolate, type Answer } from '../support/client.ts'
import { callAs, owner, type Person } from '../support/people.ts'
import { idOf, limit, secret } from '../support/stored.ts'

const OCTETS = 'application/octet-stream'
const key = { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } }

const countOf = (answers: readonly Answer[], status: number) => answers.filter((one) => one.status === status).length
const times = <Value>(count: number, act: (at: number) => Promise<Value>): Promise<Value[]> =>
  Promise.all(Array.from({ length: count }, (_, at) => act(at)))

async function rowsOf(table: 'project_keys' | 'secrets' | 'orders', { projectId }: Person): Promise<number> {
  const row = await database
    .prepare(`select count(*) as count from ${table} where project_id = ?`)
    .bind(projectId)
    .first<{ count: number }>()
  return row?.count ?? Number.NaN
}

describe('T16: the first use of a project', () => {
  it('T16: the first use of a project by 50 isolates makes one key, and every payload opens in every isolate', async () => {
    const who = await owner()
    const isolates = Array.from({ length: 50 }, () => isolate())
    const answers = await times(50, (at) =>
      (isolates[at] ?? call)('POST', '/v1/secrets', {
        token: who.token,
        json: { payload: `payload ${at}`, payload_content_type: 'text/plain' },
      }),
    )
    expect(countOf(answers, 201)).toBe(50)
    expect(await rowsOf('project_keys', who)).toBe(1)
    const stranger = isolate()
    const read = await times(50, async (at) => {
      const path = `${answers[at]?.json.secret_ref}/payload`
      const own = await (isolates[(at + 1) % 50] ?? call)('GET', path, { token: who.token })
      const fresh = await stranger('GET', path, { token: who.token })
      return [own.text, fresh.text]
    })
    expect(read).toEqual(Array.from({ length: 50 }, (_, at) => [`payload ${at}`, `payload ${at}`]))
  })

  it('T16: the first use of a project by parallel orders and secrets makes one key', async () => {
    const who = await owner()
    const send = callAs(() => who)
    const orders = times(10, () => send('POST', '/v1/orders', { json: key }))
    const secrets = times(10, () => secret(who, { payload: 'x', payload_content_type: 'text/plain' }))
    expect(countOf(await orders, 202)).toBe(10)
    await secrets
    expect(await rowsOf('project_keys', who)).toBe(1)
    const { json } = await send('GET', '/v1/secrets?limit=100')
    const payloads = await times(20, (at) => send('GET', `${json.secrets[at].secret_ref}/payload`))
    expect(countOf(payloads, 200)).toBe(20)
  })
})

describe('T16: a payload that is put by several clients', () => {
  it.each([2, 8])(
    'T16: of %d clients that put a payload in parallel one succeeds, and the others get 409',
    async (clients) => {
      const who = await owner()
      for (let round = 0; round < 5; round += 1) {
        const ref = await secret(who)
        const answers = await times(clients, (at) =>
          isolate()('PUT', ref, { token: who.token, body: `payload ${at}`, headers: { 'Content-Type': OCTETS } }),
        )
        expect(countOf(answers, 204)).toBe(1)
        expect(countOf(answers, 409)).toBe(clients - 1)
        const winner = answers.findIndex(({ status }) => status === 204)
        expect((await call('GET', `${ref}/payload`, { token: who.token })).text).toBe(`payload ${winner}`)
      }
    },
  )

  it('T16: a payload that is put while its secret is deleted is deleted with it', async () => {
    const who = await owner()
    const send = callAs(() => who)
    for (let round = 0; round < 5; round += 1) {
      const ref = await secret(who)
      const [put, deleted] = await Promise.all([
        send('PUT', ref, { body: 'x', headers: { 'Content-Type': OCTETS } }),
        send('DELETE', ref),
      ])
      expect(deleted.status).toBe(204)
      expect([204, 404, 409]).toContain(put.status)
      expect((await send('GET', ref)).status).toBe(404)
    }
    expect(await rowsOf('secrets', who)).toBe(0)
  })
})

describe('T16: a secret that is deleted by several clients', () => {
  it('T16: a secret that is deleted ten times in parallel is deleted once', async () => {
    const who = await owner()
    const ref = await secret(who)
    const answers = await times(10, () => isolate()('DELETE', ref, { token: who.token }))
    expect(countOf(answers, 204)).toBe(1)
    expect(countOf(answers, 404)).toBe(9)
  })
})

describe('T16: a quota of n', () => {
  it.each([1, 3, 7])('T16: a quota admits exactly its number of objects from many parallel requests: %d', async (n) => {
    const who = await owner()
    await limit(who.projectId, { secrets: n, orders: n })
    for (const [path, json, made] of [
      ['/v1/secrets', { name: 'one of many' }, 201],
      ['/v1/orders', { type: 'key', meta: { algorithm: 'nothing known', bit_length: 8 } }, 202],
    ] as const) {
      const answers = await times(n + 10, () => isolate()('POST', path, { token: who.token, json }))
      expect(countOf(answers, made)).toBe(n)
      expect(countOf(answers, 403)).toBe(10)
    }
    expect(await rowsOf('secrets', who)).toBe(n)
    expect(await rowsOf('orders', who)).toBe(n)
  })

  it('T16: a configured quota admits exactly its number of objects', async () => {
    const who = await owner()
    const answers = await times(12, () =>
      isolate({ QUOTA_ORDERS: '4' })('POST', '/v1/orders', { token: who.token, json: key }),
    )
    expect(countOf(answers, 202)).toBe(4)
    expect(await rowsOf('orders', who)).toBe(4)
    expect(await rowsOf('secrets', who)).toBe(4)
  })

  it('T16: a quota of the project overrides the configured one, whether it is higher or lower', async () => {
    const who = await owner()
    await limit(who.projectId, { secrets: 2 })
    const few = isolate({ QUOTA_SECRETS: '0' })
    expect((await few('POST', '/v1/secrets', { token: who.token, json: {} })).status).toBe(201)
    const many = isolate({ QUOTA_SECRETS: '100' })
    expect((await many('POST', '/v1/secrets', { token: who.token, json: {} })).status).toBe(201)
    expect((await many('POST', '/v1/secrets', { token: who.token, json: {} })).status).toBe(403)
  })

  it('T16: a quota counts what exists: deleted and expired objects make room', async () => {
    const who = await owner()
    const send = callAs(() => who)
    await limit(who.projectId, { secrets: 1 })
    const post = async (json: object) => (await send('POST', '/v1/secrets', { json })).status
    const ref = await secret(who)
    expect(await post({})).toBe(403)
    await send('DELETE', ref)
    const expiration = new Date(Date.now() + 1500).toISOString()
    expect(await post({ expiration })).toBe(201)
    expect(await post({})).toBe(403)
    await expect.poll(() => post({}), { timeout: 5000, interval: 200 }).toBe(201)
  })

  it('T16: a quota of secrets does not limit what orders make', async () => {
    const who = await owner()
    await limit(who.projectId, { secrets: 0 })
    const placed = await call('POST', '/v1/orders', { token: who.token, json: key })
    expect(placed.status).toBe(202)
    const { json } = await call('GET', placed.json.order_ref, { token: who.token })
    expect(json.status).toBe('ACTIVE')
    expect(idOf(json.secret_ref)).toHaveLength(36)
  })
})

describe('T16: orders', () => {
  it('T16: orders that are placed and deleted in parallel leave no half of one', async () => {
    const who = await owner()
    const send = callAs(() => who)
    const placed = await times(20, () => send('POST', '/v1/orders', { json: key }))
    await times(20, async (at) => {
      const ref = placed[at]?.json.order_ref
      const answers = await Promise.all([send('DELETE', ref), send('DELETE', ref), send('GET', ref)])
      expect(countOf(answers.slice(0, 2), 204)).toBe(1)
    })
    expect(await rowsOf('orders', who)).toBe(0)
    expect(await rowsOf('secrets', who)).toBe(20)
  })
})

describe('T16: the first certificate authority', () => {
  it('T16: the first certificate authority is made once, however many isolates request it in parallel', async () => {
    const { token } = await owner()
    const isolates = Array.from({ length: 20 }, () => isolate())
    const lists = await times(20, (at) => (isolates[at] ?? call)('GET', '/v1/cas', { token }))
    expect(new Set(lists.flatMap(({ json }) => json.cas as string[])).size).toBe(1)
    expect(await database.prepare('select count(*) as count from certificate_authorities').first('count')).toBe(1)
  })
})
