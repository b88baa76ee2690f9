/** Threats from callers without a token, and through echoed input: T14, T20 and T22. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { createApp, resources } from '../../src/app.ts'
import type { Environment } from '../../src/config.ts'
import { base } from '../support/client.ts'
import { cloudOfKeystone, type Person } from '../support/people.ts'
import { canarySecret, emptyContainer, idOf, keyOrder } from '../support/stored.ts'
import { keystoneVariables } from '../support/keystone.ts'
import { countingDatabase } from '../support/counting.ts'
import { workerWith } from '../support/worker-with.ts'
import { entriesOf } from '../support/log-lines.ts'

const { keystone, send, person } = cloudOfKeystone()

/** Each isolate asks its database once, whatever the first request is, whether it is the Worker's. */
const OF_THE_ISOLATE = 1

describe('T14: requests without a token', () => {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
  const paths = [
    '/',
    '/healthcheck',
    '/healthcheck/',
    '/v1',
    '/v1/',
    '/foo',
    '/v2',
    '/identity',
    '/identity/v3',
    '/admin/rotate',
    '/docs',
    '/docs/reference',
    '/docs/nothing',
    '/openapi.json',
    ...resources.flatMap(({ path }) => [`/v1${path}`, `/v1/x${path}`]),
  ].map((path) => path.replaceAll(/:\w+/g, '11111111-1111-4111-8111-111111111111'))

  it.each(['keystone', 'embedded'])(
    'T14: a request without a token neither reads nor writes the database: %s',
    async (identity) => {
      const { binding, trips } = countingDatabase()
      const variables = identity === 'keystone' ? keystoneVariables : {}
      const environment = { ...(env as unknown as Environment), ...variables, DB: binding } as Environment
      const app = createApp()
      keystone.asked.length = 0
      const open = new Set<string>()
      for (const path of paths) {
        for (const method of methods) {
          for (const headers of [
            {},
            { 'X-Auth-Token': '' },
            { Authorization: 'Bearer x' },
            { 'X-Service-Token': 'x' },
          ]) {
            const body = ['GET', 'HEAD', 'OPTIONS'].includes(method) ? null : 'x'.repeat(100)
            const response = await app.fetch(new Request(base + path, { method, headers, body }), environment)
            await response.arrayBuffer()
            expect(response.status).toBeLessThan(500)
            if (response.status < 400 && method !== 'OPTIONS') open.add(`${method} ${path}`)
          }
        }
      }
      expect(trips()).toBe(OF_THE_ISOLATE)
      expect(keystone.asked).toEqual([])
      const health = ['/healthcheck', '/healthcheck/'].flatMap((path) =>
        methods.filter((method) => method !== 'OPTIONS').map((method) => `${method} ${path}`),
      )
      const discovery = identity === 'embedded' ? ['GET /identity', 'GET /identity/v3'] : []
      const pages = ['GET /docs', 'GET /docs/reference', 'GET /openapi.json']
      const isHead = (one: string) => one.startsWith('HEAD') && !one.includes('health')
      expect([...open].filter((one) => !isHead(one)).toSorted()).toEqual(
        ['GET /', ...health, ...pages, ...discovery].toSorted(),
      )
    },
  )

  it('T14: a text that is no token costs no read of the database', async () => {
    const { binding, trips } = countingDatabase()
    const environment = { ...(env as unknown as Environment), DB: binding } as Environment
    for (const token of ['x', 'gAAAAA', '.'.repeat(100), 'x'.repeat(100_000), '{}', 'é']) {
      const headers = { 'X-Auth-Token': token }
      const response = await createApp().fetch(new Request(`${base}/v1/secrets`, { headers }), environment)
      expect(response.status).toBe(401)
    }
    expect(trips()).toBe(OF_THE_ISOLATE)
  })

  const logIn = (json: unknown, environment: Environment) =>
    createApp().fetch(
      new Request(`${base}/identity/v3/auth/tokens`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: typeof json === 'string' ? json : JSON.stringify(json),
      }),
      environment,
    )
  const auth = (methods: unknown, members: object = {}) => ({ auth: { identity: { methods, ...members } } })
  const user = { name: 'somebody who does not exist', domain: { id: 'default' } }

  it('T14: POST /identity/v3/auth/tokens costs no read of the database for a body that proves nothing', async () => {
    const { binding, trips } = countingDatabase()
    const environment = { ...(env as unknown as Environment), DB: binding } as Environment
    for (const body of [
      '',
      '{',
      '[]',
      'null',
      {},
      { auth: {} },
      auth([]),
      auth(['password']),
      auth(['password'], { password: {} }),
      auth(['password'], { password: { user: { ...user, password: 7 } } }),
      auth(['token'], { token: { id: 'x' } }),
      auth(['token'], { token: { id: 'gAAAAA' } }),
      auth(['application_credential'], { application_credential: {} }),
      auth(['external']),
      'x'.repeat(100_000),
    ]) {
      const response = await logIn(body, environment)
      await response.arrayBuffer()
      const shown = JSON.stringify(body).slice(0, 200)
      expect([shown, [400, 401, 404, 413].includes(response.status)]).toEqual([shown, true])
      expect(response.headers.get('X-Subject-Token')).toBeNull()
      expect([shown, trips()]).toEqual([shown, OF_THE_ISOLATE])
    }
  })

  it('T14: POST /identity/v3/auth/tokens with a wrong proof costs few round trips, creates nobody and says nothing', async () => {
    const { binding, trips } = countingDatabase()
    const environment = { ...(env as unknown as Environment), DB: binding } as Environment
    const accounts = () =>
      environment.DB.prepare(
        `select (select count(*) from identity_users) as users, (select count(*) from role_assignments) as assignments`,
      ).first()
    const answers = []
    const before = await accounts()
    for (const body of [
      auth(['password'], { password: { user: { ...user, password: 'wrong' } } }),
      auth(['password'], { password: { user: { id: 'f'.repeat(32), password: 'wrong' } } }),
      auth(['application_credential'], { application_credential: { id: 'f'.repeat(32), secret: 'wrong' } }),
      auth(['application_credential'], { application_credential: { name: 'x', user, secret: 'wrong' } }),
    ]) {
      const spent = trips()
      const response = await logIn(body, environment)
      answers.push([response.status, await response.text()])
      expect(trips() - spent).toBeLessThanOrEqual(4)
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]?.[0]).toBe(401)
    expect(await accounts()).toEqual(before)
  })

  it('T14: an answer without a token shows no more than the version and how to get a token', async () => {
    const forbidden = /migration|drizzle|sqlite|\bstack\b|node_modules|MASTER|select |src\//i
    // What is in the pages is public: they are made from the repository, and the tests of test/pages read them.
    const isPage = (path: string) => /^\/(docs|openapi)/.test(path) && !path.endsWith('nothing')
    for (const path of paths.filter((one) => !isPage(one))) {
      const answer = await send('GET', path)
      expect(answer.text).not.toMatch(forbidden)
      expect(answer.text.length).toBeLessThan(1_000)
      for (const name of ['server', 'x-powered-by', 'set-cookie']) expect(answer.headers.get(name)).toBeNull()
    }
  })
})

