/**
 * Consumers of secrets and containers: registration, deregistration, and the protection of a secret that has them.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { base, call, database } from '../support/client.ts'
import { eitherOfContainers, itDiffersInContainers } from '../support/container-differences.ts'
import { differs, itDiffers, onPeer, aSecond } from '../support/differences.ts'
import { callAs, HOOK_MILLISECONDS, owner, person, type Person } from '../support/people.ts'
import { acl, container, idOf, secret, tenantPath } from '../support/stored.ts'
import { badQuery, expectRefusal, notPermitted } from '../support/refusals.ts'

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/)
const absent = '11111111-1111-4111-8111-111111111111'

let who: Person
let reader: Person
const send = callAs(() => who)

const uuid = () => crypto.randomUUID()
const image = (id = uuid()) => ({ service: 'image', resource_type: 'image', resource_id: id })
const balancer = (name = uuid()) => ({ name, URL: 'https://svc.example/lb/1' })

/** Tests that apply to both kinds of entity. */
const kinds = [
  {
    kind: 'secrets',
    label: 'SecretConsumer',
    make: () => secret(who, { payload: 'x', payload_content_type: 'text/plain' }),
    absentEntity: 'Secret not found.',
    consumer: image,
  },
  {
    kind: 'containers',
    label: 'ContainerConsumer',
    make: () => container(who),
    absentEntity: 'Secrets container not found.',
    consumer: balancer,
  },
] as const

beforeAll(async () => {
  who = await owner()
  reader = await person(['creator'])
}, HOOK_MILLISECONDS)

