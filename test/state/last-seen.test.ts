/**
 * A new version of a secret that the isolate has seen is stored in one round trip, with either identity; what has changed
 * elsewhere since then decides, and what the isolate remembers refuses nothing and permits nothing.
 */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { call, database, isolate } from '../support/client.ts'
import { countingDatabase } from '../support/counting.ts'
import { fakeKeystone, keystoneVariables } from '../support/keystone.ts'
import { owner, peopleOf, person, type Person } from '../support/people.ts'
import { idOf, secret } from '../support/stored.ts'

const text = (payload: string) => ({ payload, payload_content_type: 'text/plain' })
const keystone = fakeKeystone()

afterEach(() => void vi.useRealTimers())

/** An isolate of its own, with the trips of each request. */
function counted(variables: Readonly<Record<string, string>> = {}) {
  const { binding: DB, trips } = countingDatabase()
  const send = isolate({ ...variables, DB })
  return async (...asked: Parameters<typeof call>) => {
    const before = trips()
    const answer = await send(...asked)
    return { ...answer, trips: trips() - before }
  }
}
type Send = ReturnType<typeof counted>

const post = (send: Send | typeof call, who: Person, ref: string, json: object, headers: Record<string, string> = {}) =>
  send('POST', `${ref}/versions`, { token: who.token, json, headers })

/** An isolate that has seen the secret. */
async function seenBy(who: Person, ref: string): Promise<Send> {
  const send = counted()
  expect((await send('GET', ref, { token: who.token, headers: { Accept: 'application/json' } })).status).toBe(200)
  return send
}

async function eventsOf(who: Person, ref: string): Promise<string[]> {
  const { results } = await database
    .prepare('select action, outcome from audit_events where project_id = ? and target_id = ? order by seq')
    .bind(who.projectId, idOf(ref))
    .all<Record<string, string>>()
  return results.map(({ action, outcome }) => `${action} ${outcome}`)
}

describe.each(['embedded', 'keystone'])('a version of a secret that was seen, with %s,', (identity) => {
  const variables = identity === 'keystone' ? keystoneVariables : {}
  const newcomer = () => (identity === 'keystone' ? Promise.resolve(peopleOf(keystone)(['admin', 'creator'])) : owner())

  it.each(['', '/payload', '/versions'])(
    `with ${identity}, a version of a secret is one trip after GET …%s`,
    async (path) => {
      const who = await newcomer()
      const send = counted(variables)
      const ref = (await send('POST', '/v1/secrets', { token: who.token, json: text('one') })).json.secret_ref as string
      expect(await post(send, who, ref, text('two'))).toMatchObject({ status: 201, trips: 2 })
      await send('PUT', `${ref}/acl`, { token: who.token, json: { read: { users: ['somebody'] } } })
      expect(await send('GET', `${ref}${path}`, { token: who.token, headers: { Accept: '*/*' } })).toMatchObject({
        trips: 1,
      })
      const made = await post(send, who, ref, text('three'), { 'If-Match': '"2"' })
      expect(made).toMatchObject({ status: 201, trips: 1, json: { version: 3, consumers: 0 } })
      expect(made.headers.get('ETag')).toBe('"3"')
      expect(await post(send, who, ref, text('four'))).toMatchObject({ status: 201, trips: 1, json: { version: 4 } })
      const cold = isolate(variables)
      for (const [at, payload] of ['one', 'two', 'three', 'four'].entries()) {
        const path = `${ref}/versions/${at + 1}/payload`
        expect((await cold('GET', path, { token: who.token, headers: { Accept: '*/*' } })).text).toBe(payload)
      }
    },
  )
})

const consumer = { service: 's', resource_type: 't', resource_id: 'r' }
const register = (send: Send | typeof call, who: Person, ref: string, method = 'POST', json: object = consumer) =>
  send(method, `${ref}/consumers`, { token: who.token, json })

describe('a consumer of a secret that was seen', () => {
  it('a consumer is registered and removed by the object of the project alone', async () => {
    const who = await owner()
    const ref = await secret(who, text('one'))
    const send = counted()
    expect(await register(send, who, ref)).toMatchObject({ status: 200 })
    expect(await register(send, who, ref, 'DELETE')).toMatchObject({ status: 200, trips: 0 })
    expect(await register(send, who, ref)).toMatchObject({ status: 200, trips: 0 })
    const shown = await register(send, who, ref, 'POST', { ...consumer, resource_id: 'other' })
    expect(shown).toMatchObject({ status: 200, trips: 0, json: { name: null, consumers: [consumer, {}] } })
  })

  it('a consumer of a secret with another ACL since is registered for whoever it admits', async () => {
    const creator = await person(['creator'])
    const colleague = await person(['creator'], { projectId: creator.projectId })
    const ref = await secret(creator, text('one'))
    const send = await seenBy(colleague, ref)
    const acl = (open: boolean) =>
      call('PUT', `${ref}/acl`, { token: creator.token, json: { read: { 'project-access': open } } })
    await acl(false)
    const before = await eventsOf(creator, ref)
    expect((await register(send, colleague, ref)).status).toBe(403)
    expect((await eventsOf(creator, ref)).slice(before.length)).toEqual(['create failure'])
    await acl(true)
    expect((await register(send, colleague, ref)).status).toBe(200)
  })

  it('a consumer that was registered elsewhere is removed, and one of a deleted secret is not found', async () => {
    const who = await owner()
    const ref = await secret(who, text('one'))
    const send = await seenBy(who, ref)
    expect((await register(send, who, ref, 'DELETE')).status).toBe(404)
    await register(call, who, ref)
    expect(await register(send, who, ref, 'DELETE')).toMatchObject({ status: 200, json: { consumers: [] } })
    await call('DELETE', ref, { token: who.token })
    expect((await register(send, who, ref)).status).toBe(404)
  })
})

