/**
 * A database with a read replica that lags behind, simulated with two real databases. Sessions choose between them as
 * D1 does. The replica has the state at its last update.
 */
import { env } from 'cloudflare:workers'
import { writeHeartbeat } from '../../src/state/deployment/heartbeats.ts'
import { applyMigrations } from '../../src/state/object/migrate.ts'
import { formatTime } from '../../src/times.ts'
import { backendAt } from './backend.ts'

const bindings = env as unknown as { DB: D1Database; REPLICA: D1Database }
const { DB: primary, REPLICA: replica } = bindings

const OLDEST = `${'0'.repeat(8)}-${'0'.repeat(8)}-${'0'.repeat(8)}-${'0'.repeat(32)}`
const TRIP_MILLISECONDS = 5
const WRITES = /^\s*(insert|update|delete)/i

/** Applies the migrations to the replica; before that, it is a replica that has not received them yet. */
export async function migrateReplica(): Promise<void> {
  await applyMigrations(replica)
  const { results } = await replica.prepare("select name from sqlite_master where type = 'trigger'").all()
  for (const { name } of results) await replica.exec(`drop trigger "${String(name)}"`)
}

/** Returns the bookmark of the primary's current state. */
async function currentBookmark(): Promise<string> {
  const session = primary.withSession('first-primary')
  await session.prepare('select 1').all()
  return session.getBookmark() ?? OLDEST
}

/**
 * Returns a database with a replica, and the number of round trips to each instance that have ended; those that write a
 * heartbeat are counted apart. A trip takes a moment, so that one behind a response ends after it.
 */
export function replicated() {
  const trips = { primary: 0, replica: 0, heartbeats: 0 }
  let replicaBookmark = OLDEST
  /** The batches that were written through this database and that the replica does not have. */
  let written: (readonly { query: string; values: unknown[] }[])[] = []

  function withSession(constraint: string) {
    let bookmark = constraint.startsWith('first-') ? null : constraint
    /** The primary executes writes, and reads at a bookmark that the replica has not reached. */
    const isForReplica = (queries: readonly string[]) =>
      constraint !== 'first-primary' &&
      (bookmark ?? OLDEST) <= replicaBookmark &&
      !queries.some((query) => WRITES.test(query))
    async function send(statements: readonly { query: string; values: unknown[] }[]): Promise<D1Result[]> {
      const byReplica = isForReplica(statements.map(({ query }) => query))
      const session = (byReplica ? replica : primary).withSession('first-primary')
      const isHeartbeat = statements.some(({ query }) => query.startsWith('insert into "heartbeats"'))
      const counted = async () => {
        await scheduler.wait(TRIP_MILLISECONDS)
        trips[isHeartbeat ? 'heartbeats' : byReplica ? 'replica' : 'primary'] += 1
      }
      let results: D1Result[]
      try {
        results = await session.batch(statements.map(({ query, values }) => session.prepare(query).bind(...values)))
      } finally {
        await counted()
      }
      if (!byReplica && statements.some(({ query }) => WRITES.test(query))) written.push(statements)
      const state = byReplica ? replicaBookmark : (session.getBookmark() ?? OLDEST)
      if (bookmark === null || bookmark < state) bookmark = state
      return results.map((result) => ({ ...result, meta: { ...result.meta, served_by_primary: !byReplica } }))
    }
    const prepare = (query: string, values: unknown[] = []) => {
      const alone = async () => (await send([{ query, values }]))[0]
      return { query, values, bind: (...given: unknown[]) => prepare(query, given), all: alone, run: alone }
    }
    return { prepare, batch: send, getBookmark: () => bookmark }
  }

  /** Copies every row of the primary to the replica, first of all a heartbeat of this moment. */
  async function catchUp(): Promise<void> {
    await writeHeartbeat(await backendAt(formatTime(Date.now())), 0)
    const { results } = await primary
      .prepare("select name from sqlite_master where type = 'table'")
      .all<{ name: string }>()
    const tables = results.map(({ name }) => name).filter((name) => !/^(sqlite_|_cf_|d1_)/.test(name))
    const statements = [replica.prepare('pragma defer_foreign_keys = on')]
    for (const name of tables) statements.push(replica.prepare(`delete from "${name}"`))
    for (const name of tables) {
      for (const row of (await primary.prepare(`select * from "${name}"`).all()).results) {
        const columns = Object.keys(row)
        const insert = `insert into "${name}" (${columns.join()}) values (${columns.map(() => '?').join()})`
        statements.push(replica.prepare(insert).bind(...Object.values(row)))
      }
    }
    await replica.batch(statements)
    replicaBookmark = await currentBookmark()
    written = []
  }

  /** Repeats the next batches that were written through this database at the replica, in the order of their commits. */
  async function replay(batches: number): Promise<void> {
    for (const batch of written.splice(0, batches)) {
      await replica.batch(batch.map(({ query, values }) => replica.prepare(query).bind(...values)))
    }
  }

  return { binding: { withSession } as unknown as D1Database, trips, catchUp, replay }
}

/** The primary, which says of reads that any replica may answer that a replica has answered them. It does not lag. */
export const recentReplica = {
  withSession(constraint: string) {
    const session = primary.withSession('first-primary')
    const asReplica = (results: D1Result[]) =>
      results.map((result) => ({ ...result, meta: { ...result.meta, served_by_primary: false } }))
    return constraint === 'first-primary'
      ? session
      : {
          prepare: (query: string) => session.prepare(query),
          batch: async (statements: D1PreparedStatement[]) => asReplica(await session.batch(statements)),
          getBookmark: () => session.getBookmark(),
        }
  },
} as unknown as D1Database
