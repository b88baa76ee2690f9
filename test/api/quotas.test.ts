/** Quotas: reading, setting and deleting limits of projects, and their enforcement. */
import { beforeAll, describe, expect, it } from 'vitest'
import { base, call } from '../support/client.ts'
import { eitherOfContainers, itDiffersInContainers } from '../support/container-differences.ts'
import { itDiffers, onPeer, aSecond } from '../support/differences.ts'
import { HOOK_MILLISECONDS, owner, person, project, type Person } from '../support/people.ts'
import { container, secret } from '../support/stored.ts'
import { expectRefusal, mismatch, notPermitted, quotaReached } from '../support/refusals.ts'

const unlimited = { secrets: -1, orders: -1, containers: -1, consumers: -1, cas: -1 }
const unset = { secrets: null, orders: null, containers: null, consumers: null, cas: null }
const path = '/v1/project-quotas'

let who: Person
let admin: Person
const asAdmin = (method: string, at: string, json?: unknown) => call(method, at, { token: admin.token, json })
const limits = (projectId: string, given: object) => asAdmin('PUT', `${path}/${projectId}`, { project_quotas: given })
const unknown = () => `project ${crypto.randomUUID()}`.replace(' ', '-')

beforeAll(async () => {
  who = await owner()
  admin = await person(['key-manager:service-admin'])
}, HOOK_MILLISECONDS)

describe('GET /v1/quotas', () => {
  it('GET /v1/quotas returns the configured limits to a project without its own', async () => {
    const { token } = await owner()
    const answer = await call('GET', '/v1/quotas', { token })
    expect([answer.status, answer.json]).toEqual([200, { quotas: unlimited }])
  })

  it('GET /v1/quotas returns the project’s own limits where they are set', async () => {
    await limits(who.projectId, { secrets: 5, cas: 0, orders: -7 })
    const answer = await call('GET', '/v1/quotas', { token: who.token })
    expect(answer.json).toEqual({ quotas: { ...unlimited, secrets: 5, cas: 0, orders: -7 } })
    await asAdmin('DELETE', `${path}/${who.projectId}`)
    expect((await call('GET', '/v1/quotas', { token: who.token })).json).toEqual({ quotas: unlimited })
  })

  it('other methods on /v1/quotas are 405', async () => {
    const answer = await call('DELETE', '/v1/quotas', { token: who.token })
    expectRefusal(answer, 405, '')
    expect(answer.headers.get('Allow')).toBe('GET')
  })

  itDiffers('no stray segments')('a path below /v1/quotas is 404', async () => {
    expectRefusal(await call('GET', '/v1/quotas/abc', { token: who.token }), 404, '')
  })

  itDiffers('tenant paths')('GET /v1/quotas is served under a tenant path', async () => {
    const answer = await call('GET', `/v1/${who.projectId}/quotas`, { token: who.token })
    expect(answer.json).toEqual({ quotas: unlimited })
  })
})

