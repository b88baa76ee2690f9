/**
 * Sessions on the database. With read replication, D1 has replicas that lag behind the primary. The consistency of a
 * session determines which of them may answer, and its bookmark identifies the newest state that it has observed.
 */
import type { Statement } from './prepared.ts'
import { isOfOtherSchema } from './refusals.ts'
import { resend, settled, type Sending } from './repetition.ts'

/** Where reads go: to the primary, to any replica, or (a bookmark) to any replica that has reached this state. */
export type Consistency = 'first-primary' | 'first-unconstrained' | (string & {})

/** The state of the database that a session has observed. */
export interface Observed {
  /** The newest state; null if nothing was read or written yet. */
  readonly bookmark: string | null
  /** Whether a result may have come from a replica that lags behind the primary. */
  readonly lagging: boolean
}

/** Statements by name; a name may have several statements. */
export type Batch = Readonly<Record<string, Statement<unknown> | readonly Statement<unknown>[]>>

/** The results of a batch, by the names of its statements. */
export type BatchResults<Statements extends Batch> = {
  readonly [Name in keyof Statements]: Statements[Name] extends Statement<infer Result>
    ? Result
    : Statements[Name] extends readonly Statement<infer Result>[]
      ? Result[]
      : never
}

/**
 * Runs statements, in one round trip per call unless it fails. A batch is a transaction; its statements run in the order
 * of its names. After an error that passes, a call is repeated as `repetition.ts` describes; what remains is thrown as
 * the fault `unavailable` or `overloaded`. `sending` says whether the batch may have been sent before, by default not.
 */
export interface Connection {
  readonly run: <Result>(statement: Statement<Result>) => Promise<Result>
  readonly batch: <Statements extends Batch>(
    statements: Statements,
    sending?: Sending,
  ) => Promise<BatchResults<Statements>>
}

const isSingle = (named: Batch[string]): named is Statement<unknown> => !Array.isArray(named)

/** The statements of a batch, in order. */
export const statementsOf = (batch: Batch): Statement<unknown>[] =>
  Object.values(batch).flatMap((named) => (isSingle(named) ? [named] : named))

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
  const named = Object.entries(batch).map(([name, one]) => [name, isSingle(one) ? read(one) : one.map(read)])
  return Object.fromEntries(named) as BatchResults<Statements>
}

/** Sends statements in one round trip, several of them as a batch. */
export async function send(session: D1DatabaseSession, statements: readonly Statement<unknown>[]): Promise<D1Result[]> {
  const prepared = statements.map(({ sql, parameters }) => session.prepare(sql).bind(...parameters))
  const [first] = prepared
  return first && prepared.length === 1 ? [await first.all()] : session.batch(prepared)
}

/** The form of D1's bookmarks. The bookmark of a later state compares greater as text. */
const BOOKMARK = /^[\da-f]{8}-[\da-f]{8}-[\da-f]{8}-[\da-f]{32}$/

/**
 * The consistency for a client's bookmark. For text that is not a bookmark it is the primary, which has every state.
 */
export function consistencyOf(bookmark: string | undefined): Consistency {
  if (bookmark === undefined) return 'first-unconstrained'
  return BOOKMARK.test(bookmark) ? bookmark : 'first-primary'
}

/**
 * What this isolate asks a database before it uses it: whether it has the Worker's schema and belongs to the Worker's
 * deployment. Once admitted, nothing is asked again.
 */
export interface Admission {
  readonly isAdmitted: boolean
  readonly question: Statement<unknown>
  /** Admits the isolate, or throws why not. `mayChange`: the answer is the primary's, so what it lacks may be made. */
  readonly decide: (answer: D1Result, mayChange: boolean) => Promise<void>
  /** Ends the admission, because the database has another schema; returns what to throw instead of the error. */
  readonly revoke: (error: unknown, mayChange: boolean) => Error
}

const onlyReads = ({ kind }: Statement<unknown>) => kind === 'read'

const isPrimary = ({ meta }: D1Result) => meta['served_by_primary'] === true

