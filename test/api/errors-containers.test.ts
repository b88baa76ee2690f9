/**
 * Refusals of containers, their secrets, consumers and metadata: the schema's messages, bodies, types, ids and
 * tokens.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { base, call, type Request } from '../support/client.ts'
import { itDiffersInContainers } from '../support/container-differences.ts'
import { itDiffers } from '../support/differences.ts'
import { callAs, HOOK_MILLISECONDS, owner, type Person } from '../support/people.ts'
import { container, idOf, secret } from '../support/stored.ts'
import { expectBodyTooLarge, expectRefusal, mismatch, wrongType } from '../support/refusals.ts'

const over = 'x'.repeat(256)
const absent = '11111111-1111-4111-8111-111111111111'
const absentRef = `${base}/v1/secrets/${absent}`
const jsonOnly = wrongType("['application/json']")
const rsaNames =
  "only 'private_key', 'public_key' and 'private_key_passphrase' reference names are allowed for RSA type"
const rsaLeast = "The minimum required reference names are 'public_key' and'private_key' for RSA type"
const certificateNames =
  "only 'private_key', 'certificate' , 'private_key_passphrase',  or 'intermediates' reference names are allowed for Certificate type"
const certificateLeast = "The minimum required reference name is 'certificate' for Certificate type"
const notASlot = "is not one of ['generic', 'rsa', 'certificate']"

let who: Person
/** Two secrets, for the letters A and B in the tables. */
let refs: Readonly<Record<'A' | 'B', string>>
let generic: string
const send = callAs(() => who)

beforeAll(async () => {
  who = await owner()
  refs = { A: await secret(who), B: await secret(who) }
  generic = await container(who)
}, HOOK_MILLISECONDS)

/** Replaces `A` and `B` as values of `secret_ref` by the refs of the two secrets. */
function withRefs(document: unknown): unknown {
  return JSON.parse(JSON.stringify(document), (key, value: unknown) =>
    key === 'secret_ref' && (value === 'A' || value === 'B') ? refs[value] : value,
  ) as unknown
}

const ref = (name: unknown, secretRef: unknown) => ({ name, secret_ref: secretRef })

