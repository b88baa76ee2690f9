/** Log-in to the embedded identity: discovery, scopes, refusals, tokens as subjects, and revocation. */
import { describe, expect, it } from 'vitest'
import { adminPassword, base, call } from '../support/client.ts'
import {
  adminToken,
  authenticate,
  byPassword,
  byToken,
  create,
  domain,
  grantPath,
  identity,
  roleId,
  tokenIn,
  unique,
} from '../support/identity.ts'
import { person, type Account } from '../support/people.ts'

const UNAUTHENTICATED = {
  error: { code: 401, message: 'The request you have made requires authentication.', title: 'Unauthorized' },
}
const FAULT = (code: number, title: string, message: string) => ({ error: { code, message, title } })

describe('discovery', () => {
  const version = {
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${base}/identity/v3/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
  }

  it.each(['/identity', '/identity/'])('%s offers its one version with 300', async (path) => {
    const answer = await call('GET', path)
    expect(answer.status).toBe(300)
    expect(answer.headers.get('Location')).toBe(`${base}/identity/v3/`)
    expect(answer.headers.get('Content-Type')).toBe('application/json')
    expect(answer.json).toEqual({ versions: { values: [version] } })
  })

  it.each(['/identity/v3', '/identity/v3/', '//identity//v3'])('%s shows the version', async (path) => {
    const answer = await call('GET', path)
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({ version })
  })

  it('discovery answers HEAD like GET, without a body', async () => {
    const answer = await call('HEAD', '/identity/v3')
    expect([answer.status, answer.text]).toEqual([200, ''])
  })
})

describe('paths and methods', () => {
  it.each(['/identity/v3/nothing', '/identity/nothing', '/identity/v3/users/a/b/c'])(
    'the unknown path %s is 404 as a page, with a token or without',
    async (path) => {
      for (const token of [undefined, await adminToken()]) {
        const answer = await call('GET', path, { token })
        expect(answer.status).toBe(404)
        expect(answer.headers.get('Content-Type')).toMatch(/^text\/html/)
        expect(answer.text).toContain('The requested URL was not found on the server.')
      }
    },
  )

  it.each([
    ['PUT', '/identity/v3/auth/tokens', 'POST, GET, HEAD, DELETE, OPTIONS'],
    ['PATCH', '/identity/v3/projects', 'GET, HEAD, POST, OPTIONS'],
    ['POST', '/identity/v3/role_assignments', 'GET, HEAD, OPTIONS'],
    ['GET', '/identity/v3/users/x/password', 'POST, OPTIONS'],
    ['POST', '/identity/v3', 'GET, HEAD, OPTIONS'],
  ])('the method %s of %s is 405, before the token is checked', async (method, path, allowed) => {
    const answer = await call(method, path)
    expect(answer.status).toBe(405)
    expect(answer.headers.get('Allow')).toBe(allowed)
    expect(answer.json).toEqual({ message: 'The method is not allowed for the requested URL.' })
  })
})

