/** Application credentials: creation, log-in, and what invalidates them. */
import { beforeAll, describe, expect, it } from 'vitest'
import { base, call, type Answer } from '../support/client.ts'
import {
  adminToken,
  byCredential,
  byPassword,
  byToken,
  domain,
  grantPath,
  identity,
  roleId,
  tokenIn,
  unique,
} from '../support/identity.ts'
import { person, type Account } from '../support/people.ts'

let user: Account
beforeAll(async () => {
  user = await person(['member', 'creator'])
})

const path = (of = user) => `/users/${of.userId}/application_credentials`
const make = (members: object, token = user.token, of = user) =>
  identity('POST', path(of), { token, json: { application_credential: members } })
const made = async (members: object = {}) => {
  const answer = await make({ name: unique('credential'), ...members })
  if (answer.status !== 201) throw new Error(answer.text)
  return answer.json.application_credential
}
const refusal = ({ status, json }: Answer) => [status, json.error.message]
const names = (roles: readonly { name: string }[]) => roles.map(({ name }) => name)

describe('an application credential', () => {
  it('an application credential is created with a random secret, which is shown once', async () => {
    const name = unique('credential')
    const answer = await make({ name })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
    const { secret, ...credential } = answer.json.application_credential
    expect(secret).toMatch(/^[\w-]{86}$/)
    expect(credential).toEqual({
      id: expect.stringMatching(/^[\da-f]{32}$/),
      name,
      description: null,
      user_id: user.userId,
      project_id: user.projectId,
      system: null,
      expires_at: null,
      unrestricted: false,
      roles: ['member', 'reader', 'creator'].map((role) => ({
        id: expect.any(String),
        name: role,
        domain_id: null,
        description: null,
        options: { immutable: true },
      })),
      links: { self: `${base}/identity/v3${path()}/${credential.id}` },
    })
    const shown = await identity('GET', `${path()}/${credential.id}`, { token: user.token })
    expect(shown.json).toEqual({ application_credential: credential })
    const listed = await identity('GET', `${path()}?name=${name}`, { token: user.token })
    expect(listed.json.application_credentials).toEqual([credential])
  })

  it('an application credential has the given roles, secret, description and expiry', async () => {
    const given = { secret: 's3', description: 'd', expires_at: '2999-01-02T03:04:05', unrestricted: true }
    const credential = await made({ ...given, roles: [{ name: 'CREATOR' }] })
    expect(credential).toMatchObject({ ...given, expires_at: '2999-01-02T03:04:05.000000' })
    expect(names(credential.roles)).toEqual(['creator'])
  })

  it.each([
    ['2999-01-02T03:04:05.123456Z', '2999-01-02T03:04:05.123456'],
    ['2999-01-02T03:04:05.5', '2999-01-02T03:04:05.500000'],
    [null, null],
    ['', null],
  ])('an application credential that expires at %j has the expiry %j', async (given, shown) => {
    expect((await made({ expires_at: given })).expires_at).toBe(shown)
  })

  it.each(['garbage', '2999-01-02', '2999-01-02T03:04:05+01:00', '2999-02-30T00:00:00', '2999-01-02T24:00:00'])(
    'an application credential is refused with the expiry %s',
    async (expires_at) => {
      const [status, message] = refusal(await make({ name: unique('c'), expires_at }))
      expect([status, message]).toEqual([400, expect.stringMatching(/^Timestamp not in expected format\./)])
    },
  )

  it('an application credential that has expired already is refused', async () => {
    const [status, message] = refusal(await make({ name: unique('c'), expires_at: '2020-01-02T03:04:05' }))
    expect([status, message]).toEqual([400, expect.stringMatching(/^The 'expires_at' must not be before now\./)])
  })

  it.each([
    [[{ name: 'admin' }]],
    [[{ name: 'none' }]],
    [[{ id: 'none' }]],
    [[{ name: 'creator' }, { name: 'admin' }]],
  ])('an application credential is refused with the roles %j, which the token does not have', async (roles) => {
    expect(refusal(await make({ name: unique('c'), roles }))).toEqual([
      400,
      'Invalid application credential: Cannot create an application credential with unassigned role',
    ])
  })

  it.each([
    [{}, "'name' is a required property"],
    [{ name: 'x', roles: 'x' }, "Invalid input for field 'roles': 'x' is not of type 'array'"],
    [{ name: 'x', roles: [{}] }, "Invalid input for field 'roles/0': id or name must be present."],
    [{ name: 'x', secret: 7 }, "Invalid input for field 'secret': The value is not of type 'string'"],
    [{ name: 'x', unrestricted: 'yes' }, "Invalid input for field 'unrestricted': 'yes' is not of type 'boolean'"],
    [
      { name: 'x', access_rules: [{ path: '/' }] },
      "Invalid input for field 'access_rules': Access rules are not supported",
    ],
  ])('the application credential %j is refused', async (members, message) => {
    expect(refusal(await make(members))).toEqual([400, message])
  })

  it('the name of an application credential is unique for its user, also among parallel requests', async () => {
    const name = unique('same')
    const answers = await Promise.all(Array.from({ length: 6 }, () => make({ name })))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409, 409, 409])
    const words = `Conflict occurred attempting to store application_credential - Duplicate entry found with name ${name}.`
    expect(refusal(await make({ name }))).toEqual([409, words])
    const other = await person(['creator'])
    expect((await make({ name }, other.token, other)).status).toBe(201)
  })

  it('an application credential is created only by its user, for the project of the token', async () => {
    expect((await make({ name: 'x' }, await adminToken())).status).toBe(403)
    const token = tokenIn(await byPassword(user.name, user.password, 'unscoped'))
    expect(refusal(await make({ name: 'x' }, token))).toEqual([
      400,
      'Invalid application credential: The token is not scoped to a project',
    ])
  })

  it('an application credential is shown to and deleted by its user and the administrator, under its user only', async () => {
    const { id } = await made()
    const other = await person(['creator'])
    const status = async (token: string, of: Account, method = 'GET') =>
      (await identity(method, `${path(of)}/${id}`, { token })).status
    const admin = await adminToken()
    expect([await status(user.token, user), await status(admin, user)]).toEqual([200, 200])
    expect([await status(other.token, user), await status(other.token, user, 'DELETE')]).toEqual([403, 403])
    expect([await status(other.token, other), await status(other.token, other, 'DELETE')]).toEqual([404, 404])
    expect(await status(user.token, user, 'DELETE')).toBe(204)
    const gone = await identity('GET', `${path()}/${id}`, { token: user.token })
    expect(refusal(gone)).toEqual([404, `Could not find Application Credential: ${id}.`])
  })
})

