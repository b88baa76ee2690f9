/**
 * Where containers, consumers, metadata, ACLs, quotas, stores and transport keys answer otherwise than those of the
 * peer, and mean to; the same register as `differences.ts`.
 */
import { it } from 'vitest'
import { containerDifferences } from '../peer/accepted-answers.ts'
import { onPeer } from './differences.ts'

export { containerDifferences }

export type ContainerDifference = keyof typeof containerDifferences

/** A whole test that is about a difference: it is not run against the peer. */
export const itDiffersInContainers = (difference: ContainerDifference) =>
  it.skipIf(onPeer && containerDifferences[difference] !== undefined)

/** What the server under test is expected to answer where both answers are known. */
export function eitherOfContainers<Ours, Peers>(
  difference: ContainerDifference,
  expected: { readonly ours: Ours; readonly peer: Peers },
) {
  return onPeer && containerDifferences[difference] ? expected.peer : expected.ours
}
