/**
 * The repetition of batches after an error of the database that passes. The request may have been lost, so that nothing
 * was stored, or only the answer.
 *
 * Reads and idempotent changes are simply repeated. Any other change is in one batch with its audit event, which has an
 * id of its own: if the event is stored, so is the change. Before a repetition the event is therefore looked for, and if
 * it is found, the batch has succeeded: its reads are made again, and its changes count as one row each. If it is not
 * found, the batch was not stored or had changed nothing, and is sent again. This holds for every kind of change. A
 * creation has its id beside, so SQLite refuses a second one; an update that compares the row's MAC finds no row the
 * second time, and its event tells that it was the first. A change without an event is not repeated: the caller gets
 * `unavailable`, and can repeat the request.
 */
import { sql } from 'drizzle-orm'
import { MOST_TRIES, repeated } from '../../repetition.ts'
import { fault } from '../../faults.ts'
import { auditEvents } from '../schema/audit.ts'
import { build, preparedSelect, type Statement } from './prepared.ts'
import { isRefused, mayBeStored, passingOf, unavailability } from './refusals.ts'

/** The statements of one batch that a caller wants to be stored. Several that are sent together are one transaction. */
export type Unit = readonly Statement<unknown>[]

/**
 * Whether a change is sent for the `first` time, `again`, because the answer was lost, or not at all: `settle` only finds
 * out whether it took effect.
 */
export type Sending = 'first' | 'again' | 'settle'

/**
 * Further tries after {@link MOST_TRIES} in which nothing is sent but the question whether the change took effect. A
 * client that is told to try again although it did creates it twice.
 */
const MOST_SETTLING_TRIES = 4
/** Tries of a change: after {@link MOST_TRIES} it is only settled. */
export const MOST_TRIES_OF_CHANGES = MOST_TRIES + MOST_SETTLING_TRIES

/** Events at the end of the log, of all projects, among which one of the last {@link MOST_TRIES} tries is looked for. */
const RECENT_EVENTS = 10_000

/** Which of these ids are ids of recent events. The table has no index on ids: this is read only after a failure. */
const storedEvents = preparedSelect({ id: auditEvents.id }, (columns) =>
  build.select(columns).from(auditEvents).where(sql`
    ${auditEvents.seq} > (select max(seq) from ${auditEvents}) - ${sql.raw(String(RECENT_EVENTS))}
    and ${auditEvents.id} in (select value from json_each(${sql.placeholder('ids')}))`),
)

const eventsOf = (unit: Unit): readonly string[] => unit.flatMap(({ events = [] }) => events)
const isRepeatable = (unit: Unit): boolean => eventsOf(unit).length > 0 || unit.every(({ kind }) => kind !== 'write')

/** The result of a change of so many rows. What else D1 says of a change is not used. */
const resultOf = (changes: number): D1Result => ({
  success: true,
  results: Array.from({ length: changes }, () => ({})),
  meta: { changes, changed_db: changes > 0, duration: 0, last_row_id: 0, rows_read: 0, rows_written: 0, size_after: 0 },
})

/** The result of a change that is known to have been stored. */
const storedChange = resultOf(1)
/** The result of a change that is known to have changed nothing. */
const noChange = resultOf(0)

/** Sends statements once, in one round trip. */
type Send = (statements: readonly Statement<unknown>[]) => Promise<readonly D1Result[]>

/** The results of the units if they were stored, in the order of their statements; otherwise null. */
async function storedResults(units: readonly Unit[], send: Send): Promise<readonly D1Result[] | null> {
  const ids = units.flatMap(eventsOf)
  if (ids.length === 0) return null
  const reads = units.flat().filter(({ kind }) => kind === 'read')
  const proof = storedEvents({ ids: JSON.stringify(ids) })
  const [found, ...results] = await send([proof, ...reads])
  const stored = new Set(found ? proof.read(found).map(({ id }) => id) : [])
  if (stored.size === 0) return null
  return units.flatMap((unit) => {
    const changed = eventsOf(unit).some((id) => stored.has(id)) ? storedChange : noChange
    return unit.map(({ kind }) => (kind === 'read' ? (results.shift() ?? noChange) : changed))
  })
}

/** Sends the units again, unless they were stored meanwhile. A call that was believed lost may be stored in between. */
async function sentAgain(units: readonly Unit[], send: Send): Promise<readonly D1Result[]> {
  try {
    return await send(units.flat())
  } catch (error) {
    const stored = isRefused(error) ? await storedResults(units, send) : null
    if (stored) return stored
    throw error
  }
}

/**
 * Repeats a change that may have been stored although it failed with `failed`. Once an error says not to repeat it, or
 * after {@link MOST_TRIES}, it is only settled. Throws the last error.
 */
export function changedAgain<Value>(
  failed: unknown,
  attempt: (sending: Sending) => PromiseLike<Value>,
  settlesOnly = false,
): Promise<Value> {
  let settles = settlesOnly || passingOf(failed) !== 'repeat'
  const next = async (number: number): Promise<Value> => {
    try {
      return await attempt(settles || number > MOST_TRIES ? 'settle' : 'again')
    } catch (error) {
      settles ||= passingOf(error) !== 'repeat'
      throw error
    }
  }
  return repeated(failed, (error) => passingOf(error) !== null, next, MOST_TRIES_OF_CHANGES)
}

/**
 * Returns the results of units that were sent in one batch, which failed with `failed`. Throws the fault `unavailable` or
 * `overloaded` if the error passes and the repetitions fail too, and otherwise the error.
 */
export async function resend(
  failed: unknown,
  units: readonly Unit[],
  send: Send,
  sending: Sending = 'first',
): Promise<readonly D1Result[]> {
  const isUncertain = sending === 'first' ? mayBeStored(failed) : passingOf(failed) !== null
  if (!isUncertain || !units.every(isRepeatable)) throw unavailability(failed)
  try {
    if (units.some((unit) => eventsOf(unit).length > 0)) {
      const attempt = (next: Sending) => settled(units, send, next, failed)
      return await changedAgain(failed, attempt, sending === 'settle')
    }
    return await repeated(
      failed,
      (error) => passingOf(error) === 'repeat',
      () => send(units.flat()),
    )
  } catch (error) {
    throw unavailability(error)
  }
}

/**
 * Returns the results of units that may have been stored before. If they were not, they are sent, or if they are only to
 * `settle`, the fault `unavailable` is thrown.
 */
export async function settled(
  units: readonly Unit[],
  send: Send,
  sending: Sending,
  failed?: unknown,
): Promise<readonly D1Result[]> {
  const stored = await storedResults(units, send)
  if (stored) return stored
  if (sending !== 'settle') return sentAgain(units, send)
  throw failed === undefined ? fault('unavailable', 'a call of an object was lost') : unavailability(failed)
}
