/** A Keystone that does not answer: what is asked again, what the client is told, and what the log says. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MOST_TRIES } from '../../src/repetition.ts'
import { fakeKeystone } from '../support/keystone.ts'
import { entryOf } from '../support/log-lines.ts'
import { workerWith } from '../support/worker-with.ts'

const keystone = fakeKeystone()
let host: string
let logged: unknown[]
let list: (token?: string) => ReturnType<ReturnType<typeof workerWith>>

beforeEach(() => {
  // The log has one line per minute for each Keystone.
  host = `keystone-${crypto.randomUUID()}.example:5000`
  const send = workerWith({ IDENTITY: 'keystone', KEYSTONE_URL: `https://${host}`, HOST_HREF: 'https://kms.example' })
  list = (token: string = crypto.randomUUID()) => send('GET', '/v1/secrets', { token })
  keystone.asked.length = 0
  logged = []
  vi.spyOn(console, 'error').mockImplementation((line) => void logged.push(entryOf(line)))
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('a Keystone that does not answer', () => {
  it('a Keystone that cannot be reached is asked three times, and then the answer is 503 with Retry-After', async () => {
    keystone.answerWith(() => Promise.reject(new TypeError('Network connection lost.')))
    const answer = await list()
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, expect.stringMatching(/^\d+$/)])
    expect(keystone.asked).toHaveLength(MOST_TRIES)
  })

  it.each([502, 503, 504])(
    'a Keystone that answers %s once is asked again, and the request succeeds',
    async (status) => {
      let answers = 0
      const expires = new Date(Date.now() + 3_600_000).toISOString()
      const token = { user: { id: 'u' }, project: { id: 'p' }, roles: [{ name: 'creator' }], expires_at: expires }
      keystone.answerWith(() => {
        answers += 1
        return answers === 1 ? new Response('busy', { status }) : Response.json({ token })
      })
      expect((await list()).status).toBe(200)
      expect(answers).toBe(2)
      expect(logged).toEqual([])
    },
  )

  it.each([
    ['500', () => new Response('oops', { status: 500 })],
    ['429', () => new Response('slow', { status: 429 })],
    ['no token', () => Response.json({})],
  ])('a Keystone that answers %s is not asked again', async (_what, answer) => {
    keystone.answerWith(answer)
    expect((await list()).status).toBe(503)
    expect(keystone.asked).toHaveLength(1)
  })

  it('an outage of Keystone is one line of the log per minute, with its host and the cause, and without a token', async () => {
    keystone.answerWith(() => new Response('busy', { status: 503 }))
    const token = `secret-${crypto.randomUUID()}`
    for (let request = 0; request < 5; request += 1) expect((await list(token)).status).toBe(503)
    expect(logged).toEqual([{ event: 'Keystone cannot be reached', host, cause: 'status 503' }])
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + 60_000)
    await list(token)
    expect(logged).toHaveLength(2)
    expect(JSON.stringify(logged)).not.toContain(token)
  })
})
