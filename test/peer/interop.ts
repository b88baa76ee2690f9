/**
 * `npm run interop`: real clients and real test suites against Portcullis. Prints every step, then
 * `N passed, N failed`, and ends with status 1 when something is not as accepted-differences.md says.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runCastellan } from './castellan.ts'
import { asymmetricOrders, containersAclsConsumers, identityAdministration, secretsAndOrders } from './clients.ts'
import { compare, outcomesOf, readAcceptedDifferences } from './differences.ts'
import { startKeystone, type Keystone } from './keystone.ts'
import { openSession, type Credentials } from './openstack.ts'
import { freePort, stopEverything, stopEverythingOnSignals } from './process.ts'
import { Report, type Outcome } from './report.ts'
import { runTempest } from './tempest.ts'
import { startWorker, type Worker } from './worker.ts'

const parts = ['clients', 'castellan', 'tempest'] as const
type Part = (typeof parts)[number]

const USAGE = `usage: node test/peer/interop.ts [--only ${parts.join('|')}]`

/** Throws on anything that is not an option or not the name of a part. */
function readParts(args: readonly string[]): readonly Part[] {
  const { values } = parseArgs({ args: [...args], options: { only: { type: 'string' } } })
  if (values.only === undefined) return parts
  const only = parts.find((part) => part === values.only)
  if (only === undefined) throw new Error(`--only ${values.only}: not one of ${parts.join(', ')}`)
  return [only]
}

/** The log-in that the Worker printed. */
function printedCredentials({ OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME }: Worker['environment']) {
  if (!OS_AUTH_URL || !OS_USERNAME || !OS_PASSWORD || !OS_PROJECT_NAME)
    throw new Error('Portcullis did not print a complete log-in')
  return { authUrl: OS_AUTH_URL, username: OS_USERNAME, password: OS_PASSWORD, project: OS_PROJECT_NAME }
}

/** The stock client and the embedded identity: the printed user works, the administrator administers. */
async function runClients(state: string): Promise<readonly Outcome[]> {
  const password = randomBytes(12).toString('hex')
  const worker = await startWorker({
    port: await freePort(),
    state: join(state, 'worker-embedded'),
    variables: { ADMIN_PASSWORD: password },
  })
  try {
    const report = new Report('clients')
    const printed: Credentials = printedCredentials(worker.environment)
    const user = await openSession(printed, join(state, 'clients'), report)
    await secretsAndOrders(user)
    await asymmetricOrders(user)
    await containersAclsConsumers(user)
    const administrator = { ...printed, username: 'admin', password, project: 'admin' }
    await identityAdministration(await openSession(administrator, join(state, 'clients'), report))
    return report.outcomes
  } finally {
    await worker.stop()
  }
}

/** Starts a Worker that takes Keystone's tokens, for as long as `use` runs. */
async function withWorker<Value>(
  state: string,
  keystone: Keystone,
  policy: 'legacy' | 'secure',
  use: (url: string) => Promise<Value>,
): Promise<Value> {
  const worker = await startWorker({
    port: await freePort(),
    state: join(state, `worker-${policy}`),
    variables: { IDENTITY: 'keystone', KEYSTONE_URL: keystone.url, POLICY: policy },
  })
  try {
    return await use(worker.url)
  } finally {
    await worker.stop()
  }
}

/** castellan and Tempest with a real Keystone. Tempest skips what its configuration rules out, castellan nothing. */
async function runSuites(state: string, wanted: readonly Part[]): Promise<readonly Outcome[]> {
  const keystone = await startKeystone({
    state: join(state, 'keystone'),
    port: await freePort(),
    keyManagerUrl: 'http://127.0.0.1:9311',
  })
  const tempest = (policy: 'legacy' | 'secure', url: string) =>
    runTempest({ url, keystone, strict: policy === 'secure', state: join(state, 'tempest') }).then((results) =>
      outcomesOf(`tempest ${policy}`, results, false),
    )
  try {
    const secure = wanted.includes('tempest')
      ? await withWorker(state, keystone, 'secure', (url) => tempest('secure', url))
      : []
    const legacy = await withWorker(state, keystone, 'legacy', async (url) => [
      ...(wanted.includes('castellan')
        ? outcomesOf('castellan', await runCastellan({ url, keystone, state: join(state, 'castellan') }), true)
        : []),
      ...(wanted.includes('tempest') ? await tempest('legacy', url) : []),
    ])
    return [...secure, ...legacy]
  } finally {
    await keystone.stop()
  }
}

/** Runs the wanted parts and returns whether all is as accepted. */
async function interop(wanted: readonly Part[], state: string): Promise<boolean> {
  const file = join(import.meta.dirname, 'accepted-differences.md')
  const accepted = readAcceptedDifferences(await readFile(file, 'utf8'))
  const outcomes: Outcome[] = []
  if (wanted.includes('clients')) outcomes.push(...(await runClients(state)))
  if (wanted.some((part) => part !== 'clients')) outcomes.push(...(await runSuites(state, wanted)))
  const comparison = compare(outcomes, accepted)
  for (const name of comparison.accepted) console.log(`accepted difference: ${name}`)
  for (const wrong of comparison.wrong) console.log(`wrong: ${wrong}`)
  console.log(`${comparison.passed} passed, ${comparison.wrong.length} failed`)
  return comparison.wrong.length === 0
}

stopEverythingOnSignals()
let state: string | undefined
try {
  const wanted = readParts(process.argv.slice(2))
  // Short, since a socket lies below it.
  state = await mkdtemp(join(tmpdir(), 'interop-'))
  const isAsAccepted = await interop(wanted, state)
  process.exitCode = isAsAccepted ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error, `\n${USAGE}`)
  process.exitCode = 1
} finally {
  await stopEverything()
}
if (state !== undefined && process.exitCode === 0) await rm(state, { recursive: true, force: true })
else if (state !== undefined) console.log(`logs are kept in ${state}`)
