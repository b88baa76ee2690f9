/** Threats in paths, headers and queries: T7, T9, T10, T24 and T25. */
import { beforeAll, describe, expect, it } from 'vitest'
import { base } from '../support/client.ts'
import { cloudOfKeystone, type Person } from '../support/people.ts'
import { CANARY, canarySecret, close, emptyContainer, idOf, seen } from '../support/stored.ts'
import { badQuery, expectRefusal } from '../support/refusals.ts'

const { send, person } = cloudOfKeystone()

let owner: Person
let stranger: Person
let ref: string
let id: string

beforeAll(async () => {
  owner = person(['creator'])
  stranger = person(['admin', 'creator'])
  ref = await canarySecret(send, owner, { name: 'target' })
  id = idOf(ref)
})

describe('T7: paths', () => {
  const spellings = () => {
    const bare = id.replaceAll('-', '')
    return [
      `/v1/secrets/${id}`,
      `/v1/secrets/${id}/`,
      `/v1//secrets//${id}`,
      `/v1%2Fsecrets%2f${id}`,
      `/v1/secrets/./${id}`,
      `/v1/secrets/x/../${id}`,
      `/v1/secrets/x/%2e%2e/${id}`,
      `/v1/secrets/x/%2E./${id}`,
      `/healthcheck/../v1/secrets/${id}`,
      `/v1/containers/../secrets/${id}`,
      `/identity/%2e%2e/v1/secrets/${id}`,
      `/v1/secrets/x%2f..%2f${id}`,
      `/v1/secrets/..%2f..%2fv1%2fsecrets%2f${id}`,
      `/v1/secrets/%252e%252e/${id}`,
      `/v1/secrets%252f${id}`,
      `/v1/secrets/${id};x=1`,
      `/v1/secrets;x/${id}`,
      `/v1/secrets/${id}%00`,
      `/v1/secrets/%00${id}`,
      `/v1/secrets/${id}%20`,
      `/v1/secrets/${id}%0a`,
      `/v1/secrets/${id}.json`,
      `/v1/secrets/${id.toUpperCase()}`,
      `/v1/secrets/${bare}`,
      `/v1/secrets/{${id}}`,
      `/v1/secrets/urn:uuid:${id}`,
      `/v1/secrets/${id}%2Fpayload`,
      `/v1/secrets/${id}/payload`,
      `/v1/secrets/${id}%252Fpayload`,
      `/v1/secrets/${id}/payload/`,
      `/v1/secrets/${id}/./payload`,
      `/v1/secrets/${id}\\payload`,
      `/V1/secrets/${id}`,
      `/v1/SECRETS/${id}`,
      `/v1/secrets/${id}#x`,
      `/v1/secrets/%ff`,
      `/v1/secrets/${'%2f'.repeat(100)}${id}`,
    ]
  }

  it('T7: a path in any spelling shows a stranger nothing, and a caller without a token nothing at all', async () => {
    for (const path of spellings()) {
      for (const accept of ['application/json', 'text/plain', 'application/octet-stream']) {
        const foreign = await send('GET', path, { token: stranger.token, headers: { Accept: accept } })
        expect([path, [403, 404].includes(foreign.status)]).toEqual([path, true])
        expect(foreign.text).not.toContain(CANARY)
        const nobody = await send('GET', path, { headers: { Accept: accept } })
        expect([path, [401, 404].includes(nobody.status)]).toEqual([path, true])
      }
    }
  })

  it('T7: a path in any spelling shows the owner the secret or 404, never something else', async () => {
    const plain = seen(await send('GET', ref, { token: owner.token }))
    for (const path of spellings()) {
      const answer = await send('GET', path, { token: owner.token, headers: { Accept: 'application/json' } })
      if (answer.status === 200) expect(seen(answer)).toEqual(plain)
      else expect([path, [404, 406].includes(answer.status)]).toEqual([path, true])
    }
  })

  it('T7: a path of 16 KB or more is refused', async () => {
    for (const path of [
      `/v1/secrets/${'x'.repeat(16_384)}`,
      `/v1/${'x/'.repeat(8_192)}`,
      `/v1/secrets/${id}/${'../'.repeat(5_000)}`,
      `/v1/secrets?name=${'x'.repeat(65_536)}`,
      `/v1/secrets?${'a=b&'.repeat(16_384)}`,
    ]) {
      const answer = await send('GET', path, { token: owner.token })
      expect(answer.status).toBeLessThan(500)
      expect(answer.text).not.toContain(CANARY)
    }
  })

  it('T7: a path under another project is 403, and under no project 404', async () => {
    for (const path of ['secrets', `secrets/${id}`, `secrets/${id}/payload`, 'containers', 'orders', 'quotas']) {
      expectRefusal(
        await send('GET', `/v1/${owner.projectId}/${path}`, { token: stranger.token }),
        403,
        'The project in the path is not the project of the token.',
      )
      for (const tenant of [
        'x',
        owner.projectId.toUpperCase(),
        `${owner.projectId}%20`,
        `${owner.projectId}%00`,
        '%2e%2e',
      ]) {
        const answer = await send('GET', `/v1/${tenant}/${path}`, { token: owner.token })
        expect([403, 404], `${tenant}/${path}`).toContain(answer.status)
      }
    }
  })

  it('T7: a path with a project in front shows no more than one without', async () => {
    const path = `/v1/${stranger.projectId}/secrets/${id}`
    expect((await send('GET', path, { token: stranger.token })).status).toBe(403)
    expect((await send('GET', `/v1/${stranger.projectId}/${path}`, { token: stranger.token })).status).toBe(404)
  })

  it.each(['secrets', 'containers', 'orders', 'quotas', 'v1', 'project-quotas', 'x/y', '..', '%', 'ä ö', '__proto__'])(
    'T7: the paths of a project whose id is %j lead only to its own entities',
    async (projectId) => {
      const tenant = encodeURIComponent(projectId)
      const who = person(['creator', 'admin'], { projectId })
      const mine = await canarySecret(send, who)
      expect((await send('GET', mine, { token: who.token })).status).toBe(200)
      for (const path of ['secrets', `secrets/${id}`, `secrets/${id}/payload`, `secrets/${idOf(mine)}`]) {
        const answer = await send('GET', `/v1/${tenant}/${path}`, { token: who.token })
        expect(answer.status).toBeLessThan(500)
        expect(answer.text).not.toContain(id)
        const foreign = await send('GET', `/v1/${tenant}/${path}`, { token: stranger.token })
        expect(foreign.status).toBeGreaterThanOrEqual(400)
      }
    },
  )
})

