/** Containers: creation with references to secrets, reading, listing, filters and deletion. */
import { beforeAll, describe, expect, it } from 'vitest'
import { base, call, database } from '../support/client.ts'
import { differs, itDiffers, onPeer, aSecond } from '../support/differences.ts'
import { eitherOfContainers, itDiffersInContainers } from '../support/container-differences.ts'
import { callAs, HOOK_MILLISECONDS, owner, person, type Person } from '../support/people.ts'
import { acl, container, idOf, secret, tenantPath } from '../support/stored.ts'
import { expectRefusal, notPermitted } from '../support/refusals.ts'

const time = onPeer ? /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/ : /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/
const absent = '11111111-1111-4111-8111-111111111111'

let who: Person
let a: string
let b: string
const send = callAs(() => who)

beforeAll(async () => {
  who = await owner()
  a = await secret(who, { name: 'a' })
  b = await secret(who, { name: 'b' })
}, HOOK_MILLISECONDS)

describe('POST /v1/containers', () => {
  it('POST /v1/containers answers 201 with the ref in the body and in Location', async () => {
    const answer = await send('POST', '/v1/containers', { json: { type: 'generic' } })
    expect(answer.status).toBe(201)
    expect(Object.keys(answer.json)).toEqual(['container_ref'])
    expect(answer.json.container_ref).toMatch(
      new RegExp(`^${base}/v1/containers/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`),
    )
    expect(answer.headers.get('Location')).toBe(answer.json.container_ref)
  })

  it('POST /v1/containers accepts a trailing slash', async () => {
    expect((await send('POST', '/v1/containers/', { json: { type: 'generic' } })).status).toBe(201)
  })

  it.each<[title: string, members: object, shown: object]>([
    ['no name', { type: 'generic' }, { name: null, type: 'generic' }],
    ['a null name', { type: 'generic', name: null }, { name: null }],
    ['an empty name', { type: 'generic', name: '' }, { name: '' }],
    ['a name of 255 characters', { type: 'generic', name: 'n'.repeat(255) }, { name: 'n'.repeat(255) }],
    ['a name and type with outer white space', { type: ' rsa ', name: ' x ' }, { name: 'x', type: 'rsa' }],
    ['rsa without refs', { type: 'rsa', secret_refs: [] }, { type: 'rsa', secret_refs: [] }],
    ['certificate without refs', { type: 'certificate' }, { type: 'certificate', secret_refs: [] }],
    ['members it does not know', { type: 'generic', status: 'ERROR', creator_id: 'x', id: 'y' }, { status: 'ACTIVE' }],
  ])('POST /v1/containers stores %s', async (_title, members, shown) => {
    const { json } = await send('GET', await container(who, members))
    expect(json).toMatchObject(shown)
    expect(json.creator_id).toBe(who.userId)
  })

  it('POST /v1/containers stores refs with their names, one of them without', async () => {
    const refs = [{ name: 'A', secret_ref: a, extra: 1 }, { secret_ref: b }]
    const { json } = await send('GET', await container(who, { secret_refs: refs }))
    expect(json.secret_refs).toHaveLength(2)
    expect(json.secret_refs).toEqual(
      expect.arrayContaining([
        { name: 'A', secret_ref: a },
        { name: null, secret_ref: b },
      ]),
    )
  })

  it.each<[string, (id: string) => string]>([
    ['the ref with a trailing slash', (id) => `${base}/v1/secrets/${id}/`],
    ['a ref under another collection', (id) => `${base}/v1/containers/${id}`],
    ['a ref right below the base', (id) => `${base}/${id}`],
  ])('POST /v1/containers finds a secret by %s', async (_title, refOf) => {
    const ref = await container(who, { secret_refs: [{ name: 'x', secret_ref: refOf(idOf(a)) }] })
    expect((await send('GET', ref)).json.secret_refs).toEqual([{ name: 'x', secret_ref: a }])
  })

  it('POST /v1/containers treats a null name, an empty one and different cases as different names', async () => {
    const c = await secret(who)
    const refs = [
      { name: 'x', secret_ref: a },
      { name: 'X', secret_ref: b },
      { name: null, secret_ref: c },
    ]
    expect((await send('GET', await container(who, { secret_refs: refs }))).json.secret_refs).toHaveLength(3)
  })

  it('POST /v1/containers accepts all names of an rsa container, and all of a certificate container', async () => {
    const c = await secret(who)
    const d = await secret(who)
    const named = (...names: string[]) => names.map((name, i) => ({ name, secret_ref: [a, b, c, d][i] }))
    const rsa = { type: 'rsa', secret_refs: named('private_key', 'public_key', 'private_key_passphrase') }
    const names = named('certificate', 'private_key', 'private_key_passphrase', 'intermediates')
    expect((await send('GET', await container(who, rsa))).json.secret_refs).toHaveLength(3)
    const made = await container(who, { type: 'certificate', secret_refs: names })
    expect((await send('GET', made)).json.secret_refs).toHaveLength(4)
  })

  it('POST /v1/containers leaves nothing behind when one of its secrets does not exist', async () => {
    const { json: before } = await send('GET', '/v1/containers?limit=1')
    const refs = [
      { name: 'a', secret_ref: a },
      { name: 'z', secret_ref: `${base}/v1/secrets/${absent}` },
    ]
    const answer = await send('POST', '/v1/containers', { json: { type: 'generic', secret_refs: refs } })
    expectRefusal(answer, 404, "Secret provided for 'z' doesn't exist.")
    expect((await send('GET', '/v1/containers?limit=1')).json.total).toBe(before.total)
  })

  it('POST /v1/containers ignores that a secret is private', async () => {
    const creator = await person(['creator'], { projectId: who.projectId })
    const mine = await secret(who)
    await acl(who, mine, { 'project-access': false })
    const refs = [{ name: 'x', secret_ref: mine }]
    const made = await container(creator, { secret_refs: refs })
    expect((await call('GET', made, { token: creator.token })).json.secret_refs).toEqual(refs)
    const read = await call('GET', mine, { token: creator.token })
    expectRefusal(read, 403, notPermitted('Secret retrieval'))
  })

  itDiffers('any character')('POST /v1/containers accepts names of any characters', async () => {
    const { json } = await send('GET', await container(who, { name: '𝕊 🔑' }))
    expect(json.name).toBe('𝕊 🔑')
  })
})

