/** Orders under concurrency: their quota, and interrupted runs. */
import { generateKeyPairSync } from 'node:crypto'
import { runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { readConfig, type Environment } from '../../src/config.ts'
import { connect } from '../../src/state/connect.ts'
import type { Backend } from '../../src/state/backend.ts'
import { byService } from '../../src/state/scope.ts'
import { runOrder } from '../../src/state/orders/order-runs.ts'
import { attemptTimes } from '../../src/state/orders/order-schedule.ts'
import { placeKeyPairOrder } from '../../src/state/orders/orders.ts'
import { formatTime } from '../../src/times.ts'
import { call } from '../support/client.ts'
import { owner, type Person } from '../support/people.ts'
import { limit, secret } from '../support/stored.ts'
import { requests } from '../vectors/certificate-requests.json'

const bindings = env as unknown as Environment

let who: Person
beforeAll(async () => {
  who = await owner()
})
afterEach(() => void vi.useRealTimers())

const backendNow = async (): Promise<Backend> =>
  connect(bindings, await readConfig(bindings), formatTime(Date.now()), byService('Test'))

/** Accepts an order without running it, as if its Worker had ended. */
async function abandoned(passphrase: string | null = null, by: Person = who): Promise<string> {
  const { id } = await placeKeyPairOrder(
    await backendNow(),
    { ...by, roles: [], cloudAdmin: false },
    {
      name: 'abandoned',
      algorithm: 'ec',
      bitLength: 256,
      mode: null,
      expiration: null,
      contentType: 'application/octet-stream',
      use: { extractable: null, usages: null },
      passphrase: passphrase === null ? null : { text: passphrase },
      shown: { name: 'abandoned', algorithm: 'ec', bit_length: 256, expiration: null },
    },
  )
  return id
}

const orderOf = async (id: string) => (await call('GET', `/v1/orders/${id}`, { token: who.token })).json
const alarm = () => runDurableObjectAlarm(bindings.PROJECT.getByName(who.projectId))

describe('200 parallel orders of all kinds, 120 of them allowed', () => {
  const others = [
    { type: 'key', meta: { algorithm: 'aes', bit_length: 256 } },
    { type: 'key', meta: { algorithm: 'unknown', bit_length: 256 } },
    { type: 'asymmetric', meta: { algorithm: 'ec', bit_length: 384 } },
    { type: 'asymmetric', meta: { algorithm: 'ed25519', bit_length: 256, passphrase: 'secret' } },
    { type: 'asymmetric', meta: { algorithm: 'rsa', bit_length: 1024 } },
    { type: 'certificate', meta: { request_type: 'simple-cmc', request_data: requests.p256 } },
    { type: 'certificate', meta: { request_type: 'simple-cmc', request_data: requests.short } },
  ]

  /** Creates a container with a private key in the project. */
  async function storedPair(by: Person): Promise<string> {
    const payload = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
    const ref = await secret(by, { payload, payload_content_type: 'text/plain' })
    const secret_refs = [{ name: 'private_key', secret_ref: ref }]
    const { json } = await call('POST', '/v1/containers', { token: by.token, json: { type: 'generic', secret_refs } })
    return json.container_ref
  }

  it('200 parallel orders of all kinds with a quota of 120 make 120 orders, each with one result', async () => {
    const busy = await owner()
    const stored = { request_type: 'stored-key', container_ref: await storedPair(busy), subject_dn: 'cn=a.example' }
    const kinds = [...others, { type: 'certificate', meta: stored }]
    await limit(busy.projectId, { orders: 120 })
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        call('POST', '/v1/orders', { token: busy.token, json: kinds[i % kinds.length] }),
      ),
    )
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 202)).toHaveLength(120)
    expect(statuses.filter((status) => status === 403)).toHaveLength(80)
    const ends = () =>
      bindings.DB.prepare(
        'select status, count(*) as n, count(distinct coalesce(secret_id, container_id)) as made from orders where project_id = ? group by status',
      )
        .bind(busy.projectId)
        .all<{ status: string; n: number; made: number }>()
    let { results } = await ends()
    while (results.some(({ status }) => status === 'PENDING')) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      ;({ results } = await ends())
    }
    expect(results.map(({ status }) => status).toSorted()).toEqual(['ACTIVE', 'ERROR'])
    expect(results.reduce((sum, { n }) => sum + n, 0)).toBe(120)
    expect(results.find(({ status }) => status === 'ACTIVE')).toMatchObject({
      n: results.find(({ status }) => status === 'ACTIVE')?.made,
    })
  }, 120_000)
})

