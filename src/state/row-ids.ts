/** Ids of new rows. */

/** The shard that new rows are made in: there is one. */
const SHARD = 0

/**
 * A random UUID (version 4, RFC 9562) whose last 8 bits name the shard that the row was made in. It is a hint, for a
 * deployment whose projects are in several databases: rows that were imported have any value there, so nothing may
 * depend on it. 114 bits are random.
 */
export function newRowId(): string {
  return crypto.randomUUID().slice(0, -2) + SHARD.toString(16).padStart(2, '0')
}
