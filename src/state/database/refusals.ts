/** What the errors of the database say. */
import { SUPERSEDED } from '../schema/triggers.ts'

function says(error: unknown, words: string): boolean {
  for (let one = error; one instanceof Error; one = one.cause) if (one.message.includes(words)) return true
  return false
}

/** Whether SQLite refused a batch, and so all of it. After any other error it is open what was stored. */
export const isRefused = (error: unknown): boolean => says(error, 'SQLITE_')

/** Whether a batch was refused, as a whole, for a value that is sealed under a superseded project key. */
export const isSuperseded = (error: unknown): boolean => says(error, SUPERSEDED)
