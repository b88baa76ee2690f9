/** Compares the failures of a run with the accepted differences. */
import type { Outcome } from './report.ts'
import type { Results } from './results.ts'

/** A row of the table in accepted-differences.md; `name` is the name of an outcome. */
export interface AcceptedDifference {
  readonly name: string
  readonly reason: string
}

export interface Comparison {
  readonly passed: number
  /** Unexpected outcomes, each with a description. */
  readonly wrong: readonly string[]
  /** Failures that are listed. */
  readonly accepted: readonly string[]
}

/**
 * Parses the rows of the Markdown table: the name in backticks, the difference, the reason.
 * Throws if a row has another form, has no reason, or repeats a name.
 */
export function readAcceptedDifferences(markdown: string): readonly AcceptedDifference[] {
  const read = new Map<string, AcceptedDifference>()
  const table = markdown.split('\n').filter((line) => line.startsWith('|'))
  for (const line of table.slice(2)) {
    const [, name, difference, reason] = /^\|\s*`([^`]+)`\s*\|([^|]*)\|([^|]*)\|$/.exec(line) ?? []
    if (!name || !difference?.trim() || !reason?.trim()) throw new Error(`not an accepted difference: ${line}`)
    if (read.has(name)) throw new Error(`accepted difference listed twice: ${name}`)
    read.set(name, { name, reason: reason.trim() })
  }
  return [...read.values()]
}

/** Converts the results of a Python test program, with a name prefix. `skipsFail`: a skipped test counts as failed. */
export function outcomesOf(prefix: string, results: Results, skipsFail: boolean): readonly Outcome[] {
  const named = (name: string): string => `${prefix}: ${name}`
  return [
    ...results.passed.map((name) => ({ name: named(name), failure: null })),
    ...results.failed.map(({ name, reason }) => ({ name: named(name), failure: reason })),
    ...(skipsFail ? results.skipped : []).map(({ name, reason }) => ({
      name: named(name),
      failure: `skipped: ${reason}`,
    })),
  ]
}

/** The prefix of a name, which identifies the suite: `clients`, `castellan`, `tempest secure`. */
const suiteOf = (name: string): string => name.split(': ', 1)[0] ?? name

/**
 * Compares outcomes with the list. A failure that is not listed is wrong, and so is a listed one that passed, or that
 * did not run although its suite did.
 */
export function compare(outcomes: readonly Outcome[], accepted: readonly AcceptedDifference[]): Comparison {
  const listed = new Set(accepted.map(({ name }) => name))
  const suites = new Set(outcomes.map(({ name }) => suiteOf(name)))
  const seen = new Set(outcomes.map(({ name }) => name))
  const failures = outcomes.filter(({ failure }) => failure !== null)
  return {
    passed: outcomes.filter(({ name, failure }) => failure === null && !listed.has(name)).length,
    accepted: failures.filter(({ name }) => listed.has(name)).map(({ name }) => name),
    wrong: [
      ...failures.filter(({ name }) => !listed.has(name)).map(({ name, failure }) => `${name}: ${failure}`),
      ...outcomes
        .filter(({ name, failure }) => failure === null && listed.has(name))
        .map(({ name }) => `${name}: listed as an accepted difference, but passed`),
      ...accepted
        .filter(({ name }) => suites.has(suiteOf(name)) && !seen.has(name))
        .map(({ name }) => `${name}: listed as an accepted difference, but did not run`),
    ],
  }
}
