import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import type { Environment } from '../../src/config.ts'
import { onPeer } from '../support/differences.ts'
import { owner } from '../support/given.ts'

const bindings = env as unknown as Environment
const app = createApp()

/** An answer of a Worker that is configured otherwise; undefined takes a variable away. */
function ask(variables: Readonly<Record<string, unknown>>, path = '/v1/secrets', init: RequestInit = {}) {
  const environment: Environment = { ...bindings, ...variables }
  return app.request(`http://kms.example${path}`, init, environment)
}

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

/** Everything but the health check is 503; gives the message. */
async function expectUnserved(variables: Readonly<Record<string, unknown>>): Promise<string> {
  let message = ''
  for (const [method, path] of paths) {
    const answer = await ask(variables, path, { method })
    const text = await answer.text()
    expect([method, path, answer.status]).toEqual([method, path, 503])
    expect(answer.headers.get('Content-Type')).toBe('application/json')
    const body = JSON.parse(text)
    expect(body).toEqual({ code: 503, title: 'Service Unavailable', description: expect.any(String) })
    message = body.description
  }
  const health = await ask(variables, '/healthcheck')
  expect([health.status, await health.text()]).toEqual([200, 'OK'])
  return message
}

const KNOWN = 'dGhpcnR5X3R3b19ieXRlX2tleWJsYWhibGFoYmxhaGg='

describe.skipIf(onPeer)('a Worker does not serve with MASTER_KEYS', () => {
  it.each<[string, unknown]>([
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
  ])('%s', async (_, MASTER_KEYS) => {
    const message = await expectUnserved({ MASTER_KEYS })
    expect(message).toContain('MASTER_KEYS')
    for (const part of String(MASTER_KEYS ?? '').split(/[,:]/)) {
      if (part.trim().length > 4 && part.length !== 65) expect(message).not.toContain(part)
    }
  })
})

describe.skipIf(onPeer)('a Worker serves with MASTER_KEYS', () => {
  it.each([
    ['of one key', `a:${good}`],
    ['of several keys', `2026-11:${good},2025.1:${random()},old_one:${random()}`],
    ['with spaces between keys', ` a:${good} , b:${random()} `],
    ['with an id of 64 characters', `${'a'.repeat(64)}:${good}`],
  ])('%s', async (_, MASTER_KEYS) => {
    expect((await ask({ MASTER_KEYS }, '/')).status).toBe(300)
    expect((await ask({ MASTER_KEYS })).status).toBe(401)
  })
})

describe.skipIf(onPeer)('a Worker does not serve with a bad variable', () => {
  it.each<[string, readonly unknown[]]>([
    ['IDENTITY', ['foo', 'Embedded', 'keystone ', 1, true]],
    ['KEYSTONE_URL', ['foo', 'ftp://x', 'http://', 'http://u:p@host', 'http://host/?a=b', 'http://host/#a', 5000]],
    ['POLICY', ['none', 'LEGACY', 'legacy,secure']],
    ['HOST_HREF', ['kms.example', 'javascript:alert(1)', 'http://u@host', 'http://host/?a', '/v1']],
    ['QUOTA_SECRETS', ['-2', 'many', '1.5', '0x10', '1e3', '2147483648', ' 1', 5]],
    ['QUOTA_ORDERS', ['-2', 'x']],
    ['QUOTA_CONTAINERS', ['-2', 'x']],
    ['QUOTA_CONSUMERS', ['-2', 'x']],
    ['MAX_SECRET_BYTES', ['0', '-1', 'x', '20k', '1900001']],
    ['MAX_REQUEST_BYTES', ['0', '-1', 'x', '10000001']],
    ['SECRET_STORES', ['two', 'Multiple', '2']],
    ['ADMIN_PASSWORD', ['short', '1234567']],
  ])('%s', async (name, values) => {
    for (const value of values) {
      const message = await expectUnserved({ [name]: value })
      expect(message).toContain(name)
      if (name === 'ADMIN_PASSWORD') expect(message).not.toContain(String(value))
    }
  })

  it('KEYSTONE_URL is missing for IDENTITY keystone', async () => {
    expect(await expectUnserved({ IDENTITY: 'keystone', KEYSTONE_URL: '' })).toContain('KEYSTONE_URL')
    expect(await expectUnserved({ IDENTITY: 'keystone' })).toContain('KEYSTONE_URL')
  })
})

