/**
 * Pages of lists. A page starts after a number of entries, which the database reads and skips, or after the entry that
 * a marker names, which costs the same at any depth.
 */
import { and, eq, sql, type SQL } from 'drizzle-orm'
import { fault } from '../../faults.ts'
import type { containers, orders, secrets } from '../schema/resources.ts'
import { selectValues, type Statement } from './prepared.ts'
import type { Connection } from './session.ts'

export interface WantedPage {
  readonly limit: number
  /** Entries to skip, from the start of the list or from the marker. */
  readonly offset: number
  /** The id of the entry that the page follows; empty or undefined if there is none. */
  readonly marker?: string | undefined
}

export interface ReadPage<Row> {
  readonly items: readonly Row[]
  /** The number of matches on all pages. */
  readonly total: number
  /** For a page with a marker: whether more entries follow. */
  readonly more: boolean
}

export interface List {
  readonly table: typeof secrets | typeof containers | typeof orders
  /** The rows of the list without a filter. A marker must be one of them. */
  readonly scope: SQL | undefined
  /** The filter; undefined if there is none. */
  readonly filter: SQL | undefined
  /** The number of rows in the scope, if it is known without counting them. */
  readonly count: SQL<number> | undefined
}

/** The condition and the number of rows of one page. */
interface PageOfRows {
  readonly where: SQL | undefined
  readonly limit: number
  readonly offset: number
}

/**
 * Reads a page with its total in one round trip; `rows` builds the select for a condition, a limit and an offset.
 * Throws `markerUnknown` if the marker is not in the list's scope.
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
