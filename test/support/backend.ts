/** A backend as the Worker makes one for a request, at a time of the test's choice. */
import { env } from 'cloudflare:workers'
import { readConfig, type Environment } from '../../src/config.ts'
import { backendOf, type Backend } from '../../src/state/backend.ts'
import { byService } from '../../src/state/store.ts'

const environment = env as unknown as Environment

/** The backend at `now`; `binding` in place of the Worker's own database. */
export async function backendAt(now: string, binding: D1Database = environment.DB): Promise<Backend> {
  const bindings = { ...environment, DB: binding }
  return backendOf(bindings, await readConfig(environment), now, byService('Test'))
}
