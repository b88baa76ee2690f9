/** The service's log: structured events, one object each. Callers put no payload, token, key or passphrase in. */
import { waitUntil } from 'cloudflare:workers'

type Entry = { readonly event: string } & Readonly<Record<string, unknown>>

/** Something to be looked at. `event` says what happened. */
export function logProblem(entry: Entry): void {
  console.error(entry)
}

const MOST_CAUSES = 8
const STACK_LINES = 7

/** Everything that led to an error, outermost first. */
function causesOf(error: unknown): Error[] {
  const chain: Error[] = []
  for (let one = error; one instanceof Error && chain.length < MOST_CAUSES; one = one.cause) chain.push(one)
  return chain
}

/**
 * What may be written down of an error that nobody foresaw: its name, where it comes from, and what D1 says of it. No
 * other message is, because drizzle's hold what a statement was given.
 */
export function factsOf(error: unknown) {
  const chain = causesOf(error)
  const innermost = chain.at(-1)
  return {
    error: innermost?.name ?? typeof error,
    detail: chain.find(({ message }) => message.startsWith('D1_ERROR'))?.message,
    stack: innermost?.stack?.split('\n').slice(1, 1 + STACK_LINES),
  }
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
