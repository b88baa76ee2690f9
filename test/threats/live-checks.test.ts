/**
 * T6: a token acts for its own user in its own project and no longer than promised, also where many are checked at the
 * same moment: two tokens of one user, a role that was taken away, and a service token without the service role.
 */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { database, isolate, type Answer } from '../support/client.ts'
import { asAdmin, byPassword, grantPath, roleId, tokenIn } from '../support/identity.ts'
import { cloudOfKeystone, person, project } from '../support/people.ts'
import { canarySecret, secret } from '../support/stored.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const names = ({ json }: Answer) => json.secrets.map(({ name }: { name: string }) => name)

describe('T6: two tokens of one user', () => {
  it('T6: two tokens of one user for two projects reach their own projects, also at the same moment', async () => {
    const first = await person(['creator'])
    const other = await project()
    await asAdmin('PUT', grantPath(other, first.userId, await roleId('creator')))
    const scope = { project: { id: other } }
    const second = { ...first, projectId: other, token: tokenIn(await byPassword(first.name, first.password, scope)) }
    await secret(first, { name: 'of the first' })
    await secret(second, { name: 'of the second' })
    for (let round = 0; round < 10; round += 1) {
      const send = isolate()
      const both = Array.from({ length: 8 }, (_, at) => (at % 2 === round % 2 ? first : second))
      const answers = await Promise.all(both.map(({ token }) => send('GET', '/v1/secrets', { token })))
      expect(answers.map(names)).toEqual(both.map((who) => [who === first ? 'of the first' : 'of the second']))
    }
  })

  it('T6: two tokens of one user for two projects reach their own projects at the same moment, by Keystone too', async () => {
    const { send, person: known } = cloudOfKeystone()
    const first = known(['creator'])
    const second = known(['creator'], { userId: first.userId })
    await canarySecret(send, known(['creator'], { userId: first.userId, projectId: first.projectId }))
    const both = Array.from({ length: 8 }, (_, at) => (at % 2 === 0 ? first : second))
    const answers = await Promise.all(both.map(({ token }) => send('GET', '/v1/secrets', { token })))
    expect(answers.map(({ json }) => json.total)).toEqual(both.map((who) => (who === first ? 1 : 0)))
  })
})

describe('T6: the delay of a revocation', () => {
  const PROMISED = 10

  it('T6: the delay until a role that was taken away ends a token in another isolate is 10 seconds at most', async () => {
    const who = await person(['creator'])
    const elsewhere = isolate()
    const status = async () => (await elsewhere('GET', '/v1/secrets', { token: who.token })).status
    vi.useFakeTimers({ toFake: ['Date'] })
    const checked = Date.now()
    expect(await status()).toBe(200)
    // What another isolate does to the database; it cannot reach the caches of this one.
    await database.prepare('delete from role_assignments where user_id = ?').bind(who.userId).run()
    // From half of it on, a request that reads anyway asks for the roles as well.
    vi.setSystemTime(checked + (PROMISED / 2) * 1000 - 1)
    expect(await status()).toBe(200)
    vi.setSystemTime(checked + PROMISED * 1000)
    expect(await status()).toBe(401)
  })
})

describe('T6: the roles of a token', () => {
  it('T6: the roles of a token are those it was issued for, and a role that is assigned later needs a new token', async () => {
    const who = await person(['creator'])
    const status = async (token: string) => (await isolate()('GET', '/v1/audit', { token })).status
    await asAdmin('PUT', grantPath(who.projectId, who.userId, await roleId('audit')))
    expect(await status(who.token)).toBe(403)
    const scope = { project: { id: who.projectId } }
    expect(await status(tokenIn(await byPassword(who.name, who.password, scope)))).toBe(200)
  })
})

describe('T6: a service token', () => {
  it.each([
    ['no role', [], 401],
    ['a role whose name contains the service role', ['services', 'my-service', 'service_user'], 401],
    ['the role of an administrator', ['admin'], 401],
    ['the service role', ['service'], 200],
    ['the service role in capitals', ['reader', 'SERVICE'], 200],
  ])(
    'T6: a service token with %s admits an expired token or not, though Keystone itself tells anybody about expired ones',
    async (_, roles, status) => {
      const { keystone, send } = cloudOfKeystone()
      const document = (id: string, projectId: string, of: readonly string[], expires: number) =>
        Response.json({
          token: {
            user: { id },
            project: { id: projectId },
            roles: of.map((name) => ({ name })),
            expires_at: new Date(expires).toISOString(),
          },
        })
      // Keystone answers with an expired token to whoever asks with `allow_expired`; the service must ask for the role.
      keystone.answerWith(({ url, headers }) => {
        if (headers.get('X-Subject-Token')?.startsWith('service')) {
          return document('nova', 'services', roles, Date.now() + 60_000)
        }
        if (new URL(url).searchParams.get('allow_expired') !== '1') return new Response(null, { status: 404 })
        return document('user', 'p', ['creator'], Date.now() - 60_000)
      })
      const headers = { 'X-Service-Token': `service-${crypto.randomUUID()}` }
      const answer = await send('GET', '/v1/secrets', { token: `expired-${crypto.randomUUID()}`, headers })
      expect(answer.status).toBe(status)
    },
  )
})
