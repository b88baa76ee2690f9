/**
 * Group commit: batches that arrive while a database call is running are sent together as one batch when it returns.
 * The result for each member is the same as without grouping: statements run in order of arrival, and a refused member
 * fails alone. This is safe only in a Durable Object, because all calls of one object share one I/O context.
 */
import type { Statement } from '../database/prepared.ts'
import { isRefused } from '../database/refusals.ts'
import { resend, type Sending } from '../database/repetition.ts'
import { resultsOf, send, Session, statementsOf } from '../database/session.ts'
import type { Batch, BatchResults, Connection, Observed } from '../database/session.ts'

/** Statements in a group of several members. D1's free plan allows 50 for each call of an object. */
const MOST_STATEMENTS = 48
/** Bytes of SQL and parameters in a group of several members. */
const MOST_BYTES = 8_000_000

interface Member {
  readonly statements: readonly Statement<unknown>[]
  readonly bytes: number
  readonly resolve: (results: readonly D1Result[]) => void
  readonly reject: (error: unknown) => void
}

const bytesOf = (statements: readonly Statement<unknown>[]): number =>
  statements.reduce((sum, { sql, parameters }) => sum + sql.length + JSON.stringify(parameters).length, 0)

/** The database connection of one object. Batches are grouped; single statements are sent to the primary at once. */
export class GroupCommit implements Connection {
  readonly #binding: () => D1Database
  #waiting: Member[] = []
  #sending = false
  /** Whether the last group had several members. */
  #isBusy = false
  #bookmark: string | null = null

  constructor(binding: () => D1Database) {
    this.#binding = binding
  }

  /** The newest state that a batch has observed: at least as new as that of every completed batch. */
  get observed(): Observed {
    return { bookmark: this.#bookmark, lagging: false }
  }

  run<Result>(statement: Statement<Result>): Promise<Result> {
    return new Session(this.#binding(), 'first-primary').run(statement)
  }

  /** A batch that may have been sent before is not grouped: the group could not be told from what was stored before. */
  async batch<Statements extends Batch>(
    batch: Statements,
    sending: Sending = 'first',
  ): Promise<BatchResults<Statements>> {
    if (sending === 'first') return resultsOf(batch, await this.#enqueue(statementsOf(batch)))
    const session = new Session(this.#binding(), 'first-primary')
    try {
      return await session.batch(batch, sending)
    } finally {
      this.#observe(session.observed.bookmark)
    }
  }

  #observe(bookmark: string | null): void {
    if (bookmark !== null && bookmark > (this.#bookmark ?? '')) this.#bookmark = bookmark
  }

  #enqueue(statements: readonly Statement<unknown>[]): Promise<readonly D1Result[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ statements, bytes: bytesOf(statements), resolve, reject })
      if (!this.#sending) void this.#sendWaiting()
    })
  }

  async #sendWaiting(): Promise<void> {
    this.#sending = true
    while (this.#waiting.length > 0) {
      // After a group of several, more calls are probably about to arrive: one turn of the event loop lets them join.
      if (this.#isBusy) await scheduler.wait(0)
      const group = this.#nextGroup()
      this.#isBusy = group.length > 1
      await this.#saveGroup(group)
    }
    this.#sending = false
  }

  /** Takes the first waiting member, and as many more as both bounds allow. */
  #nextGroup(): Member[] {
    let [statements, bytes] = [0, 0]
    const end = this.#waiting.findIndex((member, at) => {
      statements += member.statements.length
      bytes += member.bytes
      return at > 0 && (statements > MOST_STATEMENTS || bytes > MOST_BYTES)
    })
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end)
  }

  /** Never rejects. */
  async #saveGroup(group: readonly Member[]): Promise<void> {
    try {
      const results = await this.#sendGroup(group.map(({ statements }) => statements))
      let end = 0
      for (const { statements, resolve } of group) resolve(results.slice(end, (end += statements.length)))
    } catch (error) {
      // A refused group stored nothing, and the error does not say which member caused it: send each one alone.
      if (group.length > 1 && isRefused(error)) for (const member of group) await this.#saveGroup([member])
      else for (const { reject } of group) reject(error)
    }
  }

  async #sendGroup(units: readonly (readonly Statement<unknown>[])[]): Promise<readonly D1Result[]> {
    try {
      return await this.#send(units.flat())
    } catch (error) {
      return await resend(error, units, this.#send)
    }
  }

  readonly #send = async (statements: readonly Statement<unknown>[]): Promise<readonly D1Result[]> => {
    const session = this.#binding().withSession('first-primary')
    try {
      return await send(session, statements)
    } finally {
      this.#observe(session.getBookmark())
    }
  }
}
