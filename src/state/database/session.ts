/**
 * Sessions on the database. With read replication D1 keeps copies of it near its readers, each of which lags behind the
 * primary; a session says which of them may answer, and its bookmark names the newest state that it has seen.
 */
import { drizzle, type DrizzleD1Database } from 'drizzle-orm/d1'
import { isPrimary, type Asked, type Reach, type Seen } from './calls.ts'
import { askTogether, lookUps, writes, type Terms } from './turns.ts'

/** drizzle, and the client that it prepares statements with. */
export type Database = DrizzleD1Database & { readonly $client: D1Database }

/** A bookmark as D1 writes it. That of a later state is greater as text. */
const BOOKMARK = /^[\da-f]{8}-[\da-f]{8}-[\da-f]{8}-[\da-f]{32}$/

/** The reach for a client that sends this bookmark. Text that is none asks for the primary, which knows everything. */
export function reachOf(bookmark: string | undefined): Reach {
  if (bookmark === undefined) return 'first-unconstrained'
  return BOOKMARK.test(bookmark) ? bookmark : 'first-primary'
}

/** A statement that notes who answered it. */
interface Noting {
  readonly statement: D1PreparedStatement
  readonly bind: (...values: unknown[]) => Noting
  readonly run: () => Promise<D1Result>
  readonly all: () => Promise<D1Result>
  readonly raw: () => Promise<unknown[][]>
}

/** A statement as data, as drizzle takes it. */
interface Together extends Asked {
  readonly bind: (...values: unknown[]) => Together
  readonly run: () => Promise<D1Result | undefined>
  readonly all: () => Promise<D1Result | undefined>
  readonly raw: () => Promise<unknown[][]>
}

/**
 * A row as its values in the order of its columns. Only rows that are objects come with word of who answered. Their
 * columns need names of their own, as in a batch.
 */
const valuesOf = (row: unknown): unknown[] => Object.values(row as object)

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

  /**
   * The rows of a query, each as its values in the order of its columns, which need names of their own. It may go together
   * with those of other requests.
   */
  async rows(query: string, values: readonly unknown[]): Promise<unknown[][]> {
    const [result] = await this.#ask('', [{ query, values }], lookUps)
    return (result?.results ?? []).map(valuesOf)
  }

  /**
   * The database for what may go together with what other requests ask under the same name. Where the connection is lost
   * they share their fate, so it is that of a project.
   */
  together(name: string): Database {
    const prepare = (query: string, values: readonly unknown[] = []): Together => {
      const all = async () => (await this.#ask(name, [{ query, values }], writes))[0]
      const raw = async () => ((await all())?.results ?? []).map(valuesOf)
      return { query, values, bind: (...given) => prepare(query, given), run: all, all, raw }
    }
    const batch = (asked: readonly Asked[]) => this.#ask(name, asked, writes)
    return drizzle({ prepare, batch } as unknown as D1Database)
  }

  async #ask(name: string, asked: readonly Asked[], terms: Terms): Promise<readonly D1Result[]> {
    try {
      const { results, seen } = await askTogether(this.binding, this.from, name, asked, terms)
      this.follow(seen)
      return results
    } catch (error) {
      this.#note(null, this.reach !== 'first-primary')
      throw error
    }
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