describe('T9: negotiation', () => {
  const accepts = [
    undefined,
    '',
    '*/*',
    'application/json',
    'application/*',
    'text/plain',
    'text/*',
    'application/octet-stream',
    'application/pkcs8',
    'text/plain;charset=utf-8',
    'text/plain; charset=utf-8',
    'TEXT/PLAIN',
    'text/plain, */*',
    'application/json, text/plain',
    'text/plain;q=0.9, application/json;q=1',
    'application/json;q=0, text/plain',
    'application/json;q=0',
    'application/jsonx',
    'application/json-home',
    ' application/json',
    'application/json,',
    'application/json;charset=utf-8',
    'foo',
    'foo/bar',
    '*/*;q=0.1',
    ',',
  ]
  const microversions = [undefined, '1.0', '1.1', '1.2', 'latest']

  it.each(accepts)('T9: with Accept %j a caller who may not read the payload does not get it', async (accept) => {
    const auditor = person(['audit'], { projectId: owner.projectId })
    const headers = accept === undefined ? {} : { Accept: accept }
    for (const microversion of microversions) {
      for (const path of [ref, `${ref}/payload`, `${ref}/`, `${ref}?payload`, '/v1/secrets']) {
        const request = { token: auditor.token, headers, ...(microversion && { microversion }) }
        const answer = await send('GET', path, request)
        expect(answer.text).not.toContain(CANARY)
        expect(answer.status).toBeLessThan(500)
        if (path.endsWith('/payload')) expect([403, 406]).toContain(answer.status)
      }
    }
  })

  it.each(accepts)('T9: with Accept %j metadata never holds the payload, and a payload is complete', async (accept) => {
    const headers = accept === undefined ? {} : { Accept: accept }
    const item = await send('GET', ref, { token: owner.token, headers })
    if (item.status === 200 && item.json) expect(item.text).not.toContain(CANARY)
    else if (item.status === 200) expect(item.text).toBe(CANARY)
    else expect([400, 406]).toContain(item.status)
    const payload = await send('GET', `${ref}/payload`, { token: owner.token, headers })
    if (payload.status === 200) expect(payload.text).toBe(CANARY)
    else expect([400, 406]).toContain(payload.status)
  })

  it('T9: an auditor sees metadata exactly where the answer is metadata', async () => {
    const auditor = person(['audit'], { projectId: owner.projectId })
    for (const accept of accepts) {
      const headers = accept === undefined ? {} : { Accept: accept }
      const mine = await send('GET', ref, { token: owner.token, headers })
      const theirs = await send('GET', ref, { token: auditor.token, headers })
      if (mine.status === 200 && mine.json) expect([accept, seen(theirs)]).toEqual([accept, seen(mine)])
      else expect([accept, [403, 406, 400].includes(theirs.status)]).toEqual([accept, true])
    }
  })
})

