/** Payloads: how they are set with POST and PUT, and the types with which they are returned. */
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/client.ts'
import { either, itDiffers, onPeer } from '../support/differences.ts'
import { callAs, owner, person, type Person } from '../support/people.ts'
import { secret } from '../support/stored.ts'
import { expectRefusal, payloadTooLarge } from '../support/refusals.ts'

const OCTETS = 'application/octet-stream'
const PKCS8 = 'application/pkcs8'
const TEXT = 'text/plain'
const NO_PAYLOAD = 'Not Found. Sorry but your secret has no payload.'
/** Runs of one property: fewer against Barbican, which is slow. */
const RUNS = onPeer ? 10 : 60

let who: Person
beforeAll(async () => {
  who = await owner()
})

const send = callAs(() => who)
const utf8 = (text: string) => new TextEncoder().encode(text)
const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes))
const read = (ref: string, Accept = OCTETS) => send('GET', `${ref}/payload`, { headers: { Accept } })
const textSecret = (payload: string) => secret(who, { payload, payload_content_type: TEXT })
const put = (ref: string, body: Uint8Array, type = OCTETS, headers = {}) =>
  send('PUT', ref, { body, headers: { 'Content-Type': type, ...headers } })

function binarySecret(bytes: Uint8Array, payload_content_type = OCTETS): Promise<string> {
  return secret(who, { payload: base64(bytes), payload_content_type, payload_content_encoding: 'base64' })
}

describe('a payload given with POST', () => {
  it.each([
    ['text/plain', TEXT],
    ['TEXT/PLAIN', TEXT],
    [' text/plain ', TEXT],
    ['text/plain;charset=utf-8', TEXT],
    ['text/plain; charset=UTF-8', TEXT],
    ['text/plain ;charset = utf-8', TEXT],
    ['text/plain;foo=utf-8', TEXT],
    ['text/plain; charset=utf-8; x=y', TEXT],
    ['application/octet-stream', OCTETS],
    ['Application/Octet-Stream;charset=utf-8', OCTETS],
    ['application/pkcs8', PKCS8],
    ['APPLICATION/PKCS8; charset=utf-8', PKCS8],
  ])('a payload of POST as %j is stored as %s', async (payload_content_type, kept) => {
    const encoding = kept === TEXT ? {} : { payload_content_encoding: 'base64' }
    const ref = await secret(who, { payload: 'aGVsbG8=', payload_content_type, ...encoding })
    expect((await send('GET', ref)).json.content_types).toEqual({ default: kept })
    expect((await read(ref)).text).toBe(kept === TEXT ? 'aGVsbG8=' : 'hello')
  })

  it.each([
    'text/plain;charset=us-ascii',
    'text/plain;charset=iso-8859-1',
    'text/plain;charset=utf-16',
    'text/plain;charset="utf-8"',
    'text/plain;charset=',
    'text/plain;charset',
    'text/plain;',
    'text/plain;foo=bar',
    'text/html',
    'application/json',
    'application/aes',
    'application/pkix-cert',
    'text/*',
    '*/*',
  ])('a payload of POST as %j is refused', async (payload_content_type) => {
    const answer = await send('POST', '/v1/secrets', { json: { payload: 'x', payload_content_type } })
    expect(answer.status).toBe(400)
    expect(answer.json.description).toContain("payload_content_type is not one of ['text/plain', ")
  })

  it.each(['aGVs\nbG8=', 'aGVs bG8=', ' aGVsbG8= '])(
    'a payload of POST in base64 is decoded without its white space: %j',
    async (payload) => {
      const members = { payload_content_type: OCTETS, payload_content_encoding: 'base64' }
      expect((await read(await secret(who, { payload, ...members }))).text).toBe('hello')
    },
  )

  it.each(['aGVsbG8', 'a', 'ab', 'abc', 'aGVsbG8é='])(
    'a payload of POST that is not base64 is refused: %j',
    async (payload) => {
      const json = { payload, payload_content_type: OCTETS, payload_content_encoding: 'base64' }
      const answer = await send('POST', '/v1/secrets', { json })
      expect(answer.status).toBe(400)
      expect(answer.json.description).toContain('Invalid payload for payload_content_encoding')
    },
  )

  describe.each(['_-8=', 'YQ-_', '!aGVsbG8=', 'aGVsbG8==', 'aGVsbG8=trailing', '****', '===='])('%j', (payload) => {
    itDiffers('strict base64')(
      `a payload that is not base64 is refused by POST and PUT alike, not stored as other bytes: ${payload}`,
      async () => {
        const json = { payload, payload_content_type: OCTETS, payload_content_encoding: 'base64' }
        const answer = await send('POST', '/v1/secrets', { json })
        expect(answer.status).toBe(400)
        expect(answer.json.description).toContain('Invalid payload for payload_content_encoding')
        const ref = await secret(who)
        expect((await put(ref, utf8(payload), OCTETS, { 'Content-Encoding': 'base64' })).status).toBe(400)
        expectRefusal(await read(ref), 404, NO_PAYLOAD)
      },
    )
  })

  it.each([
    [' a ', 'a'],
    ['\n a \t b \u00a0', 'a \t b'],
    ['ü€😀', 'ü€😀'],
    ['\ufeffx', '\ufeffx'],
    ['a\u0000b', 'a\u0000b'],
  ])('a payload of POST as text %j is stored as %j', async (payload, kept) => {
    expect((await read(await textSecret(payload))).bytes).toEqual(utf8(kept))
  })

  it('a payload of POST in base64 is returned byte for byte', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2000 }), async (bytes) => {
        expect((await read(await binarySecret(bytes))).bytes).toEqual(bytes)
      }),
      { numRuns: RUNS, examples: [[Uint8Array.from({ length: 256 }, (_, i) => i)], [Uint8Array.of(0)]] },
    )
  })

  it('a payload of POST may have 20 000 bytes, of base64 once it is decoded', async () => {
    const most = either('stored bytes count', { ours: 20_000, peer: 15_000 })
    const bytes = crypto.getRandomValues(new Uint8Array(most))
    expect((await read(await binarySecret(bytes))).bytes).toEqual(bytes)
    const json = {
      payload: base64(new Uint8Array(most + 1)),
      payload_content_type: OCTETS,
      payload_content_encoding: 'base64',
    }
    expectRefusal(await send('POST', '/v1/secrets', { json }), 413, payloadTooLarge)
  })

  it('a text payload of POST loses its outer white space', async () => {
    const ref = await secret(who, { payload: '\n a b \n', payload_content_type: TEXT })
    expect((await read(ref, TEXT)).text).toBe('a b')
  })
})

