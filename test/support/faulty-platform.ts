/**
 * A service whose database, objects and Keystone fail as the test decides: before a call, so that the request is lost,
 * or after it, so that only the answer is.
 */
import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { createApp } from '../../src/app.ts'
import type { Environment } from '../../src/config.ts'
import type { ProjectObject } from '../../src/state/object/project-object.ts'
import { answerOf, requestTo, type Answer, type Request } from './client.ts'

const bindings = env as unknown as Environment

export interface Failure {
  readonly error: Error
  readonly lost: 'request' | 'answer'
}

export type Place = 'database' | 'object' | 'keystone'

/** Decides what happens to a call, by its number since the last {@link FaultyPlatform.decide}, from 1. */
export type Fate = (number: number, place: Place) => Promise<Failure | null> | Failure | null

/** D1's errors that "Debug D1" says to repeat. */
export const repeatableErrors = [
  'D1_ERROR: D1 DB reset because its code was updated.',
  'D1_ERROR: Internal error while starting up D1 DB storage caused object to be reset.',
  'D1_ERROR: Network connection lost.',
  'D1_ERROR: Internal error in D1 DB storage caused object to be reset.',
  'D1_ERROR: Cannot resolve D1 DB due to transient issue on remote node.',
  "D1_ERROR: Can't read from request stream because client disconnected.",
] as const

/** D1's errors that reset the database, for which it says to send less. Other calls that wait get them too. */
export const resetErrors = [
  'D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.',
  "D1_ERROR: D1 DB's isolate exceeded its memory limit and was reset.",
  'D1_ERROR: D1 DB exceeded its CPU time limit and was reset.',
] as const

/** D1's errors of calls that it did not begin. */
export const overloadErrors = [
  'D1_ERROR: D1 DB is overloaded. Requests queued for too long.',
  'D1_ERROR: D1 DB is overloaded. Too many requests queued.',
] as const

/** Errors of calls of objects, with the marks that "Durable Objects: Error handling" describes. */
export const objectErrors = {
  repeatable: () => Object.assign(new Error('Network connection lost.'), { retryable: true }),
  restarted: () =>
    Object.assign(new Error('Durable Object reset because its code was updated.'), { durableObjectReset: true }),
  overloaded: () =>
    Object.assign(new Error('Durable Object is overloaded. Too many requests queued.'), { overloaded: true }),
} as const

export interface FaultyPlatform {
  readonly send: (method: string, path: string, request?: Request) => Promise<Answer>
  /** Sets the fate of later calls and starts their numbers again. */
  readonly decide: (fate: Fate) => void
  /** Waits for what requests do after their responses. */
  readonly settled: () => Promise<void>
  /** The number of calls since the last `decide`. */
  readonly calls: () => number
}

/** A fate in which nothing fails. */
export const healthy: Fate = () => null

type Stub = DurableObjectStub<ProjectObject>

/** Returns the service with these variables. */
export function faultyPlatform(variables: Readonly<Record<string, string>> = {}): FaultyPlatform {
  let fate: Fate = healthy
  let calls = 0
  const contexts: ExecutionContext[] = []

  async function through<Value>(place: Place, call: () => Promise<Value>): Promise<Value> {
    calls += 1
    const failure = await fate(calls, place)
    if (failure?.lost === 'request') throw failure.error
    const value = await call()
    if (failure) throw failure.error
    return value
  }

  const failing = (statement: D1PreparedStatement): D1PreparedStatement => {
    const [bind, all] = [statement.bind.bind(statement), statement.all.bind(statement)]
    return Object.assign(statement, {
      bind: (...given: unknown[]) => failing(bind(...given)),
      all: () => through('database', all),
    })
  }
  const DB = {
    withSession(...given: Parameters<D1Database['withSession']>) {
      const session = bindings.DB.withSession(...given)
      return {
        prepare: (query: string) => failing(session.prepare(query)),
        batch: (statements: D1PreparedStatement[]) => through('database', () => session.batch(statements)),
        getBookmark: () => session.getBookmark(),
      }
    },
  } as unknown as D1Database

  /** The number of calls of each object that are under way. During them, and not in alarms, it uses the database here. */
  const underWay = new Map<string, number>()
  async function count(stub: Stub, name: string, more: 1 | -1): Promise<void> {
    const now = (underWay.get(name) ?? 0) + more
    underWay.set(name, now)
    const used = now > 0 ? DB : bindings.DB
    if (now === 0 || (now === 1 && more === 1))
      await runInDurableObject(stub, (instance) => void Object.assign(instance, { env: { ...bindings, DB: used } }))
  }
  const send = (stub: Stub, method: string, given: unknown[]) =>
    (stub as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>)[method]!(...given)
  const PROJECT = {
    idFromName: (name: string) => bindings.PROJECT.idFromName(name),
    getByName(name: string) {
      const stub = bindings.PROJECT.getByName(name)
      return new Proxy(stub, {
        get:
          (_, method) =>
          async (...given: unknown[]) => {
            await count(stub, name, 1)
            try {
              return await through('object', () => send(stub, String(method), given))
            } finally {
              await count(stub, name, -1)
            }
          },
      })
    },
  } as unknown as Environment['PROJECT']

  const app = createApp()
  const environment: Environment = { ...bindings, ...variables, DB, PROJECT }
  return {
    async send(method, path, request = {}) {
      const context = createExecutionContext()
      contexts.push(context)
      return answerOf(await app.fetch(requestTo(method, path, request), environment, context))
    },
    decide(next) {
      fate = next
      calls = 0
    },
    async settled() {
      for (const context of contexts.splice(0)) await waitOnExecutionContext(context)
    },
    calls: () => calls,
  }
}
