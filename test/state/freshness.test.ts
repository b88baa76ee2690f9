/**
 * How old an answer may be: what replicas and memory answer, up to which age, and in how many trips. The replica is a
 * second database; the clock is the test's.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { writeHeartbeat } from '../../src/state/deployment/heartbeats.ts'
import { formatTime } from '../../src/times.ts'
import { backendAt } from '../support/backend.ts'
import { bindingWith, edgeCredential } from '../support/bindings.ts'
import { call, identityBase, isolate, type Answer } from '../support/client.ts'
import { adminToken } from '../support/identity.ts'
import { entriesOf } from '../support/log-lines.ts'
import { owner, person, type Person } from '../support/people.ts'
import { migrateReplica, replicated } from '../support/replica.ts'
import { secret } from '../support/stored.ts'

const BOUND = 10
/** What is taken off the age of a heartbeat for two clocks, in seconds. */
const MARGIN = 2
const text = { payload: 'x', payload_content_type: 'text/plain' }

const { binding, trips, catchUp } = replicated()
const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000)
/** Lets work behind responses end. */
const settle = () => scheduler.wait(50)

let who: Person
let ref: string

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  await migrateReplica()
  who = await owner()
  ref = await secret(who, text)
})
afterAll(() => void vi.useRealTimers())

type Isolate = ReturnType<typeof isolate>
/** Memory belongs to a binding, so each isolate has one of its own. */
const cold = (variables: Readonly<Record<string, string>> = {}) =>
  isolate({ DB: { withSession: (constraint: string) => binding.withSession(constraint) }, ...variables })
const get = (send: Isolate, path: string, cacheControl?: string, headers: Record<string, string> = {}) =>
  send('GET', path, {
    token: who.token,
    headers: cacheControl === undefined ? headers : { ...headers, 'Cache-Control': cacheControl },
  })

/** The answer, the trips that its request waited for, and those behind the response. */
async function counted(ask: () => Promise<Answer>) {
  await settle()
  Object.assign(trips, { primary: 0, replica: 0, heartbeats: 0 })
  const answer = await ask()
  const waited = { near: trips.replica, primary: trips.primary }
  await settle()
  const behind = trips.replica + trips.primary - waited.near - waited.primary
  return { answer, ...waited, behind, heartbeats: trips.heartbeats }
}

/** A cold isolate asks once; the isolate then knows the caller. */
async function warm(variables: Readonly<Record<string, string>> = {}): Promise<Isolate> {
  const send = cold(variables)
  expect((await get(send, '/v1/secrets')).status).toBe(200)
  await settle()
  return send
}

/** Reads of each kind; a secret exists once the hook has run. */
const routes: readonly (() => string)[] = [
  () => ref,
  ...[
    'payload',
    'metadata',
    'acl',
    'acl/use',
    'consumers',
    'versions',
    'versions/1',
    'versions/1/payload',
    'versioning',
  ].map((part) => () => `${ref}/${part}`),
  ...['secrets', 'containers', 'orders', 'quotas'].map((collection) => () => `/v1/${collection}`),
]

describe('a replica that is recent enough', () => {
  beforeEach(catchUp)

  it('a cold isolate answers a read in one trip to it, and tells the age', async () => {
    for (const path of routes.map((route) => route())) {
      const { answer, near, primary, behind } = await counted(() => get(cold(), path))
      expect([path, answer.status, near, primary, behind]).toEqual([path, 200, 1, 0, 0])
      expect(answer.headers.get('Age')).toBe(String(MARGIN))
    }
  })

  it('what is asked with `no-cache`, or `max-age=0`, is answered by the primary in one trip, with an age of 0', async () => {
    for (const directive of ['no-cache', 'max-age=0', 'No-Cache, max-age=60', 'max-age="0"']) {
      const { answer, near, primary } = await counted(() => get(cold(), ref, directive))
      expect([directive, answer.status, near, primary, answer.headers.get('Age')]).toEqual([directive, 200, 0, 1, '0'])
    }
  })

  it('text that is no directive changes nothing', async () => {
    for (const directive of ['', 'max-age', 'max-age=-1', 'max-age=x', 'max-age=1.5', 'no-cachex', ',', 'no-store']) {
      const { answer, near, primary } = await counted(() => get(cold(), ref, directive))
      expect([directive, answer.status, near, primary]).toEqual([directive, 200, 1, 0])
    }
  })

  it('a heartbeat from the future counts as none, and is logged', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    pass(60)
    await catchUp()
    pass(-60)
    const { answer, near, primary } = await counted(() => get(cold(), ref))
    expect([answer.status, near, primary]).toEqual([200, 1, 1])
    expect(entriesOf(log).map(({ event }) => event)).toContain('heartbeat from the future')
    log.mockRestore()
    pass(61)
  })
})

