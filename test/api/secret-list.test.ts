/** The list of secrets: filters, date filters, sort and pages. */
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { base, call } from '../support/client.ts'
import { differs, either, itDiffers, onPeer } from '../support/differences.ts'
import { owner, type Person } from '../support/people.ts'
import { secret } from '../support/stored.ts'
import { badQuery, expectRefusal } from '../support/refusals.ts'

interface Entry {
  readonly secret_ref: string
  readonly name: string | null
  readonly created: string
}

let who: Person
const refs = new Map<string, string>()

/** The secrets of the list, oldest first; the names identify them. */
const stock: Readonly<Record<string, object>> = {
  alpha: { algorithm: 'aes', mode: 'cbc', bit_length: 256, secret_type: 'symmetric' },
  beta: { algorithm: 'AES', mode: 'gcm', bit_length: 128, secret_type: 'symmetric', expiration: '2998-01-01' },
  gamma: { algorithm: 'rsa', bit_length: 2048, secret_type: 'private', expiration: '2999-06-15T12:00:00' },
  'a b+c': { secret_type: 'opaque', expiration: '3000-01-01' },
  '100%_\\': { mode: 'cbc', bit_length: 256 },
  Zeta: { payload: 'x', payload_content_type: 'text/plain' },
}
const names = Object.keys(stock)

beforeAll(async () => {
  who = await owner()
  for (const [name, members] of Object.entries(stock)) refs.set(name, await secret(who, { name, ...members }))
})

const list = (query = '', by: Person = who) => call('GET', `/v1/secrets${query}`, { token: by.token })

/** Returns the names of the secrets that a query finds. */
async function found(query: string): Promise<(string | null)[]> {
  const { json } = await list(`?${query}`)
  expect(json.total).toBe(json.secrets.length)
  return json.secrets.map(({ name }: Entry) => name)
}

const sorted = (all: readonly (string | null)[]) =>
  all.toSorted((one, other) => String(one).localeCompare(String(other)))

describe('GET /v1/secrets', () => {
  it('GET /v1/secrets lists the project’s secrets, each as GET shows it', async () => {
    const answer = await list()
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Content-Type')).toBe('application/json')
    expect(Object.keys(answer.json)).toEqual(['secrets', 'total'])
    expect(answer.json.total).toBe(names.length)
    for (const entry of answer.json.secrets) {
      expect((await call('GET', entry.secret_ref, { token: who.token })).json).toEqual(entry)
    }
  })

  itDiffers('oldest first')('GET /v1/secrets lists secrets oldest first', async () => {
    expect(await found('limit=100')).toEqual(names)
  })

  it('GET /v1/secrets lists nothing of another project', async () => {
    const stranger = await owner()
    expect((await list('', stranger)).json).toEqual({ secrets: [], total: 0 })
  })

  it('GET /v1/secrets never shows a payload', async () => {
    expect((await list()).text).not.toContain('"payload"')
  })
})