describe('/v1/project-quotas/{project}', () => {
  itDiffersInContainers('ids of projects')('limits are only set for what can be the id of a project', async () => {
    const json = { project_quotas: { secrets: 1 } }
    const put = (id: string) => call('PUT', `${path}/${encodeURIComponent(id)}`, { token: admin.token, json })
    for (const id of [crypto.randomUUID(), crypto.randomUUID().replaceAll('-', ''), `a-B_${Date.now()}`]) {
      expect((await put(id)).status).toBe(204)
      expect((await call('DELETE', `${path}/${id}`, { token: admin.token })).status).toBe(204)
    }
    for (const id of ['a b', 'ä', 'a.b', 'x'.repeat(65), "'", '%', 'a\n', 'the deployment']) {
      expectRefusal(await put(id), 404, 'Project quotas not found.')
      const read = await call('GET', `${path}/${encodeURIComponent(id)}`, { token: admin.token })
      expectRefusal(read, 404, 'Project quotas not found.')
    }
  })

  it('the limits of a project without its own are 404', async () => {
    for (const method of ['GET', 'DELETE']) {
      expectRefusal(await asAdmin(method, `${path}/${unknown()}`), 404, 'Project quotas not found.')
    }
  })

  it('the limits of any project can be set, and are merged with those set before', async () => {
    const id = unknown()
    const put = await limits(id, { secrets: 5, orders: -1 })
    expect([put.status, put.text]).toEqual([204, ''])
    expect((await asAdmin('GET', `${path}/${id}`)).json).toEqual({
      project_quotas: { ...unset, secrets: 5, orders: -1 },
    })
    await limits(id, { containers: 2, orders: 0 })
    await limits(id, {})
    expect((await asAdmin('GET', `${path}/${id}`)).json).toEqual({
      project_quotas: { ...unset, secrets: 5, orders: 0, containers: 2 },
    })
    expect((await asAdmin('DELETE', `${path}/${id}`)).status).toBe(204)
    expectRefusal(await asAdmin('GET', `${path}/${id}`), 404, 'Project quotas not found.')
  })

  it('the limits of a project stay as an empty row when none is set', async () => {
    const id = unknown()
    expect((await limits(id, {})).status).toBe(204)
    expect((await asAdmin('GET', `${path}/${id}`)).json).toEqual({ project_quotas: unset })
  })

  it.each([-1, 0, 1, 2147483647, -2147483648])('a limit of %i is accepted', async (value) => {
    const id = unknown()
    expect((await limits(id, { secrets: value })).status).toBe(204)
    expect((await asAdmin('GET', `${path}/${id}`)).json.project_quotas.secrets).toBe(value)
  })

  it('a limit of 2.0 is accepted as 2', async () => {
    const id = unknown()
    const body = '{"project_quotas": {"secrets": 2.0}}'
    const request = { token: admin.token, body, headers: { 'Content-Type': 'application/json' } }
    expect((await call('PUT', `${path}/${id}`, request)).status).toBe(204)
    expect((await asAdmin('GET', `${path}/${id}`)).json.project_quotas.secrets).toBe(2)
  })

  itDiffersInContainers('numbers of quotas').each<[number, string]>([
    [2147483648, '2147483648 is greater than the maximum of 2147483647'],
    [-2147483649, '-2147483649 is less than the minimum of -2147483648'],
  ])('a limit of %i is refused', async (value, reason) => {
    const answer = await limits(unknown(), { secrets: value })
    expectRefusal(answer, 400, mismatch('Project Quota', reason, 'project_quotas'))
  })

  it('POST of project quotas is 405 with the methods that the route has', async () => {
    const answer = await asAdmin('POST', `${path}/${unknown()}`, {})
    expectRefusal(answer, 405, '')
    expect(answer.headers.get('Allow')).toBe('DELETE, GET, PUT')
  })

  it('project quotas are for the service’s administrators', async () => {
    const refusal = notPermitted('Project Quotas')
    for (const [method, at] of [
      ['GET', path],
      ['GET', `${path}/x`],
      ['PUT', `${path}/x`],
      ['DELETE', `${path}/x`],
    ] as const) {
      const json = method === 'PUT' ? { project_quotas: {} } : undefined
      expectRefusal(await call(method, at, { token: who.token, json }), 403, refusal)
    }
  })

  itDiffers('no stray segments')('a path below project quotas is 404', async () => {
    expectRefusal(await asAdmin('GET', `${path}/x/y`), 404, '')
  })
})

describe('GET /v1/project-quotas', () => {
  it('GET /v1/project-quotas lists projects with limits, oldest first, in pages', async () => {
    const ids = [unknown(), unknown()]
    if (onPeer) await aSecond()
    for (const id of ids) {
      await limits(id, { secrets: 3 })
      if (onPeer) await aSecond()
    }
    const { total } = (await asAdmin('GET', path)).json
    const offset = total - 2
    const answer = await asAdmin('GET', `${path}?limit=2&offset=${offset}`)
    expect(answer.json.project_quotas).toEqual(
      ids.map((id) => ({ project_id: id, project_quotas: { ...unset, secrets: 3 } })),
    )
    const at = eitherOfContainers('links to quotas', {
      ours: `${base}/v1/project-quotas`,
      peer: `${base}/v1/project_quotas`,
    })
    expect(answer.json.previous).toBe(`${at}?limit=2&offset=${Math.max(0, offset - 2)}`)
    const earlier = (await asAdmin('GET', `${path}?limit=1&offset=${offset}`)).json
    expect(earlier.next).toBe(`${at}?limit=1&offset=${offset + 1}`)
  })

  it('GET /v1/project-quotas links to the previous page even from an empty one', async () => {
    await limits(unknown(), {})
    const answer = await asAdmin('GET', `${path}?limit=5&offset=100000`)
    expect(Object.keys(answer.json)).toEqual(['project_quotas', 'previous', 'total'])
    expect(answer.json.project_quotas).toEqual([])
    expect(answer.json.previous).toMatch(/\?limit=5&offset=99995$/)
  })
})

const order = { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } }
const image = () => ({ service: 'image', resource_type: 'image', resource_id: crypto.randomUUID() })

/** The kinds that quotas limit: how an entity is created, and how many exist. */
const subjects = [
  {
    quota: 'secrets',
    operation: 'Secret creation',
    prepare: async () => '/v1/secrets',
    body: () => ({}),
    made: 201,
    counted: '/v1/secrets',
  },
  {
    quota: 'orders',
    operation: 'Order creation',
    prepare: async () => '/v1/orders',
    body: () => order,
    made: 202,
    counted: '/v1/orders',
  },
  {
    quota: 'containers',
    operation: 'Container creation',
    prepare: async () => '/v1/containers',
    body: () => ({ type: 'generic' }),
    made: 201,
    counted: '/v1/containers',
  },
  {
    quota: 'consumers',
    operation: 'SecretConsumer creation',
    prepare: async (by: Person) => `${await secret(by)}/consumers`,
    body: image,
    made: 200,
    counted: null,
  },
  {
    quota: 'consumers',
    operation: 'ContainerConsumer creation',
    prepare: async (by: Person) => `${await container(by)}/consumers`,
    body: () => ({ name: crypto.randomUUID(), URL: 'u' }),
    made: 200,
    counted: null,
  },
] as const

