/** How `portcullis/client` logs in, renews its token, and repeats a call. The server is a fake that fails on demand. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { keyManager, KeyManagerError, type ClientOptions } from '../../src/client/index.ts'

const URL = 'https://keys.example'
const HOUR = 3_600_000
const REF = '11111111-1111-4111-8111-111111111111'
const credential = { id: 'id', secret: 'secret' }

type Reply = Response | Error | Promise<never>

/** A service whose replies to reads are given; log-ins succeed, with the tokens `token 1`, `token 2` and so on. */
function service(replies: readonly (() => Reply)[] = [], logIns: readonly (() => Reply)[] = []) {
  const sent: { readonly method: string; readonly url: string; readonly headers: Headers; redirect: unknown }[] = []
  let tokens = 0
  const [reads, posts] = [[...replies], [...logIns]]
  const token = () => {
    tokens += 1
    const issued = new Date()
    const [issued_at, expires_at] = [issued, new Date(issued.getTime() + HOUR)].map((time) => time.toISOString())
    return Response.json(
      { token: { issued_at, expires_at } },
      { status: 201, headers: { 'X-Subject-Token': `token ${tokens}` } },
    )
  }
  const fetch = async (url: string, options: RequestInit): Promise<Response> => {
    const method = String(options.method)
    sent.push({ method, url, headers: new Headers(options.headers), redirect: options.redirect })
    const reply = method === 'POST' ? (posts.shift() ?? token)() : (reads.shift() ?? (() => new Response('x')))()
    if (reply instanceof Error) throw reply
    return reply
  }
  const client = (options: ClientOptions = {}) => keyManager(URL, { credential, fetch, ...options })
  const methods = () => sent.map(({ method }) => method).join(' ')
  return { client, sent, methods }
}

const refusal =
  (status: number, headers = {}) =>
  () =>
    Response.json({ code: status, title: 'No', description: `refused ${status}` }, { status, headers })
const broken = () => new TypeError('connection reset')
const errorOf = (calling: Promise<unknown>): Promise<KeyManagerError> =>
  calling.then(
    () => Promise.reject(new Error('nothing was thrown')),
    (error: KeyManagerError) => error,
  )

afterEach(() => void vi.useRealTimers())

describe('log-in', () => {
  it('a client logs in once, with the credential alone, and sends its token with every read', async () => {
    const { client, sent, methods } = service()
    const keys = client()
    await keys.text(REF)
    await keys.text(REF)
    expect(methods()).toBe('POST GET GET')
    expect(sent[0]?.url).toBe(`${URL}/identity/v3/auth/tokens`)
    expect(sent.slice(1).map(({ headers }) => headers.get('X-Auth-Token'))).toEqual(['token 1', 'token 1'])
    expect(new Set(sent.map(({ redirect }) => redirect))).toEqual(new Set(['manual']))
  })

  it('a token is renewed by one call when four fifths of its life are over, and the others go on with the old one', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const { client, sent } = service()
    const keys = client()
    await keys.text(REF)
    vi.setSystemTime(Date.now() + HOUR * 0.79)
    await keys.text(REF)
    expect(sent.filter(({ method }) => method === 'POST')).toHaveLength(1)
    vi.setSystemTime(Date.now() + HOUR * 0.02)
    await Promise.all([keys.text(REF), keys.text(REF), keys.text(REF)])
    expect(sent.filter(({ method }) => method === 'POST')).toHaveLength(2)
    await keys.text(REF)
    expect(sent.at(-1)?.headers.get('X-Auth-Token')).toBe('token 2')
  })

  it('a renewal that fails leaves the old token in use until its end', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const working = () =>
      Response.json({ token: tokenTimes() }, { status: 201, headers: { 'X-Subject-Token': 'first' } })
    const { client, sent } = service([], [working, broken, refusal(401)])
    const keys = client()
    await keys.text(REF)
    vi.setSystemTime(Date.now() + HOUR * 0.9)
    expect(await keys.text(REF)).toBe('x')
    expect(sent.at(-1)?.headers.get('X-Auth-Token')).toBe('first')
    vi.setSystemTime(Date.now() + HOUR * 0.2)
    expect((await errorOf(keys.text(REF))).status).toBe(401)
  })

  it('a 401 renews the token once and repeats the call once', async () => {
    const twice = service([refusal(401)])
    expect(await twice.client().text(REF)).toBe('x')
    expect(twice.methods()).toBe('POST GET POST GET')
    expect(twice.sent.at(-1)?.headers.get('X-Auth-Token')).toBe('token 2')
    const refused = service([refusal(401), refusal(401)])
    expect(await errorOf(refused.client().text(REF))).toMatchObject({ status: 401, failure: 'unauthenticated' })
    expect(refused.methods()).toBe('POST GET POST GET')
  })

  it('a token that the caller gives is used as it is', async () => {
    const { client, methods, sent } = service([refusal(401)])
    expect((await errorOf(client().text(REF, { token: 'mine' }))).status).toBe(401)
    expect([methods(), sent[0]?.headers.get('X-Auth-Token')]).toEqual(['GET', 'mine'])
  })

  it('a refused log-in is not repeated', async () => {
    const { client, methods } = service([], [refusal(401)])
    expect(await errorOf(client().text(REF))).toMatchObject({ status: 401, message: 'log-in: refused 401' })
    expect(methods()).toBe('POST')
  })
})

