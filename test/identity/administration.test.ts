/** The embedded identity's projects, users, roles, grants and catalogue: CRUD, validation, and who may do what. */
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { identityOperations } from '../../src/wire/identity/index.ts'
import { adminPassword, base, call, type Answer } from '../support/client.ts'
import {
  adminToken,
  byPassword,
  create,
  domain,
  grantPath,
  identity,
  roleId,
  tokenIn,
  unique,
} from '../support/identity.ts'
import { person } from '../support/people.ts'

let token: string
beforeAll(async () => {
  token = await adminToken()
})

const asAdmin = (method: string, path: string, json?: unknown) => identity(method, path, { token, json })
const refusal = ({ status, json }: Answer) => [status, json.error.title, json.error.message]
const link = (path: string) => ({ self: `${base}/identity/v3/${path}` })
const ids = (answer: Answer, member: string) => answer.json[member].map(({ id }: { id: string }) => id)

describe('projects', () => {
  it('a project is created, shown, changed and deleted', async () => {
    const name = unique('project')
    const created = await asAdmin('POST', '/projects', { project: { name, domain_id: 'default', colour: 'red' } })
    expect(created.status).toBe(201)
    const { id } = created.json.project
    const project = {
      colour: 'red',
      id,
      name,
      domain_id: 'default',
      description: '',
      enabled: true,
      parent_id: 'default',
      is_domain: false,
      tags: [],
      options: {},
      links: link(`projects/${id}`),
    }
    expect(created.json).toEqual({ project })
    expect((await asAdmin('GET', `/projects/${id}`)).json).toEqual({ project })
    const changes = { name: `${name}-2`, description: 'changed', enabled: false, colour: null, size: 7 }
    const changed = await asAdmin('PATCH', `/projects/${id}`, { project: changes })
    const { colour: _, ...rest } = project
    expect(changed.json).toEqual({
      project: { ...rest, name: `${name}-2`, description: 'changed', enabled: false, size: 7 },
    })
    expect((await asAdmin('GET', `/projects/${id}`)).json).toEqual(changed.json)
    const deleted = await asAdmin('DELETE', `/projects/${id}`)
    expect([deleted.status, deleted.text]).toEqual([204, ''])
    expect(refusal(await asAdmin('GET', `/projects/${id}`))).toEqual([
      404,
      'Not Found',
      `Could not find project: ${id}.`,
    ])
  })

  it('projects are listed oldest first, by the filters of the query', async () => {
    const names = [unique('b'), unique('a'), unique('c')]
    const made: string[] = []
    for (const [at, name] of names.entries()) made.push((await create('project', { name, enabled: at !== 2 })).id)
    const listed = async (query: string) =>
      ids(await asAdmin('GET', `/projects${query}`), 'projects').filter((id: string) => made.includes(id))
    expect(await listed('')).toEqual(made)
    expect(await listed('?domain_id=default&parent_id=default&is_domain=0')).toEqual(made)
    expect(await listed('?enabled=true')).toEqual(made.slice(0, 2))
    expect(await listed('?enabled=False')).toEqual(made.slice(2))
    expect(await listed(`?name=${names[1]?.toUpperCase()}`)).toEqual([made[1]])
    for (const none of ['?domain_id=other', '?parent_id=x', '?is_domain=1', '?tags=a', `?name=${names[0]}%25`]) {
      expect(await listed(none)).toEqual([])
    }
    const answer = await asAdmin('GET', `/projects?name=${names[0]}&x=%20`)
    expect(answer.json.links).toEqual({ ...link(`projects?name=${names[0]}&x=%20`), next: null, previous: null })
  })

  it("a deleted project is nobody's default project, and its grants are deleted with it", async () => {
    const user = await person(['creator'])
    await asAdmin('DELETE', `/projects/${user.projectId}`)
    expect((await asAdmin('GET', `/users/${user.userId}`)).json.user).not.toHaveProperty('default_project_id')
    expect((await asAdmin('GET', `/role_assignments?user.id=${user.userId}`)).json.role_assignments).toEqual([])
  })

  it('the administrative project cannot be changed or deleted', async () => {
    const [project] = (await asAdmin('GET', '/projects?name=admin')).json.projects
    expect(project.options).toEqual({ immutable: true })
    const immutable = (verb: string) => [
      403,
      'Forbidden',
      `Unable to ${verb} immutable project resource: \`${project.id}. Set resource option "immutable" to false first.`,
    ]
    const change = { project: { enabled: false } }
    expect(refusal(await asAdmin('PATCH', `/projects/${project.id}`, change))).toEqual(immutable('update'))
    expect(refusal(await asAdmin('DELETE', `/projects/${project.id}`))).toEqual(immutable('delete'))
  })
})

