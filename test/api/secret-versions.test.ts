/** Versions of secrets: their routes, conditional requests, and what Barbican's own routes show of them. */
import { beforeAll, describe, expect, it } from 'vitest'
import { base, call, type Request } from '../support/client.ts'
import { itDiffers } from '../support/differences.ts'
import { callAs, owner, person, type Person } from '../support/people.ts'
import { expectRefusal } from '../support/refusals.ts'
import { idOf, secret, tenantPath } from '../support/stored.ts'

const itIsOurs = itDiffers('versions of secrets')
const OCTETS = 'application/octet-stream'

let who: Person
const send = callAs(() => who)
beforeAll(async () => {
  who = await owner()
})

const text = (payload: string) => ({ payload, payload_content_type: 'text/plain' })
const post = (ref: string, json: object, headers: Record<string, string> = {}) =>
  send('POST', `${ref}/versions`, { json, headers })
const put = (ref: string, body: string, headers: Record<string, string> = {}) =>
  send('PUT', ref, { body, headers: { 'Content-Type': 'text/plain', ...headers } })
const payloadOf = (ref: string, request: Request = {}) =>
  send('GET', `${ref}/payload`, { headers: { Accept: 'text/plain' }, ...request })
const versioning = (ref: string, json: object) => send('PUT', `${ref}/versioning`, { json })
const patch = (ref: string, version: number, enabled: boolean) =>
  send('PATCH', `${ref}/versions/${version}`, { json: { enabled } })
const numbersOf = async (ref: string) =>
  (await send('GET', `${ref}/versions`)).json.versions.map(({ version }: { version: number }) => version)

/** A secret with these payloads, one after the other. */
async function withVersions(...payloads: readonly string[]): Promise<string> {
  const [first = '', ...others] = payloads
  const ref = await secret(who, text(first))
  for (const payload of others) expect((await post(ref, text(payload))).status).toBe(201)
  return ref
}

async function orderedKey(bits = 256): Promise<string> {
  const meta = { algorithm: 'aes', bit_length: bits, mode: 'cbc' }
  const order = await send('POST', '/v1/orders', { json: { type: 'key', meta } })
  return (await send('GET', order.json.order_ref)).json.secret_ref
}

