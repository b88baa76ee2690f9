/** Threats to authorization: T1 to T4 and T23. */
import { beforeAll, describe, expect, it } from 'vitest'
import { resources } from '../../src/app.ts'
import { base } from '../support/client.ts'
import { cloudOfKeystone, type Person } from '../support/people.ts'
import { canarySecret, close, emptyContainer, idOf, keyOrder, seen } from '../support/stored.ts'
import { expectRefusal, mismatch } from '../support/refusals.ts'

const { send, person } = cloudOfKeystone()
const absent = '11111111-1111-4111-8111-111111111111'

let owner: Person
let colleague: Person
let stranger: Person
let secretRef: string
let containerRef: string
let orderRef: string

beforeAll(async () => {
  owner = person(['creator'])
  colleague = person(['creator'], { projectId: owner.projectId })
  stranger = person(['creator', 'admin'])
  secretRef = await canarySecret(send, owner)
  containerRef = await emptyContainer(send, owner)
  orderRef = await keyOrder(send, owner)
  for (const ref of [secretRef, containerRef]) await close(send, owner, ref)
})

const pathOf = (path: string) =>
  `/v1${path}`
    .replace(':secret', idOf(secretRef))
    .replace(':container', idOf(containerRef))
    .replace(':order', idOf(orderRef))
    .replace(':project', owner.projectId)
    .replace(/:\w+/, absent)

const operations = resources.flatMap(({ path, operations: of }) =>
  Object.keys(of).map((method) => [method, path] as const),
)
const onEntities = operations.filter(([, path]) => /:(secret|container|order)/.test(path))

describe('T1: injection into the policy', () => {
  const claims = (who: Person): [string, string][] => [
    ['target.secret.read', 'read'],
    ['target.secret.read_project_access', 'True'],
    ['target.secret.project_id', who.projectId],
    ['target.secret.creator_id', who.userId],
    ['target.container.read', 'read'],
    ['target.container.read_project_access', 'True'],
    ['target.container.project_id', who.projectId],
    ['target.container.creator_id', who.userId],
    ['target.order.project_id', who.projectId],
    ['enforce_new_defaults', 'True'],
    ['enforce_new_defaults', 'False'],
    ['roles', 'admin'],
    ['role', 'key-manager:service-admin'],
    ['user_id', owner.userId],
    ['project_id', owner.projectId],
    ['external_project_id', owner.projectId],
    ['is_admin', '1'],
    ['tenant', owner.projectId],
  ]
  const percent = (text: string) => text.replaceAll(/[^]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)

  it.each(onEntities)('T1: %s %s answers the same with forged claims as without', async (method, path) => {
    let refused = 0
    for (const who of [stranger, person(['observer'], { projectId: owner.projectId }), person([])]) {
      const { token } = who
      const query = claims(who).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      const encoded = claims(who).map(([name, value]) => `${percent(name)}=${percent(value)}`)
      const nested = { target: { secret: { read: 'read' }, container: { read: 'read' } }, roles: ['admin'] }
      const json = method === 'GET' ? undefined : { ...Object.fromEntries(claims(who)), ...nested }
      const asked = pathOf(path)
      const plain = seen(await send(method, asked, { token, json: json && {} }))
      // Requests that the rules allow this caller are not part of this test; there are fewer of them than callers.
      if (plain.status !== 403 && plain.status !== 404) continue
      refused += 1
      for (const claimed of [query, encoded, [...query, ...query]]) {
        expect(seen(await send(method, `${asked}?${claimed.join('&')}`, { token, json: json && {} }))).toEqual(plain)
      }
      expect(seen(await send(method, asked, { token, json }))).toEqual(plain)
    }
    expect(refused).toBeGreaterThan(1)
  })

  it.each(['/secrets', '/containers', '/orders', '/quotas', '/project-quotas', '/transport_keys'])(
    'T1: GET %s shows no more with forged claims',
    async (path) => {
      for (const who of [stranger, person([]), person(['audit'])]) {
        const plain = seen(await send('GET', `/v1${path}`, { token: who.token }))
        for (const [name, value] of claims(who)) {
          const query = `?${name}=${encodeURIComponent(value)}`
          expect(seen(await send('GET', `/v1${path}${query}`, { token: who.token }))).toEqual(plain)
        }
      }
    },
  )

  it('T1: a body cannot choose the owner of a new secret', async () => {
    const json = { creator_id: owner.userId, project_id: owner.projectId, external_project_id: owner.projectId }
    const made = await send('POST', '/v1/secrets', { token: stranger.token, json })
    const shown = await send('GET', made.json.secret_ref, { token: stranger.token })
    expect(shown.json.creator_id).toBe(stranger.userId)
    expect((await send('GET', made.json.secret_ref, { token: owner.token })).status).toBe(403)
  })
})

