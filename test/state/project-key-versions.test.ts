/**
 * Versions of project keys: the newest one seals, older ones open, and an older one ends when no row depends on it.
 */
import { env } from 'cloudflare:workers'
import { createScheduledController } from 'cloudflare:test'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../../src/config.ts'
import worker from '../../src/index.ts'
import { resealValues, supersedeKeys } from '../../src/state/keys/project-key-versions.ts'
import { formatTime } from '../../src/times.ts'
import { backendAt, databaseOf } from '../support/backend.ts'
import { call, database, isolate, type Answer } from '../support/client.ts'
import { callAs, owner, person, type Person } from '../support/people.ts'
import { idOf, secret } from '../support/stored.ts'
import { entriesOf } from '../support/log-lines.ts'

const OCTETS = 'application/octet-stream'
const text = (payload: string) => ({ payload, payload_content_type: 'text/plain' })
const log = vi.spyOn(console, 'error').mockImplementation(() => {})

let operator: Person
beforeAll(async () => {
  operator = await person(['key-manager:service-admin'])
})
afterAll(() => {
  log.mockRestore()
})

const rotate = (json?: object): Promise<Answer> => call('POST', '/admin/rotate', { token: operator.token, json })
const supersede = (project: string) => rotate({ project_keys: { project_id: project } })

async function versionsOf(project: string): Promise<number[]> {
  const { results } = await database
    .prepare('select version from project_keys where project_id = ? order by version')
    .bind(project)
    .all<{ version: number }>()
  return results.map(({ version }) => version)
}

async function keyVersionOf(ref: string): Promise<number | undefined> {
  const row = await database
    .prepare('select key_version from secrets where id = ?')
    .bind(idOf(ref))
    .first<{ key_version: number }>()
  return row?.key_version
}

const payloadOf = async (who: Person, ref: string, ask = call) =>
  (await ask('GET', `${ref}/payload`, { token: who.token })).text

