/**
 * Tokens of the embedded identity: JSON Web Tokens (RFC 7519) in the compact serialization of RFC 7515, signed and
 * verified by `jose`. A token with three roles has about 580 characters.
 *
 *     header  = alg: HS256, typ: portcullis+jwt, kid: <id of a master key>/<TOKEN_EPOCH>, which the signing key is
 *               derived from
 *     payload = iss, aud: portcullis     sub: user     jti: audit id     iat, exp: seconds with three decimals
 *               methods     epoch     roles     [first: audit id of the first token]  [project]  [credential]
 *
 * As RFC 8725 recommends, one algorithm is accepted (3.1), the key is only used for this purpose (3.5), issuer and
 * audience are checked (3.8, 3.9) and the type is explicit (3.11). Tokens remain valid after a rotation as long as
 * their master key is in the keyring, and until TOKEN_EPOCH changes. The payload is signed but not encrypted: the holder of a token can read it.
 */
import { base64url, errors, jwtVerify, SignJWT, type JWTHeaderParameters } from 'jose'
import * as z from 'zod/mini'
import { cacheOf } from '../cache.ts'
import { deriveSigningKey, type Keyring } from '../crypto/keyring.ts'
import { formatTime, millisecondsOf } from '../times.ts'

/** The lifetime of a token. */
export const TOKEN_SECONDS = 3600

const ALGORITHM = 'HS256'
const TYPE = 'portcullis+jwt'
/** The service issues its tokens for itself. */
const ISSUER = 'portcullis'
const AUDIENCE = 'portcullis'
const AUDIT_ID_BYTES = 16
/** 10000-01-01 UTC in seconds: the first time that does not fit in the format of 26 characters. */
const END_OF_TIME = 253_402_300_800

const methods = ['token', 'password', 'application_credential'] as const

export type Method = (typeof methods)[number]

/** The claims of a token. Ids are 32 hexadecimal digits; times are UTC text of 26 characters with milliseconds. */
export interface TokenClaims {
  readonly userId: string
  /** The user's epoch at the time of issue; tokens of earlier epochs are invalid. */
  readonly tokenEpoch: number
  readonly methods: readonly Method[]
  /**
   * 22 characters of base64url: this token's own id and, if it was issued for a token, that of the first in the chain.
   */
  readonly auditIds: readonly [own: string, first?: string]
  /** Null: the token is unscoped. */
  readonly projectId: string | null
  readonly roleIds: readonly string[]
  readonly credentialId: string | null
  readonly issued: string
  readonly expires: string
}

const hexId = () => z.string().check(z.regex(/^[\da-f]{32}$/))
/** Canonical base64url of 16 bytes: the unused bits of the last character are zero. */
const auditId = () => z.string().check(z.regex(/^[\w-]{21}[AQgw]$/))
/** A NumericDate of RFC 7519, which may have a fraction: here up to milliseconds. */
const seconds = () =>
  z.number().check(
    z.gte(0),
    z.lt(END_OF_TIME),
    z.refine((value) => Math.round(value * 1000) / 1000 === value),
  )

/** The payload: exactly these members, which are serialized in this order. */
const payloadSchema = z.lazy(() =>
  z.strictObject({
    iss: z.literal(ISSUER),
    aud: z.literal(AUDIENCE),
    sub: hexId(),
    jti: auditId(),
    iat: seconds(),
    exp: seconds(),
    methods: z.array(z.enum(methods)).check(
      z.minLength(1),
      z.refine((list) => new Set(list).size === list.length),
    ),
    epoch: z.int().check(z.gte(0)),
    roles: z.array(hexId()),
    first: z.optional(auditId()),
    project: z.optional(hexId()),
    credential: z.optional(hexId()),
  }),
)

type Payload = z.infer<typeof payloadSchema>

function payloadOf(claims: TokenClaims): Payload {
  const [own, first] = claims.auditIds
  return payloadSchema.parse({
    iss: ISSUER,
    aud: AUDIENCE,
    sub: claims.userId,
    jti: own,
    iat: millisecondsOf(claims.issued) / 1000,
    exp: millisecondsOf(claims.expires) / 1000,
    methods: claims.methods,
    epoch: claims.tokenEpoch,
    roles: claims.roleIds,
    ...(first !== undefined && { first }),
    ...(claims.projectId !== null && { project: claims.projectId }),
    ...(claims.credentialId !== null && { credential: claims.credentialId }),
  })
}

const timeOf = (date: number) => formatTime(Math.round(date * 1000))

