/** Transport keys, of which the service has none: the empty list, refusals and rights. */
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
  it.each([`?plugin_name=${plugin}`, `?plugin_name=${plugin}&limit=5&offset=5`])(
    'the list of transport keys is empty: %s',
    async (query) => {
      const answer = await call('GET', path + query, { token: who.token })
      expect([answer.status, answer.json]).toEqual([200, { transport_keys: [], total: 0 }])
    },
  )

  it('the list of transport keys needs a role', async () => {
    const nobody = await person(['reader'])
    const answer = await call('GET', path, { token: nobody.token })
    expectRefusal(answer, 403, notPermitted('Transport Key(s) retrieval'))
  })

  itDiffers('tenant paths')('the list of transport keys is served under a tenant path', async () => {
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
  ])('POST of a transport key refuses %j', async (json, reason, property) => {
    expectRefusal(await post(json), 400, mismatch('Transport Key', reason, property))
  })

  it('POST of a transport key needs application/json', async () => {
    const answer = await call('POST', path, {
      token: admin.token,
      body: '{}',
      headers: { 'Content-Type': 'text/plain' },
    })
    expectRefusal(answer, 415, wrongType("['application/json']"))
  })

  it('POST of a transport key is for the service’s administrators', async () => {
    const answer = await call('POST', path, { token: who.token, json: {} })
    expectRefusal(answer, 403, notPermitted('Transport Key Creation'))
  })

  itDiffersInContainers('no transport keys')('POST of a transport key adds none', async () => {
    const answer = await post({ plugin_name: plugin, transport_key: 'MIIC' })
    const reason = 'No plugin was found that could support your request'
    expectRefusal(answer, 400, `Transport Key Creation issue seen - ${reason}.`)
    expect((await call('GET', path, { token: who.token })).json.total).toBe(0)
  })
})

describe('/v1/transport_keys/{id}', () => {
  it('a transport key with a malformed id is 404', async () => {
    for (const id of ['abc', absent.replaceAll('-', ''), `{${absent}}`]) {
      const answer = await call('GET', `${path}/${id}`, { token: who.token })
      expectRefusal(answer, 404, 'Not Found. Provided transport key id is invalid.')
    }
  })

  it('DELETE of an unknown transport key is 404', async () => {
    const answer = await call('DELETE', `${path}/${absent}`, { token: admin.token })
    expectRefusal(answer, 404, 'Not Found. Transport Key not found.')
  })

  it('a transport key is 403 without the right before it is read', async () => {
    const nobody = await person(['reader'])
    const read = await call('GET', `${path}/${absent}`, { token: nobody.token })
    expectRefusal(read, 403, notPermitted('Transport Key retrieval'))
    const deleted = await call('DELETE', `${path}/${absent}`, { token: who.token })
    expectRefusal(deleted, 403, notPermitted('Transport Key deletion'))
    // The form of an id is checked before access.
    const malformed = await call('GET', `${path}/x`, { token: nobody.token })
    expectRefusal(malformed, 404, 'Not Found. Provided transport key id is invalid.')
  })

  itDiffersInContainers('transport keys in JSON')('GET of an unknown transport key is 404', async () => {
    for (const accept of ['application/json', '*/*']) {
      const answer = await call('GET', `${path}/${absent}`, { token: who.token, headers: { Accept: accept } })
      expectRefusal(answer, 404, 'Not Found. Transport Key not found.')
    }
  })

  itDiffersInContainers('methods of transport keys')(
    'other methods on transport keys and their collection are 405',
    async () => {
      for (const method of ['PUT', 'PATCH', 'DELETE']) {
        const answer = await call(method, path, { token: who.token })
        expectRefusal(answer, 405, '')
        expect(answer.headers.get('Allow')).toBe('GET, POST')
      }
    },
  )
})
