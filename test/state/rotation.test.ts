/** Rotation of the master keys: reads before, during and after it, and refusals. */
import { env } from 'cloudflare:workers'
import { createScheduledController } from 'cloudflare:test'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import worker from '../../src/index.ts'
import type { Environment } from '../../src/config.ts'
import { adminToken } from '../support/identity.ts'
import { callAs, owner, person, project, type Person } from '../support/people.ts'
import { expectRefusal, notPermitted } from '../support/refusals.ts'
import { workerWith } from '../support/worker-with.ts'
import { entriesOf } from '../support/log-lines.ts'

const bindings = env as unknown as Environment & { readonly MASTER_KEYS: string }
const random = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))
const OLD = bindings.MASTER_KEYS
const oldId = OLD.split(':')[0]
const next = `next:${random()}`

const before = workerWith({ MASTER_KEYS: OLD })
const during = workerWith({ MASTER_KEYS: `${next},${OLD}` })
const after = workerWith({ MASTER_KEYS: next })

let operator: Person
let owners: Person[]
const refs = new Map<string, Person>()

beforeAll(async () => {
  operator = await person(['key-manager:service-admin'])
  await passwordOf()
  owners = await Promise.all(Array.from({ length: 60 }, async () => owner()))
  for (const who of owners) {
    const json = { payload: who.projectId, payload_content_type: 'text/plain' }
    const { json: made } = await callAs(() => who)('POST', '/v1/secrets', { json })
    refs.set(made.secret_ref, who)
  }
}, 120_000)

async function expectReadable(send: typeof during): Promise<void> {
  for (const [ref, who] of refs) {
    const answer = await send('GET', `${ref}/payload`, { token: who.token, headers: { Accept: 'text/plain' } })
    expect([answer.status, answer.text]).toEqual([200, who.projectId])
  }
}

const report = async (send: typeof during) =>
  (await send('GET', '/admin/rotate', { token: operator.token })).json.master_keys as {
    id: string
    primary: boolean
    project_keys: number
    removable: boolean
  }[]

/** A user of the embedded identity with a password, so that a token can be issued under any keyring. */
let account: Promise<{ readonly name: string; readonly projectId: string }> | undefined
const PASSWORD = 'a password of rotations'

async function newAccount() {
  const projectId = await project()
  const name = crypto.randomUUID()
  const token = await adminToken()
  const user = { name, password: PASSWORD, domain_id: 'default' }
  const { json } = await before('POST', '/identity/v3/users', { token, json: { user } })
  const { json: roles } = await before('GET', '/identity/v3/roles?name=creator', { token })
  await before('PUT', `/identity/v3/projects/${projectId}/users/${json.user.id}/roles/${roles.roles[0].id}`, { token })
  return { name, projectId }
}

async function passwordOf() {
  account ??= newAccount()
  const { name, projectId } = await account
  const password = { user: { name, password: PASSWORD, domain: { id: 'default' } } }
  return { auth: { identity: { methods: ['password'], password }, scope: { project: { id: projectId } } } }
}

async function tokenOf(send: typeof during): Promise<string> {
  const answer = await send('POST', '/identity/v3/auth/tokens', { json: await passwordOf() })
  return answer.headers.get('X-Subject-Token') ?? ''
}

describe('a rotation', () => {
  it('only the operator may rotate, and others get the usual refusal', async () => {
    const headers = { Accept: 'application/json' }
    const [who] = owners
    expect((await during('POST', '/admin/rotate')).status).toBe(401)
    const refused = await during('POST', '/admin/rotate', { token: who?.token ?? '', headers })
    expectRefusal(refused, 403, notPermitted('Key rotation'))
    expectRefusal(await during('PUT', '/admin/rotate', { token: operator.token, headers }), 405, '')
    expectRefusal(await during('GET', '/admin/other', { token: operator.token, headers }), 404, '')
  })

  it('a rotation without a key that is still needed is refused, and nothing is lost', async () => {
    const [[ref, who] = ['', undefined]] = refs
    const answer = await after('POST', '/identity/v3/auth/tokens', { json: await passwordOf() })
    const reason = `MASTER_KEYS lacks the key '${oldId}', which project keys are still wrapped under`
    const description = `The service is not configured: ${reason}`
    expect(answer.json).toEqual({ code: 503, title: 'Service Unavailable', description })
    expect((await after('GET', `${ref}/payload`, { token: who?.token ?? '' })).json).toEqual(answer.json)
    await expectReadable(before)
  })

  it('a rotation continues in steps until nothing depends on the old key, and everything can be read throughout', async () => {
    const begun = await report(during)
    expect(begun.map(({ id, primary }) => [id, primary])).toEqual([
      ['next', true],
      [oldId, false],
    ])
    expect(begun[1]?.project_keys).toBeGreaterThanOrEqual(60)
    expect(begun[1]?.removable).toBe(false)
    await expectReadable(during)
    const all = await Promise.all(
      Array.from({ length: 4 }, () => during('POST', '/admin/rotate', { token: operator.token })),
    )
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const wrapped = all.reduce((sum, { json }) => sum + (json.rewrapped as number), 0)
    expect(wrapped).toBe(begun[1]?.project_keys)
    const ended = await report(during)
    expect(ended).toEqual([
      { id: 'next', primary: true, project_keys: (begun[0]?.project_keys ?? 0) + wrapped, removable: false },
      { id: oldId, primary: false, project_keys: 0, removable: true },
    ])
    await expectReadable(during)
  })

  it('the old master key can be removed after a rotation', async () => {
    const token = await tokenOf(after)
    expect((await after('GET', '/v1/secrets', { token })).status).toBe(200)
    const { results } = await bindings.DB.prepare('select distinct master_key_id as id from project_keys').all()
    expect(results).toEqual([{ id: 'next' }])
  })

  it('a rotation skips more damaged keys than one step takes, and the sweep continues it', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {})
    const rows = bindings.DB.prepare(
      "select project_id as id, store, version, wrapped from project_keys where store <> 'deployment' limit 55",
    )
    const { results: kept } = await rows.all<{ id: string; store: string; version: number; wrapped: number[] }>()
    const put = bindings.DB.prepare(
      'update project_keys set wrapped = ? where project_id = ? and store = ? and version = ?',
    )
    const write = (change: (wrapped: number[]) => number[]) =>
      bindings.DB.batch(
        kept.map(({ id, store, version, wrapped }) => put.bind(Uint8Array.from(change(wrapped)), id, store, version)),
      )
    await write((wrapped) => [...wrapped.slice(0, -1), (wrapped.at(-1) ?? 0) ^ 1])
    await worker.scheduled(createScheduledController(), { ...bindings, MASTER_KEYS: `${OLD},${next}` })
    const left = await bindings.DB.prepare(
      "select count(*) as n from project_keys where master_key_id = 'next'",
    ).first()
    expect(left).toEqual({ n: kept.length })
    const events = entriesOf(log).map(({ event }) => event)
    expect(events.filter((event) => event === 'project key not rewrapped')).toHaveLength(kept.length)
    await write((wrapped) => wrapped)
    log.mockRestore()
  })

  it('the cron trigger alone ends a rotation', async () => {
    const back = { ...bindings, MASTER_KEYS: `${OLD},${next}` } as Environment
    await worker.scheduled(createScheduledController(), back)
    expect(await report(workerWith({ MASTER_KEYS: `${OLD},${next}` }))).toMatchObject([
      { id: oldId, primary: true },
      { id: 'next', removable: true },
    ])
    await expectReadable(before)
  })
})
