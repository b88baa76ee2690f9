/**
 * The sealed envelope: a value opens only in its place and under its key, and equals what other implementations
 * compute.
 */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  context,
  deriveKey,
  keyVersionOf,
  open,
  seal,
  SealError,
  type Place,
  type ProjectKey,
} from '../../src/crypto/envelope.ts'
import vectors from '../vectors/envelope.json'

const HEADER_BYTES = 17
const TAG_BYTES = 16
const fromHex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const place: Place = { project: 'p', kind: 'payload', id: 'i' }
const anyBytes = fc.uint8Array({ maxLength: 300 })

async function projectKey(raw: Uint8Array<ArrayBuffer>, version = 1): Promise<ProjectKey> {
  return { version, material: await crypto.subtle.importKey('raw', raw, 'HKDF', false, ['deriveKey']) }
}

const randomKey = (version = 1) => projectKey(crypto.getRandomValues(new Uint8Array(32)), version)
const refused = (opening: Promise<unknown>) => expect(opening).rejects.toThrow(SealError)

describe('a sealed value', () => {
  it('a sealed value opens in its place to the plaintext, whatever it is', async () => {
    const key = await randomKey()
    await fc.assert(
      fc.asyncProperty(anyBytes, fc.string(), fc.string(), fc.string(), async (plaintext, project, kind, id) => {
        const there = { project, kind, id }
        expect(await open(key, there, await seal(key, there, plaintext))).toEqual(plaintext)
      }),
      {
        examples: [
          [new Uint8Array(0), '', '', ''],
          [new Uint8Array(50_000).fill(7), 'ü', '😀', 'x'],
        ],
      },
    )
  })

  it('a sealed value is longer by the header and the tag, and names the version of its key', async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, fc.integer({ min: 0, max: 2 ** 32 - 1 }), async (plaintext, version) => {
        const sealed = await seal(await randomKey(version), place, plaintext)
        expect(sealed).toHaveLength(HEADER_BYTES + plaintext.length + TAG_BYTES)
        expect(sealed[0]).toBe(1)
        expect(keyVersionOf(sealed)).toBe(version)
      }),
    )
  })

  it('a value that is sealed twice has two different envelopes', async () => {
    const key = await randomKey()
    const sealed = await Promise.all(Array.from({ length: 50 }, () => seal(key, place, new Uint8Array(32))))
    expect(new Set(sealed.map((bytes) => bytes.slice(5, HEADER_BYTES).join())).size).toBe(50)
    expect(new Set(sealed.map((bytes) => bytes.slice(HEADER_BYTES).join())).size).toBe(50)
  })

  it('a sealed value does not open when any one bit of it is changed', async () => {
    const key = await randomKey()
    const sealed = await seal(key, place, new TextEncoder().encode('sixteen bytes ok'))
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const damaged = sealed.slice()
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      await refused(open(key, place, damaged))
    }
  })

  it('a sealed value does not open when it is cut or extended', async () => {
    const key = await randomKey()
    const sealed = await seal(key, place, Uint8Array.of(1, 2, 3))
    for (let length = 0; length < sealed.length; length += 1) {
      await refused(open(key, place, sealed.slice(0, length)))
      await refused(open(key, place, sealed.slice(sealed.length - length)))
    }
    await refused(open(key, place, Uint8Array.from([...sealed, 0])))
  })

  it.each<[string, Place]>([
    ['project', { ...place, project: 'q' }],
    ['project in capitals', { ...place, project: 'P' }],
    ['kind', { ...place, kind: 'passphrase' }],
    ['id', { ...place, id: 'j' }],
    ['project and id, changed about', { ...place, project: 'i', id: 'p' }],
    ['boundary between its fields', { project: 'ppayload', kind: '', id: 'i' }],
  ])('a sealed value does not open in a place with another %s', async (_, elsewhere) => {
    const key = await randomKey()
    await refused(open(key, elsewhere, await seal(key, place, Uint8Array.of(1))))
  })

  it('a sealed value does not open under another key, or under the same key with another version', async () => {
    const raw = crypto.getRandomValues(new Uint8Array(32))
    const sealed = await seal(await projectKey(raw, 1), place, Uint8Array.of(1))
    await refused(open(await randomKey(1), place, sealed))
    await refused(open(await projectKey(raw, 2), place, sealed))
    const renamed = sealed.slice()
    renamed[4] = 2
    await refused(open(await projectKey(raw, 2), place, renamed))
  })

  it('a sealed value does not open with another format byte', async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, async (bytes) => {
        await refused(open(await randomKey(), place, bytes))
      }),
    )
    expect(() => keyVersionOf(new Uint8Array(HEADER_BYTES + TAG_BYTES - 1).fill(1))).toThrow(SealError)
    expect(() => keyVersionOf(new Uint8Array(100).fill(2))).toThrow(SealError)
  })

  it('a sealed value opens at any offset of a larger buffer', async () => {
    const key = await randomKey(3)
    const sealed = await seal(key, place, Uint8Array.of(1, 2, 3))
    const larger = new Uint8Array(sealed.length + 20)
    larger.set(sealed, 7)
    const view = larger.subarray(7, 7 + sealed.length)
    expect(keyVersionOf(view)).toBe(3)
    expect(await open(key, place, view)).toEqual(Uint8Array.of(1, 2, 3))
  })

  it('the error of a value that does not open holds neither plaintext nor key', async () => {
    const key = await randomKey()
    const failed = await open(
      key,
      { ...place, id: 'j' },
      await seal(key, place, new TextEncoder().encode('MARK')),
    ).catch((error: unknown) => error)
    expect(String(failed)).not.toContain('MARK')
    expect((failed as Error).cause).toBeUndefined()
  })
})

