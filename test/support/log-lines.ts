/** Reads the log: the lines that a spy on `console.error` or `console.log` was called with. */
export interface LogEntry extends Readonly<Record<string, unknown>> {
  readonly event: string
}

/** Returns the entry of a line without its time. Throws if the line is not JSON or has no time. */
export function entryOf(line: unknown): LogEntry {
  const { time, ...entry } = JSON.parse(String(line)) as LogEntry & { readonly time: string }
  if (new Date(time).toISOString() !== time) throw new Error(`a line of the log without a time: ${String(line)}`)
  return entry
}

/** Returns the entries of all lines of a spy. */
export const entriesOf = ({
  mock,
}: {
  readonly mock: { readonly calls: readonly (readonly unknown[])[] }
}): LogEntry[] => mock.calls.map(([line]) => entryOf(line))
