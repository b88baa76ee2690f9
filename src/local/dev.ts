/** `npm run dev`: wrangler's development server, which reloads on changes, with the state of `npm start`. */
import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { KEYS_FILE, localKeys } from './keys.ts'
import { parseOptions, StartError } from './options.ts'
import { requireFreePort, WRANGLER } from './runtime.ts'

async function develop(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  const state = resolve(options.state)
  localKeys(state)
  await requireFreePort(options.port)
  const variables = Object.entries(options.variables).flatMap(([name, value]) => ['--var', `${name}:${value}`])
  const place = ['--port', String(options.port), '--persist-to', state, '--env-file', join(state, KEYS_FILE)]
  const child = spawn(process.execPath, [WRANGLER, 'dev', ...place, ...variables], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal))
  child.once('close', (status) => process.exit(status ?? 1))
}

try {
  await develop()
} catch (error) {
  console.error(error instanceof StartError ? `portcullis: ${error.message}` : error)
  process.exit(1)
}
