/** Query parameters. */

/** The value of a parameter, the last one when it is given twice; empty counts as not given. */
export function lastGiven(query: URLSearchParams, name: string): string | undefined {
  return query.getAll(name).at(-1) || undefined
}
