/** Runs the black-box suite, test/api, against this service and a real Barbican: the same requests and assertions. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Barbican } from './barbican.ts'
import type { SeenRequest } from './fidelity.ts'
import type { Keystone } from './keystone.ts'
import { startProcess, words, type Environment } from './process.ts'
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
      readonly meta?: { readonly requests?: readonly string[] }
    }[]
  }[]
}

/** Returns the tests that ran. Throws if a file could not be run. */
function testsOf({ testResults }: Report) {
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const file = name.slice(name.lastIndexOf('/') + 1)
    if (assertionResults.length === 0) throw new Error(`black-box suite: ${file}: ${message}`)
    const run = assertionResults.filter(({ status }) => status === 'passed' || status === 'failed')
    return run.map((test) => ({ file, ...test }))
  })
}

function seenIn(text: string): SeenRequest {
  const [method = '', path = '', microversion = ''] = text.split(' ')
  return { method, path, microversion }
}

interface SuiteOptions {
  /** Begins the names of outcomes. */
  readonly name: 'own' | 'peer'
  readonly environment: Environment
  /** The folder for the report. */
  readonly state: string
  /** Called with the requests of each test that passed. */
  readonly onTest: (requests: readonly SeenRequest[]) => void
}

/** Throws if no test was run. */
async function runSuite({ name, environment, state, onTest }: SuiteOptions): Promise<Outcome[]> {
  const file = join(state, `black-box-${name}.json`)
  const suite = startProcess(
    process.execPath,
    words`${join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')} run --config test/vitest.config.ts --reporter=json --outputFile=${file} test/api`,
    { folder: ROOT, environment: { ...environment, RECORD_REQUESTS: 'yes', PATH: process.env['PATH'] ?? '' } },
  )
  await suite.ended
  const tests = testsOf(JSON.parse(await readFile(file, 'utf8')) as Report)
  if (tests.length === 0) throw new Error(`the black-box suite ran no test:\n${suite.lastLines()}`)
  const passed = tests.filter(({ status }) => status === 'passed')
  for (const { meta } of passed) onTest((meta?.requests ?? []).map(seenIn))
  console.log(`black-box suite (${name}): ${passed.length} of ${tests.length} passed`)
  return tests.map(({ file, fullName, status, failureMessages }) => ({
    name: `${name}: ${file}: ${fullName}`,
    failure: status === 'passed' ? null : failureMessages.join(' ').replaceAll(/\s+/g, ' ').slice(0, 500),
  }))
}

type OnTest = SuiteOptions['onTest']

/** Runs the suite against this service; `state` is the folder for its report. Throws if no test was run. */
export function runOwnBlackBox(state: string, onTest: OnTest): Promise<Outcome[]> {
  console.log('black-box suite: starting against this service')
  return runSuite({ name: 'own', environment: {}, state, onTest })
}

/** Runs the suite as Keystone's administrator; `state` is the folder for its report. Throws if no test was run. */
export function runBlackBox(barbican: Barbican, keystone: Keystone, state: string, onTest: OnTest): Promise<Outcome[]> {
  console.log(`black-box suite: starting against ${barbican.url}`)
  const environment = { PEER_URL: barbican.url, PEER_IDENTITY_URL: keystone.url }
  return runSuite({ name: 'peer', environment, state, onTest })
}
