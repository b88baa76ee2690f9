/**
 * Pages of what is listed oldest first. A page begins after a number of entries, all of which are read over, or after the
 * entry that a marker names, which costs the same at any depth.
 */
import { and, eq, sql, type SQL } from 'drizzle-orm'
import type { RunnableQuery } from 'drizzle-orm/runnable-query'
import { fault } from '../../faults.ts'
import type { Store } from '../scope.ts'
import type { containers, orders, secrets } from '../schema/resources.ts'

export interface WantedPage {
  readonly limit: number
  /** Entries to leave out, from the beginning of the list or from the marker. */
  readonly offset: number
  /** The id of the entry that the page follows; empty or undefined: none. */
  readonly marker?: string | undefined
}

export interface ReadPage<Row> {
  readonly items: readonly Row[]
  /** How many match in all, on whichever page. */
  readonly total: number
  /** Of a page that a marker asked for: whether something follows it. */
  readonly more: boolean
}

export interface List {
  readonly table: typeof secrets | typeof containers | typeof orders
  /** What may be seen at all: a marker is one of these. */
  readonly scope: SQL | undefined
  /** What is wanted of it; undefined: everything. */
  readonly filter: SQL | undefined
  /** How many are in the scope, where that is known without counting them. */
  readonly count: SQL<number> | undefined
}

/**
 * Reads a page with its total in one round trip; `select` is given the condition and the number of rows that it needs.
 * Throws `markerUnknown` when the marker is not in the list's scope.
 */
export async function readPage<Row>(
  { db }: Store,
  { table, scope, filter, count }: List,
  { limit, offset, marker }: WantedPage,
  select: (
    where: SQL | undefined,
    rows: { readonly limit: number; readonly offset: number },
  ) => RunnableQuery<Row[], 'sqlite'>,
): Promise<ReadPage<Row>> {
  const isMarker = marker ? and(eq(table.id, marker), scope) : undefined
  const follows = isMarker && sql`${table.seq} > (select ${table.seq} from ${table} where ${isMarker})`
  const known = isMarker ? sql<number>`exists (select 1 from ${table} where ${isMarker})` : sql<number>`1`
  const counted = sql<number>`(select count(*) from ${table} where ${and(scope, filter)})`
  const total = filter ? counted : (count ?? counted)
  const [rows, [all]] = await db.batch([
    select(and(scope, filter, follows), { limit: marker === undefined ? limit : limit + 1, offset }),
    db.select({ total: total.as('total'), known: known.as('known') }).from(sql`(select 1)`),
  ])
  if (all?.known !== 1) throw fault('markerUnknown')
  return { items: rows.slice(0, limit), total: all.total, more: rows.length > limit }
}
