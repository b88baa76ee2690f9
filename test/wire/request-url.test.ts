/** The parts of a URL that the service reads without a parser equal those that a parser reads. */
import { describe, expect, it } from 'vitest'
import { isLoopback, transportOf, originOf, queryOf, routedPath } from '../../src/wire/http/request-url.ts'

const parsed = (url: string) => {
  const { pathname, origin } = new URL(url)
  const unreserved = pathname.replaceAll(/%[0-9a-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16))
    return /[A-Za-z0-9._~-]/.test(character) ? character : encoded
  })
  const path = unreserved.replaceAll(/%2f/gi, '/').replaceAll(/\/{2,}/g, '/')
  return { path: path.length > 1 ? path.replace(/\/$/, '') : path, origin }
}

const authorities = [
  'http://service.example',
  'https://service.example:8443',
  'http://service.example:80',
  'https://Service.Example:443',
  'http://[::1]:9311',
  'http://127.1:9311',
  'http://service.example\\other',
]

const paths = [
  '',
  '/',
  '//',
  '/v1',
  '/v1/',
  '/v1/secrets/0b1c2d3e-0000-4000-8000-000000000000',
  '/v1//secrets',
  '/v1%2Fsecrets',
  '/v1/./secrets',
  '/v1/../v1/secrets',
  '/v1/%2e%2e/secrets',
  '/v1/secrets\\payload',
  '/v1/sécrets',
  '/v1/secrets;a=b',
  '?next=/v1/secrets',
  '/?next=/v1/secrets',
  '/v1/secrets?name=/v1/orders',
  '/v1/secrets?limit=1&limit=2',
  '/v1/secrets#/v1/orders',
  '/v1/se\tcrets',
  '/v1/%73ecrets',
  '/v1/%2573ecrets',
  '/v1/a%2E%2e%7E%2D%5f%40%5B%60%7B%2F%20%C3%A4',
]

describe.each(authorities)('the URL of a request to %s', (authority) => {
  it.each(paths)(`the URL of a request to ${authority} is read as a parser reads it: %s`, (path) => {
    const url = authority + path
    expect({ path: routedPath({ url }), origin: originOf(url) }).toEqual(parsed(url))
    expect([...queryOf(url)]).toEqual([...new URL(url).searchParams])
  })
})

it('the origin is that of each request, not of the one before', () => {
  const urls = ['http://one.example/v1', 'http://two.example/v1', 'http://one.example/v1', 'http://TWO.example/v1']
  expect(urls.map(originOf)).toEqual([
    'http://one.example',
    'http://two.example',
    'http://one.example',
    'http://two.example',
  ])
})

describe('a host that is none', () => {
  const rest = '/v1//secrets/?name=a&limit=1'
  it.each([
    'a"b',
    'a"b:80',
    "a'b",
    'a<b>',
    'a;b',
    'a,b',
    'a(b)',
    'a{b}',
    'a`b',
    'a b',
    'a%22b',
    'a\u0000b',
    'user@service.example',
    'user:password@service.example',
    ':80',
    ':::',
    'a:99999999',
    'a:b',
    '[::1',
    '[x]',
    '-',
    '1.2.3.4.5',
  ])('the host %j is refused, and the rest of the URL is read', (host) => {
    const url = `http://${host}${rest}`
    expect(() => originOf(url)).toThrow(expect.objectContaining({ failure: 'hostInvalid' }))
    expect(routedPath({ url })).toBe('/v1/secrets')
    expect([...queryOf(url)]).toEqual([
      ['name', 'a'],
      ['limit', '1'],
    ])
  })
})

it.each<[string, boolean]>([
  ['http://localhost:9311', true],
  ['http://a.localhost', true],
  ['http://127.0.0.1:9311', true],
  ['http://127.9.9.9', true],
  ['http://[::1]:9311', true],
  ['https://service.example', false],
  ['http://localhost.example', false],
  ['http://127.0.0.1.example', false],
  ['http://10.0.0.1', false],
])('whether the origin %s is loopback: %s', (origin, loopback) => {
  expect(isLoopback(origin)).toBe(loopback)
})

it.each([
  ['https://service.example/v1', 'https'],
  ['HTTPS://SERVICE.example/v1?a=http://localhost/', 'https'],
  ['https://service.example:80/v1', 'https'],
  ['https://a"b/v1', 'https'],
  ['https://localhost:8787/v1', 'loopback'],
  ['http://127.0.0.1:9311/v1', 'loopback'],
  ['http://[::1]:9311/v1?a', 'loopback'],
  ['http://a.localhost/', 'loopback'],
  ['http://service.example/v1', 'http'],
  ['http://service.example:443/v1', 'http'],
  ['http://localhost.example/v1', 'http'],
  ['http://localhost@service.example/v1', 'http'],
  ['http://10.0.0.1:9311/v1', 'http'],
  ['http://a"b/v1', 'http'],
])('the transport of %s is %s', (url, transport) => {
  expect([transportOf(url), transportOf(url)]).toEqual([transport, transport])
})
