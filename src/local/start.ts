/** `npm start`: builds and runs the service locally, with a demo project and user. */
import { resolve } from 'node:path'
import { accessLine, requestIn } from './access-line.ts'
import { buildApplication, edgeCredentialOf } from './application.ts'
import { runCommand } from './command.ts'
import { requireDemo, seedDemo } from './demo.ts'
import { givenSecrets, localKeys } from './keys.ts'
import { showDemo } from './openrc.ts'
import { parseOptions, StartError, usageOf } from './options.ts'
import { announce, step } from './progress.ts'
import { buildBundle, requireFreePort, startRuntime, type Print, type Runtime } from './runtime.ts'

/** Whether requests are those of the user. Before, they are this program's own, which makes the demo. */
let isReady = false

const print: Print = ({ level, message }) => {
  if (!isReady && requestIn(message)) return
  if (level === 'error' || level === 'warn') console.error(accessLine(message))
  else console.log(accessLine(message))
}

/** Serves an application on the port, with a credential of the demo user. Returns its name and URL. */
async function serveApplication(runtime: Runtime, state: string, config: string, port: number, token: string) {
  // npm runs its scripts in the folder of the package, whatever folder the user is in.
  const file = resolve(process.env['INIT_CWD'] ?? '.', config)
  const credential = await edgeCredentialOf(runtime.url, token)
  const { name, options } = await buildApplication(file, state, { port, credential })
  await runtime.serveBeside([options])
  return `Application ${name} is ready on http://127.0.0.1:${port}`
}

async function start(args: readonly string[]): Promise<void> {
  const options = parseOptions(args)
  const { app } = options
  if (app !== null && options.variables.IDENTITY === 'keystone') throw new StartError('--app needs IDENTITY embedded')
  const given = await givenSecrets(options, process.env)
  const state = resolve(options.state)
  const { DEMO_PASSWORD, ...keys } = localKeys(state)
  const binding = app === null ? {} : { EDGE_CREDENTIALS: 'on' }
  const variables = { ...keys, ...binding, ...options.variables, ...given }
  await requireFreePort(options.port)
  if (app !== null) await requireFreePort(options.port + 1)
  await step('Building the Worker', () => buildBundle(state))
  const runtime = await step('Starting workerd', () => startRuntime(options.port, state, variables, { print }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void runtime.stop().then(() => process.exit(0)))
  }
  if (options.variables.IDENTITY === 'keystone') {
    announce(runtime.url, state)
    console.log(`Tokens are those of the Keystone at ${options.variables.KEYSTONE_URL}`)
    isReady = true
    return
  }
  const seeded = await step('Making the demo project and user', () =>
    seedDemo(runtime.url, variables.ADMIN_PASSWORD, DEMO_PASSWORD),
  )
  const { demo, problems } = seeded
  const served =
    app === null
      ? null
      : await step('Building the application', () =>
          serveApplication(runtime, state, app, options.port + 1, requireDemo(seeded).token),
        )
  announce(runtime.url, state)
  for (const problem of problems) console.error(`portcullis: ${problem}`)
  if (demo) showDemo(runtime.url, state, demo, DEMO_PASSWORD)
  if (served !== null) console.log(served)
  isReady = true
}

await runCommand(usageOf('npm start', 'builds the service and runs it on this machine, with a demo user'), start)
