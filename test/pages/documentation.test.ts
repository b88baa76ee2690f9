/**
 * The pages under `/docs` and the OpenAPI document: what they are served with, that they run and load nothing, that every
 * link leads somewhere, and that the address of the deployment is in them.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { base, isolate, type Answer } from '../support/client.ts'
import { expectRefusal } from '../support/refusals.ts'

const send = isolate()
const get = (path: string, headers: Readonly<Record<string, string>> = {}) => send('GET', path, { headers })

const attributes = (html: string, name: string) =>
  [...html.matchAll(new RegExp(` ${name}="([^"]*)"`, 'g'))].map(([, value = '']) => value)

/** The pages by their paths, found by following links from the index. */
const pages = new Map<string, Answer>()
/** All links of pages: the page, and where it leads. */
const links: { readonly from: string; readonly to: string }[] = []

async function crawl(path: string): Promise<void> {
  if (pages.has(path)) return
  const answer = await get(path)
  pages.set(path, answer)
  if (!answer.headers.get('Content-Type')?.startsWith('text/html')) return
  for (const link of [...attributes(answer.text, 'href'), ...attributes(answer.text, 'src')]) {
    const to = link.startsWith('#') ? path + link : link
    links.push({ from: path, to })
    if (to.startsWith('/')) await crawl(to.replace(/#.*/, ''))
  }
}

const written = Object.keys(import.meta.glob('../../src/docs/*.md')).map((file) => file.slice(15, -3))
const html = () => [...pages].filter(([, { headers }]) => headers.get('Content-Type')?.startsWith('text/html'))

beforeAll(() => crawl('/docs'))

describe('the pages of /docs', () => {
  it('the index leads to a page for every file of src/docs, to the reference and to the OpenAPI document', () => {
    expect(written.length).toBeGreaterThan(8)
    for (const name of [...written, 'reference', 'security-policy', 'contributing', 'changelog']) {
      expect([...pages.keys()]).toContain(`/docs/${name}`)
    }
    expect([...pages.keys()]).toContain('/openapi.json')
  })

  it('every link and image of a page leads to something that is served, and every anchor to an element', () => {
    expect(links.length).toBeGreaterThan(200)
    for (const { from, to } of links) {
      if (/^(https?|mailto):/.test(to)) continue
      const [path = '', anchor] = to.split('#')
      const page = pages.get(path)
      expect([from, to, page?.status]).toEqual([from, to, 200])
      if (anchor !== undefined)
        expect([from, to, attributes(page?.text ?? '', 'id').includes(anchor)]).toEqual([from, to, true])
    }
  })

  it('no id is twice on a page, and each page has one title and a language', () => {
    for (const [path, { text }] of html()) {
      const ids = attributes(text, 'id')
      expect([path, ids.filter((id, at) => ids.indexOf(id) !== at)]).toEqual([path, []])
      expect([path, text.match(/<h1[ >]/g)?.length, attributes(text, 'lang')]).toEqual([path, 1, ['en']])
    }
  })

  it('no page has a script, an inline style, a form, a frame or a handler, or loads anything from elsewhere', () => {
    for (const [path, { text }] of html()) {
      expect([path, /<(script|iframe|object|embed|form|base|link (?!rel="icon"))\b/i.exec(text)]).toEqual([path, null])
      expect([path, /<[^>]* (on\w+|style)=/i.exec(text)]).toEqual([path, null])
      expect([path, attributes(text, 'src').filter((source) => !source.startsWith('/docs/'))]).toEqual([path, []])
      expect([path, text.includes('javascript:')]).toEqual([path, false])
    }
    for (const [path, { text }] of pages) {
      if (path.endsWith('.svg')) expect([path, /<script|\son\w+=|href=/i.exec(text)]).toEqual([path, null])
    }
  })

  it('the policy of each page admits the style that the page has, and nothing inline', async () => {
    for (const [path, { text, headers }] of html()) {
      const policy = headers.get('Content-Security-Policy') ?? ''
      const [style = ''] = /(?<=<style>)[^]*?(?=<\/style>)/.exec(text) ?? []
      const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style))
      const encoded = btoa(String.fromCharCode(...new Uint8Array(hash)))
      expect([path, policy]).toEqual([
        path,
        `default-src 'none'; style-src 'sha256-${encoded}'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      ])
    }
  })

  it('every answer may be kept for five minutes, is not sniffed, and tells no other site where the reader was', () => {
    for (const [path, { headers, status }] of pages) {
      expect([path, status]).toEqual([path, 200])
      const said = ['Cache-Control', 'X-Content-Type-Options', 'Referrer-Policy', 'Strict-Transport-Security']
      expect([path, ...said.map((name) => headers.get(name))]).toEqual([
        path,
        'public, max-age=300',
        'nosniff',
        'no-referrer',
        'max-age=31536000',
      ])
    }
  })

  it('a page that the client has is 304 without a body, and a changed one is sent', async () => {
    const { headers } = await get('/docs/api')
    const tag = headers.get('ETag') ?? ''
    expect(tag).toMatch(/^"[^"]+"$/)
    for (const known of [tag, `"x", ${tag}`, `W/${tag}`, '*']) {
      const again = await get('/docs/api', { 'If-None-Match': known })
      expect([known, again.status, again.text]).toEqual([known, 304, ''])
      expect(again.headers.get('ETag')).toBe(tag)
    }
    expect((await get('/docs/api', { 'If-None-Match': '"x"' })).status).toBe(200)
  })

  it('HEAD of a page has the headers of GET, and other methods are 405', async () => {
    const [head, whole] = [await send('HEAD', '/docs/api'), await get('/docs/api')]
    expect([head.status, head.text, head.headers.get('ETag')]).toEqual([200, '', whole.headers.get('ETag')])
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await send(method, '/docs/api', { headers: { Accept: 'application/json' } })
      expect([method, answer.status, answer.headers.get('Allow')]).toEqual([method, 405, 'GET, HEAD'])
    }
  })

  it.each([
    '/docs/nothing',
    '/docs/index',
    '/docs/index.html',
    '/docs/api.html',
    '/docs/api/x',
    '/docs/../openapi.json.gz',
    '/docs/..%2f..%2fsrc%2findex.ts',
    '/docs/%2e%2e/%2e%2e/package.json',
    '/docs/.svg',
    '/openapi.yaml',
    '/openapi.json/x',
  ])('%s is 404', async (path) => {
    expectRefusal(await get(path, { Accept: 'application/json' }), 404, '')
  })

  it('a page with a trailing slash is the same page', async () => {
    expect((await get('/docs/api/')).text).toBe((await get('/docs/api')).text)
  })
})

describe('the address in the pages', () => {
  const command = (origin: string) => `key-manager public ${origin}\n`

  it('the address of the request is in the commands', async () => {
    expect((await get('/docs/openstack')).text).toContain(command(base))
    for (const [path, { text }] of html()) expect([path, text.includes('https://keys.example')]).toEqual([path, false])
  })

  it('HOST_HREF is in the commands if it is set, and changes the tag of the page', async () => {
    const other = isolate({ HOST_HREF: 'https://keys.example.org:8443/kms' })
    const [answer, own] = [await other('GET', '/docs/openstack'), await get('/docs/openstack')]
    expect(answer.text).toContain(command('https://keys.example.org:8443/kms'))
    expect(answer.headers.get('ETag')).not.toBe(own.headers.get('ETag'))
  })

  it('markup in HOST_HREF stays text, and a style in it is not admitted', async () => {
    const address = 'https://kms.example/<style>*{color:red}</style>"\'&'
    const answer = await isolate({ HOST_HREF: address })('GET', '/docs/openstack')
    expect(answer.text).toContain(
      command('https://kms.example/&lt;style&gt;*{color:red}&lt;/style&gt;&quot;&#x27;&amp;'),
    )
    expect(answer.headers.get('Content-Security-Policy')).toBe(
      (await get('/docs/openstack')).headers.get('Content-Security-Policy'),
    )
  })

  it('a host that is no name is refused before it gets into a page', async () => {
    const answer = await get("https://a'b/docs/openstack")
    expect([answer.status, answer.text.includes("a'b")]).toEqual([400, false])
  })

  it('the pages are there while the configuration is invalid', async () => {
    const answer = await isolate({ POLICY: 'nonsense', MASTER_KEYS: undefined })('GET', '/docs/configuration')
    expect([answer.status, answer.text.includes('<h1')]).toEqual([200, true])
  })

  it('plain HTTP is refused, as for every route that shows the address', async () => {
    expect((await get('http://kms.example/docs')).status).toBe(403)
  })
})