describe('a replica that lags', () => {
  beforeEach(catchUp)

  it('it answers up to the bound, less the margin for two clocks, and the primary from then on', async () => {
    pass(BOUND - MARGIN - 0.001)
    const last = await counted(() => get(cold(), ref))
    expect([last.answer.status, last.near, last.primary, last.answer.headers.get('Age')]).toEqual([200, 1, 0, '10'])
    pass(0.001)
    for (const path of routes) {
      const { answer, near, primary } = await counted(() => get(cold(), path()))
      expect([path(), answer.status, near, primary, answer.headers.get('Age')]).toEqual([path(), 200, 1, 1, '0'])
    }
  })

  it('a request that accepts less is answered by the primary', async () => {
    pass(1)
    const send = await warm()
    const less = await counted(() => get(send, ref, 'max-age=3'))
    expect([less.near, less.primary, less.answer.headers.get('Age')]).toEqual([1, 1, '0'])
    const more = await counted(() => get(send, `${ref}/acl`, 'max-age=4'))
    expect([more.near, more.primary]).toEqual([1, 0])
  })

  it.each([
    ['0', 0, 1],
    ['2', 0, 1],
    ['60', 1, 0],
  ])('STALENESS_SECONDS=%s sets the bound', async (seconds, near, primary) => {
    pass(20)
    await call('GET', '/v1/secrets', { token: who.token })
    const asked = await counted(() => get(cold({ STALENESS_SECONDS: seconds }), ref))
    expect([asked.answer.status, asked.near, asked.primary]).toEqual([200, near, primary])
  })

  it.each(['-1', '61', 'x', '1.5'])('a STALENESS_SECONDS of %s is refused', async (value) => {
    const answer = await isolate({ STALENESS_SECONDS: value })('GET', '/v1', {})
    expect([answer.status, answer.json.description]).toEqual([503, expect.stringContaining('STALENESS_SECONDS')])
  })

  it('no refusal comes from it: what it lacks, what it withholds and whom it does not know is asked of the primary', async () => {
    const late = await secret(who, text)
    const stranger = await person(['creator'])
    await call('PUT', `${ref}/acl`, { token: who.token, json: { read: { users: [stranger.userId] } } })
    expect((await counted(() => get(cold(), late))).answer.status).toBe(200)
    expect((await cold()('GET', ref, { token: stranger.token })).status).toBe(200)
    await call('DELETE', `${ref}/acl`, { token: who.token })
  })
})