describe('what Keystone has and this identity has not', () => {
  it.each([
    ['POST', '/v3/domains', 'domains beside Default'],
    ['PATCH', '/v3/domains/default', 'domains beside Default'],
    ['GET', '/v3/groups', 'groups'],
    ['PUT', '/v3/groups/a/users/b', 'groups'],
    ['GET', '/v3/users/a/groups', 'groups'],
    ['PUT', '/v3/projects/a/groups/b/roles/c', 'groups'],
    ['POST', '/v3/OS-TRUST/trusts', 'trusts'],
    ['GET', '/v3/credentials', 'credentials for EC2 and S3; application credentials are there'],
    ['GET', '/v3/users/a/credentials/OS-EC2', 'credentials for EC2 and S3; application credentials are there'],
    ['POST', '/v3/endpoints', 'services, endpoints and regions beside its own'],
    ['DELETE', '/v3/services/identity', 'services, endpoints and regions beside its own'],
    ['PUT', '/v3/roles/a/implies/b', 'implied roles beside those of admin and member'],
    ['PUT', '/v3/system/users/a/roles/b', 'roles in the whole system'],
    ['GET', '/v3/OS-FEDERATION/identity_providers', 'federation'],
  ])('%s %s is 501 with a sentence, with a token or without', async (method, path, what) => {
    const message = `The embedded identity has no ${what}. A Keystone of your own can be used instead: IDENTITY=keystone.`
    for (const token of [undefined, await adminToken()]) {
      const answer = await call(method, `/identity${path}`, { token, ...(method === 'POST' && { json: {} }) })
      expect(answer.json).toEqual({ error: { code: 501, message, title: 'Not Implemented' } })
      expect([answer.status, answer.headers.get('Content-Type')]).toEqual([501, 'application/json'])
    }
  })

  it('no path of what is not there hides an operation that is', async () => {
    const token = await adminToken()
    for (const path of ['domains', 'domains/default', 'services', 'endpoints', 'regions', 'role_inferences', 'roles']) {
      expect([path, (await call('GET', `/identity/v3/${path}`, { token })).status]).toEqual([path, 200])
    }
  })
})

describe('log-in with a password', () => {
  it('log-in with a password returns the token in a header and its document in the body', async () => {
    const user = await person(['member'])
    const answer = await byPassword(user.name, user.password, { project: { id: user.projectId } })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('X-Subject-Token')).toMatch(/^[\w.-]{150,800}$/)
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
    expect(answer.headers.get('Vary')).toBe('X-Auth-Token')
    const { token } = answer.json
    expect(token).toEqual({
      methods: ['password'],
      user: { domain: { id: 'default', name: 'Default' }, id: user.userId, name: user.name, password_expires_at: null },
      audit_ids: [expect.stringMatching(/^[\w-]{22}$/)],
      expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      issued_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      project: { domain: { id: 'default', name: 'Default' }, id: user.projectId, name: expect.any(String) },
      is_domain: false,
      roles: [
        { id: expect.stringMatching(/^[\da-f]{32}$/), name: 'member' },
        { id: expect.stringMatching(/^[\da-f]{32}$/), name: 'reader' },
      ],
      catalog: expect.any(Array),
    })
    expect(Date.parse(token.expires_at) - Date.parse(token.issued_at)).toBe(3_600_000)
  })

  it('log-in with a password returns a catalogue with the Key Manager and the identity, each with three interfaces', async () => {
    const { json } = await byPassword('admin', adminPassword, { project: { name: 'admin', domain } })
    const endpoints = (service: { endpoints: Record<string, string>[] }) =>
      service.endpoints.map(({ interface: name, url, region, region_id }) => [name, url, region, region_id])
    const everywhere = (url: string) =>
      ['public', 'internal', 'admin'].map((name) => [name, url, 'RegionOne', 'RegionOne'])
    const [first, second] = json.token.catalog
    expect([first.type, second.type]).toEqual(['identity', 'key-manager'])
    expect(endpoints(first)).toEqual(everywhere(`${base}/identity/v3`))
    expect(endpoints(second)).toEqual(everywhere(base))
  })

  it('log-in with ?nocatalog returns no catalogue', async () => {
    const auth = {
      identity: { methods: ['password'], password: { user: { name: 'admin', domain, password: adminPassword } } },
      scope: { project: { name: 'admin', domain } },
    }
    const answer = await identity('POST', '/auth/tokens?nocatalog', { json: { auth } })
    expect(answer.json.token).toHaveProperty('roles')
    expect(answer.json.token).not.toHaveProperty('catalog')
  })

  it('log-in with a password accepts the user by id, and the domain by name', async () => {
    const { userId: id, name, password } = await person(['member'])
    for (const user of [
      { id, password },
      { name, password, domain: { name: 'Default' } },
    ]) {
      const answer = await authenticate({ methods: ['password'], password: { user } })
      expect(answer.status).toBe(201)
      expect(answer.json.token.user.id).toBe(id)
    }
  })

  it("log-in with a password finds the user's name in any case", async () => {
    const { userId: id, name, password } = await person(['member'])
    const answer = await byPassword(name.toUpperCase(), password)
    expect(answer.json.token.user).toMatchObject({ id, name })
  })

  it('log-in of the administrator returns the roles admin, member and reader', async () => {
    const { token } = (await byPassword('admin', adminPassword, { project: { name: 'admin', domain } })).json
    expect(token.roles.map(({ name }: { name: string }) => name).toSorted()).toEqual(['admin', 'member', 'reader'])
  })
})

