/**
 * Authentication by the embedded identity. The signature of a token is verified without a round trip. The state of its
 * user, project, roles and application credential is read with the first look-up of the request; see `live-checks.ts`.
 */
import type { Keyring } from '../crypto/keyring.ts'
import type { Caller } from '../caller.ts'
import type { Backend } from '../state/backend.ts'
import { loadAccount, selectAccount, type Account, type AccountQuery } from '../state/identity/accounts.ts'
import { foldName } from '../state/identity/names.ts'
import { ADMINISTRATOR, type RoleName } from '../state/identity/roles.ts'
import type { KeyedScope } from '../state/scope.ts'
import { checkCache, liveCheck, pendingCaller, type LiveCheck, type Outcome } from './live-checks.ts'
import { partsOfToken, readToken, type TokenClaims } from './tokens.ts'

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

function accountQuery({ userId, projectId, credentialId, auditIds }: TokenClaims): AccountQuery {
  return {
    user: { id: userId },
    project: projectId === null ? null : { id: projectId },
    credentialId,
    auditIds: auditIds.filter((id) => id !== undefined),
  }
}

/** Validates a token now; null if this deployment did not issue it or it is no longer valid. */
export async function currentStanding(token: string, scope: KeyedScope): Promise<Standing | null> {
  const claims = await readToken(scope.keyring, token, scope.now)
  return claims && standingOf(claims, await loadAccount(scope, accountQuery(claims)))
}

/** The caller with this standing; `unscoped` if it has no project. */
export function callerOf(standing: Standing | null): Outcome | null {
  if (!standing) return null
  if (!standing.project) return 'unscoped'
  const roles = standing.roles.map(({ name }) => foldName(name))
  const { user, project, administrator } = standing
  return { userId: user.id, projectId: project.id, roles, cloudAdmin: administrator }
}

/** A token whose signature was verified. */
interface VerifiedToken {
  readonly signature: Uint8Array
  readonly claims: TokenClaims
}

/** Live checks by the signed part of the token. */
const checks = checkCache<VerifiedToken>()

const utf8 = new TextEncoder()

/** Returns what is remembered of a token. Compares in constant time: the signature is its only secret part. */
function remembered(keyring: Keyring, token: string, now: string): (LiveCheck & VerifiedToken) | undefined {
  const { said, signature } = partsOfToken(token)
  const known = checks.of(keyring).get(said)
  const bytes = utf8.encode(signature)
  if (!known || known.claims.expires <= now || bytes.length !== known.signature.length) return undefined
  return crypto.subtle.timingSafeEqual(bytes, known.signature) ? known : undefined
}

/**
 * Returns the caller of a token: null if this deployment did not issue it, `unscoped` if it has no project. Whether the
 * token is still valid is a question of the backend's sessions, which hand out no result before its answer. A token with
 * an invalid signature costs no round trip.
 */
export async function authenticateEmbedded(token: string, backend: Backend): Promise<Caller | 'unscoped' | null> {
  const { keyring, now } = backend
  const known = remembered(keyring, token, now)
  const claims = known?.claims ?? (await readToken(keyring, token, now))
  if (!claims) return null
  const { said, signature } = partsOfToken(token)
  const outcome = liveCheck(backend, {
    known,
    select: () => selectAccount(accountQuery(claims)),
    outcomeOf: (account) => callerOf(standingOf(claims, account)),
    remember: (check, since) =>
      checks.remember(keyring, said, { ...check, claims, signature: utf8.encode(signature) }, since),
  })
  const { userId, projectId } = claims
  return projectId === null ? 'unscoped' : pendingCaller(outcome, { userId, projectId })
}
