/**
 * The attributes of keys: `extractable` and `usages` at creation, beside `meta` in orders and later, what closes the
 * payload, `GET /secrets/{id}/key`, `acl/use` and `GET /extensions`.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/client.ts'
import { HOOK_MILLISECONDS, owner, person, type Person } from '../support/people.ts'
import { acl, idOf } from '../support/stored.ts'
import { aesKey, base64, bytesOf, grant, storedKey, use } from '../support/transit.ts'

let who: Person
let stranger: Person

beforeAll(async () => {
  who = await owner()
  stranger = await person(['creator', 'member'])
}, HOOK_MILLISECONDS)

const send = (method: string, path: string, json?: unknown, by: Person = who) =>
  call(method, path, { token: by.token, ...(json !== undefined && { json }) })
const keyOf = async (ref: string, by: Person = who) => (await send('GET', `${ref}/key`, undefined, by)).json.key
const NOT_EXTRACTABLE = 'attempt not allowed - the payload of this secret cannot be extracted.'

/** Orders a key and returns the refs of what was made: of a key, or of the secrets in the container. */
async function ordered(json: object): Promise<Readonly<Record<string, string>>> {
  const order = await send('POST', '/v1/orders', json)
  if (order.status !== 202) throw new Error(order.text)
  const done = async () => (await send('GET', order.json.order_ref)).json
  await expect.poll(async () => (await done()).status, { timeout: 10_000 }).toBe('ACTIVE')
  const shown = await done()
  expect(shown.meta).not.toHaveProperty('extractable')
  expect(shown.meta).not.toHaveProperty('usages')
  if (shown.secret_ref) return { key: shown.secret_ref }
  const { secret_refs } = (await send('GET', shown.container_ref)).json
  return Object.fromEntries(secret_refs.map((one: Record<string, string>) => [one['name'], one['secret_ref']]))
}

describe('a key that cannot be extracted', () => {
  it('its payload is refused in every form, and no answer of v1 has a new member', async () => {
    const plain = await aesKey(who)
    const ref = await aesKey(who, { extractable: false })
    const [one, other] = [(await send('GET', ref)).json, (await send('GET', plain)).json]
    expect(Object.keys(one)).toEqual(Object.keys(other))
    await acl(who, ref, { users: [stranger.userId] })
    for (const by of [who, stranger]) {
      for (const [path, operation] of [
        [`${ref}/payload`, 'Secret payload retrieval'],
        [ref, 'Secret retrieval'],
      ] as const) {
        for (const accept of ['application/octet-stream', 'text/plain']) {
          for (const microversion of ['1.0', '1.1']) {
            const answer = await call('GET', path, { token: by.token, microversion, headers: { Accept: accept } })
            expect([answer.status, answer.json.description]).toEqual([403, `${operation} ${NOT_EXTRACTABLE}`])
          }
        }
      }
    }
  })

  it('the refusal of a payload is an event in the audit log', async () => {
    const ref = await aesKey(who, { extractable: false })
    expect((await send('GET', `${ref}/payload`)).status).toBe(403)
    const auditor = await person(['audit', 'reader'], { projectId: who.projectId })
    const events = async () => {
      const { json } = await send('GET', '/v1/audit?limit=100', undefined, auditor)
      return json.events.filter((event: { target: { id: string } }) => event.target.id === idOf(ref))
    }
    await expect
      .poll(async () => (await events()).map((event: { outcome: string }) => event.outcome), { timeout: 15_000 })
      .toEqual(['success', 'failure'])
  })

  it('a payload can be set once, and is then as closed as any', async () => {
    const { secret_ref: ref } = (await send('POST', '/v1/secrets', { secret_type: 'symmetric', extractable: false }))
      .json
    const put = { token: who.token, body: new Uint8Array(32), headers: { 'Content-Type': 'application/octet-stream' } }
    expect((await call('PUT', ref, put)).status).toBe(204)
    expect((await send('GET', `${ref}/payload`)).status).toBe(403)
    expect((await use(who, ref, 'encrypt', { plaintext: '' })).status).toBe(200)
  })

  it.each(['opaque', 'passphrase', undefined])(
    'a secret of type %s cannot be made without being readable',
    async (type) => {
      const answer = await send('POST', '/v1/secrets', { extractable: false, ...(type && { secret_type: type }) })
      expect([answer.status, answer.json.description]).toEqual([
        400,
        `Provided object does not match schema 'Secret': a '${type ?? 'opaque'}' secret that cannot be read is of no use. Invalid property: 'extractable'`,
      ])
    },
  )
})

