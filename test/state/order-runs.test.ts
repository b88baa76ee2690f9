/**
 * Runs of orders that hang, fail or are overtaken. Only the platform's key generation is replaced, by one that blocks
 * or fails.
 */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env, exports } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../../src/config.ts'
import { SEAL_DELAY } from '../../src/state/wake.ts'
import { runOrder } from '../../src/state/orders/order-runs.ts'
import { attemptTimes, MOST_ORDERS_PER_ALARM } from '../../src/state/orders/order-schedule.ts'
import {
  findOrder,
  placeCertificateOrder,
  placeKeyPairOrder,
  updateCertificateOrder,
} from '../../src/state/orders/orders.ts'
import { formatTime } from '../../src/times.ts'
import { backendAt, databaseOf } from '../support/backend.ts'
import { call, type Request } from '../support/client.ts'
import { owner, type Person } from '../support/people.ts'
import { consumer, idOf, secret } from '../support/stored.ts'
import { entriesOf } from '../support/log-lines.ts'
import { requests } from '../vectors/certificate-requests.json'

const bindings = env as unknown as Environment
const generateKey = crypto.subtle.generateKey.bind(crypto.subtle) as (...given: unknown[]) => Promise<CryptoKeyPair>
const pause = () => new Promise((resolve) => setTimeout(resolve, 10))

