/** Runs Debian's uWSGI as the web server of Barbican and Keystone. */
import { startProcess, waitUntil, type Environment, type RunningProcess } from './process.ts'

export interface Application {
  readonly port: number
  /** `package.module:factory()`, imported by uWSGI. */
  readonly module: string
  readonly environment: Environment
  readonly log: string
  readonly processes?: number
  readonly threads?: number
  /** Keeps `Content-Length` in responses, for clients that treat the end of a connection as an error. */
  readonly withLength?: boolean
}

/** Serves a WSGI application on a loopback port and returns when it responds. Throws if it does not within a minute. */
export async function serve(application: Application): Promise<RunningProcess> {
  const { port, module, environment, log, processes = 2, threads = 4, withLength = false } = application
  const server = startProcess(
    'uwsgi',
    [
      '--plugins=python3',
      `--http-socket=127.0.0.1:${port}`,
      `--module=${module}`,
      `--processes=${processes}`,
      `--threads=${threads}`,
      '--master',
      '--lazy-apps',
      '--need-app',
      '--die-on-term',
      '--buffer-size=65535',
      '--post-buffering=65535',
      // Debian's own settings: without them, responses to HEAD and 204 break clients that reuse the connection.
      ...(withLength ? [] : ['--rem-header=Content-Length']),
      '--add-header=Connection: close',
    ],
    { environment, log },
  )
  await waitUntil(server, async () => (await fetch(`http://127.0.0.1:${port}/`)).status < 500, 60)
  return server
}
