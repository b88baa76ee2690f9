/** The secrets of the deployed Worker, through wrangler. Values go through standard input, never through arguments. */
import { spawn } from 'node:child_process'
import { StartError } from './options.ts'
import { ROOT, WRANGLER } from './runtime.ts'

interface Ran {
  readonly status: number | null
  readonly output: string
}

/** Runs wrangler with this standard input; `show`: its output is that of this program. */
async function run(args: readonly string[], input: string, show: boolean): Promise<Ran> {
  const child = spawn(process.execPath, [WRANGLER, ...args], { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => {
      output += part.toString()
      if (show) process.stdout.write(part)
    })
  child.stdin.end(input)
  const status = await new Promise<number | null>((done) => child.once('close', done))
  return { status, output }
}

/** Errors of wrangler that say that it has no account, or may not choose one. */
const NO_ACCOUNT =
  /CLOUDFLARE_API_TOKEN|Not logged in|More than one account|Authentication error|Unable to authenticate/i
const NO_WORKER = /Worker ".*" (?:\(env: .*\) )?not found/

/** How to let wrangler reach an account. */
const LOG_IN =
  'wrangler has no Cloudflare account to use: run npx wrangler login, or set CLOUDFLARE_API_TOKEN, and CLOUDFLARE_ACCOUNT_ID if there are several accounts. With --local the keys are made without one'

/**
 * Returns the names of the secrets that the Worker of this environment has; none if it was never deployed. Throws
 * {@link StartError} without an account.
 */
export async function secretNames(environment: readonly string[]): Promise<readonly string[]> {
  const { status, output } = await run(['secret', 'list', '--format', 'json', ...environment], '', false)
  if (status === 0) {
    const list = /\[[\s\S]*\]/.exec(output)?.[0] ?? '[]'
    return (JSON.parse(list) as { name: string }[]).map(({ name }) => name)
  }
  if (NO_WORKER.test(output)) return []
  if (NO_ACCOUNT.test(output)) throw new StartError(LOG_IN)
  throw new StartError(`wrangler secret list failed:\n${output}`)
}

/**
 * Sets secrets of the Worker, all or none, and makes the Worker if it was never deployed. Reports whether that worked;
 * wrangler has said why not.
 */
export async function putSecrets(
  secrets: Readonly<Record<string, string>>,
  environment: readonly string[],
): Promise<boolean> {
  const { status } = await run(['secret', 'bulk', ...environment], JSON.stringify(secrets), true)
  return status === 0
}