describe('a new version of a secret', () => {
  itIsOurs('a new version of a secret is what every route of the secret shows from then on', async () => {
    const ref = await secret(who, text('one'))
    const made = await post(ref, { ...text('dHdv'), payload_content_type: OCTETS, payload_content_encoding: 'base64' })
    expect(made.status).toBe(201)
    expect(made.json).toEqual({ version_ref: `${ref}/versions/2`, version: 2, consumers: 0 })
    expect(made.headers.get('Location')).toBe(`${ref}/versions/2`)
    expect(made.headers.get('ETag')).toBe('"2"')
    const read = await payloadOf(ref)
    expect([read.text, read.headers.get('ETag')]).toEqual(['two', '"2"'])
    const deprecated = await send('GET', ref, { headers: { Accept: 'text/plain' } })
    expect([deprecated.text, deprecated.headers.get('ETag')]).toEqual(['two', '"2"'])
    const shown = await send('GET', ref)
    expect(shown.headers.get('ETag')).toBe('"2"')
    expect(shown.json.content_types).toEqual({ default: OCTETS })
    expect(Object.keys(shown.json).toSorted()).toEqual(
      Object.keys((await send('GET', await secret(who, text('x')))).json).toSorted(),
    )
  })

  itIsOurs('a new version of a secret leaves the older ones readable, by number and by name', async () => {
    const ref = await withVersions('one', 'two', 'three')
    for (const [version, payload] of Object.entries({
      1: 'one',
      2: 'two',
      3: 'three',
      current: 'three',
      previous: 'two',
    })) {
      const read = await payloadOf(`${ref}/versions/${version}`)
      expect([read.status, read.text]).toEqual([200, payload])
    }
    expect((await payloadOf(`${ref}/versions/1`)).headers.get('ETag')).toBe('"1"')
    const list = await send('GET', `${ref}/versions`)
    expect(list.status).toBe(200)
    expect(list.json.total).toBe(3)
    expect(list.json.versions).toMatchObject([
      { version: 3, status: 'CURRENT', origin: 'payload', version_ref: `${ref}/versions/3`, creator_id: who.userId },
      { version: 2, status: 'ENABLED', origin: 'payload', content_types: { default: 'text/plain' } },
      { version: 1, status: 'ENABLED', origin: 'payload', created: (await send('GET', ref)).json.created },
    ])
    expect((await send('GET', `${ref}/versions/previous`)).json).toEqual(list.json.versions[1])
    expect((await send('GET', `${ref}/versions/3`)).json).toEqual(list.json.versions[0])
  })

  itIsOurs('a new version of a secret has the links of the path that named the secret', async () => {
    const ref = await withVersions('one', 'two')
    const path = tenantPath(who, ref.replace(base, ''))
    const list = await send('GET', `${path}/versions`)
    expect(list.json.versions[0].version_ref).toBe(`${base}${path}/versions/2`)
    expect((await send('GET', `${path}/versions/1/payload`)).text).toBe('one')
    expect((await send('POST', `${path}/versions`, { json: text('three') })).json.version_ref).toBe(
      `${base}${path}/versions/3`,
    )
  })

  itIsOurs.each([
    ['image/gif', ''],
    ['text/html', ''],
    ['application/json', ''],
    ['TEXT/PLAIN', ''],
    ['TEXT/PLAIN; charset=UTF-8', ''],
    ['text/plain', '?trans_wrapped_session_key=abc'],
  ])('the payload of a version is refused as that of its secret: Accept %s, query %s', async (accept, query) => {
    const ref = await withVersions('one', 'two')
    const ask = async (path: string) => {
      const {
        status,
        json,
        text: words,
      } = await send('GET', `${path}/payload${query}`, { headers: { Accept: accept } })
      return [status, json ?? words]
    }
    const [status, words] = await ask(ref)
    expect(status).toBeGreaterThan(399)
    expect(await ask(`${ref}/versions/1`)).toEqual([status, words])
  })

  itIsOurs('a new version of a secret without payload is its first', async () => {
    const ref = await secret(who)
    expect((await send('GET', ref)).headers.get('ETag')).toBeNull()
    expect((await send('GET', `${ref}/versions`)).json).toEqual({ versions: [], total: 0 })
    expectRefusal(await send('GET', `${ref}/versions/current`), 404, 'Not Found. Secret version not found.')
    expectRefusal(await payloadOf(`${ref}/versions/current`), 404, 'Not Found. Sorry but your secret has no payload.')
    expect((await post(ref, text('one'))).json.version).toBe(1)
    expect(await numbersOf(ref)).toEqual([1])
    expect((await payloadOf(ref)).text).toBe('one')
  })

  itIsOurs('a new version of a secret may replace the expiration, which stays otherwise', async () => {
    const [early, late] = ['2098-01-01T00:00:00', '2099-01-01T00:00:00']
    const ref = await secret(who, { ...text('one'), expiration: early })
    const expiration = async () => (await send('GET', ref)).json.expiration
    await post(ref, text('two'))
    expect(await expiration()).toContain(early)
    await post(ref, { ...text('three'), expiration: late })
    expect(await expiration()).toContain(late)
    await post(ref, { ...text('four'), expiration: '' })
    expect(await expiration()).toBeNull()
    const past = await post(ref, { ...text('five'), expiration: '2020-01-01' })
    expect([past.status, past.json.description]).toEqual([
      400,
      expect.stringContaining("'expiration' is before current time"),
    ])
  })

  itIsOurs('a new version of a secret tells how many consumers there are to tell', async () => {
    const ref = await secret(who, text('one'))
    for (const id of ['a', 'b'])
      await send('POST', `${ref}/consumers`, { json: { service: 'image', resource_type: 'image', resource_id: id } })
    expect((await post(ref, text('two'))).json).toMatchObject({ version: 2, consumers: 2 })
  })

  itIsOurs.each([
    [{}, "exactly one of 'payload', 'generate' and 'restore' must be given"],
    [{ generate: true, restore: 1 }, "exactly one of 'payload', 'generate' and 'restore' must be given"],
    [{ ...text('x'), generate: true }, "exactly one of 'payload', 'generate' and 'restore' must be given"],
    [{ generate: false }, "exactly one of 'payload', 'generate' and 'restore' must be given"],
    [{ generate: 'yes' }, "'yes' is not of type 'boolean'"],
    [{ restore: 0 }, '0 is less than the minimum of 1'],
    [{ payload: 'x' }, "If 'payload' is supplied, 'payload_content_type' must also be supplied."],
    [{ payload_content_type: 'text/plain' }, 'payload must be provided when payload_content_type is specified'],
    [text(' '), "If 'payload' specified, must be non empty"],
    [{ ...text('x'), name: 'other' }, "Additional properties are not allowed ('name' was unexpected)"],
  ])('a new version of a secret is refused for the body %j', async (json, reason) => {
    const answer = await post(await secret(who, text('one')), json)
    expect(answer.status).toBe(400)
    expect(answer.json.description).toContain(`does not match schema 'Secret': ${reason}`)
  })

  itIsOurs('a new version of a secret is as large as a payload may be', async () => {
    const ref = await secret(who, text('one'))
    expect((await post(ref, text('x'.repeat(20_000)))).status).toBe(201)
    expect((await post(ref, text('x'.repeat(20_001)))).status).toBe(413)
  })
})

