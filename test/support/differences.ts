/**
 * Intended differences from Barbican 15, each with a name and a reason. A test that expects a difference refers to its
 * name; a test that does not expect a difference fails against one of the two servers.
 */
import { it } from 'vitest'
import { differences } from '../peer/accepted-answers.ts'
import { peerUrl } from './client.ts'

export { differences }

export type Difference = keyof typeof differences

/** Whether the suite runs against Barbican. */
export const onPeer = peerUrl !== ''

/** Runs assertions that only hold for this service; skips them against Barbican. */
export async function differs(difference: Difference, assertions: () => unknown): Promise<void> {
  if (!onPeer || !differences[difference]) await assertions()
}

/** Defines a test of a difference, which is skipped against Barbican. */
export const itDiffers = (difference: Difference) => it.skipIf(onPeer && differences[difference] !== undefined)

/** Selects the expected value for the server under test. */
export function either<Ours, Theirs>(difference: Difference, expected: { readonly ours: Ours; readonly peer: Theirs }) {
  return onPeer && differences[difference] ? expected.peer : expected.ours
}

/** Formats a time as the server under test does. */
export function timeOf(seconds: string, microseconds = '000000'): string {
  return either('times with microseconds', { ours: `${seconds}.${microseconds}`, peer: seconds })
}

/** Waits until a new time differs from earlier ones: Barbican's times are in whole seconds. */
export const aSecond = () => new Promise((resolve) => setTimeout(resolve, 1_100))
