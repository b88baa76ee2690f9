/** The parts of a URL that the service reads without a parser equal those that a parser reads. */
import { describe, expect, it } from 'vitest'
import { originOf, queryOf, routedPath } from '../../src/wire/http/request-url.ts'

const parsed = (url: string) => {
  const { pathname, origin } = new URL(url)
  const path = pathname.replaceAll(/%2f/gi, '/').replaceAll(/\/{2,}/g, '/')
  return { path: path.length > 1 ? path.replace(/\/$/, '') : path, origin }
}

const authorities = [
  'http://service.example',
  'https://service.example:8443',
  'http://service.example:80',
  'https://Service.Example:443',
  'http://[::1]:9311',
  'http://127.1:9311',
  'http://user:password@service.example',
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