describe('a conditional request', () => {
  itIsOurs('a conditional request stores a version over the one that it names, and over no other', async () => {
    const ref = await withVersions('one', 'two')
    const refused = await post(ref, text('x'), { 'If-Match': '"1"' })
    expectRefusal(refused, 412, 'Precondition Failed. The secret has another current version.')
    expect(refused.json.title).toBe('Precondition Failed')
    expect((await post(ref, text('three'), { 'If-Match': '"2"' })).json.version).toBe(3)
    expect((await post(ref, text('four'), { 'If-Match': '"1", W/"3"' })).json.version).toBe(4)
    expect((await post(ref, text('five'), { 'If-Match': '*' })).json.version).toBe(5)
    for (const tags of ['5', '"05"', '""', '"4"'])
      expect((await post(ref, text('x'), { 'If-Match': tags })).status).toBe(412)
    expect((await post(ref, text('x'), { 'If-None-Match': '*' })).status).toBe(412)
    expect(await numbersOf(ref)).toEqual([5, 4, 3, 2, 1])
  })

  itIsOurs('a conditional request tells a secret without payload from one with', async () => {
    const ref = await secret(who)
    expect((await post(ref, text('x'), { 'If-Match': '*' })).status).toBe(412)
    expect((await put(ref, 'x', { 'If-Match': '"1"' })).status).toBe(412)
    expect((await post(ref, text('one'), { 'If-None-Match': '*' })).json.version).toBe(1)
    expect((await post(ref, text('x'), { 'If-None-Match': '*' })).status).toBe(412)
  })

  it('a PUT of a secret with a payload is refused, whatever its preconditions are, by a service without versions', async () => {
    const ref = await secret(who, text('one'))
    expectRefusal(await put(ref, 'two'), 409, 'Secret already has data, cannot modify it.')
    expectRefusal(await put(ref, 'two', { 'If-None-Match': '*' }), 409, 'Secret already has data, cannot modify it.')
    expect((await payloadOf(ref)).text).toBe('one')
  })

  itIsOurs('a conditional PUT makes a version', async () => {
    const ref = await secret(who, text('one'))
    expect((await put(ref, 'x', { 'If-Match': '"2"' })).status).toBe(412)
    const stored = await put(ref, ' two ', { 'If-Match': '"1"' })
    expect([stored.status, stored.headers.get('ETag')]).toEqual([204, '"2"'])
    expect((await payloadOf(ref)).text).toBe(' two ')
    expect((await payloadOf(`${ref}/versions/previous`)).text).toBe('one')
  })

  itIsOurs('a PUT makes a version of a secret that was set to take it', async () => {
    const ref = await secret(who, text('one'))
    expect((await versioning(ref, { put: 'replace' })).json.put).toBe('replace')
    expect((await put(ref, 'two')).status).toBe(204)
    expect((await put(ref, 'x', { 'If-None-Match': '*' })).status).toBe(412)
    expect((await put(ref, '')).status).toBe(400)
    expect((await payloadOf(ref)).text).toBe('two')
    await versioning(ref, { put: 'refuse' })
    expect((await put(ref, 'x')).status).toBe(409)
    expect(await numbersOf(ref)).toEqual([2, 1])
  })
})