const claimsOf = (payload: Payload): TokenClaims => ({
  userId: payload.sub,
  tokenEpoch: payload.epoch,
  methods: payload.methods,
  auditIds: payload.first === undefined ? [payload.jti] : [payload.jti, payload.first],
  projectId: payload.project ?? null,
  roleIds: payload.roles,
  credentialId: payload.credential ?? null,
  issued: timeOf(payload.iat),
  expires: timeOf(payload.exp),
})

/** Generates an audit id: 16 random bytes. */
export function newAuditId(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(AUDIT_ID_BYTES)))
}

/** Signing keys by the id of their master key, of which a keyring has a few. */
const signingKeys = cacheOf<CryptoKey>({ entries: 100 })

/** The name of the signing key that is derived from a master key, as tokens have it in `kid`. */
const keyIdOf = (keyring: Keyring, masterKeyId: string) => `${masterKeyId}/${keyring.tokenEpoch}`

/**
 * Returns the signing key of this name, derived once per keyring; null if the keyring does not have its master key or has
 * another epoch.
 */
async function signingKey(keyring: Keyring, keyId: string): Promise<CryptoKey | null> {
  const masterKeyId = keyId.slice(0, keyId.indexOf('/'))
  // A token can contain any id; only those in the keyring are cached.
  if (!keyring.keys.has(masterKeyId) || keyId !== keyIdOf(keyring, masterKeyId)) return null
  const cached = signingKeys(keyring).get(masterKeyId)
  if (cached) return cached
  const key = await deriveSigningKey(keyring, masterKeyId, 'tokens')
  if (key) signingKeys(keyring).set(masterKeyId, key)
  return key
}

/** Splits a token at its last dot: `said` is the signed part, which is useless without the signature. */
export function partsOfToken(token: string): { readonly said: string; readonly signature: string } {
  const dot = token.lastIndexOf('.')
  return dot < 0 ? { said: '', signature: token } : { said: token.slice(0, dot), signature: token.slice(dot + 1) }
}

/**
 * Signs claims with a key derived from the primary master key and returns the token. Times are truncated to
 * milliseconds. Throws for claims that {@link readToken} would reject.
 */
export async function signToken(keyring: Keyring, claims: TokenClaims): Promise<string> {
  const kid = keyIdOf(keyring, keyring.primary.id)
  const key = await signingKey(keyring, kid)
  if (!key) throw new TypeError('the primary master key is not in its keyring')
  const header: JWTHeaderParameters = { alg: ALGORITHM, typ: TYPE, kid }
  return new SignJWT(payloadOf(claims)).setProtectedHeader(header).sign(key)
}

/**
 * The canonical encoding of a token, the only one that is accepted. Header and payload are signed as encoded, but a
 * lenient decoder would accept other encodings of the signature: with padding, white space, or unused bits in the last
 * character.
 */
const CANONICAL_TOKEN = /^[\w-]+\.[\w-]+\.[\w-]{42}[AEIMQUYcgkosw048]$/

/** Returns the payload of a token that this deployment signed and that has not expired; null for any other text. */
async function verifiedPayload(keyring: Keyring, token: string, now: string): Promise<unknown> {
  if (!CANONICAL_TOKEN.test(token)) return null
  try {
    const keyOf = async ({ kid }: { readonly kid?: unknown }) => {
      const key = typeof kid === 'string' ? await signingKey(keyring, kid) : null
      if (!key) throw new errors.JWKSNoMatchingKey()
      return key
    }
    const { payload } = await jwtVerify(token, keyOf, {
      algorithms: [ALGORITHM],
      typ: TYPE,
      issuer: ISSUER,
      audience: AUDIENCE,
      currentDate: new Date(millisecondsOf(now)),
    })
    return payload
  } catch (error) {
    if (error instanceof errors.JOSEError) return null
    throw error
  }
}

/**
 * Verifies a token and returns its claims. Returns null if this deployment did not sign it, if it has expired at `now`
 * (UTC text of 26 characters), or if its payload differs from what {@link signToken} produces. Does not throw for any
 * text. It does not check whether the token has been revoked or its user disabled.
 */
export async function readToken(keyring: Keyring, token: string, now: string): Promise<TokenClaims | null> {
  const parsed = payloadSchema.safeParse(await verifiedPayload(keyring, token, now))
  if (!parsed.success) return null
  const claims = claimsOf(parsed.data)
  // jose only compares whole seconds.
  return claims.expires > now ? claims : null
}