describe('heartbeats', () => {
  beforeEach(catchUp)

  it('who finds one older than half the bound writes the next behind its response, once in a quarter of the bound', async () => {
    const send = await warm()
    pass(BOUND / 2 - MARGIN)
    expect((await counted(() => get(send, ref))).heartbeats).toBe(1)
    expect((await counted(() => get(send, ref))).heartbeats).toBe(0)
    pass(BOUND / 4)
    expect((await counted(() => get(send, ref))).heartbeats).toBe(1)
  })

  it('nobody writes one while the primary answers, or while the service is read-only', async () => {
    const near = isolate({ DB: { withSession: () => binding.withSession('first-primary') } })
    expect((await counted(() => get(near, ref))).heartbeats).toBe(0)
    pass(BOUND)
    expect((await counted(() => get(near, ref))).heartbeats).toBe(0)
    const { near: asked, primary, heartbeats } = await counted(() => get(cold({ READ_ONLY: 'on' }), ref))
    expect([asked, primary, heartbeats]).toEqual([1, 1, 0])
  })

  it('after a pause the first reader asks the primary, and the next one the replica again', async () => {
    pass(120)
    const send = cold()
    const first = await counted(() => get(send, ref))
    expect([first.answer.status, first.near, first.primary, first.heartbeats]).toEqual([200, 1, 1, 1])
    await catchUp()
    const second = await counted(() => get(send, ref))
    expect([second.answer.status, second.near, second.primary]).toEqual([200, 1, 0])
  })

  it('of several that are written at once, one is stored', async () => {
    const backend = await backendAt(formatTime(Date.now() + 60_000))
    pass(60)
    await Promise.all(Array.from({ length: 5 }, () => writeHeartbeat(backend, BOUND)))
    pass(BOUND / 4 - 0.001)
    const before = Date.now()
    await writeHeartbeat(backend, BOUND)
    await catchUp()
    const { answer } = await counted(() => get(cold(), ref))
    expect([Date.now(), answer.headers.get('Age')]).toEqual([before, String(MARGIN)])
  })
})

