/** Counts the cost of requests: round trips to the database, rows read and written, and calls of projects' objects. */
import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { createApp } from '../../src/app.ts'
import type { Environment } from '../../src/config.ts'
import type { ProjectObject } from '../../src/state/object/project-object.ts'
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
  /** All statements that were sent to the database, in order. */
  readonly statements: readonly Statement[]
}

/**
 * Wraps the Worker's database and counts its use. A single statement is one round trip, and so is a batch. `raw` is
 * implemented with `all`, because the result of `raw` has no metadata about rows.
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

/** The method that makes an object seal its events soon; no response waits for it. */
const WAKE = 'sealBy'
/** Asks whether the service is read-only: an isolate does so once in ten seconds at most, so no request is charged. */
const READ_ONLY = 'readOnly'

/**
 * Wraps the objects of projects and counts their calls. During a call, the object uses the counting database too. A
 * call that wakes an object is delayed until the request is answered, so that a request that waits for it fails the
 * test.
 */
function countingObjects(database: CountingDatabase) {
  let [calls, wakes] = [0, 0]
  let nextAnswer = Promise.withResolvers<void>()
  let waking: Promise<unknown>[] = []
  type Stub = DurableObjectStub<ProjectObject>
  const send = (stub: Stub, method: string, given: unknown[]) =>
    (stub as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>)[method]!(...given)
  const use = (stub: Stub, DB: D1Database) =>
    runInDurableObject(stub, (instance) => void Object.assign(instance, { env: { ...bindings, DB } }))

  async function call(stub: Stub, method: string, given: unknown[]): Promise<unknown> {
    calls += 1
    await use(stub, database.binding)
    try {
      return await send(stub, method, given)
    } finally {
      await use(stub, bindings.DB)
    }
  }

  function wake(stub: Stub, given: unknown[]): Promise<unknown> {
    wakes += 1
    const woken = nextAnswer.promise.then(() => send(stub, WAKE, given))
    waking.push(woken)
    return woken
  }

  const counted = (stub: Stub) =>
    new Proxy(stub, {
      get:
        (_, method) =>
        (...given: unknown[]) =>
          method === WAKE
            ? wake(stub, given)
            : method === READ_ONLY
              ? send(stub, method, given)
              : call(stub, String(method), given),
    })
  const namespace = {
    getByName: (name: string) => counted(bindings.PROJECT.getByName(name)),
    idFromName: (name: string) => bindings.PROJECT.idFromName(name),
  }
  return {
    namespace: namespace as unknown as Environment['PROJECT'],
    calls: () => calls,
    wakes: () => wakes,
    /** Runs the delayed calls; to be called after a request has been answered. */
    async answered(): Promise<void> {
      nextAnswer.resolve()
      nextAnswer = Promise.withResolvers()
      const started = waking
      waking = []
      await Promise.all(started)
    },
  }
}

interface Counts {
  /** Round trips to the database, including those of the project's object. */
  readonly trips: number
  /** Calls of projects' objects, except those that wake one. */
  readonly objectCalls: number
  readonly rowsRead: number
  readonly rowsWritten: number
}

/** The cost of a request until its response. */
export interface Cost extends Counts {
  /** The cost after the response; `wakes`: calls that wake a project's object, for which the response does not wait. */
  readonly after: Counts & { readonly wakes: number }
  /** The statements that were sent to the database, before and after the response. */
  readonly statements: readonly Statement[]
}

/** Returns a client of the service, with these variables and the same database, that adds the cost to each response. */
export function countedService(variables: Readonly<Record<string, string>> = {}) {
  const database = countingDatabase()
  const objects = countingObjects(database)
  const app = createApp()
  const environment: Environment = { ...bindings, ...variables, DB: database.binding, PROJECT: objects.namespace }
  const now = (): Counts => ({
    trips: database.trips(),
    objectCalls: objects.calls(),
    rowsRead: database.rowsRead(),
    rowsWritten: database.rowsWritten(),
  })
  const between = (before: Counts, after: Counts): Counts => ({
    trips: after.trips - before.trips,
    objectCalls: after.objectCalls - before.objectCalls,
    rowsRead: after.rowsRead - before.rowsRead,
    rowsWritten: after.rowsWritten - before.rowsWritten,
  })
  return async function send(method: string, path: string, asked: Asked = {}): Promise<Answer & { cost: Cost }> {
    const [asking, first, woken] = [now(), database.statements.length, objects.wakes()]
    const context = createExecutionContext()
    const answer = await answerOf(await app.fetch(requestTo(method, path, asked), environment, context))
    const answered = now()
    await objects.answered()
    await waitOnExecutionContext(context)
    await objects.answered()
    const after = { ...between(answered, now()), wakes: objects.wakes() - woken }
    const statements = database.statements.slice(first)
    return { ...answer, cost: { ...between(asking, answered), after, statements } }
  }
}
