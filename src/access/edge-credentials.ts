/**
 * Application credentials that service bindings name. Who may deploy the calling Worker chooses the id, and the runtime
 * vouches for it; what it may do is decided by the credential's row, as if somebody logged in with it. Its secret is not
 * used, so that none has to be kept in the calling Worker.
 */
import type { Caller } from '../caller.ts'
import type { Backend } from '../state/backend.ts'
import { selectCredentialAccount } from '../state/identity/accounts.ts'
import { callerOf, standingOf } from './embedded.ts'
import { checkCache, liveCheck, pendingCaller } from './live-checks.ts'
import { claimsOfCredential } from './log-in.ts'

/**
 * What the description of a credential must say: `edge`, alone or before a colon. Its user thereby allows the use without
 * the secret, so that the id of a credential that was made for something else opens nothing.
 */
const FOR_EDGE = /^edge(?:$|:)/

/** Live checks by the id of the credential, with the time at which it expires. */
const checks = checkCache<{ readonly expires: string }>()

/**
 * Returns the caller that the credential stands for. Whether there is one is a question of the backend's sessions, which
 * throw `unauthenticated` if the credential does not exist, was not made for service bindings or has expired, and if its
 * user, its project or all of its roles are gone or disabled. Before the answer no part of the caller must be used.
 */
export function callerOfEdgeCredential(backend: Backend, id: string): Caller {
  const { keyring, now } = backend
  const found = checks.of(keyring).get(id)
  let expires = now
  const outcome = liveCheck(backend, {
    known: found && found.expires > now ? found : undefined,
    select: () => selectCredentialAccount({ id }),
    outcomeOf(account) {
      if (!FOR_EDGE.test(account.credential?.description ?? '')) return null
      const claims = claimsOfCredential(backend, account)
      if (claims) ({ expires } = claims)
      return claims && callerOf(standingOf(claims, account))
    },
    remember: (check, since) => checks.remember(keyring, id, { ...check, expires }, since),
  })
  return pendingCaller(outcome, null)
}
