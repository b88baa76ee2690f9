/** The Worker's variables: values for which it refuses every request, and the effect of each accepted value. */
import { describe, expect, it } from 'vitest'
import { readVariables } from '../../src/config.ts'
import { env } from 'cloudflare:workers'
import { call, isolate } from '../support/client.ts'
import { owner, person } from '../support/people.ts'

const encode = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes))
const random = () => encode(crypto.getRandomValues(new Uint8Array(32)))
const bytesFrom = (value: (at: number) => number) => encode(Uint8Array.from({ length: 32 }, (_, at) => value(at)))
const good = random()

const paths: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/'],
  ['GET', '/v1'],
  ['GET', '/v1/secrets'],
  ['POST', '/v1/secrets'],
  ['GET', '/v1/orders'],
  ['GET', '/v1/nothing'],
  ['GET', '/nothing'],
  ['GET', '/identity'],
  ['GET', '/identity/v3'],
  ['POST', '/identity/v3/auth/tokens'],
]

/** Checks that every route except the health check returns 503, and returns the message. */
async function expectUnserved(variables: Readonly<Record<string, unknown>>): Promise<string> {
  const ask = isolate(variables)
  let message = ''
  for (const [method, path] of paths) {
    const answer = await ask(method, path)
    expect([method, path, answer.status]).toEqual([method, path, 503])
    expect(answer.headers.get('Content-Type')).toBe('application/json')
    expect(answer.json).toEqual({ code: 503, title: 'Service Unavailable', description: expect.any(String) })
    message = answer.json.description
  }
  const health = await ask('GET', '/healthcheck')
  expect([health.status, health.text]).toEqual([200, 'OK'])
  return message
}

const KNOWN = 'dGhpcnR5X3R3b19ieXRlX2tleWJsYWhibGFoYmxhaGg='

describe('T31: MASTER_KEYS that are refused', () => {
  it.each<[string, string | number | undefined]>([
    ['that are not set', undefined],
    ['that are empty', ''],
    ['that are white space', '  '],
    ['that are no text', 1],
    ['without an id', good],
    ['with an empty id', `:${good}`],
    ['with an id of strange characters', `a b:${good}`],
    ['with an id of 65 characters', `${'a'.repeat(65)}:${good}`],
    ['without a key', 'a:'],
    ['that end in a comma', `a:${good},`],
    ['of 31 bytes', `a:${encode(crypto.getRandomValues(new Uint8Array(31)))}`],
    ['of 33 bytes', `a:${encode(crypto.getRandomValues(new Uint8Array(33)))}`],
    ['of 16 bytes', `a:${encode(crypto.getRandomValues(new Uint8Array(16)))}`],
    ['with a character missing', `a:${good.slice(1)}`],
    ['with a character that is not of base64', `a:${good.replace(/^./, '*')}`],
    ['in base64url', `a:${bytesFrom(() => 0xfb).replaceAll('+', '-')}`],
    ['in hexadecimal', `a:${'0123456789abcdef'.repeat(4)}`],
    ['that are zeros', `a:${bytesFrom(() => 0)}`],
    ['that are one byte again and again', `a:${bytesFrom(() => 0x5a)}`],
    ['that are two bytes again and again', `a:${bytesFrom((at) => (at % 2) * 0xa5)}`],
    ['that are eight bytes again and again', `a:${bytesFrom((at) => (at % 8) * 31)}`],
    ['that count up', `a:${bytesFrom((at) => at)}`],
    ['that count up from another byte', `a:${bytesFrom((at) => at + 200)}`],
    ['that count down', `a:${bytesFrom((at) => 255 - at)}`],
    ['that count in sevens', `a:${bytesFrom((at) => at * 7)}`],
    ['that are text', `a:${btoa('correct horse battery staple, 32')}`],
    ['that everybody knows', `a:${KNOWN}`],
    ['with one id twice', `a:${good},a:${random()}`],
    ['of which the second is weak', `a:${good},b:${KNOWN}`],
    ['of which the second is damaged', `a:${good},b:${random().slice(4)}`],
  ])('T31: a Worker does not serve with MASTER_KEYS %s', async (_, MASTER_KEYS) => {
    const message = await expectUnserved({ MASTER_KEYS })
    expect(message).toContain('MASTER_KEYS')
    for (const part of String(MASTER_KEYS ?? '').split(/[,:]/)) {
      if (part.trim().length > 4 && part.length !== 65) expect(message).not.toContain(part)
    }
  })
})

describe('MASTER_KEYS that are accepted', () => {
  const own = String((env as unknown as Readonly<Record<string, unknown>>)['MASTER_KEYS'])
  it.each([
    ['of one key', own],
    ['of several keys', `2026-11:${good},2025.1:${random()},${own}`],
    ['with spaces between keys', ` a:${good} , ${own} `],
    ['with an id of 64 characters', `${'a'.repeat(64)}:${good},${own}`],
  ])('a Worker serves with MASTER_KEYS %s', async (_, MASTER_KEYS) => {
    expect((await isolate({ MASTER_KEYS })('GET', '/')).status).toBe(300)
    expect((await isolate({ MASTER_KEYS })('GET', '/v1/secrets')).status).toBe(401)
  })
})