/** The rights of every caller to every operation are walked in `rights-walk.test.ts`. */
describe('T2: the policy and the stored row', () => {
  it('T2: what runs inside the objects of projects has no address', async () => {
    const admin = person(['admin', 'key-manager:service-admin'])
    for (const path of [
      '/v1/placeOrder',
      '/v1/addConsumer',
      '/project',
      '/PROJECT',
      '/v1/__proto__',
      '/v1/constructor',
    ]) {
      expect((await send('POST', path, { token: admin.token, json: {} })).status).toBe(404)
    }
  })

  it('T2: an id of another project is refused in every place of a path', async () => {
    for (const who of [person(['admin']), person(['creator'])]) {
      for (const [method, path] of onEntities) {
        const own = pathOf(path)
        const answer = await send(method, own, { token: who.token })
        expect([403, 404, 405], `${method} ${path}`).toContain(answer.status)
        const under = own.replace('/v1/', `/v1/${who.projectId}/`)
        expect(seen(await send(method, under, { token: who.token }))).toEqual(seen(answer))
        expect(
          seen(await send(method, own.replace('/v1/', `/v1/${owner.projectId}/`), { token: who.token })).status,
        ).toBe(403)
      }
    }
  })
})

describe('T3: foreign references', () => {
  const refsTo = (id: string) => [
    `${base}/v1/secrets/${id}`,
    `${base}/v1/secrets/${id.toUpperCase()}`,
    `${base}/v1/secrets/${id}/`,
    `${base}/v1/${owner.projectId}/secrets/${id}`,
    `${base}/${id}`,
  ]

  it('T3: a secret of another project cannot be put into a new container', async () => {
    for (const ref of refsTo(idOf(secretRef))) {
      const json = { type: 'generic', secret_refs: [{ name: 'x', secret_ref: ref }] }
      const answer = await send('POST', '/v1/containers', { token: stranger.token, json })
      expectRefusal(answer, 404, "Secret provided for 'x' doesn't exist.")
    }
  })

  it('T3: a secret of another project cannot be added to a container, with any host in its ref', async () => {
    const mine = await emptyContainer(send, stranger)
    const id = idOf(secretRef)
    for (const ref of [...refsTo(id), `http://evil.example/${id}`, `x/${id}`, id]) {
      const answer = await send('POST', `${mine}/secrets`, { token: stranger.token, json: { secret_ref: ref } })
      expect(answer.status).toBe(404)
    }
    expect((await send('GET', mine, { token: stranger.token })).json.secret_refs).toEqual([])
  })

  it('T3: a forged host is not accepted as the base of the service', async () => {
    const mine = idOf(await canarySecret(send, stranger))
    for (const host of [
      'http://evil.example',
      'https://kms.example',
      'HTTPS://KMS.EXAMPLE:9311',
      'http://kms.example:9311',
    ]) {
      const json = { type: 'generic', secret_refs: [{ name: 'x', secret_ref: `${host}/v1/secrets/${mine}` }] }
      const answer = await send('POST', '/v1/containers', { token: stranger.token, json })
      expect(answer.status, host).toBe(400)
    }
  })

  it('T3: consumers cannot be registered on entities of another project', async () => {
    const secretConsumer = { service: 's', resource_type: 't', resource_id: 'r' }
    for (const [ref, json] of [
      [secretRef, secretConsumer],
      [containerRef, { name: 'n', URL: 'u' }],
    ] as const) {
      expect((await send('POST', `${ref}/consumers`, { token: stranger.token, json })).status).toBe(403)
      expect((await send('GET', `${ref}/consumers`, { token: owner.token })).json.total).toBe(0)
    }
  })

  it('T3: a consumer is found under its own entity only', async () => {
    const json = { service: 's', resource_type: 't', resource_id: 'r' }
    const mine = await canarySecret(send, stranger)
    await send('POST', `${secretRef}/consumers`, { token: owner.token, json })
    const answer = await send('DELETE', `${mine}/consumers`, { token: stranger.token, json })
    expectRefusal(answer, 404, 'Consumer not found.')
    await send('DELETE', `${secretRef}/consumers`, { token: owner.token, json })
  })

  it('T3: an order cannot use a container of another project', async () => {
    const meta = { algorithm: 'aes', bit_length: 128, container_ref: containerRef, secret_ref: secretRef }
    const made = await send('POST', '/v1/orders', { token: stranger.token, json: { type: 'key', meta } })
    expect(made.status).toBe(202)
    const { text } = await send('GET', made.json.order_ref, { token: stranger.token })
    expect(text).not.toContain(idOf(containerRef))
    expect(text).not.toContain(idOf(secretRef))
  })
})

