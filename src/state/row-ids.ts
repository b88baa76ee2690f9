/** Ids of new rows. */

/** The shard of new rows. There is only one. */
const SHARD = 0

/**
 * Generates a random UUID (version 4, RFC 9562) whose last 8 bits are the shard in which the row is created. They are a
 * hint for a deployment with projects in several databases. Imported rows have arbitrary values there, so nothing may
 * depend on them. 114 bits are random.
 */
export function newRowId(): string {
  return crypto.randomUUID().slice(0, -2) + SHARD.toString(16).padStart(2, '0')
}
