/** `KeyManager` uses keys: other Workers encrypt, decrypt, sign, verify and make codes through a service binding. */
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { Answered, KeyManagerBinding } from '../../src/client/contract.ts'
import { bindingWith, edgeCredential } from '../support/bindings.ts'
import { call, database } from '../support/client.ts'
import { countingDatabase } from '../support/counting.ts'
import { owner, person, type Person } from '../support/people.ts'
import { idOf } from '../support/stored.ts'
import { aesKey, base64, bytesOf, grant, NOT_DECRYPTED, storedKey, use } from '../support/transit.ts'
import privateKeys from '../vectors/private-keys.json' with { type: 'json' }

const bytes = (text: string) => new TextEncoder().encode(text)
const decode = (given: Uint8Array | undefined) => new TextDecoder().decode(given)
const absent = '11111111-1111-4111-8111-111111111111'

let who: Person
let credential: string
let keys: KeyManagerBinding
let key: string
let signer: string
let coder: string

function valueOf<Value>(answer: Answered<Value>): Value {
  if (!answer.ok) throw new Error(`${answer.status} ${answer.failure}: ${answer.description}`)
  return answer.value
}
const failureOf = (answer: Answered<unknown>) => (answer.ok ? 'none' : `${answer.status} ${answer.failure}`)

async function rotate(ref: string): Promise<void> {
  const json = {
    payload: base64(crypto.getRandomValues(new Uint8Array(32))),
    payload_content_type: 'application/octet-stream',
    payload_content_encoding: 'base64',
  }
  expect((await call('POST', `${ref}/versions`, { token: who.token, json })).status).toBe(201)
}

beforeAll(async () => {
  who = await owner()
  credential = (await edgeCredential(who)).id
  keys = bindingWith({ credential })
  key = await aesKey(who, { extractable: false })
  signer = await storedKey(who, bytesOf(privateKeys.keys['ec-pkcs8.der']), { secret_type: 'private' })
  coder = await storedKey(who, new Uint8Array(32).fill(7), { algorithm: 'hmacsha256' })
})

