/**
 * Group commit: batches that arrive while the database is at work go to it together, as one. Each member of a group is as
 * it would be alone: their statements run in the order in which they came, and one that is refused fails by itself. It is
 * safe here and nowhere else, because all calls of one Durable Object share one I/O context.
 */
import type { Statement } from '../database/prepared.ts'
import { isRefused } from '../database/refusals.ts'
import { resultsOf, send, Session, statementsOf } from '../database/session.ts'
import type { Batch, BatchResults, Connection, Observed } from '../database/session.ts'

/** Statements of a group of several members; D1's free plan allows 50 for each call of an object. */
const MOST_STATEMENTS = 48
/** Bytes of the text and the parameters of a group of several members. */
const MOST_BYTES = 8_000_000

interface Member {
  readonly statements: readonly Statement<unknown>[]
  readonly bytes: number
  readonly resolve: (results: D1Result[]) => void
  readonly reject: (error: unknown) => void
}

const bytesOf = (statements: readonly Statement<unknown>[]): number =>
  statements.reduce((sum, { sql, parameters }) => sum + sql.length + JSON.stringify(parameters).length, 0)

/** The batches of one object. What is not a batch goes to the primary at once. */
export class GroupCommit implements Connection {
  readonly #binding: () => D1Database
  #waiting: Member[] = []
  #working = false
  /** The last group had several members. */
  #isBusy = false
  #bookmark: string | null = null

  constructor(binding: () => D1Database) {
    this.#binding = binding
  }

  /** The newest state that a batch has observed; not older than that of any batch that has ended. */
  get observed(): Observed {
    return { bookmark: this.#bookmark, lagging: false }
  }

  run<Result>(statement: Statement<Result>): Promise<Result> {
    return new Session(this.#binding(), 'first-primary').run(statement)
  }

  async batch<Statements extends Batch>(batch: Statements): Promise<BatchResults<Statements>> {
    return resultsOf(batch, await this.#join(statementsOf(batch)))
  }

  #join(statements: readonly Statement<unknown>[]): Promise<D1Result[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ statements, bytes: bytesOf(statements), resolve, reject })
      if (!this.#working) void this.#work()
    })
  }

  async #work(): Promise<void> {
    this.#working = true
    while (this.#waiting.length > 0) {
      // Where several came at a time, more are on their way: a turn of the event loop lets them join.
      if (this.#isBusy) await scheduler.wait(0)
      const group = this.#nextGroup()
      this.#isBusy = group.length > 1
      await this.#store(group)
    }
    this.#working = false
  }

  /** The first that waits, and as many more as both bounds allow. */
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
  async #store(group: readonly Member[]): Promise<void> {
    try {
      const results = await this.#send(group.flatMap(({ statements }) => statements))
      let end = 0
      for (const { statements, resolve } of group) resolve(results.slice(end, (end += statements.length)))
    } catch (error) {
      // A refused group stored nothing, and which member was at fault is open; after any other error it may be stored.
      if (group.length > 1 && isRefused(error)) for (const member of group) await this.#store([member])
      else for (const { reject } of group) reject(error)
    }
  }

  async #send(statements: readonly Statement<unknown>[]): Promise<D1Result[]> {
    const session = this.#binding().withSession('first-primary')
    try {
      return await send(session, statements)
    } finally {
      const bookmark = session.getBookmark()
      if (bookmark !== null && bookmark > (this.#bookmark ?? '')) this.#bookmark = bookmark
    }
  }
}
