/**
 * The ledger of a project: the MAC that each secret, container and order had after the last sealed event about it. It
 * is in the storage of the project's object, outside the database that holds the rows, so it detects a row that was
 * deleted, restored or replaced by an older version of itself.
 *
 * The ledger is updated when events are sealed and compared with the database every {@link COMPARISON_INTERVAL}. A
 * comparison covers a bounded number of rows and continues where the last one stopped. It skips rows with unsealed
 * events.
 */
import { and, asc, eq, gt, isNull, sql, type SQL } from 'drizzle-orm'
import { logProblem } from '../../log.ts'
import { recordEvent } from '../audit/events.ts'
import { build, select } from '../database/prepared.ts'
import { auditEvents } from '../schema/audit.ts'
import { containers, orders, secrets } from '../schema/resources.ts'
import type { Scope } from '../scope.ts'

/** Milliseconds between two comparisons, including in projects without changes. */
export const COMPARISON_INTERVAL = 3_600_000
/** Rows that one step compares in each direction, and steps of one comparison; the next comparison continues there. */
const ROWS_PER_STEP = 500
const MOST_STEPS = 10

const tables = { secret: secrets, container: containers, order: orders } as const
type Kind = keyof typeof tables
const kinds = Object.keys(tables) as Kind[]

/** What a sealed event says about a row. */
export interface RowChange {
  /** The branch below CADF's `data/security`; `secret/acl` is an event about a secret. */
  readonly target: string
  /** The id of the target. */
  readonly id: string
  readonly action: string
  readonly outcome: string
  readonly mac: string | null
}

/** How a row differs from the ledger: another MAC, missing from the database, or missing from the ledger. */
export type Difference = 'changed' | 'gone' | 'unknown'

export interface DifferingRow {
  readonly kind: Kind
  readonly id: string
  readonly difference: Difference
}

const DEFINITION =
  'create table if not exists row_ledger (kind text, id text, mac text not null, primary key (kind, id)) without rowid'
/** One statement for all rows: a call to the storage costs more than a row. */
const UPSERT = `insert or replace into row_ledger select value ->> 0, value ->> 1, value ->> 2
  from json_each(?) where value ->> 2 is not null`
const REMOVE = `delete from row_ledger where (kind, id) in
  (select value ->> 0, value ->> 1 from json_each(?) where value ->> 2 is null)`
const POSITIONS = 'row ledger positions'
const DIFFERING = 'differing rows'
/** Rows that the object reports; the log has all of them. Each is logged once. */
const MOST_DIFFERING = 1_000

/** Where the next step starts: after this key of the ledger, and after this `seq` of each table. */
interface Positions {
  readonly ledger: readonly [kind: string, id: string]
  readonly tables: Readonly<Record<Kind, number>>
}
const START: Positions = { ledger: ['', ''], tables: { secret: 0, container: 0, order: 0 } }

/** Applies sealed events to the ledger, in their order; of several events about one row the last one counts. */
export function updateLedger({ sql: ledger }: DurableObjectStorage, changes: readonly RowChange[]): void {
  ledger.exec(DEFINITION)
  const macs = new Map<string, readonly [kind: string, id: string, mac: string | null]>()
  for (const { target, id, action, outcome, mac } of changes) {
    const [kind = '', part] = target.split('/')
    if (outcome !== 'success') continue
    const isDeletion = action === 'delete' && !part
    // The destruction of a project's keys is the destruction of all its rows.
    if (isDeletion && target === 'key') {
      ledger.exec('delete from row_ledger')
      macs.clear()
    } else if (Object.hasOwn(tables, kind) && (isDeletion || mac !== null))
      macs.set(`${kind}/${id}`, [kind, id, isDeletion ? null : mac])
  }
  const rows = JSON.stringify([...macs.values()])
  ledger.exec(UPSERT, rows)
  ledger.exec(REMOVE, rows)
}

/** A row of the ledger. */
interface LedgerRow extends Record<string, SqlStorageValue> {
  readonly kind: string
  readonly id: string
  readonly mac: string
}

const comparedColumns = (kind: Kind) => {
  const { seq, id, mac } = tables[kind]
  return { kind: sql<Kind>`${sql.raw(`'${kind}'`)}`, seq, id, mac }
}

