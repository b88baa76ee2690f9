/** Versions and microversions, errors outside `/v1`, and the health check. */
import { beforeAll, describe, expect, it } from 'vitest'
import { base, call, type Answer, type Request } from '../support/client.ts'
import { either, itDiffers } from '../support/differences.ts'
import { adminToken } from '../support/identity.ts'
import { owner, unscopedToken, type Person } from '../support/people.ts'
import { consumer, secret } from '../support/stored.ts'
import { expectRefusal } from '../support/refusals.ts'

const links = [
  { rel: 'self', href: `${base}/v1/` },
  { rel: 'describedby', type: 'text/html', href: 'https://docs.openstack.org/' },
]
const stable = {
  id: 'v1',
  status: 'stable',
  links,
  'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.key-manager-v1+json' }],
}
const current = {
  id: 'v1',
  status: 'CURRENT',
  min_version: '1.0',
  max_version: either('microversion 1.2', { ours: '1.2', peer: '1.1' }),
  links,
}

let who: Person
beforeAll(async () => {
  who = await owner()
})

const version = (value: string, Accept = 'application/json'): Request => ({
  headers: { 'OpenStack-API-Version': value, Accept },
})
const used = (answer: Answer) => answer.headers.get('OpenStack-API-Version')

describe('GET /', () => {
  it.each(['/', '', '//'])('GET / lists the version to everybody at %j', async (path) => {
    const answer = await call('GET', path)
    expect(answer.status).toBe(300)
    expect(answer.headers.get('Content-Type')).toBe('application/json')
    expect(answer.json).toEqual({ versions: { values: [stable] } })
  })

  it.each(['1.1', 'latest'])(
    'GET / lists the version with its range of microversions since 1.1: %s',
    async (microversion) => {
      const answer = await call('GET', '/', { microversion })
      expect(answer.status).toBe(300)
      expect(answer.json).toEqual({ versions: [current] })
    },
  )

  it('GET / answers with the version it used', async () => {
    const answer = await call('GET', '/', { microversion: '1.1' })
    expect(used(answer)).toBe('key-manager 1.1')
    expect(answer.headers.get('Vary')?.toLowerCase().split(', ')).toContain('openstack-api-version')
  })

  it.each(['', '*/*', 'application/json', 'application/*', 'foo', 'text/html, application/json;q=0.1'])(
    'GET / answers Accept %j',
    async (Accept) => {
      const answer = await call('GET', '/', { headers: { Accept } })
      expect(answer.status).toBe(300)
      expect(answer.json).toEqual({ versions: { values: [stable] } })
    },
  )

  it.each(['application/json-home', 'application/json;q=0.5, application/json-home'])(
    'GET / redirects Accept %s to the version',
    async (Accept) => {
      const answer = await call('GET', '/', { headers: { Accept } })
      expect(answer.status).toBe(302)
      expect(answer.headers.get('Location')).toBe(`${base}/v1/`)
    },
  )

  it.each(['text/plain', 'application/xml', 'application/vnd.openstack.key-manager-v1+json'])(
    'GET / is 406 for Accept %s',
    async (Accept) => {
      const answer = await call('GET', '/', { headers: { Accept } })
      expect(answer.status).toBe(406)
      expect(answer.headers.get('Content-Type')).toBe('text/plain; charset=UTF-8')
    },
  )

  it('GET / is a page for Accept text/html', async () => {
    const answer = await call('GET', '/', { headers: { Accept: 'text/html' } })
    expect(answer.status).toBe(either('a page for browsers', { ours: 200, peer: 406 }))
    expect(answer.headers.get('Content-Type')).toBe('text/html; charset=UTF-8')
  })

  it('GET / reports a 406 in plain text', async () => {
    const answer = await call('GET', '/', { headers: { Accept: 'application/xml' } })
    expect(answer.text).toMatch(
      /^406 Not Acceptable\n\nThe resource could not be generated that was acceptable to your browser \(content of type application\/xml\. /,
    )
  })

  it.each(['POST', 'PUT', 'DELETE', 'HEAD'])('%s of / is 405', async (method) => {
    const answer = await call(method, '/')
    expect(answer.status).toBe(405)
    expect(answer.headers.get('Allow')).toBe('GET')
    if (method === 'HEAD') return
    expect(answer.headers.get('Content-Type')).toBe('text/plain; charset=UTF-8')
    expect(answer.text.trim()).toBe(`405 Method Not Allowed\n\nThe method ${method} is not allowed for this resource.`)
  })
})

describe('GET /v1', () => {
  it.each(['/v1', '/v1/'])('GET of the version needs a token and shows it: %s', async (path) => {
    const answer = await call('GET', path, { token: who.token })
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({ version: stable })
    expect(used(answer)).toBe('key-manager 1.0')
  })

  it.each(['1.1', 'latest'])('GET /v1 shows its range of microversions since 1.1: %s', async (microversion) => {
    const answer = await call('GET', '/v1/', { token: who.token, microversion })
    expect(answer.json).toEqual({ version: current })
  })

  it.each(['*/*', 'application/json-home', 'foo'])('GET /v1 answers Accept %s', async (Accept) => {
    const answer = await call('GET', '/v1/', { token: who.token, headers: { Accept } })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Content-Type')).toBe('application/json')
  })

  it.each(['text/html', 'application/xml'])('GET /v1 is 406 for Accept %s', async (Accept) => {
    const answer = await call('GET', '/v1/', { token: who.token, headers: { Accept } })
    expectRefusal(answer, 406, null)
  })

  it('GET /v1 needs a token', async () => {
    expect((await call('GET', '/v1')).status).toBe(401)
  })

  it('GET /v1 needs no role', async () => {
    expect((await call('GET', '/v1', { token: await adminToken() })).status).toBe(200)
  })

  it.each(['POST', 'DELETE', 'HEAD'])('%s of /v1 is 405', async (method) => {
    const answer = await call(method, '/v1/', { token: who.token })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('Allow')).toBe('GET')
  })

  itDiffers('project required')('GET /v1 is 401 for a token without a project', async () => {
    const token = await unscopedToken()
    for (const path of ['/v1', '/v1/secrets', '/v1/nothing']) {
      const answer = await call('GET', path, { token })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('WWW-Authenticate')).toMatch(/^Keystone uri=".+"$/)
    }
  })
})

