/**
 * The rules for the age of what is read. Whatever a request is based on has a time as of which it is: it contains every
 * change that was acknowledged up to then. The primary is as of the arrival of the request that asks it; a replica is as of
 * the heartbeat that it shows (`deployment/heartbeats.ts`); what is remembered keeps the time of what it was read from.
 */
import { isWithin, later } from '../times.ts'

/** How far the clocks of two of Cloudflare's machines may differ, in seconds. An assumption: no bound is published. */
export const CLOCK_MARGIN_SECONDS = 2

/**
 * The time as of which a state is that shows a heartbeat of the time `at`; null for one from the future. The heartbeat was
 * dated by another machine, so the margin is taken off, once and here.
 */
export function asOfHeartbeat(at: string, now: string): string | null {
  const asOf = later(at, -CLOCK_MARGIN_SECONDS)
  return asOf <= now ? asOf : null
}

/** Reports whether what is as of a time may be used by a request that accepts this age, in seconds. */
export const isRecent = (accepted: number, asOf: string, now: string): boolean => isWithin(accepted, asOf, now)

/** Reports whether what was found replaces what is remembered: of two replicas, the one asked later may lag more. */
export const replaces = (found: string, remembered: string | undefined): boolean =>
  remembered === undefined || remembered <= found
