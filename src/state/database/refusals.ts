/** What the database says no to. */

/** The words in which the triggers refuse a value that is not sealed under the key that seals now in its place. */
const SUPERSEDED = 'superseded project key'

function says(error: unknown, words: string): boolean {
  for (let one = error; one instanceof Error; one = one.cause) if (one.message.includes(words)) return true
  return false
}

/** Whether SQLite refused a batch, and so the whole of it; of another error nobody knows what was stored before it. */
export const isRefused = (error: unknown): boolean => says(error, 'SQLITE_')

/** Whether a batch was refused, as a whole, for a value that is sealed under a key that does not seal any more. */
export const isSuperseded = (error: unknown): boolean => says(error, SUPERSEDED)
