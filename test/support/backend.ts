/** A backend as the Worker creates it for a request, at a time that the test chooses. */
import { env } from 'cloudflare:workers'
import { readConfig, type Environment } from '../../src/config.ts'
import { connect } from '../../src/state/connect.ts'
import type { Backend } from '../../src/state/backend.ts'
import { byService } from '../../src/state/scope.ts'

const environment = env as unknown as Environment

/** The methods of a database that the Worker calls. */
export interface Sending {
  readonly prepare: (query: string) => D1PreparedStatement
  readonly batch: (statements: D1PreparedStatement[]) => Promise<D1Result[]>
}

/** Returns a database whose sessions delegate to `sending`. */
export function databaseOf(sending: Sending): D1Database {
  const session = { ...sending, getBookmark: () => null }
  return { ...sending, withSession: () => session } as unknown as D1Database
}

/** Returns the backend at `now`; `binding` replaces the Worker's database. */
export async function backendAt(now: string, binding: D1Database = environment.DB): Promise<Backend> {
  const bindings = { ...environment, DB: binding }
  return connect(bindings, await readConfig(environment), now, byService('Test'))
}
