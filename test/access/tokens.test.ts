/** The signed tokens of the embedded identity: contents, lifetime, and rejection of every modification. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  newAuditId,
  partsOfToken,
  readToken,
  signToken,
  TOKEN_SECONDS,
  type TokenClaims,
} from '../../src/access/tokens.ts'
import { formatTime, later, millisecondsOf } from '../../src/times.ts'
import { newWrappedKey, readKeyring, unwrapKey } from '../../src/crypto/keyring.ts'
import vectors from '../vectors/tokens.json'

const FIRST = 'first:7vYh0nq3cJpXlU0oM2b8w1kTz5rRg9eDs4aQxIuVfHc='
const SECOND = 'second.key:mZ0kq3YxT1vL8nB5cR7wE2pU6sG9hJ4dFaKiOoXeWyQ='
const [both, rotated, first, second] = await Promise.all(
  [`${FIRST},${SECOND}`, `${SECOND},${FIRST}`, FIRST, SECOND].map((keys) => readKeyring(keys)),
)
if (!both || !rotated || !first || !second) throw new Error('no keyrings')

const ISSUED = '2026-11-22T00:15:50.123000'
interface Answer {
  readonly name: string
  readonly token: string
  readonly now: string
}

const hex = (number: number) => number.toString(16).padStart(32, '0')
const base64url = (bytes: Uint8Array) => bytes.toBase64({ alphabet: 'base64url', omitPadding: true })
const base64urlOf = (text: string) => base64url(new TextEncoder().encode(text))
const hexId = fc.stringMatching(/^[\da-f]{32}$/)
const auditId = fc.constant(0).map(newAuditId)
const claims: fc.Arbitrary<TokenClaims> = fc.record({
  userId: hexId,
  tokenEpoch: fc.nat(2 ** 32 - 1),
  methods: fc.constantFrom<TokenClaims['methods']>(['password'], ['token', 'password'], ['application_credential']),
  auditIds: fc.oneof(fc.tuple(auditId), fc.tuple(auditId, auditId)),
  projectId: fc.option(hexId),
  roleIds: fc.array(hexId, { maxLength: 300, size: 'small' }),
  credentialId: fc.option(hexId),
  issued: fc.constant(ISSUED),
  expires: fc.integer({ min: 1, max: 1000 * TOKEN_SECONDS }).map((left) => formatTime(millisecondsOf(ISSUED) + left)),
})
const sample: TokenClaims = {
  userId: '0123456789abcdef0123456789abcdef',
  tokenEpoch: 1,
  methods: ['password'],
  auditIds: [newAuditId()],
  projectId: 'fedcba9876543210fedcba9876543210',
  roleIds: ['00112233445566778899aabbccddeeff', 'ffeeddccbbaa99887766554433221100', '0'.repeat(32)],
  credentialId: null,
  issued: ISSUED,
  expires: later(ISSUED, TOKEN_SECONDS),
}

describe('a token', () => {
  it('a token holds the claims that it was made with', async () => {
    await fc.assert(
      fc.asyncProperty(claims, async (said) => {
        expect(await readToken(first, await signToken(first, said), ISSUED)).toEqual(said)
      }),
    )
  })

  it('a token is short enough for a header: about 580 characters with three roles, below 2 KiB with twenty', async () => {
    const of = (roles: number) => ({ ...sample, roleIds: Array.from({ length: roles }, (_, at) => hex(at)) })
    const token = await signToken(first, of(3))
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]{43}$/)
    expect(token.length).toBeLessThan(600)
    const longest: TokenClaims = { ...of(20), auditIds: [newAuditId(), newAuditId()], credentialId: hex(0) }
    expect((await signToken(first, longest)).length).toBeLessThan(2048)
  })

  it('the header of a token names the algorithm, the type and the key, and nothing else', async () => {
    const [header] = (await signToken(first, sample)).split('.')
    expect(JSON.parse(atob(header ?? ''))).toEqual({ alg: 'HS256', typ: 'portcullis+jwt', kid: 'first/0' })
  })

  it.each<[string, Partial<TokenClaims>]>([
    ['an id that is none', { userId: 'x' }],
    ['an audit id that is none', { auditIds: ['x'] }],
    ['no method', { methods: [] }],
    ['a time that is none', { expires: 'x' }],
  ])('a token is not made with %s', async (_, odd) => {
    await expect(signToken(first, { ...sample, ...odd })).rejects.toThrow()
  })

  it('a token has times to the millisecond, and further digits are dropped', async () => {
    const token = await signToken(first, { ...sample, expires: '2026-11-22T01:15:50.123999' })
    expect((await readToken(first, token, ISSUED))?.expires).toBe('2026-11-22T01:15:50.123000')
  })

  it('a token is refused from its expiry on', async () => {
    const token = await signToken(first, sample)
    expect(await readToken(first, token, '2026-11-22T01:15:50.122999')).toEqual(sample)
    expect(await readToken(first, token, '2026-11-22T01:15:50.123000')).toBeNull()
    expect(await readToken(first, token, '2999-01-01T00:00:00.000000')).toBeNull()
  })

  it('a token with any character changed, left out or added, or with a part missing, is refused', async () => {
    const token = await signToken(first, sample)
    for (let at = 0; at < token.length; at += 1) {
      const [before, after] = [token.slice(0, at), token.slice(at + 1)]
      const others = ['A', 'Q', 'g', 'w', '.', '=', '\u{1f511}'].filter((other) => other !== token[at])
      for (const text of [before, before + after, ...others.map((other) => before + other + after)]) {
        expect(await readToken(first, text, ISSUED)).toBeNull()
      }
      expect(await readToken(first, `${before}A${token.slice(at)}`, ISSUED)).toBeNull()
    }
  })

  it('a token has one spelling: another last character, padding, white space and another alphabet are refused', async () => {
    const tokens = await Promise.all([1, 2, 3].map((tokenEpoch) => signToken(first, { ...sample, tokenEpoch })))
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (const token of tokens) {
      const others = Array.from(alphabet, (last) => token.slice(0, -1) + last).filter((other) => other !== token)
      for (const other of others) expect(await readToken(first, other, ISSUED)).toBeNull()
      for (const more of ['=', '==', ' ', '\n', 'A', '.']) {
        expect(await readToken(first, token + more, ISSUED)).toBeNull()
        expect(await readToken(first, more + token, ISSUED)).toBeNull()
      }
      const standard = token.replaceAll('-', '+').replaceAll('_', '/')
      if (standard !== token) expect(await readToken(first, standard, ISSUED)).toBeNull()
    }
  })

  it('any text that is no token is refused without an exception', async () => {
    const part = fc.oneof(
      fc.base64String().map((text) => text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')),
      fc.json().map(base64urlOf),
      fc
        .record({ alg: fc.constantFrom('HS256', 'none'), kid: fc.constantFrom('first/0', 'first', 'x') })
        .map((header) => base64urlOf(JSON.stringify(header))),
    )
    const signature = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(base64url)
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.base64String(),
      fc.tuple(part, part, fc.oneof(part, signature)).map((parts) => parts.join('.')),
    )
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        expect(await readToken(first, text, ISSUED)).toBeNull()
      }),
      { numRuns: 500 },
    )
  })

  it('a token is refused under another master key of the same id', async () => {
    const foreign = await readKeyring(FIRST.replace('7vYh', '8vYh'))
    expect(await readToken(foreign, await signToken(first, sample), ISSUED)).toBeNull()
  })

  it('a token is accepted after a rotation for as long as its master key is configured', async () => {
    const old = await signToken(first, sample)
    expect(await readToken(both, old, ISSUED)).toEqual(sample)
    expect(await readToken(rotated, old, ISSUED)).toEqual(sample)
    expect(await readToken(second, old, ISSUED)).toBeNull()
    const fresh = await signToken(rotated, sample)
    expect(await readToken(second, fresh, ISSUED)).toEqual(sample)
    expect(await readToken(first, fresh, ISSUED)).toBeNull()
  })
})

describe('the epoch of all tokens', () => {
  it('a token of another epoch is refused, whichever of the two is higher, and values still open', async () => {
    const epochs = await Promise.all([0, 1, 2, 10].map((epoch) => readKeyring(`${FIRST},${SECOND}`, epoch)))
    for (const one of epochs) {
      const token = await signToken(one, sample)
      for (const other of epochs) expect(await readToken(other, token, ISSUED)).toEqual(other === one ? sample : null)
    }
    const [before, after] = epochs
    if (!before || !after) throw new Error('no keyrings')
    const place = { project: 'p', store: 'software', version: 1 }
    await expect(unwrapKey(after, place, await newWrappedKey(before, place))).resolves.toMatchObject({ version: 1 })
  })
})

describe('the parts of a token', () => {
  it('the parts of a token are its signed text and its signature, around the last dot', () => {
    expect(partsOfToken('a.b.c')).toEqual({ said: 'a.b', signature: 'c' })
    expect(partsOfToken('a.b.')).toEqual({ said: 'a.b', signature: '' })
    expect(partsOfToken('abc')).toEqual({ said: '', signature: 'abc' })
    expect(partsOfToken('')).toEqual({ said: '', signature: '' })
  })
})

describe('known answers', async () => {
  const keyring = await readKeyring(vectors.masterKeys, vectors.tokenEpoch)
  const accepted = vectors.accepted as unknown as readonly (Answer & { readonly claims: TokenClaims })[]

  it.each(accepted)('the known token $name is made and read', async ({ claims, token, now }) => {
    expect(await signToken(keyring, claims)).toBe(token)
    expect(await readToken(keyring, token, now)).toEqual(claims)
  })

  it.each<Answer>(vectors.refused)('the known invalid token is refused: $name', async ({ token, now }) => {
    expect(await readToken(keyring, token, now)).toBeNull()
  })
})
