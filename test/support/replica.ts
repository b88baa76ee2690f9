/**
 * A database with a replica that lags behind: two real databases, between which sessions choose as D1's do. The replica
 * holds what there was when it caught up last.
 */
import { applyD1Migrations, type D1Migration } from 'cloudflare:test'
import { env } from 'cloudflare:workers'

const bindings = env as unknown as { DB: D1Database; REPLICA: D1Database; TEST_MIGRATIONS: D1Migration[] }
const { DB: primary, REPLICA: replica } = bindings

const OLDEST = `${'0'.repeat(8)}-${'0'.repeat(8)}-${'0'.repeat(8)}-${'0'.repeat(32)}`
const WRITES = /^\s*(insert|update|delete)/i

/** Gives the replica the tables; until then it is one that a migration has not reached. */
export async function migrateReplica(): Promise<void> {
  await applyD1Migrations(replica, bindings.TEST_MIGRATIONS)
  const { results } = await replica.prepare("select name from sqlite_master where type = 'trigger'").all()
  for (const { name } of results) await replica.exec(`drop trigger "${String(name)}"`)
}

/** The bookmark of the primary's present state. */
async function present(): Promise<string> {
  const session = primary.withSession('first-primary')
  await session.prepare('select 1').all()
  return session.getBookmark() ?? OLDEST
}

/** The database of a Worker, and what became of its look-ups. */
export function replicated() {
  const trips = { primary: 0, replica: 0 }
  let reached = OLDEST

  function sessionAt(reach: string) {
    let seen = reach.startsWith('first-') ? null : reach
    /** Writes go to the primary, and so do look-ups of what the replica has not reached. */
    const isNear = (queries: readonly string[]) =>
      reach !== 'first-primary' && (seen ?? OLDEST) <= reached && !queries.some((query) => WRITES.test(query))
    async function send(statements: readonly { query: string; values: unknown[] }[]): Promise<D1Result[]> {
      const near = isNear(statements.map(({ query }) => query))
      trips[near ? 'replica' : 'primary'] += 1
      const session = (near ? replica : primary).withSession('first-primary')
      const results = await session.batch(statements.map(({ query, values }) => session.prepare(query).bind(...values)))
      const state = near ? reached : (session.getBookmark() ?? OLDEST)
      if (seen === null || seen < state) seen = state
      return results.map((result) => ({ ...result, meta: { ...result.meta, served_by_primary: !near } }))
    }
    const prepare = (query: string, values: unknown[] = []) => {
      const alone = async () => (await send([{ query, values }]))[0]
      return { query, values, bind: (...given: unknown[]) => prepare(query, given), all: alone, run: alone }
    }
    return { prepare, batch: send, getBookmark: () => seen }
  }

  /** Copies every row of the primary to the replica. */
  async function catchUp(): Promise<void> {
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
    reached = await present()
  }

  return { binding: { withSession: sessionAt } as unknown as D1Database, trips, catchUp }
}
