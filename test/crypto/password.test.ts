/** Hashed passwords: the stored form, verification, and that verification uses the stored cost. */
import { describe, expect, it } from 'vitest'
import { hashPassword, verifyPassword } from '../../src/crypto/password.ts'

describe('a hashed password', () => {
  it.each(['an ordinary password', '', ' ', 'ü€😀', 'x'.repeat(1000), 'with $ in it'])(
    'a hashed password is verified: %j',
    async (password) => {
      const stored = await hashPassword(password)
      expect(await verifyPassword(password, stored)).toBe(true)
    },
  )

  it.each([
    ['Password', 'password'],
    ['password', 'password '],
    ['password', ''],
    ['', 'password'],
    ['ü', 'u\u0308'],
    ['a\u0000b', 'a'],
  ])('the hash of %j does not verify %j', async (password, other) => {
    expect(await verifyPassword(other, await hashPassword(password))).toBe(false)
  })

  it('a hashed password names its function, its cost, its salt and its hash', async () => {
    const stored = await hashPassword('password')
    expect(stored).toMatch(/^pbkdf2-sha256\$100000\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=$/)
    expect(stored).not.toContain('password')
  })

  it('two hashes of one password differ', async () => {
    const [one, other] = [await hashPassword('password'), await hashPassword('password')]
    expect(one).not.toBe(other)
    expect(one.split('$')[2]).not.toBe(other.split('$')[2])
  })

  it('a hashed password is verified at the cost that it names', async () => {
    const stored = await hashPassword('password')
    expect(await verifyPassword('password', stored.replace('$100000$', '$99999$'))).toBe(false)
  })

  it('no password is verified where there is no hash', async () => {
    for (const password of ['', 'password', '\u0000']) expect(await verifyPassword(password, undefined)).toBe(false)
  })

  it('a stored text without a hash is never verified', async () => {
    for (const stored of ['pbkdf2-sha256$1$$', 'pbkdf2-sha256$1$c2FsdA==$']) {
      expect(await verifyPassword('', stored)).toBe(false)
    }
  })
})

describe('PBKDF2-HMAC-SHA-256', () => {
  it.each([
    ['passwd', 'salt', 1, '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc'],
    ['Password', 'NaCl', 80_000, '4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56'],
  ])(
    'PBKDF2-HMAC-SHA-256 of %s with salt %s and %d iterations is that of RFC 7914, section 11',
    async (password, salt, iterations, hash) => {
      const bytes = (hash.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))
      const stored = `pbkdf2-sha256$${iterations}$${btoa(salt)}$${btoa(String.fromCharCode(...bytes))}`
      expect(await verifyPassword(password, stored)).toBe(true)
      expect(await verifyPassword(`${password}x`, stored)).toBe(false)
    },
  )
})