/** The session of one request. Writes always go to the primary. */
export class Session implements Connection {
  readonly binding: D1Database
  readonly consistency: Consistency
  /** Null: nothing is asked. */
  readonly admission: Admission | null
  #observed: Observed

  constructor(binding: D1Database, consistency: Consistency, admission: Admission | null = null) {
    this.binding = binding
    this.consistency = consistency
    this.admission = admission
    this.#observed = { bookmark: consistency.startsWith('first-') ? null : consistency, lagging: false }
  }

  get observed(): Observed {
    return this.#observed
  }

  /** The consistency of the next read, which never returns an older state than one that was observed. */
  get from(): Consistency {
    return this.consistency === 'first-primary' ? this.consistency : (this.#observed.bookmark ?? this.consistency)
  }

  async run<Result>(statement: Statement<Result>): Promise<Result> {
    const [result] = await this.#send([statement])
    if (!result) throw new Error('D1 returned no result')
    return statement.read(result)
  }

  async batch<Statements extends Batch>(
    statements: Statements,
    sending: Sending = 'first',
  ): Promise<BatchResults<Statements>> {
    const unit = statementsOf(statements)
    if (sending === 'first') return resultsOf(statements, await this.#send(unit))
    await this.requireAdmission()
    return resultsOf(statements, await this.#settled(unit, sending))
  }

  /** Admits this isolate to the database, if it is not yet; throws why not. */
  async requireAdmission(): Promise<void> {
    if (this.admission && !this.admission.isAdmitted) await this.#send([])
  }

  /**
   * Sends the statements. Until this isolate is admitted, the question travels with them and their results are used
   * only if the answer admits it; writes wait for the answer.
   */
  async #send(statements: readonly Statement<unknown>[]): Promise<readonly D1Result[]> {
    const { admission } = this
    if (!admission) return this.#sendNow(statements)
    try {
      if (admission.isAdmitted) return await this.#sendNow(statements)
      if (statements.every(onlyReads)) return await this.#sendAsking(admission, statements)
      await this.#sendAsking(admission, [])
      return await this.#sendNow(statements)
    } catch (error) {
      throw isOfOtherSchema(error) ? admission.revoke(error, this.consistency === 'first-primary') : error
    }
  }

  async #sendAsking(admission: Admission, statements: readonly Statement<unknown>[]): Promise<readonly D1Result[]> {
    const [answer, ...results] = await this.#sendNow([admission.question, ...statements])
    if (!answer) throw new Error('D1 returned no result')
    await admission.decide(answer, this.consistency === 'first-primary')
    return results
  }

  async #sendNow(statements: readonly Statement<unknown>[]): Promise<readonly D1Result[]> {
    // D1 guarantees only for the first query of a session that it reaches the primary, so each call uses a new session.
    const session = this.binding.withSession(this.from)
    let lagging = this.consistency !== 'first-primary'
    try {
      const results = await send(session, statements)
      lagging &&= !results.every(isPrimary)
      return results
    } catch (error) {
      return await resend(error, [statements], this.#sendToPrimary)
    } finally {
      this.observe({ bookmark: session.getBookmark(), lagging })
    }
  }

  async #settled(unit: readonly Statement<unknown>[], sending: Sending): Promise<readonly D1Result[]> {
    try {
      return await settled([unit], this.#sendToPrimary, sending)
    } catch (error) {
      return await resend(error, [unit], this.#sendToPrimary, sending)
    }
  }

  /** Sends statements once: only the primary knows whether an earlier call was stored. */
  readonly #sendToPrimary = async (statements: readonly Statement<unknown>[]): Promise<readonly D1Result[]> => {
    const session = this.binding.withSession('first-primary')
    try {
      return await send(session, statements)
    } finally {
      this.observe({ bookmark: session.getBookmark(), lagging: false })
    }
  }

  /** Takes over a state that was observed elsewhere. Later reads of this session do not return an older one. */
  observe({ bookmark, lagging }: Observed): void {
    const { bookmark: before, lagging: lagged } = this.#observed
    const newest = before !== null && (bookmark === null || bookmark < before) ? before : bookmark
    this.#observed = { bookmark: newest, lagging: lagged || lagging }
  }
}
