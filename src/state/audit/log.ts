/** The audit log of a project, as it is read. */
import { and, asc, eq, gt } from 'drizzle-orm'
import type { ChainedEvent } from '../../crypto/event-chain.ts'
import type { Backend } from '../backend.ts'
import { auditEvents } from '../schema/audit.ts'
import { cadfEvent } from './cadf.ts'
import type { ChainHead, Incident } from './seal.ts'

/** The project's sealed events after the one with this number, in their order, at most `limit`. */
export async function listEvents(
  { db }: Backend,
  projectId: string,
  after: number,
  limit: number,
): Promise<ChainedEvent[]> {
  const rows = await db
    .select()
    .from(auditEvents)
    .where(and(eq(auditEvents.projectId, projectId), gt(auditEvents.number, after)))
    .orderBy(asc(auditEvents.number))
    .limit(limit)
  return rows.flatMap((row) => {
    const { number, previous, hash } = row
    return number === null || previous === null || hash === null ? [] : [{ ...cadfEvent(row, number), previous, hash }]
  })
}

/** The end of the project's chain as its object knows it, and what the object has found the database to say otherwise. */
export async function integrityOfLog(
  { projects }: Backend,
  projectId: string,
): Promise<{
  readonly head: ChainHead
  readonly incidents: readonly Incident[]
  readonly rows: readonly string[]
}> {
  return projects.getByName(projectId).integrity()
}
