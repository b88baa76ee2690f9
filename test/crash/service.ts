/** The service as processes that can be killed; what they print is kept. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { LocalKeys } from '../../src/local/keys.ts'

/** How long a start may take. */
export const MOST_START_MILLISECONDS = 60_000

/** Where the output of the services of this state folder is kept, in a file for each. */
export const printedIn = (state: string): string => join(state, 'printed')

/** A service that loads by itself and serves when it is started. */
export interface Service {
  readonly child: ChildProcess
  readonly loaded: Promise<void>
  readonly start: () => Promise<void>
}

/** The next service of this state folder, on this port. */
export function newService(port: number, state: string, keys: Omit<LocalKeys, 'DEMO_PASSWORD'>): Service {
  mkdirSync(printedIn(state), { recursive: true })
  const output = openSync(join(printedIn(state), `${Date.now()}.log`), 'a')
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts'), String(port), state], {
    detached: true,
    env: { ...process.env, ...keys },
    stdio: ['ignore', output, output, 'ipc'],
  })
  closeSync(output)
  const says = async (word: string) => {
    const late = { signal: AbortSignal.timeout(MOST_START_MILLISECONDS) }
    const [said]: unknown[] = await Promise.race([once(child, 'message', late), once(child, 'close', late)])
    if (said !== word) throw new Error(`the service is not ${word}`)
  }
  const loaded = says('loaded')
  const start = async () => {
    await loaded
    child.send('start')
    await says('ready')
  }
  return { child, loaded, start }
}

/** Kills the service and everything that it started, at once. */
export async function kill({ child }: Service): Promise<void> {
  const closed = once(child, 'close')
  process.kill(-(child.pid ?? 0), 'SIGKILL')
  await closed
}
