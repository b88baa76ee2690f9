/**
 * Versions of secrets below HTTP: concurrent writers, random histories against a list as the model, key rotation, what
 * an attacker with the database can do, and what a secret takes along when it goes.
 */
import { createScheduledController } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { assert, asyncProperty, array, constantFrom, integer, record, type Arbitrary } from 'fast-check'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../../src/config.ts'
import worker from '../../src/index.ts'
import { call, database, isolate, type Answer } from '../support/client.ts'
import { entriesOf } from '../support/log-lines.ts'
import { callAs, owner, person, type Person } from '../support/people.ts'
import { idOf, secret } from '../support/stored.ts'

const text = (payload: string) => ({ payload, payload_content_type: 'text/plain' })
const log = vi.spyOn(console, 'error').mockImplementation(() => {})
const sweep = () => worker.scheduled(createScheduledController(), env as unknown as Environment)

let who: Person
let operator: Person
const send = callAs(() => who)
beforeAll(async () => {
  who = await owner()
  operator = await person(['key-manager:service-admin'])
})
afterEach(() => {
  log.mockClear()
  vi.useRealTimers()
})

const post = (ref: string, json: object, headers: Record<string, string> = {}, ask: typeof call = call) =>
  ask('POST', `${ref}/versions`, { token: who.token, json, headers })
const payloadOf = (at: string, ask: typeof call = call) => ask('GET', `${at}/payload`, { token: who.token })
const versionsOf = async (ref: string) =>
  (await send('GET', `${ref}/versions?limit=100`)).json.versions as { version: number; status: string }[]
const logged = () => entriesOf(log).map(({ event }) => event)

async function withVersions(...payloads: readonly string[]): Promise<string> {
  const [first = '', ...others] = payloads
  const ref = await secret(who, text(first))
  for (const payload of others) expect((await post(ref, text(payload))).status).toBe(201)
  return ref
}

async function rowsOf(condition: string): Promise<number> {
  const row = await database.prepare(`select count(*) as rows from secret_versions where ${condition}`).first<{
    rows: number
  }>()
  return row?.rows ?? Number.NaN
}

describe('many writers of versions', () => {
  const WRITERS = 200
  const isolates = Array.from({ length: 4 }, () => isolate())
  /** Half of the isolates have seen the secret, so that their writers do not read it first. */
  async function write(ref: string, headers: Record<string, string> = {}) {
    for (const ask of isolates.slice(2)) expect((await payloadOf(ref, ask)).status).toBe(200)
    return Promise.all(
      Array.from({ length: WRITERS }, (_, at) => post(ref, text(`writer ${at}`), headers, isolates[at % 4] ?? call)),
    )
  }
  const statuses = (answers: readonly Answer[]) =>
    Object.entries(Object.groupBy(answers, ({ status }) => status)).map(([status, all]) => [status, all?.length])

  it('of many writers of versions who replace the same version one succeeds, and the others get 412', async () => {
    const ref = await secret(who, text('first'))
    const answers = await write(ref, { 'If-Match': '"1"' })
    expect(statuses(answers)).toEqual([
      ['201', 1],
      ['412', WRITERS - 1],
    ])
    const winner = answers.findIndex(({ status }) => status === 201)
    expect((await payloadOf(ref)).text).toBe(`writer ${winner}`)
    expect((await versionsOf(ref)).map(({ version }) => version)).toEqual([2, 1])
  }, 60_000)

  it('many writers of versions without a precondition all succeed, with numbers that follow each other', async () => {
    const ref = await secret(who, text('first'))
    const answers = await write(ref)
    expect(statuses(answers)).toEqual([['201', WRITERS]])
    const numbers = answers.map(({ json }) => json.version as number).toSorted((one, other) => one - other)
    expect(numbers).toEqual(Array.from({ length: WRITERS }, (_, at) => at + 2))
    const last = answers.findIndex(({ json }) => json.version === WRITERS + 1)
    expect((await payloadOf(ref)).text).toBe(`writer ${last}`)
    for (const { version, status } of await versionsOf(ref)) {
      if (status !== 'ENABLED') continue
      const writer = answers.findIndex(({ json }) => json.version === version)
      expect((await payloadOf(`${ref}/versions/${version}`)).text).toBe(`writer ${writer}`)
    }
  }, 120_000)

  it('a version is stored although the ACL of its secret changes at the same moment', async () => {
    const ref = await secret(who, text('first'))
    const acl = { read: { users: ['reader'] } }
    const [made, set] = await Promise.all([
      post(ref, text('second'), { 'If-Match': '"1"' }, isolate()),
      isolate()('PUT', `${ref}/acl`, { token: who.token, json: acl }),
    ])
    expect([made.status, set.status]).toEqual([201, 200])
    expect((await isolate()('GET', `${ref}/acl`, { token: who.token })).json.read.users).toEqual(['reader'])
    expect((await payloadOf(ref, isolate())).text).toBe('second')
  })
})