describe('a restored version', () => {
  itIsOurs('a restored version is a new one with the content of the old', async () => {
    const ref = await withVersions('one', 'two')
    expect((await post(ref, { restore: 1 })).json.version).toBe(3)
    expect((await payloadOf(ref)).text).toBe('one')
    expect((await send('GET', `${ref}/versions/3`)).json).toMatchObject({
      origin: 'restored from 1',
      content_types: { default: 'text/plain' },
    })
    expect((await post(ref, { restore: 3 })).json.version).toBe(4)
    expectRefusal(await post(ref, { restore: 9 }), 404, 'Not Found. Secret version not found.')
  })

  itIsOurs('a restored version is neither disabled nor destroyed', async () => {
    const ref = await withVersions('one', 'two')
    await patch(ref, 1, false)
    expectRefusal(await post(ref, { restore: 1 }), 409, 'Conflict. Version 1 is disabled.')
    await send('DELETE', `${ref}/versions/1`)
    expectRefusal(await post(ref, { restore: 1 }), 409, 'Conflict. Version 1 is destroyed.')
  })
})

describe('a generated version', () => {
  itIsOurs('a generated version is a key of the length that the secret states', async () => {
    const ref = await orderedKey()
    const bytesOf = async (at: string) => (await payloadOf(at, { headers: { Accept: OCTETS } })).bytes
    const first = await bytesOf(ref)
    expect((await post(ref, { generate: true })).json.version).toBe(2)
    const second = await bytesOf(ref)
    expect([first.length, second.length]).toEqual([32, 32])
    expect(second).not.toEqual(first)
    expect(await bytesOf(`${ref}/versions/1`)).toEqual(first)
    const list = await send('GET', `${ref}/versions`)
    expect(list.json.versions.map(({ origin }: { origin: string }) => origin)).toEqual(['generated', 'generated'])
    expect((await send('GET', ref)).json.content_types).toEqual({ default: OCTETS })
  })

  itIsOurs('a generated version is the first of a secret that describes a key', async () => {
    const ref = await secret(who, { secret_type: 'symmetric', algorithm: 'AES', bit_length: 128 })
    expect((await post(ref, { generate: true })).json.version).toBe(1)
    const read = await payloadOf(ref, { headers: { Accept: OCTETS } })
    expect(read.bytes.length).toBe(16)
    expect((await send('GET', ref)).json.content_types).toEqual({ default: OCTETS })
  })

  itIsOurs.each([
    {},
    { secret_type: 'symmetric' },
    { secret_type: 'symmetric', algorithm: 'aes', bit_length: 127 },
    { secret_type: 'symmetric', algorithm: 'rot13', bit_length: 128 },
    { secret_type: 'opaque', algorithm: 'aes', bit_length: 128 },
    { secret_type: 'private', algorithm: 'rsa', bit_length: 2048 },
  ])('a generated version is refused for a secret with %j', async (members) => {
    const ref = await secret(who, { ...text('one'), ...members })
    const answer = await post(ref, { generate: true })
    expect(answer.status).toBe(409)
    expect(answer.json.description).toContain('Only symmetric keys can be generated')
  })
})

