/**
 * Authentication by the embedded identity. The signature of a token is verified without a round trip. The current state
 * of its user, project, roles and application credential is read in one round trip (the live check), and this isolate
 * caches the outcome for {@link LIVE_CHECK_SECONDS}.
 */
import { cacheOf } from '../cache.ts'
import type { Caller } from '../caller.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { loadAccount, type Account } from '../state/identity/accounts.ts'
import { foldName } from '../state/identity/names.ts'
import { ADMINISTRATOR, type RoleName } from '../state/identity/roles.ts'
import type { KeyedScope } from '../state/scope.ts'
import { isWithin } from '../times.ts'
import { partsOfToken, readToken, type TokenClaims } from './tokens.ts'

/** The maximum delay until disabling a user or removing a role takes effect for tokens that are already issued. */
export const LIVE_CHECK_SECONDS = 10
const MOST_LIVE_CHECKS = 10_000

/** A currently valid token with the user, project and roles that it authenticates. */
export interface Standing {
  readonly claims: TokenClaims
  readonly user: RoleName
  /** Null: the token is unscoped. */
  readonly project: RoleName | null
  /** The token's roles that the user still has. */
  readonly roles: readonly RoleName[]
  readonly credential: { readonly id: string; readonly name: string; readonly unrestricted: boolean } | null
  /** Whether it has the role `admin` in the administrative project. */
  readonly administrator: boolean
}

/** Evaluates a token against the current state of its account; null if it is no longer valid. */
export function standingOf(claims: TokenClaims, account: Account): Standing | null {
  const { user, project, credential, revoked } = account
  if (revoked || !user?.enabled || user.tokenEpoch !== claims.tokenEpoch) return null
  if (claims.credentialId !== null && credential?.userId !== user.id) return null
  const identified = { claims, user, credential: credential ?? null }
  if (claims.projectId === null) return { ...identified, project: null, roles: [], administrator: false }
  const roles = account.roles.filter(({ id }) => claims.roleIds.includes(id))
  if (!project?.enabled || roles.length === 0) return null
  const administrator = project.administrative && roles.some(({ name }) => foldName(name) === ADMINISTRATOR)
  return { ...identified, project, roles, administrator }
}

function accountOf(claims: TokenClaims, scope: KeyedScope): Promise<Account> {
  const { userId, projectId, credentialId, auditIds } = claims
  return loadAccount(scope, {
    user: { id: userId },
    project: projectId === null ? null : { id: projectId },
    credentialId,
    auditIds: auditIds.filter((id) => id !== undefined),
  })
}

/** Validates a token; null if this deployment did not issue it or it is no longer valid. */
export async function currentStanding(token: string, scope: KeyedScope): Promise<Standing | null> {
  const claims = await readToken(scope.keyring, token, scope.now)
  return claims && standingOf(claims, await accountOf(claims, scope))
}

type Outcome = Caller | 'unscoped' | null

/** The outcome of a live check of a token. */
interface LiveCheck {
  readonly signature: Uint8Array
  readonly outcome: Outcome
  readonly checked: string
  readonly expires: string
}

/** Live checks by keyring (each deployment in an isolate has its own), then by the signed part of the token. */
const newCache = () => cacheOf<LiveCheck>({ entries: MOST_LIVE_CHECKS })
let liveChecks = newCache()
let generation = 0

/** Evicts all cached outcomes, so that a change made through this isolate takes effect immediately. */
export function evictLiveChecks(): void {
  liveChecks = newCache()
  generation += 1
}

const utf8 = new TextEncoder()

/** Compares in constant time: the signature is the only secret part of a token. */
function hasSignature(cached: LiveCheck, signature: string): boolean {
  const bytes = utf8.encode(signature)
  return bytes.length === cached.signature.length && crypto.subtle.timingSafeEqual(bytes, cached.signature)
}

function cachedCheck(keyring: Keyring, token: string, now: string): LiveCheck | undefined {
  const { said, signature } = partsOfToken(token)
  const found = liveChecks(keyring).get(said)
  if (!found || !hasSignature(found, signature)) return undefined
  return found.expires > now && isWithin(LIVE_CHECK_SECONDS, found.checked, now) ? found : undefined
}

/** Caches a live check. The signature of the token must have been verified. */
function cacheCheck(keyring: Keyring, token: string, check: Omit<LiveCheck, 'signature'>): void {
  const { said, signature } = partsOfToken(token)
  liveChecks(keyring).set(said, { ...check, signature: utf8.encode(signature) })
}

/** The caller with this standing; `unscoped` if it has no project. */
export function callerOf(standing: Standing | null): Outcome {
  if (!standing) return null
  if (!standing.project) return 'unscoped'
  const roles = standing.roles.map(({ name }) => foldName(name))
  const { user, project, administrator } = standing
  return { userId: user.id, projectId: project.id, roles, cloudAdmin: administrator }
}

/**
 * Authenticates a token and returns its caller: null if the token is invalid, `unscoped` if it has no project. The
 * outcome is cached if the signature is valid; a token with an invalid signature is rejected without a round trip.
 */
export async function authenticateEmbedded(token: string, scope: KeyedScope): Promise<Outcome> {
  const { keyring, now } = scope
  const cached = cachedCheck(keyring, token, now)
  if (cached) return cached.outcome
  const claims = await readToken(keyring, token, now)
  if (!claims) return null
  const startGeneration = generation
  const outcome = callerOf(standingOf(claims, await accountOf(claims, scope)))
  // Do not cache an account that was read before a concurrent change through this isolate.
  if (startGeneration === generation) cacheCheck(keyring, token, { outcome, checked: now, expires: claims.expires })
  return outcome
}
