/**
 * Slow hashes of passwords and application credential secrets: PBKDF2-HMAC-SHA-256 (RFC 8018) with the iterations that
 * OWASP's Password Storage Cheat Sheet names, 600,000. The platform refuses more than 100,000 in one call, so calls are
 * chained: each is keyed with the password and salted with the result of the one before it.
 *
 *     stored  = pbkdf2-sha256$<calls>x<iterations of each>$<salt, base64>$<hash, base64>
 *     hash    = PBKDF2(password, PBKDF2(password, … PBKDF2(password, salt)))
 *
 * No call can begin before the one before it has ended, and each needs the password: a guess costs all iterations. What
 * was stored with one call, `pbkdf2-sha256$100000$…`, is verified as it was made.
 */

/** The fewest characters, in code points, of a password that a user is given. */
export const MIN_PASSWORD_CHARACTERS = 8

const ITERATIONS_PER_CALL = 100_000
const CALLS = 6
const SALT_BYTES = 16
const HASH_BYTES = 32
const COST = `${CALLS}x${ITERATIONS_PER_CALL}`
const PREFIX = `pbkdf2-sha256$${COST}$`

/** Ends this turn of the event loop: a call takes a turn for itself, and other requests are not to wait for all. */
const nextTurn = () =>
  new Promise<void>((resume) => {
    setTimeout(resume)
  })

/** The calls and the iterations of each; what was stored with one call names the iterations alone. */
function costOf(stored: string): { readonly calls: number; readonly iterations: number } {
  const [first = '', second] = stored.split('x')
  return second === undefined
    ? { calls: 1, iterations: Number(first) }
    : { calls: Number(first), iterations: Number(second) }
}

async function derive(password: string, salt: Uint8Array<ArrayBuffer>, cost: string): Promise<Uint8Array> {
  const { calls, iterations } = costOf(cost)
  const bytes = new TextEncoder().encode(password)
  const material = await crypto.subtle.importKey('raw', bytes, 'PBKDF2', false, ['deriveBits'])
  let result = salt
  for (let call = 0; call < calls; call += 1) {
    if (call > 0) await nextTurn()
    const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt: result, iterations }
    result = new Uint8Array(await crypto.subtle.deriveBits(parameters, material, HASH_BYTES * 8))
  }
  return result
}

/** Hashes a password under a fresh salt: the text to store. */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES))
  const hash = await derive(password, salt, COST)
  return `${PREFIX}${salt.toBase64()}$${hash.toBase64()}`
}

/** Whether the hash was made at another cost than new ones are: the password is to be hashed again when it is known. */
export const isOutdated = (stored: string): boolean => !stored.startsWith(PREFIX)

/** A hash that no password has: verifying against it costs what a real one costs, so unknown users take as long. */
const noPassword = () => `${PREFIX}${new Uint8Array(SALT_BYTES).toBase64()}$${new Uint8Array(HASH_BYTES).toBase64()}`

/**
 * Whether `password` is the one that `stored` was made of. `undefined` (no such user) is false after the same work, and a
 * hash of one call is brought up to it: the time tells neither.
 */
export async function verifyPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [, cost = '', salt = '', hash = ''] = (stored ?? noPassword()).split('$')
  const expected = Uint8Array.fromBase64(hash)
  const actual = await derive(password, Uint8Array.fromBase64(salt), cost)
  const missing = CALLS - costOf(cost).calls
  if (missing > 0) await derive(password, new Uint8Array(SALT_BYTES), `${missing}x${ITERATIONS_PER_CALL}`)
  return actual.length === expected.length && crypto.subtle.timingSafeEqual(actual, expected) && stored !== undefined
}
