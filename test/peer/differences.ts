/** Compares what failed with the differences that are accepted by name, each with its reason. */
import type { Outcome } from './report.ts'
import type { Results } from './results.ts'

/** A line of the table in accepted-differences.md; `name` is that of an outcome. */
export interface AcceptedDifference {
  readonly name: string
  readonly reason: string
}

export interface Comparison {
  readonly passed: number
  /** Outcomes that are not as they should be, each with what is wrong. */
  readonly wrong: readonly string[]
  /** Failures that are listed. */
  readonly accepted: readonly string[]
}

/**
 * Reads the rows below the head of a Markdown table: name in backticks, what differs, why.
 * Throws when a row has another form, gives no reason, or names something twice.
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

/** Outcomes of a Python test program under `prefix`. A skipped test counts as failed when `skipsFail` is set. */
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

/** The part of a name that says what was run: `clients`, `castellan`, `tempest secure`. */
const suiteOf = (name: string): string => name.split(': ', 1)[0] ?? name

/**
 * Wrong is a failure that is not listed, and a listed one that passed or did not run although its suite did.
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
