/** The service's log: structured events, one object each. Callers put no payload, token, key or passphrase in. */
import { waitUntil } from 'cloudflare:workers'

type Entry = { readonly event: string } & Readonly<Record<string, unknown>>

/** Something to be looked at. `event` says what happened. */
export function logProblem(entry: Entry): void {
  console.error(entry)
}

/** Something that went as it should, written down when the answer is on its way. */
export function logLater(entry: Entry): void {
  const written = new Promise<void>((done) => {
    setTimeout(() => {
      console.log(entry)
      done()
    })
  })
  waitUntil(written)
}
