/** User metadata of secrets: the whole map, single items, validation and rights. */
import { beforeAll, describe, expect, it } from 'vitest'
import { base, call } from '../support/client.ts'
import { itDiffersInContainers } from '../support/container-differences.ts'
import { itDiffers, aSecond } from '../support/differences.ts'
import { callAs, HOOK_MILLISECONDS, owner, person, type Person } from '../support/people.ts'
import { acl, secret, tenantPath } from '../support/stored.ts'
import { expectRefusal, notPermitted } from '../support/refusals.ts'

let who: Person
const send = callAs(() => who)
const described = async (metadata: object) => {
  const ref = await secret(who)
  await send('PUT', `${ref}/metadata`, { json: { metadata } })
  return ref
}
const metadataOf = async (ref: string) => (await send('GET', `${ref}/metadata`)).json.metadata

beforeAll(async () => {
  who = await owner()
}, HOOK_MILLISECONDS)

describe('/v1/secrets/{id}/metadata', () => {
  it('the metadata of a new secret is empty', async () => {
    const answer = await send('GET', `${await secret(who)}/metadata`)
    expect([answer.status, answer.json]).toEqual([200, { metadata: {} }])
  })

  it('the metadata is replaced by PUT: 201 with its ref and no Location', async () => {
    const ref = await described({ old: '1' })
    const answer = await send('PUT', `${ref}/metadata`, { json: { metadata: { a: '1', 'b-x_2': 'two' }, more: 1 } })
    expect([answer.status, answer.json]).toEqual([201, { metadata_ref: `${ref}/metadata` }])
    expect(answer.headers.get('Location')).toBeNull()
    expect(await metadataOf(ref)).toEqual({ a: '1', 'b-x_2': 'two' })
  })

  it('the metadata is cleared by PUT of an empty map', async () => {
    const ref = await described({ a: '1' })
    expect((await send('PUT', `${ref}/metadata`, { json: { metadata: {} } })).status).toBe(201)
    expect(await metadataOf(ref)).toEqual({})
  })

  it('the metadata has keys in lower case, and values stripped of outer white space', async () => {
    expect(await metadataOf(await described({ KeY: ' a b\n', e: '' }))).toEqual({ key: 'a b', e: '' })
  })

  it('the metadata takes the key in mixed case where two keys collide', async () => {
    expect(await metadataOf(await described({ key: '1', Key: '2' }))).toEqual({ key: '2' })
    expect(await metadataOf(await described({ Key: '2', key: '1' }))).toEqual({ key: '2' })
  })

  it('the metadata may have an empty key, and keys and values of 255 characters', async () => {
    const long = { ['k'.repeat(255)]: 'v'.repeat(255), '': 'empty' }
    expect(await metadataOf(await described(long))).toEqual(long)
  })

  it('the metadata treats names of Object’s own members as any other', async () => {
    const ref = await secret(who)
    const body = '{"metadata": {"__proto__": "1", "constructor": "2", "tostring": "3"}}'
    const answer = await send('PUT', `${ref}/metadata`, { body, headers: { 'Content-Type': 'application/json' } })
    expect(answer.status).toBe(201)
    const { text } = await send('GET', `${ref}/metadata`)
    const pairs = Object.entries(JSON.parse(text).metadata)
    expect(new Map(pairs)).toEqual(
      new Map([
        ['__proto__', '1'],
        ['constructor', '2'],
        ['tostring', '3'],
      ]),
    )
  })

  it('the metadata is unchanged after a refused PUT', async () => {
    const ref = await described({ a: '1' })
    for (const metadata of [
      { b: '2', é: '3' },
      { b: '2', c: 3 },
    ]) {
      expect((await send('PUT', `${ref}/metadata`, { json: { metadata } })).status).toBe(400)
    }
    expect(await metadataOf(ref)).toEqual({ a: '1' })
  })

  it.each<[object, string]>([
    [{ é: '1' }, 'Invalid Key. Key must be URL safe.'],
    [{ 'a b': '1' }, 'Invalid Key. Key must be URL safe.'],
    [{ 'a.b': '1' }, 'Invalid Key. Key must be URL safe.'],
    [{ 'a/b': 1 }, 'Invalid Key. Key must be URL safe.'],
    [{ a: 1 }, 'Invalid Metadata. Keys and Values must be Strings.'],
    [{ a: null }, 'Invalid Metadata. Keys and Values must be Strings.'],
    [{ a: {} }, 'Invalid Metadata. Keys and Values must be Strings.'],
    [{ a: 1, é: '1' }, 'Invalid Metadata. Keys and Values must be Strings.'],
    [{ é: '1', a: 1 }, 'Invalid Key. Key must be URL safe.'],
  ])('the metadata %j is refused', async (metadata, description) => {
    const answer = await send('PUT', `${await secret(who)}/metadata`, { json: { metadata } })
    expectRefusal(answer, 400, description)
  })

  itDiffersInContainers('long metadata').each([{ ['k'.repeat(256)]: '1' }, { k: 'v'.repeat(256) }])(
    'the metadata with a key or value of 256 characters is refused',
    async (metadata) => {
      const answer = await send('PUT', `${await secret(who)}/metadata`, { json: { metadata } })
      const description = 'Invalid Metadata. Keys and Values must not be longer than 255 characters.'
      expectRefusal(answer, 400, description)
    },
  )

  it('an item of metadata is added by POST: 201 with the pair and its Location', async () => {
    const ref = await described({ a: '1' })
    const answer = await send('POST', `${ref}/metadata`, { json: { key: 'D', value: ' 4 ' } })
    expect([answer.status, answer.json]).toEqual([201, { key: 'd', value: '4' }])
    expect(answer.headers.get('Location')).toBe(`${ref}/metadata/d`)
    expect(await metadataOf(ref)).toEqual({ a: '1', d: '4' })
  })

  it('POST of an existing key of metadata is 409', async () => {
    const ref = await described({ c: '1' })
    const answer = await send('POST', `${ref}/metadata`, { json: { key: 'C', value: '4' } })
    expectRefusal(answer, 409, 'Conflict. Key in request is already in the secret metadata')
    expect(await metadataOf(ref)).toEqual({ c: '1' })
  })

  it('the metadata is not shown in the secret, and does not change its `updated`', async () => {
    const ref = await secret(who)
    const before = (await send('GET', ref)).json
    await aSecond()
    await send('PUT', `${ref}/metadata`, { json: { metadata: { a: '1' } } })
    await send('POST', `${ref}/metadata`, { json: { key: 'b', value: '4' } })
    expect((await send('GET', ref)).json).toEqual(before)
  })

  it('the metadata of an absent secret is 404', async () => {
    const path = '/v1/secrets/11111111-1111-4111-8111-111111111111/metadata'
    expectRefusal(await send('GET', path), 404, 'Secret not found.')
    expectRefusal(await send('GET', `${path}/a`), 404, 'Secret not found.')
    expectRefusal(await send('GET', '/v1/secrets/x/metadata'), 404, 'Not Found. Provided secret id is invalid.')
  })

  it('DELETE of the metadata is 405 with the methods that the route has', async () => {
    const answer = await send('DELETE', `${await secret(who)}/metadata`)
    expectRefusal(answer, 405, '')
    expect(answer.headers.get('Allow')).toBe('GET, POST, PUT')
  })
})