describe('users', () => {
  it('a user is created, shown, changed and deleted, and no answer holds a password', async () => {
    const name = unique('user')
    const given = {
      name: ` ${name} `,
      password: 'a secret',
      email: 'a@b',
      description: 'd',
      default_project_id: 'none',
    }
    const created = await asAdmin('POST', '/users', { user: given })
    expect(created.status).toBe(201)
    const { id } = created.json.user
    const user = {
      email: 'a@b',
      description: 'd',
      id,
      name,
      domain_id: 'default',
      enabled: true,
      default_project_id: 'none',
      password_expires_at: null,
      options: {},
      links: link(`users/${id}`),
    }
    expect(created.json).toEqual({ user })
    expect((await asAdmin('GET', `/users/${id}`)).json).toEqual({ user })
    const changes = { name: `${name}-2`, default_project_id: null, email: 'c@d', password: 'another secret' }
    const changed = await asAdmin('PATCH', `/users/${id}`, { user: changes })
    const { default_project_id: _, ...rest } = user
    expect(changed.json).toEqual({ user: { ...rest, name: `${name}-2`, email: 'c@d' } })
    expect((await byPassword(`${name}-2`, 'a secret')).status).toBe(401)
    expect((await byPassword(`${name}-2`, 'another secret')).status).toBe(201)
    expect((await asAdmin('DELETE', `/users/${id}`)).status).toBe(204)
    expect(refusal(await asAdmin('DELETE', `/users/${id}`))).toEqual([404, 'Not Found', `Could not find user: ${id}.`])
    expect((await byPassword(`${name}-2`, 'another secret')).status).toBe(401)
  })

  it('users are listed by name, state and domain', async () => {
    const on = await create('user', { name: unique('user') })
    const off = await create('user', { name: unique('user'), enabled: false })
    const listed = async (query: string) =>
      ids(await asAdmin('GET', `/users?${query}`), 'users').filter((id: string) => [on.id, off.id].includes(id))
    expect(await listed('')).toEqual([on.id, off.id])
    expect(await listed(`name=${off.name}`)).toEqual([off.id])
    expect(await listed('enabled=true&domain_id=default')).toEqual([on.id])
    expect(await listed('enabled=0')).toEqual([off.id])
    expect(await listed('domain_id=other')).toEqual([])
  })

  it.each(['idp_id=x', 'protocol_id=x', 'unique_id=x', 'password_expires_at=gt:2026-01-01T00:00:00Z'])(
    'no user is listed with the filter %s: all are of this identity, and no password expires',
    async (query) => {
      await create('user', { name: unique('user') })
      expect(ids(await asAdmin('GET', `/users?${query}`), 'users')).toEqual([])
    },
  )

  it("a user's projects are those in which the user has a role", async () => {
    const user = await person(['creator'])
    const other = await create('project', { name: unique('project'), enabled: false })
    await asAdmin('PUT', grantPath(other.id, user.userId, await roleId('reader')))
    const listed = async (query = '') => ids(await asAdmin('GET', `/users/${user.userId}/projects${query}`), 'projects')
    expect(await listed()).toEqual([user.projectId, other.id])
    expect(await listed('?enabled=true')).toEqual([user.projectId])
    expect(await listed(`?name=${other.name}`)).toEqual([other.id])
  })

  it("a user changes the own password with the old one, which ends the user's tokens", async () => {
    const user = await person(['creator'])
    const path = `/users/${user.userId}/password`
    const change = (original_password: string, as: string | undefined = user.token) =>
      identity('POST', path, { token: as, json: { user: { original_password, password: 'a new one' } } })
    expect((await change('wrong')).status).toBe(401)
    expect(
      (await identity('POST', path, { json: { user: { original_password: user.password, password: 'x' } } })).status,
    ).toBe(401)
    expect(refusal(await change(user.password, token))[0]).toBe(403)
    expect((await identity('GET', '/auth/projects', { token: user.token })).status).toBe(200)
    expect((await change(user.password)).status).toBe(204)
    expect((await identity('GET', '/auth/projects', { token: user.token })).status).toBe(401)
    expect((await byPassword(user.name, user.password)).status).toBe(401)
    expect((await byPassword(user.name, 'a new one')).status).toBe(201)
  })

  it.each(['', 'x', 'sevench', '\u{1f511}'.repeat(7)])(
    'the password %j is too short, wherever it is set',
    async (short) => {
      const somebody = await person(['creator'])
      const words = 'The password does not match the requirements: it must have at least 8 characters.'
      const path = `/users/${somebody.userId}`
      const own = { original_password: somebody.password, password: short }
      const answers = [
        await asAdmin('POST', '/users', { user: { name: unique('user'), password: short } }),
        await asAdmin('PATCH', path, { user: { password: short } }),
        await identity('POST', `${path}/password`, { token: somebody.token, json: { user: own } }),
      ]
      expect(answers.map(refusal)).toEqual(answers.map(() => [400, 'Bad Request', words]))
      expect((await byPassword(somebody.name, somebody.password)).status).toBe(201)
    },
  )

  it('a password of eight characters is taken, however they are encoded', async () => {
    for (const password of ['eight ch', '\u{1f511}'.repeat(8), 'übergröß']) {
      const { name } = await create('user', { name: unique('user'), password })
      expect((await byPassword(name, password)).status).toBe(201)
    }
  })

  it.each([
    [{ password: 'x' }, "'original_password' is a required property"],
    [{ original_password: 'x' }, "'password' is a required property"],
    [{ original_password: 'x', password: 'y', z: 1 }, "Additional properties are not allowed ('z' was unexpected)"],
    [
      { original_password: 7, password: 'y' },
      "Invalid input for field 'original_password': The value is not of type 'string'",
    ],
  ])('the change of password %j is 400', async (user, message) => {
    const somebody = await person(['creator'])
    const answer = await identity('POST', `/users/${somebody.userId}/password`, {
      token: somebody.token,
      json: { user },
    })
    expect(refusal(answer)).toEqual([400, 'Bad Request', message])
  })
})