describe('the scope of a token', () => {
  it('the scope of a token is the requested project, by id or by name and domain', async () => {
    const user = await person(['creator'])
    const { name } = (await byPassword(user.name, user.password)).json.token.project
    for (const project of [{ id: user.projectId }, { name, domain }, { name, domain: { name: 'Default' } }]) {
      const answer = await byPassword(user.name, user.password, { project })
      expect(answer.json.token.project.id).toBe(user.projectId)
    }
  })

  it("the scope of a token is the user's default project when none is requested", async () => {
    const user = await person(['creator'])
    expect((await byPassword(user.name, user.password)).json.token.project.id).toBe(user.projectId)
  })

  it('a token has no scope when the user has no role in the default project', async () => {
    const user = await person([])
    const { token } = (await byPassword(user.name, user.password)).json
    expect(Object.keys(token).toSorted()).toEqual(['audit_ids', 'expires_at', 'issued_at', 'methods', 'user'])
  })

  it.each(['unscoped', { unscoped: {} }])('a token has no scope when %j is requested', async (scope) => {
    const user = await person(['creator'])
    const answer = await byPassword(user.name, user.password, scope)
    expect(answer.status).toBe(201)
    expect(answer.json.token).not.toHaveProperty('project')
    expect(answer.json.token).not.toHaveProperty('catalog')
  })

  it.each([
    ['a project that does not exist', { project: { id: 'none' } }],
    ['a project of another domain', { project: { name: 'admin', domain: { id: 'other' } } }],
    ["a project without a role of the user's", { project: { name: 'admin', domain } }],
    ['the domain', { domain }],
    ['the system', { system: { all: true } }],
    ['a trust', { 'OS-TRUST:trust': { id: 'none' } }],
  ])('log-in is refused with 401 for %s as the scope', async (_, scope) => {
    const user = await person(['creator'])
    const answer = await byPassword(user.name, user.password, scope)
    expect(answer.status).toBe(401)
    expect(answer.json).toEqual(UNAUTHENTICATED)
  })

  it('log-in is refused with 401 for a disabled project as the scope', async () => {
    const user = await person(['creator'])
    const token = await adminToken()
    await identity('PATCH', `/projects/${user.projectId}`, { token, json: { project: { enabled: false } } })
    const answer = await byPassword(user.name, user.password, { project: { id: user.projectId } })
    expect([answer.status, answer.json]).toEqual([401, UNAUTHENTICATED])
  })
})

