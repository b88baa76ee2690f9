/**
 * The live check of a caller: the current state of its user, project, roles and application credential. It travels with
 * the first look-up of the request, as a question of the backend's sessions (`state/database/questions.ts`), and this
 * isolate remembers the caller for as long as the request accepts. Only callers are remembered: a refusal always is an
 * answer of the primary.
 */
import { cacheOf } from '../cache.ts'
import type { Caller, Owner } from '../caller.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { fault } from '../faults.ts'
import { isRecent, replaces } from '../state/age.ts'
import type { Backend } from '../state/backend.ts'
import { resultsOf, statementsOf } from '../state/database/session.ts'
import { accountFrom, type Account, type AccountStatements } from '../state/identity/accounts.ts'

const MOST_CHECKS = 10_000

/** The outcome of a live check: `unscoped` if the caller has no project. */
export type Outcome = Caller | 'unscoped'

/** A live check that succeeded. */
export interface LiveCheck {
  readonly outcome: Outcome
  /** The check saw every change that was acknowledged before this time. */
  readonly asOf: string
}

/** Live checks, with what else is needed to use one again: by keyring (each deployment has its own), then by a key. */
export interface CheckCache<Extra> {
  readonly of: (keyring: Keyring) => { get: (key: string) => (LiveCheck & Extra) | undefined }
  readonly remember: (keyring: Keyring, key: string, check: LiveCheck & Extra, since: number) => void
}

let generation = 0
const evictions: (() => void)[] = []

/** Creates a cache of live checks that {@link evictLiveChecks} empties. */
export function checkCache<Extra>(): CheckCache<Extra> {
  const create = () => cacheOf<LiveCheck & Extra>({ entries: MOST_CHECKS })
  let cache = create()
  evictions.push(() => (cache = create()))
  return {
    of: (keyring) => cache(keyring),
    remember(keyring, key, check, since) {
      const known = cache(keyring).get(key)
      // Not an account that was read before a concurrent change through this isolate, or from a replica that lags more.
      if (since === generation && replaces(check.asOf, known?.asOf)) cache(keyring).set(key, check)
    },
  }
}

/** Forgets all callers, so that a change made through this isolate takes effect immediately. */
export function evictLiveChecks(): void {
  for (const evict of evictions) evict()
  generation += 1
}

/** What is checked of a caller, and where the outcome is kept. */
interface Checked {
  /** What this isolate remembers of the caller, whatever its age. */
  readonly known: LiveCheck | undefined
  /** Builds the statements that load the account; most requests need none. */
  readonly select: () => AccountStatements
  /** The outcome for an account; null if the caller has no right to ask. */
  readonly outcomeOf: (account: Account) => Outcome | null
  readonly remember: (check: LiveCheck, since: number) => void
}

/**
 * Makes the live check a question of the backend's sessions: it throws `unauthenticated` before they hand out a result.
 * Returns what tells the outcome; undefined before the answer.
 */
export function liveCheck(
  backend: Backend,
  { known, select, outcomeOf, remember }: Checked,
): () => Outcome | undefined {
  const { now, accepts } = backend
  const since = generation
  let check = known && isRecent(accepts.most, known.asOf, now) ? known : undefined
  const isDue = known !== undefined && !isRecent(accepts.most / 2, known.asOf, now)
  let selected: AccountStatements | undefined
  const statements = () => (selected ??= select())
  backend.db.terms?.questions.push({
    get statements() {
      return statementsOf(statements())
    },
    get state() {
      if (!check) return 'open'
      return isDue && check === known ? 'due' : 'answered'
    },
    get asOf() {
      return check?.asOf
    },
    async decide(answers, { asOf = now }) {
      const outcome = outcomeOf(await accountFrom(backend, resultsOf(statements(), answers)))
      if (!outcome) throw fault('unauthenticated')
      check = { outcome, asOf }
      remember(check, since)
    },
    get isRemembered() {
      return check !== undefined && check.asOf !== now
    },
    reopen() {
      if (check?.asOf !== now) check = undefined
    },
  })
  return () => check?.outcome
}

/** Returns what a request may use of its caller only once the live check was answered. */
function answered(outcomeOf: () => Outcome | undefined): Caller {
  const outcome = outcomeOf()
  if (outcome === undefined || outcome === 'unscoped') throw new Error('the caller is used before its live check')
  return outcome
}

/** A caller whose live check may be open. Its user and project are `owner`'s, if the caller is known by these. */
export const pendingCaller = (outcomeOf: () => Outcome | undefined, owner: Owner | null): Caller => ({
  get userId() {
    return owner ? owner.userId : answered(outcomeOf).userId
  },
  get projectId() {
    return owner ? owner.projectId : answered(outcomeOf).projectId
  },
  get roles() {
    return answered(outcomeOf).roles
  },
  get cloudAdmin() {
    return answered(outcomeOf).cloudAdmin
  },
})