describe.each(kinds)('consumers of $kind', ({ kind, label, make, absentEntity, consumer }) => {
  const shown = async (ref: string) => (await send('GET', ref, { microversion: '1.1' })).json.consumers

  it(`new ${kind} have no consumers`, async () => {
    const answer = await send('GET', `${await make()}/consumers`)
    expect([answer.status, answer.json]).toEqual([200, { consumers: [], total: 0 }])
  })

  it(`a consumer of ${kind} is registered: 200 with the whole entity, whose \`updated\` changes`, async () => {
    const ref = await make()
    const { updated } = (await send('GET', ref)).json
    if (onPeer) await aSecond()
    const json = consumer()
    const answer = await send('POST', `${ref}/consumers`, { json })
    expect(answer.status).toBe(200)
    expect(answer.json.consumers).toEqual([json])
    expect(answer.json.updated > updated).toBe(true)
    const { json: whole } = await send('GET', ref, { microversion: '1.1' })
    const { content_types: types, ...rest } = whole
    const expected = eitherOfContainers('content types of consumers', { ours: whole, peer: rest })
    expect(answer.json).toEqual({ ...expected, updated: expect.any(String) })
    expect(types).toEqual(kind === 'secrets' ? { default: 'text/plain' } : undefined)
    const location = eitherOfContainers('consumer locations', {
      ours: `${ref}/consumers`,
      peer: `${base}/v1/consumers/${idOf(ref)}/consumers`,
    })
    expect(answer.headers.get('Location')).toBe(location)
  })

  it(`a consumer of ${kind} is registered once, however often it is requested`, async () => {
    const ref = await make()
    const json = { ...consumer(), more: 1 }
    const first = await send('POST', `${ref}/consumers`, { json })
    const { updated } = (await send('GET', ref)).json
    const second = await send('POST', `${ref}/consumers/`, { json })
    expect([first.status, second.status]).toEqual([200, 200])
    expect(second.json.consumers).toHaveLength(1)
    expect((await send('GET', ref)).json.updated).toBe(updated)
    expect((await send('GET', `${ref}/consumers`)).json.total).toBe(1)
  })

  it(`a consumer of ${kind} is registered once by ten parallel requests`, async () => {
    const ref = await make()
    const json = consumer()
    const answers = await Promise.all(Array.from({ length: 10 }, () => send('POST', `${ref}/consumers`, { json })))
    if (!onPeer) expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
    expect((await send('GET', `${ref}/consumers`)).json.total).toBe(1)
    expect(await shown(ref)).toEqual([json])
  })

  it(`different consumers of ${kind} that are registered in parallel are all stored`, async () => {
    const ref = await make()
    const many = Array.from({ length: 10 }, () => consumer())
    await Promise.all(many.map((json) => send('POST', `${ref}/consumers`, { json })))
    const { json } = await send('GET', `${ref}/consumers?limit=100`)
    expect(json.total).toBe(10)
    expect(json.consumers).toHaveLength(10)
  })

  it(`the consumers of ${kind} are listed with their times and status`, async () => {
    const ref = await make()
    const json = consumer()
    await send('POST', `${ref}/consumers`, { json })
    const answer = await send('GET', `${ref}/consumers`)
    expect(answer.json).toEqual({
      consumers: [{ created: time, updated: time, status: 'ACTIVE', ...json }],
      total: 1,
    })
  })

  it(`the consumers of ${kind} are listed in pages`, async () => {
    const ref = await make()
    const many = ['c', 'a', 'b'].map((name) => consumer(name))
    for (const json of many) {
      await send('POST', `${ref}/consumers`, { json })
      if (onPeer) await aSecond()
    }
    // Consumers of secrets are listed oldest first, those of containers by name.
    const expected = kind === 'secrets' ? many : [many[1], many[2], many[0]]
    const { json: all } = await send('GET', `${ref}/consumers`)
    expect(
      all.consumers.map(({ created: _c, updated: _u, status: _s, ...rest }: Record<string, unknown>) => rest),
    ).toEqual(expected)
    const { json: page } = await send('GET', `${ref}/consumers?limit=1&offset=1`)
    expect(page).toEqual({
      consumers: [all.consumers[1]],
      previous: `${ref}/consumers?limit=1&offset=0`,
      next: `${ref}/consumers?limit=1&offset=2`,
      total: 3,
    })
    expect((await send('GET', `${ref}/consumers?offset=9`)).json).toEqual({ consumers: [], total: 3 })
  })

  it(`a consumer of ${kind} is deregistered: 200 with the whole entity, whose \`updated\` stays`, async () => {
    const ref = await make()
    const [kept, gone] = [consumer(), consumer()]
    for (const json of [kept, gone]) await send('POST', `${ref}/consumers`, { json })
    const { updated } = (await send('GET', ref)).json
    if (onPeer) await aSecond()
    const answer = await send('DELETE', `${ref}/consumers`, { json: gone })
    expect([answer.status, answer.json.consumers]).toEqual([200, [kept]])
    expect((await send('GET', ref)).json.updated).toBe(updated)
    expectRefusal(await send('DELETE', `${ref}/consumers`, { json: gone }), 404, 'Consumer not found.')
  })

  it(`a consumer of ${kind} can be registered again after it was deregistered`, async () => {
    const ref = await make()
    const json = consumer()
    for (const method of ['POST', 'DELETE', 'POST']) {
      expect((await send(method, `${ref}/consumers`, { json })).status).toBe(200)
    }
    expect(await shown(ref)).toEqual([json])
  })

  it(`the consumers of absent ${kind} are 404`, async () => {
    const path = `/v1/${kind}/${absent}/consumers`
    for (const [method, json] of [
      ['GET', undefined],
      ['POST', consumer()],
      ['DELETE', consumer()],
    ] as const) {
      expectRefusal(await send(method, path, { json }), 404, absentEntity)
    }
  })

  it(`a consumer of ${kind} must be sent as application/json`, async () => {
    const ref = await make()
    for (const method of ['POST', 'DELETE']) {
      const request = { body: JSON.stringify(consumer()), headers: { 'Content-Type': 'text/plain' } }
      const answer = await send(method, `${ref}/consumers`, request)
      expectRefusal(answer, 415, "Unexpected content type. Expected content types are: ['application/json']")
    }
  })

  it(`other methods on the consumers of ${kind} are 405`, async () => {
    const ref = await make()
    for (const method of ['PUT', 'PATCH']) {
      const answer = await send(method, `${ref}/consumers`)
      expectRefusal(answer, 405, '')
      expect(answer.headers.get('Allow')).toBe('DELETE, GET, POST')
    }
    const item = await send('DELETE', `${ref}/consumers/${absent}`)
    expectRefusal(item, 405, '')
    expect(item.headers.get('Allow')).toBe('GET')
  })

  it(`a consumer of ${kind} is 404 by an id that is malformed or unknown`, async () => {
    const ref = await make()
    for (const id of ['x', absent.toUpperCase().replace('1', 'A'), absent.replaceAll('-', '')]) {
      expectRefusal(await send('GET', `${ref}/consumers/${id}`), 404, 'Not Found. Provided consumer id is invalid.')
    }
    expectRefusal(await send('GET', `${ref}/consumers/${absent}`), 404, 'Consumer not found.')
  })

  it(`a consumer of ${kind} is 403 by any id for a caller who may not read them`, async () => {
    const stranger = await person(['member'])
    const answer = await call('GET', `${await make()}/consumers/${absent}`, { token: stranger.token })
    expectRefusal(answer, 403, notPermitted(`${label} retrieval`))
    // The form of an id is checked before access.
    const malformed = await call('GET', `${await make()}/consumers/x`, { token: stranger.token })
    expectRefusal(malformed, 404, 'Not Found. Provided consumer id is invalid.')
  })

  itDiffersInContainers('private stays private')(
    `a consumer of ${kind} is 403 by any id for a creator who may not read its entity`,
    async () => {
      const [open, closed] = [await make(), await make()]
      await acl(who, closed, { 'project-access': false })
      const colleague = await person(['creator'], { projectId: who.projectId })
      for (const [ref, { token }] of [
        [open, reader],
        [closed, reader],
        [closed, colleague],
      ] as const) {
        const answer = await call('GET', `${ref}/consumers/${absent}`, { token })
        expectRefusal(answer, 403, notPermitted(`${label} retrieval`))
      }
    },
  )

  itDiffersInContainers('consumer of another')(
    `a consumer of ${kind} is found by its id under its own entity only`,
    async () => {
      const [ref, other] = [await make(), await make()]
      const json = consumer()
      await send('POST', `${ref}/consumers`, { json })
      const kindOf = kind === 'secrets' ? 'secret' : 'container'
      const row = await database
        .prepare(`select id from ${kindOf}_consumers where ${kindOf}_id = ?`)
        .bind(idOf(ref))
        .first<{ id: string }>()
      const found = await send('GET', `${ref}/consumers/${row?.id}`)
      expect([found.status, found.json]).toEqual([200, { created: time, updated: time, status: 'ACTIVE', ...json }])
      expectRefusal(await send('GET', `${other}/consumers/${row?.id}`), 404, 'Consumer not found.')
    },
  )

  itDiffersInContainers('a second life of consumers')(
    `a consumer of ${kind} that is registered again has the time of the new registration`,
    async () => {
      const ref = await make()
      const json = consumer()
      const created = async () => (await send('GET', `${ref}/consumers`)).json.consumers[0].created
      await send('POST', `${ref}/consumers`, { json })
      const first = await created()
      await send('DELETE', `${ref}/consumers`, { json })
      await send('POST', `${ref}/consumers`, { json })
      expect((await created()) > first).toBe(true)
    },
  )

  it(`the consumers of ${kind} can be read, registered and deregistered by users of the ACL`, async () => {
    const ref = await make()
    const own = consumer()
    const theirs = consumer()
    await send('POST', `${ref}/consumers`, { json: own })
    const refused = await call('GET', `${ref}/consumers`, { token: reader.token })
    expectRefusal(refused, 403, notPermitted(`${label}s(s) retrieval`))
    await acl(who, ref, { users: [reader.userId] })
    const as = (method: string, json?: object) => call(method, `${ref}/consumers`, { token: reader.token, json })
    expect((await as('POST', theirs)).status).toBe(200)
    expect((await as('GET')).json.total).toBe(2)
    const foreign = await as('DELETE', own)
    expectRefusal(foreign, 403, 'Not Allowed. Sorry, only the creator of a consumer can delete it.')
    expect((await as('DELETE', theirs)).status).toBe(200)
    expect(await shown(ref)).toEqual([own])
  })

  it(`a consumer of ${kind} that another project registered can be deregistered by the owner`, async () => {
    const ref = await make()
    await acl(who, ref, { users: [reader.userId] })
    const json = consumer()
    await call('POST', `${ref}/consumers`, { token: reader.token, json })
    expect((await send('DELETE', `${ref}/consumers`, { json })).status).toBe(200)
    expect(await shown(ref)).toEqual([])
  })

  itDiffers('tenant paths')(`the consumers of ${kind} are served under a tenant path`, async () => {
    const ref = tenantPath(who, await make())
    const json = consumer()
    const added = await send('POST', `${ref}/consumers`, { json })
    expect(added.status).toBe(200)
    expect(added.json[`${kind.slice(0, -1)}_ref`]).toBe(ref)
    await send('POST', `${ref}/consumers`, { json: consumer() })
    expect((await send('GET', `${ref}/consumers?limit=1`)).json.next).toBe(`${ref}/consumers?limit=1&offset=1`)
    expect((await send('DELETE', `${ref}/consumers`, { json })).status).toBe(200)
  })
})