let who: Person
beforeEach(async () => {
  who = await owner()
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const send = (method: string, path: string, request: Request = {}) =>
  call(method, path, { token: who.token, ...request })
const order = (type: string, meta: object) => send('POST', '/v1/orders', { json: { type, meta } })
const object = () => bindings.PROJECT.getByName(who.projectId)
const alarm = () => runDurableObjectAlarm(object())
const nextAlarm = () => runInDurableObject(object(), (_, { storage }) => storage.getAlarm())
const backendNow = () => backendAt(formatTime(Date.now()))
const caller = () => ({ ...who, roles: [], cloudAdmin: false })
const containers = async () => (await send('GET', '/v1/containers')).json.total as number

/** Sets a fake clock to `milliseconds` from now. */
function advance(milliseconds: number): void {
  if (!vi.isFakeTimers()) vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(Date.now() + milliseconds)
}

/** Blocks the generation of P-521 keys, which no other test here uses, until it is released. */
function heldGeneration() {
  const state = { held: true, waiting: 0 }
  vi.spyOn(crypto.subtle, 'generateKey').mockImplementation((async (...given: [{ namedCurve?: string }]) => {
    if (given[0].namedCurve === 'P-521') {
      state.waiting += 1
      while (state.held) await pause()
    }
    return generateKey(...given)
  }) as never)
  return {
    begun: async (runs = 1) => {
      while (state.waiting < runs) await pause()
    },
    release: () => void (state.held = false),
  }
}

/** Accepts an order for a key pair without running it, as if its Worker had ended. */
async function abandoned(bits: 256 | 528): Promise<string> {
  const shown = { name: null, algorithm: 'ec', bit_length: bits, expiration: null }
  const { id } = await placeKeyPairOrder(await backendNow(), caller(), {
    name: null,
    algorithm: 'ec',
    bitLength: bits,
    mode: null,
    expiration: null,
    contentType: null,
    passphrase: null,
    use: { extractable: null, usages: null },
    shown,
  })
  return `/v1/orders/${id}`
}

const databaseRow = async (ref: string) =>
  (await bindings.DB.prepare('select status, attempts from orders where id = ?')
    .bind(idOf(ref))
    .first<{ status: string; attempts: number }>()) ?? { status: '', attempts: 0 }
const statusOf = async (ref: string) => (await send('GET', ref)).json.status
async function ended(ref: string) {
  for (;;) {
    const { json } = await send('GET', ref)
    if (json.status !== 'PENDING') return json
    await pause()
  }
}

/** Mutations and reads of the project, each of which must succeed. */
async function useProject(): Promise<void> {
  const key = await order('key', { algorithm: 'aes', bit_length: 256 })
  expect(await statusOf(key.json.order_ref)).toBe('ACTIVE')
  const pair = await order('asymmetric', { algorithm: 'ec', bit_length: 256 })
  expect(await statusOf(pair.json.order_ref)).toBe('ACTIVE')
  const certificate = await order('certificate', { request_data: requests.p256 })
  expect((await ended(certificate.json.order_ref)).status).toBe('ACTIVE')
  expect((await send('DELETE', key.json.order_ref)).status).toBe(204)
  const ref = await secret(who)
  const consuming = await consumer(ref, who)
  expect((await send('DELETE', `${ref}/consumers`, { json: consuming })).status).toBe(200)
  for (const path of ['/v1/orders', '/v1/secrets', '/v1/containers', ref, pair.json.order_ref]) {
    expect((await send('GET', path)).status).toBe(200)
  }
}

describe('the runner of orders', () => {
  const { OrderRunner } = exports as unknown as {
    readonly OrderRunner: { run(projectId: string, orderId: string, pass: string): Promise<void> }
  }
  const refusedRun = async (projectId: string, ref: string, pass: string) => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    await OrderRunner.run(projectId, idOf(ref), pass)
    expect(entriesOf(log)).toEqual([{ event: 'run of an order without a pass refused' }])
    log.mockRestore()
  }

  it('the runner does nothing for who has no pass of the project’s object, whatever is sent as one', async () => {
    const ref = await abandoned(256)
    const other = await owner()
    for (const pass of ['', crypto.randomUUID(), idOf(ref), who.projectId, 'undefined', '__proto__']) {
      await refusedRun(who.projectId, ref, pass)
      await refusedRun(other.projectId, ref, pass)
    }
    const { attempts, ...order } = await databaseRow(ref)
    expect([order.status, attempts]).toEqual(['PENDING', 1])
    expect(await containers()).toBe(0)
  })

  it('a pass of the object is for one order and one run', async () => {
    const [ref, another] = [await abandoned(256), await abandoned(256)]
    const passes = vi.spyOn(crypto, 'randomUUID')
    advance(attemptTimes[0] + 1_000)
    await alarm()
    const given = passes.mock.results.map(({ value }) => String(value))
    expect(given.length).toBeGreaterThan(0)
    expect([(await ended(ref)).status, (await ended(another)).status]).toEqual(['ACTIVE', 'ACTIVE'])
    for (const pass of given) for (const order of [ref, another]) await refusedRun(who.projectId, order, pass)
    expect(await containers()).toBe(2)
  })
})

describe('a key generation that does not end', () => {
  it('while a key generation of a request does not end, the project’s other mutations and reads are answered', async () => {
    const generation = heldGeneration()
    const placed = await order('asymmetric', { algorithm: 'ec', bit_length: 528 })
    await generation.begun()
    await useProject()
    expect((await send('GET', placed.json.order_ref)).json).toMatchObject({
      status: 'PENDING',
      sub_status: 'generating',
    })
    generation.release()
    expect((await ended(placed.json.order_ref)).status).toBe('ACTIVE')
  })

  it('while a key generation of the alarm does not end, the project’s other mutations and reads are answered', async () => {
    const generation = heldGeneration()
    const waiting = await abandoned(528)
    advance(attemptTimes[0])
    const ringing = alarm()
    await generation.begun()
    await useProject()
    expect((await send('GET', waiting)).json).toMatchObject({
      status: 'PENDING',
      sub_status_message: `Generating, attempt 2 of ${attemptTimes.length}`,
    })
    generation.release()
    await ringing
    expect(await statusOf(waiting)).toBe('ACTIVE')
  })

  it('while a key generation does not end, the same alarm runs the other orders', async () => {
    const generation = heldGeneration()
    const [waiting, other] = [await abandoned(528), await abandoned(256)]
    advance(attemptTimes[0])
    const ringing = alarm()
    await generation.begun()
    expect((await ended(other)).status).toBe('ACTIVE')
    expect(await statusOf(waiting)).toBe('PENDING')
    generation.release()
    await ringing
  })

  it('while a key generation does not end, the alarm returns after its shortest attempt and sets the next one', async () => {
    const generation = heldGeneration()
    const waiting = await abandoned(528)
    advance(attemptTimes[0])
    const later = setTimeout
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, wait: number) =>
      later(run, wait === attemptTimes[0] ? 100 : wait)) as never)
    await alarm()
    // The event of the attempt is sealed in the meantime.
    const due = Date.now() + attemptTimes[1]
    expect(await nextAlarm()).toBe(Date.now() + SEAL_DELAY)
    advance(SEAL_DELAY)
    await alarm()
    expect(await nextAlarm()).toBe(due)
    expect(await statusOf(waiting)).toBe('PENDING')
    generation.release()
    expect((await ended(waiting)).status).toBe('ACTIVE')
  })

  it('while a key generation does not end, its order can be deleted: it stays deleted, and its run leaves nothing', async () => {
    const generation = heldGeneration()
    const [before, placed] = [await containers(), await order('asymmetric', { algorithm: 'ec', bit_length: 528 })]
    await generation.begun()
    expect((await send('DELETE', placed.json.order_ref)).status).toBe(204)
    generation.release()
    await runOrder(await backendNow(), who.projectId, idOf(placed.json.order_ref))
    await pause()
    expect((await send('GET', placed.json.order_ref)).status).toBe(404)
    expect([await containers(), (await send('GET', '/v1/secrets')).json.total]).toEqual([before, 0])
  })
})