describe('an older version', () => {
  itIsOurs('an older version is disabled, enabled again, and destroyed only when it is disabled', async () => {
    const ref = await withVersions('one', 'two')
    expectRefusal(await send('DELETE', `${ref}/versions/1`), 409, 'Conflict. Version 1 is enabled. Disable it first.')
    const disabled = await patch(ref, 1, false)
    expect([disabled.status, disabled.json]).toEqual([200, (await send('GET', `${ref}/versions/1`)).json])
    expect(disabled.json.status).toBe('DISABLED')
    expectRefusal(await payloadOf(`${ref}/versions/1`), 409, 'Conflict. Version 1 is disabled.')
    expect((await patch(ref, 1, true)).json.status).toBe('ENABLED')
    expect((await payloadOf(`${ref}/versions/1`)).text).toBe('one')
    await patch(ref, 1, false)
    expect((await send('DELETE', `${ref}/versions/1`)).status).toBe(204)
    const destroyed = 'Not Found. The payload of this version was destroyed.'
    expectRefusal(await payloadOf(`${ref}/versions/1`), 404, destroyed)
    expectRefusal(await patch(ref, 1, true), 404, destroyed)
    expectRefusal(await send('DELETE', `${ref}/versions/1`), 404, destroyed)
    const { json } = await send('GET', `${ref}/versions`)
    expect(json.versions[1]).toMatchObject({ version: 1, status: 'DESTROYED', destroyed: expect.any(String) })
    expect((await payloadOf(ref)).text).toBe('two')
  })

  itIsOurs('an older version is what is disabled and destroyed, never the current one', async () => {
    const ref = await withVersions('one', 'two')
    const current = 'Conflict. The current version can be neither disabled nor destroyed.'
    expectRefusal(await patch(ref, 2, false), 409, current)
    expectRefusal(await send('DELETE', `${ref}/versions/2`), 409, current)
    expectRefusal(await send('DELETE', `${ref}/versions/current`), 409, current)
    expect((await patch(ref, 2, true)).json.status).toBe('CURRENT')
  })

  itIsOurs('the number of a version is a whole number, and that of an existing one', async () => {
    const ref = await withVersions('one', 'two')
    for (const version of ['0', '3', '01', '-1', '1.0', '1e0', 'latest', '999999999999999999999']) {
      expectRefusal(await send('GET', `${ref}/versions/${version}`), 404, 'Not Found. Secret version not found.')
      expectRefusal(await payloadOf(`${ref}/versions/${version}`), 404, 'Not Found. Secret version not found.')
    }
    const absent = `${base}/v1/secrets/${crypto.randomUUID()}`
    expectRefusal(await send('GET', `${absent}/versions`), 404, 'Secret not found.')
    expectRefusal(await payloadOf(`${absent}/versions/1`), 404, 'Secret not found.')
    expectRefusal(await send('GET', '/v1/secrets/x/versions/1'), 404, 'Not Found. Provided secret id is invalid.')
  })

  itIsOurs('an older version that is not boolean or not known is refused', async () => {
    const ref = await withVersions('one', 'two')
    for (const json of [{}, { enabled: 'no' }, { enabled: true, other: 1 }])
      expect((await send('PATCH', `${ref}/versions/1`, { json })).status).toBe(400)
  })
})

describe('the list of versions', () => {
  itIsOurs('the list of versions has pages, by offset and by marker', async () => {
    const ref = await withVersions('1', '2', '3', '4', '5')
    const numbers = async (query: string) => {
      const { json } = await send('GET', `${ref}/versions?${query}`)
      return { numbers: json.versions.map(({ version }: { version: number }) => version), ...json, versions: undefined }
    }
    expect(await numbers('limit=2')).toEqual({ numbers: [5, 4], total: 5, next: `${ref}/versions?limit=2&offset=2` })
    expect(await numbers('limit=2&offset=4')).toMatchObject({
      numbers: [1],
      previous: `${ref}/versions?limit=2&offset=2`,
    })
    expect(await numbers('limit=2&marker=')).toEqual({
      numbers: [5, 4],
      total: 5,
      next: `${ref}/versions?limit=2&marker=4`,
    })
    expect(await numbers('limit=2&marker=4')).toEqual({
      numbers: [3, 2],
      total: 5,
      next: `${ref}/versions?limit=2&marker=2`,
    })
    expect(await numbers('limit=2&marker=2')).toEqual({ numbers: [1], total: 5 })
    for (const marker of ['x', '6', '0', '-1'])
      expect((await send('GET', `${ref}/versions?marker=${marker}`)).status).toBe(400)
  })
})

