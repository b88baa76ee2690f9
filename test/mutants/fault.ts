/** The form of a small fault that is put into the source to see whether the tests notice it. */

export interface SmallFault {
  /** The file of the source, from the root of the repository. */
  readonly file: string
  /** Text that occurs exactly once in the file, and what replaces it. */
  readonly from: string
  readonly to: string
  /** What would go wrong. */
  readonly why: string
  /** The test files that should notice. */
  readonly tests: readonly string[]
  /** Why the fault changes nothing that a test could see; absent for a fault that must be noticed. */
  readonly survives?: string
}

/** A fault in a file that is given beside it. */
export type FaultInFile = readonly [from: string, to: string, why: string, survives?: string]

/** Faults in one file of `src`, which these tests should notice; both without the parts that all names share. */
export const inFile = (file: string, tests: readonly string[], ...faults: readonly FaultInFile[]): SmallFault[] =>
  faults.map(([from, to, why, survives]) => ({
    file: `src/${file}.ts`,
    from,
    to,
    why,
    tests: tests.map((test) => `test/${test}.test.ts`),
    ...(survives !== undefined && { survives }),
  }))
