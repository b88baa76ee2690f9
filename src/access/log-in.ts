/** Log-in: issues tokens for passwords, application credentials and other tokens. */
import { verifyPassword } from '../crypto/password.ts'
import type { Backend } from '../state/backend.ts'
import { loadAccount, loadCredentialAccount } from '../state/identity/accounts.ts'
import type { Account, AccountUser, CredentialKey, IdentityKey } from '../state/identity/accounts.ts'
import { bootstrapIdentity, FIRST_ADMINISTRATOR } from '../state/identity/bootstrap.ts'
import { identityFault } from '../state/identity/faults.ts'
import { foldName } from '../state/identity/names.ts'
import { later } from '../times.ts'
import { currentStanding, standingOf, type Standing } from './embedded.ts'
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

/**
 * Verifies the proof and issues a token. `firstPassword` is the password of the first administrator, or empty. Throws
 * `unauthenticated` for a wrong password and for an unknown or disabled user, project or credential, all in about the
 * same time; `tokenNotFound` for an invalid token; `notPermitted` for a token of an application credential.
 */
export async function logIn(backend: Backend, proof: Proof, scope: Scope, firstPassword: string): Promise<Issued> {
  switch (proof.method) {
    case 'password':
      return logInWithPassword(backend, proof, scope, firstPassword)
    case 'application_credential':
      return logInWithCredential(backend, proof.credential, proof.secret)
    case 'token':
      return logInWithToken(backend, proof.token, scope)
  }
}

async function logInWithPassword(
  backend: Backend,
  { user, password }: Extract<Proof, { method: 'password' }>,
  scope: Scope,
  firstPassword: string,
): Promise<Issued> {
  const query = { user, project: scope === 'unscoped' ? null : scope }
  let account = await loadAccount(backend, query)
  if (!account.user && firstPassword && 'name' in user && foldName(user.name) === FIRST_ADMINISTRATOR) {
    await bootstrapIdentity(backend, firstPassword)
    account = await loadAccount(backend, query)
  }
  const matches = await verifyPassword(password, account.user?.passwordHash ?? undefined)
  if (!account.user || !matches) throw identityFault('unauthenticated')
  return issue(backend, { ...account, user: account.user }, scope, firstToken('password', account.user, backend))
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
  if (!account.user) throw identityFault('unauthenticated')
  // The token expires with its parent (CVE-2026-44394), and is revoked together with the first token of the chain.
  const origin: Origin = {
    tokenEpoch,
    methods: ['token', ...methods.filter((method) => method !== 'token')],
    auditIds: [newAuditId(), auditIds[1] ?? auditIds[0]],
    expires,
  }
  return issue(backend, { ...account, user: account.user }, scope, origin)
}

async function logInWithCredential(backend: Backend, key: CredentialKey, secret: string): Promise<Issued> {
  const account = await loadCredentialAccount(backend, key)
  const { user, project, credential } = account
  const matches = await verifyPassword(secret, credential?.secretHash)
  const expired = typeof credential?.expires === 'string' && credential.expires <= backend.now
  if (!user || !project || !credential || !matches || expired) throw identityFault('unauthenticated')
  const { expires, ...origin } = firstToken('application_credential', user, backend)
  const claims: TokenClaims = {
    ...origin,
    userId: user.id,
    issued: backend.now,
    expires: credential.expires !== null && credential.expires < expires ? credential.expires : expires,
    projectId: project.id,
    // Only the credential's own roles, without implied ones, as in Keystone.
    roleIds: account.roles.map(({ id }) => id).filter((id) => credential.roleIds.includes(id)),
    credentialId: credential.id,
  }
  return sign(backend, claims, account)
}

/** Issues a token for the account's project, or an unscoped one if there is none or a default project is not usable. */
function issue(
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