describe('log-in with an application credential', () => {
  it('log-in works by the id of a credential, and by its name together with its user', async () => {
    const { id, name, secret } = await made()
    for (const credential of [
      { id, secret },
      { name, secret, user: { id: user.userId } },
      { name, secret, user: { name: user.name, domain } },
    ]) {
      const answer = await byCredential(credential)
      expect(answer.status).toBe(201)
      expect(answer.json.token).toMatchObject({
        methods: ['application_credential'],
        user: { id: user.userId },
        project: { id: user.projectId },
        application_credential: { id, name, restricted: true },
      })
    }
  })

  it('log-in with a credential returns exactly its roles, without those that they imply', async () => {
    const { id, secret } = await made({ roles: [{ name: 'member' }] })
    expect(names((await byCredential({ id, secret })).json.token.roles)).toEqual(['member'])
  })

  it('a token of a credential is accepted by the Key Manager', async () => {
    const { id, secret } = await made({ roles: [{ name: 'creator' }] })
    const token = tokenIn(await byCredential({ id, secret }))
    expect((await call('POST', '/v1/secrets', { token, json: { name: 'x' } })).status).toBe(201)
  })

  it('a token of a credential expires with the credential, when that is earlier', async () => {
    const soon = new Date(Date.now() + 60_000).toISOString().slice(0, 19)
    const { id, secret } = await made({ expires_at: soon })
    expect((await byCredential({ id, secret })).json.token.expires_at).toBe(`${soon}.000000Z`)
  })

  it('log-in with a credential has the same refusal for a wrong secret, none, an unknown credential and an unknown user', async () => {
    const { id, name } = await made()
    const answers = await Promise.all([
      byCredential({ id, secret: 'wrong' }),
      byCredential({ id }),
      byCredential({ id: 'none', secret: 'x' }),
      byCredential({ name, secret: 'x', user: { id: 'none' } }),
      byCredential({ name, secret: 'x', user: { name: unique('nobody'), domain } }),
      byCredential({ name: 'none', secret: 'x', user: { id: user.userId } }),
    ])
    const words = 'The request you have made requires authentication.'
    expect(answers.map(refusal)).toEqual(answers.map(() => [401, words]))
  })

  it('log-in with a credential accepts no scope', async () => {
    const { id, secret } = await made()
    for (const scope of ['unscoped', { project: { id: user.projectId } }]) {
      expect(refusal(await byCredential({ id, secret }, scope))).toEqual([
        401,
        'Error authenticating with application credential: Application credentials cannot request a scope.',
      ])
    }
  })

  it('a token of a credential cannot be exchanged for another', async () => {
    const { id, secret } = await made()
    const token = tokenIn(await byCredential({ id, secret }))
    for (const scope of [undefined, 'unscoped', { project: { id: user.projectId } }]) {
      expect((await byToken(token, scope)).status).toBe(403)
    }
  })

  it.each([
    [false, 403, 403],
    [true, 201, 204],
  ])(
    'a token of a credential with unrestricted %s gets %d for creating another, %d for deleting one, and may read them',
    async (unrestricted, making, deleting) => {
      const { id, secret } = await made({ unrestricted })
      const victim = await made()
      const token = tokenIn(await byCredential({ id, secret }))
      const created = await make({ name: unique('c') }, token)
      expect(created.status).toBe(making)
      if (making === 403) {
        expect(created.json.error.message).toBe(
          "You are not authorized to perform the requested action: Using method 'application_credential' is not allowed for managing additional application credentials..",
        )
      }
      expect((await identity('GET', `${path()}/${id}`, { token })).status).toBe(200)
      expect((await identity('DELETE', `${path()}/${victim.id}`, { token })).status).toBe(deleting)
    },
  )

  it('a credential that is made with a credential has no more roles than that one', async () => {
    const { id, secret } = await made({ unrestricted: true, roles: [{ name: 'reader' }] })
    const token = tokenIn(await byCredential({ id, secret }))
    expect((await make({ name: unique('c'), roles: [{ name: 'creator' }] }, token)).status).toBe(400)
    const child = (await make({ name: unique('c') }, token)).json.application_credential
    expect(names(child.roles)).toEqual(['reader'])
  })
})

