/** Runs the client of `src/client` in Deno and Bun, which are installed from npm for this run only. */
import { delimiter, join } from 'node:path'
import { installFromNpm } from './packages.ts'
import { run, words } from './process.ts'
import type { Outcome } from './report.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const PACKAGES = ['deno@2.9.6', 'bun@1.4.5']

/** Runs `test/node/applications.test.ts` with both beside Node. `state` is the folder to install them into. */
export async function runRuntimes(state: string): Promise<readonly Outcome[]> {
  await installFromNpm(state, PACKAGES)
  const bin = join(state, 'node_modules/.bin')
  const environment = {
    PATH: process.env['PATH'] ?? '',
    RUNTIMES: ['deno', 'bun'].map((name) => join(bin, name)).join(delimiter),
  }
  const program = join(ROOT, 'node_modules/vitest/vitest.mjs')
  const suite = words`${program} run --config test/vitest.config.ts test/node/applications.test.ts`
  const { status, stdout } = await run(process.execPath, suite, { folder: ROOT, environment })
  console.log(stdout.trim())
  return [{ name: 'runtimes: the client in Node, Deno, Bun and workerd', failure: status === 0 ? null : stdout }]
}
