/**
 * Sessions on the database. With read replication D1 keeps copies of it near its readers, each of which lags behind the
 * primary; a session says which of them may answer, and its bookmark names the newest state that it has seen.
 */
import { drizzle, type DrizzleD1Database } from 'drizzle-orm/d1'

/** drizzle, and the client that it prepares statements with. */
export type Database = DrizzleD1Database & { readonly $client: D1Database }

/** Who answers look-ups: the primary alone, any copy, or (a bookmark) any copy that has come as far. */
export type Reach = 'first-primary' | 'first-unconstrained' | (string & {})

/** A bookmark as D1 writes it. That of a later state is greater as text. */
const BOOKMARK = /^[\da-f]{8}-[\da-f]{8}-[\da-f]{8}-[\da-f]{32}$/

/** The reach for a client that sends this bookmark. Text that is none asks for the primary, which knows everything. */
export function reachOf(bookmark: string | undefined): Reach {
  if (bookmark === undefined) return 'first-unconstrained'
  return BOOKMARK.test(bookmark) ? bookmark : 'first-primary'
}

/** What the answers of a session came from. */
export interface Seen {
  /** The newest of their states; null before there is one. */
  readonly bookmark: string | null
  /** One of them may have come from a copy that lags behind the primary. */
  readonly lagging: boolean
}

/** A statement that notes who answered it. */
interface Noting {
  readonly statement: D1PreparedStatement
  readonly bind: (...values: unknown[]) => Noting
  readonly run: () => Promise<D1Result>
  readonly all: () => Promise<D1Result>
  readonly raw: () => Promise<unknown[][]>
}

/**
 * A row as its values in the order of its columns. Only rows that are objects come with word of who answered. Their
 * columns need names of their own, as in a batch.
 */
const valuesOf = (row: unknown): unknown[] => Object.values(row as object)

const isPrimary = ({ meta }: D1Result) => meta['served_by_primary'] === true

/** One request's use of the database. Writes reach the primary, whoever answers the look-ups. */
export class Session {
  readonly binding: D1Database
  readonly reach: Reach
  readonly db: Database
  #seen: Seen
  #copies: D1DatabaseSession | null = null

  constructor(binding: D1Database, reach: Reach) {
    this.binding = binding
    this.reach = reach
    this.#seen = { bookmark: reach.startsWith('first-') ? null : reach, lagging: false }
    const client = {
      prepare: (query: string) => {
        const session = this.#next()
        return this.#noting(session, session.prepare(query))
      },
      batch: (statements: readonly Noting[]) => {
        const session = this.#next()
        return this.#answered(session, session.batch(statements.map(({ statement }) => statement)), (results) =>
          results.every(isPrimary),
        )
      },
    }
    this.db = drizzle(client as unknown as D1Database)
  }

  /** The rows of a query, each as its values in the order of its columns, which need names of their own. */
  async rows(query: string, values: readonly unknown[]): Promise<unknown[][]> {
    const session = this.#next()
    const statement = session.prepare(query).bind(...values)
    const { results } = await this.#answered(session, statement.all(), isPrimary)
    return results.map(valuesOf)
  }

  get seen(): Seen {
    return this.#seen
  }

  /** Who answers the next look-up. */
  get from(): Reach {
    return this.reach === 'first-primary' ? this.reach : (this.#seen.bookmark ?? this.reach)
  }

  /** Notes what was seen on behalf of this session elsewhere: its look-ups from now on are not older. */
  follow({ bookmark, lagging }: Seen): void {
    this.#note(bookmark, lagging)
    if (this.#seen.bookmark) this.#copies = null
  }

  #note(bookmark: string | null, lagging: boolean): void {
    const { bookmark: known, lagging: before } = this.#seen
    const newest = known !== null && (bookmark === null || bookmark < known) ? known : bookmark
    this.#seen = { bookmark: newest, lagging: before || lagging }
  }

  /** Of a session of D1 only the first query is sure to reach the primary: what keeps to it begins one for each. */
  #next(): D1DatabaseSession {
    if (this.reach === 'first-primary') return this.binding.withSession(this.reach)
    this.#copies ??= this.binding.withSession(this.from)
    return this.#copies
  }

  async #answered<Answer>(
    session: D1DatabaseSession,
    answer: Promise<Answer>,
    ofPrimary: (answer: Answer) => boolean,
  ): Promise<Answer> {
    let lagging = this.reach !== 'first-primary'
    try {
      const given = await answer
      lagging &&= !ofPrimary(given)
      return given
    } finally {
      this.#note(session.getBookmark(), lagging)
    }
  }

  #noting(session: D1DatabaseSession, statement: D1PreparedStatement): Noting {
    const all = () => this.#answered(session, statement.all(), isPrimary)
    return {
      statement,
      bind: (...values) => this.#noting(session, statement.bind(...values)),
      run: () => this.#answered(session, statement.run(), isPrimary),
      all,
      raw: async () => (await all()).results.map(valuesOf),
    }
  }
}