describe('memory', () => {
  beforeEach(catchUp)

  it('who accepts an age is answered from memory, without a trip, with the age of what is remembered', async () => {
    const send = cold()
    const one = await counted(() => get(send, ref, 'max-age=10'))
    expect([one.near, one.primary]).toEqual([1, 0])
    // The payload is of the same look-up, and so is what a client asks for first or next.
    for (const path of [ref, `${ref}/payload`, ref]) {
      const first = await call('GET', path, { token: who.token, headers: { Accept: '*/*' } })
      const again = await counted(() => get(send, path, 'max-age=10', { Accept: '*/*' }))
      expect([path, again.near, again.primary, again.answer.headers.get('Age')]).toEqual([path, 0, 0, String(MARGIN)])
      expect([again.answer.status, again.answer.text]).toEqual([200, first.text])
    }
  })

  it('who accepts none is never answered from memory', async () => {
    const send = cold()
    await get(send, ref, 'max-age=10')
    const { near, primary } = await counted(() => get(send, ref))
    expect([near, primary]).toEqual([1, 0])
  })

  it('READ_CACHE_SECONDS is the age of who states none, and never more than the bound', async () => {
    const send = cold({ READ_CACHE_SECONDS: '60' })
    await get(send, `${ref}/payload`)
    const first = await counted(() => get(send, `${ref}/payload`))
    expect([first.near, first.primary]).toEqual([0, 0])
  })

  it('with a READ_CACHE_SECONDS above the bound, a deleted secret is gone within the bound', async () => {
    const send = cold({ READ_CACHE_SECONDS: '60' })
    const gone = await secret(who, text)
    await catchUp()
    expect((await get(send, gone)).status).toBe(200)
    expect((await call('DELETE', gone, { token: who.token })).status).toBe(204)
    pass(BOUND)
    await writeHeartbeat(await backendAt(formatTime(Date.now())), 0)
    await catchUp()
    expect((await get(send, gone)).status).toBe(404)
  })

  it('the age is that of the oldest thing that is remembered, here the secret and not its reader', async () => {
    const send = cold()
    await get(send, ref, 'max-age=10')
    pass(4)
    await writeHeartbeat(await backendAt(formatTime(Date.now())), 0)
    await catchUp()
    const list = await counted(() => get(send, '/v1/secrets', 'max-age=3'))
    expect([list.near, list.primary, list.answer.headers.get('Age')]).toEqual([1, 0, String(MARGIN)])
    const { answer, near, primary } = await counted(() => get(send, ref, 'max-age=10'))
    expect([near, primary, answer.headers.get('Age')]).toEqual([0, 0, String(4 + MARGIN)])
  })

  it('the requests in which castellan reads a key without a name are one look-up with READ_CACHE_SECONDS', async () => {
    const send = await warm({ READ_CACHE_SECONDS: '10' })
    const burst = await counted(async () => {
      for (let time = 0; time < 15; time += 1) expect((await get(send, ref)).status).toBe(200)
      return get(send, `${ref}/payload`, undefined, { Accept: '*/*' })
    })
    expect([burst.answer.text, burst.near, burst.primary, burst.behind]).toEqual(['x', 1, 0, 0])
  })

  it('a steady caller never waits: what is half as old as it accepts is read again behind the response', async () => {
    const send = cold()
    await get(send, ref, 'max-age=10')
    for (let time = 0; time < 10; time += 1) {
      pass(2)
      await writeHeartbeat(await backendAt(formatTime(Date.now())), 0)
      await catchUp()
      const { answer, near, primary } = await counted(() => get(send, ref, 'max-age=10'))
      expect([time, answer.status, near, primary]).toEqual([time, 200, 0, 0])
      expect(Number(answer.headers.get('Age'))).toBeLessThan(BOUND)
    }
  })

  it('of many that ask at the same moment, one reads again', async () => {
    const send = cold()
    await get(send, ref, 'max-age=10')
    pass(5)
    const { near, primary, behind } = await counted(async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => get(send, ref, 'max-age=10')))
      return answers[0] as Answer
    })
    expect([near, primary]).toEqual([0, 0])
    expect(behind).toBeLessThanOrEqual(3)
  })

  it('a secret that is gone is forgotten by the reading ahead', async () => {
    const gone = await secret(who, text)
    await catchUp()
    const send = cold()
    await get(send, gone, 'max-age=10')
    await call('DELETE', gone, { token: who.token })
    await catchUp()
    pass(5)
    expect((await get(send, gone, 'max-age=10')).status).toBe(200)
    await vi.waitFor(async () => expect((await get(send, gone, 'max-age=10')).status).toBe(404), { timeout: 5_000 })
  })

  it('who may not read what is remembered is told nothing of it, also if this isolate does not know the caller', async () => {
    const stranger = await person(['creator'])
    await catchUp()
    const send = cold()
    for (const path of [`${ref}/payload`, ref]) {
      expect((await get(send, path, 'max-age=10', { Accept: 'text/plain' })).headers.get('ETag')).toBe('"1"')
      const headers = { 'Cache-Control': 'max-age=10', Accept: 'text/plain' }
      const { status, headers: sent } = await send('GET', path, { token: stranger.token, headers })
      expect([path, status, sent.get('ETag'), sent.get('Age')]).toEqual([path, 403, null, null])
    }
  })

  it('a refusal is never based on what is remembered of a caller', async () => {
    const colleague = await person(['creator'])
    const send = cold()
    expect((await send('GET', ref, { token: colleague.token })).status).toBe(403)
    await call('PUT', `${ref}/acl`, { token: who.token, json: { read: { users: [colleague.userId] } } })
    expect(
      (await send('GET', ref, { token: colleague.token, headers: { 'Cache-Control': 'max-age=10' } })).status,
    ).toBe(200)
    await call('DELETE', `${ref}/acl`, { token: who.token })
  })
})

