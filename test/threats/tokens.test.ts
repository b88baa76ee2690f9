/** Threat T6: tokens that are expired, revoked, foreign or forged, and what is cached of them. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TOKEN_CACHE_MILLISECONDS } from '../../src/access/keystone.ts'
import { cloudOfKeystone } from '../support/people.ts'
import { canarySecret } from '../support/stored.ts'
import { KEYSTONE_URL } from '../support/keystone.ts'
import { expectRefusal, notPermitted } from '../support/refusals.ts'

const { keystone, send, person } = cloudOfKeystone()
const list = (token?: string, headers: Record<string, string> = {}) => send('GET', '/v1/secrets', { token, headers })
const unreachable = 'The identity service cannot be reached. Try again later.'

beforeEach(() => {
  keystone.asked.length = 0
})

afterEach(() => {
  keystone.answerWith(null)
  vi.useRealTimers()
})

/** Stops the clock and returns a function that moves it. */
function clock() {
  const start = Date.now()
  vi.useFakeTimers({ toFake: ['Date'], now: start })
  return { start, moveTo: (milliseconds: number) => vi.setSystemTime(start + milliseconds) }
}

describe('T6: tokens', () => {
  it('T6: an expired token is 401, also when it is cached', async () => {
    const { moveTo } = clock()
    const { token } = person(['creator'], { expires: Date.now() + 30_000 })
    expect((await list(token)).status).toBe(200)
    moveTo(29_000)
    expect((await list(token)).status).toBe(200)
    moveTo(30_001)
    expect((await list(token)).status).toBe(401)
  })

  it('T6: a revoked token is 401 after the lifetime of the cache at the latest', async () => {
    const { moveTo } = clock()
    const { token } = person(['creator'])
    expect((await list(token)).status).toBe(200)
    keystone.revoke(token)
    expect((await list(token)).status).toBe(200)
    moveTo(TOKEN_CACHE_MILLISECONDS - 1)
    expect((await list(token)).status).toBe(200)
    moveTo(TOKEN_CACHE_MILLISECONDS + 1)
    expect((await list(token)).status).toBe(401)
    expect(TOKEN_CACHE_MILLISECONDS).toBeLessThanOrEqual(60_000)
  })

  it('T6: a token is validated once within the lifetime of the cache, not for every request', async () => {
    const { token } = person(['creator'])
    for (let i = 0; i < 5; i += 1) await list(token)
    expect(keystone.asked).toHaveLength(1)
  })

  it('T6: a refused token is not asked about again for 5 seconds, and then is', async () => {
    const { moveTo } = clock()
    const token = `gAAAAA${crypto.randomUUID()}`
    for (let time = 0; time < 20; time += 1) expect((await list(token)).status).toBe(401)
    expect(keystone.asked).toHaveLength(1)
    moveTo(4_900)
    expect((await list(token)).status).toBe(401)
    expect(keystone.asked).toHaveLength(1)
    moveTo(5_100)
    expect((await list(token)).status).toBe(401)
    expect(keystone.asked).toHaveLength(2)
  })

  it('T6: a refusal is of one token with one service token, and no failure of Keystone is remembered', async () => {
    const { token } = person(['creator'])
    const service = person(['service']).token
    expect((await list(token, { 'X-Service-Token': 'unknown' })).status).toBe(401)
    expect((await list(token)).status).toBe(200)
    expect((await list(token, { 'X-Service-Token': service })).status).toBe(200)
    const other = person(['creator'])
    for (const answer of [() => new Response(null, { status: 500 }), () => Promise.reject(new Error('lost'))]) {
      keystone.answerWith(answer)
      expect((await list(other.token)).status).toBe(503)
    }
    keystone.answerWith(null)
    expect((await list(other.token)).status).toBe(200)
  })

  it('T6: tokens are distinguished by their whole text, never by the user, a part of it, or where two tokens meet', async () => {
    const { token, userId, projectId } = person(['creator'])
    expect((await list(token)).status).toBe(200)
    for (const other of [`${token}x`, token.slice(0, -1), token.toUpperCase(), `x${token}`, userId, projectId]) {
      expect([other, (await list(other)).status]).toEqual([other, 401])
    }
    const service = person(['service']).token
    expect((await list(token, { 'X-Service-Token': service })).status).toBe(200)
    expect((await list(token.slice(0, -1), { 'X-Service-Token': token.slice(-1) + service })).status).toBe(401)
    expect((await list(token + service.slice(0, 1), { 'X-Service-Token': service.slice(1) })).status).toBe(401)
  })

  it('T6: two tokens of one user for two projects each reach their own project', async () => {
    const first = person(['creator'])
    const second = person(['creator'], { userId: first.userId })
    await canarySecret(send, first)
    expect((await list(first.token)).json.total).toBe(1)
    expect((await list(second.token)).json.total).toBe(0)
  })

  it.each<[string, object]>([
    ['no scope', {}],
    ['a domain', { domain: { id: 'default', name: 'Default' } }],
    ['the system', { system: { all: true } }],
  ])('T6: a token scoped to %s is 401, whatever its roles', async (_title, members) => {
    const token = keystone.issue({ roles: ['admin', 'creator', 'key-manager:service-admin'], members })
    for (const path of ['/v1/secrets', '/v1/', '/v1/project-quotas', '/v1/foo']) {
      const answer = await send('GET', path, { token, headers: { 'X-Project-Id': 'p' } })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('WWW-Authenticate')).toContain(KEYSTONE_URL)
    }
  })

  it('T6: a token of an application credential with access rules is 401, because the service cannot enforce them', async () => {
    const { token } = person(['creator'], { accessRules: true })
    expect((await list(token)).status).toBe(401)
  })

  it('T6: a token of a trust or an application credential acts as its user in its project', async () => {
    for (const members of [{ 'OS-TRUST:trust': { id: 't' } }, { application_credential: { id: 'a' } }]) {
      const { token } = person(['creator'], { members })
      expect((await list(token)).status).toBe(200)
    }
  })

  it('T6: a token with unknown roles reaches nothing', async () => {
    for (const roles of [[], ['service'], ['heat_stack_user']]) {
      expectRefusal(await list(person(roles).token), 403, notPermitted('Secret(s) retrieval'))
    }
  })

  it('T6: a token that cannot be put into a header is 401 and is not sent to Keystone', async () => {
    for (const token of ['x'.repeat(20_000), 'a b', 'a\tb', 'é', '\u00ff']) expect((await list(token)).status).toBe(401)
    expect(keystone.asked).toEqual([])
  })

  it('T6: a token may be sent as X-Storage-Token', async () => {
    const { token } = person(['creator'])
    expect((await list(undefined, { 'X-Storage-Token': token })).status).toBe(200)
    expect((await list('bad', { 'X-Storage-Token': token })).status).toBe(401)
  })

  describe('service tokens', () => {
    it('T6: a service token with the service role admits an expired user token', async () => {
      const { moveTo } = clock()
      const service = person(['service'], { expires: Date.now() + 7_200_000 })
      const { token } = person(['creator'], { expires: Date.now() + 1_000 })
      moveTo(2_000)
      expect((await list(token)).status).toBe(401)
      expect((await list(token, { 'X-Service-Token': service.token })).status).toBe(200)
      // A service token does not authenticate a caller by itself, and the token alone is not cached as valid.
      expect((await list(token)).status).toBe(401)
    })

    it('T6: a service token without the service role admits no expired user token', async () => {
      const { moveTo } = clock()
      const other = person(['admin', 'services', 'service '], { expires: Date.now() + 7_200_000 })
      const { token } = person(['creator'], { expires: Date.now() + 1_000 })
      moveTo(2_000)
      expect((await list(token, { 'X-Service-Token': other.token })).status).toBe(401)
    })

    it.each([
      ['admin'],
      ['reader', 'services'],
      ['admin', 'key-manager:service-admin'],
      ['admin', 'noservice', 'service2'],
    ])(
      'T6: Keystone would tell a service token with the roles %j, %j of an expired token, and it is not asked',
      async (...roles) => {
        const { moveTo } = clock()
        const other = person(roles, { expires: Date.now() + 7_200_000 })
        const { token } = person(['creator'], { expires: Date.now() + 1_000 })
        moveTo(2_000)
        const told = await fetch(`${KEYSTONE_URL}/v3/auth/tokens?allow_expired=1`, {
          headers: { 'X-Auth-Token': other.token, 'X-Subject-Token': token },
        })
        expect(told.status).toBe(200)
        keystone.asked.length = 0
        expect((await list(token, { 'X-Service-Token': other.token })).status).toBe(401)
        expect(keystone.asked.filter(({ url }) => url.includes('allow_expired'))).toEqual([])
      },
    )

    it('T6: the role of a service is found in any case, as Keystone compares roles', async () => {
      const { moveTo } = clock()
      const service = person(['reader', 'Service'], { expires: Date.now() + 7_200_000 })
      const { token } = person(['creator'], { expires: Date.now() + 1_000 })
      moveTo(2_000)
      expect((await list(token, { 'X-Service-Token': service.token })).status).toBe(200)
    })

    it('T6: a bad service token is 401, though the user token is good', async () => {
      const { token } = person(['creator'])
      for (const bad of ['unknown', 'a b', 'x'.repeat(20_000)]) {
        expect((await list(token, { 'X-Service-Token': bad })).status).toBe(401)
      }
      const revoked = person(['service']).token
      keystone.revoke(revoked)
      expect((await list(token, { 'X-Service-Token': revoked })).status).toBe(401)
    })

    it('T6: a service token does not admit a revoked user token', async () => {
      const service = person(['service']).token
      const { token } = person(['creator'])
      keystone.revoke(token)
      expect((await list(token, { 'X-Service-Token': service })).status).toBe(401)
    })

    it('T6: a service token grants no right of its own', async () => {
      const service = person(['service', 'admin', 'creator']).token
      const nobody = person([])
      const answer = await list(nobody.token, { 'X-Service-Token': service })
      expectRefusal(answer, 403, notPermitted('Secret(s) retrieval'))
      expect((await list(undefined, { 'X-Service-Token': service })).status).toBe(401)
    })
  })

  describe('the answers of Keystone', () => {
    const valid = { user: { id: 'u' }, project: { id: 'p' }, roles: [{ name: 'creator' }] }
    const later = new Date(Date.now() + 3_600_000).toISOString()
    it.each<[string, () => Promise<Response> | Response]>([
      ['cannot be reached', () => Promise.reject(new TypeError('network'))],
      ['does not answer in time', () => Promise.reject(new DOMException('late', 'TimeoutError'))],
      ['answers 500', () => new Response('oops', { status: 500 })],
      ['answers 503', () => new Response('busy', { status: 503 })],
      ['answers 429', () => new Response('slow', { status: 429 })],
      ['answers 204', () => new Response(null, { status: 204 })],
      ['answers 206', () => Response.json({ token: { ...valid, expires_at: later } }, { status: 206 })],
      ['answers no JSON', () => new Response('<html>')],
      ['answers nothing', () => new Response('')],
      ['answers null', () => Response.json(null)],
      ['answers no token', () => Response.json({})],
      ['answers a token without a user', () => Response.json({ token: { expires_at: later, project: { id: 'p' } } })],
      ['answers a user without an id', () => Response.json({ token: { ...valid, expires_at: later, user: {} } })],
      ['answers a project without an id', () => Response.json({ token: { ...valid, expires_at: later, project: {} } })],
      [
        'answers roles that are none',
        () => Response.json({ token: { ...valid, expires_at: later, roles: 'creator' } }),
      ],
      ['answers no time', () => Response.json({ token: valid })],
      ['answers a time that is none', () => Response.json({ token: { ...valid, expires_at: 'never' } })],
      ['answers an empty time', () => Response.json({ token: { ...valid, expires_at: '' } })],
      ['breaks off', () => new Response(new ReadableStream({ start: (c) => c.error(new Error('cut')) }))],
    ])('T6: when Keystone %s the answer is 503, never access', async (_title, answer) => {
      keystone.answerWith(answer)
      const token = `t-${crypto.randomUUID()}`
      const refused = await list(token)
      expectUnavailable(refused)
      expect(refused.text).not.toContain(token)
      keystone.answerWith(null)
      expect((await list(token)).status).toBe(401)
    })

    function expectUnavailable(answer: Awaited<ReturnType<typeof list>>) {
      expect([answer.status, answer.json]).toEqual([
        503,
        { code: 503, title: 'Service Unavailable', description: unreachable },
      ])
    }

    it('T6: when Keystone returns an expired time the answer is 401', async () => {
      keystone.answerWith(() => Response.json({ token: { ...valid, expires_at: '2020-01-01T00:00:00.000000Z' } }))
      expect((await list(`t-${crypto.randomUUID()}`)).status).toBe(401)
    })

    it('T6: when Keystone is down, cached tokens are accepted for the lifetime of the cache and no longer', async () => {
      const { moveTo } = clock()
      const { token } = person(['creator'])
      await list(token)
      keystone.answerWith(() => Promise.reject(new TypeError('network')))
      expect((await list(token)).status).toBe(200)
      moveTo(TOKEN_CACHE_MILLISECONDS + 1)
      expectUnavailable(await list(token))
    })

    it('T6: every request to Keystone has a time limit', async () => {
      await list(person([]).token)
      expect(keystone.asked.map(({ timed }) => timed)).toEqual([true])
    })
  })
})
