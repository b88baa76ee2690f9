/** Paths: their spellings, unknown routes, HEAD and OPTIONS, the base of refs, and paths that name the project. */
import { beforeAll, describe, expect, it } from 'vitest'
import { base, call, type Request } from '../support/client.ts'
import { either, itDiffers } from '../support/differences.ts'
import { callAs, owner, type Person } from '../support/people.ts'
import { idOf, secret } from '../support/stored.ts'
import { expectRefusal } from '../support/refusals.ts'

const UNKNOWN = '6a1a6a3e-22a7-4c5b-8d60-52a1ad3fd25b'
const key = { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } }

let who: Person
let secretId: string
let orderId: string
beforeAll(async () => {
  who = await owner()
  secretId = idOf(await secret(who, { payload: 'x', payload_content_type: 'text/plain' }))
  orderId = idOf((await send('POST', '/v1/orders', { json: key })).json.order_ref)
})

const sendAsOwner = callAs(() => who)
const send = (method: string, path: string, request: Request = {}) =>
  sendAsOwner(method, path.replace('{secret}', secretId).replace('{order}', orderId), request)

describe('the spelling of a path', () => {
  it.each([
    [
      '/v1/secrets',
      [
        '/v1/secrets/',
        '/v1//secrets',
        '//v1/secrets',
        '/v1/secrets//',
        '/v1%2Fsecrets',
        '/v1%2fsecrets',
        '/v1/%73ecrets',
        '/%761/%73%65crets',
      ],
    ],
    [
      '/v1/secrets/{secret}',
      ['/v1/secrets/{secret}/', '/v1/secrets//{secret}', '/v1/secrets%2F{secret}', '/v1/secret%73/{secret}'],
    ],
    [
      '/v1/secrets/{secret}/payload',
      ['/v1/secrets/{secret}/payload/', '/v1//secrets//{secret}//payload', '/v1/secrets/{secret}%2Fpayload%2F'],
    ],
    ['/v1/orders', ['/v1/orders/', '/v1//orders/']],
    ['/v1/orders/{order}', ['/v1/orders/{order}/', '/v1//orders//{order}', '/v1%2Forders%2F{order}']],
  ])('the path %s may be written as %j', async (path, spellings) => {
    const plain = await send('GET', path)
    expect(plain.status).toBe(200)
    for (const spelling of spellings) {
      const answer = await send('GET', spelling)
      expect([spelling, answer.status, answer.text]).toEqual([spelling, 200, plain.text])
    }
  })

  it('a path is decoded once', async () => {
    for (const path of ['/v1/%2573ecrets', '/v1/secrets%252Fx', '/v1/%53ecrets']) {
      expectRefusal(await send('GET', path), 404, '')
    }
  })

  it('a path may end with a slash before a query', async () => {
    const { json } = await send('GET', '/v1/secrets/?&limit=1&offset=0')
    expect(json.secrets).toHaveLength(1)
  })

  it('a path is accepted in lower case only', async () => {
    for (const path of ['/v1/SECRETS', '/v1/Secrets', '/v1/Orders']) {
      expectRefusal(await send('GET', path), 404, '')
    }
  })
})

