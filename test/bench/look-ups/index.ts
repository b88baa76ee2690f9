/**
 * The service for the benchmark of look-ups: the Worker as it is, an entrypoint that does nothing, and for requests with
 * the header `X-Far` the same service far from its database: a trip to the primary and one to a replica take the times
 * below. The replica does not lag.
 */
import { WorkerEntrypoint } from 'cloudflare:workers'
import type { Environment } from '../../../src/config.ts'
import worker from '../../../src/index.ts'

export { KeyManager, OrderRunner, ProjectObject } from '../../../src/index.ts'

/** The times of trips, in milliseconds. */
const PRIMARY = 270
const REPLICA = 5

export class Nothing extends WorkerEntrypoint {
  // What an empty call over a binding costs.
  nothing(): null {
    return null
  }
}

function far(env: Environment): Environment {
  const withSession = (constraint: string) => {
    const isPrimary = constraint === 'first-primary'
    const session = env.DB.withSession('first-primary')
    async function sent<Value>(send: () => Promise<Value>): Promise<Value> {
      await scheduler.wait(isPrimary ? PRIMARY : REPLICA)
      return send()
    }
    const prepare = (query: string) => ({
      bind(...values: unknown[]) {
        const bound = session.prepare(query).bind(...values)
        const all = bound.all.bind(bound)
        return Object.assign(bound, { all: () => sent(all) })
      },
    })
    return {
      prepare,
      batch: (statements: D1PreparedStatement[]) =>
        sent(async () => {
          const results = await session.batch(statements)
          return results.map((result) => ({ ...result, meta: { ...result.meta, served_by_primary: isPrimary } }))
        }),
      getBookmark: () => session.getBookmark(),
    }
  }
  return { ...env, DB: Object.assign(Object.create(env.DB), { withSession }) as D1Database }
}

/** The environment of a warm isolate. An isolate remembers by its environment, so a new one is cold. */
let warm: Environment | undefined

export default {
  fetch(request, env, context) {
    const kind = request.headers.get('X-Far')
    if (kind === null) return worker.fetch(request, env, context)
    if (kind === 'cold') warm = far(env)
    return worker.fetch(request, (warm ??= far(env)), context)
  },
  scheduled: (controller, env) => worker.scheduled(controller, env),
} satisfies ExportedHandler<Environment>
