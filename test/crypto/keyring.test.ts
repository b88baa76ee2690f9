/** Master keys: how MASTER_KEYS is read, and how they wrap project keys and derive the keys of MACs. */
import { describe, expect, it } from 'vitest'
import { open, seal, SealError } from '../../src/crypto/envelope.ts'
import {
  deriveSigningKey,
  KeyringError,
  masterKeyIdOf,
  newWrappedKey,
  readKeyring,
  unwrapKey,
  type KeyPlace,
} from '../../src/crypto/keyring.ts'
import vectors from '../vectors/envelope.json'

const fromHex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const toBase64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes))
const random = () => toBase64(crypto.getRandomValues(new Uint8Array(32)))
const place: KeyPlace = { project: 'p', store: 's', version: 1 }
const sealedPlace = { project: 'p', kind: 'payload', id: 'i' }
const refused = (opening: Promise<unknown>) => expect(opening).rejects.toThrow(SealError)

describe('MASTER_KEYS', () => {
  it('the first key of MASTER_KEYS is the primary', async () => {
    const keyring = await readKeyring(`b:${random()},a:${random()}, c:${random()}`)
    expect(keyring.primary.id).toBe('b')
    expect([...keyring.keys.keys()]).toEqual(['b', 'a', 'c'])
  })

  it('the keys of MASTER_KEYS cannot be exported from WebCrypto', async () => {
    const { primary } = await readKeyring(`a:${random()}`)
    expect(primary.material.extractable).toBe(false)
    await expect(crypto.subtle.exportKey('raw', primary.material)).rejects.toThrow()
  })

  it('a key of MASTER_KEYS may be any 32 random bytes', async () => {
    for (let i = 0; i < 200; i += 1) await readKeyring(`a:${random()}`)
  })

  it.each<[string, string | undefined]>([
    ['nothing', undefined],
    ['empty text', ''],
    ['white space', ' \n'],
    ['a key without an id', random()],
    ['an id without a key', 'a'],
    ['a comma at the end', `a:${random()},`],
    ['a strange id', `a/b:${random()}`],
    ['an id twice', `a:${random()},a:${random()}`],
    ['31 bytes', `a:${toBase64(crypto.getRandomValues(new Uint8Array(31)))}`],
    ['33 bytes', `a:${toBase64(crypto.getRandomValues(new Uint8Array(33)))}`],
    ['a damaged second key', `a:${random()},b:${random().slice(1)}`],
    ['a character that base64 does not have', `a:${random().replace(/^./, '*')}`],
    ['zeros', `a:${toBase64(new Uint8Array(32))}`],
    ['a pattern', `a:${toBase64(Uint8Array.from({ length: 32 }, (_, at) => at % 15))}`],
    ['a sequence', `a:${toBase64(Uint8Array.from({ length: 32 }, (_, at) => at * 3))}`],
    ['text', `a:${btoa('thirty-two characters of a text.')}`],
    ['the key of a well-known example', 'a:dGhpcnR5X3R3b19ieXRlX2tleWJsYWhibGFoYmxhaGg='],
  ])('MASTER_KEYS must not be %s', async (_, masterKeys) => {
    const failed = await readKeyring(masterKeys).catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(KeyringError)
    for (const part of (masterKeys ?? '').split(/[,:]/)) {
      if (part.length > 20) expect(String(failed)).not.toContain(part)
    }
  })
})

