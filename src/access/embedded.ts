/**
 * Callers of the embedded identity. A token's signature is checked without any look-up; what has happened to its user,
 * project, roles and application credential since it was issued is looked up in one round trip, and the outcome holds
 * for {@link LIVE_CHECK_SECONDS} in this isolate.
 */
import type { Caller } from '../caller.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Backend } from '../state/backend.ts'
import { shared } from '../state/database/look-ups.ts'
import { loadAccount, type Account } from '../state/identity/accounts.ts'
import { foldName } from '../state/identity/names.ts'
import { ADMINISTRATOR, type RoleName } from '../state/identity/roles.ts'
import { isWithin } from '../times.ts'
import { partsOfToken, readToken, type TokenClaims } from './tokens.ts'

/** The bound within which disabling a user or taking a role away ends the power of tokens already issued. */
export const LIVE_CHECK_SECONDS = 10
const MOST_REMEMBERED = 10_000

/** A token that has power at this moment, and all that it stands for. */
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

/** What a token stands for in the light of the account that it names, or null when it has no power any more. */
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

function accountOf(claims: TokenClaims, backend: Backend): Promise<Account> {
  const { userId, projectId, credentialId, auditIds } = claims
  return loadAccount(backend, {
    user: { id: userId },
    project: projectId === null ? null : { id: projectId },
    credential: credentialId === null ? undefined : { id: credentialId },
    auditIds: auditIds.filter((id) => id !== undefined),
  })
}

/** What a token stands for at this moment; null when it is no token of this deployment or has no power any more. */
export async function currentStanding(token: string, backend: Backend): Promise<Standing | null> {
  const claims = await readToken(backend.keyring, token, backend.now)
  return claims && standingOf(claims, await accountOf(claims, backend))
}

type Outcome = Caller | 'unscoped' | null

interface Remembered {
  readonly signature: Uint8Array
  readonly outcome: Outcome
  readonly checked: string
  readonly expires: string
}

/** Outcomes by keyring, then by what the token says. The keyring is the deployment's: one object per isolate. */
let remembered = new WeakMap<Keyring, Map<string, Remembered>>()
let generation = 0

/** Forgets all outcomes, so that a change made through this isolate counts at once. */
export function forgetLiveChecks(): void {
  remembered = new WeakMap()
  generation += 1
}

const utf8 = new TextEncoder()

/** In constant time: the signature is what makes a token of what anybody may know. */
function hasSignature(known: Remembered, signature: string): boolean {
  const bytes = utf8.encode(signature)
  return bytes.length === known.signature.length && crypto.subtle.timingSafeEqual(bytes, known.signature)
}

function recall(keyring: Keyring, token: string, now: string): Remembered | undefined {
  const { said, signature } = partsOfToken(token)
  const found = remembered.get(keyring)?.get(said)
  if (!found || !hasSignature(found, signature)) return undefined
  return found.expires > now && isWithin(LIVE_CHECK_SECONDS, found.checked, now) ? found : undefined
}

/** Only for a token whose signature is good. */
function remember(keyring: Keyring, token: string, outcome: Omit<Remembered, 'signature'>): void {
  const outcomes = remembered.get(keyring) ?? new Map<string, Remembered>()
  remembered.set(keyring, outcomes)
  const { said, signature } = partsOfToken(token)
  outcomes.delete(said)
  if (outcomes.size >= MOST_REMEMBERED) {
    const [oldest] = outcomes.keys()
    if (oldest !== undefined) outcomes.delete(oldest)
  }
  outcomes.set(said, { ...outcome, signature: utf8.encode(signature) })
}

function callerOf(standing: Standing | null): Outcome {
  if (!standing) return null
  if (!standing.project) return 'unscoped'
  const roles = standing.roles.map(({ name }) => foldName(name))
  return { userId: standing.user.id, projectId: standing.project.id, roles }
}

/**
 * The caller that a token stands for: null when it has no power, `unscoped` when it names no project. The outcome for a
 * well-signed token is remembered; text that is none is refused without a look-up, and not remembered.
 */
export async function authenticateEmbedded(token: string, backend: Backend): Promise<Outcome> {
  const { keyring, now } = backend
  const known = recall(keyring, token, now)
  if (known) return known.outcome
  const claims = await readToken(keyring, token, now)
  if (!claims) return null
  const begun = generation
  const account = await shared(backend.session, `account ${token}`, () => accountOf(claims, backend))
  const outcome = callerOf(standingOf(claims, account))
  // A change that came between the look-up and here is not to be hidden by what was seen before it.
  if (begun === generation) remember(keyring, token, { outcome, checked: now, expires: claims.expires })
  return outcome
}
