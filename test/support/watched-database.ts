/** The calls of the database that the Worker of the deployment makes, each of which a test may hold up or fail. */
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { database } from './client.ts'

/** One call: its number, from 1, and the values of each of its statements. */
export interface Call {
  readonly number: number
  readonly statements: readonly (readonly unknown[])[]
}

/** What happens to a call, before and after the database answers. */
export type Happening = (send: () => Promise<unknown>, call: Call) => Promise<unknown>

/** Watches every session of this isolate from {@link watch} on, until the test is over. */
export function watchedDatabase() {
  let calls: Call[] = []
  let happening: Happening = (send) => send()

  function through(statements: Call['statements'], send: () => Promise<unknown>): Promise<unknown> {
    const call = { number: calls.length + 1, statements }
    calls.push(call)
    return happening(send, call)
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
    vi.spyOn(Object.getPrototypeOf(database), 'withSession').mockImplementation((reach: unknown) => {
      const session = withSession(reach as string)
      const [prepare, batch] = [session.prepare.bind(session), session.batch.bind(session)]
      return Object.assign(session, {
        prepare: (query: string) => watched(prepare(query)),
        batch: (statements: D1PreparedStatement[]) => through(statements.map(valuesOf), () => batch(statements)),
      })
    })
  }

  beforeEach(() => {
    calls = []
    happening = (send) => send()
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  return {
    watch,
    calls: (): readonly Call[] => calls,
    /** Forgets the calls so far, and counts anew. */
    forget: () => void (calls = []),
    happens: (what: Happening) => void (happening = what),
    /** Waits until this many calls have been made. */
    until: (count: number) =>
      vi.waitFor(() => expect(calls.length).toBeGreaterThanOrEqual(count), { interval: 5, timeout: 10_000 }),
  }
}
