/** `portcullis/client`: one interface over a service binding and over HTTP, with the same results and failures. */
import { exports } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { keyManager, KeyManagerError, type KeyManagerClient } from '../../src/client/index.ts'
import { bindingWith, edgeCredential } from '../support/bindings.ts'
import { base, call } from '../support/client.ts'
import { errorOf } from '../support/client-errors.ts'
import { unique } from '../support/identity.ts'
import { owner, person, type Person } from '../support/people.ts'
import { idOf } from '../support/stored.ts'

const { default: worker } = exports as unknown as { readonly default: Fetcher }
const send = (url: string, options: RequestInit) => worker.fetch(url, options)
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const absent = '11111111-1111-4111-8111-111111111111'

let who: Person
const clients: Record<string, KeyManagerClient> = {}

async function store(members: object, by: Person = who): Promise<string> {
  return (await call('POST', '/v1/secrets', { token: by.token, json: members })).json.secret_ref
}
const text = (payload: string, members: object = {}) => ({ payload, payload_content_type: 'text/plain', ...members })
const octets = (bytes: Uint8Array, members: object = {}) => ({
  payload: btoa(String.fromCharCode(...bytes)),
  payload_content_type: 'application/octet-stream',
  payload_content_encoding: 'base64',
  ...members,
})

beforeAll(async () => {
  who = await owner()
  const credential = await edgeCredential(who)
  clients['binding'] = keyManager(bindingWith({ credential: credential.id }))
  clients['HTTP'] = keyManager(base, { credential, fetch: send })
  // Keystone is somewhere else, and the binding names no credential.
  const identity = 'https://keystone.example/'
  const elsewhere = (url: string, options: RequestInit) =>
    send(url.replace('https://keystone.example', `${base}/identity`), options)
  clients['binding with a token'] = keyManager(bindingWith({}), { credential, identity, fetch: elsewhere })
})

