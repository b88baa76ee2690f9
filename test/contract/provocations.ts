/**
 * A reporter that compares, after a run of all tests, the failures that operations declare with those that a test has
 * provoked, and fails the run for those that nothing provokes. What is thrown and not declared fails at once, in
 * `test/support/client.ts`.
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'
import { unprovoked as accepted } from './unprovoked.ts'

const ROOT = join(import.meta.dirname, '..', '..')

interface Operation {
  readonly operationId?: string
  readonly 'x-faults'?: readonly string[]
}

/** What each operation declares, as `<operation> <failure>`. */
function declared(): string[] {
  const contract = JSON.parse(readFileSync(join(ROOT, 'src/contract/openapi.json'), 'utf8')) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  }
  return Object.values(contract.paths)
    .flatMap((item) => Object.values(item))
    .flatMap(({ operationId = '', 'x-faults': faults = [] }) => faults.map((fault) => `${operationId} ${fault}`))
}

/** Tests of random requests, which provoke other failures in each run. */
const RANDOM = /\/generated-requests\.test\.ts$/

const provokedIn = (module: TestModule): readonly string[] =>
  RANDOM.test(module.moduleId) ? [] : [...module.children.allTests()].flatMap((test) => test.meta().provoked ?? [])

/** What is missing is known once all test files have passed; parts of them cannot have provoked everything. */
export const provocations: Reporter = {
  onTestRunEnd(modules) {
    if (process.env['PEER_URL']) return
    const seen = new Set(modules.flatMap(provokedIn))
    for (const each of Object.keys(accepted).filter((one) => seen.has(one)))
      console.log(`test/contract/unprovoked.ts need not have it, for it is provoked: ${each}`)
    const files = globSync('test/**/*.test.ts', { cwd: ROOT })
    if (modules.length < files.length || modules.some((module) => module.state() === 'failed')) return
    const missing = declared().filter((each) => !seen.has(each) && !Object.hasOwn(accepted, each))
    for (const each of missing) console.error(`declared, but no test provokes it: ${each}`)
    if (missing.length > 0) process.exitCode = 1
  },
}
