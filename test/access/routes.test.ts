/** Every route has a rule and refuses a request without a token, except for a short list of public routes. */
import { describe, expect, it } from 'vitest'
import { createApp, resources } from '../../src/app.ts'
import { rules } from '../../src/access/policy.ts'
import type { Method } from '../../src/wire/http/resource.ts'
import { cloudOfKeystone, type Person } from '../support/people.ts'
import { canarySecret, emptyContainer, idOf, keyOrder } from '../support/stored.ts'
import { base } from '../support/client.ts'
import { expectRefusal } from '../support/refusals.ts'

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
const { keystone, send, person } = cloudOfKeystone({ SECRET_STORES: 'multiple' })
const absent = '11111111-1111-4111-8111-111111111111'

/** The only routes that respond without a token. The embedded identity has its own list and test. */
const publicRoutes = ['/healthcheck', '/', '/docs', '/docs/*', '/openapi.json', '/identity', '/identity/*']

async function params(who: Person): Promise<Readonly<Record<string, string>>> {
  const store = (await send('GET', '/v1/secret-stores', { token: who.token })).json.secret_stores[0]
  return {
    secret: idOf(await canarySecret(send, who)),
    container: idOf(await emptyContainer(send, who)),
    order: idOf(await keyOrder(send, who)),
    store: idOf(store.secret_store_ref),
    project: who.projectId,
    consumer: absent,
    authority: idOf((await send('GET', '/v1/cas', { token: who.token })).json.cas[0]),
    key: absent,
    version: '1',
  }
}

const pathOf = (path: string, given: Readonly<Record<string, string>>) =>
  `/v1${path.replaceAll(/:(\w+)/g, (_match, name: string) => given[name] ?? name)}`

describe('every resource', () => {
  const paths = resources.map(({ path }) => path)

  it('every resource is listed once', () => {
    expect(new Set(paths).size).toBe(paths.length)
  })

  it('every operation of a resource names a rule', () => {
    for (const { path, operations } of resources) {
      for (const [method, operation] of Object.entries(operations)) {
        expect(operation.name, `${method} ${path}`).toMatch(/^\w/)
        const named = typeof operation.rule === 'string' ? [operation.rule] : operation.rule.of
        expect(named.length, `${method} ${path}`).toBeGreaterThan(0)
        for (const rule of named) expect(rules, `${method} ${path}`).toContain(rule)
      }
    }
  })

  it.each(resources.map((resource) => [resource.path, resource] as const))(
    '%s answers 403 to a caller without a role',
    async (path, one) => {
      const owner = person(['admin'])
      const given = await params(owner)
      const nobody = person([], { projectId: owner.projectId })
      for (const method of methods) {
        const answer = await send(method, pathOf(path, given), { token: nobody.token })
        const expected = one.operations[method as Method] === undefined ? 405 : 403
        expect([method, answer.status]).toEqual([method, expected])
      }
    },
  )

  it.each(paths)('%s answers 401 without a token', async (path) => {
    for (const method of [...methods, 'HEAD']) {
      for (const prefix of ['', `/${absent}`]) {
        const answer = await send(method, pathOf(path, {}).replace('/v1', `/v1${prefix}`))
        expect([method, answer.status]).toEqual([method, 401])
      }
    }
  })

  it.each(paths)('%s answers 401 to a token without a project', async (path) => {
    const token = keystone.issue({ roles: ['admin'] })
    const answer = await send('GET', pathOf(path, {}), { token })
    expect(answer.status).toBe(401)
  })
})

describe('the app', () => {
  it('the app has no routes but those of its resources and the public ones', () => {
    const known = new Set(
      [
        ...publicRoutes,
        '/*',
        '/v1',
        '/v1/*',
        '/admin/*',
        '/admin/rotate',
        '/admin/projects/:project/destruction',
        '/admin/audit',
        '/admin/reconcile',
        '/admin/read-only',
        ...resources.flatMap(({ path }) => [`/v1${path}`, `/v1/:tenant${path}`]),
      ].map((path) => path),
    )
    const stray = createApp()
      .routes.map(({ path }) => path)
      .filter((path) => !known.has(path) && !path.startsWith('/identity/'))
    expect([...new Set(stray)]).toEqual([])
  })

  it.each(['/healthcheck', '/', '/docs', '/docs/reference', '/openapi.json'])(
    '%s is answered without a token',
    async (path) => {
      expect((await send('GET', path)).status).toBeLessThan(400)
    },
  )

  it.each(['/v1', '/v1/', '/v1/foo', '/v1/foo/bar/baz', '/v1//'])('%s is 401 without a token', async (path) => {
    expect((await send('GET', path)).status).toBe(401)
  })

  it.each(['/v2', '/v10', '/V1/secrets', '/foo', '/v1foo', '/.env', '/do', '/rpc/placeOrder', '/cdn-cgi/x'])(
    '%s is 404',
    async (path) => {
      const answer = await send('GET', path, { headers: { Accept: 'application/json' } })
      expectRefusal(answer, 404, '')
      expect((await send('POST', path)).status).toBe(404)
    },
  )

  it('the identity API is 404 when Keystone is configured', async () => {
    for (const path of ['/identity', '/identity/v3', '/identity/v3/auth/tokens', '/identity/v3/users']) {
      expect((await send('GET', path)).status).toBe(404)
      expect((await send('POST', path, { json: {} })).status).toBe(404)
    }
  })

  it('OPTIONS is answered before anything else, without a header that admits another site', async () => {
    for (const path of ['/', '/v1/secrets', '/foo']) {
      const headers = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'GET' }
      const answer = await send('OPTIONS', `${base}${path}`, { headers })
      expect([answer.status, answer.text]).toEqual([200, ''])
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })
})