describe.each(['binding', 'HTTP', 'binding with a token'])('a client over %s', (kind) => {
  const keys = () => clients[kind] as KeyManagerClient

  it(`a client over ${kind} is ready, and says the project`, async () => {
    const { project, bound, version } = await keys().ready()
    expect([project, bound, version]).toEqual([who.projectId, kind === 'HTTP' ? null : 10, 1])
  })

  it(`a client over ${kind} reads a payload by id and by href, of any host`, async () => {
    const ref = await store(text('a payload'))
    for (const given of [ref, idOf(ref), `https://other.example/v1/secrets/${idOf(ref)}`]) {
      const before = Date.now() - 11_000
      const { bytes, type, id, asOf } = await keys().payload(given)
      expect([decode(bytes), type, id]).toEqual(['a payload', 'text/plain', idOf(ref)])
      expect(Date.parse(asOf)).toBeGreaterThanOrEqual(before - 1)
    }
  })

  it(`a client over ${kind} reads metadata in one form`, async () => {
    const ref = await store(text('x', { name: 'described', algorithm: 'aes', bit_length: 256, mode: 'gcm' }))
    const { asOf, created, updated, ...rest } = await keys().secret(ref)
    expect(rest).toEqual({
      id: idOf(ref),
      name: 'described',
      secretType: 'opaque',
      type: 'text/plain',
      algorithm: 'aes',
      bitLength: 256,
      mode: 'gcm',
      expiration: null,
      creator: who.userId,
    })
    for (const time of [asOf, created, updated]) expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000)
    expect((await keys().secret(await store({ expiration: '2999-01-01' }))).expiration).toBe(
      '2999-01-01T00:00:00.000000Z',
    )
  })

  it(`a client over ${kind} finds the newest secret of a name that it may read`, async () => {
    const name = unique('a name & more')
    await store(text('first', { name }))
    await store(text('second', { name }))
    await store({ name })
    const other = await person(['creator'], { projectId: who.projectId })
    expect(decode((await keys().payloadByName(name)).bytes)).toBe('second')
    expect(await keys().text({ name })).toBe('second')
    await store(text('of another', { name }), other)
    expect(await keys().text({ name })).toBe('of another')
    expect(await errorOf(keys().payloadByName('none'))).toMatchObject({ status: 404, failure: 'secretNotFound' })
  })

  it(`a client over ${kind} reads several payloads, each with its own failure`, async () => {
    const refs = [await store(text('one')), absent, await store(text('two'))]
    const answers = await keys().payloads(refs)
    expect(answers.map((one) => (one.ok ? decode(one.value.bytes) : one.status))).toEqual(['one', 404, 'two'])
    expect(await keys().payloads([])).toEqual([])
    const many = Array.from({ length: 51 }, () => absent)
    expect(await errorOf(keys().payloads(many))).toMatchObject({ failure: 'invalid' })
  })

  it(`a client over ${kind} says a failure by its status, its name and a sentence`, async () => {
    const missing = await errorOf(keys().payload(absent))
    expect(missing).toMatchObject({ status: 404, failure: 'secretNotFound', message: 'Secret not found.', missing: [] })
    const foreign = await store(text('x'), await owner())
    expect(await errorOf(keys().payload(foreign))).toMatchObject({ status: 403, failure: 'notPermitted' })
    expect(await errorOf(keys().ready({ token: 'nonsense' }))).toMatchObject({
      failure: 'unauthenticated',
      status: 401,
    })
  })

  it(`a client over ${kind} reads text, and nothing else as text`, async () => {
    expect(await keys().text(await store(text('naïve 🔑')))).toBe('naïve 🔑')
    const error = await errorOf(keys().text(await store(octets(Uint8Array.of(255, 0)))))
    expect(error.failure).toBe('notText')
  })

  it(`a client over ${kind} imports keys that cannot be exported`, async () => {
    const ref = await store(octets(crypto.getRandomValues(new Uint8Array(32))))
    const key = await keys().key(ref, { name: 'AES-GCM' }, ['encrypt', 'decrypt'])
    expect([key.extractable, key.type]).toEqual([false, 'secret'])
    const iv = new Uint8Array(12)
    const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, new TextEncoder().encode('x'))
    expect(decode(new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, sealed)))).toBe('x')
    expect(await errorOf(keys().key(ref, { name: 'Ed25519' }, ['sign'], { format: 'pkcs8' }))).toMatchObject({
      failure: 'notKey',
    })
  })

  it(`a client over ${kind} imports both keys of a pair, in PEM and in DER`, async () => {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
    const pair = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair
    const der = async (format: 'pkcs8' | 'spki', key: CryptoKey) =>
      new Uint8Array((await crypto.subtle.exportKey(format, key)) as ArrayBuffer)
    const pem = (label: string, bytes: Uint8Array) =>
      `-----BEGIN ${label}-----\n${btoa(String.fromCharCode(...bytes)).replaceAll(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`
    const privateKey = await der('pkcs8', pair.privateKey)
    const publicKey = await der('spki', pair.publicKey)
    const [first, second, third] = [
      await keys().key(await store(text(pem('PRIVATE KEY', privateKey))), algorithm, ['sign']),
      await keys().key(await store(octets(privateKey)), algorithm, ['sign'], { format: 'pkcs8' }),
      await keys().key(await store(text(pem('PUBLIC KEY', publicKey))), algorithm, ['verify']),
    ]
    const by = { name: 'ECDSA', hash: 'SHA-256' }
    for (const key of [first, second]) {
      expect(key.extractable).toBe(false)
      const signature = await crypto.subtle.sign(by, key, new Uint8Array(3))
      expect(await crypto.subtle.verify(by, third, signature, new Uint8Array(3))).toBe(true)
    }
  })

  it(`a client over ${kind} requires secrets, and names every one that is missing`, async () => {
    const [one, two, none] = [unique('one'), unique('two'), unique('none')]
    await store(text('1', { name: one }))
    const ref = await store(text('2', { name: two }))
    expect(await keys().require({ ONE: one, TWO: { ref } })).toEqual({ ONE: '1', TWO: '2' })
    const error = await errorOf(keys().require({ ONE: one, NONE: none, TWO: { ref: absent } }))
    expect(error).toMatchObject({ failure: 'missing', status: 404, missing: ['NONE', 'TWO'] })
    expect(error.message).toBe('NONE: Secret not found.; TWO: Secret not found.')
  })
})

describe('a client', () => {
  it('a client of a Worker whose binding is missing, or of no URL, throws at once', () => {
    for (const target of [undefined, null, 'keys', '/v1', '']) {
      expect(() => keyManager(target as never)).toThrow(KeyManagerError)
    }
    expect(() => keyManager(bindingWith({}), { credential: { id: 'a', secret: 'b' } })).toThrow('identity')
  })

  it('a URL may end in a slash or in /v1', async () => {
    const credential = await edgeCredential(who)
    for (const url of [`${base}/`, `${base}/v1`, `${base}/v1/`]) {
      const keys = keyManager(url, { credential, identity: `${base}/identity/v3/`, fetch: send })
      expect((await keys.ready()).project).toBe(who.projectId)
    }
  })

  it('an error of the client contains neither the secret of the credential nor the token', async () => {
    const credential = { id: (await edgeCredential(who)).id, secret: 'a wrong secret' }
    const error = await errorOf(keyManager(base, { credential, fetch: send }).ready())
    expect(error).toMatchObject({ status: 401, failure: 'unauthenticated' })
    expect(`${error.stack} ${JSON.stringify(error)} ${JSON.stringify(error.cause)}`).not.toContain(credential.secret)
  })
})
