/**
 * Where this service deliberately answers differently from Barbican 15, with one name and reason for each. A test of such
 * an answer names the difference, so that a difference without a name fails on one of the two servers.
 */
import { it } from 'vitest'
import { differences } from '../peer/accepted-answers.ts'
import { peerUrl } from './client.ts'

export { differences }

export type Difference = keyof typeof differences

/** Whether the suite runs against the real Barbican. */
export const onPeer = peerUrl !== ''

/** Runs assertions that hold for this service and not for Barbican. */
export async function differs(difference: Difference, assertions: () => unknown): Promise<void> {
  if (!onPeer || !differences[difference]) await assertions()
}

/** A whole test of a difference, which is not run against Barbican. */
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
