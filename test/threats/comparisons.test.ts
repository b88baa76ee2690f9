/**
 * T12: secrets are compared in constant time. The platform's clock has steps of a millisecond, so the time of a
 * comparison cannot be measured; what can be is which function compares what. Every comparison of a signature or a
 * hash goes through `timingSafeEqual` or `verify` of the platform, over values of equal length, wherever they differ.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { call } from '../support/client.ts'
import { byPassword, unique } from '../support/identity.ts'
import { person, type Account } from '../support/people.ts'

/** Replaces a character of the token, counted from the end, by another one of the alphabet. */
function changed(token: string, fromEnd: number): string {
  const at = token.length - fromEnd
  const letter = token[at] === 'A' ? 'B' : 'A'
  return token.slice(0, at) + letter + token.slice(at + 1)
}

/** The lengths of the two values of each comparison. */
function comparisons() {
  const spy = vi.spyOn(crypto.subtle, 'timingSafeEqual')
  return () => {
    const lengths = spy.mock.calls.map(([one, other]) => [one.byteLength, other.byteLength])
    spy.mockClear()
    return lengths
  }
}

let who: Account
beforeEach(async () => {
  who = await person(['creator'])
})
afterEach(() => {
  vi.restoreAllMocks()
})

const SIGNATURE_CHARACTERS = 43
/** 600,000 iterations, of which the platform permits 100,000 in one call. */
const PASSWORD_DERIVATIONS = 6

describe('T12: a token', () => {
  it('T12: a token with a wrong signature is compared with the cached one in full, wherever it differs', async () => {
    expect((await call('GET', '/v1/', { token: who.token })).status).toBe(200)
    const compared = comparisons()
    for (const place of [SIGNATURE_CHARACTERS, 30, 15, 2]) {
      expect((await call('GET', '/v1/', { token: changed(who.token, place) })).status).toBe(401)
      expect([place, compared()]).toEqual([place, [[SIGNATURE_CHARACTERS, SIGNATURE_CHARACTERS]]])
    }
    expect((await call('GET', '/v1/', { token: who.token })).status).toBe(200)
    expect(compared()).toEqual([[SIGNATURE_CHARACTERS, SIGNATURE_CHARACTERS]])
  })

  it('T12: a token that is not cached is verified by the platform, once, wherever its signature is wrong', async () => {
    const verify = vi.spyOn(crypto.subtle, 'verify')
    for (const place of [SIGNATURE_CHARACTERS, 30, 15, 2]) {
      verify.mockClear()
      expect((await call('GET', '/v1/', { token: changed(who.token, place) })).status).toBe(401)
      expect([place, verify.mock.calls.length]).toEqual([place, 1])
    }
  })
})

describe('T12: a password', () => {
  it('T12: a password is compared with the stored hash in full, also where there is no such user', async () => {
    const compared = comparisons()
    const attempts: [name: string, password: string, status: number][] = [
      [who.name, who.password, 201],
      [who.name, 'wrong', 401],
      [who.name, '', 401],
      [unique('nobody'), 'wrong', 401],
    ]
    for (const [name, password, status] of attempts) {
      expect((await byPassword(name, password, { project: { id: who.projectId } })).status).toBe(status)
      expect([name, compared()]).toEqual([name, [[32, 32]]])
    }
  })

  it('T12: a password of an unknown user costs the same derivation as a wrong one', async () => {
    const derive = vi.spyOn(crypto.subtle, 'deriveBits')
    const costs: unknown[] = []
    for (const name of [who.name, unique('nobody')]) {
      derive.mockClear()
      await byPassword(name, 'wrong', { project: { id: who.projectId } })
      costs.push(
        derive.mock.calls.map(([algorithm, , bits]) => {
          const { name: kind, iterations, salt } = algorithm as { name: string; iterations: number; salt: Uint8Array }
          return { kind, iterations, salt: salt.byteLength, bits }
        }),
      )
    }
    expect(costs[0]).toEqual(costs[1])
    expect(costs[0]).toHaveLength(PASSWORD_DERIVATIONS)
  })
})