describe('a secret that was seen, and has changed elsewhere,', () => {
  it('a version that follows one of another isolate has the next number', async () => {
    const who = await owner()
    const ref = await secret(who, text('one'))
    const send = await seenBy(who, ref)
    expect((await post(call, who, ref, text('two'))).status).toBe(201)
    expect(await post(send, who, ref, text('x'), { 'If-Match': '"1"' })).toMatchObject({ status: 412 })
    expect(await post(send, who, ref, text('three'), { 'If-Match': '"2"' })).toMatchObject({ json: { version: 3 } })
    expect((await call('GET', `${ref}/payload`, { token: who.token })).text).toBe('three')
  })

  it('a version that is not stored destroys none of those that are kept by now', async () => {
    const who = await owner()
    const ref = await secret(who, text('one'))
    const keep = (number: number) =>
      call('PUT', `${ref}/versioning`, { token: who.token, json: { put: 'replace', keep: number } })
    expect((await keep(1)).status).toBe(200)
    const send = await seenBy(who, ref)
    expect((await keep(5)).status).toBe(200)
    for (const payload of ['two', 'three', 'four']) expect((await post(call, who, ref, text(payload))).status).toBe(201)
    expect(await post(send, who, ref, text('x'), { 'If-Match': '"1"' })).toMatchObject({ status: 412 })
    const { json } = await call('GET', `${ref}/versions`, { token: who.token })
    expect(json.versions.map(({ status }: { status: string }) => status)).toEqual([
      'CURRENT',
      'ENABLED',
      'ENABLED',
      'ENABLED',
    ])
  })

  it('a version is refused to whom the ACL excludes since, once in the audit log, and nothing is stored', async () => {
    const creator = await person(['creator'])
    const colleague = await person(['creator'], { projectId: creator.projectId })
    const ref = await secret(creator, text('one'))
    const send = await seenBy(colleague, ref)
    await call('PUT', `${ref}/acl`, { token: creator.token, json: { read: { 'project-access': false } } })
    const before = await eventsOf(creator, ref)
    expect((await post(send, colleague, ref, text('two'))).status).toBe(403)
    expect((await eventsOf(creator, ref)).slice(before.length)).toEqual(['create failure'])
    const { json } = await call('GET', `${ref}/versions`, { token: creator.token })
    expect(json.versions.map(({ version }: { version: number }) => version)).toEqual([1])
  })

  it('a version is stored for whom the ACL no longer excludes, and no refusal is recorded', async () => {
    const creator = await person(['creator'])
    const colleague = await person(['creator'], { projectId: creator.projectId })
    const ref = await secret(creator, text('one'))
    const acl = (open: boolean) =>
      call('PUT', `${ref}/acl`, { token: creator.token, json: { read: { 'project-access': open } } })
    await acl(false)
    const send = await seenBy(creator, ref)
    expect((await post(send, colleague, ref, text('x'))).status).toBe(403)
    await acl(true)
    const before = await eventsOf(creator, ref)
    expect((await post(send, colleague, ref, text('two'))).status).toBe(201)
    expect((await eventsOf(creator, ref)).slice(before.length)).toEqual(['update success'])
  })

  it('a version of a secret that was deleted or has expired since is not found', async () => {
    const who = await owner()
    const [deleted, expired] = [
      await secret(who, text('one')),
      await secret(who, { ...text('one'), expiration: new Date(Date.now() + 60_000).toISOString() }),
    ]
    const [one, other] = [await seenBy(who, deleted), await seenBy(who, expired)]
    await call('DELETE', deleted, { token: who.token })
    expect((await post(one, who, deleted, text('two'))).status).toBe(404)
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + 61_000)
    // The isolate knows the caller again, so that nothing has to be read before the change.
    expect((await other('GET', '/v1/secrets', { token: who.token })).status).toBe(200)
    expect((await post(other, who, expired, text('two'))).status).toBe(404)
  })

  it('a body that is refused is refused as one of a secret that was not seen', async () => {
    const who = await owner()
    const ref = await secret(who, text('one'))
    const send = await seenBy(who, ref)
    const [one, other] = [await post(send, who, ref, {}), await post(isolate(), who, ref, {})]
    expect([one.status, one.text]).toEqual([400, other.text])
    expect((await post(send, who, ref, text('two'))).json.version).toBe(2)
  })

  it('T15: a column that somebody has changed in the database is not shown to whoever registers a consumer', async () => {
    const who = await owner()
    const ref = await secret(who, text('one'))
    const send = await seenBy(who, ref)
    await database.prepare("update secrets set algorithm = 'des' where id = ?").bind(idOf(ref)).run()
    expect((await register(send, who, ref)).status).toBe(500)
  })

  it('T15: a column that somebody has changed in the database is noticed although a version was stored over it', async () => {
    const [who, thief] = [await owner(), await owner()]
    const ref = await secret(who, text('one'))
    const send = await seenBy(who, ref)
    const steal = 'update secrets set project_id = ? where id = ?'
    await database.prepare('update secrets set creator_id = ? where id = ?').bind(thief.userId, idOf(ref)).run()
    expect((await post(send, who, ref, text('two'))).status).toBe(201)
    expect((await isolate()('GET', `${ref}/payload`, { token: who.token })).status).toBe(500)
    await database.prepare(steal).bind(thief.projectId, idOf(ref)).run()
    expect((await post(send, who, ref, text('three'))).status).toBe(500)
    expect((await post(send, thief, ref, text('three'))).status).toBe(500)
  })
})
