/** The retry schedule of orders, and the progress that clients see. */
import { formatTime, millisecondsOf } from '../../times.ts'
import type { OrderError } from '../project-calls.ts'

/** Milliseconds that each attempt has before the next one starts. An order ends within their sum. */
export const attemptTimes = [15_000, 30_000, 60_000, 120_000, 240_000] as const

/** The time of the first attempt. An alarm waits this long for its runs, and is retried after this time if it fails. */
export const SHORTEST_ATTEMPT = attemptTimes[0]

/** Orders that one alarm of a project runs; the next alarm runs the rest. */
export const MOST_ORDERS_PER_ALARM = 20

/** The operation in audit events of runs, which the service performs on behalf of the order's creator. */
export const ORDER_RUN = 'Order run'

const GENERATING = 'generating'

/** The columns of an order during attempt number `attempt` (from 1), started at `now`. */
export function progressOf(attempt: number, now: string) {
  const time = attemptTimes[Math.min(attempt, attemptTimes.length) - 1] ?? attemptTimes[0]
  return {
    due: formatTime(millisecondsOf(now) + time),
    subStatus: GENERATING,
    subStatusMessage: `Generating, attempt ${attempt} of ${attemptTimes.length}`,
  }
}

/** The error that Barbican reports whenever a plugin fails. */
export const unfinished: OrderError = {
  code: '500',
  reason: 'Process TypeOrder failure seen - please contact site administrator.',
}
