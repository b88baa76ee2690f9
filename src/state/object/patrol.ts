/**
 * The patrol: compares a project's rows with the ledger of its object, a bounded number at a time. A pass covers all rows,
 * in as many comparisons as it takes; each continues where the last one stopped, and its place is stored before anything
 * is reported. Rows with unsealed events are skipped.
 *
 * What a pass finds is one incident, however many rows differ: one event when the first of them are found, and one with
 * the sum at the end of a pass that found more. Rows that were reported are not reported again while they stay as found.
 */
import { and, asc, eq, gt, isNull, sql, type SQL } from 'drizzle-orm'
import { logProblem } from '../../log.ts'
import { recordEvent, TARGET_BRANCH, type AuditEvent } from '../audit/events.ts'
import { build, select } from '../database/prepared.ts'
import type { RowCounts } from '../project-calls.ts'
import { auditEvents } from '../schema/audit.ts'
import { containers, orders, secrets } from '../schema/resources.ts'
import type { Scope } from '../scope.ts'
import { kinds, RowLedger, type DifferingRow, type Kind, type LedgerRow } from './row-ledger.ts'

/** Milliseconds between two comparisons of a project that changes. */
export const COMPARISON_INTERVAL = 3_600_000
/** Milliseconds between the comparisons of a pass that has found differences, so that the incident is summed up soon. */
export const PURSUIT_INTERVAL = 60_000
/** The longest interval, in milliseconds. Each pass over an unchanged project doubles it up to this. */
export const LONGEST_INTERVAL = 86_400_000
/** Passes over an unchanged project, most of them {@link LONGEST_INTERVAL} apart, after which nothing wakes its object. */
export const PASSES_UNTIL_IDLE = 35
/** Rows that one step compares in each direction, and steps of one comparison; the next comparison continues there. */
export const ROWS_PER_STEP = 1_000
export const STEPS_PER_COMPARISON = 10
/** Unsealed events that a step can take into account; with more, the comparison waits until they are sealed. */
const MOST_WAITING = 1_000
/** Differing rows that an event names. */
const MOST_NAMED = 10

const tables = { secret: secrets, container: containers, order: orders } as const

/** Where the next step starts: after this key of the ledger, and after this `seq` of each table. */
interface Positions {
  readonly ledger: readonly [kind: string, id: string]
  readonly tables: Readonly<Record<Kind, number>>
}
const START: Positions = { ledger: ['', ''], tables: { secret: 0, container: 0, order: 0 } }

/** What the object stores about its comparisons. */
export interface Patrol {
  readonly positions: Positions
  /** When the last comparison began, in milliseconds. */
  readonly last: number
  /** When this pass began, in milliseconds; null between two passes. */
  readonly began: number | null
  /** When the last complete pass had begun, in milliseconds. */
  readonly completed: number
  /** Rows that this pass has met, and those that it has found to differ. */
  readonly met: number
  readonly found: number
  /** Differing rows that no event reports yet, and the names of the first. */
  readonly untold: number
  readonly first: readonly string[]
  /** Whether an event has reported findings of this pass. */
  readonly told: boolean
  /** The number of the last sealed event at the end of the last pass, and the passes since it changed. */
  readonly head: number
  readonly quiet: number
  /** Whether the last complete pass met no row. */
  readonly empty: boolean
}

const PATROL = 'patrol'
const NONE: Patrol = {
  positions: START,
  last: 0,
  began: null,
  completed: 0,
  met: 0,
  found: 0,
  untold: 0,
  first: [],
  told: false,
  head: 0,
  quiet: 0,
  empty: false,
}

export const patrolIn = async (storage: DurableObjectStorage): Promise<Patrol> =>
  (await storage.get<Patrol>(PATROL)) ?? NONE

const comparedColumns = (kind: Kind) => {
  const { seq, id, mac } = tables[kind]
  return { kind: sql<Kind>`${sql.raw(`'${kind}'`)}`, seq, id, mac }
}