describe('POST /v1/containers with an invalid body', () => {
  it.each<[unknown, reason: string, property: string | null]>([
    [[], "[] is not of type 'object'", null],
    [null, "None is not of type 'object'", null],
    ['x', "'x' is not of type 'object'", null],
    [{}, "'type' is a required property", null],
    [{ name: 1 }, "'type' is a required property", null],
    [{ type: '' }, `'' ${notASlot}`, 'type'],
    [{ type: 'foo' }, `'foo' ${notASlot}`, 'type'],
    [{ type: 'RSA' }, `'RSA' ${notASlot}`, 'type'],
    [{ type: 'dsa' }, `'dsa' ${notASlot}`, 'type'],
    [{ type: "it's" }, `"it's" ${notASlot}`, 'type'],
    [{ type: 1 }, "1 is not of type 'string'", 'type'],
    [{ type: null }, "None is not of type 'string'", 'type'],
    [{ type: 'generic', name: over }, `'${over}' is too long`, 'name'],
    [{ type: 'x', name: 1 }, "1 is not of type 'string', 'null'", 'name'],
    [{ type: 'generic', secret_refs: {} }, "{} is not of type 'array'", 'secret_refs'],
    [{ type: 'generic', secret_refs: null }, "None is not of type 'array'", 'secret_refs'],
    [{ type: 'generic', secret_refs: ['x'] }, "'x' is not of type 'object'", 'secret_refs'],
    [{ type: 'generic', secret_refs: [{}] }, "'secret_ref' is a required property", 'secret_refs'],
    [{ type: 'generic', secret_refs: [{ secret_ref: '' }] }, "'' is too short", 'secret_refs'],
    [{ type: 'generic', secret_refs: [{ secret_ref: 1 }] }, "1 is not of type 'string'", 'secret_refs'],
    [{ type: 'generic', secret_refs: [ref(over, 'A')] }, `'${over}' is too long`, 'secret_refs'],
    [{ type: 'generic', secret_refs: [ref(1, 'A')] }, "1 is not of type 'string', 'null'", 'secret_refs'],
    [
      { type: 'generic', secret_refs: [ref('a', 'abc'), ref('a', 'abc')] },
      'Duplicate reference names are not allowed',
      'secret_refs',
    ],
    [
      { type: 'generic', secret_refs: [{ secret_ref: 'A' }, ref('', 'B')] },
      'Duplicate reference names are not allowed',
      'secret_refs',
    ],
    [
      { type: 'generic', secret_refs: [ref('a', 'A'), ref('b', 'A')] },
      'Duplicate secret ids are not allowed',
      'secret_refs',
    ],
    [
      { type: 'generic', secret_refs: [ref('a', 'http://x/1'), ref('b', 'http://y/1')] },
      'Duplicate secret ids are not allowed',
      'secret_refs',
    ],
    [{ type: 'rsa', secret_refs: [ref('foo', 'A')] }, rsaNames, 'secret_refs'],
    [{ type: 'rsa', secret_refs: [{ secret_ref: 'A' }] }, rsaNames, 'secret_refs'],
    [{ type: 'rsa', secret_refs: [ref(null, 'A')] }, rsaNames, 'secret_refs'],
    [{ type: 'rsa', secret_refs: [ref('certificate', 'A')] }, rsaNames, 'secret_refs'],
    [{ type: 'rsa', secret_refs: [ref('public_key', 'A')] }, rsaLeast, 'secret_refs'],
    [{ type: 'rsa', secret_refs: [ref('private_key', 'A')] }, rsaLeast, 'secret_refs'],
    [
      { type: 'rsa', secret_refs: [ref('private_key', 'A'), ref('private_key_passphrase', 'B')] },
      rsaLeast,
      'secret_refs',
    ],
    [{ type: 'certificate', secret_refs: [ref('certificate', 'A'), ref('foo', 'B')] }, certificateNames, 'secret_refs'],
    [{ type: 'certificate', secret_refs: [ref('public_key', 'A')] }, certificateNames, 'secret_refs'],
    [{ type: 'certificate', secret_refs: [ref('private_key', 'A')] }, certificateLeast, 'secret_refs'],
  ])('POST /v1/containers refuses %j in the words of the schema', async (document, reason, property) => {
    const answer = await send('POST', '/v1/containers', { json: withRefs(document) })
    expectRefusal(answer, 400, mismatch('Container', reason, property))
  })
})

describe('POST /v1/containers', () => {
  it.each([
    ['the other scheme', () => refs.A.replace(/^https?/, (scheme) => (scheme === 'http' ? 'https' : 'http'))],
    ['another host', () => refs.A.replace(/\/\/[^/]*/, '//elsewhere.example:9311')],
    ['a host in capital letters', () => refs.A.replace(/^http/, 'HTTP')],
    ['a bare id', () => idOf(refs.A)],
    ['a relative path', () => `/v1/secrets/${idOf(refs.A)}`],
  ])('POST /v1/containers is 400 for a ref with %s', async (_title, refOf) => {
    const json = { type: 'generic', secret_refs: [ref('a', refOf())] }
    expectRefusal(await send('POST', '/v1/containers', { json }), 400, 'Provided field value is not supported')
  })

  it('POST /v1/containers checks names and ids before bases, and bases before the names of a type', async () => {
    const outside = { type: 'rsa', secret_refs: [ref('foo', 'http://x/1')] }
    const answer = await send('POST', '/v1/containers', { json: outside })
    expectRefusal(answer, 400, 'Provided field value is not supported')
  })

  it.each<[unknown, string]>([
    [ref('a', absentRef), 'a'],
    [ref(null, absentRef), 'None'],
    [{ secret_ref: absentRef }, 'None'],
    [ref('p', `${absentRef}/payload`), 'p'],
    [ref('q', `${absentRef}?x=1`), 'q'],
  ])('POST /v1/containers is 404 for %j', async (given, name) => {
    const answer = await send('POST', '/v1/containers', { json: { type: 'generic', secret_refs: [given] } })
    expectRefusal(answer, 404, `Secret provided for '${name}' doesn't exist.`)
  })

  it('POST /v1/containers is 404 for a live secret’s payload, and for a secret of another project as for an absent one', async () => {
    const foreign = await secret(await owner())
    for (const given of [foreign, `${refs.A}/payload`, `${refs.A}?x=1`]) {
      const json = { type: 'generic', secret_refs: [ref('x', given)] }
      expectRefusal(await send('POST', '/v1/containers', { json }), 404, "Secret provided for 'x' doesn't exist.")
    }
  })

  it('POST /v1/containers names the first secret that does not exist', async () => {
    const json = {
      type: 'generic',
      secret_refs: [ref('here', refs.A), ref('first', absentRef), ref('second', `${absentRef.slice(0, -1)}2`)],
    }
    expectRefusal(await send('POST', '/v1/containers', { json }), 404, "Secret provided for 'first' doesn't exist.")
  })
})

