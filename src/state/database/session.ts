/**
 * Sessions on the database. With read replication, D1 has replicas that lag behind the primary. The consistency of a
 * session determines which of them may answer, and its bookmark identifies the newest state that it has observed.
 */
import type { Statement } from './prepared.ts'
import type { Answered, Question, Terms } from './questions.ts'
import { isOfOtherSchema } from './refusals.ts'
import { resend, settled, type Sending } from './repetition.ts'

/** Where reads go: to the primary, to any replica, or (a bookmark) to any replica that has reached this state. */
export type Consistency = 'first-primary' | 'first-unconstrained' | (string & {})

/** The state of the database that a session has observed. */
export interface Observed {
  /** The newest state; null if nothing was read or written yet. */
  readonly bookmark: string | null
  /** Whether a result may have come from a replica that lags behind the primary, or from the memory of this isolate. */
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

const onlyReads = ({ kind }: Statement<unknown>) => kind === 'read'

const isPrimary = ({ meta }: D1Result) => meta['served_by_primary'] === true

/** The earlier of two times; undefined if neither is known. */
const earlier = (one: string | undefined, other: string | undefined) =>
  one === undefined || (other !== undefined && other < one) ? other : one

/** The session of one request. Writes always go to the primary. */
export class Session implements Connection {
  readonly binding: D1Database
  readonly consistency: Consistency
  /** Null: nothing is asked. */
  readonly terms: Terms | null
  /** Questions of this session alone; they are decided after those of its terms. */
  readonly #own: Question[] = []
  #observed: Observed
  #readAsOf: string | undefined
  #rememberedAsOf: string | undefined
  #refusal: unknown

  constructor(binding: D1Database, consistency: Consistency, terms: Terms | null = null) {
    this.binding = binding
    this.consistency = consistency
    this.terms = terms
    this.#observed = { bookmark: consistency.startsWith('first-') ? null : consistency, lagging: false }
  }

  get observed(): Observed {
    return this.#observed
  }

  /** What this session has read contains every change that was acknowledged before this time; undefined: it read nothing. */
  get readAsOf(): string | undefined {
    return this.#readAsOf
  }

  /** As {@link readAsOf}, of all that an answer is based on: what was remembered, and what is known of the caller. */
  get asOf(): string | undefined {
    return this.#questions.map(({ asOf }) => asOf).reduce(earlier, earlier(this.#readAsOf, this.#rememberedAsOf))
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
    await this.requireAnswers()
    return resultsOf(statements, await this.#settled(unit, sending))
  }

  get #questions(): readonly Question[] {
    return this.terms ? [this.terms.admission, ...this.terms.questions, ...this.#own] : []
  }

  /** Whether a question is open, so that nothing may leave this isolate. */
  get isOpen(): boolean {
    return this.#questions.some(({ state }) => state === 'open')
  }

  /** Whether a question goes along with the next read. */
  get isDue(): boolean {
    return this.#questions.some(({ state }) => state === 'due')
  }

  /** Asks what is still open, in one round trip, and throws if an answer forbids to go on. */
  async requireAnswers(): Promise<void> {
    if (this.isOpen) await this.#send([])
  }

  /** Has `check` run once the open questions are answered, before results are handed out; it throws to prevent that. */
  checkAfterAnswers(check: () => void): void {
    let isChecked = false
    this.#own.push({
      get state() {
        return isChecked ? 'answered' : 'open'
      },
      statements: [],
      decide() {
        check()
        isChecked = true
      },
    })
  }

  /** Reports whether it was an answer to a question that this error was thrown for. */
  isRefusal(error: unknown): boolean {
    return error !== undefined && error === this.#refusal
  }

  /** Whether an answer is a replica's or remembered, so that a refusal which follows from it is not final. */
  get isRemembered(): boolean {
    return this.#questions.some((question) => question.isRemembered)
  }

  /** Opens again what was answered by a replica or from memory. */
  reopen(): void {
    for (const question of this.#questions) question.reopen?.()
  }

  /** Sends statements. Reads travel with the questions; writes wait for the answers. */
  async #send(statements: readonly Statement<unknown>[]): Promise<readonly D1Result[]> {
    const { terms } = this
    if (!terms) return this.#sendNow(statements)
    try {
      if (statements.every(onlyReads)) return await this.#sendAsking(terms, statements)
      await this.requireAnswers()
      return await this.#sendNow(statements)
    } catch (error) {
      if (!isOfOtherSchema(error)) throw error
      throw terms.admission.revoke(error, this.consistency === 'first-primary')
    }
  }

  /** The questions that travel with reads, or with none: first of all the admission, and then the age of a replica. */
  #asked({ admission, freshness }: Terms, isAlone: boolean): readonly Question[] {
    const [, ...others] = this.#questions
    const isDated = this.#readAsOf !== undefined || !freshness
    const dating = isDated ? [] : [this.consistency === 'first-primary' ? freshness.ofPrimary : freshness.ofReplica]
    return [
      ...(admission.state === 'open' ? [admission] : []),
      ...dating,
      ...others.filter(({ state }) => state === 'open' || (state === 'due' && !isAlone)),
    ]
  }

  async #sendAsking(terms: Terms, statements: readonly Statement<unknown>[]): Promise<readonly D1Result[]> {
    const questions = this.#asked(terms, statements.length === 0)
    const asked = questions.flatMap((question) => question.statements)
    const unconstrained = this.from === 'first-unconstrained'
    const results = await this.#sendNow([...asked, ...statements])
    const byReplica = this.consistency !== 'first-primary' && !results.every(isPrimary)
    let at = 0
    for (const question of questions) {
      const answers = results.slice(at, (at += question.statements.length))
      await this.#decide(question, answers, { unconstrained, byReplica })
    }
    return results.slice(at)
  }

  async #decide(
    question: Question,
    answers: readonly D1Result[],
    from: Pick<Answered, 'unconstrained' | 'byReplica'>,
  ): Promise<void> {
    try {
      const mayChange = this.consistency === 'first-primary'
      const dated = await question.decide(answers, { ...from, mayChange, asOf: this.#readAsOf })
      if (dated !== undefined) this.#readAsOf = earlier(this.#readAsOf, dated)
    } catch (error) {
      this.#refusal = error
      throw error
    }
  }

  async #sendNow(statements: readonly Statement<unknown>[]): Promise<readonly D1Result[]> {
    if (statements.length === 0) return []
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

  /** Takes over what this isolate remembers as of a time. A refusal that follows from it is not final. */
  observeMemory(asOf: string): void {
    this.#rememberedAsOf = earlier(this.#rememberedAsOf, asOf)
    this.observe({ bookmark: null, lagging: true })
  }
}
