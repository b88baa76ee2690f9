/**
 * Intended differences from Barbican in the responses for containers, consumers, metadata, ACLs, quotas, secret stores
 * and transport keys; used like `differences.ts`.
 */
import { it } from 'vitest'
import { containerDifferences } from '../peer/accepted-answers.ts'
import { onPeer } from './differences.ts'

export { containerDifferences }

export type ContainerDifference = keyof typeof containerDifferences

/** Defines a test of a difference, which is skipped against Barbican. */
export const itDiffersInContainers = (difference: ContainerDifference) =>
  it.skipIf(onPeer && containerDifferences[difference] !== undefined)

/** Selects the expected value for the server under test. */
export function eitherOfContainers<Ours, Theirs>(
  difference: ContainerDifference,
  expected: { readonly ours: Ours; readonly peer: Theirs },
) {
  return onPeer && containerDifferences[difference] ? expected.peer : expected.ours
}
