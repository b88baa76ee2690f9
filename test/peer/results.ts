/** Runs a Python test program and reads its results from its Subunit stream. */
import { join } from 'node:path'
import { startProcess, type Environment } from './process.ts'

export interface Unsuccessful {
  readonly name: string
  readonly reason: string
}

export interface Results {
  readonly passed: readonly string[]
  readonly failed: readonly Unsuccessful[]
  readonly skipped: readonly Unsuccessful[]
}

export interface TestProgram {
  /** The prefix of progress lines. */
  readonly name: string
  /** A shell command that writes Subunit v2 to standard output; pass values through `environment`. */
  readonly command: string
  readonly environment: Environment
  readonly folder: string
}

type Line = Unsuccessful & { readonly outcome: keyof Results }

const PROGRESS_EVERY = 25

/**
 * Runs the program, and prints a line for every failure and every 25 tests.
 * Throws if no test was run (skipped tests do not count), and if the program failed although none of its tests did.
 */
export async function runTests({ name, command, environment, folder }: TestProgram): Promise<Results> {
  const results = { passed: [] as string[], failed: [] as Unsuccessful[], skipped: [] as Unsuccessful[] }
  const take = (text: string): void => {
    const line = JSON.parse(text) as Line
    if (line.outcome === 'passed') results.passed.push(line.name)
    else results[line.outcome].push({ name: line.name, reason: line.reason })
    if (line.outcome === 'failed') console.log(`${name}: failed ${line.name}: ${line.reason}`)
    const ended = results.passed.length + results.failed.length
    if (line.outcome !== 'skipped' && ended % PROGRESS_EVERY === 0) console.log(`${name}: ${ended} tests done`)
  }
  const program = startProcess('bash', ['-c', `set -o pipefail; ${command} | /usr/bin/python3 "$RESULTS"`], {
    environment: { ...environment, RESULTS: join(import.meta.dirname, 'results.py') },
    folder,
    onLine: take,
  })
  const status = await program.ended
  const { passed, failed, skipped } = results
  console.log(`${name}: ${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`)
  if (passed.length + failed.length === 0)
    throw new Error(`${name} ran no test: ${skipped[0]?.reason ?? program.lastLines()}`)
  if (status !== 0 && failed.length === 0)
    throw new Error(`${name} ended with status ${status} although no test failed:\n${program.lastLines()}`)
  return results
}
