/** Threats in queries, numbers and versions: T10, T24 and T25. */
import { beforeAll, describe, expect, it } from 'vitest'
import { base } from '../support/client.ts'
import { cloudOfKeystone, type Person } from '../support/people.ts'
import { canarySecret, close, emptyContainer } from '../support/stored.ts'
import { badQuery, expectRefusal } from '../support/refusals.ts'

const { send, person } = cloudOfKeystone()

let owner: Person
let stranger: Person
let ref: string

beforeAll(async () => {
  owner = person(['creator'])
  stranger = person(['admin', 'creator'])
  ref = await canarySecret(send, owner, { name: 'target' })
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
