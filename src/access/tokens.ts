/**
 * Tokens of the embedded identity: what they say, signed with HMAC-SHA-256 (RFC 2104).
 *
 *     token  = base64url(signed ‖ HMAC)                          without padding; about 220 characters for three roles
 *     signed = 01 ‖ length of key id (1) ‖ master key id ‖ body
 *     body   = methods (1) ‖ parts (1) ‖ issued (8) ‖ expires (8) ‖ epoch (4) ‖ user (16) ‖ audit id (16)
 *              [‖ first audit id (16)] [‖ project (16)] [‖ application credential (16)] ‖ roles (2 + 16 each)
 *
 * Numbers are big-endian, times in milliseconds; `parts` says which of the parts in brackets are there. The signing key
 * is derived from the master key that the token names, so tokens outlive a rotation for as long as that key is kept.
 * A JSON Web Token of the same content is two and a half times as long and admits more than one spelling.
 */
import { encodeBase64, toHex } from '../crypto/encoding.ts'
import { deriveSigningKey, type Keyring } from '../crypto/keyring.ts'
import { formatTime, millisecondsOf } from '../times.ts'

/** How long a token is good. */
export const TOKEN_SECONDS = 3600

const FORMAT = 1
const ID_BYTES = 16
const MAC_BYTES = 32
/** The methods and parts in the order of their bits; a token shows its methods in this order, as Keystone's do. */
const methods = ['token', 'password', 'application_credential'] as const
const parts = ['chain', 'project', 'credential'] as const

export type Method = (typeof methods)[number]

/** What a token says. Ids are 32 hexadecimal digits, times UTC text of 26 characters with milliseconds. */
export interface TokenClaims {
  readonly userId: string
  /** The user's epoch at the time of issue: tokens of an earlier one are void. */
  readonly tokenEpoch: number
  readonly methods: readonly Method[]
  /** 22 characters of base64url: this token's own and, when it was got with another token, that of the first one. */
  readonly auditIds: readonly [own: string, first?: string]
  /** Null: the token is not scoped. */
  readonly projectId: string | null
  readonly roleIds: readonly string[]
  readonly credentialId: string | null
  readonly issued: string
  readonly expires: string
}

const base64url = (bytes: Uint8Array) =>
  encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

/** The bytes of the one base64url spelling of them; null for anything else. */
function fromBase64url(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return null
  const characters = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = Uint8Array.from(characters, (character) => character.charCodeAt(0))
  return base64url(bytes) === text ? bytes : null
}

function idBytes(id: string): Uint8Array {
  if (!/^[\da-f]{32}$/.test(id)) throw new TypeError('an id of a token has 32 hexadecimal digits')
  return Uint8Array.from({ length: ID_BYTES }, (_, at) => Number.parseInt(id.slice(at * 2, at * 2 + 2), 16))
}

/** A new audit id: 16 random bytes. */
export function newAuditId(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(ID_BYTES)))
}

function number(bytes: 1 | 2 | 4 | 8, value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, BigInt(value))
  return new Uint8Array(view.buffer).subarray(8 - bytes)
}

function bodyOf(claims: TokenClaims): Uint8Array[] {
  const [own, chain] = claims.auditIds
  const optional = { chain, project: claims.projectId, credential: claims.credentialId }
  const bits = (all: readonly string[], has: (name: string) => boolean) =>
    all.reduce((sum, name, bit) => sum + (has(name) ? 2 ** bit : 0), 0)
  const audit = (id: string | undefined) => (id === undefined ? [] : [fromBase64url(id) ?? new Uint8Array(ID_BYTES)])
  return [
    number(
      1,
      bits(methods, (name) => (claims.methods as readonly string[]).includes(name)),
    ),
    number(
      1,
      bits(parts, (name) => Boolean(optional[name as keyof typeof optional])),
    ),
    number(8, millisecondsOf(claims.issued)),
    number(8, millisecondsOf(claims.expires)),
    number(4, claims.tokenEpoch),
    idBytes(claims.userId),
    ...audit(own),
    ...audit(chain),
    ...[claims.projectId, claims.credentialId].flatMap((id) => (id === null ? [] : [idBytes(id)])),
    number(2, claims.roleIds.length),
    ...claims.roleIds.map(idBytes),
  ]
}