describe('roles', () => {
  it('a role is created, shown, changed and deleted', async () => {
    const name = unique('role')
    const created = await asAdmin('POST', '/roles', { role: { name, description: 'd', options: {} } })
    expect(created.status).toBe(201)
    const { id } = created.json.role
    const role = { id, name, domain_id: null, description: 'd', options: {}, links: link(`roles/${id}`) }
    expect(created.json).toEqual({ role })
    expect((await asAdmin('GET', `/roles?name=${name}`)).json.roles).toEqual([role])
    const changed = await asAdmin('PATCH', `/roles/${id}`, { role: { name: `${name}-2`, description: null } })
    expect(changed.json).toEqual({ role: { ...role, name: `${name}-2`, description: null } })
    expect((await asAdmin('PATCH', `/roles/${id}`, { role: { options: {} } })).json).toEqual(changed.json)
    expect((await asAdmin('DELETE', `/roles/${id}`)).status).toBe(204)
    expect(refusal(await asAdmin('GET', `/roles/${id}`))).toEqual([404, 'Not Found', `Could not find role: ${id}.`])
  })

  it('the initial roles are those that the rules use, and they cannot be changed or deleted', async () => {
    const { roles } = (await asAdmin('GET', '/roles')).json
    const builtIn = roles.filter(({ options }: { options: object }) => 'immutable' in options)
    expect(builtIn.map(({ name }: { name: string }) => name)).toEqual([
      'admin',
      'member',
      'reader',
      'service',
      'creator',
      'observer',
      'audit',
      'key-manager:service-admin',
    ])
    const { id } = builtIn[0]
    const words = (verb: string) =>
      `Unable to ${verb} immutable role resource: \`${id}. Set resource option "immutable" to false first.`
    expect(refusal(await asAdmin('DELETE', `/roles/${id}`))).toEqual([403, 'Forbidden', words('delete')])
    const change = await asAdmin('PATCH', `/roles/${id}`, { role: { name: 'x' } })
    expect(refusal(change)).toEqual([403, 'Forbidden', words('update')])
  })

  it('the role admin implies member, and member implies reader', async () => {
    const { role_inferences: inferences } = (await asAdmin('GET', '/role_inferences')).json
    const names = inferences.map(
      ({ prior_role: prior, implies }: Record<string, { name: string }> & { implies: { name: string }[] }) => [
        prior?.name,
        implies.map(({ name }) => name),
      ],
    )
    expect(names).toEqual([
      ['admin', ['member']],
      ['member', ['reader']],
    ])
  })

  it('a role belongs to no domain', async () => {
    expect((await asAdmin('GET', '/roles?domain_id=default')).json.roles).toEqual([])
    const answer = await asAdmin('POST', '/roles', { role: { name: unique('role'), domain_id: 'default' } })
    expect(answer.status).toBe(400)
  })

  it('a deleted role is gone from assignments and tokens', async () => {
    const role = await create('role', { name: unique('role') })
    const user = await person(['creator', role.name])
    await asAdmin('DELETE', `/roles/${role.id}`)
    const answer = await identity('GET', '/auth/tokens', {
      token: user.token,
      headers: { 'X-Subject-Token': user.token },
    })
    expect(answer.json.token.roles.map(({ name }: { name: string }) => name)).toEqual(['creator'])
  })
})

