/**
 * Sealing: the object of a project numbers the project's new events and chains their hashes, in commit order. The head
 * of the chain is in the object's storage, outside the database that it verifies.
 *
 * A number is never assigned twice. A plan of what is to be sealed is written to the object's storage before the
 * database is changed, and is applied again after a crash. If the last event in the database is not the head, the
 * database was changed or an older one was restored. This is recorded in the object and as an event, and the chain
 * continues from the head. So existing events are never lost, and removed ones leave a gap that the verifier detects.
 */
import { and, asc, desc, eq, getTableColumns, isNotNull, isNull, sql } from 'drizzle-orm'
import { chainHash, GENESIS } from '../../crypto/event-chain.ts'
import { logProblem } from '../../log.ts'
import { cadfEvent, type AuditRow } from '../audit/cadf.ts'
import { recordEvent, TARGET_BRANCH } from '../audit/events.ts'
import { keptSince } from '../audit/retention.ts'
import { build, change, idempotent, select } from '../database/prepared.ts'
import type { ChainHead, Incident } from '../project-calls.ts'
import { auditEvents } from '../schema/audit.ts'
import type { Scope } from '../scope.ts'
import { RowLedger, type RowChange } from './row-ledger.ts'

/** Events that one step seals, and steps of one alarm; the next alarm seals the rest. */
const EVENTS_PER_STEP = 200
const MOST_STEPS = 20
/** Incidents that the object stores; the log has all of them. */
const MOST_INCIDENTS = 100

interface StoredHead extends ChainHead {
  readonly time: string
  /** The retention period, in days, when the event was sealed. */
  readonly days: number
}

/** An event with its position in the chain. */
interface SealedEvent extends StoredHead {
  readonly seq: number
  readonly id: string
  readonly previous: string
  readonly change: RowChange
}

const HEAD = 'audit head'
const PLAN = 'audit plan'
const INCIDENTS = 'audit incidents'
const EMPTY: StoredHead = { number: 0, hash: GENESIS, time: '', days: 0 }

const headAt = ({ number, hash, time, days }: StoredHead): StoredHead => ({ number, hash, time, days })
const headIn = async (storage: DurableObjectStorage) => (await storage.get<StoredHead>(HEAD)) ?? EMPTY
const incidentsIn = async (storage: DurableObjectStorage) => (await storage.get<Incident[]>(INCIDENTS)) ?? []

/** The head of the project's chain, and the incidents in which the database did not end with it. */
export async function integrityOf(
  storage: DurableObjectStorage,
): Promise<{ readonly head: ChainHead; readonly incidents: readonly Incident[] }> {
  const { number, hash } = await headIn(storage)
  return { head: { number, hash }, incidents: await incidentsIn(storage) }
}

/** Seals a bounded number of the project's new events. Reports whether some may be left. `days` is AUDIT_DAYS. */
export async function sealEvents(
  storage: DurableObjectStorage,
  scope: Scope,
  projectId: string,
  days: number,
): Promise<boolean> {
  const interrupted = await storage.get<SealedEvent[]>(PLAN)
  if (interrupted?.length) await applyPlan(storage, scope, interrupted)
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const head = await headIn(storage)
    let log = await endOfLog(scope, projectId)
    let after = head
    if (!continues(head, log.last, keptSince(scope.now, Math.min(days, head.days)))) {
      await recordIncident(storage, scope, projectId, { time: scope.now, expected: head, found: log.last })
      after = { ...head, number: Math.max(head.number, log.last?.number ?? 0) }
      log = await endOfLog(scope, projectId)
    }
    if (log.unsealed.length === 0) return false
    const plan = await planFor(log.unsealed, after, days)
    await storage.put(PLAN, plan)
    // The plan must be durable before the database is changed.
    await storage.sync()
    await applyPlan(storage, scope, plan)
    if (log.unsealed.length < EVENTS_PER_STEP) return false
  }
  return true
}