describe('a payload given with PUT', () => {
  it('a payload of PUT is answered with 204, and then the secret has its type', async () => {
    const ref = await secret(who, { name: 'later' })
    expectRefusal(await read(ref), 404, NO_PAYLOAD)
    const answer = await put(ref, utf8('x'), TEXT)
    expect(answer.status).toBe(204)
    expect(answer.text).toBe('')
    expect(answer.headers.get('Content-Type')).toBeNull()
    const { json } = await send('GET', ref)
    expect(json).toMatchObject({ name: 'later', content_types: { default: TEXT } })
    expect((await read(ref, TEXT)).text).toBe('x')
  })

  it('a payload of PUT changes the time of the last change and nothing else', async () => {
    const ref = await secret(who)
    const before = (await send('GET', ref)).json
    await new Promise((later) => setTimeout(later, either('times with microseconds', { ours: 5, peer: 1100 })))
    await put(ref, utf8('x'), TEXT)
    const after = (await send('GET', ref)).json
    expect(after.updated > before.updated).toBe(true)
    expect(after).toEqual({ ...before, updated: after.updated, content_types: { default: TEXT } })
  })

  it.each([
    ['text/plain', TEXT],
    ['text/plain;charset=iso-8859-1', TEXT],
    ['text/plain; charset=utf-8', TEXT],
    ['application/octet-stream', OCTETS],
    ['application/octet-stream; x=y', OCTETS],
  ])('a payload of PUT as %s is stored as %s, with its bytes unchanged', async (type, kept) => {
    const bytes = Uint8Array.of(0x20, 0xff, 0x0a, 0x00, 0x20)
    const ref = await secret(who)
    expect((await put(ref, bytes, type)).status).toBe(204)
    expect((await send('GET', ref)).json.content_types).toEqual({ default: kept })
    expect((await read(ref)).bytes).toEqual(bytes)
    const words = 'Secret payload retrieval issue seen - Wrong payload content-type.'
    expectRefusal(await read(ref, TEXT), 406, words)
  })

  it('a payload of PUT is returned byte for byte', { timeout: 120_000 }, async () => {
    const types = fc.constantFrom(OCTETS, TEXT)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2000 }), types, async (bytes, type) => {
        const ref = await secret(who)
        expect((await put(ref, bytes, type)).status).toBe(204)
        expect((await read(ref)).bytes).toEqual(bytes)
      }),
      { numRuns: RUNS },
    )
  })

  it('a payload of PUT may have 20 000 bytes', async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(20_000))
    const ref = await secret(who)
    expect((await put(ref, bytes)).status).toBe(204)
    expect((await read(ref)).bytes).toEqual(bytes)
  })

  it.each(['base64', 'BASE64'])('a payload of PUT as octets is decoded when it is encoded in %s', async (encoding) => {
    const ref = await secret(who)
    expect((await put(ref, utf8('aGVs\nbG8='), OCTETS, { 'Content-Encoding': encoding })).status).toBe(204)
    expect((await read(ref)).text).toBe('hello')
  })

  it('a payload of PUT as text is stored as it is, whatever the encoding', async () => {
    const ref = await secret(who)
    expect((await put(ref, utf8('aGVsbG8='), TEXT, { 'Content-Encoding': 'base64' })).status).toBe(204)
    expect((await read(ref)).text).toBe('aGVsbG8=')
  })

  itDiffers('undecodable payloads')(
    'a payload of PUT that cannot be decoded leaves the secret without one',
    async () => {
      const ref = await secret(who)
      expect((await put(ref, utf8('abc'), OCTETS, { 'Content-Encoding': 'base64' })).status).toBe(400)
      expectRefusal(await read(ref), 404, NO_PAYLOAD)
    },
  )

  it('a payload of PUT can be given once', async () => {
    const ref = await secret(who)
    await put(ref, utf8('first'))
    for (const type of [OCTETS, TEXT]) {
      expectRefusal(await put(ref, utf8('second'), type), 409, 'Secret already has data, cannot modify it.')
    }
    expect((await read(ref)).text).toBe('first')
  })

  it('a payload of PUT may come from another creator of the project, and the creator of the secret stays', async () => {
    const maker = await person(['creator'])
    const other = await person(['creator'], { projectId: maker.projectId })
    const ref = await secret(maker)
    const answer = await call('PUT', ref, { token: other.token, body: 'x', headers: { 'Content-Type': TEXT } })
    expect(answer.status).toBe(204)
    expect((await call('GET', ref, { token: maker.token })).json.creator_id).toBe(maker.userId)
  })
})