describe('T10: wildcards and filters', () => {
  let who: Person
  const names = [
    'plain',
    '50%',
    'a_b',
    'axb',
    '%',
    '_',
    "it's",
    '"',
    '\\',
    "' or 1=1 --",
    'ä'.repeat(127),
    'n'.repeat(255),
  ]
  const total = async (query: string, path = 'secrets') =>
    (await send('GET', `/v1/${path}?${query}`, { token: who.token })).json.total

  beforeAll(async () => {
    who = person(['creator'])
    for (const name of names) {
      await canarySecret(send, who, { name, algorithm: name, mode: name })
      await emptyContainer(send, who, { name })
    }
  })

  it.each(names)('T10: a filter finds exactly the name it holds: %j', async (name) => {
    const wanted = encodeURIComponent(name)
    expect(await total(`name=${wanted}`)).toBe(1)
    expect(await total(`alg=${wanted}`)).toBe(1)
    expect(await total(`mode=${wanted}`)).toBe(1)
    expect(await total(`name=${wanted}`, 'containers')).toBe(1)
  })

  it.each(['%%', 'pl%', 'p____', '*', 'p*', "' or '1'='1", "x' union select 1 --", '\u0000', 'plain\u0000', '%_%'])(
    'T10: a pattern in a filter is compared as plain text: %j',
    async (name) => {
      for (const path of ['secrets', 'containers']) {
        expect(await total(`name=${encodeURIComponent(name)}`, path)).toBe(0)
      }
      expect(await total(`alg=${encodeURIComponent(name)}`)).toBe(0)
      expect(await total(`secret_type=${encodeURIComponent(name)}`)).toBe(0)
      expect(await total(`type=${encodeURIComponent(name)}`, 'containers')).toBe(0)
    },
  )

  it.each([
    ['limit=-1', 1],
    ['limit=0', 1],
    ['limit=1e9', 10],
    ['limit=999999999999999999999999', names.length],
    ['limit=100&offset=-5', names.length],
    ['limit=100&offset=9223372036854775807', 0],
    ['limit=100&offset=9223372036854775808', names.length],
    ['limit=100&offset=1e400', names.length],
    ['limit=NaN&offset=NaN', 10],
    ['limit=1;drop table secrets', 10],
  ])('T10: %s is a page of %i', async (query, count) => {
    const answer = await send('GET', `/v1/secrets?${query}`, { token: who.token })
    expect(answer.status).toBe(200)
    expect(answer.json.secrets).toHaveLength(count)
    expect(answer.json.total).toBe(names.length)
  })

  it.each(['1e400', 'NaN', 'Infinity', '-1', '9'.repeat(400), '0x10', "1' or '1'='1", '1.0'])(
    'T10: bits=%s never fails',
    async (bits) => {
      expect((await send('GET', `/v1/secrets?bits=${encodeURIComponent(bits)}`, { token: who.token })).status).toBe(200)
    },
  )

  it.each([
    'id',
    'project_id',
    'name;drop table secrets',
    'name:asc,name:desc',
    'name desc',
    'NAME',
    "name:asc'--",
    '(select 1)',
    '__proto__',
    'constructor',
    'toString',
    'name:constructor',
  ])('T10: sort=%s is 400', async (sort) => {
    const answer = await send('GET', `/v1/secrets?sort=${encodeURIComponent(sort)}`, { token: who.token })
    expectRefusal(answer, 400, badQuery)
  })

  it('T10: a date filter with an offset is compared as a time', async () => {
    for (const [term, expected] of [
      ['gt:2020-01-01T00:00:00Z', names.length],
      ['gt:2020-01-01T00:00:00+23:59', names.length],
      ['lt:2020-01-01T00:00:00-23:59', 0],
    ] as const) {
      expect(await total(`created=${encodeURIComponent(term)}`)).toBe(expected)
    }
    for (const term of [
      'gt:2020-13-01',
      'gt:x',
      "gt:2020-01-01' or 1=1",
      'constructor:2020-01-01',
      `gt:${'9'.repeat(500)}`,
    ]) {
      const answer = await send('GET', `/v1/secrets?created=${encodeURIComponent(term)}`, { token: who.token })
      expectRefusal(answer, 400, badQuery)
    }
  })
})