describe('the number of payloads that are kept', () => {
  itIsOurs('the number of payloads that are kept is ten unless the secret says otherwise', async () => {
    const ref = await withVersions(...Array.from({ length: 12 }, (_, at) => `payload ${at + 1}`))
    const { json } = await send('GET', `${ref}/versions?limit=100`)
    expect(json.versions.map(({ status }: { status: string }) => status)).toEqual([
      'CURRENT',
      ...Array.from({ length: 9 }, () => 'ENABLED'),
      'DESTROYED',
      'DESTROYED',
    ])
    expectRefusal(await payloadOf(`${ref}/versions/2`), 404, 'Not Found. The payload of this version was destroyed.')
    expect((await payloadOf(`${ref}/versions/3`)).text).toBe('payload 3')
  })

  itIsOurs('the number of payloads that are kept counts disabled versions and not destroyed ones', async () => {
    const ref = await withVersions('one', 'two', 'three')
    await patch(ref, 2, false)
    await send('DELETE', `${ref}/versions/2`)
    await patch(ref, 1, false)
    await versioning(ref, { keep: 3 })
    await post(ref, text('four'))
    const { json } = await send('GET', `${ref}/versions`)
    expect(json.versions.map(({ status }: { status: string }) => status)).toEqual([
      'CURRENT',
      'ENABLED',
      'DESTROYED',
      'DISABLED',
    ])
  })

  itIsOurs('the number of payloads that are kept may be one: the replaced payload is gone at once', async () => {
    const ref = await secret(who, text('one'))
    await versioning(ref, { keep: 1 })
    await post(ref, text('two'))
    expect((await payloadOf(`${ref}/versions/previous`)).status).toBe(404)
    expect((await send('GET', `${ref}/versions/1`)).json.status).toBe('DESTROYED')
  })

  itIsOurs.each(['symmetric', 'private', 'public', 'certificate'])(
    'the number of payloads that are kept does not hold for a secret of type %s, whose older versions decrypt or verify',
    async (type) => {
      const ref = await secret(who, { ...text('one'), secret_type: type })
      await versioning(ref, { keep: 1 })
      await post(ref, text('two'))
      expect((await payloadOf(`${ref}/versions/1`)).text).toBe('one')
    },
  )

  itIsOurs(
    'the number of payloads that are kept of a key ends at a hundred, and the next version is refused',
    async () => {
      const ref = await secret(who, { ...text('1'), secret_type: 'symmetric' })
      for (let version = 2; version <= 100; version += 1)
        expect((await post(ref, text(String(version)))).status).toBe(201)
      expectRefusal(
        await post(ref, text('x')),
        409,
        'Conflict. The secret has 100 versions: destroy versions that nothing needs any more.',
      )
      expect((await payloadOf(ref)).text).toBe('100')
      await patch(ref, 50, false)
      await send('DELETE', `${ref}/versions/50`)
      expect((await post(ref, text('x'))).json.version).toBe(101)
      expect((await post(ref, text('x'))).status).toBe(409)
    },
  )
})

