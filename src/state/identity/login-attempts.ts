/**
 * Counts of log-ins that failed, shared by all isolates as rows. Each attempt is counted before its password is hashed,
 * in one statement, so that parallel guesses cannot all pass; a success takes its count back.
 *
 * An attempt counts for three subjects: the account from one network, the network, and the account. The first two refuse
 * for a time that doubles with each further failure. The account alone never refuses: whoever guesses from elsewhere
 * cannot shut its owner out, but makes each attempt at it wait.
 */
import { and, eq, gt, inArray, lte, sql } from 'drizzle-orm'
import { digestOf } from '../../crypto/digest.ts'
import { logProblem } from '../../log.ts'
import { millisecondsOf } from '../../times.ts'
import { commit, commitWhere } from '../audit/commit.ts'
import { DEPLOYMENT, recordEvent, type AuditEvent } from '../audit/events.ts'
import { build, change, changeReturning, idempotent, select } from '../database/prepared.ts'
import { loginAttempts } from '../schema/identity.ts'
import type { Scope } from '../scope.ts'

/** Failures of an account from one network that are not slowed, and those of a network. */
export const FREE_OF_ACCOUNT_AND_NETWORK = 5
export const FREE_OF_NETWORK = 30
/** Failures of an account, from wherever, after which attempts at it wait. */
const FREE_OF_ACCOUNT = 50
/** The first refusal lasts so long, and each further failure doubles it up to the greatest. */
const FIRST_WAIT_MILLISECONDS = 1_000
export const MOST_WAIT_MILLISECONDS = 900_000
const MOST_DOUBLINGS = 10
/** How much longer each failure beyond {@link FREE_OF_ACCOUNT} makes an attempt wait, and the longest. */
const SLOWER_MILLISECONDS = 100
const MOST_SLOWED_MILLISECONDS = 2_000
/** A count ends when so long no attempt was counted. */
const KEPT_MILLISECONDS = 3_600_000
/** Ended counts that one attempt deletes; it adds three at most. */
const DELETED_AT_ONCE = 10
/** More failures than there are. */
const NEVER = 2 ** 31
const MOST_LABEL_CHARACTERS = 64

/** Whose secret is tried, and from where. */
export interface Attempt {
  /** What is counted: `user`, `credential` or `unknown`, and the id or name. */
  readonly account: string
  /** A name or id for the log. */
  readonly label: string
  readonly network: string
}

/** What becomes of an attempt: it goes on after a wait, or it is refused for a time. */
export type Admission =
  | { readonly admitted: true; readonly waitMilliseconds: number }
  | { readonly admitted: false; readonly refusedMilliseconds: number }

/** What a client gives as its name, as far as it is logged. */
export const labelOf = (given: string): string => given.slice(0, MOST_LABEL_CHARACTERS).toWellFormed()

interface Subjects {
  readonly both: string
  readonly network: string
  readonly account: string
}

/** A digest: it is short whatever a client gives as its name. */
async function subjectOf(...parts: readonly string[]): Promise<string> {
  return (await digestOf(JSON.stringify(parts))).toBase64()
}

async function subjectsOf({ account, network }: Attempt): Promise<Subjects> {
  const [both, ofNetwork, ofAccount] = await Promise.all([
    subjectOf('account and network', account, network),
    subjectOf('network', network),
    subjectOf('account', account),
  ])
  return { both, network: ofNetwork, account: ofAccount }
}

const { subject, failures, allowance, refusedUntil, told, expires } = loginAttempts

/** Counts the attempt for all subjects, unless one of them is refused. */
function count({ both, network, account }: Subjects, now: number) {
  const rows = JSON.stringify([
    [both, FREE_OF_ACCOUNT_AND_NETWORK],
    [network, FREE_OF_NETWORK],
    [account, NEVER],
  ])
  const isRefused = sql`exists (select 1 from ${loginAttempts}
    where subject in (${both}, ${network}) and refused_until > ${now})`
  const counted = sql`(case when ${loginAttempts.expires} <= ${now} then 1 else ${loginAttempts.failures} + 1 end)`
  const doublings = sql`min(${counted} - excluded.allowance, ${MOST_DOUBLINGS})`
  const wait = sql`min(${FIRST_WAIT_MILLISECONDS} << ${doublings}, ${MOST_WAIT_MILLISECONDS})`
  return changeReturning(
    build
      .insert(loginAttempts)
      .select(
        sql`select value ->> 0, 1, value ->> 1, 0, 0, ${now + KEPT_MILLISECONDS} from json_each(${rows})
          where not ${isRefused}`,
      )
      .onConflictDoUpdate({
        target: subject,
        set: {
          failures: counted,
          allowance: sql`excluded.allowance`,
          refusedUntil: sql`case when ${counted} < excluded.allowance then 0 else ${now} + ${wait} end`,
          told: false,
          expires: sql`excluded.expires`,
        },
      })
      .returning({ subject }),
  )
}