describe('T6: what ends a right ends it within the bound, however far the replica lags', () => {
  beforeEach(catchUp)

  it.each<[string, (member: Person, of: string) => Promise<unknown>]>([
    ['the secret is deleted', (_, of) => call('DELETE', of, { token: who.token })],
    [
      'the ACL withdraws it',
      (_, of) => call('PUT', `${of}/acl`, { token: who.token, json: { read: { users: [], 'project-access': false } } }),
    ],
    [
      'the user is disabled',
      async ({ userId }) =>
        call('PATCH', `${identityBase}/users/${userId}`, {
          token: await adminToken(),
          json: { user: { enabled: false } },
        }),
    ],
    [
      'the project is disabled',
      async ({ projectId }) =>
        call('PATCH', `${identityBase}/projects/${projectId}`, {
          token: await adminToken(),
          json: { project: { enabled: false } },
        }),
    ],
  ])('T6: %s', async (_, change) => {
    const member = await person(['creator'])
    const other = await secret(who, text)
    await call('PUT', `${other}/acl`, { token: who.token, json: { read: { users: [member.userId] } } })
    await catchUp()
    const send = cold()
    const read = async () =>
      (await send('GET', `${other}/payload`, { token: member.token, headers: { 'Cache-Control': 'max-age=60' } }))
        .status
    expect(await read()).toBe(200)
    await change(member, other)
    for (let second = 0; second < BOUND; second += 1) {
      expect([second, await read()]).toEqual([second, expect.any(Number)])
      pass(1)
    }
    expect([401, 403, 404]).toContain(await read())
    pass(120)
    expect([401, 403, 404]).toContain(await read())
  })
})

describe('a service binding', () => {
  beforeEach(catchUp)

  const near = () => ({ DB: { withSession: (constraint: string) => binding.withSession(constraint) } as D1Database })

  it('a look-up over it is one trip to the replica, and tells the time as of which it is', async () => {
    const { id } = await edgeCredential(who)
    await catchUp()
    const keys = bindingWith({ credential: id }, near())
    await settle()
    Object.assign(trips, { primary: 0, replica: 0 })
    const found = await keys.payload(ref)
    expect([found.ok, trips.replica, trips.primary]).toEqual([true, 1, 0])
    expect(found.ok && Date.parse(found.value.asOf)).toBe(Date.now() - MARGIN * 1000)
  })

  it('T6: a credential that was deleted ends it within the bound, however far the replica lags', async () => {
    const { id, path } = await edgeCredential(who)
    await catchUp()
    const keys = bindingWith({ credential: id }, near())
    const status = async () => {
      const found = await keys.payload(ref, { maxAge: 60 })
      return found.ok ? 200 : found.status
    }
    expect(await status()).toBe(200)
    expect((await call('DELETE', identityBase + path, { token: who.token })).status).toBe(204)
    pass(BOUND - MARGIN - 1)
    expect(await status()).toBe(200)
    pass(MARGIN + 1)
    expect(await status()).toBe(401)
    pass(600)
    expect(await status()).toBe(401)
  })

  it('of several secrets at once, one that the replica lacks is found at the primary', async () => {
    const { id } = await edgeCredential(who)
    await catchUp()
    const late = await secret(who, text)
    const found = await bindingWith({ credential: id }, near()).payloads([ref, late])
    expect(found.ok && found.value.map(({ ok }) => ok)).toEqual([true, true])
  })
})

describe('an outage', () => {
  const outage = { primary: false, replica: false }
  const broken = {
    withSession(constraint: string) {
      const session = binding.withSession(constraint)
      const isDown = () => outage.primary && (constraint === 'first-primary' || outage.replica)
      const send = async <Result>(sending: () => Promise<Result>) => {
        if (isDown()) throw new Error('D1_ERROR: Network connection lost.')
        return sending()
      }
      return {
        prepare: (query: string) => session.prepare(query),
        batch: (statements: D1PreparedStatement[]) => send(() => session.batch(statements)),
        getBookmark: () => session.getBookmark(),
      }
    },
  }

  it('reads go on from memory until the bound, and end with 503 and Retry-After', async () => {
    await catchUp()
    const send = isolate({ DB: broken })
    expect((await get(send, ref, 'max-age=60')).status).toBe(200)
    Object.assign(outage, { primary: true, replica: true })
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    pass(BOUND - MARGIN - 1)
    expect((await get(send, ref, 'max-age=60')).status).toBe(200)
    pass(1)
    const answer = await get(send, ref, 'max-age=60')
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, '5'])
    expect((await get(send, ref)).status).toBe(503)
    Object.assign(outage, { primary: false, replica: false })
    expect((await get(send, ref, 'max-age=60')).status).toBe(200)
    vi.restoreAllMocks()
  })
})