describe('T4: disclosure of existence', () => {
  it('T4: an order of another project answers like an absent one, and is there', async () => {
    const ref = await keyOrder(send, owner)
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const asked = { token: stranger.token, ...(method === 'PUT' && { json: { type: 'key', meta: {} } }) }
      const foreign = seen(await send(method, ref, asked))
      expect(foreign.status).toBe(404)
      expect(foreign).toEqual(seen(await send(method, `/v1/orders/${absent}`, asked)))
      expect((await send('GET', ref, { token: owner.token })).status).toBe(200)
    }
    expect((await send('GET', orderRef, { token: owner.token })).status).toBe(200)
  })

  it('T4: a secret of another project answers like an absent one when a container names it', async () => {
    const mine = await emptyContainer(send, stranger)
    for (const method of ['POST', 'DELETE']) {
      const answers = [secretRef, `${base}/v1/secrets/${absent}`].map(async (ref) => {
        const answer = await send(method, `${mine}/secrets`, { token: stranger.token, json: { secret_ref: ref } })
        return { status: answer.status, description: answer.json.description.replace(ref, 'REF') }
      })
      const [foreign, none] = await Promise.all(answers)
      expect(foreign).toEqual(none)
    }
  })

  it('T4: a secret or container of another project is 403 and an absent one 404, because Barbican’s clients rely on it', async () => {
    for (const [path, ref, text] of [
      ['secrets', secretRef, 'Secret not found.'],
      ['containers', containerRef, 'Secrets container not found.'],
    ] as const) {
      const foreign = await send('GET', ref, { token: stranger.token })
      expect(foreign.status).toBe(403)
      // The response must not contain anything about the entity.
      expect(foreign.text).not.toContain(owner.projectId)
      expect(foreign.text).not.toContain(owner.userId)
      expectRefusal(await send('GET', `/v1/${path}/${absent}`, { token: stranger.token }), 404, text)
    }
  })

  it('T4: an expired secret answers like an absent one', async () => {
    const soon = new Date(Date.now() + 1_500).toISOString()
    const ref = await canarySecret(send, owner, { expiration: soon })
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    for (const { token } of [owner, colleague, stranger]) {
      const gone = seen(await send('GET', ref, { token }))
      expect(gone).toEqual(seen(await send('GET', `/v1/secrets/${absent}`, { token })))
    }
  })
})

describe('T23: the users of an ACL', () => {
  const wrong: [unknown, string][] = [
    [1, "1 is not of type 'string'"],
    [null, "None is not of type 'string'"],
    [true, "True is not of type 'string'"],
    [['u'], "['u'] is not of type 'string'"],
    [{ id: 'u' }, "{'id': 'u'} is not of type 'string'"],
    ['x'.repeat(256), `'${'x'.repeat(256)}' is too long`],
  ]

  it.each(wrong)('T23: the user %j is refused in every place of the list', async (user, reason) => {
    for (const users of [[user], ['a', user], ['a', 'b', user, 'c'], ['a', 'b', 'c', 'd', user]]) {
      for (const [method, ref] of [
        ['PUT', secretRef],
        ['PATCH', containerRef],
      ] as const) {
        const answer = await send(method, `${ref}/acl`, { token: owner.token, json: { read: { users } } })
        expectRefusal(answer, 400, mismatch('ACL', reason, 'read'))
        expect((await send('GET', `${ref}/acl`, { token: owner.token })).json.read.users).toEqual([])
      }
    }
  })

  it('T23: a user on the ACL is admitted as exactly that user', async () => {
    const ref = await canarySecret(send, owner)
    const id = `Ünï-${crypto.randomUUID()}`
    await close(send, owner, ref, ['%', '*', `${id},other`, id])
    for (const [userId, status] of [
      [id, 200],
      [id.toLowerCase(), 403],
      [id.normalize('NFD'), 403],
      [`${id},other`, 200],
      ['other', 403],
      [`"${id}"`, 403],
    ] as const) {
      const answer = await send('GET', ref, { token: person([], { userId }).token })
      expect([userId, answer.status]).toEqual([userId, status])
    }
  })
})