describe('a path that is no route', () => {
  it.each([
    '/v1/foo',
    '/v1/ca',
    '/v1/consumers',
    '/v1/secret_stores',
    '/v1/transport-keys',
    '/v1/foo/bar',
    '/v1/secrets/{secret}/foo',
    '/v1/a/b/c/d/e/f',
  ])('the unknown path %s is 404', async (path) => {
    expectRefusal(await send('GET', path), 404, '')
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await send(method, path)
      expect([method, answer.status, answer.json.code, answer.json.title]).toEqual([method, 404, 404, 'Not Found'])
    }
  })

  it.each(['secrets', 'orders', 'payload', 'index'])('the word %s is no id, so its path is 404', async (name) => {
    expectRefusal(await send('GET', `/v1/orders/${name}x`), 404, 'Order not found.')
    expectRefusal(await send('GET', `/v1/secrets/${name}x`), 404, 'Not Found. Provided secret id is invalid.')
  })

  itDiffers('no stray segments').each([
    '/v1/secrets/{secret}/payload/x',
    '/v1/orders/{order}/foo',
    '/v1/orders/{order}/secrets',
  ])('a path below a leaf is 404: %s', async (path) => {
    expectRefusal(await send('GET', path), 404, '')
  })

  itDiffers('no stray suffixes')('a path with a file extension or index is 404', async () => {
    const invalid = 'Not Found. Provided secret id is invalid.'
    expectRefusal(await send('GET', '/v1/secrets.json'), 404, '')
    expectRefusal(await send('GET', '/v1/index'), 404, '')
    expectRefusal(await send('GET', '/v1/secrets/{secret}.json'), 404, invalid)
    expectRefusal(await send('GET', '/v1/secrets/index'), 404, invalid)
    expectRefusal(await send('GET', '/v1/orders/index'), 404, 'Order not found.')
  })

  it('a path with an unknown extension is 404', async () => {
    const description = either('no stray suffixes', { ours: '', peer: null })
    expectRefusal(await send('GET', '/v1/secrets.txt'), 404, description)
  })

  itDiffers('always an answer').each(['/v1/secrets/%ff', '/v1/secrets/_lookup', '/v1/secrets/%', '/v1/secrets/%00'])(
    'a path with unusual characters is 404: %s',
    async (path) => {
      expect((await send('GET', path)).status).toBe(404)
    },
  )
})

describe('HEAD', () => {
  it.each([
    '/v1',
    '/v1/secrets',
    '/v1/secrets/{secret}',
    '/v1/secrets/{secret}/payload',
    '/v1/orders',
    '/v1/orders/{order}',
  ])('HEAD is 405 without a body: %s', async (path) => {
    const answer = await send('HEAD', path)
    expect(answer.status).toBe(405)
    expect(answer.bytes).toHaveLength(0)
  })

  it.each(['/v1/foo', `/v1/secrets/${UNKNOWN}`, `/v1/orders/${UNKNOWN}`])(
    'HEAD is 404 for an absent route or entity: %s',
    async (path) => {
      const answer = await send('HEAD', path)
      expect(answer.status).toBe(404)
      expect(answer.bytes).toHaveLength(0)
    },
  )
})

