/**
 * ACLs of secrets and containers: reading, changing and deleting them, their validation, and the access they grant.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/client.ts'
import { itDiffersInContainers } from '../support/container-differences.ts'
import { itDiffers, onPeer, aSecond } from '../support/differences.ts'
import { callAs, HOOK_MILLISECONDS, owner, person, type Person } from '../support/people.ts'
import { acl, container, idOf, secret, tenantPath } from '../support/stored.ts'
import { expectRefusal, mismatch, notPermitted } from '../support/refusals.ts'

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/)
const none = { read: { 'project-access': true } }
const absent = '11111111-1111-4111-8111-111111111111'

let who: Person
let creator: Person
let observer: Person
let auditor: Person
let stranger: Person
const send = callAs(() => who)

beforeAll(async () => {
  who = await owner()
  creator = await person(['creator'], { projectId: who.projectId })
  observer = await person(['observer'], { projectId: who.projectId })
  auditor = await person(['audit'], { projectId: who.projectId })
  stranger = await person(['reader'])
}, HOOK_MILLISECONDS)

const kinds = [
  {
    kind: 'secrets',
    make: (by: Person) => secret(by, { payload: 'x', payload_content_type: 'text/plain' }),
    label: 'SecretACL',
    retrieval: 'Secret retrieval',
    absentEntity: 'Secret not found.',
    consumer: { service: 's', resource_type: 't', resource_id: 'r' },
  },
  {
    kind: 'containers',
    make: (by: Person) => container(by),
    label: 'ContainerACL',
    retrieval: 'Container retrieval',
    absentEntity: 'Secrets container not found.',
    consumer: { name: 'n', URL: 'u' },
  },
] as const

describe.each(kinds)('ACLs of $kind', ({ kind, make, label, retrieval, absentEntity, consumer }) => {
  const shown = async (ref: string) => (await send('GET', `${ref}/acl`)).json
  const users = async (ref: string) => (await shown(ref)).read.users.toSorted()

  it(`the ACL of new ${kind} is open to the project`, async () => {
    const answer = await send('GET', `${await make(who)}/acl`)
    expect([answer.status, answer.json]).toEqual([200, none])
  })

  it(`an ACL of ${kind} is set by PUT: 200 with its ref and no Location`, async () => {
    const ref = await make(who)
    const read = { 'project-access': false, users: ['u1', 'u2'] }
    const answer = await send('PUT', `${ref}/acl`, { json: { read } })
    expect([answer.status, answer.json]).toEqual([200, { acl_ref: `${ref}/acl` }])
    expect(answer.headers.get('Location')).toBeNull()
    expect(await shown(ref)).toEqual({ read: { ...read, users: expect.any(Array), created: time, updated: time } })
    expect(await users(ref)).toEqual(['u1', 'u2'])
  })

  it(`an ACL of ${kind} that is replaced tells when it was made`, async () => {
    const ref = await make(who)
    await acl(who, ref, { users: ['u'] })
    const { created } = (await shown(ref)).read
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    await acl(who, ref, { users: ['v'] })
    const { read } = await shown(ref)
    expect([read.users, read.created]).toEqual([['v'], created])
    expect(read.updated > created).toBe(true)
  })

  it(`an ACL of ${kind} has defaults for what PUT leaves out`, async () => {
    const ref = await make(who)
    await acl(who, ref, { 'project-access': false, users: ['u'] })
    await acl(who, ref, { users: ['v'] })
    expect((await shown(ref)).read).toMatchObject({ 'project-access': true, users: ['v'] })
    await acl(who, ref, { 'project-access': false })
    expect((await shown(ref)).read).toMatchObject({ 'project-access': false, users: [] })
  })

  it(`an ACL of ${kind} changes by PATCH only in the given members`, async () => {
    const ref = await make(who)
    const patch = (read: object) => send('PATCH', `${ref}/acl`, { json: { read } })
    expect((await patch({ users: ['u'] })).json).toEqual({ acl_ref: `${ref}/acl` })
    expect((await shown(ref)).read).toMatchObject({ 'project-access': true, users: ['u'] })
    await patch({ 'project-access': false })
    expect((await shown(ref)).read).toMatchObject({ 'project-access': false, users: ['u'] })
    await patch({ users: ['v', 'w'] })
    expect(await users(ref)).toEqual(['v', 'w'])
    await patch({ users: [] })
    expect((await shown(ref)).read).toMatchObject({ 'project-access': false, users: [] })
  })

  it.each([{}, { read: {} }])(`an ACL of ${kind} is kept by PATCH of %j and reset by PUT of it`, async (json) => {
    const ref = await make(who)
    await acl(who, ref, { 'project-access': false, users: ['u'] })
    const before = await shown(ref)
    const patched = await send('PATCH', `${ref}/acl`, { json })
    expect([patched.status, patched.json]).toEqual([200, { acl_ref: `${ref}/acl` }])
    expect(await shown(ref)).toEqual(before)
    const put = await send('PUT', `${ref}/acl`, { json })
    expect([put.status, put.json]).toEqual([200, { acl_ref: `${ref}/acl` }])
    expect(await shown(ref)).toEqual(none)
  })

  it(`an ACL of ${kind} is deleted by DELETE: 200 with null, also when there is none`, async () => {
    const ref = await make(who)
    await acl(who, ref, { 'project-access': false })
    for (const _ of [1, 2]) {
      const answer = await send('DELETE', `${ref}/acl`)
      expect([answer.status, answer.text]).toEqual([200, 'null'])
      expect(answer.headers.get('Content-Type')).toBe('application/json')
      expect(await shown(ref)).toEqual(none)
    }
  })

  it(`an ACL of ${kind} lists each user once, stripped of white space`, async () => {
    const ref = await make(who)
    await acl(who, ref, { users: [' u ', 'u', '', 'v'] })
    expect(await users(ref)).toEqual(['', 'u', 'v'])
  })

  it(`an ACL of ${kind} changes \`updated\` of its entity when it is set, but not when it is deleted`, async () => {
    const ref = await make(who)
    const updated = async () => (await send('GET', ref)).json.updated
    const times = [await updated()]
    for (const method of ['PUT', 'PATCH']) {
      if (onPeer) await aSecond()
      await send(method, `${ref}/acl`, { json: { read: { users: [method] } } })
      times.push(await updated())
    }
    expect(new Set(times).size).toBe(3)
    for (const [i, one] of times.entries()) expect(one >= (times[i - 1] ?? '')).toBe(true)
    if (onPeer) await aSecond()
    await send('DELETE', `${ref}/acl`)
    expect(await updated()).toBe(times.at(-1))
  })

  it(`an ACL of absent ${kind} is 404`, async () => {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      const json = method.startsWith('P') ? {} : undefined
      expectRefusal(await send(method, `/v1/${kind}/${absent}/acl`, { json }), 404, absentEntity)
    }
  })

  it(`POST of an ACL of ${kind} is 405 with the methods that the route has`, async () => {
    const answer = await send('POST', `${await make(who)}/acl`, { json: {} })
    expectRefusal(answer, 405, '')
    expect(answer.headers.get('Allow')).toBe('DELETE, GET, PATCH, PUT')
  })

  it.each<[unknown, reason: string, property: string | null]>([
    [{ foo: {} }, "Additional properties are not allowed ('foo' was unexpected)", null],
    [{ write: { users: [] } }, "Additional properties are not allowed ('write' was unexpected)", null],
    [{ b: {}, a: {} }, "Additional properties are not allowed ('a', 'b' were unexpected)", null],
    [{ read: null }, "None is not of type 'object'", 'read'],
    [{ read: [] }, "[] is not of type 'object'", 'read'],
    [{ read: { foo: 1 } }, "Additional properties are not allowed ('foo' was unexpected)", 'read'],
    [{ read: { users: 'x' } }, "'x' is not of type 'array'", 'read'],
    [{ read: { users: null } }, "None is not of type 'array'", 'read'],
    [{ read: { users: [1] } }, "1 is not of type 'string'", 'read'],
    [{ read: { users: ['x'.repeat(256)] } }, `'${'x'.repeat(256)}' is too long`, 'read'],
    [{ read: { 'project-access': 1 } }, "1 is not of type 'boolean'", 'read'],
    [{ read: { 'project-access': 'true' } }, "'true' is not of type 'boolean'", 'read'],
    [{ read: { 'project-access': null } }, "None is not of type 'boolean'", 'read'],
    [[], "[] is not of type 'object'", null],
  ])(`an ACL of ${kind} with the body %j is refused`, async (json, reason, property) => {
    const ref = await make(who)
    for (const method of ['PUT', 'PATCH']) {
      expectRefusal(await send(method, `${ref}/acl`, { json }), 400, mismatch('ACL', reason, property))
    }
    expect(await shown(ref)).toEqual(none)
  })

  itDiffersInContainers('every user of an ACL').each<[unknown, string]>([
    [1, "1 is not of type 'string'"],
    [null, "None is not of type 'string'"],
    [{ a: 1 }, "{'a': 1} is not of type 'string'"],
    ['y'.repeat(256), `'${'y'.repeat(256)}' is too long`],
  ])(`an ACL of ${kind} is checked for every user, not only the first: %j`, async (user, reason) => {
    const ref = await make(who)
    const answer = await send('PUT', `${ref}/acl`, { json: { read: { users: ['a', 'b', user] } } })
    expectRefusal(answer, 400, mismatch('ACL', reason, 'read'))
    expect(await shown(ref)).toEqual(none)
  })

  it(`an ACL of ${kind} can close them to the rest of the project`, async () => {
    const ref = await make(creator)
    for (const { token } of [observer, auditor]) expect((await call('GET', ref, { token })).status).toBe(200)
    await acl(creator, ref, { 'project-access': false })
    for (const { token } of [observer, auditor]) {
      expectRefusal(await call('GET', ref, { token }), 403, notPermitted(retrieval))
    }
    const second = await person(['creator'], { projectId: who.projectId })
    expectRefusal(await call('GET', ref, { token: second.token }), 403, notPermitted(retrieval))
    for (const { token } of [creator, who]) expect((await call('GET', ref, { token })).status).toBe(200)
  })

  it(`an ACL of ${kind} admits users of any project and role, for reading only`, async () => {
    const ref = await make(creator)
    const token = stranger.token
    expectRefusal(await call('GET', ref, { token }), 403, notPermitted(retrieval))
    await acl(creator, ref, { users: [stranger.userId] })
    expect((await call('GET', ref, { token })).status).toBe(200)
    expectRefusal(await call('GET', `${ref}/acl`, { token }), 403, notPermitted(`${label}(s) retrieval`))
    const written = await call('PATCH', `${ref}/acl`, { token, json: { read: {} } })
    expectRefusal(written, 403, notPermitted(`${label}(s) Update`))
    expect((await call('DELETE', ref, { token })).status).toBe(403)
    await call('DELETE', `${ref}/acl`, { token: creator.token })
    expectRefusal(await call('GET', ref, { token }), 403, notPermitted(retrieval))
  })

  it(`an ACL of ${kind} may be read but not written by observers, and neither by auditors, private or not`, async () => {
    const ref = await make(creator)
    for (const open of [true, false]) {
      await acl(creator, ref, { 'project-access': open })
      expect((await call('GET', `${ref}/acl`, { token: observer.token })).status).toBe(200)
      const audited = await call('GET', `${ref}/acl`, { token: auditor.token })
      expectRefusal(audited, 403, notPermitted(`${label}(s) retrieval`))
      for (const { token } of [observer, auditor]) {
        const put = await call('PUT', `${ref}/acl`, { token, json: {} })
        expectRefusal(put, 403, notPermitted(`${label}(s) Update`))
        const gone = await call('DELETE', `${ref}/acl`, { token })
        expectRefusal(gone, 403, notPermitted(`${label}(s) deletion`))
      }
    }
  })

  it(`an ACL of ${kind} may be written by any creator of the project while they are not private`, async () => {
    const [ref, colleague] = [await make(creator), await person(['creator'], { projectId: who.projectId })]
    for (const method of ['PUT', 'PATCH'])
      expect((await call(method, `${ref}/acl`, { token: colleague.token, json: {} })).status).toBe(200)
    expect((await call('DELETE', `${ref}/acl`, { token: colleague.token })).status).toBe(200)
  })

  itDiffersInContainers('private stays private')(
    `an ACL that makes ${kind} private cannot be changed by a creator whom it shuts out`,
    async () => {
      const [ref, colleague] = [await make(creator), await person(['creator'], { projectId: who.projectId })]
      await acl(creator, ref, { 'project-access': false, users: ['somebody'] })
      const { token } = colleague
      const before = await shown(ref)
      for (const users of [[], [colleague.userId], [stranger.userId]]) {
        for (const method of ['PUT', 'PATCH']) {
          const json = { read: { 'project-access': true, users } }
          const changed = await call(method, `${ref}/acl`, { token, json })
          expectRefusal(changed, 403, notPermitted(`${label}(s) Update`))
        }
      }
      const reset = await call('PUT', `${ref}/acl`, { token, json: {} })
      expectRefusal(reset, 403, notPermitted(`${label}(s) Update`))
      const gone = await call('DELETE', `${ref}/acl`, { token })
      expectRefusal(gone, 403, notPermitted(`${label}(s) deletion`))
      expect(await shown(ref)).toEqual(before)
      expectRefusal(await call('GET', ref, { token }), 403, notPermitted(retrieval))
    },
  )

  itDiffersInContainers('private stays private')(
    `an ACL that makes ${kind} private can be changed by their owner and by an admin of the project`,
    async () => {
      for (const { token } of [creator, who]) {
        const ref = await make(creator)
        await acl(creator, ref, { 'project-access': false })
        const json = { read: { users: ['u'] } }
        expect((await call('PATCH', `${ref}/acl`, { token, json })).status).toBe(200)
        expect(await shown(ref)).toMatchObject({ read: { 'project-access': false, users: ['u'] } })
        expect((await call('DELETE', `${ref}/acl`, { token })).status).toBe(200)
        expect(await shown(ref)).toEqual(none)
      }
    },
  )

  it(`the consumers of private ${kind} are closed to a creator who is shut out`, async () => {
    const [ref, { token }] = [await make(creator), await person(['creator'], { projectId: who.projectId })]
    await acl(creator, ref, { 'project-access': false })
    expect((await call('GET', `${ref}/consumers`, { token })).status).toBe(403)
    for (const method of ['POST', 'DELETE']) {
      expect((await call(method, `${ref}/consumers`, { token, json: consumer })).status).toBe(403)
    }
    expect((await call('GET', `${ref}/consumers`, { token: creator.token })).json.total).toBe(0)
  })

  itDiffers('tenant paths')(`an ACL of ${kind} is served under a tenant path`, async () => {
    const ref = tenantPath(who, await make(who))
    const answer = await send('PUT', `${ref}/acl`, { json: { read: { users: ['u'] } } })
    expect(answer.json).toEqual({ acl_ref: `${ref}/acl` })
    expect((await send('GET', `${ref}/acl`)).json.read.users).toEqual(['u'])
    expect((await send('DELETE', `${ref}/acl`)).status).toBe(200)
  })
})

describe('a private secret without a payload', () => {
  itDiffersInContainers('private stays private')(
    'a private secret without a payload is filled by its owner or an admin of the project, not by another creator',
    async () => {
      const colleague = await person(['creator'], { projectId: who.projectId })
      const fill = (ref: string, { token }: Person) =>
        call('PUT', ref, { token, body: 'x', headers: { 'Content-Type': 'text/plain' } })
      for (const filler of [creator, who]) {
        const ref = await secret(creator)
        await acl(creator, ref, { 'project-access': false })
        expectRefusal(await fill(ref, colleague), 403, notPermitted('Secret update'))
        expect((await fill(ref, filler)).status).toBe(204)
      }
    },
  )

  it('a secret without a payload that is not private is filled by any creator of the project', async () => {
    const [ref, { token }] = [await secret(creator), await person(['creator'], { projectId: who.projectId })]
    const answer = await call('PUT', ref, { token, body: 'x', headers: { 'Content-Type': 'text/plain' } })
    expect(answer.status).toBe(204)
  })
})

describe('GET /v1/secrets?acl_only=true', () => {
  it('GET /v1/secrets?acl_only=true lists the secrets of all projects whose ACL names the user, and no others', async () => {
    const reader = await person(['creator'])
    const own = await secret(reader)
    const theirs = await secret(who, { name: 'theirs' })
    const named = await acl(who, theirs, { users: ['somebody', reader.userId] }).then(() => theirs)
    await acl(who, await secret(who), { users: [`x${reader.userId}`, 'somebody'] })
    const list = async (query: string) =>
      (await call('GET', `/v1/secrets${query}`, { token: reader.token })).json.secrets.map(
        (one: { secret_ref: string }) => idOf(one.secret_ref),
      )
    expect(await list('?acl_only=true')).toEqual([idOf(named)])
    expect(await list('?acl_only=TRUE')).toEqual([idOf(named)])
    expect(await list('?acl_only=true&name=other')).toEqual([])
    for (const value of ['false', '1', '']) expect(await list(`?acl_only=${value}`)).toEqual([idOf(own)])
  })
})
