/** Secrets of application credentials: scanners recognise them, and their checksum is that of zlib. */
/// <reference types="vite/types/importMeta.d.ts" />
import { describe, expect, it } from 'vitest'
import { CREDENTIAL_SECRET, isCredentialSecret, newCredentialSecret } from '../../src/crypto/credential-secrets.ts'

const texts = import.meta.glob<string>('../../.github/SECURITY.md', { query: '?raw', eager: true, import: 'default' })
const SECRETS = 2_000

describe('a secret of an application credential', () => {
  const secrets = Array.from({ length: SECRETS }, newCredentialSecret)

  it('each secret matches the expression that SECURITY.md states, as a whole, and none occurs twice', () => {
    expect(Object.values(texts)[0]).toContain(`\`${CREDENTIAL_SECRET.source}\``)
    for (const secret of secrets) expect(secret.match(CREDENTIAL_SECRET)?.[0]).toBe(secret)
    expect(new Set(secrets).size).toBe(SECRETS)
  })

  it('each secret has a checksum, which no secret with another character has', () => {
    for (const secret of secrets) expect(isCredentialSecret(secret)).toBe(true)
    const [secret = ''] = secrets
    for (let at = 5; at < secret.length; at += 1) {
      const other = secret[at] === 'A' ? 'B' : 'A'
      expect(isCredentialSecret(secret.slice(0, at) + other + secret.slice(at + 1))).toBe(false)
    }
    for (const other of [`${secret}0`, secret.slice(0, -1), ` ${secret}`, secret.toUpperCase(), '']) {
      expect(isCredentialSecret(other)).toBe(false)
    }
  })

  // Python: zlib.crc32(b'pcac_' + b'0' * 43), and the like, in base62.
  it.each([
    ['pcac_0000000000000000000000000000000000000000000', '3gXFT5'],
    ['pcac_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz', '37Hkdi'],
    ['pcac_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg', '0VGJjA'],
  ])('the checksum of %s is %s', (text, checksum) => {
    expect(isCredentialSecret(text + checksum)).toBe(true)
  })

  it('each character is as frequent as any other', () => {
    const counts = new Map<string, number>()
    const characters = secrets.flatMap((secret) => secret.slice(5, 48).split(''))
    for (const one of characters) counts.set(one, (counts.get(one) ?? 0) + 1)
    expect(counts.size).toBe(62)
    const mean = characters.length / 62
    // A byte modulo 62 would make eight characters a quarter more frequent: six standard deviations are a sixth.
    for (const count of counts.values()) expect(Math.abs(count - mean)).toBeLessThan(6 * Math.sqrt(mean))
  })
})
