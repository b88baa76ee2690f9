/**
 * Where this service answers otherwise than the peer, a Barbican 15, and means to: one name and reason for each. A test
 * that meets one says so by its name, so a difference without a name is a failure on one of the two servers.
 */
import { it } from 'vitest'
import { differences } from '../peer/accepted-answers.ts'
import { peerUrl } from './client.ts'

export { differences }

export type Difference = keyof typeof differences

/** Whether the suite runs against the real Barbican. */
export const onPeer = peerUrl !== ''

/** Runs assertions that hold for this service and not for the peer. */
export async function differs(difference: Difference, assertions: () => unknown): Promise<void> {
  if (!onPeer || !differences[difference]) await assertions()
}

/** A whole test that is about a difference: it is not run against the peer. */
export const itDiffers = (difference: Difference) => it.skipIf(onPeer && differences[difference] !== undefined)

/** What the server under test is expected to answer where both answers are known. */
export function either<Ours, Peers>(difference: Difference, expected: { readonly ours: Ours; readonly peer: Peers }) {
  return onPeer && differences[difference] ? expected.peer : expected.ours
}

/** A time to the second, as the server under test writes it. */
export function timeOf(seconds: string, microseconds = '000000'): string {
  return either('times with microseconds', { ours: `${seconds}.${microseconds}`, peer: seconds })
}

/** Waits until Barbican's clock, whose times are in whole seconds, shows another time. */
export const aSecond = () => new Promise((resolve) => setTimeout(resolve, 1_100))