/** Reads what {@link bodyOf} wrote; only ever called with bytes whose signature is good. */
function readBody(body: Uint8Array): TokenClaims {
  let at = 0
  const take = (length: number) => body.subarray(at, (at += length))
  const integer = (length: number) => take(length).reduce((value, byte) => value * 256 + byte, 0)
  const id = () => toHex(take(ID_BYTES))
  const methodBits = integer(1)
  const partBits = integer(1)
  const has = (part: (typeof parts)[number]) => (partBits & (2 ** parts.indexOf(part))) !== 0
  const issued = formatTime(integer(8))
  const expires = formatTime(integer(8))
  const tokenEpoch = integer(4)
  const userId = id()
  const own = base64url(take(ID_BYTES))
  const auditIds = has('chain') ? ([own, base64url(take(ID_BYTES))] as const) : ([own] as const)
  const projectId = has('project') ? id() : null
  const credentialId = has('credential') ? id() : null
  const roleIds = Array.from({ length: integer(2) }, id)
  const named = methods.filter((_, bit) => (methodBits & (2 ** bit)) !== 0)
  return { userId, tokenEpoch, methods: named, auditIds, projectId, roleIds, credentialId, issued, expires }
}

function concatenate(all: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(all.reduce((length, { byteLength }) => length + byteLength, 0))
  let at = 0
  for (const part of all) {
    bytes.set(part, at)
    at += part.byteLength
  }
  return bytes
}

const signingKeys = new WeakMap<Keyring, Map<string, Promise<CryptoKey | null>>>()

/** The signing key below a master key, derived once per keyring; null when the keyring does not have it. */
function signingKey(keyring: Keyring, masterKeyId: string): Promise<CryptoKey | null> {
  // A token can name any id: only those of the keyring are worth remembering.
  if (!keyring.keys.has(masterKeyId)) return Promise.resolve(null)
  const known = signingKeys.get(keyring) ?? new Map<string, Promise<CryptoKey | null>>()
  signingKeys.set(keyring, known)
  const key = known.get(masterKeyId) ?? deriveSigningKey(keyring, masterKeyId, 'tokens')
  known.set(masterKeyId, key)
  return key
}

/** So many characters at the end of a token have all of its signature in them, wherever in one of them it begins. */
const MAC_CHARACTERS = 44

/** A token in two: what it says, which without the rest has no power, and the end with its signature. */
export function partsOfToken(token: string): { readonly said: string; readonly signature: string } {
  return { said: token.slice(0, -MAC_CHARACTERS), signature: token.slice(-MAC_CHARACTERS) }
}

/** Signs what a token is to say, with a key below the primary master key: the token. */
export async function signToken(keyring: Keyring, claims: TokenClaims): Promise<string> {
  const masterKeyId = new TextEncoder().encode(keyring.primary.id)
  const signed = concatenate([number(1, FORMAT), number(1, masterKeyId.length), masterKeyId, ...bodyOf(claims)])
  const key = await signingKey(keyring, keyring.primary.id)
  if (!key) throw new TypeError('the primary master key is not in its keyring')
  return base64url(concatenate([signed, new Uint8Array(await crypto.subtle.sign('HMAC', key, signed))]))
}

/**
 * What a token says, or null when it is not one that this deployment signed, or has expired by `now` (UTC text of 26
 * characters). Never throws, whatever the text is. Whether it still has any power is another question.
 */
export async function readToken(keyring: Keyring, token: string, now: string): Promise<TokenClaims | null> {
  const bytes = fromBase64url(token)
  const idLength = bytes?.[1] ?? 0
  if (!bytes || bytes[0] !== FORMAT || bytes.length < 2 + idLength + MAC_BYTES) return null
  const key = await signingKey(keyring, new TextDecoder().decode(bytes.subarray(2, 2 + idLength)))
  const signed = bytes.subarray(0, -MAC_BYTES)
  if (!key || !(await crypto.subtle.verify('HMAC', key, bytes.subarray(-MAC_BYTES), signed))) return null
  const claims = readBody(signed.subarray(2 + idLength))
  return claims.expires > now ? claims : null
}
