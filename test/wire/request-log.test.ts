/** The log of requests: one entry for each, with the caller, the target and the outcome. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isolate } from '../support/client.ts'
import { owner, type Account } from '../support/people.ts'
import { entryOf } from '../support/log-lines.ts'
import { idOf, secret } from '../support/stored.ts'

let who: Account
let logged: Record<string, unknown>[]
beforeEach(async () => {
  who = await owner()
  logged = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void logged.push(entryOf(line)))
})
afterEach(() => void vi.restoreAllMocks())

async function loggedOf(send: ReturnType<typeof isolate>, ...asked: Parameters<typeof send>) {
  const answer = await send(...asked)
  await vi.waitFor(() => expect(logged).toHaveLength(1))
  return { answer, entry: logged[0] }
}

describe('a request', () => {
  const send = isolate({ LOG: 'requests' })

  it('a request for a payload is logged with its caller, rule, target and outcome', async () => {
    const ref = await secret(who, { name: 'a name', payload: 'a payload', payload_content_type: 'text/plain' })
    const { answer, entry } = await loggedOf(send, 'GET', `${ref}/payload?a=query`, { token: who.token })
    expect(entry).toEqual({
      event: 'request',
      request_id: answer.headers.get('X-OpenStack-Request-Id'),
      address: 'local',
      method: 'GET',
      microversion: '1.0',
      user: who.userId,
      project: who.projectId,
      operation: 'Secret payload retrieval',
      rule: 'secret:decrypt',
      target: `secret/${idOf(ref)}`,
      status: 200,
      failure: null,
      milliseconds: expect.any(Number),
    })
  })

  it('a refused request is logged with the name of the failure', async () => {
    const ref = await secret(who)
    const stranger = await owner()
    const { entry } = await loggedOf(send, 'DELETE', ref, { token: stranger.token })
    expect(entry).toMatchObject({ user: stranger.userId, rule: 'secret:delete', status: 403, failure: 'notPermitted' })
  })

  it('a request without a caller is logged as one without a caller', async () => {
    const { entry } = await loggedOf(send, 'GET', '/v1/secrets', { token: 'nonsense' })
    expect(entry).toMatchObject({
      user: null,
      project: null,
      status: 401,
      failure: 'unauthenticated',
      target: null,
      microversion: null,
    })
  })

  it('a request at a loopback address is logged with its path, and without its query', async () => {
    const { entry } = await loggedOf(send, 'GET', 'http://127.0.0.1:9311/v1/nothing/?a=query', { token: who.token })
    expect(entry).toMatchObject({ method: 'GET', path: '/v1/nothing', status: 404 })
    expect(JSON.stringify(entry)).not.toContain('query')
  })

  it('a line of the log is JSON on one line, and begins with its time', async () => {
    const lines: unknown[] = []
    vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(line))
    const before = new Date().toISOString()
    await send('GET', '/v1/secrets', { token: who.token })
    await vi.waitFor(() => expect(lines).toHaveLength(1))
    const [, time = ''] = /^\{"time":"([^"]+)","event":"request",[^\n]*\}$/.exec(String(lines[0])) ?? []
    expect(time >= before && time <= new Date().toISOString()).toBe(true)
  })

  it('a request to the identity API is logged', async () => {
    const json = { auth: { identity: { methods: ['password'], password: { user: { id: 'x', password: 'y' } } } } }
    const { entry } = await loggedOf(send, 'POST', '/identity/v3/auth/tokens', { json })
    expect(entry).toMatchObject({ user: 'x', status: 401, failure: 'unauthenticated', address: 'local' })
  })

  it('a log-in is logged with its user and address, and never with its password', async () => {
    const json = (password: string) => ({
      auth: { identity: { methods: ['password'], password: { user: { id: who.userId, password } } } },
    })
    const headers = { 'CF-Connecting-IP': '192.0.2.7' }
    const path = '/identity/v3/auth/tokens'
    const wrong = await loggedOf(send, 'POST', path, { json: json('a wrong password'), headers })
    expect(wrong.entry).toMatchObject({ user: who.userId, address: '192.0.2.7', status: 401 })
    logged.length = 0
    const right = await loggedOf(send, 'POST', path, { json: json(who.password), headers })
    expect(right.entry).toMatchObject({ user: who.userId, address: '192.0.2.7', status: 201, failure: null })
    expect(JSON.stringify([wrong.entry, right.entry])).not.toContain('password"')
    expect(JSON.stringify([wrong.entry, right.entry])).not.toContain(who.password)
  })

  it('a successful request is not logged with LOG=problems', async () => {
    expect((await isolate({ LOG: 'problems' })('GET', '/v1/secrets', { token: who.token })).status).toBe(200)
    await loggedOf(send, 'GET', '/v1/orders', { token: who.token })
    expect(logged.map(({ operation }) => operation)).toEqual(['Order(s) retrieval'])
  })
})
