/**
 * The ledger of a project's object: outside of the database that holds the rows, it keeps the MAC that each secret,
 * container and order had after the last sealed event about it. So a row that was deleted, restored or replaced by an
 * older state of itself is found.
 *
 * The ledger grows with what is sealed, by a row of the object's storage for each event, and is compared with the
 * database every {@link PATROL}: a bounded number of rows each time, taken in turns. A row about which an event waits to be
 * sealed is left for the next time.
 */
import { and, asc, eq, gt, isNull, sql, type SQL } from 'drizzle-orm'
import { logProblem } from '../../log.ts'
import { auditEvents } from '../schema/audit.ts'
import { containers, orders, secrets } from '../schema/resources.ts'
import type { Scope } from '../scope.ts'
import { build, select } from '../database/prepared.ts'
import { recordEvent } from '../audit/events.ts'

/** Milliseconds between two comparisons, also of a project in which nothing happens. */
export const PATROL = 3_600_000
/** Rows that one step compares in each direction, and steps of one comparison; the next one goes on from there. */
const ROWS_PER_STEP = 500
const MOST_STEPS = 10

const tables = { secret: secrets, container: containers, order: orders } as const
type Kind = keyof typeof tables
const kinds = Object.keys(tables) as Kind[]

/** What a sealed event says of a row. */
export interface RowChange {
  /** The branch of CADF's `data/security` and the id of the target: `secret/acl` tells of a secret. */
  readonly target: string
  readonly id: string
  readonly action: string
  readonly outcome: string
  readonly mac: string | null
}

/** How a row differs from what the ledger has of it. */
export type Difference = 'changed' | 'gone' | 'unknown'

export interface StrangeRow {
  readonly kind: Kind
  readonly id: string
  readonly difference: Difference
}

const DEFINITION =
  'create table if not exists row_ledger (kind text, id text, mac text not null, primary key (kind, id)) without rowid'
/** One statement for all: each call on the storage costs more than a row. */
const KEEP = `insert or replace into row_ledger select value ->> 0, value ->> 1, value ->> 2
  from json_each(?) where value ->> 2 is not null`
const REMOVE = `delete from row_ledger where (kind, id) in
  (select value ->> 0, value ->> 1 from json_each(?) where value ->> 2 is null)`
const PLACES = 'row ledger places'
const STRANGE = 'strange rows'
/** Rows that the object reports; the log has them all. Each is reported once. */
const MOST_STRANGE = 1_000

/** Where the comparison goes on: after this id of the ledger, and after this `seq` of each table. */
interface Places {
  readonly ledger: readonly [kind: string, id: string]
  readonly tables: Readonly<Record<Kind, number>>
}
const beginning: Places = { ledger: ['', ''], tables: { secret: 0, container: 0, order: 0 } }

/** Takes over what sealed events say about rows, in their order; of several about one row the last counts. */
export function updateLedger({ sql: ledger }: DurableObjectStorage, changes: readonly RowChange[]): void {
  ledger.exec(DEFINITION)
  const macs = new Map<string, readonly [kind: string, id: string, mac: string | null]>()
  for (const { target, id, action, outcome, mac } of changes) {
    const [kind = '', part] = target.split('/')
    if (outcome !== 'success') continue
    const isEnd = action === 'delete' && !part
    // The end of a project's keys is that of all that it has.
    if (isEnd && target === 'key') {
      ledger.exec('delete from row_ledger')
      macs.clear()
    } else if (Object.hasOwn(tables, kind) && (isEnd || mac !== null))
      macs.set(`${kind}/${id}`, [kind, id, isEnd ? null : mac])
  }
  const rows = JSON.stringify([...macs.values()])
  ledger.exec(KEEP, rows)
  ledger.exec(REMOVE, rows)
}

/** What the ledger keeps of a row. */
interface LedgerRow extends Record<string, SqlStorageValue> {
  readonly kind: string
  readonly id: string
  readonly mac: string
}

const comparedColumns = (kind: Kind) => {
  const { seq, id, mac } = tables[kind]
  return { kind: sql<Kind>`${sql.raw(`'${kind}'`)}`, seq, id, mac }
}

