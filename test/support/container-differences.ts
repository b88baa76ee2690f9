/**
 * Where containers, consumers, metadata, ACLs, quotas, stores and transport keys deliberately answer differently from
 * Barbican's; used like `differences.ts`.
 */
import { it } from 'vitest'
import { containerDifferences } from '../peer/accepted-answers.ts'
import { onPeer } from './differences.ts'

export { containerDifferences }

export type ContainerDifference = keyof typeof containerDifferences

/** A whole test of a difference, which is not run against Barbican. */
export const itDiffersInContainers = (difference: ContainerDifference) =>
  it.skipIf(onPeer && containerDifferences[difference] !== undefined)

/** What the server under test is expected to answer where both answers are known. */
export function eitherOfContainers<Ours, Peers>(
  difference: ContainerDifference,
  expected: { readonly ours: Ours; readonly peer: Peers },
) {
  return onPeer && containerDifferences[difference] ? expected.peer : expected.ours
}