describe('random histories of versions', () => {
  type Status = 'ENABLED' | 'DISABLED' | 'DESTROYED'
  interface Model {
    readonly entries: { payload: string; status: Status }[]
    keep: number
  }
  /** New versions have the payload `payload <at>`; the others are about version `at`, and `keep` keeps so many. */
  interface Step {
    readonly kind: 'post' | 'put' | 'restore' | 'disable' | 'enable' | 'destroy' | 'keep'
    readonly at: number
  }

  const steps: Arbitrary<Step> = record({
    kind: constantFrom('post', 'put', 'restore', 'disable', 'enable', 'destroy', 'keep'),
    at: integer({ min: 1, max: 6 }),
  })

  function add(model: Model, payload: string): void {
    model.entries.push({ payload, status: 'ENABLED' })
    const held = model.entries.filter(({ status }) => status !== 'DESTROYED')
    for (const entry of held.slice(0, Math.max(0, held.length - model.keep))) entry.status = 'DESTROYED'
  }

  /** Does the step to the model and returns the status that the service is to answer with. */
  function expected(model: Model, step: Step): number {
    if (step.kind === 'post' || step.kind === 'put') {
      add(model, `payload ${step.at}`)
      return step.kind === 'post' ? 201 : 204
    }
    if (step.kind === 'keep') {
      model.keep = step.at
      return 200
    }
    const entry = model.entries[step.at - 1]
    if (!entry) return 404
    if (step.kind === 'restore') {
      if (entry.status !== 'ENABLED') return 409
      add(model, entry.payload)
      return 201
    }
    const isCurrent = step.at === model.entries.length
    if (isCurrent) return step.kind === 'enable' ? 200 : 409
    if (entry.status === 'DESTROYED') return 404
    if (step.kind === 'destroy') {
      if (entry.status === 'ENABLED') return 409
      entry.status = 'DESTROYED'
      return 204
    }
    entry.status = step.kind === 'enable' ? 'ENABLED' : 'DISABLED'
    return 200
  }

  function perform(ref: string, step: Step): Promise<Answer> {
    switch (step.kind) {
      case 'post':
        return post(ref, text(`payload ${step.at}`))
      case 'put':
        return send('PUT', ref, {
          body: `payload ${step.at}`,
          headers: { 'Content-Type': 'text/plain', 'If-Match': '*' },
        })
      case 'restore':
        return post(ref, { restore: step.at })
      case 'keep':
        return send('PUT', `${ref}/versioning`, { json: { keep: step.at } })
      case 'destroy':
        return send('DELETE', `${ref}/versions/${step.at}`)
      case 'enable':
      case 'disable':
        return send('PATCH', `${ref}/versions/${step.at}`, { json: { enabled: step.kind === 'enable' } })
    }
  }

  const read = { ENABLED: 200, DISABLED: 409, DESTROYED: 404 } as const

  it('random histories of versions leave what a list leaves: each number, its status, and its payload', async () => {
    await assert(
      asyncProperty(array(steps, { minLength: 3, maxLength: 16 }), async (history) => {
        const ref = await secret(who, text('first'))
        const model: Model = { entries: [{ payload: 'first', status: 'ENABLED' }], keep: 10 }
        for (const step of history)
          expect([step, (await perform(ref, step)).status]).toEqual([step, expected(model, step)])
        const current = model.entries.length
        const shown = (await versionsOf(ref)).toReversed()
        expect(shown.map(({ version, status }) => [version, status])).toEqual(
          model.entries.map(({ status }, at) => [at + 1, at + 1 === current ? 'CURRENT' : status]),
        )
        for (const [at, { payload, status }] of model.entries.entries()) {
          const answer = await payloadOf(`${ref}/versions/${at + 1}`)
          expect([at + 1, answer.status]).toEqual([at + 1, read[status]])
          if (status === 'ENABLED') expect(answer.text).toBe(payload)
        }
        expect((await payloadOf(ref)).text).toBe(model.entries.at(-1)?.payload)
      }),
      { numRuns: 20 },
    )
  }, 120_000)
})