/** The rows with these ids, and the next ones of each table, in one round trip: a batch, so they are of one moment. */
async function rowsOf({ db }: Scope, projectId: string, kept: readonly LedgerRow[], places: Places) {
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
  const next = kinds.map((kind) => selectRows(kind, gt(tables[kind].seq, places.tables[kind]), ROWS_PER_STEP))
  const unsealed = and(eq(auditEvents.projectId, projectId), isNull(auditEvents.number))
  const waiting = select({ id: auditEvents.targetId }, (columns) =>
    build.select(columns).from(auditEvents).where(unsealed),
  )
  const read = await db.batch({ waiting, named, next })
  return { moving: new Set(read.waiting.map(({ id }) => id)), named: read.named.flat(), next: read.next }
}

async function compareSome(storage: DurableObjectStorage, scope: Scope, projectId: string) {
  const places = (await storage.get<Places>(PLACES)) ?? beginning
  const [kind, id] = places.ledger
  const kept = storage.sql
    .exec<LedgerRow>(
      'select * from row_ledger where (kind, id) > (?, ?) order by kind, id limit ?',
      kind,
      id,
      ROWS_PER_STEP,
    )
    .toArray()
  const { moving, named, next } = await rowsOf(scope, projectId, kept, places)
  // An event about the project itself may be that of its end.
  const isMoving = (id: string) => moving.has(id) || moving.has(projectId)
  const there = new Map(named.map((row) => [`${row.kind}/${row.id}`, row]))
  const differing = kept.flatMap(({ kind, id, mac }): StrangeRow[] => {
    const row = there.get(`${kind}/${id}`)
    if (isMoving(id) || row?.mac === mac) return []
    return [{ kind: kind as Kind, id, difference: row ? 'changed' : 'gone' }]
  })
  const isKept = ({ kind, id }: { kind: string; id: string }) =>
    storage.sql.exec('select 1 from row_ledger where kind = ? and id = ?', kind, id).toArray().length > 0
  const unknown = next
    .flat()
    .filter((row) => !isMoving(row.id) && !isKept(row))
    .map(({ kind, id }): StrangeRow => ({ kind, id, difference: 'unknown' }))
  const last = kept.at(-1)
  const ended = kept.length < ROWS_PER_STEP && next.every(({ length }) => length < ROWS_PER_STEP)
  const after = (kind: Kind, at: number) => next[at]?.at(-1)?.seq ?? places.tables[kind]
  const onwards: Places = {
    ledger: last ? [last.kind, last.id] : places.ledger,
    tables: { secret: after('secret', 0), container: after('container', 1), order: after('order', 2) },
  }
  await storage.put(PLACES, ended ? beginning : onwards)
  return { strange: [...differing, ...unknown], ended }
}

/**
 * Compares a bounded number of rows with the ledger and reports those that differ: in the log, in the audit log, and to
 * the caller. To be called when the project's events are sealed.
 */
export async function compareRows(
  storage: DurableObjectStorage,
  scope: Scope,
  projectId: string,
): Promise<readonly StrangeRow[]> {
  storage.sql.exec(DEFINITION)
  const found: StrangeRow[] = []
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const { strange, ended } = await compareSome(storage, scope, projectId)
    found.push(...strange)
    if (ended) break
  }
  const known = (await storage.get<string[]>(STRANGE)) ?? []
  const nameOf = ({ kind, id, difference }: StrangeRow) => `${kind}/${id} ${difference}`
  const news = found.filter((row) => !known.includes(nameOf(row)))
  for (const row of news) {
    logProblem({ event: 'a row is not what was sealed', project: projectId, ...row })
    await recordEvent(scope, { action: 'monitor', target: row.kind, id: row.id, projectId, failure: '500' })
  }
  if (news.length > 0) await storage.put(STRANGE, [...known, ...news.map(nameOf)].slice(-MOST_STRANGE))
  return news
}

/** The rows that were found to differ, as `<kind>/<id> <difference>`; the newest last. */
export async function strangeRowsIn(storage: DurableObjectStorage): Promise<readonly string[]> {
  return (await storage.get<string[]>(STRANGE)) ?? []
}