/** The rows with these ids and the next rows of each table, read in one batch, so that they are one snapshot. */
async function rowsOf({ db }: Scope, projectId: string, kept: readonly LedgerRow[], positions: Positions) {
  const selectRows = (kind: Kind, condition: SQL) =>
    select(comparedColumns(kind), (columns) =>
      build
        .select(columns)
        .from(tables[kind])
        .where(and(eq(tables[kind].projectId, projectId), condition))
        .orderBy(asc(tables[kind].seq))
        .limit(ROWS_PER_STEP),
    )
  const named = kinds.map((kind) => {
    const ids = JSON.stringify(kept.filter((one) => one.kind === kind).map(({ id }) => id))
    return selectRows(kind, sql`${tables[kind].id} in (select value from json_each(${ids}))`)
  })
  const next = kinds.map((kind) => selectRows(kind, gt(tables[kind].seq, positions.tables[kind])))
  const unsealed = and(eq(auditEvents.projectId, projectId), isNull(auditEvents.number))
  const waiting = select({ id: auditEvents.targetId, target: auditEvents.targetType }, (columns) =>
    build.select(columns).from(auditEvents).where(unsealed).limit(MOST_WAITING),
  )
  const read = await db.batch({ waiting, named, next })
  const isDestroyed = read.waiting.some(({ id, target }) => id === projectId && target === `${TARGET_BRANCH}key`)
  return {
    /** Whether nothing can be said about any row, because of what is not sealed yet. */
    unclear: isDestroyed || read.waiting.length === MOST_WAITING,
    changing: new Set(read.waiting.map(({ id }) => id)),
    named: read.named.flat(),
    next: read.next,
  }
}

type Read = Awaited<ReturnType<typeof rowsOf>>

function differences(ledger: RowLedger, kept: readonly LedgerRow[], { changing, named, next }: Read): DifferingRow[] {
  const stored = new Map(named.map((row) => [`${row.kind}/${row.id}`, row]))
  const mismatched = kept.flatMap(({ kind, id, mac }): DifferingRow[] => {
    const row = stored.get(`${kind}/${id}`)
    if (changing.has(id) || row?.mac === mac) return []
    return [{ kind, id, difference: row ? 'changed' : 'gone', mac: row?.mac ?? null }]
  })
  const unknown = next
    .flat()
    .filter((row) => !changing.has(row.id) && !ledger.has(row))
    .map(({ kind, id, mac }): DifferingRow => ({ kind, id, difference: 'unknown', mac }))
  return [...mismatched, ...unknown]
}

/** One step. Stores its place together with what it found. Returns whether the pass ended, or must wait. */
async function step(storage: DurableObjectStorage, scope: Scope, projectId: string, head: number, now: number) {
  const ledger = new RowLedger(storage)
  const { positions } = await patrolIn(storage)
  const kept = ledger.rowsAfter(positions.ledger, ROWS_PER_STEP)
  const read = await rowsOf(scope, projectId, kept, positions)
  if (read.unclear) return true
  const { next } = read
  const last = kept.at(-1)
  const after = (at: number, kind: Kind) => next[at]?.at(-1)?.seq ?? positions.tables[kind]
  const reached: Positions = {
    ledger: last ? [last.kind, last.id] : positions.ledger,
    tables: { secret: after(0, 'secret'), container: after(1, 'container'), order: after(2, 'order') },
  }
  const ended = kept.length < ROWS_PER_STEP && next.every(({ length }) => length < ROWS_PER_STEP)
  const differing = differences(ledger, kept, read)
  const before = await patrolIn(storage)
  // Without an await between them, the findings and the place are written in one transaction.
  const found = ledger.find(differing)
  const passed = {
    ...before,
    met: before.met + kept.length + next.flat().length,
    found: before.found + found.length,
    untold: before.untold + found.length,
    first: [...before.first, ...found].slice(0, MOST_NAMED),
  }
  await storage.put(PATROL, ended ? endOf(passed, head, now) : { ...passed, positions: reached })
  return ended
}

