/** Calls of the database: who may answer them, and what an answer has seen. */

/** Who answers look-ups: the primary alone, any copy, or (a bookmark) any copy that has come as far. */
export type Reach = 'first-primary' | 'first-unconstrained' | (string & {})

/** What answers came from. */
export interface Seen {
  /** The newest of their states; null before there is one. */
  readonly bookmark: string | null
  /** One of them may have come from a copy that lags behind the primary. */
  readonly lagging: boolean
}

/** A statement as data: one request cannot send what another has prepared. */
export interface Asked {
  readonly query: string
  readonly values: readonly unknown[]
}

export interface Answered {
  readonly results: readonly D1Result[]
  readonly seen: Seen
}

export const isPrimary = ({ meta }: D1Result) => meta['served_by_primary'] === true

/** Sends the statements in one round trip, several as a batch. */
export async function send(binding: D1Database, reach: Reach, asked: readonly Asked[]): Promise<Answered> {
  const session = binding.withSession(reach)
  const statements = asked.map(({ query, values }) => session.prepare(query).bind(...values))
  const [first] = statements
  const results = first && statements.length === 1 ? [await first.all()] : await session.batch(statements)
  const lagging = reach !== 'first-primary' && !results.every(isPrimary)
  return { results, seen: { bookmark: session.getBookmark(), lagging } }
}
