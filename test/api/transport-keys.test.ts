import { beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/client.ts'
import { itDiffersInContainers } from '../support/container-differences.ts'
import { itDiffers } from '../support/differences.ts'
import { HOOK_MILLISECONDS, owner, person, type Person } from '../support/people.ts'
import { expectRefusal, mismatch, notPermitted, wrongType } from '../support/refusals.ts'

const path = '/v1/transport_keys'
const absent = '11111111-1111-4111-8111-111111111111'
const plugin = crypto.randomUUID()

let who: Person
let admin: Person
beforeAll(async () => {
  who = await owner()
  admin = await person(['key-manager:service-admin'])
}, HOOK_MILLISECONDS)

describe('GET /v1/transport_keys', () => {
  it.each([`?plugin_name=${plugin}`, `?plugin_name=${plugin}&limit=5&offset=5`])('is empty: %s', async (query) => {
    const answer = await call('GET', path + query, { token: who.token })
    expect([answer.status, answer.json]).toEqual([200, { transport_keys: [], total: 0 }])
  })

  it('is for who has a role', async () => {
    const nobody = await person(['reader'])
    const answer = await call('GET', path, { token: nobody.token })
    expectRefusal(answer, 403, notPermitted('Transport Key(s) retrieval'))
  })

  itDiffers('tenant paths')('is there under a tenant path', async () => {
    const answer = await call('GET', `/v1/${who.projectId}/transport_keys`, { token: who.token })
    expect(answer.json).toEqual({ transport_keys: [], total: 0 })
  })
})

describe('POST /v1/transport_keys', () => {
  const post = (json: unknown) => call('POST', path, { token: admin.token, json })

  it.each<[unknown, reason: string, property: string | null]>([
    [[], "[] is not of type 'object'", null],
    [{}, 'plugin_name must be provided', 'plugin_name'],
    [{ plugin_name: '' }, 'plugin_name must be provided', 'plugin_name'],
    [{ plugin_name: 'p' }, 'transport_key must be provided', 'transport_key'],
    [{ plugin_name: 'p', transport_key: ' ' }, 'transport_key must be provided', 'transport_key'],
    [{ plugin_name: null }, "None is not of type 'string'", 'plugin_name'],
  ])('refuses %j', async (json, reason, property) => {
    expectRefusal(await post(json), 400, mismatch('Transport Key', reason, property))
  })

  it('needs application/json', async () => {
    const answer = await call('POST', path, {
      token: admin.token,
      body: '{}',
      headers: { 'Content-Type': 'text/plain' },
    })
    expectRefusal(answer, 415, wrongType("['application/json']"))
  })

  it('is for the service’s administrators', async () => {
    const answer = await call('POST', path, { token: who.token, json: {} })
    expectRefusal(answer, 403, notPermitted('Transport Key Creation'))
  })

  itDiffersInContainers('no transport keys')('adds none', async () => {
    const answer = await post({ plugin_name: plugin, transport_key: 'MIIC' })
    const reason = 'No plugin was found that could support your request'
    expectRefusal(answer, 400, `Transport Key Creation issue seen - ${reason}.`)
    expect((await call('GET', path, { token: who.token })).json.total).toBe(0)
  })
})

describe('/v1/transport_keys/{id}', () => {
  it('is 404 by a malformed id', async () => {
    for (const id of ['abc', absent.replaceAll('-', ''), `{${absent}}`]) {
      const answer = await call('GET', `${path}/${id}`, { token: who.token })
      expectRefusal(answer, 404, 'Not Found. Provided transport key id is invalid.')
    }
  })

  it('is 404 to DELETE by an unknown id', async () => {
    const answer = await call('DELETE', `${path}/${absent}`, { token: admin.token })
    expectRefusal(answer, 404, 'Not Found. Transport Key not found.')
  })

  it('is 403 before it is looked for', async () => {
    const nobody = await person(['reader'])
    const read = await call('GET', `${path}/${absent}`, { token: nobody.token })
    expectRefusal(read, 403, notPermitted('Transport Key retrieval'))
    const deleted = await call('DELETE', `${path}/${absent}`, { token: who.token })
    expectRefusal(deleted, 403, notPermitted('Transport Key deletion'))
    // The form of an id is looked at before any right is.
    const malformed = await call('GET', `${path}/x`, { token: nobody.token })
    expectRefusal(malformed, 404, 'Not Found. Provided transport key id is invalid.')
  })

  itDiffersInContainers('transport keys in JSON')('is 404 to GET by an unknown id', async () => {
    for (const accept of ['application/json', '*/*']) {
      const answer = await call('GET', `${path}/${absent}`, { token: who.token, headers: { Accept: accept } })
      expectRefusal(answer, 404, 'Not Found. Transport Key not found.')
    }
  })

  itDiffersInContainers('methods of transport keys')('has no other methods, nor has the collection', async () => {
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const answer = await call(method, path, { token: who.token })
      expectRefusal(answer, 405, '')
      expect(answer.headers.get('Allow')).toBe('GET, POST')
    }
  })
})