/** The rows with these ids and the next rows of each table, read in one batch, so that they are one snapshot. */
async function rowsOf({ db }: Scope, projectId: string, kept: readonly LedgerRow[], positions: Positions) {
  const selectRows = (kind: Kind, condition: SQL, limit: number) =>
    select(comparedColumns(kind), (columns) =>
      build
        .select(columns)
        .from(tables[kind])
        .where(and(eq(tables[kind].projectId, projectId), condition))
        .orderBy(asc(tables[kind].seq))
        .limit(limit),
    )
  const named = kinds.map((kind) => {
    const ids = JSON.stringify(kept.filter((one) => one.kind === kind).map(({ id }) => id))
    return selectRows(kind, sql`${tables[kind].id} in (select value from json_each(${ids}))`, ROWS_PER_STEP)
  })
  const next = kinds.map((kind) => selectRows(kind, gt(tables[kind].seq, positions.tables[kind]), ROWS_PER_STEP))
  const unsealed = and(eq(auditEvents.projectId, projectId), isNull(auditEvents.number))
  const waiting = select({ id: auditEvents.targetId }, (columns) =>
    build.select(columns).from(auditEvents).where(unsealed),
  )
  const read = await db.batch({ waiting, named, next })
  return { changing: new Set(read.waiting.map(({ id }) => id)), named: read.named.flat(), next: read.next }
}

async function compareSome(storage: DurableObjectStorage, scope: Scope, projectId: string) {
  const positions = (await storage.get<Positions>(POSITIONS)) ?? START
  const [kind, id] = positions.ledger
  const kept = storage.sql
    .exec<LedgerRow>(
      'select * from row_ledger where (kind, id) > (?, ?) order by kind, id limit ?',
      kind,
      id,
      ROWS_PER_STEP,
    )
    .toArray()
  const { changing, named, next } = await rowsOf(scope, projectId, kept, positions)
  // An event about the project itself may record its destruction.
  const isChanging = (id: string) => changing.has(id) || changing.has(projectId)
  const stored = new Map(named.map((row) => [`${row.kind}/${row.id}`, row]))
  const mismatched = kept.flatMap(({ kind, id, mac }): DifferingRow[] => {
    const row = stored.get(`${kind}/${id}`)
    if (isChanging(id) || row?.mac === mac) return []
    return [{ kind: kind as Kind, id, difference: row ? 'changed' : 'gone' }]
  })
  const isKept = ({ kind, id }: { kind: string; id: string }) =>
    storage.sql.exec('select 1 from row_ledger where kind = ? and id = ?', kind, id).toArray().length > 0
  const unknown = next
    .flat()
    .filter((row) => !isChanging(row.id) && !isKept(row))
    .map(({ kind, id }): DifferingRow => ({ kind, id, difference: 'unknown' }))
  const last = kept.at(-1)
  const ended = kept.length < ROWS_PER_STEP && next.every(({ length }) => length < ROWS_PER_STEP)
  const after = (kind: Kind, at: number) => next[at]?.at(-1)?.seq ?? positions.tables[kind]
  const positionsAfter: Positions = {
    ledger: last ? [last.kind, last.id] : positions.ledger,
    tables: { secret: after('secret', 0), container: after('container', 1), order: after('order', 2) },
  }
  await storage.put(POSITIONS, ended ? START : positionsAfter)
  return { differing: [...mismatched, ...unknown], ended }
}

/**
 * Compares a bounded number of rows with the ledger. Rows that differ and were not reported before are logged, recorded
 * in the audit log and returned. Call it when the project's events are sealed.
 */
export async function compareRows(
  storage: DurableObjectStorage,
  scope: Scope,
  projectId: string,
): Promise<readonly DifferingRow[]> {
  storage.sql.exec(DEFINITION)
  const found: DifferingRow[] = []
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const { differing, ended } = await compareSome(storage, scope, projectId)
    found.push(...differing)
    if (ended) break
  }
  const reported = (await storage.get<string[]>(DIFFERING)) ?? []
  const nameOf = ({ kind, id, difference }: DifferingRow) => `${kind}/${id} ${difference}`
  const unreported = found.filter((row) => !reported.includes(nameOf(row)))
  for (const row of unreported) {
    logProblem({ event: 'row differs from ledger', project: projectId, ...row })
    await recordEvent(scope, { action: 'monitor', target: row.kind, id: row.id, projectId, failure: '500' })
  }
  if (unreported.length > 0)
    await storage.put(DIFFERING, [...reported, ...unreported.map(nameOf)].slice(-MOST_DIFFERING))
  return unreported
}

/** The rows that were found to differ, as `<kind>/<id> <difference>`, newest last. */
export async function differingRowsIn(storage: DurableObjectStorage): Promise<readonly string[]> {
  return (await storage.get<string[]>(DIFFERING)) ?? []
}