describe('usages', () => {
  it.each([
    [{ secret_type: 'symmetric' }, ['decrypt', 'encrypt']],
    [{ secret_type: 'symmetric', algorithm: 'HMACSHA256' }, ['mac']],
    [{ secret_type: 'symmetric', algorithm: 'DES' }, []],
    [{ secret_type: 'private' }, ['sign', 'verify']],
    [{ secret_type: 'public' }, ['verify']],
    [{ secret_type: 'certificate' }, ['verify']],
    [{ secret_type: 'passphrase' }, []],
    [{}, []],
    [{ secret_type: 'symmetric', usages: ['decrypt'] }, ['decrypt']],
    [{ secret_type: 'symmetric', usages: ['mac', 'mac'] }, ['mac']],
    [{ secret_type: 'symmetric', usages: [] }, []],
    [{ secret_type: 'private', usages: ['decrypt'] }, ['decrypt']],
  ])('a secret of %j has the usages %j', async (members, usages) => {
    const ref = await storedKey(who, new Uint8Array(32), { secret_type: 'opaque', ...members })
    expect((await keyOf(ref)).usages).toEqual(usages)
  })

  it.each([
    [{ secret_type: 'symmetric', usages: ['encrypt', 'mac'] }, "['encrypt', 'mac'] are usages of more than one family"],
    [{ secret_type: 'symmetric', usages: ['sign'] }, "'sign' is not a usage of a 'symmetric' secret"],
    [
      { secret_type: 'symmetric', algorithm: 'des', usages: ['encrypt'] },
      "'encrypt' is not a usage of a 'symmetric' secret",
    ],
    [{ secret_type: 'public', usages: ['decrypt'] }, "'decrypt' is not a usage of a 'public' secret"],
    [{ usages: ['encrypt'] }, "'encrypt' is not a usage of a 'opaque' secret"],
    [
      { secret_type: 'symmetric', usages: ['export'] },
      "'export' is not one of ['encrypt', 'decrypt', 'sign', 'verify', 'mac']",
    ],
    [{ secret_type: 'symmetric', usages: 'mac' }, "'mac' is not of type 'array'"],
    [{ secret_type: 'symmetric', extractable: 'no' }, "'no' is not of type 'boolean'"],
  ])('a secret of %j is refused', async (members, reason) => {
    const answer = await send('POST', '/v1/secrets', members)
    const property = 'extractable' in members ? 'extractable' : 'usages'
    expect([answer.status, answer.json.description]).toEqual([
      400,
      `Provided object does not match schema 'Secret': ${reason}. Invalid property: '${property}'`,
    ])
  })

  it('usages and extractability are narrowed, and anything wider is 409', async () => {
    const ref = await aesKey(who)
    const patch = (json: object) => send('PATCH', `${ref}/key`, json)
    const narrowed = await patch({ usages: ['decrypt'] })
    expect([narrowed.status, narrowed.json.key.usages, narrowed.json.key.extractable]).toEqual([200, ['decrypt'], true])
    expect((await patch({})).status).toBe(200)
    expect((await patch({ extractable: true })).status).toBe(200)
    const wide = await patch({ usages: ['decrypt', 'encrypt'] })
    expect([wide.status, wide.json.description]).toEqual([
      409,
      'Conflict. What a key may be used for can only be narrowed.',
    ])
    expect((await patch({ usages: ['mac'] })).status).toBe(409)
    expect((await patch({ extractable: false })).json.key.extractable).toBe(false)
    for (const back of [{ extractable: true }, { extractable: true, usages: [] }])
      expect((await patch(back)).status).toBe(409)
    expect((await keyOf(ref)).usages).toEqual(['decrypt'])
    expect((await patch({ usages: [] })).json.key.operations).toEqual([])
    expect((await send('GET', `${ref}/payload`)).status).toBe(403)
  })
})

