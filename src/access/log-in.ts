/** Log-in: issues tokens for passwords, application credentials and other tokens. */
import { isOutdated, verifyPassword } from '../crypto/password.ts'
import { logLater } from '../log.ts'
import type { Backend } from '../state/backend.ts'
import { loadAccount, loadCredentialAccount } from '../state/identity/accounts.ts'
import type { Account, AccountUser, CredentialKey, IdentityKey } from '../state/identity/accounts.ts'
import { bootstrapIdentity, FIRST_ADMINISTRATOR } from '../state/identity/bootstrap.ts'
import { renewSecretHash } from '../state/identity/credentials.ts'
import { IdentityFault, identityFault } from '../state/identity/faults.ts'
import { labelOf, recordLogIn } from '../state/identity/login-attempts.ts'
import { foldName } from '../state/identity/names.ts'
import { recoverAdministrator } from '../state/identity/recovery.ts'
import { ADMINISTRATOR } from '../state/identity/roles.ts'
import { isWritable } from '../state/read-only.ts'
import { renewPasswordHash } from '../state/identity/users.ts'
import { later } from '../times.ts'
import { attempting } from './attempts.ts'
import { currentStanding, standingOf, type Standing } from './embedded.ts'
import { evictLiveChecks } from './live-checks.ts'
import { newAuditId, signToken, TOKEN_SECONDS, type Method, type TokenClaims } from './tokens.ts'

/** The proof of a client's identity. */
export type Proof =
  | { readonly method: 'password'; readonly user: IdentityKey; readonly password: string }
  | { readonly method: 'application_credential'; readonly credential: CredentialKey; readonly secret: string }
  | { readonly method: 'token'; readonly token: string }

/** The requested scope of the token: a project, the user's default project if it is usable, or none. */
export type Scope = IdentityKey | 'default' | 'unscoped'

/** A new token and its evaluated claims. */
export interface Issued {
  readonly token: string
  readonly standing: Standing
}

/** The claims of a token that depend on the proof. */
type Origin = Pick<TokenClaims, 'tokenEpoch' | 'methods' | 'auditIds' | 'expires'>

const firstToken = (method: Method, { tokenEpoch }: AccountUser, backend: Backend): Origin => ({
  tokenEpoch,
  methods: [method],
  auditIds: [newAuditId()],
  expires: later(backend.now, TOKEN_SECONDS),
})

/** What a deployment says of its first administrator. */
interface FirstAdministrator {
  /** The password; empty: none is made. */
  readonly password: string
  /** The password makes the administrator anew. */
  readonly recovery: boolean
}

/** No administrator is made. */
const NONE: FirstAdministrator = { password: '', recovery: false }

/** The name or id that a client gives, as far as it is logged. */
export function claimedBy(proof: Proof): string {
  if (proof.method === 'token') return ''
  const key = proof.method === 'password' ? proof.user : proof.credential
  return labelOf('id' in key ? key.id : key.name)
}

/**
 * Logs in. Throws `unauthenticated`, in about the same time, for a wrong password and for an unknown or disabled user,
 * project or credential; `tooManyAttempts` when there were too many of these; `tokenNotFound` for a token without power;
 * `notPermitted` for a token of an application credential. Log-ins are audit events, and so is what they are refused for.
 */
export async function logIn(backend: Backend, proof: Proof, scope: Scope, first: FirstAdministrator): Promise<Issued> {
  switch (proof.method) {
    case 'password':
      // While the service is read-only, no administrator is made.
      return logInWithPassword(backend, proof, scope, (await isWritable(backend)) ? first : NONE)
    case 'application_credential':
      return logInWithCredential(backend, proof)
    case 'token':
      return logInWithToken(backend, proof.token, scope)
  }
}

type ByPassword = Extract<Proof, { method: 'password' }>

/** What failed attempts are counted by: the user that is meant, by name or id alike, or what was given. */
const accountOf = (kind: 'user' | 'credential', id: string | undefined, given: IdentityKey | CredentialKey): string =>
  id === undefined
    ? `unknown ${JSON.stringify('name' in given ? { ...given, name: foldName(given.name) } : given)}`
    : `${kind} ${id}`

const utf8 = new TextEncoder()

/** In constant time but for the length, which is not secret. */
function isSame(given: string, configured: string): boolean {
  const [one, other] = [utf8.encode(given), utf8.encode(configured)]
  return one.length === other.length && crypto.subtle.timingSafeEqual(one, other)
}

const isAdministrator = ({ user, project, roles }: Account): boolean =>
  user !== undefined &&
  user.enabled &&
  project?.administrative === true &&
  roles.some(({ name }) => foldName(name) === ADMINISTRATOR)

/** Whether the first administrator is to be made anew: it is asked for, and the configured password does not open it. */
async function needsRecovery(backend: Backend, { user, password }: ByPassword, first: FirstAdministrator) {
  if (!first.recovery || !first.password || !('name' in user)) return false
  if (foldName(user.name) !== FIRST_ADMINISTRATOR || !isSame(password, first.password)) return false
  const account = await loadAccount(backend, { user, project: { name: FIRST_ADMINISTRATOR } })
  return !isAdministrator(account) || !(await verifyPassword(password, account.user?.passwordHash ?? undefined))
}

