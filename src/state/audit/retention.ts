/** How long audit events are kept. */
import { and, asc, inArray, isNotNull, lt } from 'drizzle-orm'
import { DAY, formatTime, millisecondsOf } from '../../times.ts'
import { changes } from '../database/statements.ts'
import type { Store } from '../scope.ts'
import { auditEvents } from '../schema/audit.ts'

/** Days for which events are kept: the values of AUDIT_DAYS. */
export const AUDIT_DAYS = { byDefault: 90, least: 1, most: 36_500 } as const

/** Events that one statement deletes, and statements of one sweep; the next sweep takes the rest. */
const EVENTS_PER_STATEMENT = 500
const MOST_STATEMENTS = 20

/** The time of the oldest event that is kept. */
export const keptSince = (now: string, days: number): string => formatTime(millisecondsOf(now) - days * DAY)

/**
 * Deletes the sealed events that are older than `days`, a bounded number of them. The chain can be checked from the
 * first that is kept: it names the hash of the one before it.
 */
export async function deleteOldEvents({ db, now }: Store, days: number): Promise<void> {
  const since = keptSince(now, days)
  for (let statement = 0; statement < MOST_STATEMENTS; statement += 1) {
    const oldest = db.select().from(auditEvents).orderBy(asc(auditEvents.seq))
    const [first] = await oldest.limit(1)
    if (!first || first.time >= since) return
    const some = db
      .select({ seq: auditEvents.seq })
      .from(auditEvents)
      .orderBy(asc(auditEvents.seq))
      .limit(EVENTS_PER_STATEMENT)
    const isOld = and(lt(auditEvents.time, since), isNotNull(auditEvents.number))
    const deletion = await db.delete(auditEvents).where(and(inArray(auditEvents.seq, some), isOld))
    if (changes(deletion) === 0) return
  }
}
