/** Message authentication codes of stored keys: HMAC (RFC 2104), by the names of JOSE (RFC 7518 section 3.2). */

const hashes = { HS256: 'SHA-256', HS384: 'SHA-384', HS512: 'SHA-512' } as const

export type MacName = keyof typeof hashes
export const macNames = Object.keys(hashes) as MacName[]

/** 112 bits (NIST SP 800-131A), in bytes. */
export const LEAST_MAC_KEY_BYTES = 14

/** A stored key for each algorithm, not extractable. */
export type MacKeys = Readonly<Record<MacName, CryptoKey>>

/** Imports the bytes of a stored key for every algorithm. The caller may erase them afterwards. */
export async function importMacKeys(bytes: Uint8Array<ArrayBuffer>): Promise<MacKeys> {
  const imported = (hash: string) =>
    crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash }, false, ['sign', 'verify'])
  const [HS256, HS384, HS512] = await Promise.all([
    imported(hashes.HS256),
    imported(hashes.HS384),
    imported(hashes.HS512),
  ])
  return { HS256, HS384, HS512 }
}

export async function mac(keys: MacKeys, name: MacName, input: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign('HMAC', keys[name], input))
}

/** Compares in constant time, and only whole codes: a truncated one is not valid. */
export function isMac(
  keys: MacKeys,
  name: MacName,
  input: Uint8Array<ArrayBuffer>,
  code: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  return crypto.subtle.verify('HMAC', keys[name], code, input)
}