describe('names', () => {
  it.each([
    [
      'project',
      (name: string) =>
        `project - it is not permitted to have two projects with either the same name or same id in the same domain: name is ${name}, project id `,
    ],
    ['user', (name: string) => `user - Duplicate entry found with name ${name} at domain ID default.`],
    ['role', (name: string) => `role - Duplicate entry found with name ${name}.`],
  ] as const)('the name of a %s is unique, in any case and normal form', async (kind, words) => {
    const name = unique('Ärmel')
    await create(kind, { name })
    const other = await create(kind, { name: unique('other') })
    for (const same of [name, name.toUpperCase(), name.normalize('NFD'), ` ${name}\t`]) {
      const message = `Conflict occurred attempting to store ${words(same.trim())}`
      const conflict = [409, 'Conflict', expect.stringContaining(message)]
      expect(refusal(await asAdmin('POST', `/${kind}s`, { [kind]: { name: same } }))).toEqual(conflict)
      expect(refusal(await asAdmin('PATCH', `/${kind}s/${other.id}`, { [kind]: { name: same } }))).toEqual(conflict)
    }
    const renamed = await asAdmin('PATCH', `/${kind}s/${other.id}`, { [kind]: { name: other.name.toUpperCase() } })
    expect(renamed.json[kind].name).toBe(other.name.toUpperCase())
  })

  it.each(['project', 'user', 'role'] as const)(
    'the name of a %s is given to one of many parallel requests',
    async (kind) => {
      const name = unique('same')
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => asAdmin('POST', `/${kind}s`, { [kind]: { name } })),
      )
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
        201,
        ...Array.from({ length: 9 }, () => 409),
      ])
    },
  )
})

