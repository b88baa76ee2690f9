/** The retention of audit events. */
import { and, asc, inArray, isNotNull, lt } from 'drizzle-orm'
import { DAY, formatTime, millisecondsOf } from '../../times.ts'
import { build, change, idempotent, select } from '../database/prepared.ts'
import { auditEvents } from '../schema/audit.ts'
import type { Scope } from '../scope.ts'

/** The default and the bounds of AUDIT_DAYS, the retention period in days. */
export const AUDIT_DAYS = { byDefault: 90, least: 1, most: 36_500 } as const

/** Events that one statement deletes, and statements of one sweep; the next sweep deletes the rest. */
const EVENTS_PER_STATEMENT = 500
const MOST_STATEMENTS = 20

/** The start of the retention period: older events are deleted. */
export const keptSince = (now: string, days: number): string => formatTime(millisecondsOf(now) - days * DAY)

/**
 * Deletes a bounded number of the sealed events that are older than `days`. The rest of the chain can still be
 * verified, because its first event contains the hash of the event before it.
 */
export async function deleteOldEvents({ db, now }: Scope, days: number): Promise<void> {
  const since = keptSince(now, days)
  const { seq, time, number } = auditEvents
  const oldest = select({ time }, (columns) => build.select(columns).from(auditEvents).orderBy(asc(seq)).limit(1))
  const some = build.select({ seq }).from(auditEvents).orderBy(asc(seq)).limit(EVENTS_PER_STATEMENT)
  const isOld = and(inArray(seq, some), lt(time, since), isNotNull(number))
  const deletion = idempotent(change(build.delete(auditEvents).where(isOld)))
  for (let statement = 0; statement < MOST_STATEMENTS; statement += 1) {
    const [first] = await db.run(oldest)
    if (!first || first.time >= since || (await db.run(deletion)) === 0) return
  }
}
