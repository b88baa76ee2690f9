/** `portcullis/client/keys`: keys that stay in the service, used over a service binding and over HTTP with the same results. */
import { exports } from 'cloudflare:workers'
import { base64url, importSPKI, jwtVerify } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { keyManager, type KeyManagerClient } from '../../src/client/index.ts'
import { keyUser } from '../../src/client/keys.ts'
import { bindingWith, edgeCredential } from '../support/bindings.ts'
import { base, call } from '../support/client.ts'
import { errorOf } from '../support/client-errors.ts'
import { owner, type Person } from '../support/people.ts'
import { idOf } from '../support/stored.ts'
import { aesKey, bytesOf, storedKey } from '../support/transit.ts'
import privateKeys from '../vectors/private-keys.json' with { type: 'json' }

const { default: worker } = exports as unknown as { readonly default: Fetcher }
const send = (url: string, options: RequestInit) => worker.fetch(url, options)
const bytes = (text: string) => new TextEncoder().encode(text)
const decode = (given: Uint8Array | undefined) => new TextDecoder().decode(given)
const absent = '11111111-1111-4111-8111-111111111111'

let who: Person
let key: string
let signer: string
const clients: Record<string, KeyManagerClient> = {}

beforeAll(async () => {
  who = await owner()
  const credential = await edgeCredential(who)
  clients['binding'] = keyManager(bindingWith({ credential: credential.id }))
  clients['HTTP'] = keyManager(base, { credential, fetch: send })
  key = await aesKey(who, { extractable: false })
  signer = await storedKey(who, bytesOf(privateKeys.keys['ec-pkcs8.der']), { secret_type: 'private' })
})

describe.each(['binding', 'HTTP'])('keys in use over %s', (kind) => {
  const keys = () => keyUser(clients[kind] as KeyManagerClient)
  const other = () => keyUser(clients[kind === 'HTTP' ? 'binding' : 'HTTP'] as KeyManagerClient)

  it(`what a handle over ${kind} encrypts opens over the other way as well, with the same context alone`, async () => {
    const context = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    const handle = keys().handle(key)
    const plaintext = crypto.getRandomValues(new Uint8Array(65_536))
    const ciphertext = await handle.encrypt(plaintext, { context })
    expect(ciphertext).toBeInstanceOf(Uint8Array)
    for (const each of [handle, other().handle(idOf(key))]) {
      const opened = await each.decrypt(ciphertext, { context })
      expect(Buffer.compare(opened, plaintext)).toBe(0)
    }
    expect(await errorOf(handle.decrypt(ciphertext))).toMatchObject({ status: 400 })
    const moved = await handle.rewrap(ciphertext, { context, newContext: bytes('new') })
    expect(await handle.decrypt(moved, { context: bytes('new') })).toHaveLength(65_536)
  })

  it(`a handle over ${kind} signs, verifies and makes codes`, async () => {
    const handle = keys().handle(signer)
    const input = bytes('signed')
    const signature = await handle.sign(input, { format: 'raw' })
    expect(signature).toHaveLength(64)
    expect(await handle.verify(signature, input, { format: 'raw' })).toBe(true)
    expect(await handle.verify(signature, bytes('other'), { format: 'raw' })).toBe(false)
    const coder = await storedKey(who, new Uint8Array(32).fill(7), { algorithm: 'hmacsha256' })
    const mac = await keys().handle(coder).mac(input, { algorithm: 'HS512' })
    expect(mac).toHaveLength(64)
    expect((await keys().use('mac', coder, { input, mac, algorithm: 'HS512' })).valid).toBe(true)
  })

  it(`a key is described over ${kind}, and its public half verifies outside of the service`, async () => {
    const view = await keys().handle(signer).describe()
    expect(view).toMatchObject({ keyId: `${idOf(signer)}@1`, version: 1, extractable: true, bitLength: 256 })
    expect([view.usages, view.operations]).toEqual([
      ['sign', 'verify'],
      ['sign', 'verify'],
    ])
    const body = String(view.publicKey).replaceAll(/-----[^-]+-----|\s/g, '')
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
    const publicKey = await crypto.subtle.importKey('spki', bytesOf(body), algorithm, false, ['verify'])
    const signature = await keys().handle(signer).sign(bytes('x'), { format: 'raw' })
    const by = { name: 'ECDSA', hash: 'SHA-256' }
    expect(await crypto.subtle.verify(by, publicKey, signature, bytes('x'))).toBe(true)
    const ofAes = await keys().describe(key)
    expect([ofAes.extractable, ofAes.publicKey, ofAes.algorithm]).toEqual([false, null, 'aes'])
  })

  it(`a signer over ${kind} makes a JSON Web Signature with a key that it cannot read`, async () => {
    const meta = { algorithm: 'ed25519', bit_length: 256 }
    const json = { type: 'asymmetric', meta, extractable: false }
    const order = await call('POST', '/v1/orders', { token: who.token, json })
    const pair = async () => (await call('GET', order.json.order_ref, { token: who.token })).json.container_ref
    const container: string = await expect.poll(pair, { timeout: 10_000 }).toBeTruthy().then(pair)
    const { secret_refs: refs } = (await call('GET', container, { token: who.token })).json
    const ref: string = refs.find(({ name }: { name: string }) => name === 'private_key').secret_ref
    expect((await call('GET', `${ref}/payload`, { token: who.token })).status).toBe(403)
    const handle = keys().handle(ref)
    const input = `${base64url.encode('{"alg":"EdDSA"}')}.${base64url.encode('{"sub":"somebody"}')}`
    const signature = await handle.sign(bytes(input), { format: 'raw' })
    const publicKey = await importSPKI((await handle.describe()).publicKey ?? '', 'EdDSA')
    const { payload } = await jwtVerify(`${input}.${base64url.encode(signature)}`, publicKey)
    expect(payload).toEqual({ sub: 'somebody' })
  })

  it(`a use over ${kind} says the version of the key, and may name one`, async () => {
    const ref = await aesKey(who)
    const json = { payload: 'k'.repeat(32), payload_content_type: 'text/plain' }
    expect((await call('POST', `${ref}/versions`, { token: who.token, json })).status).toBe(201)
    const plaintext = bytes('x')
    const current = await keys().encrypt(ref, { plaintext })
    const older = await keys().encrypt(ref, { plaintext, keyVersion: 1 })
    expect([current.keyVersion, current.keyId, older.keyVersion]).toEqual([2, `${idOf(ref)}@2`, 1])
    expect(decode((await keys().decrypt(ref, { ciphertext: older.ciphertext })).plaintext)).toBe('x')
    const made = await keys().use('datakey', ref, { bits: 512 })
    expect([made.plaintext?.length, made.keyVersion]).toEqual([64, 2])
    expect(await keys().use('datakey', ref, { plaintext: false })).not.toHaveProperty('plaintext')
  })

  it(`a batch over ${kind} has a result for each item, and failures of items are their own`, async () => {
    const { ciphertext } = await keys().encrypt(key, { plaintext: bytes('x') })
    const results = await keys().batch('decrypt', key, [{ ciphertext }, { ciphertext: bytes('nothing') }])
    expect(results.map((one) => (one.ok ? decode(one.value.plaintext) : one.status))).toEqual(['x', 400])
    expect(results[1]).toMatchObject({ description: expect.stringContaining('does not open with this key') })
  })

  it(`a failure over ${kind} has the status and the sentence of the service`, async () => {
    expect(await errorOf(keys().encrypt(absent, { plaintext: bytes('x') }))).toMatchObject({
      status: 404,
      failure: 'secretNotFound',
      message: 'Secret not found.',
    })
    expect(await errorOf(keys().sign(key, { input: bytes('x') }))).toMatchObject({
      status: 409,
      message: "Conflict. The usages of this key do not allow 'sign'.",
    })
    const foreign = await aesKey(await owner())
    const refused = await errorOf(keys().encrypt(foreign, { plaintext: bytes('x') }))
    expect(refused).toMatchObject({ status: 403, failure: 'notPermitted' })
    expect((await errorOf(keys().describe(foreign))).status).toBe(403)
    expect((await errorOf(keys().encrypt(key, { plaintext: new Uint8Array(65_537) }))).status).toBe(413)
  })
})

