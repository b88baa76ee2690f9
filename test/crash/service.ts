/** Runs the service as processes that can be killed, and stores their output. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { LocalKeys } from '../../src/local/keys.ts'

/** The maximum duration of a start. */
export const MOST_START_MILLISECONDS = 60_000

/** The folder with the output of the services of a state folder, one file for each. */
export const printedIn = (state: string): string => join(state, 'printed')

/** A service that is loading or loaded, and serves after `start`. */
export interface Service {
  readonly child: ChildProcess
  readonly loaded: Promise<void>
  readonly start: () => Promise<void>
}

/** Spawns the next service for a state folder. */
export function newService(port: number, state: string, keys: Omit<LocalKeys, 'DEMO_PASSWORD'>): Service {
  mkdirSync(printedIn(state), { recursive: true })
  const output = openSync(join(printedIn(state), `${Date.now()}.log`), 'a')
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts'), String(port), state], {
    detached: true,
    env: { ...process.env, ...keys },
    stdio: ['ignore', output, output, 'ipc'],
  })
  closeSync(output)
  const expectMessage = async (message: string) => {
    const timeout = { signal: AbortSignal.timeout(MOST_START_MILLISECONDS) }
    const [received]: unknown[] = await Promise.race([once(child, 'message', timeout), once(child, 'close', timeout)])
    if (received !== message) throw new Error(`the service is not ${message}`)
  }
  const loaded = expectMessage('loaded')
  const start = async () => {
    await loaded
    child.send('start')
    await expectMessage('ready')
  }
  return { child, loaded, start }
}

/** Kills the service and all processes that it started. */
export async function kill({ child }: Service): Promise<void> {
  const closed = once(child, 'close')
  process.kill(-(child.pid ?? 0), 'SIGKILL')
  await closed
}