describe('a log-in that fails', () => {
  it('log-in has the same refusal for a wrong password, an unknown, a disabled and a foreign user, and one without password', async () => {
    const user = await person(['member'])
    const disabled = await create('user', { name: unique('user'), password: 'a secret', enabled: false })
    const without = await create('user', { name: unique('user') })
    const foreign = {
      methods: ['password'],
      password: { user: { name: 'admin', domain: { id: 'x' }, password: adminPassword } },
    }
    const answers = await Promise.all([
      byPassword(user.name, 'wrong'),
      byPassword(unique('nobody'), 'wrong'),
      byPassword(disabled.name, 'a secret'),
      byPassword(without.name, ''),
      byPassword(without.name, 'null'),
      authenticate({ methods: ['password'], password: { user: { id: user.userId } } }),
      authenticate({ methods: ['password'], password: { user: { id: 'none', password: 'x' } } }),
      authenticate(foreign),
    ])
    const seen = ['WWW-Authenticate', 'Vary', 'Cache-Control']
    const responses = answers.map(({ status, json, headers }) => [
      status,
      json,
      ...seen.map((name) => headers.get(name)),
    ])
    const keystone = `Keystone uri="${base}/identity/v3"`
    expect(responses).toEqual(answers.map(() => [401, UNAUTHENTICATED, keystone, 'X-Auth-Token', 'no-store']))
    expect(answers.every(({ headers }) => !headers.has('X-Subject-Token'))).toBe(true)
  })

  it('log-in takes about as long for an unknown user as for a wrong password', async () => {
    const user = await person(['member'])
    const time = async (name: string) => {
      const begun = performance.now()
      await byPassword(name, 'wrong')
      return performance.now() - begun
    }
    const times: [known: number, unknown: number][] = []
    for (let round = 0; round < 9; round++) times.push([await time(user.name), await time(unique('nobody'))])
    const median = (which: 0 | 1) => times.map((pair) => pair[which]).toSorted((a, b) => a - b)[4] ?? 0
    const [known, unknown] = [median(0), median(1)]
    // Without a hash for unknown users the ratio is near ten.
    expect(Math.max(known, unknown) / Math.min(known, unknown)).toBeLessThan(3)
  })

  const identityOf = (methods: unknown, members: object = {}) => ({ auth: { identity: { methods, ...members } } })
  const password = (user: unknown, scope?: unknown) => ({
    auth: { identity: { methods: ['password'], password: { user } }, ...(scope !== undefined && { scope }) },
  })
  const somebody = { id: 'x', password: 'y' }
  const expecting = (what: string) =>
    `Expecting to find ${what}. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.`

  it.each([
    [{}, "'identity' is a required property"],
    [{ auth: null }, expecting('auth in request body')],
    [{ auth: [] }, "[] is not of type 'object'"],
    [{ auth: {} }, "'identity' is a required property"],
    [{ auth: { identity: {} } }, "Invalid input for field 'identity': 'methods' is a required property"],
    [identityOf('password'), "Invalid input for field 'identity/methods': 'password' is not of type 'array'"],
    [identityOf([1]), "Invalid input for field 'identity/methods/0': 1 is not of type 'string'"],
    [identityOf(['password']), expecting('password in identity')],
    [identityOf(['zzz']), expecting('zzz in identity')],
    [identityOf(['password'], { password: {} }), expecting('user in password')],
    [identityOf(['token'], { token: {} }), "Invalid input for field 'identity/token': 'id' is a required property"],
    [
      identityOf(['application_credential'], { application_credential: {} }),
      expecting('name or ID in application credential'),
    ],
    [
      identityOf(['application_credential'], { application_credential: { name: 'x' } }),
      expecting('user in application credential'),
    ],
    [password({ name: 'x' }), expecting('domain in user')],
    [password({}), 'Invalid input for field identity/password/user: id or name must be present.'],
    [
      password({ name: 'x', domain: {} }),
      'Invalid input for field identity/password/user/domain: id or name must be present.',
    ],
    [
      password({ id: 'x', password: 7 }),
      "Invalid input for field 'identity/password/user/password': The value is not of type 'string'",
    ],
    [password(somebody, { project: {} }), 'Invalid input for field scope/project: id or name must be present.'],
    [password(somebody, { project: { name: 'x' } }), expecting('domain in project')],
    [password(somebody, { bogus: {} }), expecting('system, project, domain, OS-TRUST:trust or unscoped in scope')],
    [
      password(somebody, { project: { id: 'x' }, unscoped: {} }),
      expecting('system, project, domain, OS-TRUST:trust or unscoped in scope'),
    ],
    [password(somebody, 'bogus'), "Invalid input for field 'scope': the value is not a scope"],
    // The form of the scope is checked before the method.
    [{ auth: { identity: { methods: [] }, scope: [] } }, "Invalid input for field 'scope': the value is not a scope"],
  ])('the log-in request %j is 400', async (json, message) => {
    const answer = await identity('POST', '/auth/tokens', { json })
    expect([answer.status, answer.json]).toEqual([400, FAULT(400, 'Bad Request', message)])
  })

  it.each([[['totp']], [['password', 'token']], [[]]])('the log-in methods %j are 401', async (methods) => {
    const given = { totp: {}, password: { user: somebody }, token: { id: 'x' } }
    const answer = await authenticate({ methods, ...given })
    expect(answer.status).toBe(401)
    expect(answer.json.error.message).toBe('Attempted to authenticate with an unsupported method.')
  })

  it.each([
    ['{bad', 'application/json', 400],
    ['[]', 'application/json', 400],
    ['"text"', 'application/json', 400],
    ['\xff', 'application/json', 400],
    ['auth=x', 'application/x-www-form-urlencoded', 400],
    ['', 'application/json', 400],
    [`{"auth":"${'x'.repeat(32_000)}"}`, 'application/json', 413],
    ['['.repeat(20_000), 'application/json', 400],
    [`{"auth":${'{"a":'.repeat(4000)}1${'}'.repeat(4000)}}`, 'application/json', 400],
  ])('the log-in body %.20j of type %s is %d', async (body, type, status) => {
    const bytes = Uint8Array.from(body, (character) => character.charCodeAt(0))
    const answer = await identity('POST', '/auth/tokens', { body: bytes, headers: { 'Content-Type': type } })
    expect(answer.status).toBe(status)
    expect(answer.json.error.code).toBe(status)
  })
})

