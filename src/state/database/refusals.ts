/** Classifies errors of the database by their messages. */
import { SUPERSEDED } from '../schema/triggers.ts'

function messageIncludes(error: unknown, text: string): boolean {
  for (let one = error; one instanceof Error; one = one.cause) if (one.message.includes(text)) return true
  return false
}

/**
 * Reports whether SQLite refused a batch, so that nothing was stored. After any other error it may have been stored.
 */
export const isRefused = (error: unknown): boolean => messageIncludes(error, 'SQLITE_')

/** Reports whether a statement names a table or column that the database does not have. */
export const isOfOtherSchema = (error: unknown): boolean =>
  messageIncludes(error, 'no such table: ') ||
  messageIncludes(error, 'no such column: ') ||
  messageIncludes(error, 'has no column named ')

/** Reports whether a batch was refused because a value is sealed under a superseded project key. */
export const isSuperseded = (error: unknown): boolean => messageIncludes(error, SUPERSEDED)
