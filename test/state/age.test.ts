/**
 * The bound for the age of answers holds, whatever changes, replicas, clocks and isolates do: 20,000 random histories of a
 * model that decides by the rules of `state/age.ts`. Each of five faults in those rules breaks it.
 */
import {
  array,
  check,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  record,
  tuple,
  type Arbitrary,
} from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as rules from '../../src/state/age.ts'
import { formatTime, isWithin, later } from '../../src/times.ts'

const RUNS = 20_000
const BOUND = 10
const START = Date.parse('2026-11-30T00:00:00Z')

/** What the model decides by. */
interface Rules {
  readonly asOfHeartbeat: (at: string, now: string) => string | null
  readonly isRecent: (accepted: number, asOf: string, now: string) => boolean
  readonly replaces: (found: string, remembered: string | undefined) => boolean
  /** The time as of which a replica's answer is. */
  readonly asOfReplica: (asOf: string, now: string) => string
  /** The time as of which an answer is remembered. */
  readonly asOfRemembered: (asOf: string, now: string) => string
  /** Whether a heartbeat is dated before it is written. */
  readonly isDatedFirst: boolean
}

const asBuilt: Rules = {
  asOfHeartbeat: rules.asOfHeartbeat,
  isRecent: rules.isRecent,
  replaces: rules.replaces,
  asOfReplica: (asOf) => asOf,
  asOfRemembered: (asOf) => asOf,
  isDatedFirst: true,
}

/** Seconds that two clocks may be apart: each is off by half of it. */
const OFF = rules.CLOCK_MARGIN_SECONDS / 2

const replica = nat({ max: 1 })
const isolate = nat({ max: 1 })
const step = oneof(
  record({ kind: constant('change' as const) }),
  record({ kind: constant('begin' as const), isolate }),
  record({ kind: constant('end' as const), isolate }),
  record({ kind: constant('replicate' as const), replica, entries: integer({ min: 1, max: 4 }) }),
  record({ kind: constant('pass' as const), seconds: constantFrom(1, 1, 2, 5, BOUND) }),
  record({ kind: constant('look' as const), isolate, replica, accepts: constantFrom(BOUND, BOUND, 5) }),
)
const history = record({
  clocks: tuple(constantFrom(-OFF, 0, OFF), constantFrom(-OFF, 0, OFF)),
  steps: array(step, { minLength: 4, maxLength: 24 }),
})
type History = typeof history extends Arbitrary<infer Value> ? Value : never

/** An entry of the database's log: a change and when it was acknowledged, or a heartbeat. */
type Entry = { readonly acknowledged: number } | Heartbeat

interface Heartbeat {
  /** Null: it was not dated yet. */
  at: string | null
}

/** Plays a history; returns whether each answer contained what it had to. */
function holds({ clocks, steps }: History, by: Rules): boolean {
  let second = 0
  const log: Entry[] = []
  const replicas = [0, 0]
  /** The heartbeats that isolates are about to write. */
  const begun: (Heartbeat | null)[] = [null, null]
  const memories: ({ readonly asOf: string; readonly length: number } | null)[] = [null, null]
  const clockOf = (which: number) => formatTime(START + (second + (clocks[which] ?? 0)) * 1000)

  /** How much of the log an answer contains. */
  function look(which: number, replicated: number, accepts: number): number {
    const now = clockOf(which)
    const remembered = memories[which]
    if (remembered && by.isRecent(accepts, remembered.asOf, now)) return remembered.length
    const shown = log.slice(0, replicated).flatMap((entry) => ('at' in entry ? (entry.at ?? []) : []))
    const newest = shown.at(-1)
    const asOf = newest === undefined ? null : by.asOfHeartbeat(newest, now)
    const read = asOf === null ? null : by.asOfReplica(asOf, now)
    const found =
      read !== null && by.isRecent(accepts, read, now)
        ? { asOf: read, length: replicated }
        : { asOf: now, length: log.length }
    const kept = by.asOfRemembered(found.asOf, now)
    if (by.replaces(kept, remembered?.asOf)) memories[which] = { asOf: kept, length: found.length }
    return found.length
  }

  for (const one of steps) {
    switch (one.kind) {
      case 'change':
        log.push({ acknowledged: second })
        break
      case 'begin': {
        const heartbeat = { at: by.isDatedFirst ? clockOf(one.isolate) : null }
        begun[one.isolate] = heartbeat
        if (!by.isDatedFirst) log.push(heartbeat)
        break
      }
      case 'end': {
        const heartbeat = begun[one.isolate]
        if (heartbeat && by.isDatedFirst) log.push(heartbeat)
        if (heartbeat && !by.isDatedFirst) heartbeat.at = clockOf(one.isolate)
        begun[one.isolate] = null
        break
      }
      case 'replicate':
        replicas[one.replica] = Math.min(log.length, (replicas[one.replica] ?? 0) + one.entries)
        break
      case 'pass':
        second += one.seconds
        break
      case 'look': {
        const length = look(one.isolate, replicas[one.replica] ?? 0, one.accepts)
        const missing = log.slice(length)
        if (missing.some((entry) => 'acknowledged' in entry && entry.acknowledged <= second - one.accepts)) return false
      }
    }
  }
  return true
}

const failureOf = (by: Rules, numRuns: number) =>
  check(
    property(history, (one) => holds(one, by)),
    { numRuns, seed: 20_261_130 },
  )

describe('the age of answers', () => {
  it(`in ${RUNS} histories every answer contains every change that was acknowledged before the age it accepts`, () => {
    expect(failureOf(asBuilt, RUNS)).toMatchObject({ failed: false, numRuns: RUNS })
  }, 120_000)

  it.each<[string, Partial<Rules>]>([
    [
      'an age that is just as great as accepted is accepted',
      { isRecent: (accepted, asOf, now) => isWithin(accepted + 0.001, asOf, now) },
    ],
    ['no margin is taken off for two clocks', { asOfHeartbeat: (at, now) => (at <= later(now, BOUND) ? at : null) }],
    ['what a replica answers counts as of now', { asOfReplica: (_, now) => now }],
    ['what is remembered is as old as its reading', { asOfRemembered: (_, now) => now }],
    ['a heartbeat is dated after it was written', { isDatedFirst: false }],
  ])('the histories notice that %s', (_, fault) => {
    expect(failureOf({ ...asBuilt, ...fault }, RUNS).failed).toBe(true)
  })
})