describe('an invalid body', () => {
  const long = (count: number) => 'ä'.repeat(count)

  it.each<[string, unknown, number, string]>([
    ['project', {}, 400, "'name' is a required property"],
    ['project', { name: '' }, 400, "Invalid input for field 'name': '' is too short"],
    ['project', { name: ' \t' }, 400, "Invalid input for field 'name': '' is too short"],
    ['project', { name: long(65) }, 400, `Invalid input for field 'name': '${long(65)}' is too long`],
    ['project', { name: 7 }, 400, "Invalid input for field 'name': 7 is not of type 'string'"],
    [
      'project',
      { name: 'x', enabled: 'yes' },
      400,
      "Invalid input for field 'enabled': 'yes' is not of type 'boolean'",
    ],
    [
      'project',
      { name: 'x', description: 7 },
      400,
      "Invalid input for field 'description': 7 is not of type 'string', 'null'",
    ],
    ['project', { name: 'x', domain_id: 'other' }, 400, 'Could not find domain: other.'],
    [
      'project',
      { name: 'x', parent_id: 'other' },
      400,
      "Invalid input for field 'parent_id': Projects below projects are not supported",
    ],
    ['project', { name: 'x', is_domain: true }, 400, "Invalid input for field 'is_domain': Domains cannot be made"],
    ['project', { name: 'x', tags: ['a'] }, 400, "Invalid input for field 'tags': Tags are not supported"],
    [
      'project',
      { name: 'x', options: { immutable: true } },
      400,
      "Invalid input for field 'options': Resource options are not supported",
    ],
    ['project', { name: 'x', other: {} }, 400, "Invalid input for field 'other': The value is not of type 'string'"],
    ['project', [], 400, "[] is not of type 'object'"],
    ['project', null, 400, "None is not of type 'object'"],
    ['user', { name: long(256) }, 400, `Invalid input for field 'name': '${long(256)}' is too long`],
    ['user', { name: 'x', password: 7 }, 400, "Invalid input for field 'password': The value is not of type 'string'"],
    ['user', { name: 'x', domain_id: 'other' }, 404, 'Could not find domain: other.'],
    ['role', { name: long(256) }, 400, `Invalid input for field 'name': '${long(256)}' is too long`],
    [
      'role',
      { name: 'x', domain_id: 'other' },
      400,
      "Invalid input for field 'domain_id': Roles of a domain are not supported",
    ],
  ])('POST of the %s %j is %d', async (kind, members, status, message) => {
    const answer = await asAdmin('POST', `/${kind}s`, { [kind]: members })
    expect(refusal(answer)).toEqual([status, status === 404 ? 'Not Found' : 'Bad Request', message])
  })

  it.each(['project', 'user', 'role'] as const)(
    'a change of an invalid or unknown %s, or of its id or domain, is refused',
    async (kind) => {
      const { id } = await create(kind, { name: unique(kind) })
      const change = async (members: object) => refusal(await asAdmin('PATCH', `/${kind}s/${id}`, { [kind]: members }))
      expect(await change({})).toEqual([400, 'Bad Request', '{} does not have enough properties'])
      expect(await change({ id: 'other' })).toEqual([400, 'Bad Request', 'Cannot change ID'])
      expect(await change({ domain_id: 'other' })).toEqual([400, 'Bad Request', 'Cannot change Domain ID'])
      const unknown = await asAdmin('PATCH', `/${kind}s/none`, { [kind]: { enabled: true } })
      expect(refusal(unknown)).toEqual([404, 'Not Found', `Could not find ${kind}: none.`])
    },
  )

  it('properties beyond the greatest size are refused', async () => {
    const { id } = await create('user', { name: unique('user') })
    const grow = (at: number) => asAdmin('PATCH', `/users/${id}`, { user: { [`p${at}`]: 'x'.repeat(7000) } })
    const statuses = [(await grow(1)).status, (await grow(2)).status, (await grow(3)).status]
    expect(statuses).toEqual([200, 200, 400])
    expect(refusal(await grow(3))[2]).toBe('The properties of the user are too large.')
  })

  it('a member named __proto__ is not stored as a property', async () => {
    const body = `{"user":{"name":"${unique('user')}","__proto__":{"enabled":false},"constructor":"x"}}`
    const answer = await identity('POST', '/users', { token, body, headers: { 'Content-Type': 'application/json' } })
    expect(answer.status).toBe(201)
    expect(answer.json.user).toMatchObject({ enabled: true, constructor: 'x' })
  })

  it('any body gets an answer below 500 in the form of an error', async () => {
    const operations = identityOperations.filter(({ method }) => ['POST', 'PATCH', 'PUT'].includes(method))
    const members = ['project', 'user', 'role', 'application_credential', 'auth', '__proto__']
    const [me] = (await asAdmin('GET', '/users?name=admin')).json.users
    // Some bodies are changes that are made, such as another name.
    const other = await create('user', { name: unique('user') })
    const anything = fc.oneof(
      fc.json().map((text) => text),
      fc.tuple(fc.constantFrom(...members), fc.json()).map(([member, value]) => `{"${member}":${value}}`),
      fc
        .tuple(
          fc.constantFrom(...members),
          fc.dictionary(fc.constantFrom('name', 'id', 'roles', 'identity', 'x'), fc.jsonValue()),
        )
        .map(([member, value]) => JSON.stringify({ [member]: value })),
      fc.string({ unit: 'binary' }),
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...operations), anything, async ({ method, path }, body) => {
        const user = path.includes('application_credentials') ? me : other
        const filled = path.replace(':user', user.id).replaceAll(/:\w+/g, 'none')
        // A body that is a valid log-in costs a slow hash, which is not what this test measures.
        const answer = await call(method, `/identity${filled}`, {
          token,
          body,
          headers: { 'Content-Type': 'application/json' },
        })
        if (answer.status < 400) return
        expect(answer.status).toBeLessThan(500)
        expect(Object.keys(answer.json)).toEqual(answer.status === 405 ? ['message'] : ['error'])
      }),
      { numRuns: 300 },
    )
  })
})

