/**
 * The memory of an isolate: how long it answers with what it remembers of a secret, for requests that accept that and by
 * READ_CACHE_SECONDS, and which changes are visible at once.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { reaching } from '../../src/state/connect.ts'
import { MOST_REMEMBERED } from '../../src/state/secrets/memory.ts'
import { readSecret } from '../../src/state/secrets/secret-reads.ts'
import { createSecret } from '../../src/state/secrets/secrets.ts'
import { formatTime } from '../../src/times.ts'
import { backendAt } from '../support/backend.ts'
import { countingDatabase } from '../support/counting.ts'
import { call, isolate } from '../support/client.ts'
import { owner, person, type Person } from '../support/people.ts'
import { secret } from '../support/stored.ts'

const SECONDS = 5
const text = { payload: 'x', payload_content_type: 'text/plain' }

describe('READ_CACHE_SECONDS', () => {
  const { binding, trips } = countingDatabase()
  const ask = isolate({ DB: binding, READ_CACHE_SECONDS: String(SECONDS) })
  let who: Person
  let ref: string
  const send = (method: string, path: string, json?: unknown, headers = {}) =>
    ask(method, path, { token: who.token, json, headers, microversion: '1.1' })
  /** The number of round trips of these requests. */
  async function cost(requests: () => Promise<unknown>): Promise<number> {
    const before = trips()
    await requests()
    return trips() - before
  }
  const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000)

  beforeAll(async () => {
    who = await owner()
  })

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    ref = await secret(who, text)
    await send('GET', ref)
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it('repeated reads of a cached secret cost no round trip and have the same answer', async () => {
    const storm = async () => {
      for (let time = 0; time < 15; time += 1) expect((await send('GET', ref)).status).toBe(200)
    }
    expect(await cost(storm)).toBe(0)
    const { json } = await call('GET', ref, { token: who.token, microversion: '1.1' })
    expect((await send('GET', ref)).json).toEqual(json)
  })

  it('consumers are read when a microversion that shows them is first used, and shown to no other', async () => {
    const another = await secret(who, text)
    const consumersAt = async (microversion: string) =>
      (await ask('GET', another, { token: who.token, microversion })).json.consumers
    expect(await cost(async () => expect(await consumersAt('1.0')).toBeUndefined())).toBe(1)
    expect(await cost(async () => expect(await consumersAt('1.1')).toEqual([]))).toBe(1)
    expect(await cost(async () => expect(await consumersAt('1.0')).toBeUndefined())).toBe(0)
    expect(await cost(async () => expect(await consumersAt('1.1')).toEqual([]))).toBe(0)
  })

  it('a cached secret is shown for READ_CACHE_SECONDS and not a moment longer', async () => {
    const consumer = { service: 'image', resource_type: 'image', resource_id: 'i' }
    await call('POST', `${ref}/consumers`, { token: who.token, json: consumer, microversion: '1.1' })
    const consumers = async () => (await send('GET', ref)).json.consumers
    pass(SECONDS - 0.001)
    expect(await consumers()).toEqual([])
    pass(0.001)
    expect(await consumers()).toEqual([consumer])
  })

  it('a cached secret is not shown after the clock was set back', async () => {
    await call('DELETE', ref, { token: who.token })
    pass(-1)
    expect((await send('GET', ref)).status).toBe(404)
  })

  it('an expired secret is not shown from the cache', async () => {
    const expiration = new Date(Date.now() + 2_000).toISOString()
    const expiring = await secret(who, { ...text, expiration })
    expect((await send('GET', expiring)).status).toBe(200)
    pass(2)
    expect((await send('GET', expiring)).status).toBe(404)
  })

  it.each<[string, string, string, unknown]>([
    ['an ACL', 'PUT', '/acl', { read: { users: ['u'] } }],
    ['part of an ACL', 'PATCH', '/acl', { read: { users: ['u'] } }],
    ['no ACL', 'DELETE', '/acl', undefined],
    ['a consumer', 'POST', '/consumers', { service: 'image', resource_type: 'image', resource_id: 'i' }],
  ])('%s that was set through this isolate is shown at once', async (_, method, path, json) => {
    await send('PUT', `${ref}/acl`, { read: { users: ['before'] } })
    await send('GET', ref)
    expect((await send(method, ref + path, json)).status).toBe(200)
    const fresh = await call('GET', ref, { token: who.token, microversion: '1.1' })
    expect((await send('GET', ref)).json).toEqual(fresh.json)
  })

  it('a payload that was put through this isolate is shown at once', async () => {
    const empty = await secret(who)
    expect((await send('GET', empty)).json.content_types).toBeUndefined()
    await ask('PUT', empty, { token: who.token, body: 'x', headers: { 'Content-Type': 'text/plain' } })
    expect((await send('GET', empty)).json.content_types).toEqual({ default: 'text/plain' })
  })

  it('a secret that was deleted through this isolate is not shown from the cache', async () => {
    await send('DELETE', ref)
    expect((await send('GET', ref)).status).toBe(404)
  })

  it('the cache shows a secret to nobody who may not read it, and a refusal is never based on the cache', async () => {
    const stranger = await person(['creator'])
    const as = () => ask('GET', ref, { token: stranger.token })
    expect((await as()).status).toBe(403)
    await call('PUT', `${ref}/acl`, { token: who.token, json: { read: { users: [stranger.userId] } } })
    expect((await as()).status).toBe(200)
    await send('PUT', `${ref}/acl`, { read: { users: [] } })
    expect((await as()).status).toBe(403)
  })

  it('a payload is answered from memory, in either way of asking for it', async () => {
    await send('GET', `${ref}/payload`)
    const asked = async () => {
      expect((await send('GET', `${ref}/payload`)).text).toBe('x')
      expect((await send('GET', ref, undefined, { Accept: 'text/plain' })).text).toBe('x')
    }
    expect(await cost(asked)).toBe(0)
  })

  it('a change is never decided from memory', async () => {
    await call('DELETE', ref, { token: who.token })
    expect((await send('PUT', `${ref}/acl`, { read: { users: [] } })).status).toBe(404)
  })

  it('the cache is not used for a request with a bookmark', async () => {
    const deletion = await call('DELETE', ref, { token: who.token })
    const headers = { 'X-D1-Bookmark': deletion.headers.get('X-D1-Bookmark') ?? '' }
    expect((await send('GET', ref, undefined, headers)).status).toBe(404)
  })

  it('nothing is cached unless READ_CACHE_SECONDS is set', async () => {
    const plain = isolate({ DB: binding })
    const get = () => plain('GET', ref, { token: who.token })
    await get()
    expect(await cost(get)).toBe(1)
    await call('DELETE', ref, { token: who.token })
    expect((await get()).status).toBe(404)
  })

  it.each(['-1', '61', 'x', '1.5'])('a READ_CACHE_SECONDS of %s is refused', async (value) => {
    const answer = await isolate({ READ_CACHE_SECONDS: value })('GET', '/v1', {})
    expect(answer.status).toBe(503)
    expect(answer.json.description).toContain('READ_CACHE_SECONDS')
  })
})

describe('the cache of secrets', () => {
  it('the cache of secrets is bounded: the first of very many is evicted', async () => {
    const { binding, trips } = countingDatabase()
    const backend = { ...(await backendAt(formatTime(Date.now()), binding)), accepts: { most: 60, memory: 60 } }
    const who = { ...(await owner()), roles: [] }
    const described = { name: null, secretType: 'opaque', algorithm: null, mode: null, bitLength: null } as const
    const make = () => createSecret(backend, who, { ...described, expiration: null, contentType: null, payload: null })
    const id = await make()
    const ids = await Promise.all(Array.from({ length: MOST_REMEMBERED }, make))
    const tripsOf = async (one: string) => {
      const before = trips()
      await readSecret(reaching(backend, 'first-unconstrained'), one, false)
      return trips() - before
    }
    expect(await tripsOf(id)).toBe(1)
    await Promise.all(ids.map(tripsOf))
    expect(await tripsOf(ids.at(-1) ?? '')).toBe(0)
    expect(await tripsOf(id)).toBe(1)
  }, 120_000)
})