describe.skipIf(onPeer)('what a variable does', () => {
  const as = (token: string, json?: unknown): RequestInit => ({
    method: json === undefined ? 'GET' : 'POST',
    headers: { 'X-Auth-Token': token, 'Content-Type': 'application/json' },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  })

  it('empty variables count as not set', async () => {
    const empty = { IDENTITY: '', POLICY: '', HOST_HREF: '', QUOTA_SECRETS: '', MAX_SECRET_BYTES: '' }
    expect((await ask(empty, '/')).status).toBe(300)
  })

  it.each([
    ['https://keys.example', 'https://keys.example'],
    ['https://keys.example/', 'https://keys.example'],
    ['http://keys.example:9311/base//', 'http://keys.example:9311/base'],
  ])('HOST_HREF %s is the base of all refs', async (HOST_HREF, base) => {
    const { token } = await owner()
    const made = (await (await ask({ HOST_HREF }, '/v1/secrets', as(token, {}))).json()) as { secret_ref: string }
    expect(made.secret_ref.startsWith(`${base}/v1/secrets/`)).toBe(true)
    expect(await (await ask({ HOST_HREF }, '/')).text()).toContain(`"${base}/v1/"`)
  })

  it('MAX_SECRET_BYTES bounds payloads of POST and PUT', async () => {
    const { token } = await owner()
    const payload = (length: number) => ({ payload: 'x'.repeat(length), payload_content_type: 'text/plain' })
    const small = { MAX_SECRET_BYTES: '10' }
    expect((await ask(small, '/v1/secrets', as(token, payload(10)))).status).toBe(201)
    expect((await ask(small, '/v1/secrets', as(token, payload(11)))).status).toBe(413)
    const { secret_ref } = (await (await ask(small, '/v1/secrets', as(token, {}))).json()) as { secret_ref: string }
    const path = new URL(secret_ref).pathname
    const put = (length: number): RequestInit => ({
      method: 'PUT',
      headers: { 'X-Auth-Token': token, 'Content-Type': 'text/plain' },
      body: 'x'.repeat(length),
    })
    expect((await ask(small, path, put(11))).status).toBe(413)
    expect((await ask(small, path, put(10))).status).toBe(204)
  })

  it('MAX_SECRET_BYTES and MAX_REQUEST_BYTES admit larger payloads', async () => {
    const { token } = await owner()
    const large = { MAX_SECRET_BYTES: '1000000', MAX_REQUEST_BYTES: '1100000' }
    const payload = 'x'.repeat(1_000_000)
    const made = await ask(large, '/v1/secrets', as(token, { payload, payload_content_type: 'text/plain' }))
    expect(made.status).toBe(201)
    const { secret_ref } = (await made.json()) as { secret_ref: string }
    const read = await ask(large, `${new URL(secret_ref).pathname}/payload`, as(token))
    expect(await read.text()).toBe(payload)
  })

  it('MAX_REQUEST_BYTES bounds JSON', async () => {
    const { token } = await owner()
    const small = { MAX_REQUEST_BYTES: '50' }
    expect((await ask(small, '/v1/secrets', as(token, { name: 'x'.repeat(30) }))).status).toBe(201)
    expect((await ask(small, '/v1/secrets', as(token, { name: 'x'.repeat(50) }))).status).toBe(400)
  })

  it.each([
    ['0', 0],
    ['2', 2],
    ['-1', 4],
  ])('QUOTA_SECRETS %s admits %d of four', async (QUOTA_SECRETS, admitted) => {
    const { token } = await owner()
    const statuses: number[] = []
    for (let i = 0; i < 4; i += 1) {
      statuses.push((await ask({ QUOTA_SECRETS }, '/v1/secrets', as(token, {}))).status)
    }
    expect(statuses.filter((status) => status === 201)).toHaveLength(admitted)
    expect(statuses.filter((status) => status === 403)).toHaveLength(4 - admitted)
  })

  it('MASTER_KEYS of another deployment open nothing, and say nothing of it', async () => {
    const { token } = await owner()
    const other = { MASTER_KEYS: `test:${random()}` }
    const answer = await ask(other, '/v1/secrets', as(token))
    expect(answer.status).toBe(401)
  })
})
