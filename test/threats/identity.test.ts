/** Threats to authentication: T5, T11 and T21. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cloudOfKeystone, type Person } from '../support/people.ts'
import { canarySecret, close, emptyContainer, idOf, seen } from '../support/stored.ts'
import { KEYSTONE_URL } from '../support/keystone.ts'

const { keystone, send, person } = cloudOfKeystone()
const list = (token?: string, headers: Record<string, string> = {}) => send('GET', '/v1/secrets', { token, headers })

beforeEach(() => {
  keystone.asked.length = 0
})

afterEach(() => {
  keystone.answerWith(null)
})

describe('T5: forged headers', () => {
  const forged = (who: Person): Record<string, string>[] => {
    const identity = {
      'X-Roles': 'admin,creator,key-manager:service-admin',
      'X-Role': 'admin',
      'X-User-Id': who.userId,
      'X-User': who.userId,
      'X-Project-Id': who.projectId,
      'X-Tenant-Id': who.projectId,
      'X-Tenant': who.projectId,
      'X-Is-Admin-Project': 'True',
      'X-Identity-Status': 'Confirmed',
      'X-Service-Identity-Status': 'Confirmed',
      'X-Service-Roles': 'service,admin',
      'X-Service-User-Id': who.userId,
      'X-Service-Project-Id': who.projectId,
      'OpenStack-System-Scope': 'all',
      'X-Domain-Id': 'default',
      'X-Is-Admin': '1',
      'X-Forwarded-User': who.userId,
      Authorization: `Bearer ${who.token}`,
      Cookie: `X-Auth-Token=${who.token}`,
      'X-Subject-Token': who.token,
    }
    const spelled = (spell: (name: string) => string) =>
      Object.fromEntries(Object.entries(identity).map(([name, value]) => [spell(name), value]))
    return [
      identity,
      spelled((name) => name.toUpperCase()),
      spelled((name) => name.replaceAll('-', '_')),
      spelled((name) => `HTTP_${name.replaceAll('-', '_').toUpperCase()}`),
      Object.fromEntries(Object.entries(identity).map(([name, value]) => [name, `${value}, ${value}`])),
    ]
  }

  it('T5: forged headers change nothing for a caller, whoever they name', async () => {
    const owner = person(['creator', 'admin'])
    const ref = await canarySecret(send, owner)
    const container = await emptyContainer(send, owner)
    const callers = [
      person([], { projectId: owner.projectId }).token,
      person(['creator']).token,
      'no-token-of-anybody',
      '',
      undefined,
    ]
    for (const token of callers) {
      for (const [method, path] of [
        ['GET', ref],
        ['GET', `${ref}/payload`],
        ['GET', '/v1/secrets'],
        ['GET', container],
        ['DELETE', ref],
        ['GET', '/v1/project-quotas'],
        ['GET', '/v1/'],
      ] as const) {
        const plain = seen(await send(method, path, { token }))
        for (const headers of forged(owner)) expect(seen(await send(method, path, { token, headers }))).toEqual(plain)
      }
    }
  })

  it('T5: forged headers do not authenticate a request without a token', async () => {
    for (const headers of forged(person(['admin']))) expect((await list(undefined, headers)).status).toBe(401)
  })

  it('T5: what a caller creates belongs to the caller, whoever the headers name', async () => {
    const victim = person(['creator'])
    const attacker = person(['creator'])
    for (const headers of forged(victim)) {
      const made = await send('POST', '/v1/secrets', { token: attacker.token, json: {}, headers })
      const shown = await send('GET', made.json.secret_ref, { token: attacker.token })
      expect(shown.json.creator_id).toBe(attacker.userId)
      expect((await send('GET', made.json.secret_ref, { token: victim.token })).status).toBe(403)
    }
  })
})

describe('T21: redirects and addresses', () => {
  it.each([301, 302, 303, 307, 308, 300])(
    'T21: a redirect (%i) does not carry the token elsewhere: 503',
    async (status) => {
      keystone.answerWith(
        () => new Response(null, { status, headers: { Location: 'http://evil.example/v3/auth/tokens' } }),
      )
      const token = `t-${crypto.randomUUID()}`
      expect((await list(token, { 'X-Service-Token': `s-${crypto.randomUUID()}` })).status).toBe(503)
      expect((await list(token)).status).toBe(503)
      for (const { url } of keystone.asked) expect(url.startsWith(`${KEYSTONE_URL}/v3/`)).toBe(true)
      for (const { redirect } of keystone.asked) expect(redirect).toBe('manual')
    },
  )

  it('T21: the address of Keystone is never taken from a request', async () => {
    const { token } = person(['creator'])
    const headers = {
      Host: 'evil.example',
      'X-Forwarded-Host': 'evil.example',
      Forwarded: 'host=evil.example',
      'X-Auth-Url': 'http://evil.example/v3',
      'X-Keystone-Url': 'http://evil.example',
    }
    await send('GET', `/v1/secrets?auth_url=http://evil.example&KEYSTONE_URL=http://evil.example`, { token, headers })
    await send('GET', 'https://evil.example/v1/secrets', { token: `${token}x`, headers })
    expect(keystone.asked.length).toBeGreaterThan(0)
    for (const { url } of keystone.asked) expect(new URL(url).origin).toBe(KEYSTONE_URL)
  })

  it('T21: the token is not part of an address', async () => {
    const { token } = person(['creator'])
    await list(token)
    for (const { url, headers } of keystone.asked) {
      expect(url).not.toContain(token)
      expect(headers.get('X-Subject-Token')).toBe(token)
    }
  })
})

describe('T11: normalisation of identities', () => {
  const id = `Käse-${crypto.randomUUID()}`
  const lookalikes = [
    id.normalize('NFD'),
    id.toLowerCase(),
    id.toUpperCase(),
    ` ${id}`,
    `${id} `,
    `${id}\u0000`,
    `${id}\u200b`,
    id.replace('K', '\u212a'),
    id.replace('s', 'ѕ'),
    id.replaceAll('-', '\u2010'),
    `${id}/`,
    `${id},x`,
    `${id}*`,
    `${id}%`,
  ]

  it.each(lookalikes)('T11: a user id that only looks like one on the ACL is not on it: %j', async (userId) => {
    const owner = person(['creator'])
    const ref = await canarySecret(send, owner)
    await close(send, owner, ref, [id])
    expect((await send('GET', ref, { token: person([], { userId: id }).token })).status).toBe(200)
    expect((await send('GET', ref, { token: person([], { userId }).token })).status).toBe(403)
    const list = await send('GET', '/v1/secrets?acl_only=true', { token: person(['creator'], { userId }).token })
    expect(list.json.total).toBe(0)
  })

  it.each(lookalikes)('T11: a project id that only looks like another is another: %j', async (projectId) => {
    const owner = person(['creator'], { projectId: `${id}-${projectId.length}` })
    const other = person(['admin', 'creator'], { projectId: projectId.replaceAll(id, `${id}-${projectId.length}`) })
    expect(other.projectId).not.toBe(owner.projectId)
    const ref = await canarySecret(send, owner)
    expect((await send('GET', ref, { token: other.token })).status).toBe(403)
    const { json } = await send('GET', '/v1/secrets', { token: other.token })
    expect(json.secrets.map((one: { secret_ref: string }) => idOf(one.secret_ref))).not.toContain(idOf(ref))
  })

  it('T11: the right of an owner belongs to exactly the user who made the entity', async () => {
    for (const userId of lookalikes) {
      const owner = person(['creator'], { userId: id })
      const ref = await emptyContainer(send, owner)
      const other = person(['creator'], { userId, projectId: owner.projectId })
      expect((await send('DELETE', ref, { token: other.token })).status).toBe(403)
    }
  })

  it('T11: a role is compared by its name without regard to case, and nothing that looks like it counts', async () => {
    for (const role of ['creator', 'Creator', 'CREATOR']) {
      expect([role, (await list(person([role]).token)).status]).toEqual([role, 200])
    }
    for (const role of [
      ' creator',
      'creator ',
      'creator\u0000',
      'сreator',
      'crеator',
      'creator,admin',
      'cre\u00adator',
    ]) {
      expect([role, (await list(person([role]).token)).status]).toEqual([role, 403])
    }
  })
})
