/** Plain HTTP: refused except at a loopback address, because a token in it can be read on the way. */
import { beforeAll, describe, expect, it } from 'vitest'
import { base, isolate } from '../support/client.ts'
import { owner, type Account } from '../support/people.ts'
import { titles } from '../support/refusals.ts'

const HSTS = 'Strict-Transport-Security'
const PLAIN = 'http://kms.example:9311'
const REFUSED =
  'Requests are answered by https only: whoever carries this one can read the token in it. Revoke that token.'

let who: Account
beforeAll(async () => {
  who = await owner()
})
const send = isolate()

describe('a request by plain HTTP', () => {
  it.each([
    ['GET', '/'],
    ['GET', '/v1'],
    ['GET', '/v1/secrets'],
    ['POST', '/v1/orders'],
    ['GET', '/v1/nothing'],
    ['GET', '/identity/v3'],
    ['POST', '/identity/v3/auth/tokens'],
    ['POST', '/admin/rotate'],
    ['GET', '/nothing'],
  ])('%s %s by plain HTTP is 403 with the reason, whatever its token, and not a redirect', async (method, path) => {
    for (const token of [who.token, 'nonsense', undefined]) {
      for (const variables of [{}, { HOST_HREF: 'https://kms.example' }]) {
        const headers = { Accept: 'application/json' }
        const answer = await isolate(variables)(method, PLAIN + path, { token, headers })
        expect([answer.status, answer.json]).toEqual([403, { code: 403, title: titles[403], description: REFUSED }])
        expect([answer.headers.get('Location'), answer.headers.get(HSTS)]).toEqual([null, null])
      }
    }
  })

  it('a header does not make plain HTTP count as https', async () => {
    const headers = { 'X-Forwarded-Proto': 'https', Forwarded: 'proto=https', 'CF-Visitor': '{"scheme":"https"}' }
    expect((await send('GET', `${PLAIN}/v1/secrets`, { token: who.token, headers })).status).toBe(403)
  })

  it('the health check answers plain HTTP as well, because it carries no token', async () => {
    expect((await send('GET', `${PLAIN}/healthcheck`)).text).toBe('OK')
  })

  it.each(['http://127.0.0.1:9311', 'http://localhost:9311', 'http://[::1]:9311', 'https://localhost:9311'])(
    'a request at the loopback address %s is answered, without a promise of https',
    async (origin) => {
      const answer = await send('GET', `${origin}/v1/secrets`, { token: who.token })
      expect([answer.status, answer.headers.get(HSTS)]).toEqual([200, null])
    },
  )
})

it('answers by https tell browsers to use https for a year', async () => {
  const year = 'max-age=31536000'
  for (const [path, status] of [
    ['/v1/secrets', 200],
    ['/v1/secrets/x', 404],
    ['/', 300],
    ['/identity/v3', 200],
  ] as const) {
    const answer = await send('GET', base + path, { token: who.token })
    expect([path, answer.status, answer.headers.get(HSTS)]).toEqual([path, status, year])
  }
  expect((await send('GET', '/v1/secrets')).headers.get(HSTS)).toBe(year)
})
