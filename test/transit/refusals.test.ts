/** What refuses the use of a key is the same for each use: every use is refused for every reason that it declares. */
import { beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/client.ts'
import { owner, type Person } from '../support/people.ts'
import { secret } from '../support/stored.ts'
import { aesKey, base64, NOT_DECRYPTED, storedKey, use } from '../support/transit.ts'

/** An item for a key of each use, which is admitted whatever the key is. */
const items: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  encrypt: { plaintext: '' },
  decrypt: { ciphertext: base64(new Uint8Array(256)) },
  rewrap: { ciphertext: base64(new Uint8Array(256)) },
  datakey: {},
  sign: { input: '', algorithm: 'PS256' },
  verify: { input: '', algorithm: 'PS256', signature: '' },
  mac: { input: '', algorithm: 'HS256' },
}
const uses = Object.keys(items)
const ofEncryption = ['encrypt', 'decrypt', 'rewrap', 'datakey']
const ofSignature = ['sign', 'verify']

let who: Person
/** By use: a key with three versions, of which the first is destroyed and the second disabled. */
let keys: Readonly<Record<string, string>>
/** By use: a key that is for something else, and a payload that is no key. */
let others: Readonly<Record<string, string>>
let damaged: Readonly<Record<string, string>>

const forUses = (refs: readonly [encryption: string, signature: string, mac: string]) =>
  Object.fromEntries(
    uses.map((name) => [name, refs[ofEncryption.includes(name) ? 0 : ofSignature.includes(name) ? 1 : 2]]),
  )

async function send(method: string, path: string, json?: unknown): Promise<void> {
  const answer = await call(method, path, { token: who.token, ...(json !== undefined && { json }) })
  expect([path, answer.status]).toEqual([path, answer.status < 300 ? answer.status : 200])
}

async function withVersions(payload: Uint8Array, members: object): Promise<string> {
  const ref = await storedKey(who, payload, members)
  const version = {
    payload: base64(payload),
    payload_content_type: 'application/octet-stream',
    payload_content_encoding: 'base64',
  }
  for (let round = 0; round < 2; round += 1) await send('POST', `${ref}/versions`, version)
  for (const version of [1, 2]) await send('PATCH', `${ref}/versions/${version}`, { enabled: false })
  await send('DELETE', `${ref}/versions/1`)
  return ref
}

const encrypts = ['encrypt', 'decrypt']

beforeAll(async () => {
  who = await owner()
  const parameters = { name: 'RSA-PSS', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' }
  const made = (await crypto.subtle.generateKey(parameters, true, ['sign', 'verify'])) as CryptoKeyPair
  const der = Buffer.from((await crypto.subtle.exportKey('pkcs8', made.privateKey)) as ArrayBuffer)
  const pem = Buffer.from(`-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`)
  const ofPair = { secret_type: 'private' }
  const forCodes = { algorithm: 'hmacsha256' }
  const raw = crypto.getRandomValues(new Uint8Array(32))
  const encrypting = await withVersions(pem, { ...ofPair, usages: encrypts })
  const signing = await withVersions(pem, ofPair)
  keys = forUses([encrypting, signing, await withVersions(raw, forCodes)])
  others = forUses([signing, encrypting, encrypting])
  const noPem = Buffer.from('no key')
  damaged = forUses([
    await storedKey(who, noPem, { ...ofPair, usages: encrypts }),
    await storedKey(who, noPem, ofPair),
    await storedKey(who, noPem, forCodes),
  ])
}, 60_000)

const refused = async (name: string, refs: Readonly<Record<string, string>>, members: object = {}) => {
  const { status, json } = await use(who, refs[name] ?? '', name, { ...items[name], ...members })
  return [status, json.description]
}
const notAKey = 'Conflict. The payload is not a key for this: '

describe.each(uses)('%s', (name) => {
  it('refuses a secret without a payload', async () => {
    const empty = await secret(who, { secret_type: 'private' })
    const description = 'Not Found. Sorry but your secret has no payload.'
    expect(await refused(name, { [name]: empty })).toEqual([404, description])
  })

  it('refuses a key that is for something else', async () => {
    expect(await refused(name, others)).toEqual([409, expect.stringContaining(`'${name}'`)])
  })

  it('refuses a payload that is no key', async () => {
    expect(await refused(name, damaged)).toEqual([409, expect.stringContaining(notAKey)])
  })

  it.each([
    [1, 'Conflict. Version 1 is destroyed.'],
    [2, 'Conflict. Version 2 is disabled.'],
    [4, 'Conflict. The key has no version 4.'],
  ])('refuses version %d', async (version, description) => {
    expect(await refused(name, keys, { key_version: version })).toEqual([409, description])
  })

  it('refuses a batch that is too large', async () => {
    const batch = Array.from({ length: 101 }, () => items[name])
    const { status } = await use(who, keys[name] ?? '', name, { batch })
    expect(status).toBe(413)
  })
})

it.each(ofEncryption)('%s refuses an algorithm of RSA for a symmetric key', async (name) => {
  const key = await aesKey(who)
  const description = expect.stringContaining('The algorithm RSA-OAEP-256 is for RSA keys')
  expect(await refused(name, { [name]: key }, { algorithm: 'RSA-OAEP-256' })).toEqual([400, description])
})

it.each(['decrypt', 'rewrap'])('%s refuses what does not open', async (name) => {
  expect(await refused(name, keys)).toEqual([400, NOT_DECRYPTED])
})

it.each(ofSignature)('%s refuses an algorithm that is not of the key', async (name) => {
  const description = expect.stringContaining('Signature issue seen - ')
  expect(await refused(name, keys, { algorithm: 'ES256' })).toEqual([400, description])
})

it('the attributes of a secret without a payload, and of one that is no key, are not narrowed', async () => {
  const patch = async (ref: string) => {
    const { status, json } = await call('PATCH', `${ref}/key`, { token: who.token, json: { usages: [] } })
    return [status, json.description]
  }
  const empty = await secret(who, { secret_type: 'private' })
  expect(await patch(empty)).toEqual([404, 'Not Found. Sorry but your secret has no payload.'])
  const payload = { payload: 'x', payload_content_type: 'text/plain' }
  expect(
    (await call('PUT', empty, { token: who.token, body: 'x', headers: { 'Content-Type': 'text/plain' } })).status,
  ).toBe(204)
  const { json } = await call('GET', `${empty}/key`, { token: who.token })
  expect(json.key.usages).toEqual(['sign', 'verify'])
  expect(await patch(await secret(who, { secret_type: 'opaque', ...payload }))).toEqual([
    409,
    expect.stringContaining(notAKey),
  ])
})
