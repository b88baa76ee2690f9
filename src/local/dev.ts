/**
 * `npm run dev`: wrangler's development server, which reloads on changes, with the state of `npm start`, the demo user
 * and the sweep of each minute.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { join, resolve } from 'node:path'
import { runCommand } from './command.ts'
import { seedDemo } from './demo.ts'
import { givenSecrets, localKeys, writePrivate } from './keys.ts'
import { showDemo } from './openrc.ts'
import { parseOptions, StartError, usageOf, type Options } from './options.ts'
import { announce } from './progress.ts'
import { HOST, requireFreePort, SWEEP_MILLISECONDS, untilMigrated, WRANGLER } from './runtime.ts'

/** In milliseconds: how often the service is asked whether it is ready, and for how long. */
const POLL = 250
const MOST_START = 120_000

/** The path at which wrangler's server runs the cron trigger, which it does not run by itself. */
const TRIGGER = '/cdn-cgi/local/scheduled'

/** Returns a line of a file for `--env-file`. Throws {@link StartError} for values that its parser would change. */
function assignment(name: string, value: string): string {
  if (/[\n\r'$]/.test(value)) throw new StartError(`${name}: npm run dev cannot pass on a line break, ' or $`)
  return `${name}='${value}'\n`
}

/** Starts wrangler's server. Variables are in a file and not among its arguments, which other users can list. */
function startServer({ port }: Options, state: string, variables: Readonly<Record<string, string>>): ChildProcess {
  const file = join(state, 'dev.env')
  // A jurisdiction of wrangler.toml is for the platform: workerd on one machine has none.
  const all = { JURISDICTION: '', LOG: 'problems', ...variables }
  writePrivate(
    file,
    Object.entries(all)
      .map(([name, value]) => assignment(name, value))
      .join(''),
  )
  const place = ['--ip', HOST, '--port', String(port), '--persist-to', state, '--env-file', file]
  return spawn(process.execPath, [WRANGLER, 'dev', ...place], {
    stdio: 'inherit',
    // wrangler would serve an SQL console without a token, and record what each request does, on the same port.
    env: { ...process.env, X_LOCAL_EXPLORER: 'false', X_LOCAL_OBSERVABILITY: 'false' },
  })
}

/** Returns when the service answers; throws {@link StartError} if it does not, or ends. */
async function whenReady(url: string, child: ChildProcess): Promise<void> {
  const last = Date.now() + MOST_START
  while (Date.now() < last && child.exitCode === null) {
    const answer = await fetch(`${url}/healthcheck`).catch(() => null)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, POLL))
  }
  throw new StartError('the development server does not answer')
}

async function develop(args: readonly string[]): Promise<void> {
  const options = parseOptions(args)
  if (options.app !== null) throw new StartError('--app is an option of npm start')
  const given = await givenSecrets(options, process.env)
  const state = resolve(options.state)
  const { DEMO_PASSWORD, ...keys } = localKeys(state)
  await requireFreePort(options.port)
  const variables = { ...keys, ...options.variables, ...given }
  const child = startServer(options, state, variables)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal))
  child.once('close', (status) => process.exit(status ?? 1))
  const url = `http://${HOST}:${options.port}`
  await whenReady(url, child)
  await untilMigrated(`${url}/`)
  // Errors are ignored, because the next sweep does the same work.
  setInterval(() => void fetch(url + TRIGGER).catch(() => null), SWEEP_MILLISECONDS)
  announce(url, state)
  if (options.variables.LOG === undefined)
    console.log('  log:       wrangler prints requests, so LOG is problems; --var LOG:requests has their entries too')
  if (options.variables.IDENTITY === 'keystone') return
  const { demo, problems } = await seedDemo(url, variables.ADMIN_PASSWORD, DEMO_PASSWORD)
  for (const problem of problems) console.error(`portcullis: ${problem}`)
  if (demo) showDemo(url, state, demo, DEMO_PASSWORD)
}

await runCommand(usageOf('npm run dev', 'runs the service on this machine and reloads it on every change'), develop)
