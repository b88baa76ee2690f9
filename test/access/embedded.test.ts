/** Tokens of the embedded identity: the caller that they identify, the live check, and what invalidates them. */
import { env } from 'cloudflare:workers'
import { Hono } from 'hono'
import { beforeEach, describe, expect, it } from 'vitest'
import { authenticateEmbedded } from '../../src/access/embedded.ts'
import { evictLiveChecks } from '../../src/access/live-checks.ts'
import { logIn, type Proof, type Scope } from '../../src/access/log-in.ts'
import { partsOfToken, type TokenClaims } from '../../src/access/tokens.ts'
import type { Caller } from '../../src/caller.ts'
import { readConfig } from '../../src/config.ts'
import { Fault } from '../../src/faults.ts'
import type { Backend } from '../../src/state/backend.ts'
import { revokeToken } from '../../src/state/identity/accounts.ts'
import { assignRole, unassignRole } from '../../src/state/identity/assignments.ts'
import { bootstrapIdentity } from '../../src/state/identity/bootstrap.ts'
import { createProject, updateProject } from '../../src/state/identity/projects.ts'
import { createRole, listRoles } from '../../src/state/identity/roles.ts'
import { createUser, deleteUser, updateUser } from '../../src/state/identity/users.ts'
import { later } from '../../src/times.ts'
import type { Service } from '../../src/wire/http/context.ts'
import { identityRoutes } from '../../src/wire/identity/index.ts'
import { backendAt, databaseOf, type Sending } from '../support/backend.ts'
import { countingDatabase } from '../support/counting.ts'

const NOW = '2026-11-22T00:15:50.123000'
const at = (seconds: number) => backendAt(later(NOW, seconds))

/** What a deployment says of its first administrator. */
const firstWith = (password: string, recovery = false) => ({ password, recovery })

const revocation = ({ auditIds, expires, projectId }: TokenClaims) => ({ auditId: auditIds[0], expires, projectId })

/**
 * Creates a user with these roles in a project, and a token. State operations do not clear the caches of this isolate.
 */
async function given(...roles: readonly string[]) {
  const backend = await at(0)
  await bootstrapIdentity(backend, 'first password')
  const name = crypto.randomUUID()
  const project = await createProject(backend, { name, description: '', enabled: true, extra: {} })
  const user = await createUser(backend, {
    name,
    password: 'password',
    enabled: true,
    defaultProjectId: null,
    extra: {},
  })
  for (const role of roles) {
    const [found] = await listRoles(backend, role)
    await assignRole(backend, { userId: user.id, projectId: project.id, roleId: found?.id ?? '' })
  }
  const proof = { method: 'password', user: { name }, password: 'password' } as const
  const { token, standing } = await logIn(backend, proof, { id: project.id }, firstWith(''))
  return { token, standing, project, user, proof }
}

/** The bound of the deployment, in seconds: what is known of a caller is no older. */
const BOUND = 10

/** The caller of a token after its live check; null if it has none. */
async function callerOf(token: string, backend: Backend): Promise<Caller | 'unscoped' | null> {
  const caller = await authenticateEmbedded(token, backend)
  try {
    if (caller !== null) await backend.db.requireAnswers()
    return caller
  } catch (error) {
    if (error instanceof Fault && error.failure === 'unauthenticated') return null
    throw error
  }
}

type Given = Awaited<ReturnType<typeof given>>

beforeEach(evictLiveChecks)