describe('GET /v1/containers/{id}', () => {
  it('GET of a container shows these members and no others', async () => {
    const ref = await container(who, { name: 'full', secret_refs: [{ name: 'a', secret_ref: a }] })
    await send('POST', `${ref}/consumers`, { json: { name: 'lb', URL: 'https://svc.example/lb/1' } })
    const answer = await send('GET', ref)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Content-Type')).toBe('application/json')
    expect(Object.keys(answer.json).toSorted()).toEqual(
      [
        'created',
        'updated',
        'status',
        'name',
        'type',
        'creator_id',
        'secret_refs',
        'consumers',
        'container_ref',
      ].toSorted(),
    )
    expect(answer.json).toEqual({
      created: expect.stringMatching(time),
      updated: expect.stringMatching(time),
      status: 'ACTIVE',
      name: 'full',
      type: 'generic',
      creator_id: who.userId,
      secret_refs: [{ name: 'a', secret_ref: a }],
      consumers: [{ name: 'lb', URL: 'https://svc.example/lb/1' }],
      container_ref: ref,
    })
  })

  it('GET of a container shows the consumers at every microversion', async () => {
    const ref = await container(who)
    for (const microversion of ['1.0', '1.1']) {
      expect((await send('GET', ref, { microversion })).json.consumers).toEqual([])
    }
  })

  it('GET of a container does not show a deleted secret, even one that type rsa needs', async () => {
    const gone = await secret(who)
    const refs = [
      { name: 'private_key', secret_ref: a },
      { name: 'public_key', secret_ref: gone },
    ]
    const ref = await container(who, { type: 'rsa', secret_refs: refs })
    expect((await send('DELETE', gone)).status).toBe(204)
    expect((await send('GET', ref)).json.secret_refs).toEqual([{ name: 'private_key', secret_ref: a }])
  })

  it('GET of a container shows the ref of an expired secret, or hides it with the secret', async () => {
    const gone = await secret(who, { expiration: new Date(Date.now() + 3_000).toISOString() })
    const ref = await container(who, { secret_refs: [{ name: 'x', secret_ref: gone }] })
    await new Promise((resolve) => setTimeout(resolve, 4_200))
    const shown = eitherOfContainers('refs that lead somewhere', {
      ours: [],
      peer: [{ name: 'x', secret_ref: gone }],
    })
    expect((await send('GET', ref)).json.secret_refs).toEqual(shown)
    expectRefusal(await send('GET', gone), 404, 'Secret not found.')
  })

  it('GET of a container gives no access to its secrets', async () => {
    const reader = await person(['creator'])
    const mine = await secret(who)
    const ref = await container(who, { secret_refs: [{ name: 'x', secret_ref: mine }] })
    await acl(who, ref, { users: [reader.userId] })
    expect((await call('GET', ref, { token: reader.token })).status).toBe(200)
    expectRefusal(await call('GET', mine, { token: reader.token }), 403, notPermitted('Secret retrieval'))
  })

  it('GET of a container is 403 for another project, and 404 for everybody when it does not exist', async () => {
    const ref = await container(who)
    const stranger = await owner()
    const nobody = await person(['reader'])
    expectRefusal(await call('GET', ref, { token: stranger.token }), 403, notPermitted('Container retrieval'))
    for (const { token } of [stranger, nobody, who]) {
      expectRefusal(await call('GET', `/v1/containers/${absent}`, { token }), 404, 'Secrets container not found.')
    }
  })
})