describe('the versioning of a secret', () => {
  const defaults = { put: 'refuse', keep: 10, rotate_days: 0, next_rotation: null }

  itIsOurs('the versioning of a secret has defaults, and a PUT changes what it names', async () => {
    const ref = await secret(who, text('one'))
    expect((await send('GET', `${ref}/versioning`)).json).toEqual(defaults)
    expect((await versioning(ref, {})).json).toEqual(defaults)
    expect((await versioning(ref, { keep: 3 })).json).toEqual({ ...defaults, keep: 3 })
    expect((await versioning(ref, { put: 'replace' })).json).toEqual({ ...defaults, keep: 3, put: 'replace' })
    expect((await send('GET', `${ref}/versioning`)).json).toEqual({ ...defaults, keep: 3, put: 'replace' })
  })

  itIsOurs.each([
    { put: 'always' },
    { keep: 0 },
    { keep: 101 },
    { keep: '5' },
    { rotate_days: -1 },
    { rotate_days: 36_501 },
    { despite_consumers: 1 },
    { other: 1 },
  ])('the versioning of a secret is not set to %j', async (json) => {
    const ref = await secret(who, text('one'))
    const answer = await versioning(ref, json)
    expect(answer.status).toBe(400)
    expect(answer.json.description).toContain("schema 'Secret versioning'")
    expect((await send('GET', `${ref}/versioning`)).json).toEqual(defaults)
  })

  itIsOurs('the versioning of a secret rotates a key that the service made', async () => {
    const ref = await orderedKey()
    const { created } = (await send('GET', ref)).json
    const set = await versioning(ref, { rotate_days: 30 })
    expect(set.json).toMatchObject({ rotate_days: 30, next_rotation: expect.any(String) })
    const days = (Date.parse(`${set.json.next_rotation}Z`) - Date.parse(`${created}Z`)) / 86_400_000
    expect(days).toBeCloseTo(30, 5)
    await post(ref, { generate: true })
    const { next_rotation: next } = (await send('GET', `${ref}/versioning`)).json
    expect(next > set.json.next_rotation).toBe(true)
    // A key that was brought along is nobody's to replace.
    await post(ref, text('one of our own'))
    expect((await send('GET', `${ref}/versioning`)).json).toMatchObject({ rotate_days: 30, next_rotation: null })
    expect((await versioning(ref, { rotate_days: 0 })).json).toEqual(defaults)
  })

  itIsOurs('the versioning of a secret rotates no payload that the service did not make', async () => {
    const own = await secret(who, { ...text('x'), secret_type: 'symmetric', algorithm: 'aes', bit_length: 256 })
    for (const ref of [own, await secret(who), await secret(who, text('x'))]) {
      const answer = await versioning(ref, { rotate_days: 30 })
      expect(answer.status).toBe(409)
      expect(answer.json.description).toContain('Only symmetric keys are rotated by themselves')
    }
    await post(own, { generate: true })
    expect((await versioning(own, { rotate_days: 30 })).status).toBe(200)
  })

  itIsOurs('the versioning of a secret rotates a key with consumers only when asked for it', async () => {
    const ref = await orderedKey()
    await send('POST', `${ref}/consumers`, { json: { service: 'volume', resource_type: 'volume', resource_id: 'a' } })
    const answer = await versioning(ref, { rotate_days: 30 })
    expect(answer.status).toBe(409)
    expect(answer.json.description).toContain("Send 'despite_consumers'")
    expect((await versioning(ref, { rotate_days: 30, despite_consumers: true })).status).toBe(200)
    expect((await versioning(ref, { keep: 5 })).json).toMatchObject({ keep: 5, rotate_days: 30 })
  })
})

describe('the rights to versions', () => {
  itIsOurs('the rights to versions are those of the secret', async () => {
    const ref = await withVersions('one', 'two')
    const stranger = await owner()
    const observer = await person(['observer', 'reader'], { projectId: who.projectId })
    for (const [method, path, json] of [
      ['GET', '/versions', undefined],
      ['POST', '/versions', text('x')],
      ['GET', '/versions/1', undefined],
      ['GET', '/versions/1/payload', undefined],
      ['PATCH', '/versions/1', { enabled: false }],
      ['DELETE', '/versions/1', undefined],
      ['GET', '/versioning', undefined],
      ['PUT', '/versioning', { keep: 1 }],
    ] as const) {
      const refused = await call(method, ref + path, { token: stranger.token, json })
      expect([path, refused.status]).toEqual([path, 403])
      if (method !== 'GET') expect((await call(method, ref + path, { token: observer.token, json })).status).toBe(403)
    }
    await send('PUT', `${ref}/acl`, { json: { read: { users: [stranger.userId] } } })
    expect((await call('GET', `${ref}/versions/1/payload`, { token: stranger.token })).text).toBe('one')
    expect((await call('POST', `${ref}/versions`, { token: stranger.token, json: text('x') })).status).toBe(403)
    expect(await numbersOf(ref)).toEqual([2, 1])
  })

  itIsOurs('the versions of a deleted secret are gone with it', async () => {
    const ref = await withVersions('one', 'two')
    expect((await send('DELETE', ref)).status).toBe(204)
    for (const path of ['/versions', '/versions/1', '/versions/1/payload', '/versioning'])
      expectRefusal(await send('GET', ref + path), 404, 'Secret not found.')
  })

  itIsOurs('the versions of a secret are one secret in lists and quotas', async () => {
    const another = await owner()
    const ref = await secret(another, text('one'))
    await call('POST', `${ref}/versions`, { token: another.token, json: text('two') })
    const { json } = await call('GET', '/v1/secrets', { token: another.token })
    expect(json.total).toBe(1)
    expect(json.secrets.map((entry: Record<string, unknown>) => Object.keys(entry))).toEqual([
      Object.keys((await call('GET', ref, { token: another.token })).json),
    ])
    expect(idOf(json.secrets[0].secret_ref)).toBe(idOf(ref))
  })
})