describe('POST and DELETE /v1/containers/{id}/secrets with an invalid body', () => {
  it.each<[unknown, reason: string, property: string | null]>([
    [[], "[] is not of type 'object'", null],
    [{}, "'secret_ref' is a required property", null],
    [{ name: 1 }, "'secret_ref' is a required property", null],
    [{ secret_ref: '' }, "'' is too short", 'secret_ref'],
    [{ secret_ref: ' ' }, "'' is too short", 'secret_ref'],
    [{ secret_ref: 1 }, "1 is not of type 'string'", 'secret_ref'],
    [ref(over, 'A'), `'${over}' is too long`, 'name'],
    [ref(1, 'A'), "1 is not of type 'string'", 'name'],
    [ref(null, 'A'), "None is not of type 'string'", 'name'],
  ])(
    "POST and DELETE of a container's secret refuse %j in the words of the schema",
    async (document, reason, property) => {
      for (const method of ['POST', 'DELETE']) {
        const answer = await send(method, `${generic}/secrets`, { json: withRefs(document) })
        expectRefusal(answer, 400, mismatch('ContainerSecret', reason, property))
      }
    },
  )

  it("POST of a container's secret is 404 for a secret that does not exist", async () => {
    const answer = await send('POST', `${generic}/secrets`, { json: ref('r', absentRef) })
    expectRefusal(answer, 404, "Secret provided doesn't exist.")
  })
})

describe('POST and DELETE /v1/containers/{id}/consumers with an invalid body', () => {
  const long = 'u'.repeat(256)
  const name = 'n'.repeat(37)
  it.each<[unknown, reason: string, property: string | null]>([
    [[], "[] is not of type 'object'", null],
    [{}, "'name' is a required property", null],
    [{ URL: 1 }, "'name' is a required property", null],
    [{ name: 'a' }, "'URL' is a required property", null],
    [{ name: 'a', url: 'u' }, "'URL' is a required property", null],
    [{ name: 'a', URL: '' }, "'' is too short", 'URL'],
    [{ name: '', URL: 'u' }, "'' is too short", 'name'],
    [{ name: 'a', URL: long }, `'${long}' is too long`, 'URL'],
    [{ name, URL: 'u' }, `'${name}' is too long`, 'name'],
    [{ name: 1, URL: 'u' }, "1 is not of type 'string'", 'name'],
    [{ name: 1, URL: 2 }, "2 is not of type 'string'", 'URL'],
    [{ name: null, URL: 'u' }, "None is not of type 'string'", 'name'],
  ])(
    "POST and DELETE of a container's consumer refuse %j in the words of the schema",
    async (json, reason, property) => {
      for (const method of ['POST', 'DELETE']) {
        const answer = await send(method, `${generic}/consumers`, { json })
        expectRefusal(answer, 400, mismatch('Consumer', reason, property))
      }
    },
  )

  it("a container's consumer may have a name of 36 and a URL of 255 characters", async () => {
    const json = { name: 'n'.repeat(36), URL: 'u'.repeat(255) }
    expect((await send('POST', `${generic}/consumers`, { json })).status).toBe(200)
    expect((await send('DELETE', `${generic}/consumers`, { json })).status).toBe(200)
  })
})

