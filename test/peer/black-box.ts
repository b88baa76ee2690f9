/** Runs the black-box suite, test/api, against a real Barbican: the same requests and the same assertions. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Barbican } from './barbican.ts'
import type { Keystone } from './keystone.ts'
import { startProcess, words } from './process.ts'
import type { Outcome } from './report.ts'

const ROOT = join(import.meta.dirname, '..', '..')

/** The parts of vitest's JSON report that are used here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

/** Throws if a file could not be run. */
function outcomesOf({ testResults }: Report): Outcome[] {
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const file = name.slice(name.lastIndexOf('/') + 1)
    if (assertionResults.length === 0) throw new Error(`black-box suite: ${file}: ${message}`)
    const run = assertionResults.filter(({ status }) => status === 'passed' || status === 'failed')
    return run.map(({ fullName, status, failureMessages }) => ({
      name: `peer: ${file}: ${fullName}`,
      failure: status === 'passed' ? null : failureMessages.join(' ').replaceAll(/\s+/g, ' ').slice(0, 500),
    }))
  })
}

/**
 * Runs the suite as Keystone's administrator; `state` is the folder for its report. Throws if no test was run.
 */
export async function runBlackBox(barbican: Barbican, keystone: Keystone, state: string): Promise<Outcome[]> {
  const file = join(state, 'black-box.json')
  console.log(`black-box suite: starting against ${barbican.url}`)
  const suite = startProcess(
    process.execPath,
    words`${join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')} run --config test/vitest.config.ts --reporter=json --outputFile=${file} test/api`,
    {
      folder: ROOT,
      environment: { PEER_URL: barbican.url, PEER_IDENTITY_URL: keystone.url, PATH: process.env['PATH'] ?? '' },
    },
  )
  await suite.ended
  const outcomes = outcomesOf(JSON.parse(await readFile(file, 'utf8')) as Report)
  if (outcomes.length === 0) throw new Error(`the black-box suite ran no test:\n${suite.lastLines()}`)
  console.log(
    `black-box suite: ${outcomes.filter(({ failure }) => failure === null).length} of ${outcomes.length} passed`,
  )
  return outcomes
}
