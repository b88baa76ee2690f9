/** The log of a local service, for a terminal: one line per request, and every other entry as the JSON that it is. */

interface RequestEntry {
  readonly event: unknown
  readonly time: string
  readonly method: string
  readonly path?: string
  readonly microversion: string | null
  readonly status: number
  readonly milliseconds: number
  readonly failure: string | null
}

/** Returns the entry of a request, and null for any other message. */
export function requestIn(message: string): RequestEntry | null {
  if (!message.startsWith('{')) return null
  try {
    const entry = JSON.parse(message) as RequestEntry
    return entry.event === 'request' ? entry : null
  } catch {
    return null
  }
}

/** The time of day in a time of the form `2026-11-30T03:36:23.961Z`. */
const timeOfDay = (time: string) => time.slice(11, 19)

/** Returns `03:36:23 POST /v1/orders 1.0 202 3 ms` for the entry of a request, and any other message as it is. */
export function accessLine(message: string): string {
  const request = requestIn(message)
  if (!request) return message
  const { time, method, path = '-', microversion, status, milliseconds, failure } = request
  const why = failure === null ? '' : ` ${failure}`
  return `${timeOfDay(time)} ${method} ${path} ${microversion ?? '-'} ${status} ${milliseconds} ms${why}`
}