describe('POST and DELETE /v1/secrets/{id}/consumers with an invalid body', () => {
  const image = { service: 'image', resource_type: 'image', resource_id: absent }
  it.each<[unknown, reason: string, property: string | null]>([
    [[], "[] is not of type 'object'", null],
    [{}, "'service' is a required property", null],
    [{ service: 1 }, "'resource_type' is a required property", null],
    [{ service: 'a', resource_type: 'b' }, "'resource_id' is a required property", null],
    [{ ...image, resource_id: '' }, "'' is too short", 'resource_id'],
    [{ ...image, resource_type: '' }, "'' is too short", 'resource_type'],
    [{ ...image, service: '' }, "'' is too short", 'service'],
    [{ ...image, resource_type: over }, `'${over}' is too long`, 'resource_type'],
    [{ ...image, service: over }, `'${over}' is too long`, 'service'],
    [{ ...image, resource_id: 1 }, "1 is not of type 'string'", 'resource_id'],
    [{ resource_id: 1, service: 2, resource_type: 3 }, "2 is not of type 'string'", 'service'],
    [{ ...image, service: null }, "None is not of type 'string'", 'service'],
  ])("POST and DELETE of a secret's consumer refuse %j in the words of the schema", async (json, reason, property) => {
    for (const method of ['POST', 'DELETE']) {
      const answer = await send(method, `${refs.A}/consumers`, { json })
      expectRefusal(answer, 400, mismatch('Secret Consumer', reason, property))
    }
  })
})

describe('invalid metadata', () => {
  it.each<[unknown, reason: string, property: string | null]>([
    [{}, "'metadata' is a required property", 'metadata'],
    [{ Metadata: {} }, "'metadata' is a required property", 'metadata'],
    [[], "[] is not of type 'object'", null],
    [{ metadata: [] }, "[] is not of type 'object'", 'metadata'],
    [{ metadata: null }, "None is not of type 'object'", 'metadata'],
    [{ metadata: 'x' }, "'x' is not of type 'object'", 'metadata'],
  ])('PUT of metadata refuses %j in the words of the schema', async (json, reason, property) => {
    const answer = await send('PUT', `${refs.A}/metadata`, { json })
    expectRefusal(answer, 400, mismatch('SecretMetadata', reason, property))
  })

  const key = 'k'.repeat(256)
  it.each<[unknown, reason: string, property: string | null]>([
    [[], "[] is not of type 'object'", null],
    [{}, "'key' is a required property", 'key'],
    [{ key: 'x' }, "'value' is a required property", 'value'],
    [{ value: 'x' }, "'key' is a required property", 'key'],
    [{ key, value: '1' }, `'${key}' is too long`, 'key'],
    [{ key: 'x', value: over }, `'${over}' is too long`, 'value'],
    [{ key: 1, value: 'x' }, "1 is not of type 'string'", 'key'],
    [{ key: 'x', value: 1 }, "1 is not of type 'string'", 'value'],
    [{ key: 'x', value: null }, "None is not of type 'string'", 'value'],
    [{ foo: 1 }, "Additional properties are not allowed ('foo' was unexpected)", null],
    [{ foo: 1, bar: 2 }, "Additional properties are not allowed ('bar', 'foo' were unexpected)", null],
    [{ key: 'x', value: 'y', foo: 1 }, "Additional properties are not allowed ('foo' was unexpected)", null],
  ])('POST of metadata and PUT of an item refuse %j in the words of the schema', async (json, reason, property) => {
    for (const [method, path] of [
      ['POST', 'metadata'],
      ['PUT', 'metadata/c'],
    ]) {
      const answer = await send(method ?? '', `${refs.A}/${path}`, { json })
      expectRefusal(answer, 400, mismatch('SecretMetadatum', reason, property))
    }
  })

  it('POST of metadata refuses a key that is not safe in URLs', async () => {
    const answer = await send('POST', `${refs.A}/metadata`, { json: { key: 'a b', value: '1' } })
    expectRefusal(answer, 400, 'Invalid Key. Key must be URL safe.')
  })
})