type Outcome = readonly [status: number, typeOrRefusal: string | null]

const wrong = (operation: string): Outcome => [406, `${operation} issue seen - Wrong payload content-type.`]
const unsupported = (operation: string, accept: string): Outcome => [
  400,
  `${operation} issue seen - content-type of '${accept}' not supported.`,
]

/** The outcomes of an `Accept` header for a payload of valid UTF-8 and for one of other bytes. */
function outcomes(accept: string, operation: string): readonly [utf8: Outcome, binary: Outcome] {
  const refused = wrong(operation)
  const both = (outcome: Outcome) => [outcome, outcome] as const
  if (accept === TEXT) return [[200, 'text/plain; charset=UTF-8'], refused]
  if (accept === 'text/plain;charset=utf-8' || accept === 'text/plain; charset=utf-8') return [[200, accept], refused]
  if (accept === OCTETS || accept === PKCS8) return both([200, accept])
  if (/^(foo\/bar|application\/aes|application\/vnd)/.test(accept)) return both([406, null])
  if (/^(text\/plain; charset=UTF-8|TEXT|Application|application\/octet-stream;charset)/.test(accept)) {
    return both(unsupported(operation, accept))
  }
  return both(refused)
}

const accepts = [
  TEXT,
  'text/plain;charset=utf-8',
  'text/plain; charset=utf-8',
  OCTETS,
  PKCS8,
  'text/plain; charset=UTF-8',
  'TEXT/PLAIN',
  'Application/Octet-Stream',
  'application/octet-stream;charset=utf-8',
  'text/plain;charset=iso-8859-1',
  'text/plain;q=0.9',
  'text/*',
  'application/*',
  '*/*;q=0.5',
  'text/html',
  'application/xml',
  'image/png',
  'application/pkix-cert',
  'foo',
  'text/plain, */*',
  'application/octet-stream, application/json',
  'application/json, */*',
  'foo/bar',
  'application/aes',
  'application/vnd.openstack.key-manager-v1+json',
]