describe('T20: forged hosts', () => {
  const evil = 'evil.example'
  const poison: Record<string, string>[] = [
    { 'X-Forwarded-Host': evil },
    { 'X-Forwarded-Proto': 'gopher', 'X-Forwarded-Port': '1' },
    { Forwarded: `host=${evil};proto=https` },
    { 'X-Host': evil, 'X-Original-URL': `http://${evil}/`, 'X-Rewrite-URL': '/v1/orders', 'X-Forwarded-Prefix': '/x' },
    { Referer: `http://${evil}/`, Origin: `http://${evil}`, Via: evil },
  ]
  let who: Person

  beforeAll(async () => {
    who = person(['creator'])
    for (let i = 0; i < 2; i += 1) {
      await canarySecret(send, who)
      await emptyContainer(send, who)
      await keyOrder(send, who)
    }
  })

  it('T20: with HOST_HREF every href and link is below it, whatever host the request names', async () => {
    const configured = 'https://km.example/base'
    const ask = workerWith({ ...keystoneVariables, HOST_HREF: `${configured}/` })
    const { token } = who
    for (const origin of [base, `https://${evil}`, `https://${evil}:8443`]) {
      for (const headers of [{}, ...poison]) {
        for (const path of ['secrets', 'containers', 'orders']) {
          const answer = await ask('GET', `${origin}/v1/${path}?limit=1&offset=0`, { token, headers })
          expect(answer.status).toBe(200)
          expect(answer.text).not.toContain(evil)
          expect(answer.json.next.startsWith(`${configured}/v1/${path}?limit=1&offset=1`)).toBe(true)
        }
        const made = await ask('POST', `${origin}/v1/secrets`, { token, headers, json: {} })
        expect(made.json.secret_ref.startsWith(`${configured}/v1/secrets/`)).toBe(true)
        expect(made.headers.get('Location')).toBe(made.json.secret_ref)
        const versions = await ask('GET', `${origin}/`, { headers })
        expect(versions.text).toContain(`${configured}/v1/`)
        const refused = await ask('GET', `${origin}/v1/secrets`, { headers })
        expect(refused.headers.get('WWW-Authenticate')).not.toContain(evil)
        const redirected = await ask('GET', `${origin}/`, { headers: { ...headers, Accept: 'application/json-home' } })
        expect(redirected.headers.get('Location')).toBe(`${configured}/v1/`)
      }
    }
  })

  it('T20: a request whose host is none is 400 without HOST_HREF, and the host is shown nowhere', async () => {
    const headers = { 'Content-Type': 'application/json' }
    for (const host of ['a"b', "a'b", 'a;b', 'a,b', '(a)', 'a`b', '{a}', 'a"b:80', 'user@host.example']) {
      for (const [method, path] of [
        ['GET', '/v1/secrets'],
        ['POST', '/v1/secrets'],
        ['GET', '/v1'],
        ['GET', '/'],
        ['GET', '/identity/v3'],
        ['GET', '/nothing'],
        ['GET', '/admin/rotate'],
      ] as const) {
        for (const token of [who.token, undefined]) {
          const url = `https://${host}${path}`
          // Other than a request, a constructor refuses a URL with a user.
          const request = new Proxy(
            new Request(base + path, { method, headers, ...(method === 'POST' && { body: '{}' }) }),
            {
              get(target, name) {
                if (name === 'url') return url
                const value: unknown = Reflect.get(target, name, target)
                return typeof value === 'function' ? (value.bind(target) as unknown) : value
              },
            },
          )
          if (token !== undefined) request.headers.set('X-Auth-Token', token)
          const environment = { ...(env as unknown as Environment), ...keystoneVariables } as Environment
          const response = await createApp().fetch(request, environment)
          const shown = JSON.stringify([...response.headers]) + (await response.text())
          expect([host, method, path, response.status]).toEqual([host, method, path, 400])
          expect(shown).not.toContain(host)
        }
      }
    }
  })

  it('T20: a quotation mark in KEYSTONE_URL does not end the quoted string of WWW-Authenticate', async () => {
    const ask = workerWith({
      ...keystoneVariables,
      KEYSTONE_URL: 'http://a"b.example\\',
      HOST_HREF: 'https://km.example',
    })
    const { headers } = await ask('GET', '/v1/secrets')
    expect(headers.get('WWW-Authenticate')).toBe(String.raw`Keystone uri="http://a\"b.example\\"`)
  })

  it.each([
    ['http://127.0.0.1:9311', {}, 0],
    ['http://localhost', {}, 0],
    ['https://km.example', { HOST_HREF: 'https://km.example' }, 0],
    ['https://km.example', {}, 1],
  ])('T20: that hrefs follow the request at %s with %j is in the log %i times', async (origin, variables, times) => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const ask = workerWith({ ...keystoneVariables, ...variables })
    for (let request = 0; request < 3; request += 1) await ask('GET', `${origin}/`)
    const event = 'HOST_HREF is not set: hrefs contain the host that the request names'
    expect(entriesOf(log)).toEqual(Array.from({ length: times }, () => ({ event })))
    log.mockRestore()
  })

  it('T20: without HOST_HREF hrefs are below the requested address, and no header changes that', async () => {
    const { token } = who
    for (const headers of poison) {
      const answer = await send('GET', '/v1/secrets?limit=1', { token, headers })
      expect(answer.text).not.toContain(evil)
      expect(answer.json.next.startsWith(`${base}/v1/secrets?limit=1&offset=1`)).toBe(true)
    }
  })

  it('T20: a ref with the requested host is refused where HOST_HREF names another', async () => {
    const ask = workerWith({ ...keystoneVariables, HOST_HREF: 'https://km.example' })
    const id = idOf(await canarySecret(send, who))
    const json = (host: string) => ({
      type: 'generic',
      secret_refs: [{ name: 'x', secret_ref: `${host}/v1/secrets/${id}` }],
    })
    const post = (host: string) => ask('POST', `https://${evil}/v1/containers`, { token: who.token, json: json(host) })
    expect((await post(`https://${evil}`)).status).toBe(400)
    expect((await post('https://km.example')).status).toBe(201)
  })

  it('T20: no answer may be stored by a cache', async () => {
    const { token } = who
    for (const [path, headers] of [
      ['/v1/secrets', {}],
      ['/v1/secrets/x', {}],
      ['/v1/', {}],
      ['/', {}],
      ['/v1/foo', {}],
    ] as const) {
      const answer = await send('GET', path, { token, headers })
      expect([path, answer.headers.get('Cache-Control')]).toEqual([path, 'no-store'])
    }
    expect((await send('GET', '/v1/secrets')).headers.get('Cache-Control')).toBe('no-store')
  })
})

