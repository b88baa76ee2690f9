/**
 * Reads at a replica of the database that lags behind, and the bookmarks by which clients read their own writes.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { bindingWith, edgeCredential } from '../support/bindings.ts'
import { call, identityBase, isolate } from '../support/client.ts'
import { adminToken } from '../support/identity.ts'
import { owner, person, type Person } from '../support/people.ts'
import { secret } from '../support/stored.ts'
import { migrateReplica, replicated } from '../support/replica.ts'

const HEADER = 'X-D1-Bookmark'
const BOOKMARK = /^[\da-f]{8}(-[\da-f]{8}){2}-[\da-f]{32}$/
const text = { payload: 'x', payload_content_type: 'text/plain' }
const absent = '/v1/secrets/11111111-1111-4111-8111-111111111111'

// The clock stands still: the age of a replica is the subject of `freshness.test.ts`.
beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterAll(() => void vi.useRealTimers())

describe('a replica that lags behind', () => {
  const { binding, trips, catchUp } = replicated()
  const ask = isolate({ DB: binding })
  let who: Person
  const send = (method: string, path: string, bookmark?: string, json?: unknown) =>
    ask(method, path, { token: who.token, json, headers: bookmark === undefined ? {} : { [HEADER]: bookmark } })
  /** The status of the response, and the number of round trips to the primary and to the replica. */
  async function asked(method: string, path: string, bookmark?: string) {
    Object.assign(trips, { primary: 0, replica: 0 })
    const { status } = await send(method, path, bookmark)
    return { status, primary: trips.primary, replica: trips.replica }
  }
  async function bookmarkOf(method: string, path: string, json?: unknown): Promise<string> {
    const answer = await send(method, path, undefined, json)
    expect(answer.status).toBeLessThan(300)
    expect(answer.headers.get(HEADER)).toMatch(BOOKMARK)
    return answer.headers.get(HEADER) ?? ''
  }

  beforeAll(async () => {
    who = await owner()
    // The isolate caches the token, the check of the master keys, and the key that authenticates rows.
    await send('GET', await secret(who))
  })

  it('a read that fails at the replica, as before its migration, is repeated at the primary', async () => {
    const ref = await secret(who, text)
    expect(await asked('GET', ref)).toEqual({ status: 200, primary: 1, replica: 1 })
    expect(await asked('GET', '/v1/secrets')).toMatchObject({ status: 200, primary: 1 })
  })

  describe('a replica that has the tables', () => {
    beforeAll(migrateReplica)
    beforeEach(catchUp)

    it('what the replica has is read there, in one round trip', async () => {
      const ref = await secret(who, text)
      await catchUp()
      for (const path of ['', '/payload', '/metadata', '/acl', '/consumers']) {
        expect(await asked('GET', ref + path)).toMatchObject({ status: 200, primary: 0 })
      }
      expect(await asked('GET', '/v1/secrets')).toMatchObject({ status: 200, primary: 0 })
    })

    it('what the replica does not have is read at the primary', async () => {
      const ref = await secret(who, text)
      for (const path of ['', '/payload', '/metadata', '/acl']) {
        expect(await asked('GET', ref + path)).toEqual({ status: 200, primary: 1, replica: 1 })
      }
    })

    it('what exists nowhere is read once at the replica and once at the primary', async () => {
      expect(await asked('GET', absent)).toEqual({ status: 404, primary: 1, replica: 1 })
    })

    it('an isolate reads the version that it has made from what it had seen, though the replica does not have it', async () => {
      const ref = await secret(who, text)
      await catchUp()
      expect((await send('GET', ref)).status).toBe(200)
      expect((await send('POST', `${ref}/versions`, undefined, { ...text, payload: 'y' })).status).toBe(201)
      expect((await send('GET', `${ref}/payload`)).text).toBe('y')
    })

    it('a payload that was stored a moment ago is found', async () => {
      const ref = await secret(who)
      await catchUp()
      const put = { token: who.token, body: 'x', headers: { 'Content-Type': 'text/plain' } }
      expect((await ask('PUT', ref, put)).status).toBe(204)
      expect((await send('GET', `${ref}/payload`)).text).toBe('x')
    })

    it('a right that was granted a moment ago is honoured', async () => {
      const ref = await secret(who, text)
      const stranger = await person(['creator'])
      await ask('GET', ref, { token: stranger.token })
      await catchUp()
      expect((await ask('GET', ref, { token: stranger.token })).status).toBe(403)
      await send('PUT', `${ref}/acl`, undefined, { read: { users: [stranger.userId] } })
      expect((await ask('GET', ref, { token: stranger.token })).status).toBe(200)
      expect((await ask('GET', `${ref}/payload`, { token: stranger.token })).status).toBe(200)
    })

    it('a project, a user, a role and a token that were made a moment ago are honoured', async () => {
      const late = await owner()
      const answer = await ask('GET', '/v1/secrets', { token: late.token })
      expect([answer.status, answer.json.total]).toEqual([200, 0])
    })

    it.each(['secrets', 'containers', 'orders'])(
      'a client reads its own write of %s with its bookmark',
      async (kind) => {
        const meta = { name: 'new', algorithm: 'aes', bit_length: 128, mode: 'cbc' }
        const json = { secrets: text, containers: { type: 'generic' }, orders: { type: 'key', meta } }[kind]
        const total = async (bookmark?: string) => (await send('GET', `/v1/${kind}`, bookmark)).json.total
        const before = await total()
        const bookmark = await bookmarkOf('POST', `/v1/${kind}`, json)
        expect(await total()).toBe(before)
        expect(await total(bookmark)).toBe(before + 1)
        expect(await asked('GET', `/v1/${kind}`, bookmark)).toMatchObject({ status: 200, replica: 0 })
        await catchUp()
        expect(await asked('GET', `/v1/${kind}`, bookmark)).toMatchObject({ status: 200, primary: 0 })
      },
    )

    it("a client reads every kind of change with its bookmark, also one that the project's object made", async () => {
      const ref = await secret(who, text)
      await catchUp()
      const shown = async (path: string, bookmark?: string) =>
        JSON.stringify((await send('GET', ref + path, bookmark)).json)
      const consumer = { service: 'image', resource_type: 'image', resource_id: 'a' }
      const changes = [
        ['/metadata', 'PUT', '/metadata', { metadata: { a: 'b' } }],
        ['/metadata', 'POST', '/metadata', { key: 'c', value: 'd' }],
        ['/metadata', 'PUT', '/metadata/c', { key: 'c', value: 'e' }],
        ['/metadata', 'DELETE', '/metadata/c', undefined],
        ['/acl', 'PUT', '/acl', { read: { users: ['u'] } }],
        ['/acl', 'PATCH', '/acl', { read: { users: ['v'] } }],
        ['/acl', 'DELETE', '/acl', undefined],
        ['/consumers', 'POST', '/consumers', consumer],
        ['/consumers', 'DELETE', '/consumers', consumer],
      ] as const
      for (const [seenAt, method, path, json] of changes) {
        await catchUp()
        const before = await shown(seenAt)
        const bookmark = await bookmarkOf(method, ref + path, json)
        expect(await shown(seenAt)).toBe(before)
        expect(await shown(seenAt, bookmark)).not.toBe(before)
      }
    })

    it('a deletion in another isolate is hidden until the replica catches up, but not from a client with the bookmark', async () => {
      const ref = await secret(who, text)
      await catchUp()
      const bookmark = (await call('DELETE', ref, { token: who.token })).headers.get(HEADER) ?? ''
      expect((await send('GET', `${ref}/payload`)).status).toBe(200)
      expect((await send('GET', `${ref}/payload`, bookmark)).status).toBe(404)
      await catchUp()
      expect((await send('GET', `${ref}/payload`)).status).toBe(404)
    })

    it('a change through the same isolate is seen at once', async () => {
      const ref = await secret(who, text)
      await catchUp()
      await send('PUT', `${ref}/acl`, undefined, { read: { users: ['u'] } })
      const { updated } = (await call('GET', ref, { token: who.token })).json
      expect((await send('GET', ref)).json.updated).toBe(updated)
      await send('DELETE', ref)
      expect((await send('GET', ref)).status).toBe(404)
      expect((await send('GET', `${ref}/payload`)).status).toBe(404)
    })

    it.each(['', 'x', 'first-unconstrained', 'first-primary', '0'.repeat(56), `${'0'.repeat(8)}-`.repeat(500), 'é'])(
      'a bookmark that is malformed makes the primary answer: %s',
      async (wrong) => {
        const ref = await secret(who, text)
        await catchUp()
        await send('DELETE', ref)
        expect(await asked('GET', ref, wrong)).toEqual({ status: 404, primary: 1, replica: 0 })
      },
    )

    it('a change through the same isolate is seen by name at once, with a credential that the isolate does not know', async () => {
      const named = { ...text, name: `named ${crypto.randomUUID()}` }
      await secret(who, named)
      const { id } = await edgeCredential(who)
      await catchUp()
      const read = async (credential: string) => {
        Object.assign(trips, { primary: 0, replica: 0 })
        const answer = await bindingWith({ credential }, { DB: binding }).payloadByName(named.name)
        const payload = answer.ok ? new TextDecoder().decode(answer.value.bytes) : answer.failure
        return { payload, primary: trips.primary, replica: trips.replica }
      }
      expect(await read(id)).toEqual({ payload: 'x', primary: 0, replica: 1 })
      const other = await edgeCredential(who)
      await catchUp()
      await send('POST', '/v1/secrets', undefined, { ...named, payload: 'y' })
      expect(await read(other.id)).toEqual({ payload: 'y', primary: 1, replica: 1 })
    })

    it('a bookmark of a state that never existed does no harm', async () => {
      const ref = await secret(who, text)
      expect(await asked('GET', ref, 'ffffffff-ffffffff-ffffffff-'.padEnd(59, 'f'))).toMatchObject({ status: 200 })
    })

    it('every request but GET goes to the primary', async () => {
      const ref = await secret(who, text)
      expect(await asked('DELETE', ref)).toMatchObject({ status: 204, replica: 0 })
      expect(await asked('DELETE', ref)).toMatchObject({ status: 404, replica: 0 })
      for (const path of ['/v1/cas', '/admin/rotate']) expect(await asked('GET', path)).toMatchObject({ replica: 0 })
    })

    it('the audit log and the state of destructions are read at the primary', async () => {
      const { token } = await person(['audit', 'key-manager:service-admin'])
      await catchUp()
      for (const [path, status] of [
        ['/v1/audit', 200],
        ['/admin/audit', 200],
        ['/admin/projects/nobody/destruction', 404],
      ] as const) {
        Object.assign(trips, { primary: 0, replica: 0 })
        const headers = { Accept: 'application/json' }
        expect((await ask('GET', path, { token, headers })).status).toBe(status)
        expect(trips).toMatchObject({ replica: 0 })
      }
    })

    it('who administers the identity is authenticated at the primary, and a caller is refused only there', async () => {
      const member = await person(['creator'])
      const token = await adminToken()
      Object.assign(trips, { primary: 0, replica: 0 })
      const disabled = { user: { enabled: false } }
      for (const path of [
        '/users',
        `/users/${member.userId}`,
        '/roles',
        '/projects',
        '/auth/tokens',
        '/role_assignments',
      ]) {
        const headers = { 'X-Subject-Token': member.token }
        expect((await ask('GET', identityBase + path, { token, headers })).status).toBe(200)
      }
      await call('PATCH', `${identityBase}/users/${member.userId}`, { token, json: disabled })
      expect(trips.replica).toBe(0)
      await catchUp()
      expect((await ask('GET', '/v1/secrets', { token: member.token })).status).toBe(401)
      expect(trips).toMatchObject({ replica: 1 })
    })
  })
})

describe('a database without replicas', () => {
  it('without replicas a read that finds nothing costs one round trip, and GET returns no bookmark', async () => {
    const { binding, trips } = replicated()
    const ask = isolate({ DB: { withSession: () => binding.withSession('first-primary') } })
    const { token } = await owner()
    await ask('GET', absent, { token })
    trips.primary = 0
    const answer = await ask('GET', absent, { token })
    expect([answer.status, trips.primary, answer.headers.get(HEADER)]).toEqual([404, 1, null])
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
  })

  it('without replicas a refused write returns no bookmark', async () => {
    const { token } = await person(['observer'])
    const answer = await call('POST', '/v1/secrets', { token, json: text })
    expect([answer.status, answer.headers.get(HEADER)]).toEqual([403, null])
  })
})