describe('an order', () => {
  it('an order for a key that cannot be extracted makes one that is used', async () => {
    const { key = '' } = await ordered({
      type: 'key',
      meta: { algorithm: 'aes', bit_length: 256, mode: 'cbc' },
      extractable: false,
    })
    expect((await send('GET', `${key}/payload`)).status).toBe(403)
    const sealed = await use(who, key, 'encrypt', { plaintext: base64('x') })
    const opened = await use(who, key, 'decrypt', { ciphertext: sealed.json.ciphertext })
    expect(opened.json.plaintext).toBe(base64('x'))
  })

  it('an order for a key pair closes the private half alone, and each half has its own usages', async () => {
    const pair = await ordered({
      type: 'asymmetric',
      meta: { algorithm: 'rsa', bit_length: 2048 },
      extractable: false,
      usages: ['decrypt', 'encrypt'],
    })
    const { private_key = '', public_key = '' } = pair
    expect((await send('GET', `${private_key}/payload`)).status).toBe(403)
    const published = await send('GET', `${public_key}/payload`)
    expect(published.status).toBe(200)
    expect(await keyOf(private_key)).toMatchObject({
      algorithm: 'rsa',
      bit_length: 2048,
      extractable: false,
      usages: ['decrypt', 'encrypt'],
      public_key: published.text,
    })
    expect(await keyOf(public_key)).toMatchObject({ extractable: true, usages: ['encrypt'] })
    const sealed = await use(who, public_key, 'encrypt', { plaintext: base64('x') })
    const opened = await use(who, private_key, 'decrypt', { ciphertext: sealed.json.ciphertext })
    expect(opened.json.plaintext).toBe(base64('x'))
  })

  it.each([
    [
      { type: 'asymmetric', meta: { algorithm: 'ec', bit_length: 256, passphrase: 'x' }, extractable: false },
      'passphrase',
    ],
    [{ type: 'key', meta: { algorithm: 'aes', bit_length: 256 }, usages: ['sign'] }, 'not a usage'],
    [{ type: 'certificate', meta: { request_type: 'custom' }, extractable: false }, 'not allowed for certificate'],
  ])('the order %j is refused', async (json, reason) => {
    const answer = await send('POST', '/v1/orders', json)
    expect([answer.status, answer.json.description]).toEqual([400, expect.stringContaining(reason)])
  })

  it.each([
    ['signs for its owner', {}, null, 'ACTIVE'],
    ['does not sign without that usage', { usages: ['verify'] }, null, 'ERROR'],
    ['does not sign for a colleague whom the ACL of use closes out', {}, { 'project-access': false }, 'ERROR'],
    ['signs for a colleague with a grant', {}, 'granted', 'ACTIVE'],
  ])('a certificate order with a stored key that cannot be read %s', async (_what, members, closing, status) => {
    const { private_key = '' } = await ordered({
      type: 'asymmetric',
      meta: { algorithm: 'ec', bit_length: 256 },
      extractable: false,
      ...members,
    })
    const colleague = await person(['creator', 'member'], { projectId: who.projectId })
    if (closing !== null) {
      const grants: Readonly<Record<string, readonly string[]>> =
        closing === 'granted' ? { [colleague.userId]: ['sign'] } : {}
      await grant(who, private_key, grants, { 'project-access': false })
    }
    const secret_refs = [{ name: 'private_key', secret_ref: private_key }]
    const { container_ref } = (await send('POST', '/v1/containers', { type: 'generic', secret_refs })).json
    const meta = { request_type: 'stored-key', container_ref, subject_dn: 'CN=a.example' }
    const by = closing === null ? who : colleague
    const order = await send('POST', '/v1/orders', { type: 'certificate', meta }, by)
    const statusOf = async () => (await send('GET', order.json.order_ref, undefined, by)).json.status
    await expect.poll(statusOf, { timeout: 10_000 }).toBe(status)
  })
})

describe('GET /secrets/{id}/key', () => {
  it('a key is described with its id, version, usages, and what the caller may do', async () => {
    const ref = await aesKey(who, { algorithm: 'a label', bit_length: 128 })
    const key = {
      key_id: `${idOf(ref)}@1`,
      version: 1,
      algorithm: 'aes',
      bit_length: 256,
      extractable: true,
      usages: ['decrypt', 'encrypt'],
      operations: ['datakey', 'decrypt', 'encrypt', 'rewrap'],
      public_key: null,
    }
    expect((await send('GET', `${ref}/key`)).json).toEqual({ key })
    await grant(who, ref, { [stranger.userId]: ['rewrap', 'datakey', 'sign', 'rewrap'] })
    expect((await send('GET', `${ref}/key`, undefined, stranger)).json).toEqual({
      key: { ...key, operations: ['datakey', 'rewrap'] },
    })
    const empty = (await send('POST', '/v1/secrets', { secret_type: 'symmetric' })).json.secret_ref
    expect((await send('GET', `${empty}/key`)).status).toBe(404)
  })

  it('a public key in PEM verifies what the key signed', async () => {
    const { private_key = '' } = await ordered({
      type: 'asymmetric',
      meta: { algorithm: 'ed25519', bit_length: 256 },
      extractable: false,
    })
    const { public_key } = await keyOf(private_key)
    const der = bytesOf(public_key.replaceAll(/-----.*-----|\n/g, ''))
    const key = await crypto.subtle.importKey('spki', der, 'Ed25519', false, ['verify'])
    const { signature } = (await use(who, private_key, 'sign', { input: base64('x') })).json
    expect(await crypto.subtle.verify('Ed25519', key, bytesOf(signature), new TextEncoder().encode('x'))).toBe(true)
  })
})