describe('a filter', () => {
  it.each<[string, readonly string[]]>([
    ['name=alpha', ['alpha']],
    ['name=alph', []],
    ['name=', names],
    ['alg=aes', ['alpha', 'beta']],
    ['alg=AES', ['alpha', 'beta']],
    ['alg=rsa', ['gamma']],
    ['alg=none', []],
    ['alg=', names],
    ['algorithm=none', names],
    ['mode=cbc', ['alpha', '100%_\\']],
    ['mode=CBC', ['alpha', '100%_\\']],
    ['mode=', names],
    ['bits=256', ['alpha', '100%_\\']],
    ['bits=%20256%20', ['alpha', '100%_\\']],
    ['bits=1', []],
    ['bits=0', names],
    ['bits=-256', names],
    ['bits=abc', names],
    ['bits=1.5', names],
    ['bits=', names],
    ['bit_length=1', names],
    ['secret_type=symmetric', ['alpha', 'beta']],
    ['secret_type=SYMMETRIC', ['alpha', 'beta']],
    ['secret_type=opaque', ['a b+c', '100%_\\', 'Zeta']],
    ['secret_type=foo', []],
    ['secret_type=', names],
    ['alg=aes&bits=128', ['beta']],
    ['alg=aes&mode=cbc&bits=256&secret_type=symmetric&name=alpha', ['alpha']],
    ['acl_only=maybe', names],
    ['status=ERROR', names],
    ['foo=bar', names],
    ['&limit=50&&offset=0', names],
  ])('the filter %j finds %j', async (query, expected) => {
    expect(sorted(await found(query))).toEqual(sorted(expected))
  })

  it('the filter acl_only finds no secret that no ACL opens to the user', async () => {
    expect(await found('acl_only=true')).toEqual([])
    expect(await found('acl_only=TRUE')).toEqual([])
  })

  it('a filter by another name finds nothing', async () => {
    expect((await list('?name=nothing')).json).toEqual({ secrets: [], total: 0 })
  })

  itDiffers('exact names').each(names)('a filter by the name %j finds exactly that secret', async (name) => {
    expect(await found(`name=${encodeURIComponent(name)}`)).toEqual([name])
  })

  itDiffers('exact names').each(['%', '_____', 'alph%', 'ALPHA', 'zeta', 'Álpha', 'a b c', 'a%20b%2Bc'])(
    'a filter by the name %j finds nothing',
    async (name) => {
      expect(await found(`name=${encodeURIComponent(name)}`)).toEqual([])
    },
  )

  itDiffers('exact algorithms')('a filter compares the characters of an algorithm and a mode literally', async () => {
    expect(await found('alg=%25')).toEqual([])
    expect(await found('alg=a_s')).toEqual([])
    expect(await found('mode=c%25')).toEqual([])
  })

  itDiffers('repeated parameters')('of a repeated filter the last one counts', async () => {
    expect(await found('name=alpha&name=beta')).toEqual(['beta'])
    expect(await found('limit=1&limit=50')).toEqual(names)
  })

  itDiffers('no reserved names').each(['external_project_id=x', 'project_id=3', 'inst=x', '__proto__=x'])(
    'the parameter %s does not filter',
    async (query) => {
      expect(await found(query)).toEqual(names)
    },
  )

  itDiffers('any character')('a filter by any name finds the secrets of that name', { timeout: 60_000 }, async () => {
    const collector = await owner()
    // The brackets keep white space at the ends of the text from being stripped.
    const texts = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => `<${text}>`)
    await fc.assert(
      fc.asyncProperty(texts, async (name) => {
        const ref = await secret(collector, { name })
        const { json } = await list(`?name=${encodeURIComponent(name)}&limit=100&sort=created:desc`, collector)
        expect(json.secrets[0].secret_ref).toBe(ref)
        expect(json.secrets.every((entry: Entry) => entry.name === name)).toBe(true)
      }),
      { numRuns: 60, examples: [['%'], ['a_b'], ["'"], ['😀'], ['\u0000x'], ['[a-z]*']] },
    )
  })
})

describe('a date filter', () => {
  it.each<[string, readonly string[]]>([
    ['expiration=2998-01-01', ['beta']],
    ['expiration=2998-01-01T00:00:00Z', ['beta']],
    ['expiration=gt:2998-01-01', ['gamma', 'a b+c']],
    ['expiration=gte:2998-01-01', ['beta', 'gamma', 'a b+c']],
    ['expiration=lt:2999-06-15T12:00:00', ['beta']],
    ['expiration=lte:2999-06-15T12:00:00', ['beta', 'gamma']],
    ['expiration=gt:2998-01-01,lt:3000-01-01', ['gamma']],
    ['expiration=2998-01-01,lt:2999-01-01', ['beta']],
    ['expiration=2998-01-01,gt:2999-01-01', []],
    ['expiration=', names],
    ['created=gt:2020-01-01', names],
    ['created=lt:2020-01-01', []],
    ['updated=gt:2020,lt:9999', names],
    ['updated=gt:9000', []],
    ['created=', names],
    ['created=gt:2020-01-01&name=alpha', ['alpha']],
  ])('the date filter %j finds %j', async (query, expected) => {
    expect(sorted(await found(query))).toEqual(sorted(expected))
  })

  itDiffers('filters in UTC')('a date filter with an offset is converted to UTC', async () => {
    expect(await found('expiration=2998-01-01T02:00:00%2B02:00')).toEqual(['beta'])
    expect(await found('expiration=2998-01-01T00:00:00%2B02:00')).toEqual([])
  })

  it('a date filter finds a secret by its own times', async () => {
    const { json } = await list('?limit=1')
    const [first] = json.secrets
    expect(await found(`created=${first.created}&limit=100`)).toContain(first.name)
    expect(await found(`created=gt:${first.created}&limit=100`)).not.toContain(first.name)
    expect(await found(`created=gte:${first.created}&limit=100`)).toContain(first.name)
    expect(await found(`updated=lt:${first.updated}&limit=100`)).not.toContain(first.name)
  })

  it.each([
    'foo',
    'eq:2020-01-01',
    'GT:2020-01-01',
    'gt:',
    ',',
    '2020-01-01,',
    'gt:2020-01-01,gt:2021-01-01',
    'gt:2020-01-01,gte:2021-01-01',
    'lt:2020-01-01,lte:2021-01-01',
    '2020-01-01,2021-01-01',
    '2020-01-01,gte:2020-01-01',
    '2020-01-01,lte:2020-01-01',
    '2020-01-01T00:00:00+02:00',
    '2020-13-01',
    '1577836800',
  ])('the date filter %j is 400', async (value) => {
    for (const name of ['created', 'updated', 'expiration']) {
      expectRefusal(await list(`?${name}=${value}`), 400, badQuery)
    }
  })
})

