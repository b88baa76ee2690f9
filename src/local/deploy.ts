/** `npm run deploy`: applies the migrations to the deployed database, then deploys the Worker. */
import { spawnSync } from 'node:child_process'
import { WRANGLER } from './runtime.ts'

const steps = [
  ['d1', 'migrations', 'apply', 'DB', '--remote'],
  ['deploy', '--minify'],
] as const

for (const step of steps) {
  const { status } = spawnSync(process.execPath, [WRANGLER, ...step], { stdio: 'inherit' })
  if (status !== 0) {
    process.exitCode = status ?? 1
    break
  }
}
