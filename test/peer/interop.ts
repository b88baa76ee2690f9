/**
 * `npm run interop`: runs real clients and test suites of other projects against Portcullis. Prints every step and then
 * `N passed, N failed`. The exit status is 1 if an outcome contradicts accepted-differences.md.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startBarbican } from './barbican.ts'
import { runBlackBox, runOwnBlackBox } from './black-box.ts'
import { runBrowser } from './browser.ts'
import { runCastellan } from './castellan.ts'
import {
  asymmetricOrders,
  certificateOrders,
  containersAclsConsumers,
  identityAdministration,
  secretsAndOrders,
} from './clients.ts'
import { compare, outcomesOf, readAcceptedDifferences } from './differences.ts'
import { runDocuments } from './documents.ts'
import { Observed, writeFigures } from './fidelity.ts'
import { runGenerated } from './generated.ts'
import { startKeystone, type Keystone } from './keystone.ts'
import { list, openSession, show, type Credentials } from './openstack.ts'
import { needPackages } from './packages.ts'
import { freePort, run, stopEverything, stopEverythingOnSignals } from './process.ts'
import { Report, type Outcome } from './report.ts'
import { runRuntimes } from './runtimes.ts'
import { refusedStarts } from './starting.ts'
import { runTempest } from './tempest.ts'
import { compareValidators } from './validators.ts'
import { startWorker, type Worker } from './worker.ts'
import { runYear } from './year.ts'

const parts = [
  'own',
  'clients',
  'documents',
  'browser',
  'generated',
  'year',
  'runtimes',
  'openssl',
  'crash',
  'validators',
  'peer',
  'castellan',
  'tempest',
] as const
/** Rounds of the crash test, without and with key rotation; `npm run crash` runs more. */
const CRASHES = 10
const CRASHES_IN_ROTATION = 4
type Part = (typeof parts)[number]

const USAGE = `usage: node test/peer/interop.ts [--only ${parts.join('|')}]…`

/** Parses the command line; throws for unknown options and parts. */
function readParts(args: readonly string[]): readonly Part[] {
  const { values } = parseArgs({ args: [...args], options: { only: { type: 'string', multiple: true } } })
  // Deno and Bun are 194 MB, which are downloaded only when they are asked for.
  if (values.only === undefined) return parts.filter((part) => part !== 'runtimes')
  return values.only.map((given) => {
    const only = parts.find((part) => part === given)
    if (only === undefined) throw new Error(`--only ${given}: not one of ${parts.join(', ')}`)
    return only
  })
}

/** Returns the credentials that the Worker printed. */
function printedCredentials({ OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME }: Worker['environment']) {
  if (!OS_AUTH_URL || !OS_USERNAME || !OS_PASSWORD || !OS_PROJECT_NAME)
    throw new Error('Portcullis did not print a complete log-in')
  return { authUrl: OS_AUTH_URL, username: OS_USERNAME, password: OS_PASSWORD, project: OS_PROJECT_NAME }
}

/** Runs the steps of the stock client with the embedded identity, as the printed user and as the administrator. */
async function runClients(state: string, observed: Observed): Promise<readonly Outcome[]> {
  const password = randomBytes(12).toString('hex')
  const worker = await startWorker({
    port: await freePort(),
    state: join(state, 'worker-embedded'),
    // The steps use the demo user and roles of both rule sets.
    variables: { ADMIN_PASSWORD: password, POLICY: 'both' },
    onRequest: (request) => observed.note('clients', request),
  })
  try {
    const report = new Report('clients')
    const printed: Credentials = printedCredentials(worker.environment)
    const user = await openSession(printed, join(state, 'clients'), report)
    await refusedStarts(join(state, 'refused'), report)
    const shell = { ...user, environment: worker.environment }
    await report.scenario('the variables that npm start prints', async () => {
      await report.step('token issue with these variables alone', () => show(shell, 'token', 'issue'))
      await report.step('secret list with these variables alone', () => list(shell, 'secret', 'list'))
    })
    await secretsAndOrders(user)
    await asymmetricOrders(user)
    await certificateOrders(user)
    await containersAclsConsumers(user)
    const administrator = { ...printed, username: 'admin', password, project: 'admin' }
    await identityAdministration(await openSession(administrator, join(state, 'clients'), report))
    return report.outcomes
  } finally {
    await worker.stop()
  }
}

/** Runs the commands of the pages for readers, as the user whose log-in `npm start` prints, with its default variables. */
async function runPages(state: string): Promise<readonly Outcome[]> {
  const worker = await startWorker({ port: await freePort(), state: join(state, 'worker-documents') })
  try {
    return await runDocuments(worker.environment)
  } finally {
    await worker.stop()
  }
}

