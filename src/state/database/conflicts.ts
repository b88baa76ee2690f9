/** Optimistic concurrency: a change is computed from a row and saved only if the row has not changed since. */
import { fault } from '../../faults.ts'

/** How often a change is attempted, and the pause between two attempts. */
export interface Patience {
  readonly attempts: number
  /** The longest pause after the first attempt, in milliseconds; each further one may last twice as long. */
  readonly pause: number
}

/** For rows that few change at the same time. */
const prompt: Patience = { attempts: 5, pause: 0 }
/**
 * For rows that hundreds may change at the same moment, each of which has to follow the one before. The pauses are of
 * random length, so that those who wait do not come back together. Together they take 21 seconds at most.
 */
export const patient: Patience = { attempts: 11, pause: 20 }

/** The outcome of an attempt whose row was changed after it was read. */
export const CONFLICT = Symbol('conflict')

const pauseOf = (most: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.random() * most))

/**
 * Repeats a change until an attempt does not return CONFLICT. Each attempt must be made from the row as it is then.
 * Throws `conflict()`, by default the fault `changedConcurrently` (409), if every attempt had a conflict.
 */
export async function untilStored<Value>(
  attempt: () => Promise<Value | typeof CONFLICT>,
  conflict: () => Error = () => fault('changedConcurrently'),
  { attempts, pause }: Patience = prompt,
): Promise<Value> {
  for (let made = 0; made < attempts; made += 1) {
    if (made > 0 && pause > 0) await pauseOf(pause * 2 ** (made - 1))
    const outcome = await attempt()
    if (outcome !== CONFLICT) return outcome
  }
  throw conflict()
}