describe('an order whose runs fail', () => {
  it('an order whose runs fail is retried with longer and longer pauses, and ends in ERROR after the last', async () => {
    vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValue(new Error('no entropy'))
    const placed = await order('asymmetric', { algorithm: 'ec', bit_length: 256 })
    const ref = placed.json.order_ref as string
    const waits: number[] = []
    for (let attempt = 1; attempt <= attemptTimes.length; attempt += 1) {
      expect((await send('GET', ref)).json).toMatchObject({
        status: 'PENDING',
        sub_status: 'generating',
        sub_status_message: `Generating, attempt ${attempt} of ${attemptTimes.length}`,
      })
      const row = await bindings.DB.prepare('select due from orders where id = ?')
        .bind(idOf(ref))
        .first<{ due: string }>()
      waits.push(Date.parse(`${row?.due}Z`) - Date.now())
      advance(waits.at(-1) ?? 0)
      await alarm()
    }
    expect(waits.map((wait) => Math.round(wait / 1_000) * 1_000)).toEqual([...attemptTimes])
    expect((await send('GET', ref)).json).toMatchObject({ status: 'ERROR', error_status_code: '500' })
    expect(await containers()).toBe(0)
  })
})

describe('an alarm with more orders than it runs at once', () => {
  it('an alarm with more orders than it runs at once sets the next alarm immediately, which runs the rest', async () => {
    const waiting: string[] = []
    for (let count = 0; count < MOST_ORDERS_PER_ALARM + 3; count += 1) waiting.push(await abandoned(256))
    advance(attemptTimes[0])
    const pending = async () =>
      (await Promise.all(waiting.map(statusOf))).filter((status) => status === 'PENDING').length
    await alarm()
    expect(await pending()).toBe(3)
    expect(await nextAlarm()).toBeLessThanOrEqual(Date.now())
    await alarm()
    expect(await pending()).toBe(0)
  })
})

describe('an alarm that cannot reach the database', () => {
  it('an alarm that cannot reach the database is followed by another, which runs the order', async () => {
    const waiting = await abandoned(256)
    advance(attemptTimes[0])
    await bindings.DB.exec('alter table orders rename to elsewhere')
    await alarm()
    await bindings.DB.exec('alter table elsewhere rename to orders')
    expect(await nextAlarm()).toBeGreaterThan(Date.now())
    await alarm()
    expect(await statusOf(waiting)).toBe('ACTIVE')
  })
})