describe('an order that waits', () => {
  it('an order that waits is PENDING and shows its progress, and other requests of the project are answered', async () => {
    const id = await abandoned()
    expect(await orderOf(id)).toMatchObject({
      status: 'PENDING',
      sub_status: 'generating',
      sub_status_message: `Generating, attempt 1 of ${attemptTimes.length}`,
    })
    const other = await call('POST', '/v1/orders', {
      token: who.token,
      json: { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } },
    })
    expect(other.status).toBe(202)
    expect((await call('GET', '/v1/secrets', { token: who.token })).status).toBe(200)
  })
})

describe('an order that waits and the limits of its project', () => {
  it('an order that waits keeps room for what it will make, and gives it back when it is deleted', async () => {
    const limited = await owner()
    const { token, projectId } = limited
    const create = async () => (await call('POST', '/v1/secrets', { token, json: {} })).status
    const id = await abandoned('a passphrase', limited)
    await limit(projectId, { secrets: 3 })
    expect(await create()).toBe(403)
    await limit(projectId, { secrets: 4 })
    expect([await create(), await create()]).toEqual([201, 403])
    expect((await call('DELETE', `/v1/orders/${id}`, { token })).status).toBe(204)
    expect([await create(), await create(), await create(), await create()]).toEqual([201, 201, 201, 403])
  })
})

describe('an order whose run was cut off', () => {
  it('an order whose run was cut off is not run again while its attempt may still end', async () => {
    const id = await abandoned()
    await alarm()
    expect((await orderOf(id)).status).toBe('PENDING')
  })

  it("an order whose run was cut off is run again by its project's alarm, with its passphrase", async () => {
    const id = await abandoned('a passphrase')
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + attemptTimes[0])
    await alarm()
    const order = await orderOf(id)
    expect(order.status).toBe('ACTIVE')
    const container = await call('GET', order.container_ref, { token: who.token })
    const names = container.json.secret_refs.map(({ name }: { name: string }) => name)
    expect(names.toSorted()).toEqual(['private_key', 'private_key_passphrase', 'public_key'])
  })

  it('an order whose run was cut off makes one result, however many runs end', async () => {
    const id = await abandoned()
    const backend = await backendNow()
    await Promise.all([1, 2, 3, 4].map(() => runOrder(backend, who.projectId, id)))
    const { container_ref: ref } = await orderOf(id)
    const { results } = await bindings.DB.prepare('select id from containers where project_id = ? and name = ?')
      .bind(who.projectId, 'abandoned')
      .all<{ id: string }>()
    const own = results.filter((row) => ref.endsWith(row.id))
    expect(own).toHaveLength(1)
    const secrets = await bindings.DB.prepare(
      `select count(*) as n from secrets where project_id = ? and secret_type = 'private'
         and not exists (select 1 from container_secrets where secret_id = secrets.id)`,
    )
      .bind(who.projectId)
      .first<{ n: number }>()
    expect(secrets?.n).toBe(0)
  })

  it('an order whose run was cut off ends in ERROR when no attempt ends it', async () => {
    const id = await abandoned()
    await bindings.DB.prepare('update orders set attempts = ?, due = created where id = ?')
      .bind(attemptTimes.length, id)
      .run()
    await alarm()
    expect(await orderOf(id)).toMatchObject({
      status: 'ERROR',
      error_status_code: '500',
      error_reason: 'Process TypeOrder failure seen - please contact site administrator.',
    })
  })
})