describe('a new version of a project key', () => {
  it('a new version of a project key seals what is stored from then on, also in isolates that have cached the old one', async () => {
    const who = await owner()
    const isolates = Array.from({ length: 5 }, () => isolate())
    const post = (ask: typeof call, payload: string) =>
      ask('POST', '/v1/secrets', { token: who.token, json: text(payload) })
    for (const ask of isolates) expect((await post(ask, 'before')).status).toBe(201)
    expect((await supersede(who.projectId)).json).toMatchObject({ superseded: 1 })
    for (const [at, ask] of isolates.entries()) {
      const made = await post(ask, `after ${at}`)
      expect(made.status).toBe(201)
      expect(await keyVersionOf(made.json.secret_ref)).toBe(2)
      expect(await payloadOf(who, made.json.secret_ref, isolate())).toBe(`after ${at}`)
    }
  })

  it('a new version of a project key seals payloads of PUT, passphrases and ordered keys in an isolate that has cached the old one', async () => {
    const who = await owner()
    const stale = isolate()
    const order = (meta: object, type = 'key', ask = stale) =>
      ask('POST', '/v1/orders', { token: who.token, json: { type, meta } })
    await secret(who, text('so that the Worker itself knows the key as well'))
    expect((await order({ algorithm: 'aes', bit_length: 128 })).status).toBe(202)
    const empty = await secret(who)
    await supersede(who.projectId)
    const put = await stale('PUT', empty, { token: who.token, body: 'put', headers: { 'Content-Type': OCTETS } })
    expect(put.status).toBe(204)
    expect(await payloadOf(who, empty)).toBe('put')
    await supersede(who.projectId)
    const placed = await order({ algorithm: 'aes', bit_length: 256 })
    const { json } = await call('GET', placed.json.order_ref, { token: who.token })
    expect(await keyVersionOf(json.secret_ref)).toBe(3)
    await supersede(who.projectId)
    const pair = await order({ algorithm: 'ec', bit_length: 256, passphrase: 'a passphrase' }, 'asymmetric', call)
    expect(pair.status).toBe(202)
    await expect
      .poll(async () => (await call('GET', pair.json.order_ref, { token: who.token })).json.status, { timeout: 10_000 })
      .toBe('ACTIVE')
    expect(await versionsOf(who.projectId)).toEqual([4])
  })

  it('a new version of a project key is made once for all who request it at the same moment', async () => {
    const who = await owner()
    await secret(who, text('one'))
    const createdBefore = new Date().toISOString()
    const asked = { project_keys: { project_id: who.projectId, created_before: createdBefore } }
    const answers = await Promise.all(Array.from({ length: 8 }, () => rotate(asked)))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200))
    expect(answers.reduce((sum, { json }) => sum + json.superseded, 0)).toBe(1)
    expect((await rotate(asked)).json.superseded).toBe(0)
    expect(await versionsOf(who.projectId)).toEqual([2])
  })

  it('a new version of a project key is made once, also for a time in the future', async () => {
    const who = await owner()
    await secret(who, text('one'))
    const asked = { project_keys: { project_id: who.projectId, created_before: '2999-01-01' } }
    expect((await rotate(asked)).json.superseded).toBe(1)
    expect(await versionsOf(who.projectId)).toEqual([2])
  })

  it('keys that are made at the moment of a call are none that it supersedes, also for a time in the future', async () => {
    const who = await owner()
    await secret(who, text('one'))
    const backend = await backendAt(formatTime(Date.now() + 60_000))
    const future = { projectId: who.projectId, createdBefore: formatTime(Date.now() + 3_600_000) }
    expect([await supersedeKeys(backend, future), await supersedeKeys(backend, future)]).toEqual([1, 0])
    expect(await versionsOf(who.projectId)).toEqual([1, 2])
  })

  it('a new version of a project key may be made while values are resealed: no request fails, and the last version seals all', async () => {
    const who = await owner()
    const refs = await Promise.all(Array.from({ length: 30 }, (_, at) => secret(who, text(`payload ${at}`))))
    const answers = await Promise.all(Array.from({ length: 6 }, () => supersede(who.projectId)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    await rotate()
    const [last, ...older] = (await versionsOf(who.projectId)).toReversed()
    expect(older).toEqual([])
    expect(new Set(await Promise.all(refs.map(keyVersionOf)))).toEqual(new Set([last]))
    const reader = isolate()
    const read = await Promise.all(refs.map((ref) => payloadOf(who, ref, reader)))
    expect(read).toEqual(refs.map((_, at) => `payload ${at}`))
  })

  it.each([
    [{ project_keys: { created_before: 'yesterday' } }],
    [{ project_keys: { project_id: 7 } }],
    [{ project_keys: 'all' }],
    [{ other: 1 }],
  ])('a new version of a project key is refused for %j', async (json) => {
    const answer = await rotate(json)
    expect(answer.status).toBe(400)
    expect(answer.json.description).toContain("schema 'Key rotation'")
  })
})