describe('the caller of a token', () => {
  it('the caller of a token has its user, its project and the names of its roles in lower case', async () => {
    const capitals = `Key-Keeper-${crypto.randomUUID()}`
    await bootstrapIdentity(await at(0), 'first password')
    await createRole(await at(0), capitals, null)
    const { token, user, project } = await given('admin', 'creator', capitals)
    const caller = await callerOf(token, await at(0))
    expect(caller).toEqual({
      userId: user.id,
      projectId: project.id,
      roles: ['admin', 'member', 'reader', 'creator', capitals.toLowerCase()],
      cloudAdmin: false,
    })
  })

  it('the caller of a token is the admin of the cloud with the role `admin` in the administrative project alone', async () => {
    const { user, proof, project } = await given('admin')
    const backend = await at(0)
    const administrator: Proof = { method: 'password', user: { name: 'admin' }, password: 'first password' }
    const callerIn = async (as: Proof, scope: Scope) => {
      const { token, standing } = await logIn(backend, as, scope, { password: 'first password', recovery: false })
      return { caller: await callerOf(token, backend), place: standing.project?.id ?? '' }
    }
    expect((await callerIn(proof, { id: project.id })).caller).toMatchObject({ cloudAdmin: false })
    const { caller, place } = await callerIn(administrator, { name: 'admin' })
    expect(caller).toMatchObject({ cloudAdmin: true })
    const [member] = await listRoles(backend, 'member')
    await assignRole(backend, { userId: user.id, projectId: place, roleId: member?.id ?? '' })
    expect((await callerIn(proof, { id: place })).caller).toMatchObject({ cloudAdmin: false })
  })

  it('the caller of a token without a project is unscoped', async () => {
    const { proof } = await given('creator')
    const { token } = await logIn(await at(0), proof, 'unscoped', firstWith(''))
    expect(await callerOf(token, await at(0))).toBe('unscoped')
  })

  it.each(['', 'x', 'A'.repeat(200), '\u{1f511}', '../..'])(
    'the token %j has no caller, and the database is not read for it',
    async (text) => {
      const { binding, trips } = countingDatabase()
      expect(await callerOf(text, await backendAt(NOW, binding))).toBeNull()
      expect(trips()).toBe(0)
    },
  )

  it('an altered token has no caller, also while the original is cached', async () => {
    const { token } = await given('creator')
    expect(await callerOf(token, await at(0))).not.toBeNull()
    for (const [place, character] of token.split('').entries()) {
      const altered = token.slice(0, place) + (character === 'A' ? 'B' : 'A') + token.slice(place + 1)
      expect([place, await callerOf(altered, await at(0))]).toEqual([place, null])
    }
    const { said, signature } = partsOfToken(token)
    const added = [`${token}A`, `A${token}`, `${token}=`, `${token} `, `${token}.`, `${said}..${signature}`]
    const left = [token.slice(1), token.slice(0, -1), said, `${said}.`, signature, `.${signature}`, said + signature]
    for (const altered of [...added, ...left]) {
      expect([altered, await callerOf(altered, await at(0))]).toEqual([altered, null])
    }
    expect(await callerOf(token, await at(0))).not.toBeNull()
  })

  it('a token has no caller from its expiry on, cached or not', async () => {
    const { token } = await given('creator')
    expect(await callerOf(token, await at(3599))).not.toBeNull()
    expect(await callerOf(token, await at(3600))).toBeNull()
    evictLiveChecks()
    expect(await callerOf(token, await at(3600))).toBeNull()
  })
})