describe('sort', () => {
  it.each<[string, readonly string[]]>([
    ['sort=name', ['100%_\\', 'a b+c', 'alpha', 'beta', 'gamma', 'Zeta']],
    ['sort=name:asc', ['100%_\\', 'a b+c', 'alpha', 'beta', 'gamma', 'Zeta']],
    ['sort=name:desc', ['Zeta', 'gamma', 'beta', 'alpha', 'a b+c', '100%_\\']],
    ['sort=expiration:desc&limit=3', ['a b+c', 'gamma', 'beta']],
    ['sort=bit_length:desc,name&limit=4', ['gamma', '100%_\\', 'alpha', 'beta']],
    ['sort=secret_type,name', ['100%_\\', 'a b+c', 'Zeta', 'gamma', 'alpha', 'beta']],
    ['sort=mode:desc,name:desc&limit=3', ['beta', 'alpha', '100%_\\']],
    ['sort=status,name:desc&limit=2', ['Zeta', 'gamma']],
    ['sort=algorithm:desc,bit_length&limit=3', ['gamma', 'beta', 'alpha']],
  ])('the sort %j orders by %j', async (query, expected) => {
    const { json } = await list(`?${query}`)
    expect(json.secrets.map(({ name }: Entry) => name)).toEqual(expected)
  })

  it('a sort puts a missing value first, and last when descending', async () => {
    const ascending = await found('sort=expiration')
    expect(sorted(ascending.slice(0, 3))).toEqual(sorted(['alpha', '100%_\\', 'Zeta']))
    expect(ascending.slice(3)).toEqual(['beta', 'gamma', 'a b+c'])
    expect(sorted((await found('sort=expiration:desc')).slice(3))).toEqual(sorted(['alpha', '100%_\\', 'Zeta']))
  })

  itDiffers('stable ties')('a sort keeps secrets that are alike in the order of their creation', async () => {
    expect(await found('sort=status')).toEqual(names)
    expect(await found('sort=status:desc')).toEqual(names)
    expect(await found('sort=secret_type:desc')).toEqual(['alpha', 'beta', 'gamma', 'a b+c', '100%_\\', 'Zeta'])
    expect(await found('sort=expiration')).toEqual(['alpha', '100%_\\', 'Zeta', 'beta', 'gamma', 'a b+c'])
    expect(await found('sort=created:desc')).toEqual(names.toReversed())
  })

  it('a sort may be empty', async () => {
    expect(sorted(await found('sort='))).toEqual(sorted(names))
  })

  it.each([
    'bits',
    'alg',
    'id',
    'creator_id',
    'NAME',
    'name:up',
    'name:ASC',
    'name:',
    'name:asc:desc',
    'name,name',
    'name:asc,name:desc',
    'name,',
    ',',
    'name, mode',
    'seq',
    'sealed',
  ])('the sort %j is 400', async (value) => {
    expectRefusal(await list(`?sort=${encodeURIComponent(value)}`), 400, badQuery)
  })
})