describe('the end of an application credential', () => {
  const statuses = async (credential: { id: string; secret: string }, token: string) => [
    (await call('GET', '/v1/secrets', { token })).status,
    (await byCredential(credential)).status,
  ]

  it('a credential that is deleted ends its tokens too', async () => {
    const credential = await made()
    const token = tokenIn(await byCredential(credential))
    expect(await statuses(credential, token)).toEqual([200, 201])
    await identity('DELETE', `${path()}/${credential.id}`, { token: user.token })
    expect(await statuses(credential, token)).toEqual([401, 401])
  })

  it.each(['role', 'user', 'project'])('a credential ends when its %s is deleted', async (what) => {
    const owner = await person(['creator'])
    const admin = await adminToken()
    const answer = await make({ name: 'c' }, owner.token, owner)
    const credential = answer.json.application_credential
    const token = tokenIn(await byCredential(credential))
    expect(await statuses(credential, token)).toEqual([200, 201])
    const lost = {
      role: grantPath(owner.projectId, owner.userId, await roleId('creator')),
      user: `/users/${owner.userId}`,
      project: `/projects/${owner.projectId}`,
    }[what]
    expect((await identity('DELETE', lost ?? '', { token: admin })).status).toBe(204)
    expect(await statuses(credential, token)).toEqual([401, 401])
  })

  it('a new password ends the tokens of the password and not the credential', async () => {
    const owner = await person(['creator'])
    const credential = (await make({ name: 'c' }, owner.token, owner)).json.application_credential
    const token = tokenIn(await byCredential(credential))
    const json = { user: { original_password: owner.password, password: 'another' } }
    expect((await identity('POST', `/users/${owner.userId}/password`, { token: owner.token, json })).status).toBe(204)
    expect(await statuses(credential, token)).toEqual([401, 201])
  })
})