describe('the versions that a deployment keeps', () => {
  it('the versions that a deployment keeps are as many as KEEP_VERSIONS says, unless the secret says otherwise', async () => {
    const ask = isolate({ KEEP_VERSIONS: '2' })
    const ref = await secret(who, text('one'))
    expect((await ask('GET', `${ref}/versioning`, { token: who.token })).json.keep).toBe(2)
    for (const payload of ['two', 'three']) await post(ref, text(payload), {}, ask)
    expect((await payloadOf(`${ref}/versions/1`)).status).toBe(404)
    expect((await payloadOf(`${ref}/versions/2`)).status).toBe(200)
    for (const value of ['0', '101', 'all']) {
      const answer = await isolate({ KEEP_VERSIONS: value })('GET', '/v1')
      expect([answer.status, answer.json.description]).toEqual([503, expect.stringContaining('KEEP_VERSIONS')])
    }
  })

  it('the versions that a deployment keeps include entries of destroyed ones, until a hundred others have followed', async () => {
    const ref = await secret(who, text('1'))
    await send('PUT', `${ref}/versioning`, { json: { keep: 1 } })
    for (let version = 2; version <= 105; version += 1) await post(ref, text(String(version)))
    expect(await rowsOf(`secret_id = '${idOf(ref)}'`)).toBe(100)
    expect(await rowsOf(`secret_id = '${idOf(ref)}' and sealed is not null`)).toBe(0)
    expect((await send('GET', `${ref}/versions/5`)).json.status).toBe('DESTROYED')
    expect((await send('GET', `${ref}/versions/4`)).status).toBe(404)
    expect((await send('GET', `${ref}/versions`)).json.total).toBe(101)
  }, 60_000)
})

describe('a secret that goes', () => {
  it('a secret that is deleted takes its versions along', async () => {
    const ref = await withVersions('one', 'two', 'three')
    expect(await rowsOf(`secret_id = '${idOf(ref)}'`)).toBe(2)
    await send('DELETE', ref)
    expect(await rowsOf(`secret_id = '${idOf(ref)}'`)).toBe(0)
  })

  it('a secret that expires takes its versions along, and a renewal with a later time does not expire', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const expiration = new Date(Date.now() + 60_000).toISOString()
    const [gone, renewed] = [
      await secret(who, { ...text('one'), expiration }),
      await secret(who, { ...text('one'), expiration }),
    ]
    await post(gone, text('two'))
    await post(renewed, { ...text('two'), expiration: new Date(Date.now() + 86_400_000).toISOString() })
    vi.setSystemTime(Date.now() + 61_000)
    expect((await payloadOf(`${gone}/versions/1`)).status).toBe(404)
    expect((await payloadOf(`${renewed}/versions/1`)).text).toBe('one')
    await sweep()
    expect(await rowsOf(`secret_id = '${idOf(gone)}'`)).toBe(0)
    expect((await payloadOf(renewed)).text).toBe('two')
  })

  it('a project that is destroyed takes the versions of its secrets along', async () => {
    const other = await owner()
    const ref = await secret(other, text('one'))
    for (let version = 2; version <= 4; version += 1)
      await call('POST', `${ref}/versions`, { token: other.token, json: text(String(version)) })
    const path = `/admin/projects/${other.projectId}/destruction`
    const answer = await call('PUT', path, { token: operator.token, json: { confirm: other.projectId } })
    expect(answer.status).toBeLessThan(300)
    await sweep()
    expect(await rowsOf(`project_id = '${other.projectId}'`)).toBe(0)
    expect(
      await database.prepare('select 1 from secrets where project_id = ?').bind(other.projectId).first(),
    ).toBeNull()
  })
})