describe('a page', () => {
  const at = (limit: number, offset: number) => `${base}/v1/secrets?limit=${limit}&offset=${offset}`

  it.each<[string, members: object, count: number]>([
    ['', {}, 6],
    ['limit=2', { next: at(2, 2) }, 2],
    ['limit=2&offset=2', { previous: at(2, 0), next: at(2, 4) }, 2],
    ['limit=2&offset=4', { previous: at(2, 2) }, 2],
    ['limit=2&offset=1', { previous: at(2, 0), next: at(2, 3) }, 2],
    ['limit=2&offset=5', { previous: at(2, 3) }, 1],
    ['limit=0', { next: at(1, 1) }, 1],
    ['limit=-5', { next: at(1, 1) }, 1],
    ['limit=1.5', {}, 6],
    ['limit=abc&offset=3', { previous: at(10, 0) }, 3],
    ['limit=1000&offset=1', { previous: at(100, 0) }, 5],
    ['limit=99999999999999999999', {}, 6],
    ['limit=%205%20', { next: at(5, 5) }, 5],
    ['limit=%2B5', { next: at(5, 5) }, 5],
    ['limit=1_0', {}, 6],
    ['offset=-1', {}, 6],
    ['offset=abc', {}, 6],
    ['offset=9223372036854775808', {}, 6],
    ['limit=2&offset=6', {}, 0],
    ['offset=100', {}, 0],
    ['offset=9223372036854775807', {}, 0],
  ])('the page of %j has the links %j and %d secrets', async (query, links, count) => {
    const { json } = await list(`?${query}`)
    const { secrets, ...rest } = json
    expect(rest).toEqual({ ...links, total: names.length })
    expect(secrets).toHaveLength(count)
  })

  it('a page has its members in the order of the contract', async () => {
    expect(Object.keys((await list('?limit=2&offset=2')).json)).toEqual(['secrets', 'previous', 'next', 'total'])
  })

  it('a page has the total of what the filter finds', async () => {
    const { json } = await list('?alg=aes&limit=1')
    expect(json.total).toBe(2)
    expect(json.secrets).toHaveLength(1)
    expect(json.next).toBe(either('links keep the query', { ours: `${at(1, 1)}&alg=aes`, peer: at(1, 1) }))
  })

  itDiffers('links keep the query')('a page has links with the rest of the query', async () => {
    const { json } = await list('?foo=a%20b&sort=name%3Adesc&limit=2&created=gt:2020-01-01T00:00:00%2B01:00')
    expect(json.next).toBe(`${at(2, 2)}&foo=a+b&sort=name%3Adesc&created=gt%3A2020-01-01T00%3A00%3A00%2B01%3A00`)
    const next = await call('GET', json.next, { token: who.token })
    expect(next.json.secrets.map(({ name }: Entry) => name)).toEqual(['beta', 'alpha'])
  })

  it('the pages lead through all secrets, each once', { timeout: 120_000 }, async () => {
    const collector = await owner()
    const all: string[] = []
    for (let i = 0; i < 23; i += 1) all.push(await secret(collector, { name: `n${i % 3}` }))
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), async (limit) => {
        const seen: string[] = []
        for (let page = `/v1/secrets?limit=${limit}`; page;) {
          const { json } = await call('GET', page, { token: collector.token })
          expect(json.total).toBe(all.length)
          seen.push(...json.secrets.map((entry: Entry) => entry.secret_ref))
          page = json.next ?? ''
        }
        expect(seen.toSorted()).toEqual(all.toSorted())
        await differs('oldest first', () => expect(seen).toEqual(all))
      }),
      { numRuns: onPeer ? 5 : 20, examples: [[1], [22], [23], [24]] },
    )
  })

  itDiffers('oldest first')('a page stays the same while secrets are added', async () => {
    const collector = await owner()
    for (let i = 0; i < 3; i += 1) await secret(collector)
    const before = await list('?limit=2', collector)
    await secret(collector)
    const after = await list('?limit=2', collector)
    expect(after.json.secrets).toEqual(before.json.secrets)
  })
})