describe('GET /v1/containers', () => {
  let keeper: Person
  let refs: string[]
  const list = (query = '') => call('GET', `/v1/containers${query}`, { token: keeper.token })
  const refsOf = (answer: { json: { containers: { container_ref: string }[] } }) =>
    answer.json.containers.map((one) => one.container_ref)

  beforeAll(async () => {
    keeper = await owner()
    refs = []
    const kinds = [
      { name: 'one', type: 'generic' },
      { name: 'two', type: 'rsa' },
      { name: '50%_off', type: 'certificate' },
    ]
    for (const kind of kinds) {
      refs.push(await container(keeper, kind))
      if (onPeer) await aSecond()
    }
  }, HOOK_MILLISECONDS)

  it('GET /v1/containers lists the containers of the project completely, oldest first', async () => {
    const answer = await list()
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.json)).toEqual(['containers', 'total'])
    expect(refsOf(answer)).toEqual(refs)
    expect(answer.json.total).toBe(3)
    const [first] = answer.json.containers
    expect(first).toEqual((await call('GET', refs[0] ?? '', { token: keeper.token })).json)
  })

  it('GET /v1/containers links its pages', async () => {
    const page = (await list('?limit=1&offset=1')).json
    expect(page.containers.map((one: { container_ref: string }) => one.container_ref)).toEqual([refs[1]])
    expect(page.previous).toBe(`${base}/v1/containers?limit=1&offset=0`)
    expect(page.next).toBe(`${base}/v1/containers?limit=1&offset=2`)
    expect(Object.keys(page)).toEqual(['containers', 'previous', 'next', 'total'])
  })

  it('GET /v1/containers has neither link on an empty page', async () => {
    expect((await list('?offset=100')).json).toEqual({ containers: [], total: 3 })
  })

  it.each(['0', '-1', '1', ' 1', '+1'])('GET /v1/containers treats limit=%s as 1', async (limit) => {
    expect((await list(`?limit=${encodeURIComponent(limit)}`)).json.containers).toHaveLength(1)
  })

  it.each([
    ['?name=one', [0]],
    ['?name=', [0, 1, 2]],
    ['?name=on', []],
    ['?name=50%25_off', [2]],
    ['?type=rsa', [1]],
    ['?type=RSA', [1]],
    ['?type=', [0, 1, 2]],
    ['?type=foo', []],
    ['?name=two&type=rsa', [1]],
    ['?name=two&type=generic', []],
    ['?foo=bar&sort=name', [0, 1, 2]],
  ] as const)('GET /v1/containers filters by %s', async (query, expected) => {
    const answer = await list(query)
    expect(refsOf(answer)).toEqual(expected.map((index) => refs[index]))
    expect(answer.json.total).toBe(expected.length)
  })

  itDiffersInContainers('exact container names')(
    'GET /v1/containers compares % and _ in a name filter as characters',
    async () => {
      for (const name of ['%25', 'o__', '50%25', 'ONE']) {
        expect((await list(`?name=${name}`)).json).toEqual({ containers: [], total: 0 })
      }
    },
  )

  it('GET /v1/containers keeps the filters in the links', async () => {
    await differs('links keep the query', async () => {
      const made = await container(keeper, { name: 'one' })
      const page = (await list('?limit=1&name=one')).json
      expect(page.next).toBe(`${base}/v1/containers?limit=1&offset=1&name=one`)
      await call('DELETE', made, { token: keeper.token })
    })
  })

  it('GET /v1/containers shows private containers of others with all their members', async () => {
    const made = await container(keeper, { name: 'private' })
    await acl(keeper, made, { 'project-access': false })
    const observer = await person(['observer'], { projectId: keeper.projectId })
    const answer = await call('GET', '/v1/containers?name=private', { token: observer.token })
    expect(refsOf(answer)).toEqual([made])
    expectRefusal(await call('GET', made, { token: observer.token }), 403, notPermitted('Container retrieval'))
    await call('DELETE', made, { token: keeper.token })
  })
})

