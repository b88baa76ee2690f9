/** The list of a project's secrets: filters, order and pages. */
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

/** One term of a date filter; `time` in the form in which times are stored. */
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

/** Keys of `sort`; `status` is the same for all secrets and orders nothing. */
export const sortNames = [...(Object.keys(sortColumns) as (keyof typeof sortColumns)[]), 'status'] as const
export type SortName = (typeof sortNames)[number]

export interface SortTerm {
  readonly key: SortName
  readonly direction: 'asc' | 'desc'
}

/** Which secrets are wanted: every member that is given must hold. Names are compared exactly, the rest without case. */
export interface SecretFilter {
  readonly name: string | undefined
  readonly algorithm: string | undefined
  readonly mode: string | undefined
  readonly secretType: string | undefined
  readonly bitLength: number | null
  readonly created: readonly TimeTerm[]
  readonly updated: readonly TimeTerm[]
  readonly expiration: readonly TimeTerm[]
  /** Instead of the project's secrets: those of any project whose ACL names the caller. */
  readonly onAcl: boolean
}

const comparisons = { eq, gt, gte, lt, lte } as const

function timeConditions(column: SQLiteColumn, terms: readonly TimeTerm[]): SQL[] {
  return terms.map(({ comparison, time }) => comparisons[comparison](column, time))
}

function withoutCase(column: SQLiteColumn, value: string | undefined): SQL | undefined {
  return value === undefined ? undefined : sql`${column} = ${value} collate nocase`
}

/** The ACL in the secret's row decides; the index of readers only finds the row. */
function namedOnAcl(userId: string): SQL {
  const found = sql`${secrets.id} in (select secret_id from ${secretReaders} where ${secretReaders.userId} = ${userId})`
  return sql`${found} and exists (select 1 from json_each(${secrets.aclUsers}) where value = ${userId})`
}

/** What the filter asks for beside whose secrets they are; undefined: nothing. */
function conditions(filter: SecretFilter): SQL | undefined {
  return and(
    filter.name === undefined ? undefined : eq(secrets.name, filter.name),
    withoutCase(secrets.algorithm, filter.algorithm),
    withoutCase(secrets.mode, filter.mode),
    withoutCase(secrets.secretType, filter.secretType),
    filter.bitLength === null ? undefined : eq(secrets.bitLength, filter.bitLength),
    ...timeConditions(secrets.created, filter.created),
    ...timeConditions(secrets.updated, filter.updated),
    ...timeConditions(secrets.expiration, filter.expiration),
  )
}

/** Nulls come first ascending and last descending; text is compared without case; ties are oldest first. */
function ordering(sort: readonly SortTerm[]): SQL[] {
  const terms = sort.flatMap(({ key, direction }) => {
    if (key === 'status') return []
    const column = sql`${sortColumns[key]} collate nocase`
    return [direction === 'asc' ? asc(column) : desc(column)]
  })
  return [...terms, asc(secrets.seq)]
}

/**
 * One page of secrets, oldest first unless sorted, and how many match in all: one round trip. Rows that are not
 * authentic are left out. Throws `markerUnknown`; a marker means nothing in another order.
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
  const passed = await authentic(scope, 'secrets', read.items.map(protectedRow))
  return { ...read, items: passed.map((row) => asSecret(row)) }
}