describe('the microversion of a request', () => {
  it.each([
    ['key-manager 1.0', '1.0'],
    ['key-manager 1.1', '1.1'],
    ['key-manager 01.1', '1.1'],
    ['key-manager 1.01', '1.1'],
    ['KEY-MANAGER   1.1', '1.1'],
    ['key-manager 1.1, compute 2.90', '1.1'],
    ['key-manager 1.0, key-manager 1.1', '1.1'],
    ['compute 2.90', '1.0'],
    ['key-manager', '1.0'],
    ['1.1', '1.0'],
    ['keymanager 1.1', '1.0'],
    ['', '1.0'],
  ])('the microversion of the header %j is %s', async (header, expected) => {
    const answer = await call('GET', '/', version(header))
    expect(answer.status).toBe(300)
    expect(used(answer)).toBe(`key-manager ${expected}`)
  })

  itDiffers('microversion 1.2')('the microversion may be 1.2', async () => {
    const answer = await call('GET', '/v1/secrets', { token: who.token, microversion: '1.2' })
    expect(answer.status).toBe(200)
    expect(used(answer)).toBe('key-manager 1.2')
    expect(used(await call('GET', '/', { microversion: 'latest' }))).toBe('key-manager 1.2')
  })

  it.each(['1.3', '2.0', '0.9', '-1.0', '9.9'])('an unsupported microversion is 406: %s', async (value) => {
    for (const answer of [
      await call('GET', '/', version(`key-manager ${value}`)),
      await call('GET', '/v1/secrets', { token: who.token, ...version(`key-manager ${value}`) }),
    ]) {
      expect(answer.status).toBe(406)
      expect(answer.headers.get('Content-Type')).toBe('application/json')
      expect(answer.json).toEqual({
        message: `The resource could not be generated that was acceptable to your browser\n(content of type application/json. <br /><br />\nInvalid microversion: Unacceptable version header: ${value}`,
        code: '406 Not Acceptable',
        title: 'Not Acceptable',
      })
      expect(used(answer)).toBeNull()
      expect(answer.headers.get('Vary')).toBeNull()
    }
  })

  it.each([
    ['1', "Version.__new__() missing 1 required positional argument: 'minor'"],
    ['1.', "invalid literal for int() with base 10: ''"],
    ['abc', "invalid literal for int() with base 10: 'abc'"],
    ['1.x', "invalid literal for int() with base 10: 'x'"],
    ['1.1.1', "invalid literal for int() with base 10: '1.1'"],
    ['LATEST', "invalid literal for int() with base 10: 'LATEST'"],
  ])('a malformed microversion is 400: %s', async (value, reason) => {
    for (const answer of [
      await call('GET', '/', version(`key-manager ${value}`)),
      await call('GET', '/v1/secrets', { token: who.token, ...version(`key-manager ${value}`) }),
    ]) {
      expect(answer.status).toBe(400)
      expect(answer.json).toEqual({
        message: `The server could not comply with the request since it is either malformed or otherwise incorrect.<br /><br />\nInvalid microversion: invalid version string: ${value}; ${reason}\n\n`,
        code: '400 Bad Request',
        title: 'Bad Request',
      })
      expect(used(answer)).toBeNull()
    }
  })

  it('a microversion is refused in plain text without Accept', async () => {
    const answer = await call('GET', '/', { microversion: '9.9' })
    expect(answer.status).toBe(406)
    expect(answer.headers.get('Content-Type')).toBe('text/plain; charset=UTF-8')
    expect(answer.text).toMatch(
      /^406 Not Acceptable\n\nThe resource could not be generated that was acceptable to your browser \(content of type \$\{HTTP_ACCEPT\}\. \n\n Invalid microversion: Unacceptable version header: 9\.9/,
    )
  })

  it.each(['*/*', 'text/html'])('a microversion is refused with a page for Accept %s', async (Accept) => {
    const answer = await call('GET', '/', version('key-manager 9.9', Accept))
    expect(answer.status).toBe(406)
    expect(answer.headers.get('Content-Type')).toBe('text/html; charset=UTF-8')
  })

  it('the page that refuses a microversion does not hold markup of the client', async () => {
    const answer = await call('GET', '/', version('key-manager <script>alert(1)</script>', 'text/html'))
    expect(answer.status).toBe(400)
    expect(answer.text).not.toContain('<script>')
  })

  it.each(['X-OpenStack-Key-Manager-API-Version', 'OpenStack-Key-Manager-API-Version'])(
    'the microversion is not taken from %s',
    async (name) => {
      const answer = await call('GET', '/', { headers: { [name]: '1.1' } })
      expect(used(answer)).toBe('key-manager 1.0')
    },
  )
})

describe('the effect of a microversion', () => {
  it('consumers are shown since microversion 1.1', async () => {
    const ref = await secret(who)
    const registered = await consumer(ref, who)
    for (const [microversion, consumers] of [
      ['1.0', undefined],
      ['1.1', [registered]],
    ] as const) {
      const item = await call('GET', ref, { token: who.token, microversion })
      expect(item.json.consumers).toEqual(consumers)
      const list = await call('GET', '/v1/secrets?limit=100', { token: who.token, microversion })
      const entry = list.json.secrets.find((one: { secret_ref: string }) => one.secret_ref === ref)
      expect(entry.consumers).toEqual(consumers)
    }
  })

  it.each(['1.0', '1.1'])('a secret that has consumers is deleted at %s, whatever force is', async (microversion) => {
    const ref = await secret(who)
    await consumer(ref, who)
    const answer = await call('DELETE', `${ref}?force=maybe`, { token: who.token, microversion })
    expect(answer.status).toBe(204)
    expect((await call('GET', ref, { token: who.token })).status).toBe(404)
  })

  itDiffers('microversion 1.2')('a secret without consumers is deleted at 1.2', async () => {
    const ref = await secret(who)
    expect((await call('DELETE', ref, { token: who.token, microversion: '1.2' })).status).toBe(204)
  })

  itDiffers('microversion 1.2').each(['1', 't', 'true', 'ON', 'y', ' yes '])(
    'the parameter force may be %j at 1.2',
    async (force) => {
      const ref = await secret(who)
      await consumer(ref, who)
      const path = `${ref}?force=${encodeURIComponent(force)}`
      expect((await call('DELETE', path, { token: who.token, microversion: '1.2' })).status).toBe(204)
    },
  )
})

describe('a path outside /v1', () => {
  it.each(['/foo', '/v2', '/V1/secrets', '/v1.0'])('the path %s is 404 in plain text', async (path) => {
    const answer = await call('GET', path)
    expect(answer.status).toBe(404)
    expect(answer.headers.get('Content-Type')).toBe('text/plain; charset=UTF-8')
    expect(answer.text).toMatch(/^404 Not Found\n\nThe resource could not be found\.\n/)
  })

  it('an unknown path is 404 as JSON for Accept application/json', async () => {
    expectRefusal(await call('GET', '/foo', { headers: { Accept: 'application/json' } }), 404, '')
  })

  it('an unknown path is a page for any Accept', async () => {
    const answer = await call('GET', '/v2', { headers: { Accept: '*/*' } })
    expect(answer.status).toBe(404)
    expect(answer.headers.get('Content-Type')).toBe('text/html; charset=UTF-8')
    expect(answer.text).toContain('The resource could not be found.')
  })

  itDiffers('always 404').each([
    ['text/html', 'text/html; charset=UTF-8'],
    ['application/xml', 'text/plain; charset=UTF-8'],
  ])('an unknown path is 404 for Accept %s', async (Accept, type) => {
    const answer = await call('GET', '/v2', { headers: { Accept } })
    expect(answer.status).toBe(404)
    expect(answer.headers.get('Content-Type')).toBe(type)
  })
})

describe('/healthcheck', () => {
  it('/healthcheck is OK without a token', async () => {
    const answer = await call('GET', '/healthcheck')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Content-Type')).toBe('text/plain; charset=UTF-8')
    expect(answer.text).toBe('OK')
  })

  it('/healthcheck is JSON for Accept application/json', async () => {
    const answer = await call('GET', '/healthcheck', { headers: { Accept: 'application/json' } })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Content-Type')).toBe('application/json')
    expect(answer.json).toEqual({ detailed: false, reasons: ['OK'] })
  })

  it('/healthcheck is a page for Accept text/html, and 204 for HEAD', async () => {
    const page = await call('GET', '/healthcheck', { headers: { Accept: 'text/html' } })
    expect(page.headers.get('Content-Type')).toBe('text/html; charset=UTF-8')
    expect((await call('HEAD', '/healthcheck')).status).toBe(204)
  })
})
