/**
 * Pages of what is listed oldest first. A page begins after a number of entries, all of which are read over, or after the
 * entry that a marker names, which costs the same at any depth.
 */
import { and, eq, sql, type SQL } from 'drizzle-orm'
import { fault } from '../../faults.ts'
import type { containers, orders, secrets } from '../schema/resources.ts'
import { selectValues, type Statement } from './prepared.ts'
import type { Connection } from './session.ts'

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

/** The condition and the number of rows of one page. */
export interface PageOfRows {
  readonly where: SQL | undefined
  readonly limit: number
  readonly offset: number
}

/**
 * Reads a page with its total in one round trip; `rows` is given the condition and the number of rows that it selects.
 * Throws `markerUnknown` when the marker is not in the list's scope.
 */
export async function readPage<Row>(
  db: Connection,
  { table, scope, filter, count }: List,
  { limit, offset, marker }: WantedPage,
  rows: (page: PageOfRows) => Statement<Row[]>,
): Promise<ReadPage<Row>> {
  const isMarker = marker ? and(eq(table.id, marker), scope) : undefined
  const follows = isMarker && sql`${table.seq} > (select ${table.seq} from ${table} where ${isMarker})`
  const exists = isMarker ? sql<number>`exists (select 1 from ${table} where ${isMarker})` : sql<number>`1`
  const counted = sql<number>`(select count(*) from ${table} where ${and(scope, filter)})`
  const total = filter ? counted : (count ?? counted)
  const read = await db.batch({
    rows: rows({ where: and(scope, filter, follows), limit: marker === undefined ? limit : limit + 1, offset }),
    list: selectValues({ total, exists }),
  })
  const [list] = read.list
  if (list?.exists !== 1) throw fault('markerUnknown')
  return { items: read.rows.slice(0, limit), total: list.total, more: read.rows.length > limit }
}
