/** A backend as the Worker makes one for a request, at a time of the test's choice. */
import { env } from 'cloudflare:workers'
import { readConfig, type Environment } from '../../src/config.ts'
import { connect } from '../../src/state/connect.ts'
import type { Backend } from '../../src/state/backend.ts'
import { byService } from '../../src/state/scope.ts'

const environment = env as unknown as Environment

/** What the Worker asks of a database. */
export interface Sending {
  readonly prepare: (query: string) => D1PreparedStatement
  readonly batch: (statements: D1PreparedStatement[]) => Promise<D1Result[]>
}

/** A database whose sessions all send what they are given through `sending`. */
export function databaseOf(sending: Sending): D1Database {
  const session = { ...sending, getBookmark: () => null }
  return { ...sending, withSession: () => session } as unknown as D1Database
}

/** The backend at `now`; `binding` in place of the Worker's own database. */
export async function backendAt(now: string, binding: D1Database = environment.DB): Promise<Backend> {
  const bindings = { ...environment, DB: binding }
  return connect(bindings, await readConfig(environment), now, byService('Test'))
}