describe('project keys and versions', () => {
  const supersede = () =>
    call('POST', '/admin/rotate', { token: operator.token, json: { project_keys: { project_id: who.projectId } } })
  const keyVersions = async () => {
    const { results } = await database
      .prepare('select version from project_keys where project_id = ?')
      .bind(who.projectId)
      .all<{ version: number }>()
    return results.map(({ version }) => version)
  }

  it('project keys that are superseded leave every version readable, and retire', async () => {
    who = await owner()
    const ref = await withVersions('one', 'two', 'three')
    expect((await supersede()).json.superseded).toBe(1)
    await post(ref, text('four'))
    await call('POST', '/admin/rotate', { token: operator.token })
    expect(await keyVersions()).toEqual([2])
    const reader = isolate()
    for (const [version, payload] of Object.entries({ 1: 'one', 2: 'two', 3: 'three', 4: 'four' }))
      expect((await payloadOf(`${ref}/versions/${version}`, reader)).text).toBe(payload)
  })

  it('project keys that were superseded do not hinder a version over a payload that they seal', async () => {
    who = await owner()
    const ref = await secret(who, text('one'))
    // Supersedes the key as a rotation does that has not come to the values yet.
    const { results } = await database
      .prepare('select * from project_keys where project_id = ?')
      .bind(who.projectId)
      .all<{ store: string }>()
    expect(results).toHaveLength(1)
    const other = await secret(who, text('another'))
    const before = await database.prepare('select sealed from secrets where id = ?').bind(idOf(ref)).first()
    await supersede()
    await database.prepare('update secrets set sealed = sealed where id = ?').bind(idOf(other)).run()
    expect((await post(ref, text('two'), {}, isolate())).status).toBe(201)
    expect((await payloadOf(`${ref}/versions/1`, isolate())).text).toBe('one')
    expect(before).not.toBeNull()
  })

  it('project keys are superseded while versions are written: no read fails, and one key is left', async () => {
    who = await owner()
    const ref = await secret(who, text('payload 1'))
    const writers = isolate()
    const writing = { done: false }
    const failed: string[] = []
    const reading = (async () => {
      const reader = isolate()
      while (!writing.done) {
        const current = await payloadOf(ref, reader)
        const first = await payloadOf(`${ref}/versions/previous`, reader)
        if (current.status !== 200 || ![200, 404].includes(first.status)) failed.push(current.text + first.text)
      }
    })()
    for (let version = 2; version <= 12; version += 1) {
      const [made] = await Promise.all([post(ref, text(`payload ${version}`), {}, writers), supersede()])
      expect(made.status).toBe(201)
    }
    writing.done = true
    await reading
    expect(failed).toEqual([])
    await call('POST', '/admin/rotate', { token: operator.token })
    expect(await keyVersions()).toHaveLength(1)
    expect((await payloadOf(ref, isolate())).text).toBe('payload 12')
    expect((await payloadOf(`${ref}/versions/3`, isolate())).text).toBe('payload 3')
  }, 60_000)
})

