/**
 * How guessing is slowed: what proves an identity by a secret goes through {@link attempting}. An attempt that is refused
 * costs no slow hash, and the answer says when the next one is admitted.
 */
import { identityFault, tooManyAttempts } from '../state/identity/faults.ts'
import { admit, recordFailure, recordRefusal, recordSuccess, type Attempt } from '../state/identity/login-attempts.ts'
import type { Backend } from '../state/backend.ts'
import { isWritable } from '../state/read-only.ts'
import type { Scope } from '../state/scope.ts'
import { attemptingUnrecorded } from './unrecorded-attempts.ts'
import { formatTime } from '../times.ts'
import { LOCAL, networkOf } from './addresses.ts'

/** Refusals up to this are waited for, and all of them together: many clients may log in at once from one address. */
const MOST_HELD_MILLISECONDS = 4_000
const MOST_HELD_TOGETHER_MILLISECONDS = 10_000

const wait = (milliseconds: number) =>
  new Promise<void>((resume) => {
    setTimeout(resume, milliseconds)
  })

/**
 * Returns once the attempt may be made; throws `tooManyAttempts`. The time is that of the attempt, not of the request, whose
 * body a client may send as late as it likes.
 */
async function requireAdmission(scope: Scope, attempt: Attempt): Promise<void> {
  const until = Date.now() + MOST_HELD_TOGETHER_MILLISECONDS
  for (;;) {
    const now = Date.now()
    const admission = await admit(scope, attempt, now)
    if (admission.admitted) return admission.waitMilliseconds > 0 ? wait(admission.waitMilliseconds) : undefined
    const { refusedMilliseconds } = admission
    if (refusedMilliseconds > MOST_HELD_MILLISECONDS || now + refusedMilliseconds > until) {
      await recordRefusal({ ...scope, now: formatTime(now) }, attempt)
      throw tooManyAttempts(refusedMilliseconds)
    }
    await wait(refusedMilliseconds)
  }
}

/**
 * Runs `verify`, which looks at a secret of the account, if the attempt is admitted. What it returns is right: null is a
 * wrong secret, or what must look like one. Throws `tooManyAttempts` and `unauthenticated`; both are audit events, and so
 * is a success.
 */
export async function attempting<Proven>(
  scope: Backend,
  given: Omit<Attempt, 'network'>,
  verify: () => Promise<Proven | null>,
): Promise<Proven> {
  const attempt = { ...given, network: networkOf(scope.source.address ?? LOCAL) }
  if (!(await isWritable(scope))) return attemptingUnrecorded(scope, attempt, verify)
  await requireAdmission(scope, attempt)
  const proven = await verify()
  if (proven === null) {
    await recordFailure(scope, attempt)
    throw identityFault('unauthenticated')
  }
  await recordSuccess(scope, attempt)
  return proven
}
