/**
 * Application credentials that service bindings name. Who may deploy the calling Worker chooses the id, and the runtime
 * vouches for it; what it may do is decided by the credential's row, as if somebody logged in with it. Its secret is not
 * used, so that none has to be kept in the calling Worker.
 */
import type { Caller } from '../caller.ts'
import type { Backend } from '../state/backend.ts'
import { loadCredentialAccount } from '../state/identity/accounts.ts'
import { callerOf, standingOf } from './embedded.ts'
import { claimsOfCredential } from './log-in.ts'

/**
 * What the description of a credential must say: `edge`, alone or before a colon. Its user thereby allows the use without
 * the secret, so that the id of a credential that was made for something else opens nothing.
 */
const FOR_EDGE = /^edge(?:$|:)/

/**
 * Returns the caller that the credential stands for, read in one round trip; null if it does not exist, was not made for
 * service bindings or has expired, and if its user, its project or all of its roles are gone or disabled.
 */
export async function callerOfEdgeCredential(backend: Backend, id: string): Promise<Caller | null> {
  const account = await loadCredentialAccount(backend, { id })
  if (!FOR_EDGE.test(account.credential?.description ?? '')) return null
  const claims = claimsOfCredential(backend, account)
  const caller = claims && callerOf(standingOf(claims, account))
  return caller === 'unscoped' ? null : caller
}
