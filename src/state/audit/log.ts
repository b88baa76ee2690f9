/** Reads the audit log of a project. */
import { and, asc, eq, getTableColumns, gt } from 'drizzle-orm'
import { build, select } from '../database/prepared.ts'
import { auditEvents } from '../schema/audit.ts'
import type { Scope } from '../scope.ts'
import { cadfEvent } from './cadf.ts'

/** A sealed event, with its place in the chain. */
type SealedEvent = ReturnType<typeof cadfEvent> & { readonly previous: string; readonly hash: string }

/** Up to `limit` sealed events of the project that follow the event number `after`, in chain order. */
export async function listEvents(
  { db }: Scope,
  projectId: string,
  after: number,
  limit: number,
): Promise<SealedEvent[]> {
  const rows = await db.run(
    select(getTableColumns(auditEvents), (columns) =>
      build
        .select(columns)
        .from(auditEvents)
        .where(and(eq(auditEvents.projectId, projectId), gt(auditEvents.number, after)))
        .orderBy(asc(auditEvents.number))
        .limit(limit),
    ),
  )
  return rows.flatMap((row) => {
    const { number, previous, hash } = row
    return number === null || previous === null || hash === null ? [] : [{ ...cadfEvent(row, number), previous, hash }]
  })
}
