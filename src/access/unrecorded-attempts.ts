/**
 * How guessing is slowed while the service is read-only, when no attempt can be counted in the database: refusals that
 * were stored before hold, and each isolate counts for itself. A log-in and a failure are log lines in place of events.
 */
import { boundedCache } from '../cache.ts'
import { logLater, logProblem } from '../log.ts'
import { identityFault, tooManyAttempts } from '../state/identity/faults.ts'
import {
  FREE_OF_ACCOUNT_AND_NETWORK,
  FREE_OF_NETWORK,
  MOST_WAIT_MILLISECONDS,
  refusedUntilNow,
  type Attempt,
} from '../state/identity/login-attempts.ts'
import type { Scope } from '../state/scope.ts'

/** Failures of this isolate, by what is counted; one ends {@link MOST_WAIT_MILLISECONDS} after the last. */
const failures = boundedCache<number>({ entries: 10_000, seconds: MOST_WAIT_MILLISECONDS / 1_000 })

interface Counted {
  readonly subject: string
  readonly free: number
}

const countedOf = ({ account, network }: Attempt): readonly Counted[] => [
  { subject: JSON.stringify([account, network]), free: FREE_OF_ACCOUNT_AND_NETWORK },
  { subject: JSON.stringify([network]), free: FREE_OF_NETWORK },
]

const add = ({ subject }: Counted, failed: number) => failures.set(subject, (failures.get(subject) ?? 0) + failed)

/** As `attempting` of `attempts.ts`, without a change of the database. */
export async function attemptingUnrecorded<Proven>(
  scope: Scope,
  attempt: Attempt,
  verify: () => Promise<Proven | null>,
): Promise<Proven> {
  const [counted, now] = [countedOf(attempt), Date.now()]
  const until = await refusedUntilNow(scope, attempt)
  if (until > now) throw tooManyAttempts(until - now)
  if (counted.some(({ subject, free }) => (failures.get(subject) ?? 0) >= free))
    throw tooManyAttempts(MOST_WAIT_MILLISECONDS)
  // Counted before the secret is looked at, so that parallel guesses cannot all pass.
  for (const one of counted) add(one, 1)
  const proven = await verify()
  if (proven === null) {
    logProblem({ event: 'log-in failed while read-only', user: attempt.label, network: attempt.network })
    throw identityFault('unauthenticated')
  }
  for (const one of counted) add(one, -1)
  logLater({ event: 'log-in while read-only', user: attempt.label })
  return proven
}
