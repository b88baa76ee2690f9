/** Loads a dump into the new, local database of a state folder. */
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import type { SortedDump } from './dump.ts'
import { StartError } from './options.ts'
import { workerOf } from './runtime.ts'

/** Statements of one batch, and their characters, beyond which a batch takes no more. */
const STATEMENTS_PER_BATCH = 200
const CHARACTERS_PER_BATCH = 2_000_000

async function* batchesOf(statements: AsyncIterable<string>): AsyncGenerator<readonly string[]> {
  let [batch, characters]: [string[], number] = [[], 0]
  for await (const statement of statements) {
    batch.push(statement)
    characters += statement.length
    if (batch.length < STATEMENTS_PER_BATCH && characters < CHARACTERS_PER_BATCH) continue
    yield batch
    ;[batch, characters] = [[], 0]
  }
  if (batch.length > 0) yield batch
}

/** Opens the database of a state folder whose bundle is built. No Durable Object runs. */
export async function localDatabase(state: string): Promise<{ database: D1Database; close: () => Promise<void> }> {
  const miniflare = new Miniflare(convertV4MiniflareOptions({ ...workerOf(state, {}), durableObjects: {} }))
  return { database: await miniflare.getD1Database('DB'), close: () => miniflare.dispose() }
}

/** The names of a database's own tables. */
export async function tablesOf(database: D1Database): Promise<readonly string[]> {
  const query =
    "select name from sqlite_schema where type = 'table' and name not glob 'sqlite_*' and name not glob '_cf_*'"
  return (await database.prepare(query).all<{ name: string }>()).results.map(({ name }) => name)
}

/** The number of rows of each of these tables. */
export async function rowsOf(database: D1Database, tables: readonly string[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const name of tables) {
    counts[name] = (await database.prepare(`select count(*) as count from "${name}"`).first<number>('count')) ?? 0
  }
  return counts
}

/**
 * Loads the dump into the database, which must be empty, and compares the number of rows of each table. Throws
 * {@link StartError}.
 */
export async function loadDump(database: D1Database, { rows, statements }: SortedDump): Promise<void> {
  const present = await tablesOf(database)
  if (present.length > 0) throw new StartError(`the database is not empty: it has the table ${present[0]}`)
  for await (const batch of batchesOf(statements())) {
    await database.batch(batch.map((statement) => database.prepare(statement)))
  }
  const loaded = await rowsOf(database, Object.keys(rows))
  for (const [name, count] of Object.entries(rows)) {
    if (loaded[name] !== count) throw new StartError(`${name} has ${loaded[name]} rows of the ${count} in the dump`)
  }
}
