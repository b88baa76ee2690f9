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
  const counting = {
    prepare: (text: string) => counted(DB.prepare(text)),
    batch: (statements: D1PreparedStatement[]) => count(DB.batch(statements)),
  }
  return { binding: counting as unknown as D1Database, trips: () => trips }
}
