/**
 * Callers of the embedded identity. The signature of a token is checked without a round trip. The current state of its
 * user, project, roles and application credential is read in one round trip (the live check), whose outcome this isolate
 * caches for {@link LIVE_CHECK_SECONDS}.
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

/** The bound within which disabling a user or removing a role ends the power of tokens already issued. */
export const LIVE_CHECK_SECONDS = 10
const MOST_LIVE_CHECKS = 10_000

/** A token that has power at this moment, and everything that it stands for. */
export interface Standing {
  readonly claims: TokenClaims
  readonly user: RoleName
  /** Null: the token is not scoped. */
  readonly project: RoleName | null
  /** Those of the token's roles that the user still has. */
  readonly roles: readonly RoleName[]
  readonly credential: { readonly id: string; readonly name: string; readonly unrestricted: boolean } | null
  /** Has the role `admin` in the administrative project. */
  readonly administrator: boolean
}

/** What a token stands for, given the current account that it names; null when it has no power any more. */
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

/** What a token stands for at this moment; null when it is no token of this deployment or has no power any more. */
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

/** Live checks by keyring, of which an isolate has one for each deployment, then by the signed part of the token. */
const newCache = () => cacheOf<LiveCheck>({ entries: MOST_LIVE_CHECKS })
let liveChecks = newCache()
let generation = 0

/** Evicts all cached outcomes, so that a change made through this isolate takes effect at once. */
export function evictLiveChecks(): void {
  liveChecks = newCache()
  generation += 1
}

const utf8 = new TextEncoder()

/** In constant time, because the rest of a token is not secret. */
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

/** The token has to have a valid signature. */
function cacheCheck(keyring: Keyring, token: string, check: Omit<LiveCheck, 'signature'>): void {
  const { said, signature } = partsOfToken(token)
  liveChecks(keyring).set(said, { ...check, signature: utf8.encode(signature) })
}

function callerOf(standing: Standing | null): Outcome {
  if (!standing) return null
  if (!standing.project) return 'unscoped'
  const roles = standing.roles.map(({ name }) => foldName(name))
  const { user, project, administrator } = standing
  return { userId: user.id, projectId: project.id, roles, cloudAdmin: administrator }
}

/**
 * The caller that a token stands for: null when it has no power, `unscoped` when it names no project. The outcome for a
 * token with a valid signature is cached; other text is refused without a round trip, and not cached.
 */
export async function authenticateEmbedded(token: string, scope: KeyedScope): Promise<Outcome> {
  const { keyring, now } = scope
  const cached = cachedCheck(keyring, token, now)
  if (cached) return cached.outcome
  const claims = await readToken(keyring, token, now)
  if (!claims) return null
  const begun = generation
  const outcome = callerOf(standingOf(claims, await accountOf(claims, scope)))
  // An account that was read before a concurrent change through this isolate must not be cached after it.
  if (begun === generation) cacheCheck(keyring, token, { outcome, checked: now, expires: claims.expires })
  return outcome
}
