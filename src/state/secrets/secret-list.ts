/** Lists of secrets: filters, sort order and pages. */
import { and, asc, desc, eq, gt, gte, lt, lte, sql, type SQL } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { Caller } from '../../caller.ts'
import { readPage, type ReadPage, type WantedPage } from '../database/pages.ts'
import { build, select } from '../database/prepared.ts'
import type { Secret } from '../entities.ts'
import { authentic } from '../integrity/row-authentication.ts'
import { countOf } from '../projects/counts.ts'
import { secretReaders, secrets } from '../schema/resources.ts'
import type { KeyedScope } from '../scope.ts'
import { asSecret, live, protectedRow, secretColumns } from './secret-rows.ts'

export type Comparison = 'eq' | 'gt' | 'gte' | 'lt' | 'lte'

/** One term of a date filter. `time` has the form of stored times. */
export interface TimeTerm {
  readonly comparison: Comparison
  readonly time: string
}

const sortColumns = {
  algorithm: secrets.algorithm,
  bit_length: secrets.bitLength,
  created: secrets.created,
  expiration: secrets.expiration,
  mode: secrets.mode,
  name: secrets.name,
  secret_type: secrets.secretType,
  updated: secrets.updated,
} as const

/** Keys of `sort`. `status` has no effect, because it is the same for all secrets. */
export const sortNames = [...(Object.keys(sortColumns) as (keyof typeof sortColumns)[]), 'status'] as const
type SortName = (typeof sortNames)[number]

export interface SortTerm {
  readonly key: SortName
  readonly direction: 'asc' | 'desc'
}

/** A filter for secrets; all conditions must hold. Names are compared exactly, other text ignoring case. */
export interface SecretFilter {
  readonly name: string | undefined
  readonly algorithm: string | undefined
  readonly mode: string | undefined
  readonly secretType: string | undefined
  readonly bitLength: number | null
  readonly created: readonly TimeTerm[]
  readonly updated: readonly TimeTerm[]
  readonly expiration: readonly TimeTerm[]
  /** Lists the secrets of all projects whose ACL names the caller, instead of the project's secrets. */
  readonly onAcl: boolean
}

const comparisons = { eq, gt, gte, lt, lte } as const

function timeConditions(column: SQLiteColumn, terms: readonly TimeTerm[]): SQL[] {
  return terms.map(({ comparison, time }) => comparisons[comparison](column, time))
}

function equalsIgnoringCase(column: SQLiteColumn, value: string | undefined): SQL | undefined {
  return value === undefined ? undefined : sql`${column} = ${value} collate nocase`
}

/** SQL: the ACL names the user. The index of readers only finds the row; the ACL in the row is authoritative. */
function namedOnAcl(userId: string): SQL {
  const found = sql`${secrets.id} in (select secret_id from ${secretReaders} where ${secretReaders.userId} = ${userId})`
  return sql`${found} and exists (select 1 from json_each(${secrets.aclUsers}) where value = ${userId})`
}

/** SQL: the conditions of the filter except `onAcl`; undefined if there are none. */
function conditions(filter: SecretFilter): SQL | undefined {
  return and(
    filter.name === undefined ? undefined : eq(secrets.name, filter.name),
    equalsIgnoringCase(secrets.algorithm, filter.algorithm),
    equalsIgnoringCase(secrets.mode, filter.mode),
    equalsIgnoringCase(secrets.secretType, filter.secretType),
    filter.bitLength === null ? undefined : eq(secrets.bitLength, filter.bitLength),
    ...timeConditions(secrets.created, filter.created),
    ...timeConditions(secrets.updated, filter.updated),
    ...timeConditions(secrets.expiration, filter.expiration),
  )
}

/**
 * The sort order. Nulls are first ascending and last descending, text is compared ignoring case, ties are oldest first.
 */
function ordering(sort: readonly SortTerm[]): SQL[] {
  const terms = sort.flatMap(({ key, direction }) => {
    if (key === 'status') return []
    const column = sql`${sortColumns[key]} collate nocase`
    return [direction === 'asc' ? asc(column) : desc(column)]
  })
  return [...terms, asc(secrets.seq)]
}

/**
 * Reads one page of secrets, oldest first unless `sort` says otherwise, and the total number of matches, in one round
 * trip. Rows that are not authentic are omitted. Throws `markerUnknown`. A marker is only meaningful without `sort`.
 */
export async function listSecrets(
  scope: KeyedScope,
  caller: Caller,
  filter: SecretFilter,
  sort: readonly SortTerm[],
  page: WantedPage,
  withConsumers: boolean,
): Promise<ReadPage<Secret>> {
  const { projectId, userId } = caller
  const list = {
    table: secrets,
    scope: and(filter.onAcl ? namedOnAcl(userId) : eq(secrets.projectId, projectId), live(scope.now)),
    filter: conditions(filter),
    count: filter.onAcl ? undefined : countOf('secrets', projectId, scope.now),
  }
  const read = await readPage(scope.db, list, page, ({ where, limit, offset }) =>
    select(secretColumns(withConsumers), (columns) =>
      build
        .select(columns)
        .from(secrets)
        .where(where)
        .orderBy(...ordering(sort))
        .limit(limit)
        .offset(offset),
    ),
  )
  const authenticRows = await authentic(scope, 'secrets', read.items.map(protectedRow))
  return { ...read, items: authenticRows.map((row) => asSecret(row)) }
}
