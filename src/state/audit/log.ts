/** The audit log of a project, as it is read. */
import { and, asc, eq, getTableColumns, gt } from 'drizzle-orm'
import type { ChainedEvent } from '../../crypto/event-chain.ts'
import { build, select } from '../database/prepared.ts'
import { auditEvents } from '../schema/audit.ts'
import type { Scope } from '../scope.ts'
import { cadfEvent } from './cadf.ts'

/** The project's sealed events after the one with this number, in their order, at most `limit`. */
export async function listEvents(
  { db }: Scope,
  projectId: string,
  after: number,
  limit: number,
): Promise<ChainedEvent[]> {
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
