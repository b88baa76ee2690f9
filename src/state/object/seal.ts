/**
 * Sealing: the object of a project numbers the project's new events and chains them, in the order in which they were
 * committed. Its own storage keeps the head of the chain, outside of the database that it checks.
 *
 * A number is never given twice. What is about to be sealed is written to the object's storage before the database is
 * changed, and is done again after a crash. Where the database does not end with the head, it was changed or an older one
 * was restored: that is recorded in the object and as an event of its own, and the chain continues from the head. So
 * nothing that exists is lost, and what no longer exists is a gap that the verifier finds.
 */
import { and, asc, desc, eq, getTableColumns, isNotNull, isNull, sql } from 'drizzle-orm'
import { chainHash, GENESIS } from '../../crypto/event-chain.ts'
import { logProblem } from '../../log.ts'
import { build, change, select } from '../database/prepared.ts'
import { auditEvents } from '../schema/audit.ts'
import type { Scope } from '../scope.ts'
import { cadfEvent, type AuditRow } from '../audit/cadf.ts'
import { recordEvent, TARGET_BRANCH } from '../audit/events.ts'
import { keptSince } from '../audit/retention.ts'
import type { ChainHead, Incident } from '../project-calls.ts'
import { updateLedger, type RowChange } from './row-ledger.ts'

/** Events that one step seals, and steps of one alarm; the next alarm takes the rest. */
const EVENTS_PER_STEP = 200
const MOST_STEPS = 20
/** Incidents that the object remembers; the log has them all. */
const MOST_INCIDENTS = 100

interface KeptHead extends ChainHead {
  readonly time: string
  /** For how many days events were kept when it was sealed. */
  readonly days: number
}

/** An event in the place that it gets. */
interface SealedEvent extends KeptHead {
  readonly seq: number
  readonly id: string
  readonly previous: string
  readonly change: RowChange
}

const HEAD = 'audit head'
const PLAN = 'audit plan'
const INCIDENTS = 'audit incidents'
const beginning: KeptHead = { number: 0, hash: GENESIS, time: '', days: 0 }

const headAt = ({ number, hash, time, days }: KeptHead): KeptHead => ({ number, hash, time, days })
const headIn = async (storage: DurableObjectStorage) => (await storage.get<KeptHead>(HEAD)) ?? beginning
const incidentsIn = async (storage: DurableObjectStorage) => (await storage.get<Incident[]>(INCIDENTS)) ?? []

/** Where the project's chain ends, as its object knows, and when the database was found to say otherwise. */
export async function integrityOf(
  storage: DurableObjectStorage,
): Promise<{ readonly head: ChainHead; readonly incidents: readonly Incident[] }> {
  const { number, hash } = await headIn(storage)
  return { head: { number, hash }, incidents: await incidentsIn(storage) }
}

/** Seals the project's new events, a bounded number of them. Gives whether some may be left. `days`: AUDIT_DAYS. */
export async function sealEvents(
  storage: DurableObjectStorage,
  scope: Scope,
  projectId: string,
  days: number,
): Promise<boolean> {
  const interrupted = await storage.get<SealedEvent[]>(PLAN)
  if (interrupted?.length) await carryOut(storage, scope, interrupted)
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
    // On the disk before the database hears of it.
    await storage.sync()
    await carryOut(storage, scope, plan)
    if (log.unsealed.length < EVENTS_PER_STEP) return false
  }
  return true
}

/** The last event that is sealed, and the first that are not. */
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

/** The database ends with the head, or with nothing because the head is older than what is kept. */
function continues(head: KeptHead, last: ChainHead | null, since: string): boolean {
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
  logProblem({ event: 'the audit log does not end where it was sealed', project: projectId, ...incident })
  await recordEvent(scope, { action: 'monitor', target: 'audit-log', id: projectId, projectId, failure: '500' })
}

async function planFor(unsealed: readonly AuditRow[], after: KeptHead, days: number): Promise<SealedEvent[]> {
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

/** Gives the events their places, those that have them already excepted, and moves the head. */
async function carryOut(storage: DurableObjectStorage, { db }: Scope, plan: readonly SealedEvent[]): Promise<void> {
  const places = JSON.stringify(plan.map(({ seq, id, number, previous, hash }) => [seq, id, number, previous, hash]))
  const update = build
    .update(auditEvents)
    .set({ number: sql`value ->> 2`, previous: sql`value ->> 3`, hash: sql`value ->> 4` })
    .from(sql`json_each(${places})`)
    .where(and(sql`${auditEvents.seq} = value ->> 0`, sql`${auditEvents.id} = value ->> 1`, isNull(auditEvents.number)))
  await db.run(change(update))
  const last = plan.at(-1)
  if (!last) return
  // In one write: a plan has been carried out when the head is its end.
  updateLedger(
    storage,
    plan.map(({ change: one }) => one),
  )
  await storage.put({ [HEAD]: headAt(last), [PLAN]: [] })
}