describe('a value that an older version sealed', () => {
  it('values that an older version sealed are resealed in steps, can be opened throughout, and then the version is deleted', async () => {
    const who = await owner()
    const refs = await Promise.all(Array.from({ length: 70 }, (_, at) => secret(who, text(`payload ${at}`))))
    await database
      .prepare('update project_keys set superseded = ? where project_id = ?')
      .bind('2026-01-01T00:00:00.000000', who.projectId)
      .run()
    // The next version is created directly, so that only the test's own requests reseal.
    const fresh = await secretUnderNextVersion(who)
    expect(await versionsOf(who.projectId)).toEqual([1, 2])
    const [during, after] = [isolate(), isolate()]
    // The readers reseal payloads as well, and may be faster than the rotation; nobody reads the last ones.
    const read = refs.slice(0, 40)
    const reading = Promise.all(read.map((ref) => payloadOf(who, ref, during)))
    const all = await Promise.all(Array.from({ length: 3 }, () => rotate()))
    expect(await reading).toEqual(read.map((_, at) => `payload ${at}`))
    const resealed = all.reduce((sum, { json }) => sum + json.resealed, 0)
    expect(resealed).toBeGreaterThanOrEqual(refs.length - read.length)
    expect(resealed).toBeLessThanOrEqual(refs.length)
    await rotate()
    expect(await versionsOf(who.projectId)).toEqual([2])
    expect(new Set(await Promise.all(refs.map(keyVersionOf)))).toEqual(new Set([2]))
    expect(await Promise.all(refs.map((ref) => payloadOf(who, ref, after)))).toEqual(
      refs.map((_, at) => `payload ${at}`),
    )
    expect(await payloadOf(who, fresh)).toBe('fresh')
  })

  it('a value that an older version sealed is resealed after the answer that read it', async () => {
    const who = await owner()
    const [read, left] = [await secret(who, text('read')), await secret(who, text('left'))]
    await database
      .prepare('update project_keys set superseded = ? where project_id = ?')
      .bind('2026-01-01T00:00:00.000000', who.projectId)
      .run()
    await secretUnderNextVersion(who)
    expect(await payloadOf(who, read)).toBe('read')
    await vi.waitFor(async () => expect(await keyVersionOf(read)).toBe(2))
    expect(await keyVersionOf(left)).toBe(1)
    expect(await payloadOf(who, read)).toBe('read')
    await rotate()
    expect(await versionsOf(who.projectId)).toEqual([2])
  })

  /** Creates the next version without resealing anything, and stores a secret under it. */
  async function secretUnderNextVersion(who: Person): Promise<string> {
    const { newKeyRow } = await import('../../src/state/keys/project-keys.ts')
    const backend = await backendAt('2026-01-01T00:00:00.000000')
    const old = await database
      .prepare('select store from project_keys where project_id = ?')
      .bind(who.projectId)
      .first<{ store: string }>()
    const row = await newKeyRow(backend, { project: who.projectId, store: old?.store ?? '', version: 2 })
    await database
      .prepare(
        'insert into project_keys (project_id, store, version, master_key_id, wrapped, created) values (?, ?, ?, ?, ?, ?)',
      )
      .bind(row.projectId, row.store, 2, row.masterKeyId, Uint8Array.from(row.wrapped), row.created)
      .run()
    return secret(who, text('fresh'))
  }

  it('values that an older version sealed are reported until they are resealed, with the progress', async () => {
    const who = await owner()
    await secret(who, text('one'))
    await database
      .prepare('update project_keys set superseded = ? where project_id = ?')
      .bind('2026-01-01T00:00:00.000000', who.projectId)
      .run()
    await secretUnderNextVersion(who)
    const before = (await call('GET', '/admin/rotate', { token: operator.token })).json.project_keys
    expect(before).toMatchObject({ superseded: 1, values: 1, more: false })
    expect(before.current).toBeGreaterThan(0)
    const after = (await rotate()).json
    expect(after).toMatchObject({ resealed: 1, retired: 1, unreadable: 0 })
    expect(after.project_keys).toMatchObject({ current: before.current, superseded: 0, values: 0, more: false })
  })

  it('a damaged value of an older version stays with its version, is reported to the operator, and delays nothing else', async () => {
    const who = await owner()
    const [damaged, whole] = [await secret(who, text('damaged')), await secret(who, text('whole'))]
    await database.prepare("update secrets set sealed = x'01' where id = ?").bind(idOf(damaged)).run()
    log.mockClear()
    expect((await supersede(who.projectId)).json).toMatchObject({ resealed: 1, unreadable: 1, retired: 0 })
    expect(entriesOf(log)).toContainEqual({
      event: 'value not resealed',
      table: 'secrets',
      id: idOf(damaged),
      reason: 'not a sealed value',
    })
    expect(await versionsOf(who.projectId)).toEqual([1, 2])
    expect(await payloadOf(who, whole)).toBe('whole')
    await callAs(() => who)('DELETE', damaged)
    expect((await rotate()).json).toMatchObject({ unreadable: 0, retired: 1 })
    expect(await versionsOf(who.projectId)).toEqual([2])
  })

  it('a value that is deleted while it is resealed stays deleted', async () => {
    const who = await owner()
    const refs = await Promise.all(Array.from({ length: 40 }, (_, at) => secret(who, text(`payload ${at}`))))
    const [rotated, ...deleted] = await Promise.all([
      supersede(who.projectId),
      ...refs.slice(0, 20).map((ref) => call('DELETE', ref, { token: who.token })),
    ])
    expect(rotated.status).toBe(200)
    expect(new Set(deleted.map(({ status }) => status))).toEqual(new Set([204]))
    await rotate()
    for (const ref of refs.slice(0, 20)) expect((await call('GET', ref, { token: who.token })).status).toBe(404)
    expect(await versionsOf(who.projectId)).toEqual([2])
  })

  it('values that an older version sealed are found by index: a step reads neither the table nor all that is left', async () => {
    const who = await owner()
    const ref = await secret(who, text('one of many'))
    await database
      .prepare(
        `insert into secrets (id, project_id, secret_type, created, updated, store, key_version, sealed, mac)
         select id || '-' || value, project_id, secret_type, created, updated, store, key_version, x'00', mac
         from secrets, (with recursive n(value) as (select 1 union all select value + 1 from n where value < 3000) select value from n)
         where id = ?`,
      )
      .bind(idOf(ref))
      .run()
    await callAs(() => who)('DELETE', ref)
    await database
      .prepare('update project_keys set superseded = ? where project_id = ?')
      .bind('2026-01-01T00:00:00.000000', who.projectId)
      .run()
    await secretUnderNextVersion(who)
    // None of these can be opened, so the steps only read.
    const [first] = await readsOf(async (binding) => {
      await resealValues(await backendAt('2027-01-01T00:00:00.000000', binding))
    })
    // 50 values with their keys, found and then read, and the cost of sorting them.
    expect(first).toBeLessThan(600)
    await database.prepare('delete from secrets where project_id = ?').bind(who.projectId).run()
    const idle = await readsOf(async (binding) => {
      await resealValues(await backendAt('2027-01-01T00:00:00.000000', binding))
    })
    expect(idle.reduce((sum, rows) => sum + rows, 0)).toBeLessThan(20)
  })

  /** The number of rows that each statement of an operation read. */
  async function readsOf(operation: (binding: D1Database) => Promise<void>): Promise<number[]> {
    const rows: number[] = []
    const counted = (statement: D1PreparedStatement): D1PreparedStatement =>
      new Proxy(statement, {
        get(target, name) {
          const value = target[name as keyof D1PreparedStatement] as (...values: unknown[]) => unknown
          if (name === 'bind') return (...values: unknown[]) => counted(target.bind(...values))
          if (name !== 'all' && name !== 'run') return value.bind(target)
          return async () => {
            const result = await target[name]()
            rows.push(result.meta.rows_read)
            return result
          }
        },
      })
    const { DB } = env as unknown as Environment
    await operation(databaseOf({ prepare: (query) => counted(DB.prepare(query)), batch: DB.batch.bind(DB) }))
    return rows
  }
})

