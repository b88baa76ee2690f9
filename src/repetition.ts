/**
 * The repetition of calls that failed for a moment: the only place that waits and tries again. What may be repeated is
 * for the caller to decide: a call that changes something must have the same effect once or twice.
 */

/** Tries of one call, the first included. */
export const MOST_TRIES = 3
/** Milliseconds after the first failure in which a further try may begin. */
const DEADLINE_MILLISECONDS = 10_000
/** The longest pause before the second try, in milliseconds. Each further one is {@link GROWTH} times as long. */
const FIRST_PAUSE_MILLISECONDS = 60
const GROWTH = 3
const LONGEST_PAUSE_MILLISECONDS = 1_000

/** Waits before a try, by its number from 2. The pause is random, so that callers who failed together come apart. */
function pause(attempt: number): Promise<void> {
  const longest = Math.min(FIRST_PAUSE_MILLISECONDS * GROWTH ** (attempt - 2), LONGEST_PAUSE_MILLISECONDS)
  return scheduler.wait(longest * (0.5 + Math.random() / 2))
}

/**
 * Repeats a call that has failed with `failed`, until it succeeds, fails with an error that `isPassing` does not accept,
 * or has been tried `tries` times. `attempt` gets the number of the try, from 2. Throws the last error.
 */
export async function repeated<Value>(
  failed: unknown,
  isPassing: (error: unknown) => boolean,
  attempt: (number: number) => PromiseLike<Value>,
  tries: number = MOST_TRIES,
): Promise<Value> {
  const deadline = Date.now() + DEADLINE_MILLISECONDS
  let last = failed
  for (let number = 2; number <= tries && isPassing(last) && Date.now() < deadline; number += 1) {
    await pause(number)
    try {
      return await attempt(number)
    } catch (error) {
      last = error
    }
  }
  throw last
}