describe('the metadata of one secret', () => {
  const full = 'Invalid Metadata. A secret has at most 128 pairs, of at most 16384 bytes together.'
  const pairs = (count: number, value: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${String(at).padStart(3, '0')}`, value]))

  itDiffersInContainers('bounded metadata')('has at most 128 pairs', async () => {
    const ref = await secret(who)
    const put = (metadata: object) => send('PUT', `${ref}/metadata`, { json: { metadata } })
    expectRefusal(await put(pairs(129, 'a')), 400, full)
    expect(await metadataOf(ref)).toEqual({})
    expect((await put(pairs(127, 'a'))).status).toBe(201)
    const add = (key: string) => send('POST', `${ref}/metadata`, { json: { key, value: 'v' } })
    // Of several that are added at once, one fits.
    const added = await Promise.all(['x', 'y', 'z'].map(add))
    expect(added.map(({ status }) => String(status)).toSorted()).toEqual(['201', '400', '400'])
    expectRefusal(await add('w'), 400, full)
    expectRefusal(await add('k000'), 409, 'Conflict. Key in request is already in the secret metadata')
    expect((await send('PUT', `${ref}/metadata/k000`, { json: { key: 'k000', value: 'other' } })).status).toBe(200)
    expect((await send('DELETE', `${ref}/metadata/k000`)).status).toBe(204)
    expect((await add('w')).status).toBe(201)
  })

  itDiffersInContainers('bounded metadata')('has at most 16,384 bytes, of keys and values in UTF-8', async () => {
    const ref = await secret(who)
    const put = (metadata: object) => send('PUT', `${ref}/metadata`, { json: { metadata } })
    // 16 pairs of 4 + 4 * 255 = 1,024 bytes each.
    const most = pairs(16, '🔑'.repeat(255))
    expectRefusal(await put({ ...most, a: '' }), 400, full)
    expect((await put(most)).status).toBe(201)
    expectRefusal(await send('POST', `${ref}/metadata`, { json: { key: 'a', value: '' } }), 400, full)
    const change = (value: string) => send('PUT', `${ref}/metadata/k000`, { json: { key: 'k000', value } })
    expect((await change('🔑'.repeat(254))).status).toBe(200)
    expect((await send('POST', `${ref}/metadata`, { json: { key: 'a', value: 'bcd' } })).status).toBe(201)
    expectRefusal(await change('🔑'.repeat(255)), 400, full)
    expect((await metadataOf(ref)).k000).toBe('🔑'.repeat(254))
  })
})

describe('/v1/secrets/{id}/metadata/{key}', () => {
  it('an item of metadata is returned as a pair', async () => {
    const answer = await send('GET', `${await described({ C: '3' })}/metadata/c`)
    expect([answer.status, answer.json]).toEqual([200, { key: 'c', value: '3' }])
  })

  it('an item of metadata is 404 for an unknown key, which is compared exactly', async () => {
    const ref = await described({ C: '3' })
    for (const key of ['x', 'C', 'constructor', '__proto__']) {
      expectRefusal(await send('GET', `${ref}/metadata/${key}`), 404, 'Secret metadata not found.')
    }
  })

  it('an item of metadata is changed by PUT: 200 with the pair', async () => {
    const ref = await described({ c: '3', d: '4' })
    const answer = await send('PUT', `${ref}/metadata/c`, { json: { key: 'C', value: ' 33 ' } })
    expect([answer.status, answer.json]).toEqual([200, { key: 'c', value: '33' }])
    expect(await metadataOf(ref)).toEqual({ c: '33', d: '4' })
  })

  it('PUT of an item of metadata is 400 for a wrong body, then 404 for an unknown key, then 409 for another key', async () => {
    const ref = await described({ c: '3', b: '2' })
    expect((await send('PUT', `${ref}/metadata/x`, { json: {} })).status).toBe(400)
    const unknown = await send('PUT', `${ref}/metadata/x`, { json: { key: 'c', value: '1' } })
    expectRefusal(unknown, 404, 'Secret metadata not found.')
    const other = await send('PUT', `${ref}/metadata/c`, { json: { key: 'b', value: '1' } })
    expectRefusal(other, 409, 'Key in request data does not match key in the ')
    expect(await metadataOf(ref)).toEqual({ c: '3', b: '2' })
  })

  it('an item of metadata is deleted by DELETE: 204, also when it does not exist', async () => {
    const ref = await described({ c: '3', d: '4' })
    for (const key of ['c', 'c', 'unknown']) {
      const answer = await send('DELETE', `${ref}/metadata/${key}`)
      expect([answer.status, answer.text]).toEqual([204, ''])
    }
    expect(await metadataOf(ref)).toEqual({ d: '4' })
  })

  it.each(['POST', 'PATCH'])('%s of an item of metadata is 405', async (method) => {
    const answer = await send(method, `${await described({ c: '3' })}/metadata/c`, { json: { key: 'c', value: '1' } })
    expectRefusal(answer, 405, '')
  })

  itDiffers('tenant paths')('an item of metadata is served under a tenant path', async () => {
    const ref = tenantPath(who, await described({ c: '3' }))
    const added = await send('POST', `${ref}/metadata`, { json: { key: 'd', value: '4' } })
    expect(added.headers.get('Location')).toBe(`${ref}/metadata/d`)
    const put = await send('PUT', `${ref}/metadata`, { json: { metadata: { e: '5' } } })
    expect(put.json).toEqual({ metadata_ref: `${ref}/metadata` })
    expect(ref.startsWith(`${base}/v1/${who.projectId}/`)).toBe(true)
    expect((await send('GET', `${ref}/metadata/e`)).json.value).toBe('5')
  })
})

describe('rights on metadata', () => {
  it('the metadata is read by readers of the secret, and written by creators while the secret is not private', async () => {
    const ref = await described({ a: '1' })
    const [observer, creator] = await Promise.all([
      person(['observer'], { projectId: who.projectId }),
      person(['creator'], { projectId: who.projectId }),
    ])
    const stranger = await owner()
    const path = `${ref}/metadata`
    const json = { metadata: { b: '2' } }
    expect((await call('GET', path, { token: observer.token })).status).toBe(200)
    const written = await call('PUT', path, { token: observer.token, json })
    expectRefusal(written, 403, notPermitted('Secret metadata creation'))
    expect((await call('PUT', path, { token: creator.token, json })).status).toBe(201)
    const read = await call('GET', path, { token: stranger.token })
    expectRefusal(read, 403, notPermitted('Secret metadata retrieval'))
    await acl(who, ref, { 'project-access': false, users: [stranger.userId] })
    expect((await call('GET', path, { token: stranger.token })).status).toBe(200)
    const item = await call('DELETE', `${path}/b`, { token: stranger.token })
    expectRefusal(item, 403, notPermitted('Secret metadatum removal'))
    const added = await call('POST', path, { token: creator.token, json: { key: 'k', value: 'v' } })
    expectRefusal(added, 403, notPermitted('Secret metadatum creation'))
  })
})