describe('a wrapped project key', () => {
  it('a wrapped project key opens in its place, and then seals and opens values', async () => {
    const keyring = await readKeyring(`a:${random()}`)
    const wrapped = await newWrappedKey(keyring, place)
    const [one, other] = [await unwrapKey(keyring, place, wrapped), await unwrapKey(keyring, place, wrapped)]
    expect(one.version).toBe(1)
    const sealed = await seal(one, sealedPlace, Uint8Array.of(1, 2))
    expect(await open(other, sealedPlace, sealed)).toEqual(Uint8Array.of(1, 2))
  })

  it('an opened project key cannot be exported from WebCrypto', async () => {
    const keyring = await readKeyring(`a:${random()}`)
    const { material } = await unwrapKey(keyring, place, await newWrappedKey(keyring, place))
    expect(material.extractable).toBe(false)
    await expect(crypto.subtle.exportKey('raw', material)).rejects.toThrow()
  })

  it('a wrapped project key names the primary master key, which wrapped it', async () => {
    const keyring = await readKeyring(`new-1:${random()},old:${random()}`)
    expect(masterKeyIdOf(await newWrappedKey(keyring, place))).toBe('new-1')
  })

  it('two new project keys differ', async () => {
    const keyring = await readKeyring(`a:${random()}`)
    const [one, other] = [await newWrappedKey(keyring, place), await newWrappedKey(keyring, place)]
    const sealed = await seal(await unwrapKey(keyring, place, one), sealedPlace, Uint8Array.of(1))
    await refused(open(await unwrapKey(keyring, place, other), sealedPlace, sealed))
  })

  it('a wrapped project key opens while its master key is in the ring, as the primary or not', async () => {
    const [old, newer] = [random(), random()]
    const wrapped = await newWrappedKey(await readKeyring(`old:${old}`), place)
    await unwrapKey(await readKeyring(`new:${newer},old:${old}`), place, wrapped)
    await refused(unwrapKey(await readKeyring(`new:${newer}`), place, wrapped))
    await refused(unwrapKey(await readKeyring(`old:${newer}`), place, wrapped))
    await refused(unwrapKey(await readKeyring(`older:${old}`), place, wrapped))
  })

  it.each<[string, KeyPlace]>([
    ['project', { ...place, project: 'q' }],
    ['store', { ...place, store: 't' }],
    ['version', { ...place, version: 2 }],
    ['boundary between its fields', { ...place, project: 'ps', store: '' }],
  ])('a wrapped project key does not open in a place with another %s', async (_, elsewhere) => {
    const keyring = await readKeyring(`a:${random()}`)
    await refused(unwrapKey(keyring, elsewhere, await newWrappedKey(keyring, place)))
  })

  it('a wrapped project key does not open when any one bit of it is changed', async () => {
    const keyring = await readKeyring(`a:${random()},c:${random()}`)
    const wrapped = await newWrappedKey(keyring, place)
    for (let bit = 0; bit < wrapped.length * 8; bit += 1) {
      const damaged = wrapped.slice()
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      await refused(unwrapKey(keyring, place, damaged))
    }
  })

  it('a wrapped project key does not open when it is cut or extended', async () => {
    const keyring = await readKeyring(`a:${random()}`)
    const wrapped = await newWrappedKey(keyring, place)
    for (let length = 0; length < wrapped.length; length += 1) {
      await refused(unwrapKey(keyring, place, wrapped.slice(0, length)))
    }
    await refused(unwrapKey(keyring, place, Uint8Array.from([...wrapped, 0])))
  })

  it('a wrapped project key does not open as a sealed value', async () => {
    const keyring = await readKeyring(`a:${random()}`)
    const wrapped = await newWrappedKey(keyring, place)
    const key = await unwrapKey(keyring, place, wrapped)
    await refused(open(key, sealedPlace, wrapped))
    await refused(unwrapKey(keyring, place, await seal(key, sealedPlace, new Uint8Array(32))))
  })
})

describe('a signing key', () => {
  it('a signing key cannot be exported from WebCrypto, and exists only for keys of the ring', async () => {
    const keyring = await readKeyring(`a:${random()}`)
    expect((await deriveSigningKey(keyring, 'a', 'tokens'))?.extractable).toBe(false)
    expect(await deriveSigningKey(keyring, 'b', 'tokens')).toBeNull()
    expect(await deriveSigningKey(keyring, '__proto__', 'tokens')).toBeNull()
  })

  it('a signing key differs for another purpose, another master key and another epoch', async () => {
    const masterKeys = `a:${random()},b:${random()}`
    const macs = await Promise.all(
      (
        [
          ['a', 'tokens', 0],
          ['a', 'tokens ', 0],
          ['b', 'tokens', 0],
          ['a', 'tokens', 1],
          ['a', 'tokens', 10],
        ] as const
      ).map(async ([id, purpose, epoch]) => {
        const key = await deriveSigningKey(await readKeyring(masterKeys, epoch), id, purpose)
        return key && new Uint8Array(await crypto.subtle.sign('HMAC', key, new Uint8Array(1))).join()
      }),
    )
    expect(new Set(macs).size).toBe(5)
  })
})

describe('known answers', () => {
  it.each(vectors.wrapped)('the known wrapped key of $project under $masterKeyId opens', async (vector) => {
    const keyring = await readKeyring(vector.masterKeys)
    const wrapped = fromHex(vector.wrapped)
    expect(masterKeyIdOf(wrapped)).toBe(vector.masterKeyId)
    const key = await unwrapKey(keyring, vector, wrapped)
    const where = { project: vector.project, kind: 'payload', id: vector.id }
    expect(await open(key, where, fromHex(vector.sealed))).toEqual(fromHex(vector.plaintext))
  })

  it.each(vectors.signing)(
    'the known signature of the signing key for "$purpose" in epoch $tokenEpoch is reproduced',
    async (vector) => {
      const keyring = await readKeyring(vector.masterKeys, vector.tokenEpoch)
      const key = await deriveSigningKey(keyring, vector.masterKeyId, vector.purpose)
      if (!key) throw new Error('no signing key')
      const mac = await crypto.subtle.sign('HMAC', key, fromHex(vector.message))
      expect(new Uint8Array(mac)).toEqual(fromHex(vector.mac))
    },
  )
})
