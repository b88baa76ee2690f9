/**
 * Read-only operation: what would change something is 503 with a reason and `Retry-After`, reads and log-ins go on, and
 * the sweep and the alarms rest. Nothing in the database changes.
 */
import { createScheduledController, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../../src/config.ts'
import worker from '../../src/index.ts'
import { READ_ONLY_SECONDS } from '../../src/state/read-only.ts'
import { tableNames } from '../support/every-table.ts'
import { objectErrors } from '../support/faulty-platform.ts'
import { alarmOf, alarmTimeOf, eventsOf, objectOf } from '../support/audited-object.ts'
import { call, database } from '../support/client.ts'
import { HOOK_MILLISECONDS, owner, person, type Account, type Person } from '../support/people.ts'
import { container, secret } from '../support/stored.ts'
import { workerWith } from '../support/worker-with.ts'

const bindings = env as unknown as Environment
const log = vi.spyOn(console, 'error').mockImplementation(() => {})
const payload = { payload: 'a payload', payload_content_type: 'text/plain' }
const keyOrder = { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } }
const REASON = 'a restore'

let who: Account
let operator: Person
let secretRef: string
let containerRef: string
beforeAll(async () => {
  who = await owner()
  operator = await person(['key-manager:service-admin'])
  secretRef = await secret(who, payload)
  containerRef = await container(who)
}, HOOK_MILLISECONDS)
afterEach(() => void vi.useRealTimers())

/** All rows of all tables, as text. */
async function contents(): Promise<Record<string, string>> {
  const read = tableNames.map(async (name) => {
    const { results } = await database.prepare(`select * from ${name}`).all()
    return [name, JSON.stringify(results)] as const
  })
  return Object.fromEntries(await Promise.all(read))
}

const set = (read_only: boolean, send = call) =>
  send('PUT', '/admin/read-only', { token: operator.token, json: { read_only, ...(read_only && { reason: REASON }) } })

const byVariable = workerWith({ READ_ONLY: 'on' })

