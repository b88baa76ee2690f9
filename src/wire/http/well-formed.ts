/** Text that is Unicode: JSON may spell half of a surrogate pair, which UTF-8 cannot store. */

/** An escape of a surrogate: without one, JSON that was read from valid UTF-8 holds well-formed text alone. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/

/**
 * Whether every text of a JSON value is well-formed UTF-16, the names of members included. Half of a surrogate pair would
 * be stored as U+FFFD: a payload, name or password would be another one than was sent. The walk keeps its own stack, so
 * no depth of nesting overflows that of the runtime.
 */
export function isWellFormed(value: unknown): boolean {
  const pending = [value]
  while (pending.length > 0) {
    const one = pending.pop()
    if (typeof one === 'string' && !one.isWellFormed()) return false
    if (typeof one !== 'object' || one === null) continue
    if (Array.isArray(one)) {
      for (const item of one as unknown[]) pending.push(item)
      continue
    }
    for (const [name, member] of Object.entries(one)) {
      if (!name.isWellFormed()) return false
      pending.push(member)
    }
  }
  return true
}

/** {@link isWellFormed} of the value that was parsed from `json`, which was valid UTF-8; most documents need no walk. */
export const isWellFormedJson = (json: string, value: unknown): boolean =>
  !SURROGATE_ESCAPE.test(json) || isWellFormed(value)
