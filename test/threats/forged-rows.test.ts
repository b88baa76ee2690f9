/**
 * T15, what a forged row is used for: a role assignment that the service did not write gives no role at a log-in, to a
 * token or to an application credential, and a forged index of readers shows nobody a secret.
 */
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { call, database, isolate } from '../support/client.ts'
import { byCredential, byPassword, grantPath, identity, asAdmin, roleId, tokenIn } from '../support/identity.ts'
import { owner, person, type Account } from '../support/people.ts'
import { close, idOf, secret } from '../support/stored.ts'
import { entriesOf } from '../support/log-lines.ts'

const log = vi.spyOn(console, 'error').mockImplementation(() => {})
beforeEach(() => void log.mockClear())
afterAll(() => {
  log.mockRestore()
})

const notAuthentic = () => entriesOf(log).filter(({ event }) => event === 'row not authentic').length

const project = (id: string) => ({ project: { id } })
const logIn = (who: Account, projectId = who.projectId) => byPassword(who.name, who.password, project(projectId))

interface Assignment {
  readonly user_id: string
  readonly project_id: string
  readonly role_id: string
  readonly mac: string
}

const assignmentOf = async ({ userId }: Account, role: string) => {
  const row = await database
    .prepare('select * from role_assignments where user_id = ? and role_id = ?')
    .bind(userId, await roleId(role))
    .first<Assignment>()
  if (!row) throw new Error(`no assignment of ${role}`)
  return row
}

/** Writes an assignment into the database, with the MAC of another one. */
const forge = async (userId: string, projectId: string, role: string, mac: string) =>
  database
    .prepare('insert or replace into role_assignments (user_id, project_id, role_id, mac) values (?, ?, ?, ?)')
    .bind(userId, projectId, await roleId(role), mac)
    .run()

/** Sends a request through an isolate with empty caches. */
const afresh = async (path: string, token: string) => isolate()('GET', path, { token })

describe('T15: a forged role assignment', () => {
  it('T15: a forged role assignment to the project of another user admits nobody at a log-in', async () => {
    const [victim, attacker] = [await owner(), await person(['creator'])]
    expect((await logIn(attacker, victim.projectId)).status).toBe(401)
    const macs = [await assignmentOf(attacker, 'creator'), await assignmentOf(victim, 'creator')].map(({ mac }) => mac)
    for (const mac of macs) {
      await forge(attacker.userId, victim.projectId, 'creator', mac)
      expect((await logIn(attacker, victim.projectId)).status).toBe(401)
    }
    expect(notAuthentic()).toBeGreaterThanOrEqual(macs.length)
    expect((await logIn(attacker)).status).toBe(201)
  })

  it('T15: a forged role assignment gives a log-in no role beyond those that the service assigned', async () => {
    const attacker = await person(['creator'])
    const { mac } = await assignmentOf(attacker, 'creator')
    for (const role of ['admin', 'key-manager:service-admin', 'audit'])
      await forge(attacker.userId, attacker.projectId, role, mac)
    const answer = await logIn(attacker)
    expect(answer.json.token.roles.map(({ name }: { name: string }) => name)).toEqual(['creator'])
    const refused = await afresh('/v1/project-quotas', tokenIn(answer))
    expect(refused.status).toBe(403)
  })

  it('T15: a role assignment that is no longer authentic counts at no check of a token that was issued before', async () => {
    const who = await person(['creator', 'audit'])
    expect((await afresh('/v1/audit', who.token)).status).toBe(200)
    const { mac } = await assignmentOf(who, 'creator')
    await forge(who.userId, who.projectId, 'audit', mac)
    expect((await afresh('/v1/audit', who.token)).status).toBe(403)
    expect((await afresh('/v1/secrets', who.token)).status).toBe(200)
    await forge(who.userId, who.projectId, 'creator', 'x')
    expect((await afresh('/v1/secrets', who.token)).status).toBe(401)
    expect((await logIn(who)).status).toBe(401)
  })

  it('T15: a role assignment that is not authentic counts for no application credential', async () => {
    const who = await person(['creator'])
    const made = await identity('POST', `/users/${who.userId}/application_credentials`, {
      token: who.token,
      json: { application_credential: { name: 'forged', secret: 'a secret of a credential' } },
    })
    const credential = { id: made.json.application_credential.id, secret: 'a secret of a credential' }
    expect((await byCredential(credential)).status).toBe(201)
    const { mac } = await assignmentOf(await person(['creator']), 'creator')
    await forge(who.userId, who.projectId, 'creator', mac)
    expect((await byCredential(credential)).status).toBe(401)
  })

  it('T15: a role assignment that was taken away can come back only through the service', async () => {
    const who = await person(['creator', 'audit'])
    const path = grantPath(who.projectId, who.userId, await roleId('audit'))
    await asAdmin('DELETE', path)
    const { mac } = await assignmentOf(who, 'creator')
    await forge(who.userId, who.projectId, 'audit', mac)
    const token = tokenIn(await logIn(who))
    expect((await afresh('/v1/audit', token)).status).toBe(403)
    expect((await identity('HEAD', path, { token: who.token })).status).not.toBe(204)
  })
})

describe('T15: a forged index of readers', () => {
  const onAcl = async (token: string) => (await afresh('/v1/secrets?acl_only=true', token)).json
  const index = (ref: string, userId: string) =>
    database.prepare('insert into secret_readers (user_id, secret_id) values (?, ?)').bind(userId, idOf(ref)).run()

  it('T15: a forged index of readers adds no secret to the list of those whose ACL names the user', async () => {
    const [victim, attacker] = [await owner(), await person(['observer'])]
    const [bare, closed] = [await secret(victim, { name: 'bare' }), await secret(victim, { name: 'closed' })]
    await close(call, victim, closed, ['somebody else'])
    for (const ref of [bare, closed]) await index(ref, attacker.userId)
    expect(await onAcl(attacker.token)).toMatchObject({ secrets: [], total: 0 })
  })

  it('T15: a forged index of readers with a forged ACL in the row of the secret shows nothing either', async () => {
    const [victim, attacker] = [await owner(), await person(['observer'])]
    const ref = await secret(victim, { name: 'hidden' })
    await close(call, victim, ref, ['somebody else'])
    await index(ref, attacker.userId)
    await database
      .prepare('update secrets set acl_users = ? where id = ?')
      .bind(JSON.stringify([attacker.userId]), idOf(ref))
      .run()
    expect((await onAcl(attacker.token)).secrets).toEqual([])
    expect(notAuthentic()).toBeGreaterThan(0)
    expect((await afresh(ref, attacker.token)).status).toBe(500)
  })
})
