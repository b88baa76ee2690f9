/** `npm start`: builds and runs the service locally, with a demo project and user. */
import { resolve } from 'node:path'
import { accessLine, requestIn } from './access-line.ts'
import { runCommand } from './command.ts'
import { seedDemo } from './demo.ts'
import { givenSecrets, localKeys } from './keys.ts'
import { showDemo } from './openrc.ts'
import { parseOptions, usageOf } from './options.ts'
import { announce, step } from './progress.ts'
import { buildBundle, requireFreePort, startRuntime, type Print } from './runtime.ts'

/** Whether requests are those of the user. Before, they are this program's own, which makes the demo. */
let isReady = false

const print: Print = ({ level, message }) => {
  if (!isReady && requestIn(message)) return
  if (level === 'error' || level === 'warn') console.error(accessLine(message))
  else console.log(accessLine(message))
}

async function start(args: readonly string[]): Promise<void> {
  const options = parseOptions(args)
  const given = await givenSecrets(options, process.env)
  const state = resolve(options.state)
  const { DEMO_PASSWORD, ...keys } = localKeys(state)
  const variables = { ...keys, ...options.variables, ...given }
  await requireFreePort(options.port)
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
  const { demo, problems } = await step('Making the demo project and user', () =>
    seedDemo(runtime.url, variables.ADMIN_PASSWORD, DEMO_PASSWORD),
  )
  announce(runtime.url, state)
  for (const problem of problems) console.error(`portcullis: ${problem}`)
  if (demo) showDemo(runtime.url, state, demo, DEMO_PASSWORD)
  isReady = true
}

await runCommand(usageOf('npm start', 'builds the service and runs it on this machine, with a demo user'), start)