describe('the ACL of use', () => {
  it('an ACL of use is set, shown and removed, and the read ACL does not show it', async () => {
    const ref = await aesKey(who)
    const path = `${ref}/acl/use`
    const none = { grants: [], 'project-access': true }
    expect((await send('GET', path)).json).toEqual(none)
    const grants = [
      { user_id: 'one', operations: ['encrypt', 'decrypt', 'encrypt'] },
      { user_id: 'two', operations: [] },
      { user_id: 'one', operations: ['rewrap'] },
    ]
    const put = await send('PUT', path, { grants, 'project-access': false })
    expect([put.status, put.json]).toEqual([200, { acl_ref: path }])
    expect((await send('GET', path)).json).toEqual({
      grants: [
        { user_id: 'one', operations: ['decrypt', 'encrypt', 'rewrap'] },
        { user_id: 'two', operations: [] },
      ],
      'project-access': false,
    })
    expect((await send('GET', `${ref}/acl`)).json).toEqual({ read: { 'project-access': true } })
    await acl(who, ref, { users: ['reader'] })
    expect((await send('GET', path)).json.grants).toHaveLength(2)
    for (const _ of [1, 2]) expect((await send('DELETE', path)).status).toBe(204)
    expect((await send('GET', path)).json).toEqual(none)
    expect((await send('GET', `${ref}/acl`)).json.read.users).toEqual(['reader'])
  })

  it.each([
    [{ grants: {} }],
    [{ grants: [{ user_id: 'x' }] }],
    [{ grants: [{ user_id: '', operations: [] }] }],
    [{ grants: [{ user_id: 'x'.repeat(256), operations: [] }] }],
    [{ grants: [{ user_id: 'x', operations: ['read'] }] }],
    [{ grants: [{ user_id: 'x', operations: [], more: 1 }] }],
    [{ 'project-access': 'true' }],
    [{ read: {} }],
    [{ grants: Array.from({ length: 51 }, (_, at) => ({ user_id: String(at), operations: [] })) }],
  ])('the ACL %j is refused', async (json) => {
    expect((await send('PUT', `${await aesKey(who)}/acl/use`, json)).status).toBe(400)
  })

  it('use and reading are apart: who may decrypt does not read, and who may read does not decrypt', async () => {
    const [ref, closed] = [await aesKey(who), await aesKey(who)]
    const { ciphertext } = (await use(who, ref, 'encrypt', { plaintext: base64('x') })).json
    await grant(who, ref, { [stranger.userId]: ['decrypt'] })
    expect((await use(stranger, ref, 'decrypt', { ciphertext })).json.plaintext).toBe(base64('x'))
    const refused = await use(stranger, ref, 'encrypt', { plaintext: '' })
    expect([refused.status, refused.json.description]).toEqual([
      403,
      'Encryption attempt not allowed - please review your user/project privileges',
    ])
    for (const path of [ref, `${ref}/payload`, `${ref}/acl/use`])
      expect((await send('GET', path, undefined, stranger)).status).toBe(403)
    await acl(who, closed, { users: [stranger.userId] })
    expect((await send('GET', `${closed}/payload`, undefined, stranger)).status).toBe(200)
    expect((await use(stranger, closed, 'encrypt', { plaintext: '' })).status).toBe(403)
  })
})

describe('GET /extensions', () => {
  it('the service says that keys can be used', async () => {
    const { status, json } = await send('GET', '/v1/extensions')
    expect(status).toBe(200)
    expect(json.extensions.map(({ alias }: { alias: string }) => alias)).toContain('key-use')
  })
})
