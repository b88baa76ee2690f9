/** A backend as the Worker makes one for a request, at a time of the test's choice. */
import { env } from 'cloudflare:workers'
import { readConfig, type Environment } from '../../src/config.ts'
import { backendOf, type Backend } from '../../src/state/backend.ts'

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
  return backendOf({ ...environment, DB: binding }, await readConfig(environment), now)
}

/** The Worker's database, counting the round trips that are made to it. */
export function countingDatabase(): { readonly binding: D1Database; readonly trips: () => number } {
  let trips = 0
  const count = <Result>(result: Result) => {
    trips += 1
    return result
  }
  function counted(statement: D1PreparedStatement): D1PreparedStatement {
    const bind = statement.bind.bind(statement)
    const alone = (['all', 'first', 'raw', 'run'] as const).map((name) => {
      const send = statement[name].bind(statement) as (...options: unknown[]) => unknown
      return [name, (...options: unknown[]) => count(send(...options))]
    })
    const bound = (...values: unknown[]) => counted(bind(...values))
    return Object.assign(statement, { bind: bound, ...Object.fromEntries(alone) })
  }
  const { DB } = environment
  const binding = databaseOf({
    prepare: (text) => counted(DB.prepare(text)),
    batch: (statements) => count(DB.batch(statements)),
  })
  return { binding, trips: () => trips }
}