describe('log-in with a token', () => {
  it('log-in with a token changes the scope and keeps the expiry, the audit ids and the methods', async () => {
    const user = await person(['creator'])
    const first = await byPassword(user.name, user.password, 'unscoped')
    const second = await byToken(tokenIn(first), { project: { id: user.projectId } })
    expect(second.json.token.project.id).toBe(user.projectId)
    expect(second.json.token.methods).toEqual(['token', 'password'])
    expect(second.json.token.expires_at).toBe(first.json.token.expires_at)
    const third = await byToken(tokenIn(second), 'unscoped')
    expect(third.json.token.methods).toEqual(['token', 'password'])
    expect(third.json.token.expires_at).toBe(first.json.token.expires_at)
    const [root] = first.json.token.audit_ids
    expect(second.json.token.audit_ids).toEqual([expect.not.stringContaining(root), root])
    expect(third.json.token.audit_ids[1]).toBe(root)
  })

  it('log-in with a token grants no role that the user does not have', async () => {
    const user = await person(['creator'])
    const answer = await byToken(user.token, { project: { name: 'admin', domain } })
    expect(answer.status).toBe(401)
  })

  it.each(['', 'x', 'gAAAAABrAlwSSqg5', 'AQR0ZXN0'])('log-in with %j, which is no token, is 404', async (token) => {
    const answer = await byToken(token)
    expect([answer.status, answer.json]).toEqual([404, FAULT(404, 'Not Found', 'Failed to validate token')])
  })
})

