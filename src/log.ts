/**
 * The log: one line of JSON per event, with its time, which Workers Logs, a tail and a terminal show alike. Callers must
 * not log payloads, tokens, keys or passphrases.
 */
import { waitUntil } from 'cloudflare:workers'

type Entry = { readonly event: string } & Readonly<Record<string, unknown>>

const lineOf = (entry: Entry) => JSON.stringify({ time: new Date().toISOString(), ...entry })

/** Logs a problem that an operator should investigate. `event` names what happened. */
export function logProblem(entry: Entry): void {
  console.error(lineOf(entry))
}

const MAX_CAUSES = 8
const STACK_LINES = 7

/** Returns an error and its chain of causes, outermost first, at most {@link MAX_CAUSES}. */
function causesOf(error: unknown): Error[] {
  const chain: Error[] = []
  for (let cause = error; cause instanceof Error && chain.length < MAX_CAUSES; cause = cause.cause) chain.push(cause)
  return chain
}

/**
 * Returns the details of an unexpected error that are safe to log: its name, the first lines of its stack, and D1's
 * message if there is one. Other messages are omitted, because drizzle's contain the parameters of the statement.
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

/** Logs a routine event after the response has been sent, so that logging does not delay it. Its time is that of now. */
export function logLater(entry: Entry): void {
  const line = lineOf(entry)
  const logged = new Promise<void>((resolve) => {
    setTimeout(() => {
      console.log(line)
      resolve()
    })
  })
  waitUntil(logged)
}