describe('role assignments', () => {
  it('a role assignment is made once, checked, listed and deleted', async () => {
    const user = await person([])
    const role = await create('role', { name: unique('role') })
    const path = grantPath(user.projectId, user.userId, role.id)
    const missing = [
      404,
      'Not Found',
      `Could not find role assignment with role: ${role.id}, user or group: ${user.userId}, project, domain, or system: ${user.projectId}.`,
    ]
    expect(refusal(await asAdmin('GET', path))).toEqual(missing)
    expect(refusal(await asAdmin('DELETE', path))).toEqual(missing)
    expect((await asAdmin('HEAD', path)).status).toBe(404)
    for (const method of ['PUT', 'PUT', 'GET', 'HEAD']) expect((await asAdmin(method, path)).status).toBe(204)
    const listed = await asAdmin('GET', `/projects/${user.projectId}/users/${user.userId}/roles`)
    expect(listed.json.roles).toEqual([(await asAdmin('GET', `/roles/${role.id}`)).json.role])
    expect((await asAdmin('DELETE', path)).status).toBe(204)
    expect(refusal(await asAdmin('GET', path))).toEqual(missing)
  })

  it('a role assignment needs an existing role, user and project, checked in this order', async () => {
    const user = await person([])
    const role = await roleId('reader')
    const statuses = async (method: string) => [
      refusal(await asAdmin(method, grantPath('none', 'none', 'none')))[2],
      refusal(await asAdmin(method, grantPath('none', 'none', role)))[2],
      refusal(await asAdmin(method, grantPath('none', user.userId, role)))[2],
    ]
    const [noRole, noUser, noProject] = ['role', 'user', 'project'].map((kind) => `Could not find ${kind}: none.`)
    expect(await statuses('PUT')).toEqual([noRole, noUser, noProject])
    expect(await statuses('GET')).toEqual([noRole, noUser, noProject])
    expect(await statuses('DELETE')).toEqual([noRole, noProject, noProject])
    expect(refusal(await asAdmin('GET', `/projects/none/users/${user.userId}/roles`))[2]).toBe(noProject)
    expect(refusal(await asAdmin('GET', `/projects/${user.projectId}/users/none/roles`))[2]).toBe(noUser)
  })

  it('role assignments are listed by user, project and role, with names and with implied roles', async () => {
    const user = await person(['admin', 'creator'])
    const [admin, creator, memberRole, reader] = await Promise.all(
      ['admin', 'creator', 'member', 'reader'].map((name) => roleId(name)),
    )
    const { name: projectName } = (await asAdmin('GET', `/projects/${user.projectId}`)).json.project
    const listed = async (query: string) => (await asAdmin('GET', `/role_assignments?${query}`)).json.role_assignments
    const assignment = (id: string | undefined) =>
      `${base}/identity/v3${grantPath(user.projectId, user.userId, id ?? '')}`
    const plain = (id: string | undefined) => ({
      links: { assignment: assignment(id) },
      scope: { project: { id: user.projectId } },
      user: { id: user.userId },
      role: { id },
    })
    const implied = (id: string | undefined) => ({
      ...plain(id),
      links: { assignment: assignment(admin), prior_role: `${base}/identity/v3/prior_role/${admin}/implies/${id}` },
    })
    expect(await listed(`user.id=${user.userId}`)).toEqual([plain(admin), plain(creator)])
    expect(await listed(`scope.project.id=${user.projectId}&role.id=${creator}`)).toEqual([plain(creator)])
    expect(await listed(`user.id=${user.userId}&effective`)).toEqual([
      plain(admin),
      implied(memberRole),
      implied(reader),
      plain(creator),
    ])
    expect(await listed(`user.id=${user.userId}&effective=True&role.id=${reader}`)).toEqual([implied(reader)])
    const inDomain = (id: string, name: string) => ({ id, name, domain: { id: 'default', name: 'Default' } })
    expect(await listed(`user.id=${user.userId}&role.id=${creator}&include_names=true`)).toEqual([
      {
        links: { assignment: assignment(creator) },
        scope: { project: inDomain(user.projectId, projectName) },
        user: inDomain(user.userId, user.name),
        role: { id: creator, name: 'creator' },
      },
    ])
    for (const none of ['user.id=none', 'group.id=x', 'scope.system=all', 'scope.domain.id=default', 'role.id=none']) {
      expect(await listed(none)).toEqual([])
    }
  })

  it.each([
    ['user.id=x&group.id=y', 'Specify a user or group, not both'],
    ['scope.domain.id=x&scope.project.id=y', 'Specify a domain or project, not both'],
    ['include_subtree=1', 'scope.project.id must be specified if include_subtree is also specified'],
  ])('the filters %s of role assignments are 400', async (query, message) => {
    expect(refusal(await asAdmin('GET', `/role_assignments?${query}`))).toEqual([400, 'Bad Request', message])
  })
})

