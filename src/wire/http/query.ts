/** Query parameters. */

/** Returns the last value of a parameter, or undefined if it is absent or empty. */
export function lastGiven(query: URLSearchParams, name: string): string | undefined {
  return query.getAll(name).at(-1) || undefined
}
