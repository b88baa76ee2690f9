/** What requests cost: round trips to the database, rows that it read and wrote, calls of projects' objects. */
import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { createApp } from '../../src/app.ts'
import type { Environment } from '../../src/config.ts'
import type { ProjectObject } from '../../src/state/project-object.ts'
import { requestTo, answerOf, type Answer, type Request as Asked } from './client.ts'

const bindings = env as unknown as Environment

export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

export interface CountingDatabase {
  readonly binding: D1Database
  readonly trips: () => number
  readonly rowsRead: () => number
  readonly rowsWritten: () => number
  /** Everything that was sent to the database so far, in order. */
  readonly statements: readonly Statement[]
}

/**
 * The Worker's database, counting what is done with it. A statement on its own is one round trip, and so is a batch.
 * `raw` is asked for as rows with names, because its own answer does not say what it cost.
 */
export function countingDatabase(): CountingDatabase {
  let [trips, rowsRead, rowsWritten] = [0, 0, 0]
  const statements: Statement[] = []
  const sent = new WeakMap<D1PreparedStatement, Statement>()

  async function cost<Row>(
    asked: readonly D1PreparedStatement[],
    results: Promise<D1Result<Row>[]>,
  ): Promise<D1Result<Row>[]> {
    trips += 1
    statements.push(...asked.flatMap((statement) => sent.get(statement) ?? []))
    for (const { meta } of await results) {
      rowsRead += meta.rows_read
      rowsWritten += meta.rows_written
    }
    return results
  }

  function counted(statement: D1PreparedStatement, text: string, values: readonly unknown[]): D1PreparedStatement {
    const bind = statement.bind.bind(statement)
    const send = statement.all.bind(statement)
    const all = async () => {
      const sending = send().then((result) => [result])
      return (await cost([statement], sending))[0]
    }
    const rows = async () => (await all())?.results ?? []
    sent.set(statement, { text, values })
    return Object.assign(statement, {
      bind: (...given: unknown[]) => counted(bind(...given), text, given),
      all,
      run: all,
      raw: async () => (await rows()).map((row) => Object.values(row)),
      first: async (column?: string) => {
        const [row = null] = await rows()
        return row && column !== undefined ? row[column] : row
      },
    })
  }

  const counting = (real: D1Database | D1DatabaseSession) => ({
    prepare: (text: string) => counted(real.prepare(text), text, []),
    batch: (asked: D1PreparedStatement[]) => cost(asked, real.batch(asked)),
  })
  const { DB } = bindings
  const binding = {
    ...counting(DB),
    withSession(...given: Parameters<D1Database['withSession']>) {
      const session = DB.withSession(...given)
      return { ...counting(session), getBookmark: () => session.getBookmark() }
    },
  }
  return {
    binding: binding as unknown as D1Database,
    trips: () => trips,
    rowsRead: () => rowsRead,
    rowsWritten: () => rowsWritten,
    statements,
  }
}

/** The objects of projects, counting the calls; inside of them the database counts as well. */
function countingObjects(database: CountingDatabase) {
  let calls = 0
  function counted(stub: DurableObjectStub<ProjectObject>): DurableObjectStub<ProjectObject> {
    const call =
      (method: string) =>
      async (...given: unknown[]) => {
        calls += 1
        await runInDurableObject(stub, (instance) =>
          Object.assign(instance, { env: { ...bindings, DB: database.binding } }),
        )
        return (stub as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>)[method]!(...given)
      }
    return new Proxy(stub, { get: (_, method) => call(String(method)) })
  }
  const namespace = { getByName: (name: string) => counted(bindings.PROJECT.getByName(name)) }
  return { namespace: namespace as unknown as Environment['PROJECT'], calls: () => calls }
}

/** What one request cost, with what went on after its answer. */
export interface Cost {
  readonly trips: number
  readonly objectCalls: number
  readonly rowsRead: number
  readonly rowsWritten: number
  readonly statements: readonly Statement[]
}

/** The service with these variables on the same database. Every answer comes with what it cost. */
export function countedService(variables: Readonly<Record<string, string>> = {}) {
  const database = countingDatabase()
  const objects = countingObjects(database)
  const app = createApp()
  const environment: Environment = { ...bindings, ...variables, DB: database.binding, PROJECT: objects.namespace }
  const now = () => [database.trips(), objects.calls(), database.rowsRead(), database.rowsWritten()] as const
  return async function send(method: string, path: string, asked: Asked = {}): Promise<Answer & { cost: Cost }> {
    const before = now()
    const first = database.statements.length
    const context = createExecutionContext()
    const answer = await answerOf(await app.fetch(requestTo(method, path, asked), environment, context))
    await waitOnExecutionContext(context)
    const [trips = 0, objectCalls = 0, rowsRead = 0, rowsWritten = 0] = now().map((count, at) => count - before[at]!)
    const statements = database.statements.slice(first)
    return { ...answer, cost: { trips, objectCalls, rowsRead, rowsWritten, statements } }
  }
}
