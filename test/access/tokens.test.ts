/** The sealed tokens of the embedded identity: what they hold, how long, and that no change to one is accepted. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newAuditId, readToken, signToken, TOKEN_SECONDS, type TokenClaims } from '../../src/access/tokens.ts'
import { later } from '../../src/times.ts'
import { readKeyring } from '../../src/crypto/keyring.ts'

const FIRST = 'first:7vYh0nq3cJpXlU0oM2b8w1kTz5rRg9eDs4aQxIuVfHc='
const SECOND = 'second.key:mZ0kq3YxT1vL8nB5cR7wE2pU6sG9hJ4dFaKiOoXeWyQ='
const [both, rotated, first, second] = await Promise.all(
  [`${FIRST},${SECOND}`, `${SECOND},${FIRST}`, FIRST, SECOND].map(readKeyring),
)
if (!both || !rotated || !first || !second) throw new Error('no keyrings')

const ISSUED = '2026-11-22T00:15:50.123000'
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
  expires: fc.constant(later(ISSUED, TOKEN_SECONDS)),
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
  it('a token holds what it was sealed with', async () => {
    await fc.assert(
      fc.asyncProperty(claims, async (said) => {
        expect(await readToken(first, await signToken(first, said), ISSUED)).toEqual(said)
      }),
    )
  })

  it('a token is short enough for a header: about 220 characters with three roles', async () => {
    const token = await signToken(first, sample)
    expect(token).toMatch(/^[\w-]+$/)
    expect(token.length).toBeLessThan(240)
  })

  it('a token does not open from its expiry on', async () => {
    const token = await signToken(first, sample)
    expect(await readToken(first, token, '2026-11-22T01:15:50.122999')).toEqual(sample)
    expect(await readToken(first, token, '2026-11-22T01:15:50.123000')).toBeNull()
    expect(await readToken(first, token, '2999-01-01T00:00:00.000000')).toBeNull()
  })

  it('a token with any bit changed, any character added or any part missing does not open', async () => {
    const token = await signToken(first, sample)
    const bytes = Uint8Array.from(atob(token.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
    const spell = (changed: Uint8Array) =>
      btoa(String.fromCharCode(...changed))
        .replaceAll('+', '-')
        .replaceAll('/', '_')
        .replace(/=+$/, '')
    expect(spell(bytes)).toBe(token)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(await readToken(first, spell(changed), ISSUED)).toBeNull()
    }
    for (let length = 0; length < token.length; length++) {
      expect(await readToken(first, token.slice(0, length), ISSUED)).toBeNull()
    }
    for (const more of ['=', 'A', 'AA', ' ', '.', '\n']) expect(await readToken(first, token + more, ISSUED)).toBeNull()
  })

  it('a token has one spelling: unused bits, padding and the other base64 alphabet are refused', async () => {
    const tokens = await Promise.all(
      [1, 2, 3].map((roles) => signToken(first, { ...sample, roleIds: sample.roleIds.slice(0, roles) })),
    )
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (const token of tokens) {
      const others = Array.from(alphabet, (last) => token.slice(0, -1) + last).filter((other) => other !== token)
      for (const other of others) expect(await readToken(first, other, ISSUED)).toBeNull()
      expect(await readToken(first, token.padEnd(Math.ceil(token.length / 4) * 4 + 4, '='), ISSUED)).toBeNull()
      const standard = token.replaceAll('-', '+').replaceAll('_', '/')
      if (standard !== token) expect(await readToken(first, standard, ISSUED)).toBeNull()
    }
  })

  it('any text that is no token does not open, and never throws', async () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.base64String(),
      fc.uint8Array({ maxLength: 400 }).map((bytes) => btoa(String.fromCharCode(1, ...bytes))),
    )
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        expect(await readToken(first, text, ISSUED)).toBeNull()
      }),
    )
  })

  it('a token does not open under another master key of the same id', async () => {
    const foreign = await readKeyring(FIRST.replace('7vYh', '8vYh'))
    expect(await readToken(foreign, await signToken(first, sample), ISSUED)).toBeNull()
  })

  it('a token opens after a rotation for as long as its master key is configured', async () => {
    const old = await signToken(first, sample)
    expect(await readToken(both, old, ISSUED)).toEqual(sample)
    expect(await readToken(rotated, old, ISSUED)).toEqual(sample)
    expect(await readToken(second, old, ISSUED)).toBeNull()
    const fresh = await signToken(rotated, sample)
    expect(await readToken(second, fresh, ISSUED)).toEqual(sample)
    expect(await readToken(first, fresh, ISSUED)).toBeNull()
  })
})
