/** `npm start`: builds and runs the service locally, with a demo project and user. */
import { readKeyring } from '../crypto/keyring.ts'
import { seedDemo, type Demo } from './demo.ts'
import { localKeys } from './keys.ts'
import { parseOptions, StartError } from './options.ts'
import { buildBundle, requireFreePort, startRuntime } from './runtime.ts'

function printDemo(url: string, { token, project, user }: Demo, password: string): void {
  console.log(`
A token of user ${user} in project ${project}, valid for an hour:

  ${token}

Order a 256-bit AES key:

  curl -s -X POST ${url}/v1/orders -H 'X-Auth-Token: ${token}' -H 'Content-Type: application/json' \\
    -d '{"type": "key", "meta": {"name": "first", "algorithm": "aes", "bit_length": 256, "mode": "gcm"}}'

For the OpenStack client:

  export OS_AUTH_URL=${url}/identity/v3
  export OS_IDENTITY_API_VERSION=3
  export OS_USERNAME=${user}
  export OS_PASSWORD=${password}
  export OS_PROJECT_NAME=${project}
  export OS_USER_DOMAIN_NAME=Default
  export OS_PROJECT_DOMAIN_NAME=Default
`)
}

/** Throws {@link StartError} for invalid keys, for which a deployed Worker would only respond with 503. */
async function requireMasterKeys(masterKeys: string): Promise<void> {
  await readKeyring(masterKeys).catch((error: Error) => {
    throw new StartError(`MASTER_KEYS: ${error.message}`)
  })
}

async function start(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  const { DEMO_PASSWORD, ...keys } = localKeys(options.state)
  // Log problems only, to keep the terminal readable; `--var LOG:requests` logs all requests.
  const variables = { LOG: 'problems', ...keys, ...options.variables }
  await requireMasterKeys(variables.MASTER_KEYS)
  await requireFreePort(options.port)
  console.log('Building the Worker …')
  await buildBundle(options.state)
  const runtime = await startRuntime(options.port, options.state, variables)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void runtime.stop().then(() => process.exit(0)))
  }
  const demo =
    options.variables.IDENTITY === 'keystone'
      ? null
      : await seedDemo(runtime.url, variables.ADMIN_PASSWORD, DEMO_PASSWORD)
  console.log(`Portcullis is ready on ${runtime.url}`)
  if (demo) printDemo(runtime.url, demo, DEMO_PASSWORD)
  else console.log(`Tokens are validated by the Keystone at ${options.variables.KEYSTONE_URL}`)
}

try {
  await start()
} catch (error) {
  console.error(error instanceof StartError ? `portcullis: ${error.message}` : error)
  process.exit(1)
}