describe('T15: an attacker with the database', () => {
  const run = async (statement: string, ...values: readonly unknown[]) => {
    const { meta } = await database
      .prepare(statement)
      .bind(...values)
      .run()
    expect(meta.changes).toBeGreaterThan(0)
  }
  const unopened = async (at: string) => {
    log.mockClear()
    const answer = await payloadOf(at, isolate())
    expect(answer.status).toBe(500)
    expect(answer.json.description).toBe('Secret payload retrieval failure seen - please contact site administrator.')
    expect(logged().some((event) => ['row refused', 'value not decrypted'].includes(event))).toBe(true)
  }

  it('T15: an attacker with the database cannot put an older payload back under the number of the newer one', async () => {
    const ref = await withVersions('one', 'two')
    await run(
      `update secrets set sealed = (select sealed from secret_versions where secret_id = ?1 and version = 1)
      where id = ?1`,
      idOf(ref),
    )
    await unopened(ref)
  })

  it('T15: an attacker with the database cannot put an older number back', async () => {
    const ref = await withVersions('one', 'two')
    await run(
      `update secrets set version = null, sealed = (select sealed from secret_versions where secret_id = ?1)
      where id = ?1`,
      idOf(ref),
    )
    await unopened(ref)
  })

  it('T15: an attacker with the database cannot exchange versions', async () => {
    const ref = await withVersions('one', 'two', 'three')
    const id = idOf(ref)
    await run('update secret_versions set version = version + 10 where secret_id = ?', id)
    await run('update secret_versions set version = case version when 11 then 2 else 1 end where secret_id = ?', id)
    await unopened(`${ref}/versions/1`)
    await unopened(`${ref}/versions/2`)
    expect((await isolate()('GET', `${ref}/versions`, { token: who.token })).json.versions).toHaveLength(1)
  })

  it('T15: an attacker with the database cannot exchange the payloads of versions', async () => {
    const ref = await withVersions('one', 'two', 'three')
    await run(
      `update secret_versions set sealed = (select other.sealed from secret_versions other
        where other.secret_id = ?1 and other.version <> secret_versions.version) where secret_id = ?1`,
      idOf(ref),
    )
    await unopened(`${ref}/versions/1`)
  })

  it('T15: an attacker with the database cannot move a version to another secret, or enable it', async () => {
    const [ref, other] = [await withVersions('one', 'two'), await secret(who, text('one'))]
    await send('PATCH', `${ref}/versions/1`, { json: { enabled: false } })
    await run('update secret_versions set enabled = 1 where secret_id = ?', idOf(ref))
    await unopened(`${ref}/versions/1`)
    await post(other, text('two'))
    await run('delete from secret_versions where secret_id = ?', idOf(other))
    await run('update secret_versions set secret_id = ? where secret_id = ?', idOf(other), idOf(ref))
    await unopened(`${other}/versions/1`)
  })

  it('T15: an attacker with the database cannot bring a destroyed version back without its key', async () => {
    const ref = await withVersions('one', 'two')
    await run('update secret_versions set sealed = null where secret_id = ?', idOf(ref))
    await unopened(`${ref}/versions/1`)
  })
})

describe('the audit log of versions', () => {
  it('the audit log of versions has every change, and not what was refused over another version', async () => {
    who = await owner()
    const ref = await secret(who, text('one'))
    const events = async () => {
      const { results } = await database
        .prepare(
          'select action, target_type, operation, initiator_id from audit_events where project_id = ? order by seq',
        )
        .bind(who.projectId)
        .all<Record<string, string>>()
      return results.map(
        ({ action, target_type: type, operation, initiator_id: by }) =>
          `${action} ${type}: ${operation}${by === who.userId ? '' : ' by another'}`,
      )
    }
    const before = (await events()).length
    await post(ref, text('two'))
    await post(ref, text('x'), { 'If-Match': '"1"' })
    await send('PATCH', `${ref}/versions/1`, { json: { enabled: false } })
    await send('DELETE', `${ref}/versions/2`)
    await send('DELETE', `${ref}/versions/1`)
    await send('PUT', `${ref}/versioning`, { json: { keep: 2 } })
    expect((await events()).slice(before)).toEqual([
      'update data/security/secret/payload: Secret version creation',
      'update data/security/secret/version: Secret version update',
      'delete data/security/secret/version: Secret version deletion',
      'update data/security/secret/versioning: Secret versioning update',
    ])
  })
})