describe('the use of keys through a binding', () => {
  it('what is encrypted opens with the same context, here and over HTTP', async () => {
    const context = bytes('a context')
    const sealed = valueOf(await keys.encrypt(key, { plaintext: bytes('hello'), context }))
    expect(sealed).toEqual({ ciphertext: expect.any(Uint8Array), keyId: `${idOf(key)}@1`, keyVersion: 1 })
    const { ciphertext } = sealed
    const opened = valueOf(await keys.decrypt(idOf(key), { ciphertext, context }))
    expect([decode(opened.plaintext), opened.keyId, opened.keyVersion]).toEqual(['hello', `${idOf(key)}@1`, 1])
    const json = { ciphertext: base64(ciphertext), context: base64(context) }
    expect((await use(who, key, 'decrypt', json)).json.plaintext).toBe(base64('hello'))
    expect(await keys.decrypt(key, { ciphertext })).toEqual({
      ok: false,
      status: 400,
      failure: 'notDecrypted',
      description: NOT_DECRYPTED,
    })
  })

  it('rewrap moves a ciphertext to the current version and another context', async () => {
    const ref = await aesKey(who)
    const context = bytes('old')
    const { ciphertext } = valueOf(await keys.encrypt(ref, { plaintext: bytes('x'), context }))
    await rotate(ref)
    const moved = valueOf(await keys.rewrap(ref, { ciphertext, context, newContext: bytes('new') }))
    expect(moved.keyVersion).toBe(2)
    const opened = await keys.decrypt(ref, { ciphertext: moved.ciphertext, context: bytes('new') })
    expect(decode(valueOf(opened).plaintext)).toBe('x')
    const kept = valueOf(await keys.rewrap(ref, { ciphertext, context }))
    expect(valueOf(await keys.decrypt(ref, { ciphertext: kept.ciphertext, context })).keyVersion).toBe(2)
    expect(valueOf(await keys.encrypt(ref, { plaintext: bytes('x'), keyVersion: 1 })).keyVersion).toBe(1)
  })

  it.each([
    [undefined, 32],
    [128, 16],
    [512, 64],
  ] as const)('a data key of %s bits has %d bytes and opens by decryption', async (bits, length) => {
    const made = valueOf(await keys.datakey(key, { ...(bits && { bits }) }))
    expect(made.plaintext).toHaveLength(length)
    const { plaintext } = valueOf(await keys.decrypt(key, { ciphertext: made.ciphertext }))
    expect([...plaintext]).toEqual([...(made.plaintext ?? [])])
    expect(valueOf(await keys.datakey(key, { plaintext: false }))).not.toHaveProperty('plaintext')
  })

  it('a signature verifies, in the form that was asked for', async () => {
    const input = bytes('signed')
    const made = valueOf(await keys.sign(signer, { input, format: 'raw' }))
    expect([made.signature.length, made.algorithm]).toEqual([64, 'ES256'])
    const { signature } = made
    expect(valueOf(await keys.verify(signer, { input, signature, format: 'raw' })).valid).toBe(true)
    expect(valueOf(await keys.verify(signer, { input: bytes('other'), signature, format: 'raw' })).valid).toBe(false)
    expect(valueOf(await keys.verify(signer, { input, signature })).valid).toBe(false)
  })

  it('a code is made and verified', async () => {
    const input = bytes('a message')
    const { mac } = valueOf(await keys.mac(coder, { input, algorithm: 'HS256' }))
    expect(mac).toHaveLength(32)
    expect(valueOf(await keys.mac(coder, { input, algorithm: 'HS256', mac })).valid).toBe(true)
    expect(valueOf(await keys.mac(coder, { input, algorithm: 'HS512', mac })).valid).toBe(false)
  })

  it('a key is described as over HTTP', async () => {
    const { json } = await call('GET', `${signer}/key`, { token: who.token })
    expect(valueOf(await keys.describeKey(signer))).toEqual({
      keyId: json.key.key_id,
      version: 1,
      algorithm: json.key.algorithm,
      bitLength: 256,
      extractable: true,
      usages: ['sign', 'verify'],
      operations: ['sign', 'verify'],
      publicKey: expect.stringContaining('BEGIN PUBLIC KEY'),
    })
  })

  it('a batch has a result for each item in order, and failures of items are their own', async () => {
    const { ciphertext } = valueOf(await keys.encrypt(key, { plaintext: bytes('x') }))
    const items = [{ ciphertext }, { ciphertext: bytes('nothing') }, {}, { ciphertext, more: 1 }, { ciphertext }]
    const results = valueOf(await keys.batch(key, 'decrypt', items as { ciphertext: Uint8Array }[]))
    expect(results.map((one) => (one.ok ? decode(one.value.plaintext) : failureOf(one)))).toEqual([
      'x',
      '400 notDecrypted',
      '400 argument',
      '400 argument',
      'x',
    ])
    expect(results[3]).toMatchObject({ description: "The argument 'more' is invalid." })
  })

  it('a failure has the status, the name and the description that HTTP has', async () => {
    const plaintext = bytes('x')
    expect(failureOf(await keys.encrypt(absent, { plaintext }))).toBe('404 secretNotFound')
    expect(failureOf(await keys.encrypt('nothing', { plaintext }))).toBe('404 secretId')
    expect(failureOf(await keys.sign(key, { input: plaintext }))).toBe('409 keyUsage')
    expect(failureOf(await keys.encrypt(key, { plaintext, keyVersion: 9 }))).toBe('409 keyVersion')
    expect(failureOf(await keys.encrypt(key, { plaintext, algorithm: 'RSA-OAEP' }))).toBe('400 rsaAlgorithm')
    expect(failureOf(await keys.sign(signer, { input: plaintext, algorithm: 'RS256' }))).toBe('400 notSigned')
    const over = await use(who, key, 'encrypt', { plaintext: base64('x'), key_version: 9 })
    const { description } = over.json
    expect(await keys.encrypt(key, { plaintext, keyVersion: 9 })).toMatchObject({ status: over.status, description })
  })

  it('the limits are those of HTTP', async () => {
    const long = (length: number) => new Uint8Array(length)
    const of = async (answer: Promise<Answered<unknown>>) => failureOf(await answer)
    expect(await of(keys.encrypt(key, { plaintext: long(65_536), context: long(8_192) }))).toBe('none')
    expect(await of(keys.encrypt(key, { plaintext: long(65_537) }))).toBe('413 useTooLarge')
    expect(await of(keys.encrypt(key, { plaintext: long(1), context: long(8_193) }))).toBe('413 useTooLarge')
    expect(await of(keys.decrypt(key, { ciphertext: long(66_561) }))).toBe('413 useTooLarge')
    expect(await of(keys.verify(signer, { input: long(1), signature: long(4_097) }))).toBe('413 useTooLarge')
    const items = (count: number, length: number) => Array.from({ length: count }, () => ({ plaintext: long(length) }))
    expect(await of(keys.batch(key, 'encrypt', items(100, 1)))).toBe('none')
    expect(await of(keys.batch(key, 'encrypt', items(101, 1)))).toBe('413 useTooLarge')
    expect(await of(keys.batch(key, 'encrypt', items(16, 65_536)))).toBe('none')
    expect(await of(keys.batch(key, 'encrypt', items(17, 65_536)))).toBe('413 useTooLarge')
    expect(await of(keys.batch(key, 'encrypt', []))).toBe('400 argument')
    expect(await of(keys.batch(key, 'wrap' as 'encrypt', items(1, 1)))).toBe('400 argument')
    expect(await of(keys.batch(key, 'toString' as 'encrypt', items(1, 1)))).toBe('400 argument')
  })

  it('a use takes one round trip for the credential, the key and all versions that are named', async () => {
    const ref = await aesKey(who)
    const ciphertexts: Uint8Array[] = []
    for (let version = 1; version <= 3; version += 1) {
      if (version > 1) await rotate(ref)
      ciphertexts.push(valueOf(await keys.encrypt(ref, { plaintext: bytes('x') })).ciphertext)
    }
    const { binding, trips } = countingDatabase()
    const counted = bindingWith({ credential }, { DB: binding })
    const cost = async (asking: () => Promise<Answered<unknown>>) => {
      const before = trips()
      valueOf(await asking())
      return trips() - before
    }
    await counted.encrypt(ref, { plaintext: bytes('x') })
    expect(await cost(() => counted.encrypt(ref, { plaintext: bytes('x') }))).toBe(1)
    expect(await cost(() => counted.decrypt(ref, { ciphertext: ciphertexts[0] ?? bytes('') }))).toBe(1)
    const items = Array.from({ length: 99 }, (_, at) => ({ ciphertext: ciphertexts[at % 3] ?? bytes('') }))
    expect(await cost(() => counted.batch(ref, 'decrypt', items))).toBe(1)
    expect(await cost(() => counted.sign(signer, { input: bytes('x') }))).toBe(1)
    expect(await cost(() => counted.describeKey(ref))).toBe(1)
  })
})

