/** Optimistic changes: made of a row as it was read, and stored only over that row. */
import { fault } from '../../faults.ts'

/** Attempts of one change; a row that is changed by others all the time is left to them. */
const MOST_ATTEMPTS = 5

/** The outcome of an attempt whose row was changed after it was read. */
export const CONFLICT = Symbol('conflict')

/**
 * Makes the change again from the row as it is then, until it is stored. Throws `conflict()`, by default the fault
 * `changedConcurrently` (409), when others were faster each time.
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