describe('a use of a key', () => {
  const token = () =>
    Response.json(
      { token: { issued_at: new Date().toISOString(), expires_at: new Date(Date.now() + 3_600_000).toISOString() } },
      { status: 201, headers: { 'X-Subject-Token': 'token' } },
    )

  it('a use is repeated after a failure that passes, with the same body, because it changes nothing', async () => {
    const sent: string[] = []
    const replies = [503, 429, 200]
    const fetch = async (url: string, { body }: RequestInit) => {
      if (url.includes('/auth/tokens')) return token()
      sent.push(`${url} ${typeof body === 'string' ? body : 'no text'}`)
      return Response.json(
        { results: [{ valid: true, key_id: 'a@1', key_version: 1 }] },
        { status: replies.shift() ?? 200 },
      )
    }
    const keys = keyUser(keyManager('https://keys.example', { credential: { id: 'id', secret: 'secret' }, fetch }))
    const how = { input: bytes('x'), signature: bytes('y'), keyVersion: 1 }
    expect((await keys.verify(`https://evil.example/v1/secrets/${absent}`, how)).keyId).toBe('a@1')
    const body = '{"batch":[{"input":"eA==","signature":"eQ==","key_version":1}]}'
    const expected = `https://keys.example/v1/secrets/${absent}/verify ${body}`
    expect(sent).toEqual([expected, expected, expected])
  })

  it('an error of a use contains neither the plaintext nor the context', async () => {
    const plaintext = bytes('a canary')
    for (const keys of Object.values(clients)) {
      const error = await errorOf(keyUser(keys).encrypt(key, { plaintext, context: plaintext, keyVersion: 7 }))
      const text = `${error.stack} ${JSON.stringify(error)} ${JSON.stringify(error.cause)}`
      for (const form of ['a canary', btoa('a canary'), [...plaintext].join()]) expect(text).not.toContain(form)
    }
  })
})
