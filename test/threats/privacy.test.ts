/** Threat T26: what is private stays closed to colleagues, and lists show nothing of other projects. */
import { beforeAll, describe, expect, it } from 'vitest'
import { keystoneVariables } from '../support/keystone.ts'
import { cloudOfKeystone, type Person } from '../support/people.ts'
import { CANARY, canarySecret, close, emptyContainer, idOf, keyOrder } from '../support/stored.ts'
import { workerWith } from '../support/worker-with.ts'

const { send, person } = cloudOfKeystone()
const absent = '11111111-1111-4111-8111-111111111111'

let owner: Person
let colleague: Person
let stranger: Person
let secretRef: string
let orderRef: string

beforeAll(async () => {
  owner = person(['creator'])
  colleague = person(['creator'], { projectId: owner.projectId })
  stranger = person(['creator', 'admin'])
  secretRef = await canarySecret(send, owner)
  orderRef = await keyOrder(send, owner)
  await close(send, owner, secretRef)
})

describe('T26: privacy of entities and lists', () => {
  const refsIn = (answer: { json: { secrets: { secret_ref: string }[] } }) =>
    answer.json.secrets.map(({ secret_ref: ref }) => ref)

  it('T26: private secrets of colleagues are in the list, as in Barbican, without their payload', async () => {
    const answer = await send('GET', '/v1/secrets', { token: colleague.token, microversion: '1.1' })
    expect(refsIn(answer)).toContain(secretRef)
    expect(answer.text).not.toContain(CANARY)
    expect((await send('GET', secretRef, { token: colleague.token })).status).toBe(403)
    expect((await send('GET', `${secretRef}/payload`, { token: colleague.token })).status).toBe(403)
  })

  it('T26: nothing of another project is in any list', async () => {
    for (const path of ['secrets', 'containers', 'orders', 'secrets?acl_only=true', 'secrets?limit=100&name=%25']) {
      const answer = await send('GET', `/v1/${path}`, { token: stranger.token })
      expect(answer.text).not.toContain(idOf(secretRef))
      expect(answer.text).not.toContain(idOf(orderRef))
    }
  })

  it('T26: acl_only lists what names the user, and nothing that a pattern would match', async () => {
    const ref = await canarySecret(send, owner)
    const reader = person(['observer'])
    await close(send, owner, ref, [reader.userId])
    const listed = await send('GET', '/v1/secrets?acl_only=true', { token: reader.token })
    expect(refsIn(listed)).toEqual([ref])
    for (const userId of [
      '%',
      '_'.repeat(reader.userId.length),
      reader.userId.slice(0, -1),
      `"${reader.userId}"`,
      '',
    ]) {
      const other = person(['observer'], { userId })
      const named = refsIn(await send('GET', '/v1/secrets?acl_only=true', { token: other.token }))
      expect(named).not.toContain(ref)
    }
  })

  describe.each(['legacy', 'secure', 'both'])('POLICY=%s', (POLICY) => {
    const ask = workerWith({ ...keystoneVariables, POLICY })
    const readAll = 'observer audit reader key-manager:service-admin'.split(' ')
    /** Every role but `admin`, which shuts nobody out of its own project. */
    const colleagueRoles = ['creator', 'member', ...readAll]

    /** Everything that could open, fill or change what is private, each with what it sends. */
    const attempts = (ref: string, userId: string): [method: string, path: string, request: object][] => {
      const read = { 'project-access': true, users: [userId] }
      const consumer = { service: 's', resource_type: 't', resource_id: 'r', name: 'n', URL: 'u' }
      return [
        ['PUT', '/acl', { json: { read } }],
        ['PATCH', '/acl', { json: { read } }],
        ['PATCH', '/acl', { json: { read: { users: [userId] } } }],
        ['PUT', '/acl', { json: {} }],
        ['DELETE', '/acl', {}],
        ['GET', '/consumers', {}],
        ['POST', '/consumers', { json: consumer }],
        ['DELETE', '/consumers', { json: consumer }],
        ['GET', `/consumers/${absent}`, {}],
        ['DELETE', '', {}],
        ...(ref.includes('/containers/')
          ? ([
              ['POST', '/secrets', { json: { name: 'x', secret_ref: secretRef } }],
              ['DELETE', '/secrets', { json: { name: 'x', secret_ref: secretRef } }],
            ] satisfies [string, string, object][])
          : ([
              ['PUT', '', { body: 'mine', headers: { 'Content-Type': 'text/plain' } }],
              ['PUT', '/metadata', { json: { metadata: { a: 'b' } } }],
              ['POST', '/metadata', { json: { key: 'a', value: 'b' } }],
            ] satisfies [string, string, object][])),
      ]
    }

    it('T26: who is shut out of a private entity stays out, whatever they try', async () => {
      const maker = person(['creator', 'member'])
      const shutOut = person(colleagueRoles, { projectId: maker.projectId })
      const empty = await ask('POST', '/v1/secrets', { token: maker.token, json: { name: 'empty' } })
      const refs = [await canarySecret(ask, maker), empty.json.secret_ref as string, await emptyContainer(ask, maker)]
      for (const ref of refs) {
        await close(ask, maker, ref, ['somebody'])
        const shown = async () => [
          (await ask('GET', ref, { token: maker.token })).json,
          (await ask('GET', `${ref}/acl`, { token: maker.token })).json,
        ]
        const before = await shown()
        for (const who of [shutOut, person([...colleagueRoles, 'admin'])]) {
          for (const [method, path, request] of attempts(ref, who.userId)) {
            const answer = await ask(method, `${ref}${path}`, { token: who.token, ...request })
            expect([method, path, answer.status]).toEqual([method, path, 403])
          }
          for (const path of ['', '/payload']) {
            if (path && ref.includes('/containers/')) continue
            expect((await ask('GET', `${ref}${path}`, { token: who.token })).status).toBe(403)
          }
        }
        expect(await shown()).toEqual(before)
      }
    })

    it('T26: a container of a colleague’s own does not open the private secret that it names', async () => {
      const maker = person(['creator', 'member'])
      const { token } = person(colleagueRoles, { projectId: maker.projectId })
      const ref = await canarySecret(ask, maker)
      await close(ask, maker, ref)
      const json = { type: 'generic', secret_refs: [{ name: 'theirs', secret_ref: ref }] }
      const made = await ask('POST', '/v1/containers', { token, json })
      expect(made.status).toBe(201)
      for (const path of [ref, `${ref}/payload`]) expect((await ask('GET', path, { token })).status).toBe(403)
      expect((await ask('GET', made.json.container_ref, { token })).text).not.toContain(CANARY)
    })
  })
})
