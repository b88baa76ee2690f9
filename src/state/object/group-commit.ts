/**
 * Group commit: what comes while the database is at work goes to it together, as one batch. Each member of a group is as
 * it would be alone: their statements run in the order in which they came, and one that fails fails by itself.
 */
import { drizzle } from 'drizzle-orm/d1'
import type { Seen } from '../database/calls.ts'
import { isRefused } from '../database/refusals.ts'
import type { Database } from '../database/session.ts'

/** Statements of a group of several members; D1's free plan allows 50 for each call of an object. */
const MOST_STATEMENTS = 48

interface Member {
  readonly statements: readonly D1PreparedStatement[]
  readonly resolve: (results: D1Result[]) => void
  readonly reject: (error: unknown) => void
}

/** The batches of one object. What is not a batch goes to the primary at once. */
export class GroupCommit {
  readonly db: Database
  readonly #binding: () => D1Database
  #waiting: Member[] = []
  #working = false
  /** The last group had several members. */
  #isBusy = false
  #bookmark: string | null = null

  constructor(binding: () => D1Database) {
    this.#binding = binding
    const client = {
      prepare: (query: string) => binding().prepare(query),
      batch: (statements: readonly D1PreparedStatement[]) => this.#join(statements),
    }
    this.db = drizzle(client as unknown as D1Database)
  }

  /** The newest state that a batch has seen; not older than that of any batch that has ended. */
  get seen(): Seen {
    return { bookmark: this.#bookmark, lagging: false }
  }

  #join(statements: readonly D1PreparedStatement[]): Promise<D1Result[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ statements, resolve, reject })
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

  /** The first that waits, and as many more as are allowed. */
  #nextGroup(): Member[] {
    let statements = 0
    const end = this.#waiting.findIndex((member, at) => {
      statements += member.statements.length
      return at > 0 && statements > MOST_STATEMENTS
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
      // Refused, nothing of it is stored, and nobody knows for whose sake; else all of it may be, and is not sent again.
      if (group.length > 1 && isRefused(error)) for (const member of group) await this.#store([member])
      else for (const { reject } of group) reject(error)
    }
  }

  async #send(statements: D1PreparedStatement[]): Promise<D1Result[]> {
    const session = this.#binding().withSession('first-primary')
    try {
      return await session.batch(statements)
    } finally {
      const bookmark = session.getBookmark()
      if (bookmark !== null && bookmark > (this.#bookmark ?? '')) this.#bookmark = bookmark
    }
  }
}