describe('the catalogue', () => {
  it('the catalogue has one domain', async () => {
    const answer = await asAdmin('GET', '/domains/default')
    expect(answer.json.domain).toMatchObject({
      id: 'default',
      name: 'Default',
      enabled: true,
      links: link('domains/default'),
    })
    for (const [query, count] of [
      ['', 1],
      ['?name=Default', 1],
      ['?name=other', 0],
      ['?enabled=0', 0],
    ] as const) {
      expect((await asAdmin('GET', `/domains${query}`)).json.domains).toHaveLength(count)
    }
  })

  it('the catalogue has two services with three endpoints each, in one region', async () => {
    expect(ids(await asAdmin('GET', '/services'), 'services')).toEqual(['identity', 'key-manager'])
    expect(ids(await asAdmin('GET', '/services?type=key-manager'), 'services')).toEqual(['key-manager'])
    expect(ids(await asAdmin('GET', '/endpoints'), 'endpoints')).toHaveLength(6)
    const { endpoints } = (await asAdmin('GET', '/endpoints?service_id=key-manager&interface=public')).json
    expect(endpoints).toEqual([
      {
        id: 'key-manager-public',
        interface: 'public',
        region_id: 'RegionOne',
        url: base,
        region: 'RegionOne',
        service_id: 'key-manager',
        enabled: true,
        links: link('endpoints/key-manager-public'),
      },
    ])
    expect((await asAdmin('GET', '/endpoints/key-manager-public')).json.endpoint).toEqual(endpoints[0])
    expect(ids(await asAdmin('GET', '/regions'), 'regions')).toEqual(['RegionOne'])
    expect((await asAdmin('GET', '/regions/RegionOne')).json.region.description).toBe('')
  })

  it.each(['domain', 'service', 'endpoint', 'region'])('a %s that does not exist is 404', async (kind) => {
    const answer = await asAdmin('GET', `/${kind}s/none`)
    expect(refusal(answer)).toEqual([404, 'Not Found', `Could not find ${kind}: none.`])
  })
})

