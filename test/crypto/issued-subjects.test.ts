/** Hostile subjects, as text and in requests: the certificate has exactly the requested subject, or none is issued. */
import { X509Certificate } from 'node:crypto'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { OpenAuthority } from '../../src/crypto/certificate-authority.ts'
import { certified, certifiedSubject, testAuthority } from '../support/authority.ts'
import { hostileSubjects, type HostileSubject, type WrittenValue } from '../support/hostile-subjects.ts'
import { readCertificate } from '../support/issued-certificate.ts'
import { base64, element, request, sequence, set } from '../support/signed-requests.ts'
import { keys } from '../vectors/private-keys.json'

const key = Uint8Array.from(Buffer.from(keys['ed25519.pem'], 'base64'))
/** The maximum length of a reason: that of an order's error, less the text around the reason. */
const MOST_REASON_CHARACTERS = 255 - 'Process TypeOrder issue seen - Invalid operation requested - Reason: .'.length

let authority: OpenAuthority
beforeAll(async () => {
  authority = await testAuthority()
})

type Outcome = Awaited<ReturnType<typeof certified>>

const sorted = (parts: readonly (readonly WrittenValue[])[]) =>
  parts.map((part) => part.map(({ type, text }) => `${type}=${text}`).toSorted())

/**
 * Reports whether a certificate is issued, and checks that it has this subject, in valid strings of the declared types.
 */
function expectExact(outcome: Outcome, parts: HostileSubject['parts']): boolean {
  if ('reason' in outcome) {
    expect(outcome.reason.length).toBeLessThanOrEqual(MOST_REASON_CHARACTERS)
    return false
  }
  const { subject } = readCertificate(outcome.pem)
  expect(sorted(subject)).toEqual(sorted(parts))
  for (const { tag, text } of subject.flat()) {
    if (tag === 0x13) expect(text).toMatch(/^[A-Za-z0-9 '()+,./:=?-]+$/)
    if (tag === 0x16) expect(text).toMatch(/^[\x20-\x7e]+$/)
    expect([0x0c, 0x13, 0x16]).toContain(tag)
    expect(text).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
  }
  expect(new X509Certificate(outcome.pem).ca).toBe(false)
  return true
}

const forbidden = /[\p{Cc}\p{Zl}\p{Zp}\p{Co}\p{Bidi_Control}\p{Noncharacter_Code_Point}\ufeff]/u

describe('a hostile subject', () => {
  it('of a stored key is certified exactly, or refused', async () => {
    expect(hostileSubjects.length).toBeGreaterThan(600)
    let issued = 0
    for (const { written, parts } of hostileSubjects) {
      const outcome = await certifiedSubject(authority, key, written)
      const isIssued = expectExact(outcome, parts)
      if (isIssued) issued += 1
      // A valid subject is not refused: a plain common name within its bound and without control characters.
      const [[first] = []] = parts
      if (parts.length === 1 && first && Array.from(first.text).length <= 64 && !forbidden.test(first.text))
        expect('pem' in outcome, written).toBe(true)
    }
    expect(issued).toBeGreaterThan(300)
  }, 120_000)

  const arcs = (type: string): number[] => {
    const [root = 0, second = 0, ...rest] = type.split('.').map(Number)
    return [root * 40 + second, ...rest].flatMap((arc) => {
      const digits = [arc & 0x7f]
      for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
        digits.unshift((left & 0x7f) | 0x80)
      return digits
    })
  }
  const nameOf = (parts: HostileSubject['parts'], tag: number) =>
    sequence(
      ...parts.map((part) =>
        set(
          ...part
            .map(({ type, text }) =>
              sequence(element(0x06, Uint8Array.from(arcs(type))), element(tag, new TextEncoder().encode(text))),
            )
            .toSorted((one, other) => Buffer.compare(one, other)),
        ),
      ),
    )

  it('in a request is certified exactly, or refused', async () => {
    const each = hostileSubjects.filter((_, at) => at % 9 < 3)
    expect(each.length).toBeGreaterThan(200)
    const outcomes = { issued: 0, refused: 0 }
    for (const { parts } of each) {
      for (const tag of [0x0c, 0x13, 0x16]) {
        const isIssued = expectExact(await certified(authority, base64(request(nameOf(parts, tag)))), parts)
        outcomes[isIssued ? 'issued' : 'refused'] += 1
      }
    }
    expect(outcomes.issued).toBeGreaterThan(50)
    expect(outcomes.refused).toBeGreaterThan(200)
  }, 120_000)

  it('of any characters at all is certified exactly, or refused', async () => {
    const special = fc.constantFrom(...Array.from('\\"+,;<>#= \0\n*@.-ü😀'))
    const text = fc.string({
      unit: fc.oneof(special, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
      minLength: 1,
      maxLength: 70,
    })
    const escaped = (value: string) =>
      Array.from(new TextEncoder().encode(value), (byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')
    await fc.assert(
      fc.asyncProperty(text, text, async (one, other) => {
        const written = `CN=${escaped(one)},O=${escaped(other)}`
        const parts = [[{ type: '2.5.4.10', text: other }], [{ type: '2.5.4.3', text: one }]]
        expectExact(await certifiedSubject(authority, key, written), parts)
      }),
      { numRuns: 200, seed: 4514 },
    )
  }, 120_000)

  it('of any text at all is read without an error', async () => {
    const pieces = fc.constantFrom(
      'cn',
      'C',
      'o',
      '2.5.4.3',
      'oid.',
      '=',
      '=',
      '+',
      ',',
      '\\',
      '#',
      '0c',
      ' ',
      '"',
      'é',
      '\0',
      '99',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 20 }), async (written) => {
        const outcome = await certifiedSubject(authority, key, written.join(''))
        if ('pem' in outcome) expect(new X509Certificate(outcome.pem).ca).toBe(false)
      }),
      { numRuns: 500, seed: 2253 },
    )
  }, 120_000)
})
