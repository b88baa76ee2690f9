/** Small faults in what is done about errors of the platform, and in the budgets of the sweep. */
import { inFile } from './fault.ts'

export const ofPlatform = [
  ...inFile(
    'state/database/repetition',
    ['faults/each-call', 'state/group-commit'],
    ['if (stored.size === 0) return null', 'return null', 'a change whose answer was lost is made twice'],
    ["unit.every(({ kind }) => kind !== 'write')", 'false', 'reads are not repeated'],
    [
      'isRefused(error) ? await storedResults(units, send) : null',
      'null',
      'a change that arrives late is a failure',
      'calls do not overtake each other in the tests',
    ],
    [
      'const changed = eventsOf(unit).some((id) => stored.has(id)) ? storedChange : noChange',
      'const changed = storedChange',
      'of a group, mutations that changed nothing count as stored',
    ],
  ),
  ...inFile(
    'state/database/refusals',
    ['faults/each-call', 'state/passing-errors'],
    ["if (overloaded) return { passing: 'overloaded', cause }", '', 'an overloaded object is called again'],
    ['if (retryable || durableObjectReset) return', 'if (retryable) return', 'an object that restarted is a failure'],
    [
      'error instanceof Fault || isRefused(error)',
      'error instanceof Fault',
      'a message of a constraint is read as one of the platform',
    ],
  ),
  ...inFile(
    'state/project-calls',
    ['faults/each-call'],
    ['if (!mayBeStored(error)) throw unavailability(error)', '', 'an overloaded object gets more calls'],
  ),
  ...inFile(
    'repetition',
    ['state/passing-errors'],
    ['Date.now() < deadline', 'true', 'a call is repeated long after its client has gone'],
    ['(0.5 + Math.random() / 2)', '1', 'callers that failed together come again together'],
    ['number <= tries', 'number < tries', 'a call is tried twice'],
  ),
  ...inFile(
    'state/keys/rotation',
    ['state/rotation', 'state/platform-budgets'],
    [
      "and ${projectKeys.wrapped} = unhex(value ->> 'before')",
      '',
      'a key that was rewrapped meanwhile is put back under an older master key',
    ],
    ['const MOST_STEPS = 10', 'const MOST_STEPS = 100', 'a rotation takes more statements than the platform allows'],
  ),
  ...inFile(
    'state/wake',
    ['state/platform-budgets'],
    ['const MOST_WOKEN = 150', 'const MOST_WOKEN = 2000', 'a sweep calls more objects than the platform allows'],
  ),
]