async function logInWithPassword(
  backend: Backend,
  proof: ByPassword,
  scope: Scope,
  first: FirstAdministrator,
): Promise<Issued> {
  const { user, password } = proof
  const query = { user, project: scope === 'unscoped' ? null : scope }
  let account = await loadAccount(backend, query)
  const given = { account: accountOf('user', account.user?.id, user), label: account.user?.id ?? claimedBy(proof) }
  const issued = await attempting(backend, given, async () => {
    const isFirst = first.password && 'name' in user && foldName(user.name) === FIRST_ADMINISTRATOR
    if (await needsRecovery(backend, proof, first)) {
      await recoverAdministrator(backend, first.password)
      evictLiveChecks()
      account = await loadAccount(backend, query)
    } else if (!account.user && isFirst) {
      await bootstrapIdentity(backend, first.password)
      account = await loadAccount(backend, query)
    }
    const matches = await verifyPassword(password, account.user?.passwordHash ?? undefined)
    if (!account.user || !matches) return null
    return unlessRefused(
      issue(backend, { ...account, user: account.user }, scope, firstToken('password', account.user, backend)),
    )
  })
  const { passwordHash, id } = account.user ?? {}
  if (id !== undefined && passwordHash && isOutdated(passwordHash) && (await isWritable(backend))) {
    await renewPasswordHash(backend, id, passwordHash, password)
  }
  return issued
}

async function logInWithToken(backend: Backend, token: string, scope: Scope): Promise<Issued> {
  const parent = await currentStanding(token, backend)
  if (!parent) throw identityFault('tokenNotFound')
  const { methods, auditIds, expires, tokenEpoch } = parent.claims
  if (methods.includes('application_credential')) {
    throw identityFault('notPermitted', 'Using a delegated token to create another token is not allowed.')
  }
  const project = scope === 'unscoped' ? null : scope
  // Read the account with the new project, and again whatever could have invalidated the first token since.
  const chain = auditIds.filter((id) => id !== undefined)
  const account = await loadAccount(backend, { user: { id: parent.user.id }, project, auditIds: chain })
  if (!account.user) throw await refusedFor(backend, parent.user.id)
  // The token expires with its parent (CVE-2026-44394), and is revoked together with the first token of the chain.
  const origin: Origin = {
    tokenEpoch,
    methods: ['token', ...methods.filter((method) => method !== 'token')],
    auditIds: [newAuditId(), auditIds[1] ?? auditIds[0]],
    expires,
  }
  const issued = await unlessRefused(issue(backend, { ...account, user: account.user }, scope, origin))
  if (!issued) throw await refusedFor(backend, parent.user.id)
  await recordUnlessReadOnly(backend, parent.user.id)
  return issued
}

/** Records a log-in with a token, or logs it while the service is read-only. */
async function recordUnlessReadOnly(backend: Backend, userId: string, failure?: string): Promise<void> {
  if (await isWritable(backend)) return recordLogIn(backend, userId, failure)
  logLater({ event: 'log-in while read-only', user: userId, failure })
}

/** The failure of a log-in with a token that had power, once it is recorded. */
async function refusedFor(backend: Backend, userId: string): Promise<IdentityFault> {
  await recordUnlessReadOnly(backend, userId, '401')
  return identityFault('unauthenticated')
}

/** The claims of a token for the account's application credential; null if it has none, or it has expired. */
export function claimsOfCredential(backend: Backend, account: Account): TokenClaims | null {
  const { user, project, credential } = account
  const expired = typeof credential?.expires === 'string' && credential.expires <= backend.now
  if (!user || !project || !credential || expired) return null
  const { expires, ...origin } = firstToken('application_credential', user, backend)
  return {
    ...origin,
    userId: user.id,
    issued: backend.now,
    expires: credential.expires !== null && credential.expires < expires ? credential.expires : expires,
    projectId: project.id,
    // Exactly the roles of the credential, without the roles that they imply, as in Keystone.
    roleIds: account.roles.map(({ id }) => id).filter((id) => credential.roleIds.includes(id)),
    credentialId: credential.id,
  }
}

type ByCredential = Extract<Proof, { method: 'application_credential' }>

async function logInWithCredential(backend: Backend, proof: ByCredential): Promise<Issued> {
  const { credential: key, secret } = proof
  const account = await loadCredentialAccount(backend, key)
  const { user, credential } = account
  const given = {
    account: accountOf('credential', credential?.id, key),
    label: user?.id ?? claimedBy(proof),
  }
  const issued = await attempting(backend, given, async () => {
    const matches = await verifyPassword(secret, credential?.secretHash)
    const claims = claimsOfCredential(backend, account)
    return claims && matches ? unlessRefused(sign(backend, claims, account)) : null
  })
  if (credential && isOutdated(credential.secretHash) && (await isWritable(backend)))
    await renewSecretHash(backend, credential.id, secret)
  return issued
}

/** What was issued; null where it was refused, so that a right secret of a disabled account is counted as a wrong one. */
async function unlessRefused(issuing: Promise<Issued>): Promise<Issued | null> {
  try {
    return await issuing
  } catch (error) {
    if (error instanceof IdentityFault && error.failure === 'unauthenticated') return null
    throw error
  }
}

/** Issues a token for the account's project, or an unscoped one if there is none or a default project is not usable. */
async function issue(
  backend: Backend,
  account: Account & { readonly user: AccountUser },
  scope: Scope,
  origin: Origin,
): Promise<Issued> {
  const { user, project, roles } = account
  const usable = project?.enabled && roles.length > 0
  if (!usable && typeof scope === 'object') throw identityFault('unauthenticated')
  const claims: TokenClaims = {
    ...origin,
    userId: user.id,
    issued: backend.now,
    projectId: usable ? project.id : null,
    roleIds: usable ? roles.map(({ id }) => id) : [],
    credentialId: null,
  }
  return sign(backend, claims, account)
}

/** Signs the claims if a token with them is valid; throws `unauthenticated` otherwise. */
async function sign(backend: Backend, claims: TokenClaims, account: Account): Promise<Issued> {
  const standing = standingOf(claims, account)
  if (!standing) throw identityFault('unauthenticated')
  return { token: await signToken(backend.keyring, claims), standing }
}