describe('a context', () => {
  it('two lists of fields have two different contexts', () => {
    const fields = fc.array(fc.string({ unit: 'grapheme', maxLength: 5 }), { maxLength: 4 })
    fc.assert(
      fc.property(fields, fields, (one, other) => {
        const same = context(...one).join() === context(...other).join()
        expect(same).toBe(JSON.stringify(one) === JSON.stringify(other))
      }),
    )
  })

  it.each([
    [[], ''],
    [[''], '00000000'],
    [['a'], '0000000161'],
    [['a', 'é'], '000000016100000002c3a9'],
  ])('the context of %j is %s', (fields, expected) => {
    expect(context(...fields)).toEqual(fromHex(expected))
  })
})

describe('known answers', () => {
  it('HKDF matches RFC 5869, test case 3', async () => {
    const material = await crypto.subtle.importKey('raw', new Uint8Array(22).fill(0x0b), 'HKDF', false, ['deriveKey'])
    const derived = await deriveKey(material, new Uint8Array(0), ['encrypt'])
    const expected = fromHex('8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d')
    const known = await crypto.subtle.importKey('raw', expected, 'AES-GCM', false, ['decrypt'])
    const algorithm = { name: 'AES-GCM', iv: new Uint8Array(12) }
    const sealed = await crypto.subtle.encrypt(algorithm, derived, Uint8Array.of(1, 2, 3))
    expect(new Uint8Array(await crypto.subtle.decrypt(algorithm, known, sealed))).toEqual(Uint8Array.of(1, 2, 3))
    expect(derived.extractable).toBe(false)
  })

  it.each(vectors.sealed)('the known sealed value opens: $project, $kind, $id, version $version', async (vector) => {
    const key = await projectKey(fromHex(vector.projectKey), vector.version)
    expect(await open(key, vector, fromHex(vector.sealed))).toEqual(fromHex(vector.plaintext))
  })

  it('each known sealed value opens in its own place only', async () => {
    for (const one of vectors.sealed) {
      const key = await projectKey(fromHex(one.projectKey), one.version)
      for (const other of vectors.sealed) {
        if (one !== other) await refused(open(key, one, fromHex(other.sealed)))
      }
    }
  })
})