/** Every route with a JSON body; `{S}` and `{C}` are a secret and a container. */
const bodies: [method: string, path: string][] = [
  ['POST', '/v1/containers'],
  ['POST', '{C}/secrets'],
  ['DELETE', '{C}/secrets'],
  ['POST', '{C}/consumers'],
  ['DELETE', '{C}/consumers'],
  ['PUT', '{C}/acl'],
  ['PATCH', '{C}/acl'],
  ['POST', '{S}/consumers'],
  ['DELETE', '{S}/consumers'],
  ['PUT', '{S}/acl'],
  ['PATCH', '{S}/acl'],
  ['PUT', '{S}/metadata'],
  ['POST', '{S}/metadata'],
  ['PUT', '{S}/metadata/a'],
]
const at = (path: string) => path.replace('{S}', refs.A).replace('{C}', generic)

describe.each(bodies)('the body of %s %s', (method, path) => {
  const typed = { 'Content-Type': 'application/json' }
  it.each<[string, BodyInit]>([
    ['empty', ''],
    ['cut off', '{"a": '],
    ['with trailing garbage', '{} {}'],
    ['with a byte order mark', '\ufeff{}'],
    ['in single quotes', "{'a': 1}"],
  ])(`the body of ${method} ${path} is malformed when it is %s`, async (_title, body) => {
    expectRefusal(await send(method, at(path), { body, headers: typed }), 400, 'Malformed JSON')
  })

  it(`the body of ${method} ${path} is refused when it is longer than the limit`, async () => {
    const body = `{"name": "${'x'.repeat(32_000)}"}`
    expectBodyTooLarge(await send(method, at(path), { body, headers: typed }))
  })

  it(`the body of ${method} ${path} is 400 with an empty description when it is not UTF-8`, async () => {
    const body = new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])
    expectRefusal(await send(method, at(path), { body, headers: typed }), 400, '')
  })

  const types = path === '{C}/secrets' && method === 'DELETE' ? itDiffersInContainers('no read error') : it
  types.each(['text/plain', 'application/octet-stream', 'application/JSON', 'application/json-home'])(
    `the body of ${method} ${path} is 415 as %s`,
    async (type) => {
      const request: Request = { body: '{}', headers: { 'Content-Type': type } }
      expectRefusal(await send(method, at(path), request), 415, jsonOnly)
    },
  )

  it(`the body of ${method} ${path} may have a charset in its type`, async () => {
    const request: Request = { body: '[]', headers: { 'Content-Type': 'application/json; charset=utf-8' } }
    const answer = await send(method, at(path), request)
    expect(answer.status).toBe(400)
    expect(answer.json.description).toContain("[] is not of type 'object'")
  })

  // These two accept every type of a usual MIME table.
  const takesAnyType = ['DELETE {C}/secrets', 'PUT {S}/metadata/a'].includes(`${method} ${path}`)
  it(`the body of ${method} ${path} is not parsed when Accept admits no answer`, async () => {
    const accept = takesAnyType ? 'foo/bar' : 'text/html'
    const answer = await send(method, at(path), { json: {}, headers: { Accept: accept } })
    expectRefusal(answer, 406, null)
  })
})

describe('an Accept header with any well-known type', () => {
  it('DELETE of a secret in a container accepts any well-known type in Accept', async () => {
    const made = await container(who, { secret_refs: [ref('a', refs.A)] })
    const request = { json: ref('a', refs.A), headers: { Accept: 'text/html' } }
    expect((await send('DELETE', `${made}/secrets`, request)).status).toBe(204)
  })

  it('DELETE of a container accepts any well-known type in Accept', async () => {
    expect((await send('DELETE', await container(who), { headers: { Accept: 'text/html' } })).status).toBe(204)
    const refused = await send('DELETE', await container(who), { headers: { Accept: 'foo/bar' } })
    expectRefusal(refused, 406, null)
  })

  itDiffersInContainers('no crash over types').each(['text/html', 'text/plain', 'text/*', 'application/xml'])(
    'metadata is answered as JSON for the well-known type %s in Accept',
    async (accept) => {
      const headers = { Accept: accept }
      await send('PUT', `${refs.A}/metadata`, { json: { metadata: { a: '1' } } })
      const read = await send('GET', `${refs.A}/metadata`, { headers })
      expect([read.status, read.json]).toEqual([200, { metadata: { a: '1' } }])
      const put = await send('PUT', `${refs.A}/metadata/a`, { json: { key: 'a', value: '2' }, headers })
      expect([put.status, put.json]).toEqual([200, { key: 'a', value: '2' }])
    },
  )
})

