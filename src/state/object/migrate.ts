/**
 * Applies the migrations that the Worker carries, with the table and the order of `wrangler d1 migrations`, so that each
 * finds what the other has done. Only the object of the deployment runs it, one run at a time.
 *
 * A migration is one batch with its record, so it is applied whole or not at all. Where statements of it have been
 * applied before without the record, each is run by itself: every statement can be run again (`test/migrations/rules.ts`).
 */
import { migrations } from '../schema/migrations.ts'

const RECORDS = `CREATE TABLE IF NOT EXISTS "d1_migrations"(
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`

/** Reports whether the error means that a column has already been added or removed. */
const isRepetition = (error: unknown) =>
  error instanceof Error && /duplicate column name|no such column/i.test(error.message)

/** Applies what is missing and returns the names, in order. Throws D1's error if a statement is refused. */
export async function applyMigrations(database: D1Database, wanted = migrations): Promise<string[]> {
  const primary = database.withSession('first-primary')
  const recorded = primary.prepare('SELECT name FROM d1_migrations')
  const [, applied] = await primary.batch<{ name: string }>([primary.prepare(RECORDS), recorded])
  const names = new Set(applied?.results.map(({ name }) => name))
  const missing = wanted.filter(({ name }) => !names.has(name))
  for (const { name, statements } of missing) {
    const record = primary.prepare('INSERT OR IGNORE INTO d1_migrations (name) VALUES (?)').bind(name)
    const prepared = statements.map((statement) => primary.prepare(statement))
    try {
      await primary.batch([...prepared, record])
    } catch (error) {
      if (!isRepetition(error)) throw error
      for (const statement of prepared) {
        await statement.run().catch((failed: unknown) => {
          if (!isRepetition(failed)) throw failed
        })
      }
      await record.run()
    }
  }
  return missing.map(({ name }) => name)
}