/** Opens the pages of a service with its default variables in a browser. */
async function runInBrowser(state: string): Promise<readonly Outcome[]> {
  const worker = await startWorker({ port: await freePort(), state: join(state, 'worker-browser') })
  try {
    return await runBrowser(worker.url, join(state, 'browser'))
  } finally {
    await worker.stop()
  }
}

/** Uses what programs of others make of the contract. */
async function runGenerators(state: string): Promise<readonly Outcome[]> {
  const worker = await startWorker({ port: await freePort(), state: join(state, 'worker-generated') })
  try {
    return await runGenerated(join(state, 'generated'), worker.environment)
  } finally {
    await worker.stop()
  }
}

/** The platform has base64 and hex of byte arrays, and the source uses them. Node 24 has them only with this flag. */
const PLATFORM_FLAGS = 'toBase64' in Uint8Array.prototype ? [] : ['--js-base-64']

/** Runs a test that is a separate program; it passes if its exit status is 0. */
async function runProgram(name: string, program: string, ...args: readonly string[]): Promise<readonly Outcome[]> {
  const file = join(import.meta.dirname, program)
  const { status, stdout, stderr } = await run(process.execPath, [...PLATFORM_FLAGS, file, ...args])
  console.log(stdout.trim())
  return [{ name, failure: status === 0 ? null : stderr.slice(0, 1_000) }]
}

const crash = (name: string, rounds: number, ...options: readonly string[]) =>
  runProgram(name, '../crash/crash.ts', '--rounds', String(rounds), ...options)

/** Runs the tests of key pairs, certificates and the use of keys with openssl. */
async function runOpenssl(): Promise<readonly Outcome[]> {
  await needPackages(['openssl', 'python3-cryptography', 'python3-jwt'])
  return [
    ...(await runProgram('openssl: key pairs', 'openssl-key-pairs.ts')),
    ...(await runProgram('openssl: certificates', 'openssl-certificates.ts')),
    ...(await runProgram('openssl: use of keys', 'openssl-transit.ts')),
  ]
}

async function runCrashes(): Promise<readonly Outcome[]> {
  return [
    ...(await crash('crash: everything acknowledged exists', CRASHES)),
    ...(await crash('crash: keys are rotated concurrently', CRASHES_IN_ROTATION, '--rotate')),
  ]
}

/** What the suites with a real Keystone have in common. */
interface Suites {
  readonly state: string
  readonly keystone: Keystone
  readonly observed: Observed
}

/** Runs `use` with a Worker that accepts Keystone's tokens, and stops the Worker afterwards. */
async function withWorker<Value>(
  { state, keystone, observed }: Suites,
  { suite, policy }: { readonly suite: 'tempest' | 'castellan'; readonly policy: 'legacy' | 'secure' },
  use: (url: string) => Promise<Value>,
): Promise<Value> {
  const worker = await startWorker({
    port: await freePort(),
    state: join(state, `worker-${policy}`),
    variables: { IDENTITY: 'keystone', KEYSTONE_URL: keystone.url, POLICY: policy },
    onRequest: (request) => observed.note(suite, request),
  })
  try {
    return await use(worker.url)
  } finally {
    await worker.stop()
  }
}

/**
 * Runs Tempest with the new roles and with the legacy roles; it skips the tests that do not apply. Its tests of
 * multiple secret stores cannot be run with this version, because their `skip_checks` does not call that of the parent
 * class; test/api covers multiple stores instead.
 */
async function runTempestSuites(suites: Suites): Promise<readonly Outcome[]> {
  const { state, keystone } = suites
  const suite = (policy: 'legacy' | 'secure') =>
    withWorker(suites, { suite: 'tempest', policy }, async (url) => {
      const results = await runTempest({ url, keystone, strict: policy === 'secure', state: join(state, 'tempest') })
      return outcomesOf(`tempest ${policy}`, results, false)
    })
  return [...(await suite('secure')), ...(await suite('legacy'))]
}

/** Runs the black-box suite, which also runs against the Worker in `npm test`, against a real Barbican. */
async function runAgainstBarbican({ state, keystone, observed }: Suites): Promise<readonly Outcome[]> {
  const barbican = await startBarbican({ state: join(state, 'barbican'), port: await freePort(), keystone })
  try {
    return await runBlackBox(barbican, keystone, state, (requests) => observed.noteTest('barbican', requests))
  } finally {
    await barbican.stop()
  }
}

