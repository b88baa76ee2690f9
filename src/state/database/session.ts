/**
 * Sessions on the database. With read replication D1 keeps replicas near its readers, each of which lags behind the
 * primary. A session says which of them may answer, and its bookmark names the newest state that it has observed.
 */
import type { Statement } from './prepared.ts'

/** Who answers reads: the primary alone, any replica, or (a bookmark) any replica that has caught up with it. */
export type Consistency = 'first-primary' | 'first-unconstrained' | (string & {})

/** What the answers of a session came from. */
export interface Observed {
  /** The newest of their states; null before there is one. */
  readonly bookmark: string | null
  /** One of them may have come from a replica that lags behind the primary. */
  readonly lagging: boolean
}

/** Statements by name; a name may stand for any number of them. */
export type Batch = Readonly<Record<string, Statement<unknown> | readonly Statement<unknown>[]>>

/** The results of a batch, by the names of its statements. */
export type BatchResults<Statements extends Batch> = {
  readonly [Name in keyof Statements]: Statements[Name] extends Statement<infer Result>
    ? Result
    : Statements[Name] extends readonly Statement<infer Result>[]
      ? Result[]
      : never
}

/** What runs statements: one round trip for each call. A batch is a transaction, in the order of its names. */
export interface Connection {
  readonly run: <Result>(statement: Statement<Result>) => Promise<Result>
  readonly batch: <Statements extends Batch>(statements: Statements) => Promise<BatchResults<Statements>>
}

const isOne = (named: Batch[string]): named is Statement<unknown> => !Array.isArray(named)

/** The statements of a batch in their order. */
export const statementsOf = (batch: Batch): Statement<unknown>[] =>
  Object.values(batch).flatMap((named) => (isOne(named) ? [named] : named))

/** The results of {@link statementsOf}, by name. */
export function resultsOf<Statements extends Batch>(
  batch: Statements,
  results: readonly D1Result[],
): BatchResults<Statements> {
  const rest = [...results]
  const read = (statement: Statement<unknown>) => {
    const result = rest.shift()
    if (!result) throw new Error('D1 returned fewer results than there were statements')
    return statement.read(result)
  }
  const named = Object.entries(batch).map(([name, one]) => [name, isOne(one) ? read(one) : one.map(read)])
  return Object.fromEntries(named) as BatchResults<Statements>
}

/** Sends statements in one round trip, several of them as a batch. */
export async function send(session: D1DatabaseSession, statements: readonly Statement<unknown>[]): Promise<D1Result[]> {
  const prepared = statements.map(({ sql, parameters }) => session.prepare(sql).bind(...parameters))
  const [first] = prepared
  return first && prepared.length === 1 ? [await first.all()] : session.batch(prepared)
}

/** A bookmark as D1 writes it. That of a later state is greater as text. */
const BOOKMARK = /^[\da-f]{8}-[\da-f]{8}-[\da-f]{8}-[\da-f]{32}$/

/** The consistency for a client that sends this bookmark. Other text asks for the primary, which has every state. */
export function consistencyOf(bookmark: string | undefined): Consistency {
  if (bookmark === undefined) return 'first-unconstrained'
  return BOOKMARK.test(bookmark) ? bookmark : 'first-primary'
}

const isPrimary = ({ meta }: D1Result) => meta['served_by_primary'] === true

/** One request's use of the database. Writes reach the primary, whoever answers the reads. */
export class Session implements Connection {
  readonly binding: D1Database
  readonly consistency: Consistency
  #observed: Observed

  constructor(binding: D1Database, consistency: Consistency) {
    this.binding = binding
    this.consistency = consistency
    this.#observed = { bookmark: consistency.startsWith('first-') ? null : consistency, lagging: false }
  }

  get observed(): Observed {
    return this.#observed
  }

  /** Who answers the next read: never an older state than one that was observed. */
  get from(): Consistency {
    return this.consistency === 'first-primary' ? this.consistency : (this.#observed.bookmark ?? this.consistency)
  }

  async run<Result>(statement: Statement<Result>): Promise<Result> {
    const [result] = await this.#send([statement])
    if (!result) throw new Error('D1 returned no result')
    return statement.read(result)
  }

  async batch<Statements extends Batch>(statements: Statements): Promise<BatchResults<Statements>> {
    return resultsOf(statements, await this.#send(statementsOf(statements)))
  }

  async #send(statements: readonly Statement<unknown>[]): Promise<readonly D1Result[]> {
    // In a session of D1 only the first query is sure to reach the primary: each call has one of its own.
    const session = this.binding.withSession(this.from)
    let lagging = this.consistency !== 'first-primary'
    try {
      const results = await send(session, statements)
      lagging &&= !results.every(isPrimary)
      return results
    } finally {
      this.observe({ bookmark: session.getBookmark(), lagging })
    }
  }

  /** Takes over what was observed on behalf of this session elsewhere: its reads from now on are not older. */
  observe({ bookmark, lagging }: Observed): void {
    const { bookmark: before, lagging: lagged } = this.#observed
    const newest = before !== null && (bookmark === null || bookmark < before) ? before : bookmark
    this.#observed = { bookmark: newest, lagging: lagged || lagging }
  }
}