describe('ids', () => {
  it.each([
    ['/v1/containers/x', 'container'],
    [`/v1/containers/${absent.replaceAll('-', '')}`, 'container'],
    [`/v1/containers/${absent.replace('-4', '-1')}`, 'container'],
    [`/v1/containers/{${absent}}`, 'container'],
    [`/v1/containers/urn:uuid:${absent}`, 'container'],
    ['/v1/containers/x/secrets', 'container'],
    ['/v1/containers/x/acl', 'container'],
    ['/v1/containers/x/consumers', 'container'],
    ['/v1/secrets/x/acl', 'secret'],
    ['/v1/secrets/x/consumers', 'secret'],
    ['/v1/secrets/x/metadata', 'secret'],
    ['/v1/secrets/x/metadata/k', 'secret'],
  ])('the malformed id in %s is 404', async (path, kind) => {
    expectRefusal(await send('GET', path), 404, `Not Found. Provided ${kind} id is invalid.`)
  })

  it('an id in capital letters is not the same as one in small letters', async () => {
    const upper = `/v1/containers/${idOf(generic).toUpperCase()}`
    expectRefusal(await send('GET', upper), 404, 'Not Found. Provided container id is invalid.')
  })
})

describe('an absent route or entity', () => {
  itDiffers('no stray segments').each([
    '{C}/foo',
    '{C}/acl/x',
    '{C}/secrets/x',
    `{C}/consumers/${absent}/x`,
    '{S}/acl/x',
    '{S}/metadata/k/x',
  ])('the path %s is 404', async (path) => {
    expectRefusal(await send('GET', at(path)), 404, '')
  })

  it.each(['/v1/foo', '/v1/consumers', '/v1/transport-keys', '/v1/secret_stores', '/v1/CONTAINERS', '/v1/CAS'])(
    'the route %s is 404',
    async (path) => {
      expectRefusal(await send('GET', path), 404, '')
    },
  )

  itDiffers('no reserved names')(
    'a parameter or member named project_id or external_project_id is ignored like any unknown one',
    async () => {
      expect((await send('GET', '/v1/containers?project_id=3&external_project_id=4')).status).toBe(200)
      const json = { type: 'generic', external_project_id: 'x' }
      expect((await send('POST', '/v1/containers', { json })).status).toBe(201)
    },
  )

  itDiffers('repeated parameters')('of a repeated parameter the last one counts', async () => {
    const answer = await send('GET', '/v1/containers?limit=5&limit=1')
    expect(answer.json.containers).toHaveLength(1)
  })
})

describe('a request without a token', () => {
  it.each([
    ['GET', '/v1/containers'],
    ['POST', '/v1/containers'],
    ['GET', `/v1/containers/${absent}`],
    ['GET', '/v1/quotas'],
    ['GET', '/v1/project-quotas/x'],
    ['GET', '/v1/secret-stores'],
    ['GET', '/v1/transport_keys'],
    ['GET', '/v1/foo'],
  ])('%s %s is 401 without a token', async (method, path) => {
    const answer = await call(method, path)
    expect(answer.status).toBe(401)
    expect(answer.json.error).toEqual({
      code: 401,
      title: 'Unauthorized',
      message: 'The request you have made requires authentication.',
    })
    expect(answer.headers.get('WWW-Authenticate')).toMatch(/^Keystone uri="http/)
  })
})