describe('the live check', () => {
  it('the live check costs one round trip, and none while its outcome is cached', async () => {
    const { token } = await given('creator')
    const { binding, trips } = countingDatabase()
    const ask = async (seconds: number) => callerOf(token, await backendAt(later(NOW, seconds), binding))
    await ask(0)
    expect(trips()).toBe(1)
    await ask(1)
    await ask(BOUND - 1)
    expect(trips()).toBe(1)
    await ask(BOUND)
    expect(trips()).toBe(2)
    await ask(BOUND - 1)
    expect(trips(), 'a clock that was set back').toBe(3)
    evictLiveChecks()
    await ask(BOUND)
    expect(trips()).toBe(4)
  })

  it('the live check is cached for each token, not for each user', async () => {
    const { token, proof, project } = await given('creator')
    const other = await logIn(await at(0), proof, { id: project.id }, firstWith(''))
    const { binding, trips } = countingDatabase()
    for (const one of [token, other.token, token]) await callerOf(one, await backendAt(NOW, binding))
    expect(trips()).toBe(2)
  })

  it.each<[string, (from: Given) => Promise<unknown>]>([
    ['the user is disabled', async ({ user }) => updateUser(await at(1), user.id, { enabled: false, extra: {} })],
    ['the user is deleted', async ({ user }) => deleteUser(await at(1), user.id)],
    [
      'the user has a new password',
      async ({ user }) => updateUser(await at(1), user.id, { password: 'another password', extra: {} }),
    ],
    [
      'the project is disabled',
      async ({ project }) => updateProject(await at(1), project.id, { enabled: false, extra: {} }),
    ],
    ['the token is revoked', async ({ standing: { claims } }) => revokeToken(await at(1), revocation(claims))],
    [
      'the role is taken away',
      async ({ user, project, standing: { roles } }) =>
        unassignRole(await at(1), { userId: user.id, projectId: project.id, roleId: roles[0]?.id ?? '' }),
    ],
  ])(`a token loses its power within ${BOUND} seconds when in another isolate %s`, async (_, change) => {
    const one = await given('creator')
    expect(await callerOf(one.token, await at(0))).not.toBeNull()
    await change(one)
    expect(await callerOf(one.token, await at(BOUND))).toBeNull()
  })

  it('a change through this isolate takes effect at once, also for a live check that began before it', async () => {
    const { token, user } = await given('creator')
    const { DB } = env as unknown as { DB: D1Database }
    const changed = Promise.withResolvers<void>()
    const read = Promise.withResolvers<void>()
    const slow: Sending = {
      prepare: (text) => DB.prepare(text),
      batch: async (statements) => {
        const rows = await DB.batch(statements)
        read.resolve()
        await changed.promise
        return rows
      },
    }
    const before = callerOf(token, await backendAt(NOW, databaseOf(slow)))
    await read.promise
    await updateUser(await at(0), user.id, { enabled: false, extra: {} })
    evictLiveChecks()
    changed.resolve()
    expect(await before).not.toBeNull()
    expect(await callerOf(token, await at(0))).toBeNull()
  })

  it('a role that is revoked takes its implied roles with it, and the other roles stay', async () => {
    const { token, user, project } = await given('admin', 'creator')
    const [admin] = await listRoles(await at(0), 'admin')
    await unassignRole(await at(0), { userId: user.id, projectId: project.id, roleId: admin?.id ?? '' })
    expect(await callerOf(token, await at(0))).toMatchObject({ roles: ['creator'] })
  })
})

describe('the first administrator', () => {
  const tables = ['login_attempts', 'role_assignments', 'identity_users', 'identity_projects', 'identity_roles']
  beforeEach(async () => {
    for (const table of tables) await (env as unknown as { DB: D1Database }).DB.exec(`delete from ${table}`)
  })

  it('the first administrator is made once by many parallel log-ins', async () => {
    const backend = await at(0)
    const proof = { method: 'password', user: { name: 'admin' }, password: 'first password' } as const
    const issued = await Promise.all(
      Array.from({ length: 8 }, () => logIn(backend, proof, { name: 'admin' }, firstWith('first password'))),
    )
    expect(new Set(issued.map(({ standing }) => standing.user.id)).size).toBe(1)
    expect(issued.every(({ standing }) => standing.administrator)).toBe(true)
    const count = async (table: string) =>
      await (env as unknown as { DB: D1Database }).DB.prepare(`select count(*) as n from ${table}`).first<number>('n')
    expect(await Promise.all(tables.map(count))).toEqual([expect.any(Number), 1, 1, 1, 8])
  })

  it('the first administrator is not made for another name, for a wrong domain, or without a configured password', async () => {
    const { DB } = env as unknown as { DB: D1Database }
    const backend = await at(0)
    const logInAs = (user: { name: string } | { id: string }, first: string) =>
      logIn(backend, { method: 'password', user, password: 'first password' }, 'default', firstWith(first))
    await expect(logInAs({ name: 'admin' }, '')).rejects.toMatchObject({ status: 401 })
    await expect(logInAs({ name: 'root' }, 'first password')).rejects.toMatchObject({ status: 401 })
    await expect(logInAs({ id: 'admin' }, 'first password')).rejects.toMatchObject({ status: 401 })
    expect(await DB.prepare('select count(*) as n from identity_users').first('n')).toBe(0)
    await expect(
      logIn(
        backend,
        { method: 'password', user: { name: 'admin' }, password: 'wrong' },
        'default',
        firstWith('first password'),
      ),
    ).rejects.toMatchObject({ status: 401 })
    expect(await DB.prepare('select count(*) as n from identity_users').first('n')).toBe(1)
    expect((await logInAs({ name: 'admin' }, 'another')).standing.user.name).toBe('admin')
  })

  it('a first administrator who has lost the role does not get it back', async () => {
    const { DB } = env as unknown as { DB: D1Database }
    const backend = await at(0)
    await bootstrapIdentity(backend, 'first password')
    await DB.exec('delete from role_assignments')
    await bootstrapIdentity(backend, 'first password')
    expect(await DB.prepare('select count(*) as n from role_assignments').first('n')).toBe(0)
  })

  it.each(['delete from identity_users', "update identity_users set name = 'root', folded = 'root'"])(
    'a first administrator who is gone is not made again: %s',
    async (change) => {
      const { DB } = env as unknown as { DB: D1Database }
      const backend = await at(0)
      await bootstrapIdentity(backend, 'first password')
      await DB.exec(change)
      const proof = { method: 'password', user: { name: 'admin' }, password: 'first password' } as const
      await expect(logIn(backend, proof, 'default', firstWith('first password'))).rejects.toMatchObject({ status: 401 })
    },
  )

  it('a first administrator who is disabled is not made again', async () => {
    const { DB } = env as unknown as { DB: D1Database }
    const backend = await at(0)
    await bootstrapIdentity(backend, 'first password')
    const proof = { method: 'password', user: { name: 'Admin' }, password: 'first password' } as const
    const { standing } = await logIn(backend, proof, 'default', firstWith('first password'))
    await DB.exec('delete from role_assignments')
    await updateUser(backend, standing.user.id, { enabled: false, extra: {} })
    await expect(logIn(backend, proof, 'default', firstWith('first password'))).rejects.toMatchObject({ status: 401 })
  })
})

