/**
 * Reconciliation: after the database was restored on purpose, or the objects began anew, an operator has the object of a
 * project take over what is there. The object first compares everything and reports it; only what was reported is
 * adopted.
 */
import { digestOf } from '../../crypto/digest.ts'
import { canonicalJson } from '../../crypto/event-chain.ts'
import { fault } from '../../faults.ts'
import { millisecondsOf } from '../../times.ts'
import { recordEvent } from '../audit/events.ts'
import type { ProjectReport } from '../project-calls.ts'
import type { Scope } from '../scope.ts'
import { compareRows, patrolIn, summaryOf, type Compared } from './patrol.ts'
import { RowLedger } from './row-ledger.ts'
import { closeIncidents, endsOf, openIncidents } from './seal.ts'

/** Steps of the comparison that one call makes; the next call continues. */
export const STEPS_PER_INSPECTION = 25
/** Milliseconds in which a complete comparison is not made again, unless the database was restored meanwhile. */
const INSPECTION_LASTS = 600_000
/** Findings that one call or alarm adopts; the object's alarm adopts the rest. */
export const ADOPTED_AT_ONCE = 20_000
/** Differing rows that a report and an event name. */
const MOST_NAMED = 10

/** Storage keys: when the comparison of the last report began, in milliseconds, and whether an adoption is unfinished. */
const INSPECTION = 'inspection'
const ADOPTING = 'adopting'

async function reportOf(storage: DurableObjectStorage, projectId: string): Promise<ProjectReport> {
  const ledger = new RowLedger(storage)
  const [rows, first, incidents] = [ledger.counts(), ledger.findings(MOST_NAMED), await openIncidents(storage)]
  const { completed } = await patrolIn(storage)
  const inspected = await storage.get<number>(INSPECTION)
  const differs = incidents.length > 0 || first.length > 0
  const digest = differs ? await digestOf(canonicalJson([projectId, completed, incidents, rows, first])) : null
  return {
    complete: inspected !== undefined && completed >= inspected,
    incidents,
    rows,
    first,
    confirm: digest && digest.toHex(),
  }
}

/**
 * Compares all rows of the project with the ledger, a bounded number with each call, and returns what differs. Call it
 * when the project's events are sealed; `head` is the number of the last one, `now` in milliseconds.
 */
export async function inspectProject(
  storage: DurableObjectStorage,
  scope: Scope,
  projectId: string,
  { head, now }: { readonly head: number; readonly now: number },
): Promise<ProjectReport & Pick<Compared, 'told'>> {
  const { completed, last } = await patrolIn(storage)
  const begun = await storage.get<number>(INSPECTION)
  const isUnfinished = begun !== undefined && completed < begun
  // A log that ended elsewhere means that the database was restored, and that its rows are others.
  const isOvertaken = (await openIncidents(storage)).some(({ time }) => millisecondsOf(time) > (begun ?? 0))
  const isRecent = begun !== undefined && !isUnfinished && now < last + INSPECTION_LASTS
  if (isRecent && !isOvertaken) return { ...(await reportOf(storage, projectId)), told: false }
  const anew = !isUnfinished || isOvertaken
  if (anew) await storage.put(INSPECTION, now)
  const options = { head, now, steps: STEPS_PER_INSPECTION, anew }
  const { told } = await compareRows(storage, scope, projectId, options)
  return { ...(await reportOf(storage, projectId)), told }
}

/**
 * Adopts what the report with this `confirm` says: records who did it and what was lost, closes the incidents, and has the
 * ledger take over the rows as they were found. Returns whether that is complete; {@link continueAdoption} does the
 * rest. Throws `reconciliationChanged` if the report is not the present one, or not complete.
 */
export async function adoptReport(
  storage: DurableObjectStorage,
  scope: Scope,
  projectId: string,
  confirm: string,
): Promise<boolean> {
  const { complete, incidents, rows, first, ...report } = await reportOf(storage, projectId)
  if (!complete || report.confirm !== confirm) throw fault('reconciliationChanged')
  const names = first.length > 0 ? `, first ${first.join(', ')}` : ''
  const operation = [
    scope.source.operation,
    `: ${summaryOf(rows)}${names}`,
    ...incidents.map((one) => `; ${endsOf(one)}`),
  ]
  const source = { ...scope.source, operation: operation.join('') }
  await recordEvent({ ...scope, source }, { action: 'update', target: 'audit-log', id: projectId, projectId })
  await closeIncidents(storage, scope.now)
  await storage.put(ADOPTING, true)
  return continueAdoption(storage)
}

/** Continues an adoption, a bounded number of rows at a time. Returns whether none is left. */
export async function continueAdoption(storage: DurableObjectStorage): Promise<boolean> {
  if (!(await storage.get<boolean>(ADOPTING))) return true
  if (!new RowLedger(storage).adopt(ADOPTED_AT_ONCE)) return false
  await storage.delete(ADOPTING)
  return true
}
