/**
 * Slow hashes of passwords and application credential secrets: PBKDF2-HMAC-SHA-256 (RFC 8018).
 *
 *     stored = pbkdf2-sha256$<iterations>$<salt, base64>$<hash, base64>
 */

/** The platform refuses more than 100,000 iterations in one call. */
const ITERATIONS = 100_000
const SALT_BYTES = 16
const HASH_BYTES = 32

async function derive(password: string, salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<Uint8Array> {
  const material = await crypto.subtle.importKey('raw', new TextEncoder().encode(password), 'PBKDF2', false, [
    'deriveBits',
  ])
  const bits = await crypto.subtle.deriveBits(
    { name: 'PBKDF2', hash: 'SHA-256', salt, iterations },
    material,
    HASH_BYTES * 8,
  )
  return new Uint8Array(bits)
}

/** Hashes a password under a fresh salt: the text to store. */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES))
  const hash = await derive(password, salt, ITERATIONS)
  return `pbkdf2-sha256$${ITERATIONS}$${salt.toBase64()}$${hash.toBase64()}`
}

/** A hash that no password has: verifying against it costs what a real one costs, so unknown users take as long. */
const NO_PASSWORD = `pbkdf2-sha256$${ITERATIONS}$${new Uint8Array(SALT_BYTES).toBase64()}$${new Uint8Array(HASH_BYTES).toBase64()}`

/** Whether `password` is the one that `stored` was made of; `undefined` (no such user) is false after the same work. */
export async function verifyPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [, iterations, salt = '', hash = ''] = (stored ?? NO_PASSWORD).split('$')
  const expected = Uint8Array.fromBase64(hash)
  const actual = await derive(password, Uint8Array.fromBase64(salt), Number(iterations))
  return actual.length === expected.length && crypto.subtle.timingSafeEqual(actual, expected) && stored !== undefined
}