/** The suites that need a real Keystone. */
async function runSuites(state: string, wanted: readonly Part[], observed: Observed): Promise<readonly Outcome[]> {
  const keystone = await startKeystone({
    state: join(state, 'keystone'),
    port: await freePort(),
    keyManagerUrl: 'http://127.0.0.1:9311',
  })
  try {
    const suites = { state, keystone, observed }
    const tempest = wanted.includes('tempest') ? await runTempestSuites(suites) : []
    const castellan = wanted.includes('castellan')
      ? await withWorker(suites, { suite: 'castellan', policy: 'legacy' }, async (url) =>
          outcomesOf('castellan', await runCastellan({ url, keystone, state: join(state, 'castellan') }), true),
        )
      : []
    const barbican = wanted.includes('peer') ? await runAgainstBarbican(suites) : []
    return [...tempest, ...castellan, ...barbican]
  } finally {
    await keystone.stop()
  }
}

/** The parts whose requests the page of fidelity counts: only a run of all of them writes its figures. */
const counted: readonly Part[] = ['own', 'clients', 'peer', 'castellan', 'tempest']

const needKeystone: readonly Part[] = ['tempest', 'castellan', 'peer']

interface Run {
  readonly name: string
  readonly run: () => Promise<readonly Outcome[]>
}

/** What is to be run, the longest first. The suites with a Keystone share it and follow each other. */
function runsOf(wanted: readonly Part[], state: string, observed: Observed): readonly Run[] {
  const single: Readonly<Record<Exclude<Part, 'peer' | 'castellan' | 'tempest'>, Run['run']>> = {
    year: () => runYear(join(state, 'year')),
    clients: () => runClients(state, observed),
    own: () => runOwnBlackBox(state, (requests) => observed.noteTest('own', requests)),
    crash: runCrashes,
    openssl: runOpenssl,
    documents: () => runPages(state),
    browser: () => runInBrowser(state),
    generated: () => runGenerators(state),
    validators: compareValidators,
    runtimes: () => runRuntimes(join(state, 'runtimes')),
  }
  const chosen = Object.entries(single).flatMap(([name, run]) =>
    wanted.some((part) => part === name) ? [{ name, run }] : [],
  )
  const ofKeystone = needKeystone.filter((part) => wanted.includes(part))
  if (ofKeystone.length === 0) return chosen
  return [{ name: ofKeystone.join(', '), run: () => runSuites(state, wanted, observed) }, ...chosen]
}

/**
 * Runs two at the same time, because most use about one core, and CI machines have few. Begins none after one has thrown.
 */
async function runAll(runs: readonly Run[]): Promise<readonly Outcome[]> {
  const waiting = [...runs]
  const outcomes: Outcome[] = []
  async function lane(): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const begun = performance.now()
      try {
        outcomes.push(...(await next.run()))
      } catch (error) {
        waiting.length = 0
        throw error
      }
      console.log(`${next.name}: ended after ${Math.round((performance.now() - begun) / 1_000)} s`)
    }
  }
  await Promise.all([lane(), lane()])
  return outcomes
}

/** Runs the parts and returns whether all outcomes are as expected. */
async function interop(wanted: readonly Part[], state: string): Promise<boolean> {
  const file = join(import.meta.dirname, 'accepted-differences.md')
  const accepted = readAcceptedDifferences(await readFile(file, 'utf8'))
  const observed = new Observed()
  const all = await runAll(runsOf(wanted, state, observed))
  const comparison = compare(all, accepted)
  for (const name of comparison.accepted) console.log(`accepted difference: ${name}`)
  for (const wrong of comparison.wrong) console.log(`wrong: ${wrong}`)
  console.log(`${comparison.passed} passed, ${comparison.wrong.length} failed`)
  if (comparison.wrong.length > 0) return false
  if (counted.every((part) => wanted.includes(part))) writeFigures(observed.figures(all, accepted))
  return true
}

stopEverythingOnSignals()
let state: string | undefined
try {
  const wanted = readParts(process.argv.slice(2))
  // A short path, because Linux limits the length of the paths of sockets in it.
  state = await mkdtemp(join(tmpdir(), 'interop-'))
  const isAsExpected = await interop(wanted, state)
  process.exitCode = isAsExpected ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error, `\n${USAGE}`)
  process.exitCode = 1
} finally {
  await stopEverything()
}
if (state !== undefined && process.exitCode === 0) await rm(state, { recursive: true, force: true })
else if (state !== undefined) console.log(`logs are kept in ${state}`)