/** The Worker's database, of which the statement number `place` (from 0) waits for `gate`. */
function heldAt(place: number, gate: Promise<unknown>): { binding: D1Database; held: Promise<void> } {
  const { DB } = bindings
  let seen = -1
  let isHeld = () => {}
  const held = new Promise<void>((resolve) => (isHeld = resolve))
  const waits = (statement: D1PreparedStatement): D1PreparedStatement => {
    const bind = statement.bind.bind(statement)
    const alone = (['all', 'first', 'raw', 'run'] as const).map((name) => [
      name,
      async (...options: unknown[]) => {
        isHeld()
        await gate
        return (statement[name] as (...given: unknown[]) => unknown).apply(statement, options)
      },
    ])
    return { ...Object.fromEntries(alone), bind: (...values: unknown[]) => waits(bind(...values)) }
  }
  const prepare = (text: string) => {
    seen += 1
    return seen === place ? waits(DB.prepare(text)) : DB.prepare(text)
  }
  return { binding: databaseOf({ prepare, batch: DB.batch.bind(DB) }), held }
}

describe('a certificate order', () => {
  const place = async (meta: object) => placeCertificateOrder(await backendNow(), caller(), meta)
  const pair = async () => {
    const { json } = await order('asymmetric', { algorithm: 'ec', bit_length: 256 })
    return (await ended(json.order_ref)).container_ref as string
  }
  const stored = (ref: string) => ({ request_type: 'stored-key', container_ref: ref, subject_dn: 'cn=a.example' })
  const failed = { status: 'ERROR', error_status_code: '400' }

  it('a certificate order that is updated is not ended by the run of its earlier version', async () => {
    const id = await place({ request_data: requests.sha1 })
    let release = () => {}
    const { binding, held } = heldAt(1, new Promise<void>((resolve) => (release = resolve)))
    const run = runOrder(await backendAt(formatTime(Date.now()), binding), who.projectId, id)
    await held
    const backend = await backendNow()
    const placed = await findOrder(backend, who.projectId, id)
    await updateCertificateOrder(backend, caller(), placed, { request_data: requests.p256 })
    release()
    await run
    expect(await statusOf(`/v1/orders/${id}`)).toBe('PENDING')
    await runOrder(await backendNow(), who.projectId, id)
    expect(await statusOf(`/v1/orders/${id}`)).toBe('ACTIVE')
  })

  it('a certificate order whose container is deleted before its run ends in ERROR and leaves nothing behind', async () => {
    const ref = await pair()
    const id = await place(stored(ref))
    expect((await send('DELETE', ref)).status).toBe(204)
    await runOrder(await backendNow(), who.projectId, id)
    expect((await send('GET', `/v1/orders/${id}`)).json).toMatchObject(failed)
    expect(await containers()).toBe(0)
  })

  it('a certificate order whose key is deleted during its run is retried, ends in ERROR and leaves nothing behind', async () => {
    const ref = await pair()
    // The first run of a project makes its authority, which signs too.
    expect((await send('GET', '/v1/cas')).status).toBe(200)
    const id = await place(stored(ref))
    const { json } = await send('GET', ref)
    const key = json.secret_refs.find(({ name }: { name: string }) => name === 'private_key')
    const sign = crypto.subtle.sign.bind(crypto.subtle) as (...given: unknown[]) => Promise<ArrayBuffer>
    let vanished: number | undefined
    vi.spyOn(crypto.subtle, 'sign').mockImplementation(async (...given: unknown[]) => {
      // MACs of rows are signed with HMAC.
      if (given[0] !== 'HMAC') vanished ??= (await send('DELETE', key.secret_ref)).status
      return sign(...given)
    })
    await runOrder(await backendNow(), who.projectId, id)
    expect(vanished).toBe(204)
    expect(await statusOf(`/v1/orders/${id}`)).toBe('PENDING')
    expect(await containers()).toBe(1)
    advance(attemptTimes[0])
    await alarm()
    expect((await send('GET', `/v1/orders/${id}`)).json).toMatchObject(failed)
    const { results } = await bindings.DB.prepare('select serial from issued_certificates where project_id = ?')
      .bind(who.projectId)
      .all()
    expect(results).toEqual([])
  })
})
