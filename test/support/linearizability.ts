/**
 * A checker of histories, after Wing and Gong (1993): a history of simultaneous operations is linearizable if they can
 * be put into one order that explains every result and in which no operation precedes one that ended before it began.
 * The object is one register that can be removed: an entity with a value.
 */

/** What an operation did and what it saw. `absent`: it was answered that the entity does not exist. */
export type Effect =
  | { readonly kind: 'write'; readonly value: string; readonly result: 'written' | 'absent' }
  | { readonly kind: 'read'; readonly result: { readonly value: string } | 'absent' }
  | { readonly kind: 'remove'; readonly result: 'removed' | 'absent' }

/** An operation with the times of its call and its answer, on any clock that all operations share. */
export interface Recorded {
  readonly effect: Effect
  readonly called: number
  readonly answered: number
}

/** The value of the register; null once it was removed. */
type State = string | null

/** The state after the operation, or undefined if it could not have had this result in this state. */
function after(state: State, effect: Effect): State | undefined {
  if (effect.result === 'absent') return state === null ? state : undefined
  if (state === null) return undefined
  switch (effect.kind) {
    case 'write':
      return effect.value
    case 'remove':
      return null
    case 'read':
      return effect.result.value === state ? state : undefined
  }
}

/** Whether some order of the operations explains the history, from a register with the value `initial`. */
export function isLinearizable(history: readonly Recorded[], initial: string): boolean {
  if (history.length > 30) throw new RangeError('a history of more than 30 operations')
  const all = 2 ** history.length - 1
  const refuted = new Set<string>()
  const search = (done: number, state: State): boolean => {
    if (done === all) return true
    const place = `${done} ${state}`
    if (refuted.has(place)) return false
    const open = history.flatMap((one, at) => (done & (1 << at) ? [] : [{ ...one, at }]))
    // An operation can be next only if no other one had ended before it was called.
    const firstEnd = Math.min(...open.map(({ answered }) => answered))
    for (const { effect, called, at } of open) {
      const next = called < firstEnd ? after(state, effect) : undefined
      if (next !== undefined && search(done | (1 << at), next)) return true
    }
    refuted.add(place)
    return false
  }
  return search(0, initial)
}

/** Records operations; every call and every answer has a time of its own. */
export function recorder() {
  const history: Recorded[] = []
  let time = 0
  return {
    history: (): readonly Recorded[] => history,
    record: async (operation: () => Promise<Effect>): Promise<void> => {
      const called = (time += 1)
      const effect = await operation()
      history.push({ effect, called, answered: (time += 1) })
    },
  }
}
