/** Classifies errors of the database and of Durable Objects by their messages and marks. */
import { Fault, fault } from '../../faults.ts'
import { SUPERSEDED } from '../schema/triggers.ts'

/** An error with the causes below it. */
function* chainOf(error: unknown): Generator<Error> {
  for (let one = error; one instanceof Error; one = one.cause) yield one
}

function messageIncludes(error: unknown, text: string): boolean {
  for (const { message } of chainOf(error)) if (message.includes(text)) return true
  return false
}

/**
 * Reports whether SQLite refused a batch, so that nothing was stored. After any other error it may have been stored.
 */
export const isRefused = (error: unknown): boolean => messageIncludes(error, 'SQLITE_')

/** Reports whether a statement names a table or column that the database does not have. */
export const isOfOtherSchema = (error: unknown): boolean =>
  messageIncludes(error, 'no such table: ') ||
  messageIncludes(error, 'no such column: ') ||
  messageIncludes(error, 'has no column named ')

/** Reports whether a batch was refused because a value is sealed under a superseded project key. */
export const isSuperseded = (error: unknown): boolean => messageIncludes(error, SUPERSEDED)

/**
 * What to do about an error that passes: `repeat` the call; after a `reset`, which the documentation does not say to
 * repeat, only find out whether the call took effect; leave an `overloaded` database or object alone.
 */
type Passing = 'repeat' | 'reset' | 'overloaded'

/**
 * Messages of errors that pass, from Cloudflare's "Debug D1" (list of D1_ERRORs) and "Durable Objects: Troubleshooting".
 * The first that matches counts.
 */
const passingMessages: readonly (readonly [RegExp, Passing])[] = [
  [/is overloaded|requests queued/i, 'overloaded'],
  [/operation exceeded timeout|exceeded its (?:memory|CPU time) limit/i, 'reset'],
  [/network connection lost|because its code was updated|caused object to be reset/i, 'repeat'],
  [/transient issue on remote node|because client disconnected|internal error/i, 'repeat'],
]

/** The marks of Durable Objects on errors of the platform ("Durable Objects: Error handling"). */
interface Marked {
  readonly retryable?: boolean
  readonly overloaded?: boolean
  readonly durableObjectReset?: boolean
}

interface PassingError {
  readonly passing: Passing
  /** The platform's message. It contains no value of a statement. */
  readonly cause: string
}

const MOST_CAUSE_CHARACTERS = 200

function passingError(error: unknown): PassingError | null {
  if (error instanceof Fault || isRefused(error)) return null
  for (const one of chainOf(error)) {
    const { overloaded, retryable, durableObjectReset } = one as Marked
    const cause = one.message.slice(0, MOST_CAUSE_CHARACTERS)
    if (overloaded) return { passing: 'overloaded', cause }
    const known = passingMessages.find(([message]) => message.test(one.message))
    if (known) return { passing: known[1], cause }
    if (retryable || durableObjectReset) return { passing: 'repeat', cause }
  }
  return null
}

/** Classifies an error that passes; null for any other error. */
export const passingOf = (error: unknown): Passing | null => passingError(error)?.passing ?? null

/** Reports whether a call that failed may have taken effect: one that was not begun, for overload, has not. */
export function mayBeStored(error: unknown): boolean {
  const passing = passingOf(error)
  return passing === 'repeat' || passing === 'reset'
}

/** The fault `unavailable` or `overloaded` for an error that passes; any other error unchanged. */
export function unavailability(error: unknown): unknown {
  const known = passingError(error)
  if (!known) return error
  return Object.assign(fault(known.passing === 'overloaded' ? 'overloaded' : 'unavailable', known.cause), {
    cause: error,
  })
}
