/** Starts Portcullis in a separate process, as `npm start` does. */
import { join } from 'node:path'
import type { SeenRequest } from './fidelity.ts'
import { startProcess, waitUntil, words, type Environment } from './process.ts'

export interface WorkerOptions {
  readonly port: number
  /** The folder for the durable state; a second start reuses it. */
  readonly state: string
  /** Variables of the Worker with non-default values. */
  readonly variables?: Readonly<Record<string, string>>
  /** Called with each request that it answered after it was ready. */
  readonly onRequest?: (request: SeenRequest) => void
}

export interface Worker {
  /** The base URL of the key manager, without `/v1`. */
  readonly url: string
  /** The variables that it printed, OS_* and others; empty if it accepts Keystone's tokens. */
  readonly environment: Environment
  stop(): Promise<void>
  /** Ends it at once with SIGKILL, with all processes that it has started. */
  kill(): Promise<void>
}

const ROOT = join(import.meta.dirname, '..', '..')
const READY = 'Portcullis is ready on '
/** The last variable that is printed for the OpenStack client. */
const LAST_EXPORT = 'OS_INTERFACE'

/** Returns the request of a line that `npm start` prints, such as `03:36:23 POST /v1/orders 1.0 202 3 ms`, or null. */
export function requestIn(line: string): SeenRequest | null {
  const [, method = '', path = '', microversion = ''] =
    /^\d\d:\d\d:\d\d ([A-Z]+) (\S+) ([\d.]+|-) \d+ /.exec(line) ?? []
  return method === '' ? null : { method, path, microversion }
}

/** Secrets are given in the environment, because the arguments of a process can be listed by everybody. */
const isSecret = (name: string) => name === 'MASTER_KEYS' || name === 'ADMIN_PASSWORD'

/** Starts the Worker on a loopback port and returns when it reports that it is ready. Throws if it does not. */
export async function startWorker({ port, state, variables = {}, onRequest }: WorkerOptions): Promise<Worker> {
  const described = Object.entries(variables).filter(([name]) => !isSecret(name))
  console.log(
    `starting Portcullis on port ${port} (${described.map((pair) => pair.join(' ')).join(', ') || 'defaults'})`,
  )
  let url: string | undefined
  const environment: Record<string, string> = {}
  const worker = startProcess(
    process.execPath,
    [
      join('src', 'local', 'start.ts'),
      ...words`--port ${String(port)} --persist-to ${state}`,
      ...Object.entries(variables)
        .filter(([name]) => !isSecret(name))
        .flatMap(([name, value]) => ['--var', `${name}:${value}`]),
    ],
    {
      environment: Object.fromEntries(Object.entries(variables).filter(([name]) => isSecret(name))),
      folder: ROOT,
      onLine: (line) => {
        const request = requestIn(line)
        if (request !== null) onRequest?.(request)
        if (line.startsWith(READY)) url = line.slice(READY.length).trim()
        const [, name, value] = /^\s*export ([A-Z_]+)=(.*)$/.exec(line) ?? []
        if (name !== undefined && value !== undefined) environment[name] = value.replace(/^(['"])(.*)\1$/, '$2')
      },
    },
  )
  const isComplete = () => variables.IDENTITY === 'keystone' || environment[LAST_EXPORT] !== undefined
  await waitUntil(worker, () => url !== undefined && isComplete(), 120)
  return { url: url ?? '', environment, stop: () => worker.stop(), kill: () => worker.kill() }
}
