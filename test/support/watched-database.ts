/** Intercepts the Worker's database calls, so that a test can delay them or make them fail. */
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { database } from './client.ts'

/** A call: its number, from 1, and the bound values of each of its statements. */
export interface Call {
  readonly number: number
  readonly statements: readonly (readonly unknown[])[]
}

/** Intercepts a call; `send` passes it to the database. */
export type Interceptor = (send: () => Promise<unknown>, call: Call) => Promise<unknown>

/** Intercepts all sessions of this isolate, from a call of `watch` until the end of the test. */
export function watchedDatabase() {
  let calls: Call[] = []
  let interceptor: Interceptor = (send) => send()

  function through(statements: Call['statements'], send: () => Promise<unknown>): Promise<unknown> {
    const call = { number: calls.length + 1, statements }
    calls.push(call)
    return interceptor(send, call)
  }

  function watch(): void {
    const withSession = database.withSession.bind(database)
    const values = new WeakMap<D1PreparedStatement, readonly unknown[]>()
    const valuesOf = (statement: D1PreparedStatement) => values.get(statement) ?? []
    const watched = (statement: D1PreparedStatement): D1PreparedStatement => {
      const [bind, all] = [statement.bind.bind(statement), statement.all.bind(statement)]
      return Object.assign(statement, {
        bind: (...given: unknown[]) => {
          const bound = watched(bind(...given))
          values.set(bound, given)
          return bound
        },
        all: () => through([valuesOf(statement)], all),
      })
    }
    vi.spyOn(Object.getPrototypeOf(database), 'withSession').mockImplementation((constraint: unknown) => {
      const session = withSession(constraint as string)
      const [prepare, batch] = [session.prepare.bind(session), session.batch.bind(session)]
      return Object.assign(session, {
        prepare: (query: string) => watched(prepare(query)),
        batch: (statements: D1PreparedStatement[]) => through(statements.map(valuesOf), () => batch(statements)),
      })
    })
  }

  beforeEach(() => {
    calls = []
    interceptor = (send) => send()
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  return {
    watch,
    calls: (): readonly Call[] => calls,
    /** Discards the recorded calls and restarts the numbering. */
    forget: () => void (calls = []),
    happens: (next: Interceptor) => void (interceptor = next),
    /** Waits until this many calls have been made. */
    until: (count: number) =>
      vi.waitFor(() => expect(calls.length).toBeGreaterThanOrEqual(count), { interval: 5, timeout: 10_000 }),
  }
}