describe.each(subjects)('the quota of $quota at $operation', ({ quota, operation, prepare, body, made, counted }) => {
  const refusal = `${operation} issue seen - ${quotaReached}`

  it(`the quota of ${quota} refuses all at 0, admits n at n, and admits all below 0 at ${operation}`, async () => {
    const { token, projectId } = who
    const at = await prepare(who)
    const present = (await call('GET', counted ?? at, { token })).json.total
    const create = () => call('POST', at, { token, json: body() })
    await limits(projectId, { [quota]: 0 })
    expectRefusal(await create(), 403, refusal)
    if (quota === 'consumers') await limits(projectId, { consumers: 1000 })
    else await limits(projectId, { [quota]: present + 2 })
    const first = await create()
    expect(first.status).toBe(made)
    const second = await create()
    expect(second.status).toBe(made)
    if (quota !== 'consumers') expectRefusal(await create(), 403, refusal)
    await limits(projectId, { [quota]: 1 })
    expectRefusal(await create(), 403, refusal)
    expect((await call('GET', counted ?? at, { token })).json.total).toBe(present + 2)
    await limits(projectId, { [quota]: -3 })
    expect((await create()).status).toBe(made)
    await asAdmin('DELETE', `${path}/${projectId}`)
  })

  it(`the quota of ${quota} is checked after the body at ${operation}`, async () => {
    const { token, projectId } = who
    const at = await prepare(who)
    await limits(projectId, { [quota]: 0 })
    const answer = await call('POST', at, { token, json: [] })
    expect(answer.status).toBe(400)
    await asAdmin('DELETE', `${path}/${projectId}`)
  })

  itDiffersInContainers('quotas of parallel requests')(
    `the quota of ${quota} admits exactly n of many parallel requests at ${operation}`,
    async () => {
      const creator = await owner()
      const at = await prepare(creator)
      const { token } = creator
      const present = (await call('GET', counted ?? at, { token })).json.total
      await limits(creator.projectId, { [quota]: present + 5 })
      const create = () => call('POST', at, { token, json: body() })
      const answers = await Promise.all(Array.from({ length: 14 }, create))
      expect(answers.filter(({ status }) => status === made)).toHaveLength(5)
      for (const answer of answers) if (answer.status !== made) expectRefusal(answer, 403, refusal)
      expect((await call('GET', counted ?? at, { token })).json.total).toBe(present + 5)
    },
  )
})

describe('quotas', () => {
  it('the quota of containers is checked before the secrets are read', async () => {
    await limits(who.projectId, { containers: 0 })
    const refs = [{ name: 'a', secret_ref: `${base}/v1/secrets/11111111-1111-4111-8111-111111111111` }]
    const json = { type: 'generic', secret_refs: refs }
    const answer = await call('POST', '/v1/containers', { token: who.token, json })
    expectRefusal(answer, 403, `Container creation issue seen - ${quotaReached}`)
    await asAdmin('DELETE', `${path}/${who.projectId}`)
  })

  it('the quota of consumers refuses a repeated registration too', async () => {
    const creator = await owner()
    const { token } = creator
    for (const [ref, json, operation] of [
      [await secret(creator), image(), 'SecretConsumer creation'],
      [await container(creator), { name: 'n', URL: 'u' }, 'ContainerConsumer creation'],
    ] as const) {
      await asAdmin('DELETE', `${path}/${creator.projectId}`)
      expect((await call('POST', `${ref}/consumers`, { token, json })).status).toBe(200)
      // One consumer of each kind, because the kinds are counted separately.
      await limits(creator.projectId, { consumers: 1 })
      const again = await call('POST', `${ref}/consumers`, { token, json })
      expectRefusal(again, 403, `${operation} issue seen - ${quotaReached}`)
    }
  })

  it('a quota does not count what is deleted', async () => {
    const creator = await owner()
    await limits(creator.projectId, { secrets: 1, containers: 1 })
    for (const make of [secret, container]) {
      const ref = await make(creator)
      await expect(make(creator)).rejects.toThrow('quota')
      await call('DELETE', ref, { token: creator.token })
      await make(creator)
    }
  })

  it('a quota of one project does not limit another', async () => {
    const other = await owner()
    await limits(await project(), { secrets: 0 })
    await limits(who.projectId, { secrets: 0 })
    await secret(other)
    await asAdmin('DELETE', `${path}/${who.projectId}`)
  })

  it('the quota of an ACL user’s project counts what that user registers elsewhere', async () => {
    const reader = await person(['creator'])
    const ref = await secret(who)
    await call('PUT', `${ref}/acl`, { token: who.token, json: { read: { users: [reader.userId] } } })
    await limits(reader.projectId, { consumers: 0 })
    const refused = await call('POST', `${ref}/consumers`, { token: reader.token, json: image() })
    expectRefusal(refused, 403, `SecretConsumer creation issue seen - ${quotaReached}`)
    expect((await call('POST', `${ref}/consumers`, { token: who.token, json: image() })).status).toBe(200)
  })
})