describe('a token as its own subject', () => {
  it('a token is shown to its user and to the administrator, as it was issued', async () => {
    const user = await person(['creator'])
    const issued = await byPassword(user.name, user.password)
    const subject = tokenIn(issued)
    for (const token of [subject, user.token, await adminToken()]) {
      const answer = await identity('GET', '/auth/tokens', { token, headers: { 'X-Subject-Token': subject } })
      expect(answer.status).toBe(200)
      expect(answer.headers.get('X-Subject-Token')).toBe(subject)
      expect(answer.headers.get('Cache-Control')).toBe('no-store')
      expect(answer.json).toEqual(issued.json)
    }
    const head = await identity('HEAD', '/auth/tokens', { token: subject, headers: { 'X-Subject-Token': subject } })
    expect([head.status, head.text]).toEqual([200, ''])
  })

  it.each(['GET', 'DELETE'])(
    "%s of another user's token is 403, also for the admin of another project",
    async (method) => {
      const admin = await person(['admin'])
      const other = await person(['member'])
      const answer = await identity(method, '/auth/tokens', {
        token: admin.token,
        headers: { 'X-Subject-Token': other.token },
      })
      expect(answer.status).toBe(403)
      expect(answer.json.error.message).toMatch(
        /^You are not authorized to perform the requested action: identity:\w+_token\.$/,
      )
    },
  )

  it.each([
    ['GET', 'x', 404, 'Failed to validate token'],
    ['DELETE', 'x', 404, 'Failed to validate token'],
    ['GET', undefined, 404, 'No token in the request'],
    ['DELETE', undefined, 404, 'No token in the request'],
  ])('%s with the subject token %s is %d', async (method, subject, status, message) => {
    const headers = subject === undefined ? {} : { 'X-Subject-Token': subject }
    const answer = await identity(method, '/auth/tokens', { token: await adminToken(), headers })
    expect([answer.status, answer.json]).toEqual([status, FAULT(status, 'Not Found', message)])
  })

  it('a revoked token ends at once, with all tokens issued for it, and no other', async () => {
    const user = await person(['creator'])
    const root = tokenIn(await byPassword(user.name, user.password, 'unscoped'))
    const child = tokenIn(await byToken(root, { project: { id: user.projectId } }))
    const works = async (token: string) => (await identity('GET', '/auth/projects', { token })).status
    const keyManager = async (token: string) => (await call('GET', '/v1/secrets', { token })).status
    expect(await Promise.all([works(root), works(child), works(user.token)])).toEqual([200, 200, 200])
    expect([await keyManager(child), await keyManager(user.token)]).toEqual([200, 200])
    const revoked = await identity('DELETE', '/auth/tokens', { token: root, headers: { 'X-Subject-Token': root } })
    expect([revoked.status, revoked.text]).toEqual([204, ''])
    expect(await Promise.all([works(root), works(child), works(user.token)])).toEqual([401, 401, 200])
    expect([await keyManager(child), await keyManager(user.token)]).toEqual([401, 200])
    expect((await byToken(root)).status).toBe(404)
  })
})

describe('the use of a token', () => {
  it('a token lists the enabled projects in which its user has a role', async () => {
    const user = await person(['creator'])
    const answer = await identity('GET', '/auth/projects', { token: user.token })
    expect(answer.json.projects.map(({ id }: { id: string }) => id)).toEqual([user.projectId])
    expect(answer.json.links).toEqual({ next: null, self: `${base}/identity/v3/auth/projects`, previous: null })
  })

  it('a token lists no domains', async () => {
    const user = await person(['creator'])
    const answer = await identity('GET', '/auth/domains', { token: user.token })
    expect(answer.json.domains).toEqual([])
  })

  it('a token lists the catalogue when it has a scope', async () => {
    const user = await person(['creator'])
    const scoped = await identity('GET', '/auth/catalog', { token: user.token })
    expect(scoped.json.catalog).toEqual((await byPassword(user.name, user.password)).json.token.catalog)
    const token = tokenIn(await byPassword(user.name, user.password, 'unscoped'))
    const unscoped = await identity('GET', '/auth/catalog', { token })
    expect(unscoped.json).toEqual(FAULT(403, 'Forbidden', 'You are not authorized to perform the requested action.'))
  })

  it('a token is accepted by the Key Manager when it has a scope', async () => {
    const user = await person(['creator'])
    expect((await call('GET', '/v1/secrets', { token: user.token })).status).toBe(200)
    const token = tokenIn(await byPassword(user.name, user.password, 'unscoped'))
    expect((await call('GET', '/v1/secrets', { token })).status).toBe(401)
  })
})

