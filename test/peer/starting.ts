/** Steps for failures of `npm start`: it must exit with a non-zero status and print one line with the reason. */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { freePort, run, words, type Environment } from './process.ts'
import { Report } from './report.ts'

const START = join(import.meta.dirname, '..', '..', 'src', 'local', 'start.ts')

/** Throws unless the start fails with status 1 and one line that matches. */
async function refuses(args: readonly string[], line: RegExp, environment: Environment = {}): Promise<void> {
  const { status, stderr } = await run(process.execPath, [START, ...args], { environment })
  const lines = stderr.trim().split('\n')
  if (status !== 1) throw new Error(`status ${status}, not 1`)
  if (lines.length !== 1 || !line.test(lines[0] ?? '')) throw new Error(`it printed: ${stderr.trim()}`)
}

/** Runs the steps; `state` is a folder that nothing else uses. */
export async function refusedStarts(state: string, report: Report): Promise<void> {
  const { step } = report
  await report.scenario('npm start', async () => {
    await step('npm start on a taken port is refused', async () => {
      const port = await freePort()
      const server = createServer()
      await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening))
      await refuses(words`--port ${String(port)} --persist-to ${state}`, /^portcullis: port \d+ cannot be used/)
      await new Promise((closed) => server.close(closed))
    })
    await step('npm start in an unusable folder is refused', () =>
      refuses(['--persist-to', '/dev/null/state'], /^portcullis: the state folder \/dev\/null\/state cannot be used/),
    )
    await step('npm start in a folder that cannot be made is refused at once', () =>
      refuses(['--persist-to', '/proc/x'], /^portcullis: the state folder \/proc\/x cannot be used/),
    )
    await step('npm start with a bad variable is refused', () =>
      refuses(['--var', 'QUOTA_ORDERS:many'], /^portcullis: QUOTA_ORDERS must be an integer/),
    )
    await step('npm start with an unknown variable is refused', () =>
      refuses(['--var', 'QUOTAS:1'], /^portcullis: --var QUOTAS: not a variable/),
    )
    await step('npm start with a weak master key is refused', () =>
      refuses(['--persist-to', state], /^portcullis: MASTER_KEYS: key 'k' is not 32 bytes/, { MASTER_KEYS: 'k:AAAA' }),
    )
    await step('npm start with an unknown option is refused', () =>
      refuses(['--prot', '1'], /^portcullis: Unknown option/),
    )
  })
}