describe('a revoked token', () => {
  it('a revoked token is deleted from the list of revocations after its own expiry', async () => {
    const { DB } = env as unknown as { DB: D1Database }
    await revokeToken(await at(0), { auditId: 'old', expires: later(NOW, 10), projectId: null })
    await revokeToken(await at(9), { auditId: 'new', expires: later(NOW, 100), projectId: null })
    expect(await DB.prepare('select count(*) as n from revoked_tokens').first('n')).toBeGreaterThanOrEqual(2)
    await revokeToken(await at(3600), { auditId: 'newer', expires: later(NOW, 4000), projectId: null })
    const { results } = await DB.prepare('select audit_id as id from revoked_tokens').all<{ id: string }>()
    expect(results.map(({ id }) => id)).toEqual(['newer'])
  })
})

describe('a token that was issued for another token', () => {
  it.each<[string, (from: Given) => Promise<unknown>]>([
    [
      'a new password',
      async ({ user }) => updateUser(await at(0), user.id, { password: 'another password', extra: {} }),
    ],
    ['its return', async ({ standing: { claims } }) => revokeToken(await at(0), revocation(claims))],
  ])('a token is not issued for another one when %s ends that one between the check and the issue', async (_, end) => {
    const one = await given('creator')
    const { DB } = env as unknown as { DB: D1Database }
    let trips = 0
    // The first round trip checks the token, the second loads the account.
    const between: Sending = {
      prepare: (text) => DB.prepare(text),
      batch: async (statements) => {
        trips += 1
        if (trips === 2) await end(one)
        return DB.batch(statements)
      },
    }
    const racing = await backendAt(NOW, databaseOf(between))
    const proof = { method: 'token', token: one.token } as const
    await expect(logIn(racing, proof, { id: one.project.id }, firstWith(''))).rejects.toMatchObject({ status: 401 })
    expect(trips).toBe(2)
  })
})

describe('the identity API', () => {
  it('the identity API does not exist when Keystone is configured', async () => {
    const app = new Hono<Service>()
    app.use(async (c, next) => {
      c.set('config', { ...(await readConfig(c.env)), identity: 'keystone' })
      c.set('backend', await at(0))
      c.set('base', 'https://kms.example')
      return next()
    })
    app.route('/identity', identityRoutes())
    for (const [method, path] of [
      ['GET', '/identity'],
      ['POST', '/identity/v3/auth/tokens'],
      ['GET', '/identity/v3/users'],
    ] as const) {
      expect((await app.request(path, { method }, env)).status).toBe(404)
    }
  })
})
