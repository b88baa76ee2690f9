/** Runs the service with other variables than the Worker under test, in the same isolate and on the same database. */
import { env } from 'cloudflare:workers'
import { createApp } from '../../src/app.ts'
import type { Environment } from '../../src/config.ts'
import { answerOf, requestTo, type Answer, type Request } from './client.ts'

const app = createApp()

export type Send = (method: string, path: string, request?: Request) => Promise<Answer>

/** Returns a function that sends requests to the service with these variables, and bindings in place of its own. */
export function workerWith(variables: Readonly<Record<string, string>>, bindings: Partial<Env> = {}): Send {
  const environment = { ...(env as unknown as Environment), ...variables, ...bindings } as Environment
  return async (method, path, request = {}) => answerOf(await app.fetch(requestTo(method, path, request), environment))
}
