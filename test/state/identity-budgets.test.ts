/**
 * Budgets of the embedded identity: one round trip for the live check of the token, which is never cached where
 * rights are granted and revoked, and one for the operation. A route without a budget fails the test.
 */
import { describe, expect, it } from 'vitest'
import { identityOperations } from '../../src/wire/identity/index.ts'
import type { Request } from '../support/client.ts'
import { adminToken, byPassword, create, identity, roleId, tokenIn, unique } from '../support/identity.ts'
import { person } from '../support/people.ts'
import { countedService } from '../support/counting.ts'

const send = countedService()

interface Given {
  readonly params: Readonly<Record<string, string>>
  /** The tokens of the administrator and of a member. */
  readonly tokens: { readonly admin: string; readonly own: string }
  readonly password: string
  readonly name: string
}

interface Budget {
  readonly trips: number
  readonly as?: 'own'
  readonly request?: (given: Given) => Request
}

const CREDENTIALS = '/v3/users/:user/application_credentials'
const GRANTS = '/v3/projects/:project/users/:user/roles'
const [nothing, check, both]: readonly Budget[] = [{ trips: 0 }, { trips: 1 }, { trips: 2 }]
const making = (kind: string, members: object) => ({ trips: 2, request: () => ({ json: { [kind]: members } }) })
/** A change needs a read first, because the MAC covers the whole row. */
const changing = (kind: string, members: object) => ({ ...making(kind, members), trips: 3 })
const aboutToken = ({ tokens }: Given): Request => ({ headers: { 'X-Subject-Token': tokens.own } })
const domain = { id: 'default' }

const budgets: Readonly<Record<string, Budget | undefined>> = {
  'GET /': nothing,
  'GET /v3': nothing,
  'POST /v3/auth/tokens': {
    trips: 1,
    request: ({ name, password }) => ({
      json: { auth: { identity: { methods: ['password'], password: { user: { name, domain, password } } } } },
    }),
  },
  // Both tokens are checked.
  'GET /v3/auth/tokens': { trips: 2, request: aboutToken },
  'DELETE /v3/auth/tokens': { trips: 3, request: aboutToken },
  'GET /v3/auth/projects': both,
  'GET /v3/auth/domains': check,
  'GET /v3/auth/catalog': check,
  'GET /v3/services': check,
  'GET /v3/services/:service': check,
  'GET /v3/endpoints': check,
  'GET /v3/endpoints/:endpoint': check,
  'GET /v3/regions': check,
  'GET /v3/regions/:region': check,
  'GET /v3/domains': check,
  'GET /v3/domains/:domain': check,
  'GET /v3/projects': both,
  'POST /v3/projects': making('project', { name: unique('project') }),
  'GET /v3/projects/:project': both,
  'PATCH /v3/projects/:project': changing('project', { description: 'x' }),
  'DELETE /v3/projects/:project': both,
  'GET /v3/users': both,
  'POST /v3/users': making('user', { name: unique('user'), password: 'a password' }),
  'GET /v3/users/:user': both,
  'PATCH /v3/users/:user': changing('user', { email: 'a@example.com' }),
  'DELETE /v3/users/:user': both,
  // The old password is read and verified, and the update requires that it has not changed since.
  'POST /v3/users/:user/password': {
    trips: 4,
    as: 'own',
    request: ({ password }) => ({ json: { user: { original_password: password, password: 'another password' } } }),
  },
  'GET /v3/users/:user/projects': both,
  'GET /v3/roles': both,
  'POST /v3/roles': making('role', { name: unique('role') }),
  'GET /v3/roles/:role': both,
  'PATCH /v3/roles/:role': changing('role', { description: 'x' }),
  'DELETE /v3/roles/:role': both,
  'GET /v3/role_inferences': both,
  'GET /v3/role_assignments': both,
  [`GET ${GRANTS}`]: both,
  [`GET ${GRANTS}/:role`]: both,
  [`PUT ${GRANTS}/:role`]: both,
  [`DELETE ${GRANTS}/:role`]: both,
  [`GET ${CREDENTIALS}`]: both,
  [`POST ${CREDENTIALS}`]: { ...making('application_credential', { name: 'new' }), as: 'own' },
  [`GET ${CREDENTIALS}/:credential`]: both,
  // The event is recorded in the project of the credential.
  [`DELETE ${CREDENTIALS}/:credential`]: { trips: 3 },
}

const routes = identityOperations.map(({ method, path }) => ({ route: `${method} ${path}`, method, path }))

async function given(path: string): Promise<Given> {
  const admin = await adminToken()
  const { userId: user, name, password, projectId: project, token: own } = await person(['creator'])
  const role = path.startsWith('/v3/roles')
    ? (await create('role', { name: unique('role') })).id
    : await roleId('creator')
  const json = { application_credential: { name: 'one' } }
  const made = await identity('POST', `/users/${user}/application_credentials`, { token: own, json })
  const listed = async (kind: string) => (await identity('GET', `/${kind}`, { token: admin })).json[kind][0].id
  const params = {
    user,
    project,
    role,
    credential: made.json.application_credential.id,
    service: await listed('services'),
    endpoint: await listed('endpoints'),
    region: await listed('regions'),
    domain: 'default',
  }
  // Earlier changes of roles and credentials may have revoked the tokens.
  const scoped = tokenIn(await byPassword(name, password, { project: { id: project } }))
  return { params, tokens: { admin, own: scoped }, password, name }
}

describe('a route of the identity API', () => {
  it('every route of the identity API has a budget, and every budget has a route', () => {
    expect(Object.keys(budgets).toSorted()).toEqual(routes.map(({ route }) => route).toSorted())
  })

  it.each(routes)('$route stays within its budget', async ({ route, method, path }) => {
    const { trips, as, request } = budgets[route]!
    const from = await given(path)
    // The isolate caches the key that authenticates rows, which it reads once.
    await send('GET', '/identity/v3/roles', { token: from.tokens.admin })
    const filled = path.replaceAll(/:(\w+)/g, (_match, name: string) => from.params[name] ?? name)
    const token = as === 'own' ? from.tokens.own : from.tokens.admin
    const { status, text, cost } = await send(method, `/identity${filled}`, { token, ...request?.(from) })
    expect([route, status, text]).toEqual([route, expect.toSatisfy((ok) => ok <= 300), text])
    expect([route, cost.trips, cost.objectCalls]).toEqual([route, trips, 0])
    if (method === 'GET') expect(cost.rowsWritten, route).toBe(0)
  })
})