describe.each([
  ['the variable READ_ONLY', byVariable, 'the variable READ_ONLY is on', () => {}],
  ['an operator', call, REASON, () => set(true)],
] as const)('a service that %s makes read-only', (name, send, reason, begin) => {
  it(`a service that ${name} makes read-only refuses every change with 503, a reason and Retry-After`, async () => {
    await begin()
    const before = await contents()
    const { token } = who
    const refused = [
      ['POST', '/v1/secrets', payload],
      ['PUT', `${secretRef}/acl`, { read: { users: [] } }],
      ['PUT', `${secretRef}/metadata`, { metadata: { a: 'b' } }],
      ['POST', `${secretRef}/consumers`, { service: 'a', resource_type: 'b', resource_id: 'c' }],
      ['DELETE', secretRef, undefined],
      ['DELETE', containerRef, undefined],
      ['POST', '/v1/orders', keyOrder],
      // The first list of a project makes its authority.
      ['GET', '/v1/cas', undefined],
    ] as const
    for (const [method, path, json] of refused) {
      const answer = await send(method, path, { token, ...(json && { json }) })
      expect([path, answer.status, answer.headers.get('Retry-After')]).toEqual([path, 503, '60'])
      expect(answer.json.description).toBe(`The service is read-only: ${reason}. Try again later.`)
    }
    const admin = { token: operator.token }
    for (const [method, path] of [
      ['POST', '/admin/rotate'],
      ['PUT', `/v1/project-quotas/${who.projectId}`],
      ['DELETE', `/admin/projects/${who.projectId}/destruction`],
    ] as const)
      expect((await send(method, path, { ...admin, json: {} })).status).toBe(503)
    expect(await contents()).toEqual(before)
  })

  it(`a service that ${name} makes read-only answers reads, and 401 and 403 before 503, without a change`, async () => {
    const before = await contents()
    const { token } = who
    for (const path of [secretRef, `${secretRef}/payload`, containerRef, '/v1/secrets', '/v1/orders', '/v1/quotas'])
      expect((await send('GET', path, { token })).status).toBe(200)
    expect((await send('GET', '/admin/read-only', { token: operator.token })).json.read_only).toBe(true)
    expect((await send('POST', '/v1/secrets', { json: {} })).status).toBe(401)
    expect((await send('POST', '/admin/rotate', { token, json: {} })).status).toBe(403)
    expect((await send('PUT', `/admin/projects/${who.projectId}/destruction`, { token, json: {} })).status).toBe(403)
    expect(await contents()).toEqual(before)
  })

  it(`a service that ${name} makes read-only answers log-ins without a change, and slows guesses all the same`, async () => {
    const before = await contents()
    const logIn = (password: string) =>
      send('POST', '/identity/v3/auth/tokens', {
        headers: { 'CF-Connecting-IP': name === 'an operator' ? '192.0.2.7' : '192.0.2.8' },
        json: {
          auth: { identity: { methods: ['password'], password: { user: { id: who.userId, password } } } },
        },
      })
    const answer = await logIn(who.password)
    expect(answer.status).toBe(201)
    const token = answer.headers.get('X-Subject-Token') ?? ''
    expect((await send('GET', `${secretRef}/payload`, { token })).status).toBe(200)
    const statuses: number[] = []
    for (let at = 0; at < 7; at += 1) statuses.push((await logIn('wrong')).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
    expect((await logIn(who.password)).status).toBe(429)
    const revoked = await send('DELETE', '/identity/v3/auth/tokens', {
      token,
      headers: { 'X-Subject-Token': token },
    })
    expect([revoked.status, revoked.headers.get('Retry-After')]).toEqual([503, '60'])
    expect(revoked.json.error.message).toContain(reason)
    expect(await contents()).toEqual(before)
  })
})

describe('a service that an operator makes read-only', () => {
  it('the sweep and the alarms rest, and go on when the service is writable again', async () => {
    await set(true)
    const fresh = { ...bindings }
    const before = await contents()
    await worker.scheduled(createScheduledController(), fresh)
    expect(await alarmOf(who.projectId)).toBe(0)
    expect(((await alarmTimeOf(who.projectId)) ?? 0) - Date.now()).toBeGreaterThan(30_000)
    expect(await contents()).toEqual(before)
    expect((await eventsOf(who.projectId)).every(({ number }) => number === null)).toBe(true)
    expect((await set(false)).json.read_only).toBe(false)
    expect(await alarmOf(who.projectId)).toBeGreaterThan(0)
    expect((await eventsOf(who.projectId)).every(({ number }) => number !== null)).toBe(true)
    expect((await call('POST', '/v1/secrets', { token: who.token, json: payload })).status).toBe(201)
    const switched = (await eventsOf('the deployment')).filter(({ target_type: type }) => type.endsWith('deployment'))
    expect(switched.map(({ operation }) => operation).slice(-2)).toEqual([
      'Read-only operation: read-only',
      'Read-only operation: writable',
    ])
    expect(switched.at(-1)?.initiator_id).toBe(operator.userId)
  })

  it('another isolate notices after the stated time at most, and asks nobody on the way of a GET', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    let asked = 0
    const getByName = (projectId: string) => {
      if (projectId === 'the deployment') asked += 1
      return bindings.PROJECT.getByName(projectId)
    }
    const idFromName = (name: string) => bindings.PROJECT.idFromName(name)
    const other = workerWith({}, { PROJECT: { getByName, idFromName } as unknown as Env['PROJECT'] })
    const post = () => other('POST', '/v1/secrets', { token: who.token, json: payload })
    expect((await other('GET', secretRef, { token: who.token })).status).toBe(200)
    expect(asked).toBe(0)
    for (const _ of [1, 2, 3]) expect((await post()).status).toBe(201)
    expect(asked).toBe(1)
    await set(true)
    vi.setSystemTime(Date.now() + READ_ONLY_SECONDS * 1000)
    expect((await post()).status).toBe(503)
    expect(asked).toBe(2)
    await set(false)
    vi.setSystemTime(Date.now() + READ_ONLY_SECONDS * 1000)
    expect((await post()).status).toBe(201)
  })

  it('a change is refused while the object that knows it does not answer, unless it has done so within the stated time', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const later = () => vi.setSystemTime(Date.now() + READ_ONLY_SECONDS * 1000)
    let answering = false
    const getByName = (projectId: string) => {
      const readOnly = () => Promise.reject(objectErrors.repeatable())
      return projectId === 'the deployment' && !answering ? { readOnly } : bindings.PROJECT.getByName(projectId)
    }
    const idFromName = (name: string) => bindings.PROJECT.idFromName(name)
    const other = workerWith({}, { PROJECT: { getByName, idFromName } as unknown as Env['PROJECT'] })
    const { token } = who
    const post = async () => {
      const { status, headers, json } = await other('POST', '/v1/secrets', { token, json: payload })
      return [status, headers.get('Retry-After'), json.description]
    }
    const written = [201, null, undefined]
    const refused = (why: string) => [503, '60', `The service is read-only: ${why}. Try again later.`]
    const unknown = refused('it cannot be asked whether an operator has made it so')

    const { secrets: before } = await contents()
    expect(await post()).toEqual(unknown)
    expect((await other('GET', `${secretRef}/payload`, { token })).status).toBe(200)
    expect((await other('GET', '/admin/read-only', { token: operator.token })).status).toBe(503)
    expect((await contents())['secrets']).toBe(before)
    answering = true
    expect(await post()).toEqual(written)
    answering = false
    expect(await post()).toEqual(written)
    later()
    expect(await post()).toEqual(unknown)
    answering = true
    await set(true)
    expect(await post()).toEqual(refused(REASON))
    answering = false
    later()
    expect(await post()).toEqual(refused(REASON))
    answering = true
    await set(false)
    later()
    expect(await post()).toEqual(written)
  })

  it('a restore of the database does not end it, because the database does not have it', async () => {
    await set(true)
    expect(JSON.stringify(await contents())).not.toContain(REASON)
    const kept = await runInDurableObject(objectOf('the deployment'), (instance) => instance.readOnly())
    expect(kept).toMatchObject({ reason: REASON })
    await set(false)
  })

  it('with AUDIT_READS=strict a payload is refused, because its event cannot be stored', async () => {
    const strict = workerWith({ READ_ONLY: 'on', AUDIT_READS: 'strict' })
    const answer = await strict('GET', `${secretRef}/payload`, { token: who.token })
    expect([answer.status, answer.text.includes('a payload')]).toEqual([503, false])
    expect((await strict('GET', secretRef, { token: who.token, headers: { Accept: 'application/json' } })).status).toBe(
      200,
    )
  })

  it('no first administrator is made, and none is made anew', async () => {
    const recovering = workerWith({
      READ_ONLY: 'on',
      ADMIN_RECOVERY: 'reset',
      ADMIN_PASSWORD: 'another password of tests',
    })
    const { identity_users: before } = await contents()
    const answer = await recovering('POST', '/identity/v3/auth/tokens', {
      headers: { 'CF-Connecting-IP': '192.0.2.9' },
      json: {
        auth: {
          identity: {
            methods: ['password'],
            password: { user: { name: 'admin', domain: { id: 'default' }, password: 'another password of tests' } },
          },
        },
      },
    })
    expect(answer.status).toBe(401)
    expect((await contents())['identity_users']).toEqual(before)
    expect(log).toHaveBeenCalledWith(expect.stringContaining('log-in failed while read-only'))
  })
})