describe('T22: cross-site scripting', () => {
  const script = '<script>alert(1)</script>'
  const attribute = '"><img src=x onerror=alert(1)>'

  it('T22: markup in names, metadata and consumers is returned as JSON', async () => {
    const who = person(['creator'])
    const { token } = who
    const ref = await canarySecret(send, who, { name: script, algorithm: attribute, mode: script })
    await send('PUT', `${ref}/metadata`, { token, json: { metadata: { a: script } } })
    await send('POST', `${ref}/consumers`, {
      token,
      json: { service: script, resource_type: attribute, resource_id: 'r' },
    })
    const container = await emptyContainer(send, who, { name: script })
    for (const path of [ref, `${ref}/metadata`, `${ref}/metadata/a`, `${ref}/consumers`, container, '/v1/secrets']) {
      for (const headers of [{}, { Accept: 'application/json' }, { Accept: '*/*' }]) {
        const answer = await send('GET', path, { token, headers, microversion: '1.1' })
        expect([path, answer.status]).toEqual([path, 200])
        expect([path, answer.headers.get('Content-Type')]).toEqual([path, 'application/json'])
        expect(JSON.stringify(answer.json)).toContain('alert(1)')
      }
    }
  })

  it('T22: markup in a payload is never returned as HTML', async () => {
    const who = person(['creator'])
    const ref = await canarySecret(send, who, { payload: script })
    for (const accept of [
      'text/html',
      '*/*',
      'text/html,*/*',
      'image/svg+xml',
      'application/xhtml+xml',
      'text/plain',
      '',
    ]) {
      for (const path of [ref, `${ref}/payload`]) {
        const answer = await send('GET', path, { token: who.token, headers: { Accept: accept } })
        expect(answer.headers.get('Content-Type') ?? '').not.toMatch(/html|svg|xml/)
      }
    }
  })

  it('T22: markup in a refused request is never in an HTML page', async () => {
    const who = person(['creator'])
    const encoded = encodeURIComponent(script)
    const requests: [string, string, Record<string, string>][] = [
      ['GET', `/${encoded}`, {}],
      ['GET', `/v2/${encoded}?x=${encoded}`, {}],
      ['POST', `/?${encoded}`, {}],
      ['GET', '/', { Accept: `text/html;q=1, ${script}` }],
      ['GET', '/', { 'OpenStack-API-Version': `key-manager ${script}` }],
      ['GET', '/v1/', { 'OpenStack-API-Version': `key-manager 1.${script}` }],
      ['GET', '/v1/secrets', { 'OpenStack-API-Version': `key-manager 9.9${attribute}` }],
      ['GET', `/v1/secrets/${encoded}`, {}],
      ['GET', `/v1/${encoded}/secrets`, {}],
      ['GET', `/v1/secrets?sort=${encoded}`, {}],
      ['GET', '/healthcheck', { 'X-Test': script }],
      ['GET', `/identity/${encoded}`, {}],
    ]
    for (const [method, path, given] of requests) {
      for (const accept of ['text/html', '*/*', 'text/html, application/json;q=0.5', undefined]) {
        const headers = { ...(accept !== undefined && { Accept: accept }), ...given }
        const answer = await send(method, path, { token: who.token, headers })
        const type = answer.headers.get('Content-Type') ?? ''
        if (type.includes('html')) {
          expect([path, answer.text.toLowerCase().includes('<script'), answer.text.includes('<img')]).toEqual([
            path,
            false,
            false,
          ])
        }
        expect([...answer.headers].flat().join('\n').toLowerCase()).not.toContain('<script')
      }
    }
  })

  it('T22: markup in a refused body is returned as JSON', async () => {
    const who = person(['creator'])
    const answer = await send('POST', '/v1/containers', {
      token: who.token,
      json: { type: script },
      headers: { Accept: 'application/json, text/html' },
    })
    expect([answer.status, answer.headers.get('Content-Type')]).toEqual([400, 'application/json'])
    expect(answer.json.description).toContain(script)
  })

  it('T22: no stored or requested text can split a header', async () => {
    const who = person(['creator'])
    const ref = await canarySecret(send, who)
    const json = { key: 'a\r\nSet-Cookie: x=1', value: '1' }
    expect((await send('POST', `${ref}/metadata`, { token: who.token, json })).status).toBe(400)
    for (const path of [`/v1/secrets?name=%0d%0aSet-Cookie:x`, '/v1/%0d%0aSet-Cookie:x', '/%0d%0aSet-Cookie:x']) {
      const answer = await send('GET', path, { token: who.token })
      expect(answer.headers.get('Set-Cookie')).toBeNull()
    }
  })
})
