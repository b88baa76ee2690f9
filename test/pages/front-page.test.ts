/** `GET /` for a browser: a page with the name, the version and the state. Every other client gets the version document. */
import { describe, expect, it } from 'vitest'
import settings from '../../package.json'
import client from '../../src/client/package.json'
import { isolate } from '../support/client.ts'

const send = isolate()
const accepting = (Accept: string, more: Readonly<Record<string, string>> = {}) =>
  send('GET', '/', { headers: { Accept, ...more } })

const FIREFOX = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const CHROMIUM = `${FIREFOX.replace(',*/*', ',image/avif,image/webp,image/apng,*/*')},application/signed-exchange;v=b3;q=0.7`

describe('GET / for a browser', () => {
  it.each([FIREFOX, CHROMIUM, 'text/html', 'TEXT/HTML', 'text/html, */*'])(
    'GET / is a page for Accept %s',
    async (Accept) => {
      const answer = await accepting(Accept)
      expect([answer.status, answer.headers.get('Content-Type')]).toEqual([200, 'text/html; charset=UTF-8'])
      expect(answer.headers.get('Vary')).toMatch(/\bAccept\b/)
      for (const path of ['/docs', '/docs/reference', '/openapi.json', '/v1'])
        expect(answer.text).toContain(`href="${path}"`)
    },
  )

  it('GET / is the version document for a client that names JSON, a microversion, everything or nothing', async () => {
    const others: Readonly<Record<string, string>>[] = [
      {},
      { Accept: '' },
      { Accept: '*/*' },
      { Accept: 'application/json' },
      { Accept: 'application/json, text/html' },
      { Accept: 'text/html, application/json;q=0.1' },
      { Accept: 'text/*, */*' },
      { Accept: 'text/html;q=0, */*' },
      { Accept: 'text/html;q=0.5, */*' },
      { Accept: FIREFOX, 'OpenStack-API-Version': 'key-manager 1.1' },
    ]
    for (const headers of others) {
      const answer = await send('GET', '/', { headers })
      const shown = JSON.stringify(headers)
      expect([shown, answer.status, answer.headers.get('Content-Type')]).toEqual([shown, 300, 'application/json'])
      expect([shown, answer.json.versions !== undefined]).toEqual([shown, true])
      expect(answer.headers.get('Vary')?.split(', ')).toContain('Accept')
    }
  })

  it('the page has the version of the release, and is not kept', async () => {
    const answer = await accepting(FIREFOX)
    expect(answer.text).toContain(`<h1>Portcullis ${settings.version}</h1>`)
    expect(client.version).toBe(settings.version)
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
    expect(answer.text).toContain('It is configured')
  })

  it('the page runs nothing and loads nothing', async () => {
    const answer = await accepting(FIREFOX)
    const policy = answer.headers.get('Content-Security-Policy') ?? ''
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+'; /)
    expect(policy).not.toContain('unsafe')
    expect(answer.text).not.toMatch(/<script|<link (?!rel="icon")|<img|\bon\w+=| style=/i)
  })

  it('the page says what is missing, in the words of the health check and without a value', async () => {
    const cases: readonly (readonly [Readonly<Record<string, unknown>>, string, string?])[] = [
      [{ MASTER_KEYS: undefined }, 'MASTER_KEYS'],
      [{ MASTER_KEYS: 'a:<b>hidden</b>' }, 'MASTER_KEYS', 'hidden'],
      [{ POLICY: '<script>' }, 'POLICY must be one of legacy, secure, both', '<script>'],
      [{ IDENTITY: 'keystone' }, 'KEYSTONE_URL must be set for IDENTITY keystone'],
      [{ ADMIN_PASSWORD: 'hidden' }, 'ADMIN_PASSWORD must have at least 8 characters', 'hidden'],
    ]
    for (const [variables, missing, value = '<b>'] of cases) {
      const answer = await isolate(variables)('GET', '/', { headers: { Accept: FIREFOX } })
      expect([missing, answer.status, answer.text.includes('It refuses requests')]).toEqual([missing, 200, true])
      expect([missing, answer.text.includes(missing), answer.text.includes(value)]).toEqual([missing, true, false])
    }
  })

  it('plain HTTP is refused for a browser as well', async () => {
    const answer = await send('GET', 'http://kms.example/', { headers: { Accept: FIREFOX } })
    expect(answer.status).toBe(403)
  })
})