describe('the keys of the certificate authorities', () => {
  it('the keys of the certificate authorities have versions too, and the authority signs before and after a new one', async () => {
    const who = await owner()
    const list = async () => {
      const { json } = await call('GET', '/v1/cas', { token: who.token })
      return call('GET', `${json.cas[0]}/crl`, { token: who.token })
    }
    expect((await list()).status).toBe(200)
    expect((await supersede(who.projectId)).json).toMatchObject({ superseded: 1, resealed: 1, retired: 1 })
    expect((await list()).status).toBe(200)
    expect(await versionsOf(who.projectId)).toEqual([2])
  })
})

describe('PROJECT_KEY_DAYS', () => {
  const sweep = (days: string) => worker.scheduled(createScheduledController(), { ...env, PROJECT_KEY_DAYS: days })
  const age = (project: string, days: number) =>
    database
      .prepare('update project_keys set created = ? where project_id = ?')
      .bind(new Date(Date.now() - days * 86_400_000).toISOString().replace('Z', '000'), project)
      .run()

  it('with PROJECT_KEY_DAYS the sweep makes new versions of the keys that are older, and of no others', async () => {
    const [old, young] = [await owner(), await owner()]
    const ref = await secret(old, text('old'))
    await secret(young, text('young'))
    await age(old.projectId, 31)
    await age(young.projectId, 29)
    await sweep('0')
    expect(await versionsOf(old.projectId)).toEqual([1])
    await sweep('30')
    expect(await versionsOf(old.projectId)).toEqual([2])
    expect(await versionsOf(young.projectId)).toEqual([1])
    expect(await payloadOf(old, ref, isolate())).toBe('old')
    await sweep('30')
    expect(await versionsOf(old.projectId)).toEqual([2])
  })
})