/** The state after a pass, of which `told` still says whether it has reported findings. */
function endOf(pass: Patrol, head: number, now: number): Patrol {
  const unchanged = pass.head === head && pass.found === 0
  return {
    ...pass,
    positions: START,
    began: null,
    completed: pass.began ?? now,
    empty: pass.met === 0,
    met: 0,
    found: 0,
    head,
    quiet: unchanged ? pass.quiet + 1 : 0,
  }
}

/** Text for people: `3 rows differ: 1 changed, 2 gone, 0 unknown`. */
export const summaryOf = ({ changed, gone, unknown }: RowCounts): string =>
  `${changed + gone + unknown} rows differ: ${changed} changed, ${gone} gone, ${unknown} unknown`

/** The event that reports the findings: about the row if there is one, otherwise about the log of the project. */
function incidentOf(projectId: string, untold: number, first: readonly string[]): AuditEvent {
  const [, kind, id] = /^(\w+)\/(\S+) /.exec(untold === 1 ? (first[0] ?? '') : '') ?? []
  const target = kinds.find((one) => one === kind)
  const about =
    target && id !== undefined ? ({ target, id } as const) : ({ target: 'audit-log', id: projectId } as const)
  return { action: 'monitor', ...about, projectId, failure: '500' }
}

/**
 * Logs and records what the pass has found: the first findings at once, further ones when it has ended. Returns whether
 * there was anything to say.
 */
async function tell(storage: DurableObjectStorage, scope: Scope, projectId: string): Promise<boolean> {
  const patrol = await patrolIn(storage)
  const { untold, first, told } = patrol
  const ended = patrol.began === null
  const telling = untold > 0 && (!told || ended)
  if (telling) {
    const counts = new RowLedger(storage).counts()
    logProblem({
      event: 'rows differ from ledger',
      project: projectId,
      found: untold,
      complete: ended,
      ...counts,
      first,
    })
    const operation = `${scope.source.operation}: ${summaryOf(counts)}; newly found ${untold}, first ${first.join(', ')}`
    await recordEvent({ ...scope, source: { ...scope.source, operation } }, incidentOf(projectId, untold, first))
  }
  const rest = telling ? { untold: 0, first: [] } : {}
  if (telling || (ended && told)) await storage.put(PATROL, { ...patrol, ...rest, told: !ended })
  return telling
}

/** What one comparison did. */
export interface Compared {
  /** Whether the pass has ended. */
  readonly ended: boolean
  /** Whether an event was recorded, which is to be sealed. */
  readonly told: boolean
}

/**
 * Compares a bounded number of rows with the ledger, from the place that was reached, and reports what differs. `head` is
 * the number of the last sealed event, `now` in milliseconds. Call it when the project's events are sealed. With
 * `anew`, the pass begins again.
 */
export async function compareRows(
  storage: DurableObjectStorage,
  scope: Scope,
  projectId: string,
  { head, now, steps = STEPS_PER_COMPARISON, anew = false }: ComparisonOptions,
): Promise<Compared> {
  const before = await patrolIn(storage)
  const begun = before.began === null || anew ? { positions: START, began: now, met: 0, found: 0 } : {}
  // First of all: a comparison that is cut off is not begun again at once.
  await storage.put(PATROL, { ...before, ...begun, last: now })
  for (let taken = 0; taken < steps; taken += 1) {
    if (await step(storage, scope, projectId, head, now)) break
  }
  const told = await tell(storage, scope, projectId)
  return { ended: (await patrolIn(storage)).began === null, told }
}

interface ComparisonOptions {
  readonly head: number
  readonly now: number
  readonly steps?: number
  readonly anew?: boolean
}

/** When the next comparison is due, in milliseconds; null if the project is idle. `head` as for {@link compareRows}. */
export function nextComparison(patrol: Patrol, head: number): number | null {
  const { last, began, found, quiet, empty } = patrol
  if (last === 0) return 0
  if (began !== null) return last + (found > 0 ? PURSUIT_INTERVAL : COMPARISON_INTERVAL)
  if (patrol.head !== head) return last + COMPARISON_INTERVAL
  if (empty || quiet >= PASSES_UNTIL_IDLE) return null
  return last + Math.min(COMPARISON_INTERVAL * 2 ** quiet, LONGEST_INTERVAL)
}