describe('a variable that is refused', () => {
  it.each<[string, readonly unknown[]]>([
    ['IDENTITY', ['foo', 'Embedded', 'keystone ', 1, true]],
    ['KEYSTONE_URL', ['foo', 'ftp://x', 'http://', 'http://u:p@host', 'http://host/?a=b', 'http://host/#a', 5000]],
    ['POLICY', ['none', 'LEGACY', 'legacy,secure']],
    ['HOST_HREF', ['kms.example', 'javascript:alert(1)', 'http://u@host', 'http://host/?a', '/v1']],
    ['QUOTA_SECRETS', ['-2', 'many', '1.5', '0x10', '1e3', '2147483648', ' 1', 5]],
    ['PROJECT_KEY_DAYS', ['-1', '36501', 'never', '1.5']],
    ['QUOTA_ORDERS', ['-2', 'x']],
    ['QUOTA_CONTAINERS', ['-2', 'x']],
    ['QUOTA_CONSUMERS', ['-2', 'x']],
    ['MAX_SECRET_BYTES', ['0', '-1', 'x', '20k', '990001']],
    ['MAX_REQUEST_BYTES', ['0', '-1', 'x', '10000001']],
    ['TOKEN_EPOCH', ['-1', '0.5', 'x', '1e3', '2147483648', ' 1']],
    ['OBJECT_LOCATION', ['europe', 'WEUR', 'weur,eeur', 1]],
    ['JURISDICTION', ['EU', 'europe', 'de', 1]],
    ['SECRET_STORES', ['two', 'Multiple', '2']],
    ['ADMIN_PASSWORD', ['short', '1234567']],
  ])('a Worker does not serve with a bad %s', async (name, values) => {
    for (const value of values) {
      const message = await expectUnserved({ [name]: value })
      expect(message).toContain(name)
      if (name === 'ADMIN_PASSWORD') expect(message).not.toContain(String(value))
    }
  })

  it('a Worker does not serve with IDENTITY=keystone and no KEYSTONE_URL', async () => {
    expect(await expectUnserved({ IDENTITY: 'keystone', KEYSTONE_URL: '' })).toContain('KEYSTONE_URL')
    expect(await expectUnserved({ IDENTITY: 'keystone' })).toContain('KEYSTONE_URL')
  })
})

describe('POLICY', () => {
  const json = { name: 'a secret' }

  it.each([undefined, '', 'secure'])('POLICY %j is the rule set of personas', async (POLICY) => {
    const ask = isolate({ POLICY })
    const [member, creator] = [await person(['member']), await person(['creator'])]
    expect((await ask('POST', '/v1/secrets', { token: member.token, json })).status).toBe(201)
    expect((await ask('POST', '/v1/secrets', { token: creator.token, json })).status).toBe(403)
    expect(readVariables({ POLICY }).POLICY).toBe('secure')
  })

  it.each([
    ['legacy', 403, 201],
    ['both', 201, 201],
  ])(
    'POLICY %j answers a new secret of a member with %d and of a creator with %d',
    async (POLICY, ofMember, ofCreator) => {
      const ask = isolate({ POLICY })
      const statusFor = async (role: string) =>
        (await ask('POST', '/v1/secrets', { token: (await person([role])).token, json })).status
      expect([await statusFor('member'), await statusFor('creator')]).toEqual([ofMember, ofCreator])
    },
  )
})