describe('who may use a key through a binding', () => {
  it('a grant of use opens its operation and nothing else, and a read ACL opens no use', async () => {
    const stranger = await owner()
    const theirs = bindingWith({ credential: (await edgeCredential(stranger)).id })
    const ref = await aesKey(who)
    await grant(who, ref, { [stranger.userId]: ['encrypt'] })
    const { ciphertext } = valueOf(await theirs.encrypt(ref, { plaintext: bytes('x') }))
    expect(valueOf(await theirs.describeKey(ref)).operations).toEqual(['encrypt'])
    expect(failureOf(await theirs.decrypt(ref, { ciphertext }))).toBe('403 notPermitted')
    expect(failureOf(await theirs.batch(ref, 'decrypt', [{ ciphertext }]))).toBe('403 notPermitted')
    expect(failureOf(await theirs.payload(ref))).toBe('403 notPermitted')
    const readable = await aesKey(who)
    await call('PUT', `${readable}/acl`, { token: who.token, json: { read: { users: [stranger.userId] } } })
    expect(failureOf(await theirs.payload(readable))).toBe('none')
    expect(failureOf(await theirs.encrypt(readable, { plaintext: bytes('x') }))).toBe('403 notPermitted')
  })

  it('a list in the props narrows the use of keys as well', async () => {
    const narrowed = bindingWith({ credential, secrets: [idOf(signer)] })
    expect(failureOf(await narrowed.sign(signer, { input: bytes('x') }))).toBe('none')
    expect(failureOf(await narrowed.encrypt(key, { plaintext: bytes('x') }))).toBe('403 notPermitted')
    expect(failureOf(await narrowed.describeKey(key))).toBe('403 notPermitted')
  })

  it('AUDIT_READS=strict records one event for each call, and refusals and unopened ciphertexts always are', async () => {
    const ref = await aesKey(who)
    const strict = bindingWith({ credential, application: 'shop' }, { AUDIT_READS: 'strict' })
    const plaintext = bytes('x')
    valueOf(await strict.encrypt(ref, { plaintext }))
    valueOf(await strict.batch(ref, 'encrypt', [{ plaintext }, { plaintext }]))
    await keys.decrypt(ref, { ciphertext: bytes('nothing') })
    const stranger = await person(['creator'])
    await bindingWith({ credential: (await edgeCredential(stranger)).id }).encrypt(ref, { plaintext })
    const { results } = await database
      .prepare("select * from audit_events where target_id = ? and action = 'read' order by seq")
      .bind(idOf(ref))
      .all<Readonly<Record<string, string | null>>>()
    const seen = results.map((event) => [event['operation'], event['outcome'], event['reason'], event['rule']])
    expect(seen).toEqual([
      ['Encryption', 'success', null, 'secret:use'],
      ['Encryption', 'success', null, 'secret:use'],
      ['Decryption', 'failure', '400', 'secret:use'],
      ['Encryption', 'failure', '403', 'secret:use'],
    ])
    expect(new Set(results.map((event) => event['target_type']))).toEqual(new Set(['data/security/secret/key']))
    expect(results[0]).toMatchObject({ initiator_id: who.userId, initiator_application: 'shop' })
  })

  it('while the service is read-only keys are used, and neither refusals nor unopened ciphertexts are written', async () => {
    const readOnly = { READ_ONLY: 'on' }
    const quiet = bindingWith({ credential }, readOnly)
    const ref = await aesKey(who)
    const count = () => database.prepare('select count(*) as n from audit_events').first('n')
    const stranger = bindingWith({ credential: (await edgeCredential(await owner())).id }, readOnly)
    const before = await count()
    valueOf(await quiet.encrypt(ref, { plaintext: bytes('x') }))
    expect(failureOf(await quiet.decrypt(ref, { ciphertext: bytes('x') }))).toBe('400 notDecrypted')
    expect(failureOf(await stranger.encrypt(ref, { plaintext: bytes('x') }))).toBe('403 notPermitted')
    expect(failureOf(await stranger.payload(ref))).toBe('403 notPermitted')
    const strict = bindingWith({ credential }, { ...readOnly, AUDIT_READS: 'strict' })
    expect(failureOf(await strict.encrypt(ref, { plaintext: bytes('x') }))).toBe('503 readOnly')
    expect(await count()).toBe(before)
  })

  it('the request log has the operation, and no bytes', async () => {
    const lines: unknown[] = []
    const spy = vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(JSON.parse(String(line))))
    await bindingWith({ credential }, { LOG: 'requests' }).batch(key, 'encrypt', [{ plaintext: bytes('canary') }])
    await vi.waitFor(() => expect(lines).toHaveLength(1))
    spy.mockRestore()
    expect(lines[0]).toMatchObject({ entrypoint: 'KeyManager', method: 'batch', operation: 'Encryption', status: 200 })
  })
})