describe('the type of a returned payload', () => {
  const bytes = { text: utf8('hé'), binary: Uint8Array.of(0xff, 0x00) }
  const refs = new Map<string, string>()
  beforeAll(async () => {
    refs.set('text', await textSecret('hé'))
    refs.set('text as octets', await binarySecret(bytes.text))
    refs.set('binary', await binarySecret(bytes.binary))
    refs.set('binary as pkcs8', await binarySecret(bytes.binary, PKCS8))
    const ref = await secret(who)
    await put(ref, bytes.binary, TEXT)
    refs.set('binary as text', ref)
  })

  const places = [
    ['/payload', 'Secret payload retrieval'],
    ['', 'Secret retrieval'],
  ] as const
  const cases = places.flatMap(([suffix, operation]) => accepts.map((accept) => [accept, suffix, operation] as const))

  it.each(cases)('a payload is returned for Accept %j at %j', async (accept, suffix, operation) => {
    const [ofText, ofBinary] = outcomes(accept, operation)
    for (const [kind, ref] of refs) {
      const isText = kind.startsWith('text')
      const [status, typeOrRefusal] = isText ? ofText : ofBinary
      const answer = await send('GET', ref + suffix, { headers: { Accept: accept } })
      if (status !== 200) {
        expectRefusal(answer, status, typeOrRefusal)
        continue
      }
      expect([kind, answer.status, answer.headers.get('Content-Type')]).toEqual([kind, 200, typeOrRefusal])
      expect(answer.bytes).toEqual(isText ? bytes.text : bytes.binary)
    }
  })

  it.each([undefined, ''])('a payload is returned as octets at /payload for Accept %j', async (accept) => {
    for (const [kind, ref] of refs) {
      const headers: Record<string, string> = accept === undefined ? {} : { Accept: accept }
      const answer = await send('GET', `${ref}/payload`, { headers })
      expect([kind, answer.status, answer.headers.get('Content-Type')]).toEqual([kind, 200, OCTETS])
      expect(answer.bytes).toEqual(kind.startsWith('text') ? bytes.text : bytes.binary)
    }
  })

  itDiffers('empty Accept')('the metadata is returned at the secret for an Accept without a value', async () => {
    const answer = await send('GET', refs.get('text') ?? '', { headers: { Accept: '' } })
    expect([answer.status, answer.headers.get('Content-Type')]).toEqual([200, 'application/json'])
  })

  it.each(['application/json', '*/*'])('the metadata is returned at the secret for Accept %s', async (Accept) => {
    const ref = refs.get('text') ?? ''
    const answer = await send('GET', ref, { headers: { Accept } })
    expect(answer.headers.get('Content-Type')).toBe('application/json')
    expect(answer.json.secret_ref).toBe(ref)
  })

  it('a payload is not returned at /payload for Accept application/json', async () => {
    for (const ref of refs.values()) {
      expectRefusal(await read(ref, 'application/json'), ...wrong('Secret payload retrieval'))
    }
  })

  it.each([
    ['text', 'text/plain; charset=UTF-8'],
    ['text as octets', OCTETS],
    ['binary', OCTETS],
    ['binary as pkcs8', PKCS8],
  ])('a payload is returned with its stored type for Accept */*: %s', async (kind, type) => {
    const answer = await read(refs.get(kind) ?? '', '*/*')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Content-Type')).toBe(either('stored type for any type', { ours: type, peer: '*/*' }))
    expect(answer.bytes).toEqual(kind.startsWith('text') ? bytes.text : bytes.binary)
  })

  it('a payload is not returned for Accept */* when its stored type is text and its bytes are not', async () => {
    expectRefusal(await read(refs.get('binary as text') ?? '', '*/*'), ...wrong('Secret payload retrieval'))
  })

  itDiffers('nothing is cached')('a payload is never stored by a cache', async () => {
    const answer = await read(refs.get('text') ?? '')
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
  })
})

it('an absent payload is reported before the type is checked', async () => {
  const ref = await secret(who)
  for (const Accept of [OCTETS, 'application/json', 'text/html', TEXT]) {
    expectRefusal(await read(ref, Accept), 404, NO_PAYLOAD)
  }
})