describe('secrets with consumers', () => {
  it('a secret shows its consumers from microversion 1.1 on', async () => {
    const ref = await secret(who)
    const json = image()
    const added = await send('POST', `${ref}/consumers`, { json, microversion: '1.0' })
    expect(added.json.consumers).toEqual([json])
    expect((await send('GET', ref, { microversion: '1.0' })).json).not.toHaveProperty('consumers')
    expect((await send('GET', ref, { microversion: '1.1' })).json.consumers).toEqual([json])
  })

  it.each(['1.0', '1.1'])(
    'a secret with consumers may be deleted at %s, and force is ignored',
    async (microversion) => {
      const ref = await secret(who)
      await send('POST', `${ref}/consumers`, { json: image() })
      expect((await send('DELETE', `${ref}?force=maybe`, { microversion })).status).toBe(204)
    },
  )

  itDiffers('microversion 1.2')('a secret with consumers may not be deleted at 1.2 without force', async () => {
    const ref = await secret(who)
    const json = image()
    await send('POST', `${ref}/consumers`, { json })
    for (const query of ['', '?force=false', '?force=0', '?FORCE=1']) {
      const answer = await send('DELETE', ref + query, { microversion: '1.2' })
      expectRefusal(answer, 400, 'Secret deletion issue seen - Secret cannot be deleted as it has consumers..')
    }
    expect((await send('GET', ref)).status).toBe(200)
    await send('DELETE', `${ref}/consumers`, { json })
    expect((await send('DELETE', ref, { microversion: '1.2' })).status).toBe(204)
  })

  itDiffers('microversion 1.2').each(['1', 't', 'true', 'on', 'y', 'yes', 'TRUE', '%20Yes%20'])(
    'a secret with consumers is deleted at 1.2 with force=%s',
    async (force) => {
      const ref = await secret(who)
      await send('POST', `${ref}/consumers`, { json: image() })
      expect((await send('DELETE', `${ref}?force=${force}`, { microversion: '1.2' })).status).toBe(204)
      expectRefusal(await send('GET', ref), 404, 'Secret not found.')
    },
  )

  itDiffers('microversion 1.2').each(['?force=', '?force=maybe', '?force=2', '?force=1&force=1'])(
    'DELETE of a secret at 1.2 with %s is 400, with consumers or without',
    async (query) => {
      const ref = await secret(who)
      expectRefusal(await send('DELETE', ref + query, { microversion: '1.2' }), 400, badQuery)
      expect((await send('GET', ref)).status).toBe(200)
    },
  )

  itDiffers('microversion 1.2')('DELETE of a secret with consumers accepts force in a JSON body as well', async () => {
    const ref = await secret(who)
    await send('POST', `${ref}/consumers`, { json: image() })
    expect((await send('DELETE', ref, { microversion: '1.2', json: { force: 'true' } })).status).toBe(204)
  })

  itDiffersInContainers('long resource ids')(
    'a consumer of a secret may have a resource id of at most 36 characters',
    async () => {
      const ref = await secret(who)
      expect((await send('POST', `${ref}/consumers`, { json: image('r'.repeat(36)) })).status).toBe(200)
      const answer = await send('POST', `${ref}/consumers`, { json: image('r'.repeat(37)) })
      expect(answer.status).toBe(400)
      expect(answer.json.description).toMatch(
        /^Provided object does not match schema 'Secret Consumer': 'r{37}' is too long/,
      )
    },
  )

  it('a consumer of a secret may have a service and type of 255 characters', async () => {
    const json = { service: 's'.repeat(255), resource_type: 't'.repeat(255), resource_id: 'r' }
    const ref = await secret(who)
    expect((await send('POST', `${ref}/consumers`, { json })).json.consumers).toEqual([json])
  })

  it('the list of secrets shows the consumers of each', async () => {
    const mine = await owner()
    const ref = await secret(mine)
    const json = image()
    await call('POST', `${ref}/consumers`, { token: mine.token, json })
    const { json: list } = await call('GET', '/v1/secrets', { token: mine.token, microversion: '1.1' })
    expect(list.secrets[0].consumers).toEqual([json])
    await differs('microversion 1.2', async () => {
      const latest = await call('GET', '/v1/secrets', { token: mine.token, microversion: 'latest' })
      expect(latest.json.secrets[0].consumers).toEqual([json])
    })
  })
})