describe('T24: numbers', () => {
  const admin = () => person(['key-manager:service-admin'])
  const raw = (method: string, path: string, who: Person, body: string) =>
    send(method, path, { token: who.token, body, headers: { 'Content-Type': 'application/json' } })

  it.each([
    '2147483648',
    '-2147483649',
    '9007199254740993',
    '1e400',
    '-1e400',
    '0.5',
    'null',
    'true',
    '"1"',
    '[]',
    '{}',
  ])('T24: a quota of %s is 400 and sets nothing', async (number) => {
    const who = admin()
    const path = `/v1/project-quotas/${crypto.randomUUID()}`
    const answer = await raw('PUT', path, who, `{"project_quotas": {"secrets": ${number}}}`)
    expect(answer.status).toBe(400)
    expect((await send('GET', path, { token: who.token })).status).toBe(404)
  })

  it.each([
    ['-1', -1],
    ['0', 0],
    ['2147483647', 2147483647],
    ['1e3', 1000],
    ['-0', 0],
    ['1.0', 1],
  ])('T24: a quota of %s is stored', async (number, kept) => {
    const who = admin()
    const path = `/v1/project-quotas/${crypto.randomUUID()}`
    expect((await raw('PUT', path, who, `{"project_quotas": {"secrets": ${number}}}`)).status).toBe(204)
    expect((await send('GET', path, { token: who.token })).json.project_quotas.secrets).toBe(kept)
  })

  it.each(['0', '-1', '32768', '1e400', '7.5', '1e-400', 'null', 'true', '"256"', '9007199254740993'])(
    'T24: a bit_length of %s is 400',
    async (number) => {
      expect((await raw('POST', '/v1/secrets', owner, `{"bit_length": ${number}}`)).status).toBe(400)
      const order = `{"type": "key", "meta": {"algorithm": "aes", "bit_length": ${number}}}`
      expect((await raw('POST', '/v1/orders', owner, order)).status).toBe(400)
    },
  )

  it('T24: a bit_length of 7 or 32767 is no error of the server', async () => {
    for (const number of [7, 32767]) {
      expect((await raw('POST', '/v1/secrets', owner, `{"bit_length": ${number}}`)).status).toBe(201)
      const order = `{"type": "key", "meta": {"algorithm": "aes", "bit_length": ${number}}}`
      expect((await raw('POST', '/v1/orders', owner, order)).status).toBeLessThan(500)
    }
  })
})

describe('T25: microversions', () => {
  const ask = (value: string, path = '/v1/secrets') =>
    send('GET', path, {
      token: owner.token,
      headers: { 'OpenStack-API-Version': value, Accept: 'application/json' },
    })

  it.each([
    ['key-manager 1.0', '1.0'],
    ['key-manager 1.1', '1.1'],
    ['key-manager 1.2', '1.2'],
    ['key-manager latest', '1.2'],
    ['KEY-Manager   1.1', '1.1'],
    ['key-manager 01.1', '1.1'],
    ['compute 2.90, key-manager 1.1', '1.1'],
    ['key-manager 1.2, compute 2.90', '1.2'],
    ['key-manager 1.0, key-manager 1.1', '1.1'],
    ['compute 9.9', '1.0'],
    ['key-manager', '1.0'],
    ['1.1', '1.0'],
    ['', '1.0'],
  ])('T25: the header %j selects version %s, and the answer varies by it', async (value, used) => {
    for (const path of ['/v1/secrets', '/', '/v1/']) {
      const answer = await ask(value, path)
      expect(answer.headers.get('OpenStack-API-Version')).toBe(`key-manager ${used}`)
      expect(answer.headers.get('Vary')?.toLowerCase()).toContain('openstack-api-version')
    }
  })

  it.each([
    ['key-manager 1.3', 406],
    ['key-manager 2.0', 406],
    ['key-manager 0.9', 406],
    ['key-manager -1.0', 406],
    ['key-manager 99999999999999999999.0', 406],
    ['key-manager 1', 400],
    ['key-manager abc', 400],
    ['key-manager 1.1.1', 400],
    ['key-manager LATEST', 400],
    ['key-manager 1.0, key-manager 9.9', 406],
    ['key-manager <script>', 400],
  ])('T25: the header %j is refused with %i', async (value, status) => {
    for (const path of ['/v1/secrets', '/']) {
      const answer = await ask(value, path)
      expect(answer.status).toBe(status)
      expect(answer.json.code).toMatch(new RegExp(`^${status} `))
    }
  })

  it('T25: the microversion is checked after the token', async () => {
    const answer = await send('GET', '/v1/secrets', { microversion: '9.9' })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('Vary')).toBeNull()
  })

  it('T25: the microversion does not change what a caller may do', async () => {
    for (const microversion of ['1.0', '1.1', '1.2', 'latest']) {
      for (const [method, path] of [
        ['GET', ref],
        ['DELETE', ref],
        ['DELETE', `${ref}?force=true`],
        ['GET', `${ref}/consumers`],
      ] as const) {
        expect((await send(method, path, { token: stranger.token, microversion })).status).toBe(403)
      }
    }
  })

  it('T25: an error also has Vary for the microversion', async () => {
    const answer = await send('GET', `${base}/v1/secrets/x`, { token: owner.token, microversion: '1.1' })
    expect([answer.status, answer.headers.get('Vary')?.toLowerCase()]).toEqual([404, 'openstack-api-version'])
    await close(send, owner, ref)
  })
})