describe('DELETE /v1/containers/{id}', () => {
  it('DELETE of a container is 204 without a body, and leaves the secrets', async () => {
    const ref = await container(who, { secret_refs: [{ name: 'a', secret_ref: a }] })
    const answer = await send('DELETE', ref)
    expect([answer.status, answer.text, answer.headers.get('Content-Type')]).toEqual([204, '', null])
    expectRefusal(await send('GET', ref), 404, 'Secrets container not found.')
    expectRefusal(await send('DELETE', ref), 404, 'Secrets container not found.')
    expect((await send('GET', a)).status).toBe(200)
  })

  it.each(['1.0', '1.1', 'latest'])('DELETE of a container ignores its consumers at %s', async (microversion) => {
    const ref = await container(who)
    await send('POST', `${ref}/consumers`, { json: { name: 'n', URL: 'u' } })
    expect((await send('DELETE', ref, { microversion })).status).toBe(204)
  })

  it('DELETE of a container deletes its ACL and its consumers', async () => {
    const ref = await container(who)
    await acl(who, ref, { 'project-access': false })
    const consumer = await send('POST', `${ref}/consumers`, { json: { name: 'n', URL: 'u' } })
    expect([consumer.status, consumer.json.consumers]).toEqual([200, [{ name: 'n', URL: 'u' }]])
    expect((await send('DELETE', ref)).status).toBe(204)
    for (const part of ['acl', 'consumers']) {
      expectRefusal(await send('GET', `${ref}/${part}`), 404, 'Secrets container not found.')
    }
    if (onPeer) return
    const left = await database
      .prepare('select count(*) as n from container_consumers where container_id = ?')
      .bind(idOf(ref))
      .first<number>('n')
    expect(left).toBe(0)
  })

  it('DELETE of a container is for the creator that made it and admins, not for another creator', async () => {
    const maker = await person(['creator'], { projectId: who.projectId })
    const other = await person(['creator'], { projectId: who.projectId })
    const made = await container(maker)
    const second = await container(maker)
    expectRefusal(await call('DELETE', made, { token: other.token }), 403, notPermitted('Container deletion'))
    expect((await call('DELETE', made, { token: maker.token })).status).toBe(204)
    expect((await send('DELETE', second)).status).toBe(204)
  })
})

describe('a tenant path of containers', () => {
  itDiffers('tenant paths')('a tenant path serves every route of containers, with refs in the same form', async () => {
    const root = `${base}/v1/${who.projectId}`
    const mine = `${root}/secrets/${idOf(a)}`
    const json = { type: 'generic', name: 'tenant', secret_refs: [{ name: 'a', secret_ref: mine }] }
    const made = await send('POST', tenantPath(who, '/v1/containers'), { json })
    expect(made.status).toBe(201)
    const ref: string = made.json.container_ref
    expect(ref.startsWith(`${root}/containers/`)).toBe(true)
    const { json: shown } = await send('GET', ref)
    expect(shown.secret_refs).toEqual([{ name: 'a', secret_ref: mine }])
    expect(shown.container_ref).toBe(ref)
    const page = (await send('GET', `${root}/containers?limit=1&offset=1`)).json
    expect(page.previous).toBe(`${root}/containers?limit=1&offset=0`)
    expect((await send('GET', `/v1/containers/${idOf(ref)}`)).json.name).toBe('tenant')
    expect((await send('DELETE', ref)).status).toBe(204)
  })

  itDiffers('tenant paths')('a tenant path of another project than the token’s is 403', async () => {
    const stranger = await owner()
    const path = tenantPath(who, '/v1/containers')
    const answer = await call('GET', path, { token: stranger.token })
    expectRefusal(answer, 403, 'The project in the path is not the project of the token.')
  })
})