const tokenTimes = () => ({
  issued_at: new Date().toISOString(),
  expires_at: new Date(Date.now() + HOUR).toISOString(),
})

describe('attempts', () => {
  it.each([
    ['a broken connection', broken],
    ['429', refusal(429)],
    ['502', refusal(502)],
    ['503', refusal(503)],
  ])('%s is tried three times in all', async (_, failing) => {
    const works = service([failing, failing])
    expect(await works.client().text(REF)).toBe('x')
    expect(works.methods()).toBe('POST GET GET GET')
    const fails = service([failing, failing, failing])
    expect(await errorOf(fails.client().text(REF))).toBeInstanceOf(KeyManagerError)
    expect(fails.methods()).toBe('POST GET GET GET')
  })

  it.each([400, 403, 404, 406, 500, 302])('%d is not repeated', async (status) => {
    const { client, methods } = service([refusal(status, { Location: 'https://evil.example' })])
    expect(await errorOf(client().text(REF))).toMatchObject({ status, message: `refused ${status}` })
    expect(methods()).toBe('POST GET')
  })

  it('Retry-After is obeyed, as seconds and as a date', async () => {
    for (const after of ['1', new Date(Date.now() + 3_000).toUTCString()]) {
      const { client } = service([refusal(503, { 'Retry-After': after })])
      const before = Date.now()
      expect(await client().text(REF)).toBe('x')
      expect(Date.now() - before).toBeGreaterThan(500)
    }
  })

  it('a Retry-After beyond the deadline ends the call at once, with the reason of the service', async () => {
    const { client, methods } = service([refusal(503, { 'Retry-After': '60' })])
    const before = Date.now()
    expect(await errorOf(client().text(REF))).toMatchObject({ status: 503, message: 'refused 503' })
    expect([methods(), Date.now() - before < 2_000]).toEqual(['POST GET', true])
  })

  it('one deadline ends a call that has no answer, whatever it waits for', async () => {
    const never = () => new Promise<never>(() => undefined)
    for (const hanging of [service([never]), service([], [never]), service([broken, never])]) {
      const before = Date.now()
      expect((await errorOf(hanging.client({ timeout: 300 }).text(REF))).failure).toBe('deadline')
      expect(Date.now() - before).toBeLessThan(3_000)
    }
  })

  it('the caller’s own signal ends a call', async () => {
    const { client } = service([() => new Promise<never>(() => undefined)])
    const error = await errorOf(client().text(REF, { signal: AbortSignal.timeout(100) }))
    expect(error.failure).toBe('aborted')
  })

  it('a call through a binding is repeated as well', async () => {
    let calls = 0
    const failing = ['throws', 503, 'ok']
    const ready = async () => {
      calls += 1
      const [now] = failing.splice(0, 1)
      if (now === 'throws') throw new Error('the other Worker was replaced')
      if (now === 503) return { ok: false, status: 503, failure: 'misconfigured', description: 'no' } as const
      return { ok: true, value: { project: 'p', bound: 0, version: 1 } } as const
    }
    expect((await keyManager({ ready }).ready()).project).toBe('p')
    expect(calls).toBe(3)
  })
})

describe('what a client sends', () => {
  it('the age that the caller accepts and its bookmark are headers, and Age is counted in the time of the answer', async () => {
    const aged = () => new Response('x', { headers: { Age: '7' } })
    const { client, sent } = service([aged])
    const before = Date.now()
    const { asOf } = await client().payload(REF, { maxAge: 30, since: 'bookmark' })
    expect(Math.abs(Date.parse(asOf) - (before - 7_000))).toBeLessThan(1_000)
    expect(sent[1]?.headers.get('Cache-Control')).toBe('max-age=30')
    expect(sent[1]?.headers.get('X-D1-Bookmark')).toBe('bookmark')
    await client().payload(REF, { fresh: true })
    expect(sent.at(-1)?.headers.get('Cache-Control')).toBe('no-cache')
  })

  it('of a ref only the id is used, so that a token is sent to no other host and no other path', async () => {
    const { client, sent } = service()
    const keys = client()
    for (const ref of [`https://evil.example/v1/secrets/${REF}`, `../../x?y=${REF}`, '..', `${REF}#`, `${REF}?a`]) {
      await keys.payload(ref)
    }
    const paths = sent.slice(1).map(({ url }) => url)
    for (const path of paths) expect(path).toMatch(/^https:\/\/keys\.example\/v1\/secrets\/[^/?#]*\/payload$/)
  })
})