/** The last sealed event, and the first unsealed ones. */
async function endOfLog({ db }: Scope, projectId: string) {
  const ofProject = eq(auditEvents.projectId, projectId)
  const end = { number: sql<number>`${auditEvents.number}`, hash: sql<string>`${auditEvents.hash}` }
  const { last, unsealed } = await db.batch({
    last: select(end, (columns) =>
      build
        .select(columns)
        .from(auditEvents)
        .where(and(ofProject, isNotNull(auditEvents.number)))
        .orderBy(desc(auditEvents.number))
        .limit(1),
    ),
    unsealed: select(getTableColumns(auditEvents), (columns) =>
      build
        .select(columns)
        .from(auditEvents)
        .where(and(ofProject, isNull(auditEvents.number)))
        .orderBy(asc(auditEvents.seq))
        .limit(EVENTS_PER_STEP),
    ),
  })
  return { last: last[0] ?? null, unsealed }
}

/** Whether the log ends with the head, or is empty because the head is older than the retention period. */
function continues(head: StoredHead, last: ChainHead | null, since: string): boolean {
  if (!last) return head.number === 0 || head.time < since
  return last.number === head.number && last.hash === head.hash
}

async function recordIncident(
  storage: DurableObjectStorage,
  scope: Scope,
  projectId: string,
  incident: Incident,
): Promise<void> {
  const incidents = [...(await incidentsIn(storage)), incident]
  await storage.put(INCIDENTS, incidents.slice(-MOST_INCIDENTS))
  logProblem({ event: 'audit log does not end with its head', project: projectId, ...incident })
  const operation = `${scope.source.operation}: ${endsOf(incident)}`
  const event = { action: 'monitor', target: 'audit-log', id: projectId, projectId, failure: '500' } as const
  await recordEvent({ ...scope, source: { ...scope.source, operation } }, event)
}

/** Text for people: `the log ended at event 7, its head was event 12`. */
export const endsOf = ({ expected, found }: Incident): string =>
  `the log ended at event ${found?.number ?? 0}, its head was event ${expected.number}`

/** The incidents of the log that nobody has reconciled yet. */
export const openIncidents = async (storage: DurableObjectStorage): Promise<readonly Incident[]> =>
  (await incidentsIn(storage)).filter(({ reconciled }) => reconciled === undefined)

/** Marks all incidents of the log as reconciled at `now`. */
export async function closeIncidents(storage: DurableObjectStorage, now: string): Promise<void> {
  const closed = (await incidentsIn(storage)).map((incident) => ({ reconciled: now, ...incident }))
  await storage.put(INCIDENTS, closed)
}

async function planFor(unsealed: readonly AuditRow[], after: StoredHead, days: number): Promise<SealedEvent[]> {
  const plan: SealedEvent[] = []
  for (const row of unsealed) {
    const { number: before, hash: previous } = plan.at(-1) ?? after
    const number = before + 1
    const hash = await chainHash(previous, cadfEvent(row, number))
    const { action, outcome, targetId, targetMac: mac, targetType } = row
    const change = { target: targetType.replace(TARGET_BRANCH, ''), id: targetId, action, outcome, mac }
    plan.push({ seq: row.seq, id: row.id, time: row.time, days, number, previous, hash, change })
  }
  return plan
}

/** Numbers and chains the events in the database, except those already numbered, and moves the head. */
async function applyPlan(storage: DurableObjectStorage, { db }: Scope, plan: readonly SealedEvent[]): Promise<void> {
  const positions = JSON.stringify(plan.map(({ seq, id, number, previous, hash }) => [seq, id, number, previous, hash]))
  const update = build
    .update(auditEvents)
    .set({ number: sql`value ->> 2`, previous: sql`value ->> 3`, hash: sql`value ->> 4` })
    .from(sql`json_each(${positions})`)
    .where(and(sql`${auditEvents.seq} = value ->> 0`, sql`${auditEvents.id} = value ->> 1`, isNull(auditEvents.number)))
  await db.run(idempotent(change(update)))
  const last = plan.at(-1)
  if (!last) return
  // Head and plan change in one write: a plan has been applied exactly when the head is its last event.
  new RowLedger(storage).update(plan.map(({ change: one }) => one))
  await storage.put({ [HEAD]: headAt(last), [PLAN]: [] })
}
