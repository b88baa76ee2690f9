/** When an order is run again, how often, and what a client sees of it meanwhile. */
import { formatTime, millisecondsOf } from '../../times.ts'
import type { OrderError } from '../project-calls.ts'

/** Milliseconds that each attempt has before the next one begins: an order ends within their sum. */
export const attemptTimes = [15_000, 30_000, 60_000, 120_000, 240_000] as const

/** The first attempt's time. An alarm waits so long for its runs, and one that failed comes again after it. */
export const SHORTEST_ATTEMPT = attemptTimes[0]

/** Orders that one alarm of a project runs; the next alarm takes the rest. */
export const MOST_ORDERS_PER_ALARM = 20

/** What the service does by itself for whoever ordered. */
export const ORDER_RUN = 'Order run'

const GENERATING = 'generating'

/** The state of an order while attempt number `attempt` (from 1) runs, begun at `now`. */
export function progressOf(attempt: number, now: string) {
  const time = attemptTimes[Math.min(attempt, attemptTimes.length) - 1] ?? attemptTimes[0]
  return {
    due: formatTime(millisecondsOf(now) + time),
    subStatus: GENERATING,
    subStatusMessage: `Generating, attempt ${attempt} of ${attemptTimes.length}`,
  }
}

/** What the peer says of all that its plugins fail on. */
export const unfinished: OrderError = {
  code: '500',
  reason: 'Process TypeOrder failure seen - please contact site administrator.',
}
