/** The way back to an administrator: what it mends, that it is asked for, and that it leaves an event. */
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import { currentStanding } from '../../src/access/embedded.ts'
import { evictLiveChecks } from '../../src/access/live-checks.ts'
import { logIn } from '../../src/access/log-in.ts'
import { createCredential, findCredential } from '../../src/state/identity/credentials.ts'
import { createUser } from '../../src/state/identity/users.ts'
import { backendAt } from '../support/backend.ts'

const NOW = '2026-11-22T00:15:50.123000'
const PASSWORD = 'the configured password'
const { DB } = env as unknown as { DB: D1Database }
const backend = () => backendAt(NOW)
const proof = (password = PASSWORD, name = 'admin') => ({ method: 'password', user: { name }, password }) as const
const enter = async (recovery: boolean, given = proof()) =>
  logIn(await backend(), given, { name: 'admin' }, { password: PASSWORD, recovery })
const refused = { status: 401 }
const events = async () => {
  const operations = await DB.prepare(
    "select action, target_id as id, project_id as project from audit_events where operation = 'Administrator recovery'",
  ).all()
  return operations.results
}

beforeEach(async () => {
  evictLiveChecks()
  for (const table of [
    'login_attempts',
    'audit_events',
    'application_credentials',
    'role_assignments',
    'identity_users',
    'identity_projects',
    'identity_roles',
  ]) {
    await DB.exec(`delete from ${table}`)
  }
})

/** Changes the password of the user `admin`, as the administrator may. */
async function changePassword(id: string): Promise<void> {
  const { updateUser } = await import('../../src/state/identity/users.ts')
  await updateUser(await backend(), id, { password: 'a forgotten password', extra: {} })
}

const losses: [string, (id: string) => Promise<unknown>][] = [
  ['whose password was changed', changePassword],
  ['who was deleted', async () => DB.exec('delete from identity_users')],
  ['who lost the role', async () => DB.exec('delete from role_assignments')],
  ['whose name was changed', async () => DB.exec("update identity_users set name = 'root', folded = 'root'")],
  [
    'who was disabled with its row',
    async (id) => {
      const { updateUser } = await import('../../src/state/identity/users.ts')
      const roles = await DB.prepare('select * from role_assignments').first<Record<string, string>>()
      await DB.exec('delete from role_assignments')
      await updateUser(await backend(), id, { enabled: false, extra: {} })
      await DB.prepare('insert into role_assignments (user_id, project_id, role_id, mac) values (?, ?, ?, ?)')
        .bind(roles?.['user_id'], roles?.['project_id'], roles?.['role_id'], roles?.['mac'])
        .run()
    },
  ],
]

describe('the recovery of the administrator', () => {
  it.each(losses)('a first administrator %s comes back when recovery is asked for, and not before', async (_, lose) => {
    const { standing } = await enter(false)
    await lose(standing.user.id)
    await expect(enter(false)).rejects.toMatchObject(refused)
    expect(await events()).toEqual([])
    await expect(enter(true, proof('another password'))).rejects.toMatchObject(refused)
    expect(await events()).toEqual([])
    const again = await enter(true)
    expect(again.standing.administrator).toBe(true)
    expect(await events()).toEqual([
      { action: expect.stringMatching(/create|update/), id: again.standing.user.id, project: 'the deployment' },
    ])
    expect((await enter(false)).standing.user.id).toBe(again.standing.user.id)
  })

  it('recovery ends the tokens and application credentials of the user', async () => {
    const { token, standing } = await enter(false)
    const { user, project, roles } = standing
    await changePassword(user.id)
    const credential = await createCredential(await backend(), {
      userId: user.id,
      projectId: project?.id ?? '',
      name: 'c',
      description: null,
      unrestricted: true,
      expires: null,
      secret: 'a secret of the thief',
      roleIds: roles.map(({ id }) => id),
    })
    const thief = await logIn(
      await backend(),
      proof('a forgotten password'),
      { name: 'admin' },
      { password: PASSWORD, recovery: false },
    )
    await enter(true)
    expect(await currentStanding(token, await backend())).toBeNull()
    expect(await currentStanding(thief.token, await backend())).toBeNull()
    await expect(findCredential(await backend(), user.id, credential.id)).rejects.toMatchObject({ status: 404 })
    await expect(enter(true, proof('a forgotten password'))).rejects.toMatchObject(refused)
  })

  it('recovery does nothing while the password works', async () => {
    const { token } = await enter(false)
    await enter(true)
    expect(await currentStanding(token, await backend())).not.toBeNull()
    expect(await events()).toEqual([])
  })

  it('recovery is for the user admin alone', async () => {
    await enter(false)
    const extra = { name: 'other', password: 'a password', enabled: true, defaultProjectId: null, extra: {} }
    await createUser(await backend(), extra)
    await expect(enter(true, proof(PASSWORD, 'other'))).rejects.toMatchObject(refused)
    await expect(enter(true, proof(PASSWORD, 'nobody'))).rejects.toMatchObject(refused)
    expect(await events()).toEqual([])
  })

  it('many parallel log-ins recover one administrator', async () => {
    const { standing } = await enter(false)
    await changePassword(standing.user.id)
    const entered = await Promise.allSettled(Array.from({ length: 4 }, () => enter(true)))
    expect(entered.some(({ status }) => status === 'fulfilled')).toBe(true)
    expect((await enter(false)).standing.administrator).toBe(true)
  })
})