describe('OPTIONS', () => {
  it.each(['/', '/v1', '/v1/secrets', '/v1/secrets/{secret}', '/v1/foo', '/foo', '/v1/orders/{order}'])(
    'OPTIONS is 200 without a body, with and without a token: %s',
    async (path) => {
      for (const token of [who.token, undefined]) {
        const answer = await send('OPTIONS', path, { token })
        expect(answer.status).toBe(200)
        expect(answer.bytes).toHaveLength(0)
      }
    },
  )

  it('OPTIONS admits no pages of other origins', async () => {
    const headers = { Origin: 'http://web.example', 'Access-Control-Request-Method': 'GET' }
    for (const answer of [
      await send('OPTIONS', '/v1/secrets', { headers }),
      await send('GET', '/v1/secrets', { headers }),
      await send('GET', '/', { headers }),
    ]) {
      const names = [...answer.headers.keys()]
      expect(names.filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
  })
})

describe('the base of refs', () => {
  it.each(['X-Forwarded-Host', 'X-Forwarded-Prefix', 'Forwarded'])(
    'the base of refs is not taken from %s',
    async (name) => {
      const answer = await send('POST', '/v1/secrets', { json: {}, headers: { [name]: 'host=evil.example' } })
      expect(answer.json.secret_ref.startsWith(`${base}/v1/secrets/`)).toBe(true)
    },
  )
})

describe('a tenant path', () => {
  const tenant = (person: Person = who) => `/v1/${person.projectId}`

  itDiffers('tenant paths')(
    'a tenant path serves creation, reading, filling and deletion of secrets, and its refs name the tenant',
    async () => {
      const made = await send('POST', `${tenant()}/secrets`, { json: { name: 'tenant' } })
      expect(made.status).toBe(201)
      const ref: string = made.json.secret_ref
      expect(ref).toMatch(new RegExp(`^${base}${tenant()}/secrets/[0-9a-f-]{36}$`))
      expect(made.headers.get('Location')).toBe(ref)
      expect((await send('PUT', ref, { body: 'x', headers: { 'Content-Type': 'text/plain' } })).status).toBe(204)
      expect((await send('GET', ref)).json).toMatchObject({ name: 'tenant', secret_ref: ref })
      expect((await send('GET', `${ref}/payload`)).text).toBe('x')
      expect((await send('GET', `/v1/secrets/${idOf(ref)}`)).json.secret_ref).toBe(`${base}/v1/secrets/${idOf(ref)}`)
      expect((await send('DELETE', ref)).status).toBe(204)
      expectRefusal(await send('GET', ref), 404, 'Secret not found.')
    },
  )

  itDiffers('tenant paths')('a tenant path serves the list, whose links name the tenant', async () => {
    const lister = await owner()
    const list = `${tenant(lister)}/secrets`
    for (let i = 0; i < 3; i += 1) await secret(lister)
    const { json } = await call('GET', `${list}?limit=1&offset=1`, { token: lister.token })
    expect(json).toMatchObject({
      previous: `${base}${list}?limit=1&offset=0`,
      next: `${base}${list}?limit=1&offset=2`,
      total: 3,
    })
    expect(json.secrets[0].secret_ref.startsWith(`${base}${list}/`)).toBe(true)
    const next = await call('GET', json.next, { token: lister.token })
    expect(next.json.secrets).toHaveLength(1)
    expect(next.json.secrets[0].secret_ref).not.toBe(json.secrets[0].secret_ref)
  })

  itDiffers('tenant paths')('a tenant path serves orders, whose refs and results name the tenant', async () => {
    const placed = await send('POST', `${tenant()}/orders/`, { json: key })
    expect(placed.status).toBe(202)
    const ref: string = placed.json.order_ref
    expect(ref.startsWith(`${base}${tenant()}/orders/`)).toBe(true)
    const { json: order } = await send('GET', ref)
    expect(order.order_ref).toBe(ref)
    expect(order.secret_ref.startsWith(`${base}${tenant()}/secrets/`)).toBe(true)
    expect((await send('GET', `${order.secret_ref}/payload`)).bytes).toHaveLength(16)
    const { json: list } = await send('GET', `${tenant()}/orders?limit=100`)
    expect(list.orders).toContainEqual(order)
    expect((await send('DELETE', ref)).status).toBe(204)
  })

  itDiffers('tenant paths')('a tenant path serves only the token’s own project', async () => {
    const stranger = await owner()
    for (const [method, path] of [
      ['GET', '/secrets'],
      ['POST', '/secrets'],
      ['GET', '/secrets/{secret}'],
      ['GET', '/secrets/{secret}/payload'],
      ['PUT', '/secrets/{secret}'],
      ['DELETE', '/secrets/{secret}'],
      ['GET', '/orders'],
      ['POST', '/orders'],
      ['GET', '/orders/{order}'],
      ['DELETE', '/orders/{order}'],
    ] as const) {
      const answer = await send(method, tenant() + path, { token: stranger.token })
      expect([method, path, answer.status]).toEqual([method, path, 403])
      expect(answer.json).toMatchObject({ code: 403, title: 'Forbidden' })
    }
    expect((await send('GET', `${tenant()}/secrets/{secret}`)).status).toBe(200)
  })

  itDiffers('tenant paths')('a tenant path of the own project is 403 for a secret of another', async () => {
    const stranger = await owner()
    const answer = await send('GET', `${tenant(stranger)}/secrets/{secret}`, { token: stranger.token })
    expect(answer.status).toBe(403)
  })

  itDiffers('tenant paths')('a tenant path has the errors of the plain path', async () => {
    expectRefusal(await send('GET', `${tenant()}/secrets/${UNKNOWN}`), 404, 'Secret not found.')
    expectRefusal(await send('GET', `${tenant()}/orders/x`), 404, 'Order not found.')
    expectRefusal(await send('PATCH', `${tenant()}/secrets`), 405, '')
    expectRefusal(
      await send('POST', `${tenant()}/secrets`, { body: '', headers: { 'Content-Type': 'application/json' } }),
      400,
      'Malformed JSON',
    )
    expect((await call('GET', `${tenant()}/secrets`)).status).toBe(401)
  })

  it('a tenant path without anything behind the project is no route', async () => {
    expectRefusal(await send('GET', tenant()), 404, '')
    expectRefusal(await send('GET', `${tenant()}/foo`), 404, '')
  })
})