describe('the end of issued tokens through the same Worker', () => {
  const change = (path: string, json: unknown) => async (token: string) => {
    expect((await identity('PATCH', path, { token, json })).status).toBe(200)
  }
  const remove = (path: string) => async (token: string) => {
    expect((await identity('DELETE', path, { token })).status).toBe(204)
  }

  it.each<[string, (user: Account, role: string) => (token: string) => Promise<void>]>([
    ['the user is disabled', ({ userId }) => change(`/users/${userId}`, { user: { enabled: false } })],
    ['the user is deleted', ({ userId }) => remove(`/users/${userId}`)],
    [
      'the administrator sets a password',
      ({ userId }) => change(`/users/${userId}`, { user: { password: 'another password' } }),
    ],
    ['the project is disabled', ({ projectId }) => change(`/projects/${projectId}`, { project: { enabled: false } })],
    ['the project is deleted', ({ projectId }) => remove(`/projects/${projectId}`)],
    ['the last role is taken away', ({ projectId, userId }, role) => remove(grantPath(projectId, userId, role))],
  ])('an issued token ends at once when %s', async (_, effect) => {
    const user = await person(['creator'])
    const token = await adminToken()
    const keyManager = async () => (await call('GET', '/v1/secrets', { token: user.token })).status
    expect(await keyManager()).toBe(200)
    await effect(user, await roleId('creator'))(token)
    expect(await keyManager()).toBe(401)
    expect((await identity('GET', '/auth/projects', { token: user.token })).status).toBe(401)
  })

  it('a user who is enabled again needs a new token', async () => {
    const user = await person(['creator'])
    const token = await adminToken()
    for (const enabled of [false, true]) {
      await identity('PATCH', `/users/${user.userId}`, { token, json: { user: { enabled } } })
    }
    expect((await call('GET', '/v1/secrets', { token: user.token })).status).toBe(401)
    expect((await byPassword(user.name, user.password)).status).toBe(201)
  })

  it('a token keeps the other role when one of two roles is revoked', async () => {
    const user = await person(['creator', 'observer'])
    const token = await adminToken()
    const store = async () => (await call('POST', '/v1/secrets', { token: user.token, json: { name: 'x' } })).status
    expect(await store()).toBe(201)
    await identity('DELETE', grantPath(user.projectId, user.userId, await roleId('creator')), { token })
    expect(await store()).toBe(403)
    expect((await call('GET', '/v1/secrets', { token: user.token })).status).toBe(200)
  })

  it('a role granted later is not in a token issued before', async () => {
    const user = await person(['observer'])
    const token = await adminToken()
    await identity('PUT', grantPath(user.projectId, user.userId, await roleId('creator')), { token })
    const store = async (token: string) => (await call('POST', '/v1/secrets', { token, json: { name: 'x' } })).status
    expect(await store(user.token)).toBe(403)
    expect(await store(tokenIn(await byPassword(user.name, user.password)))).toBe(201)
  })

  it("a token is no administrator's after admin was replaced by member", async () => {
    const admin = await adminToken()
    const created = await create('user', { name: unique('user'), password: 'a secret' })
    const projects = await identity('GET', '/projects?name=admin', { token: admin })
    const project = projects.json.projects[0].id
    const role = await roleId('admin')
    await identity('PUT', grantPath(project, created.id, role), { token: admin })
    const token = tokenIn(await byPassword(created.name, 'a secret', { project: { id: project } }))
    const list = async () => (await identity('GET', '/users', { token })).status
    expect(await list()).toBe(200)
    await identity('PUT', grantPath(project, created.id, await roleId('member')), { token: admin })
    await identity('DELETE', grantPath(project, created.id, role), { token: admin })
    expect(await list()).toBe(403)
    const answer = await identity('GET', '/auth/tokens', { token, headers: { 'X-Subject-Token': token } })
    expect(answer.json.token.roles.map(({ name }: { name: string }) => name)).toEqual(['member', 'reader'])
  })
})