describe('the effect of a variable', () => {
  it('an empty variable counts as not set', async () => {
    const ask = isolate({ IDENTITY: '', POLICY: '', HOST_HREF: '', QUOTA_SECRETS: '', MAX_SECRET_BYTES: '' })
    expect((await ask('GET', '/')).status).toBe(300)
  })

  it.each([
    ['https://keys.example', 'https://keys.example'],
    ['https://keys.example/', 'https://keys.example'],
    ['http://keys.example:9311/base//', 'http://keys.example:9311/base'],
  ])('HOST_HREF %s is the base of all refs', async (HOST_HREF, base) => {
    const { token } = await owner()
    const ask = isolate({ HOST_HREF })
    const { json } = await ask('POST', '/v1/secrets', { token, json: {} })
    expect(json.secret_ref.startsWith(`${base}/v1/secrets/`)).toBe(true)
    expect((await ask('GET', '/')).json.versions.values[0].links[0].href).toBe(`${base}/v1/`)
  })

  it('MAX_SECRET_BYTES limits the payloads of POST and PUT', async () => {
    const { token } = await owner()
    const ask = isolate({ MAX_SECRET_BYTES: '10' })
    const post = async (length: number) => {
      const json = { payload: 'x'.repeat(length), payload_content_type: 'text/plain' }
      return (await ask('POST', '/v1/secrets', { token, json })).status
    }
    expect(await post(10)).toBe(201)
    expect(await post(11)).toBe(413)
    const { json } = await ask('POST', '/v1/secrets', { token, json: {} })
    const put = async (length: number) => {
      const headers = { 'Content-Type': 'text/plain' }
      return (await ask('PUT', json.secret_ref, { token, headers, body: 'x'.repeat(length) })).status
    }
    expect(await put(11)).toBe(413)
    expect(await put(10)).toBe(204)
  })

  it('MAX_SECRET_BYTES and MAX_REQUEST_BYTES can admit larger payloads', async () => {
    const { token } = await owner()
    const ask = isolate({ MAX_SECRET_BYTES: '990000', MAX_REQUEST_BYTES: '1100000' })
    const payload = 'x'.repeat(990_000)
    const json = { payload, payload_content_type: 'text/plain' }
    const made = await ask('POST', '/v1/secrets', { token, json })
    expect(made.status).toBe(201)
    expect((await ask('GET', `${made.json.secret_ref}/payload`, { token })).text).toBe(payload)
  })

  it('MAX_REQUEST_BYTES limits JSON bodies', async () => {
    const { token } = await owner()
    const ask = isolate({ MAX_REQUEST_BYTES: '50' })
    const post = async (length: number) =>
      (await ask('POST', '/v1/secrets', { token, json: { name: 'x'.repeat(length) } })).status
    expect(await post(30)).toBe(201)
    expect(await post(50)).toBe(413)
  })

  it('MAX_SECRET_BYTES counts what is stored, also where base64 is sent', async () => {
    const { token } = await owner()
    const ask = isolate({ MAX_SECRET_BYTES: '10' })
    const octets = 'application/octet-stream'
    const post = async (payload: string) => {
      const json = { payload, payload_content_type: octets, payload_content_encoding: 'base64' }
      return (await ask('POST', '/v1/secrets', { token, json })).status
    }
    const put = async (body: string) => {
      const { json } = await ask('POST', '/v1/secrets', { token, json: {} })
      const headers = { 'Content-Type': octets, 'Content-Encoding': 'base64' }
      return (await ask('PUT', json.secret_ref, { token, headers, body })).status
    }
    const of = (length: number) => new Uint8Array(length).toBase64()
    for (const body of [of(10), of(10).replaceAll(/.{4}/g, '$&\n')]) {
      expect([await post(body), await put(body)]).toEqual([201, 204])
    }
    for (const body of [of(11), of(12), of(1_000)]) expect([await post(body), await put(body)]).toEqual([413, 413])
  })

  it('TOKEN_EPOCH ends all tokens of other epochs, and nothing else', async () => {
    const { token, name, password, projectId } = await owner()
    const made = await call('POST', '/v1/secrets', {
      token,
      json: { payload: 'x', payload_content_type: 'text/plain' },
    })
    const ask = isolate({ TOKEN_EPOCH: '1' })
    expect((await ask('GET', '/v1/secrets', { token })).status).toBe(401)
    const body = {
      auth: {
        identity: { methods: ['password'], password: { user: { name, domain: { id: 'default' }, password } } },
        scope: { project: { id: projectId } },
      },
    }
    const fresh = (await ask('POST', '/identity/v3/auth/tokens', { json: body })).headers.get('X-Subject-Token') ?? ''
    const read = await ask('GET', `${made.json.secret_ref}/payload`, { token: fresh })
    expect([read.status, read.text]).toEqual([200, 'x'])
    expect((await call('GET', '/v1/secrets', { token: fresh })).status).toBe(401)
    expect((await call('GET', '/v1/secrets', { token })).status).toBe(200)
  })

  it.each([
    ['0', 0],
    ['2', 2],
    ['-1', 4],
  ])('QUOTA_SECRETS and QUOTA_ORDERS %s admit %d of four objects', async (quota, admitted) => {
    const ask = isolate({ QUOTA_SECRETS: quota, QUOTA_ORDERS: quota })
    const order = { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } }
    for (const [path, json, status] of [
      ['/v1/secrets', {}, 201],
      ['/v1/orders', order, 202],
    ] as const) {
      // A project for each: an order counts the secret that it will make.
      const { token } = await owner()
      const statuses: number[] = []
      for (let i = 0; i < 4; i += 1) statuses.push((await ask('POST', path, { token, json })).status)
      expect(statuses).toEqual([...Array(admitted).fill(status), ...Array(4 - admitted).fill(403)])
    }
  })

  it('a token of a deployment with other MASTER_KEYS is refused, with the reason', async () => {
    const { token } = await owner()
    const answer = await isolate({ MASTER_KEYS: `test:${random()}` })('GET', '/v1/secrets', { token })
    expect([answer.status, answer.json.description]).toEqual([503, expect.stringContaining('other master keys')])
  })
})
