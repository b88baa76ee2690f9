/**
 * The ledger of a project: the MAC that each secret, container and order had after the last sealed event about it. It
 * is in the storage of the project's object, outside the database that holds the rows, so it detects a row that was
 * deleted, restored or replaced by an older version of itself.
 *
 * Beside the ledger are the findings: the rows that a comparison (`patrol.ts`) found to differ from it. A finding ends
 * with the next sealed event about its row, or when an operator adopts it: then the ledger takes over what was found.
 */

import type { Difference, RowCounts } from '../project-calls.ts'

/** The kinds of rows that the ledger keeps, which are the tables' singular names. */
export const kinds = ['secret', 'container', 'order'] as const
export type Kind = (typeof kinds)[number]

const isKind = (text: string): text is Kind => (kinds as readonly string[]).includes(text)

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

export interface DifferingRow {
  readonly kind: Kind
  readonly id: string
  readonly difference: Difference
  /** The MAC of the row in the database; null if the row is gone. */
  readonly mac: string | null
}

/** A row of the ledger. */
export interface LedgerRow extends Record<string, SqlStorageValue> {
  readonly kind: Kind
  readonly id: string
  readonly mac: string
}

const DEFINITIONS = `
  create table if not exists row_ledger (kind text, id text, mac text not null, primary key (kind, id)) without rowid;
  create table if not exists row_findings
    (kind text, id text, difference text not null, mac text, primary key (kind, id)) without rowid`
/** One statement for all rows: a call to the storage costs more than a row. */
const UPSERT = `insert or replace into row_ledger select value ->> 0, value ->> 1, value ->> 2
  from json_each(?) where value ->> 2 is not null`
const REMOVE = `delete from row_ledger where (kind, id) in
  (select value ->> 0, value ->> 1 from json_each(?) where value ->> 2 is null)`
const SETTLE = 'delete from row_findings where (kind, id) in (select value ->> 0, value ->> 1 from json_each(?))'
const FIND = `insert into row_findings
  select value ->> 'kind', value ->> 'id', value ->> 'difference', value ->> 'mac' from json_each(?) where true
  on conflict (kind, id) do update set difference = excluded.difference, mac = excluded.mac
    where difference <> excluded.difference or mac is not excluded.mac
  returning kind, id, difference`
const SOME_FINDINGS = 'select kind, id from row_findings order by kind, id limit ?'

/** The ledger and the findings of the object with this storage. All methods are synchronous. */
export class RowLedger {
  readonly #sql: SqlStorage

  constructor({ sql }: DurableObjectStorage) {
    this.#sql = sql
    sql.exec(DEFINITIONS)
  }

  /**
   * Applies sealed events to the ledger, in their order; of several events about one row the last one counts. Whether
   * such a row was found to differ before no longer matters.
   */
  update(changes: readonly RowChange[]): void {
    const macs = new Map<string, readonly [kind: string, id: string, mac: string | null]>()
    for (const { target, id, action, outcome, mac } of changes) {
      const [kind = '', part] = target.split('/')
      if (outcome !== 'success') continue
      const isDeletion = action === 'delete' && !part
      // The destruction of a project's keys is the destruction of all its rows.
      if (isDeletion && target === 'key') {
        this.#sql.exec('delete from row_ledger')
        this.#sql.exec('delete from row_findings')
        macs.clear()
      } else if (isKind(kind) && (isDeletion || mac !== null))
        macs.set(`${kind}/${id}`, [kind, id, isDeletion ? null : mac])
    }
    const rows = JSON.stringify([...macs.values()])
    for (const statement of [UPSERT, REMOVE, SETTLE]) this.#sql.exec(statement, rows)
  }

  /** Up to `limit` rows of the ledger after this key, in order of their keys. */
  rowsAfter([kind, id]: readonly [kind: string, id: string], limit: number): LedgerRow[] {
    const query = 'select * from row_ledger where (kind, id) > (?, ?) order by kind, id limit ?'
    return this.#sql.exec<LedgerRow>(query, kind, id, limit).toArray()
  }

  has({ kind, id }: { readonly kind: Kind; readonly id: string }): boolean {
    return this.#sql.exec('select 1 from row_ledger where kind = ? and id = ?', kind, id).toArray().length > 0
  }

  /** Stores rows that differ, and returns the names of those that were not found before, or not in this form. */
  find(rows: readonly DifferingRow[]): string[] {
    if (rows.length === 0) return []
    const found = this.#sql.exec<{ kind: string; id: string; difference: string }>(FIND, JSON.stringify(rows)).toArray()
    return found.map(({ kind, id, difference }) => `${kind}/${id} ${difference}`)
  }

  /** Up to `limit` rows that were found to differ, as `<kind>/<id> <difference>`. */
  findings(limit: number): string[] {
    const query = `select kind || '/' || id || ' ' || difference as name from row_findings order by kind, id limit ?`
    return this.#sql
      .exec<{ name: string }>(query, limit)
      .toArray()
      .map(({ name }) => name)
  }

  counts(): RowCounts {
    const query = 'select difference, count(*) as count from row_findings group by difference'
    const counted = this.#sql.exec<{ difference: Difference; count: number }>(query).toArray()
    return {
      changed: 0,
      gone: 0,
      unknown: 0,
      ...Object.fromEntries(counted.map(({ difference, count }) => [difference, count])),
    }
  }

  /** Takes over up to `limit` findings as they are in the database. Returns whether none is left. */
  adopt(limit: number): boolean {
    const some = `(kind, id) in (${SOME_FINDINGS})`
    this.#sql.exec(
      `insert or replace into row_ledger select kind, id, mac from row_findings where mac is not null and ${some}`,
      limit,
    )
    this.#sql.exec(
      `delete from row_ledger where (kind, id) in
        (select kind, id from row_findings where mac is null and ${some})`,
      limit,
    )
    this.#sql.exec(`delete from row_findings where ${some}`, limit)
    return this.#sql.exec('select 1 from row_findings limit 1').toArray().length === 0
  }
}