function deleteEnded(now: number) {
  const ended = build.select({ subject }).from(loginAttempts).where(lte(expires, now)).limit(DELETED_AT_ONCE)
  return change(build.delete(loginAttempts).where(inArray(subject, ended)))
}

const readCounts = (subjects: Subjects) =>
  select({ subject, failures, refusedUntil, told }, (fields) =>
    build
      .select(fields)
      .from(loginAttempts)
      .where(inArray(subject, Object.values(subjects))),
  )

const eventOf = ({ label }: Pick<Attempt, 'label'>, failure?: string): AuditEvent => ({
  action: 'authenticate',
  target: 'account/user',
  id: label,
  projectId: DEPLOYMENT,
  ...(failure !== undefined && { failure }),
})

/** Counts an attempt at `now`, in milliseconds, before its secret is looked at. One round trip. */
export async function admit(scope: Scope, attempt: Attempt, now: number): Promise<Admission> {
  const subjects = await subjectsOf(attempt)
  const { counted, found } = await scope.db.batch({
    ended: idempotent(deleteEnded(now)),
    // If the answer is lost, the attempt is counted twice: that refuses too early rather than too late.
    counted: idempotent(count(subjects, now)),
    found: readCounts(subjects),
  })
  if (counted === 0) {
    const refusing = found.filter((row) => row.subject !== subjects.account)
    const until = Math.max(now, ...refusing.map((row) => row.refusedUntil))
    return { admitted: false, refusedMilliseconds: until - now }
  }
  const ofAccount = found.find((row) => row.subject === subjects.account)?.failures ?? 0
  const slower = Math.max(0, ofAccount - FREE_OF_ACCOUNT) * SLOWER_MILLISECONDS
  return { admitted: true, waitMilliseconds: Math.min(slower, MOST_SLOWED_MILLISECONDS) }
}

/** Until when the account from this network, or the network, is refused, in milliseconds; 0: it is not. Changes nothing. */
export async function refusedUntilNow(scope: Scope, attempt: Attempt): Promise<number> {
  const subjects = await subjectsOf(attempt)
  const found = await scope.db.run(readCounts(subjects))
  const refusing = found.filter((row) => row.subject !== subjects.account)
  return Math.max(0, ...refusing.map((row) => row.refusedUntil))
}

/** Records that the secret was right, and takes the count of the attempt back. */
export async function recordSuccess(scope: Scope, attempt: Attempt): Promise<void> {
  const { both, network, account } = await subjectsOf(attempt)
  const oneLess = sql`max(${failures} - 1, 0)`
  await commitWhere(scope, [eventOf(attempt)], sql`true`, {
    both: change(build.delete(loginAttempts).where(eq(subject, both))),
    others: change(
      build
        .update(loginAttempts)
        .set({
          failures: oneLess,
          refusedUntil: sql`case when ${oneLess} < ${allowance} then 0 else ${refusedUntil} end`,
        })
        .where(inArray(subject, [network, account])),
    ),
  })
}

/** Records that the secret was wrong: the attempt stays counted. */
export const recordFailure = (scope: Scope, attempt: Attempt): Promise<void> =>
  recordEvent(scope, eventOf(attempt, '401'))

/** Records that attempts are refused unseen: once for each time that they are, however many come. */
export async function recordRefusal(scope: Scope, attempt: Attempt): Promise<void> {
  const { both, network } = await subjectsOf(attempt)
  const now = millisecondsOf(scope.now)
  const isRefused = and(inArray(subject, [both, network]), gt(refusedUntil, now), eq(told, false))
  const telling = change(build.update(loginAttempts).set({ told: true }).where(isRefused))
  const { changed } = await commit(scope, eventOf(attempt, '429'), telling)
  if (changed > 0) logProblem({ event: 'log-ins refused', user: attempt.label, network: attempt.network })
}

/** Records a log-in with a token, which is no guess, or that it was refused with this status. */
export const recordLogIn = (scope: Scope, userId: string, failure?: string): Promise<void> =>
  recordEvent(scope, eventOf({ label: userId }, failure))
