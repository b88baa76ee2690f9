/**
 * Where Barbican's answers are not what the contract of this service says. Each entry is one of the intended differences, and
 * says by which violations of the contract it shows; see `test/support/contract.ts`.
 */
import type { containerDifferences, differences } from './accepted-answers.ts'

type Difference = keyof typeof differences | keyof typeof containerDifferences

interface AcceptedViolation {
  readonly violation: RegExp
  readonly difference: Difference
}

const accepted: readonly AcceptedViolation[] = [
  { violation: /^\w+ 413: none of its failures says/, difference: 'limits say so' },
  { violation: /^deleteContainerSecrets 500: none of its failures says .*Read Error/, difference: 'no read error' },
  { violation: /^\w+TransportKeys? \d+: /, difference: 'no transport keys' },
  { violation: /^getSecret(Payload)? 200: its type is \*\/\*/, difference: 'stored type for any type' },
  { violation: /^getOrders? 200: /, difference: 'closed meta' },
  { violation: /^\w+ 404: none of its failures says .*"description": ?""/, difference: 'versions of secrets' },
  { violation: /^\w+ 406: none of its failures says .*"description": ?""/, difference: 'always 405' },
]

/** The difference from Barbican that a violation of the contract shows; undefined: none that is intended. */
export const differenceIn = (violation: string): Difference | undefined =>
  accepted.find((each) => each.violation.test(violation))?.difference