describe('the rights of a caller', () => {
  const fill = (path: string, user: string, project: string) =>
    path.replace(':user', user).replace(':project', project).replaceAll(/:\w+/g, 'none')

  it('every operation but discovery and log-in needs a token', async () => {
    for (const { method, path, rule } of identityOperations) {
      const answer = await call(method, `/identity${fill(path, 'x', 'y')}`)
      if (rule === 'public') expect([200, 300, 400]).toContain(answer.status)
      else expect([path, answer.status, answer.json.error.title]).toEqual([path, 401, 'Unauthorized'])
    }
    expect(
      identityOperations.filter(({ rule }) => rule === 'public').map(({ method, path }) => `${method} ${path}`),
    ).toEqual(['GET /', 'GET /v3', 'POST /v3/auth/tokens'])
  })

  it('an admin of another project than the administrative one is no administrator', async () => {
    const admin = await person(['admin'])
    const victim = await person(['creator'])
    const allowed: string[] = []
    for (const { method, path, rule } of identityOperations) {
      if (rule === 'public' || path.includes('/auth/')) continue
      const answer = await call(method, `/identity${fill(path, victim.userId, victim.projectId)}`, {
        token: admin.token,
      })
      if (answer.status !== 403) allowed.push(`${method} ${path}`)
    }
    expect(allowed).toEqual(['GET /v3/regions', 'GET /v3/regions/:region', 'GET /v3/domains/:domain'])
  })

  it('a user can read the own user, project and roles, and change none of them', async () => {
    const user = await person(['creator'])
    const may = async (method: string, path: string) => (await identity(method, path, { token: user.token })).status
    expect(await may('GET', `/users/${user.userId}`)).toBe(200)
    expect(await may('GET', `/users/${user.userId}/projects`)).toBe(200)
    expect(await may('GET', `/projects/${user.projectId}`)).toBe(200)
    expect(await may('GET', `/projects/${user.projectId}/users/${user.userId}/roles`)).toBe(200)
    const role = await roleId('admin')
    expect(await may('GET', grantPath(user.projectId, user.userId, role))).toBe(404)
    expect(await may('PUT', grantPath(user.projectId, user.userId, role))).toBe(403)
    expect(await may('PATCH', `/users/${user.userId}`)).toBe(403)
    expect(await may('DELETE', `/users/${user.userId}`)).toBe(403)
    expect(await may('PATCH', `/projects/${user.projectId}`)).toBe(403)
    expect(await may('GET', '/role_assignments')).toBe(403)
  })

  it('a caller without the right gets 403 whether the entity exists or not', async () => {
    const user = await person(['creator'])
    for (const path of ['/users/none', '/projects/none', '/users/none/application_credentials/none']) {
      expect((await identity('GET', path, { token: user.token })).status).toBe(403)
    }
  })

  it('headers and queries that name another identity change nothing', async () => {
    const user = await person(['creator'])
    const headers = { 'X-Roles': 'admin', 'X-User-Id': 'x', 'X-Project-Id': 'y', 'X-Is-Admin-Project': 'True' }
    const answer = await identity('GET', '/users?user_id=x&target.user.id=x&roles=admin', {
      token: user.token,
      headers,
    })
    expect(refusal(answer)).toEqual([
      403,
      'Forbidden',
      'You are not authorized to perform the requested action: identity:list_users.',
    ])
  })
})

describe('the first administrator', () => {
  it('the first administrator logs in with ADMIN_PASSWORD and has the role admin in the project admin', async () => {
    const answer = await byPassword('admin', adminPassword, { project: { name: 'admin', domain } })
    expect(answer.json.token.project.name).toBe('admin')
    const { role_assignments: assignments } = (
      await asAdmin('GET', `/role_assignments?user.id=${answer.json.token.user.id}&include_names`)
    ).json
    expect(assignments).toHaveLength(1)
    expect(assignments[0]).toMatchObject({ role: { name: 'admin' }, scope: { project: { name: 'admin' } } })
  })

  it('the first administrator keeps a changed password, because ADMIN_PASSWORD only sets the first one', async () => {
    const { id } = (await asAdmin('GET', '/users?name=admin')).json.users[0]
    const set = (password: string) => asAdmin('PATCH', `/users/${id}`, { user: { password } })
    await set('changed by hand')
    expect((await byPassword('admin', adminPassword)).status).toBe(401)
    token = tokenIn(await byPassword('admin', 'changed by hand', { project: { name: 'admin', domain } }))
    await set(adminPassword)
    token = await adminToken(true)
  })
})
