/** Optimistic concurrency: a change is computed from a row and saved only if the row has not changed since. */
import { fault } from '../../faults.ts'

/** The maximum number of attempts of one change. */
const MOST_ATTEMPTS = 5

/** The outcome of an attempt whose row was changed after it was read. */
export const CONFLICT = Symbol('conflict')

/**
 * Repeats a change until an attempt does not return CONFLICT. Each attempt must read the row again. Throws
 * `conflict()`, by default the fault `changedConcurrently` (409), if every attempt had a conflict.
 */
export async function untilStored<Value>(
  attempt: () => Promise<Value | typeof CONFLICT>,
  conflict: () => Error = () => fault('changedConcurrently'),
): Promise<Value> {
  for (let attempts = 0; attempts < MOST_ATTEMPTS; attempts += 1) {
    const outcome = await attempt()
    if (outcome !== CONFLICT) return outcome
  }
  throw conflict()
}
