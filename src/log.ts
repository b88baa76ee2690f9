/** The service's log: structured events, one object each. Callers put no payload, token, key or passphrase in. */

/** Something to be looked at. `event` says what happened. */
export function logProblem(entry: { readonly event: string } & Readonly<Record<string, unknown>>): void {
  console.error(entry)
}
