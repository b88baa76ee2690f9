/**
 * Migrations lose nothing: the rules that refuse dangerous ones, and the rows of a filled database before and after.
 */
/// <reference types="vite/types/importMeta.d.ts" />
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import { admissible, isRepetition, refusals, statementsOf } from './rules.ts'
import { schemaDifferences } from './comparison.ts'
import { applyMigrations } from '../../src/state/object/migrate.ts'
import { migrations } from '../../src/state/schema/migrations.ts'
import { triggers } from '../../src/state/schema/triggers.ts'
import { rowsForEveryTable, tableNames, type HasColumn } from '../support/every-table.ts'

const { REPLICA: database } = env as unknown as { readonly REPLICA: D1Database }
const texts = import.meta.glob<string>('../../migrations/*.sql', { query: '?raw', eager: true, import: 'default' })

const query = async (sql: string) => (await database.prepare(sql).all()).results
const differences = () => schemaDifferences(query)

/** An empty database. */
async function clear(): Promise<void> {
  const { results } = await database
    .prepare(
      "select name from sqlite_master where type = 'table' and name not glob 'sqlite_*' and name not glob '_cf_*'",
    )
    .all<{ name: string }>()
  await database.batch([
    database.prepare('pragma defer_foreign_keys = on'),
    // Children first, because dropping a table deletes its rows and checks foreign keys.
    ...results.toReversed().map(({ name }) => database.prepare(`drop table "${name}"`)),
  ])
}

const run = (statements: readonly string[]) => database.batch(statements.map((one) => database.prepare(one)))

/** Every row of every table that exists, by table. */
async function contents(): Promise<Record<string, unknown[]>> {
  const existing = new Set((await query("select name from sqlite_master where type = 'table'")).map(({ name }) => name))
  const all: Record<string, unknown[]> = {}
  for (const name of tableNames.filter((one) => existing.has(one))) all[name] = await query(`select * from ${name}`)
  return all
}

beforeEach(clear)

it('the Worker carries all files of migrations/, in order and to the letter', () => {
  const files = Object.entries(texts).map(([path, text]) => ({
    name: path.replace('../../migrations/', ''),
    statements: statementsOf(text),
  }))
  expect(migrations).toEqual(files.toSorted((one, other) => (one.name < other.name ? -1 : 1)))
})

describe('all migrations together', () => {
  it('all migrations together make the tables, columns, keys, indices and triggers that the schema names, and nothing else', async () => {
    await applyMigrations(database)
    expect(await differences()).toEqual([])
    expect(triggers.length).toBeGreaterThan(15)
  })

  it.each([
    ['a trigger', 'drop trigger secrets_counted', 'trigger missing: CREATE TRIGGER secrets_counted'],
    ['an index', 'drop index secrets_project', 'secrets: index missing: [false,false,["project_id"]]'],
    ['a table', 'drop table revoked_tokens', 'table missing: revoked_tokens'],
    ['a column', 'alter table orders drop column attempts', 'orders: column missing: ["attempts"'],
  ])('the comparison of a database with the schema reports a lost object: %s', async (_kind, statement, reported) => {
    await applyMigrations(database)
    await run([statement])
    expect((await differences()).some((line) => line.startsWith(reported))).toBe(true)
  })

  it('all migrations can be run a second time, statement by statement, because a lost answer leaves the outcome open', async () => {
    const statements = Object.values(texts).flatMap(statementsOf)
    await run(statements)
    await run(rowsForEveryTable())
    const before = await contents()
    for (const statement of statements) {
      await run([statement]).catch((error: unknown) => expect(isRepetition(error), String(error)).toBe(true))
    }
    expect(await differences()).toEqual([])
    expect(await contents()).toEqual(before)
  })
})

/** Which tables and columns the database has now. */
async function columnsThere(): Promise<HasColumn> {
  const there = new Set<string>()
  for (const table of tableNames)
    for (const { name } of await query(`pragma table_info("${table}")`)) there.add(`${table}.${String(name)}`)
  return (table, column) => there.has(`${table}.${column}`)
}

/** Fills a database that has the earlier migrations, applies the newest, and returns what it held before and after. */
async function upgrade(earlier: typeof migrations, newest: typeof migrations) {
  await applyMigrations(database, earlier)
  if (earlier.length > 0) await run(rowsForEveryTable(await columnsThere()))
  const before = await contents()
  await applyMigrations(database, [...earlier, ...newest])
  return { before, after: await contents() }
}

/** Reports whether each row of `before` still exists, with the columns that it had. */
function keeps({ before, after }: Awaited<ReturnType<typeof upgrade>>): boolean {
  for (const [name, rows] of Object.entries(before)) expect(rows, name).not.toEqual([])
  return Object.entries(before).every(([name, rows]) =>
    rows.every((row) => (after[name] ?? []).some((one) => isPart(row as object, one as object))),
  )
}
const isPart = (part: object, whole: object) =>
  Object.entries(part).every(([key, value]) => JSON.stringify(value) === JSON.stringify(whole[key as never]))

const next = (...statements: string[]) => ({ name: '9999_next.sql', statements })

/** The migration that drizzle-kit generates for a column that becomes NOT NULL. */
const rebuilt = [
  'PRAGMA foreign_keys=OFF',
  'CREATE TABLE `__new_containers` AS SELECT * FROM `containers`',
  'DROP TABLE `containers`',
  'ALTER TABLE `__new_containers` RENAME TO `containers`',
]

describe('a filled database', () => {
  it('a filled database keeps every row, count and trigger when the newest migration is applied', async () => {
    expect(keeps(await upgrade(migrations.slice(0, -1), migrations.slice(-1)))).toBe(true)
    expect(await differences()).toEqual([])
  })

  it('a filled database keeps every row when a column and an index are added', async () => {
    const added = next(
      'ALTER TABLE `secrets` ADD `later` text',
      'CREATE INDEX IF NOT EXISTS `secrets_later` ON `secrets` (`later`)',
    )
    expect(keeps(await upgrade(migrations, [added]))).toBe(true)
    expect((await differences()).filter((line) => line.startsWith('trigger'))).toEqual([])
  })

  it('a filled database loses rows and triggers to a rebuilt table, which is why the rules refuse one', async () => {
    expect(keeps(await upgrade(migrations, [next(...rebuilt)]))).toBe(false)
    expect((await differences()).some((line) => line.startsWith('trigger missing: CREATE TRIGGER containers_'))).toBe(true)
    expect(refusals(rebuilt.join('--> statement-breakpoint'))).toHaveLength(rebuilt.length)
  })
})

describe('the rules for migrations', () => {
  it.each(Object.entries(texts))('the rules for migrations admit %s', (_path, text) =>
    expect(refusals(text)).toEqual([]),
  )

  it.each([
    'DROP TABLE `secrets`',
    'drop table if exists secrets',
    'CREATE TABLE IF NOT EXISTS `__new_secrets` (`id` text)',
    'CREATE TABLE `later` (`id` text)',
    'CREATE INDEX `later` ON `secrets` (`name`)',
    'DROP TRIGGER secrets_counted',
    'ALTER TABLE `secrets` RENAME TO `other`',
    'ALTER TABLE `secrets` RENAME COLUMN `name` TO `title`',
    'INSERT INTO secrets (id) VALUES (1)',
    'DELETE FROM secrets',
    'PRAGMA foreign_keys=OFF',
  ])('the rules for migrations refuse what loses data or cannot be run twice: %s', (statement) => {
    expect(refusals(statement)).toHaveLength(1)
  })

  it('the rules for migrations admit what drizzle-kit writes for a new table, made repeatable, with its unique index inside', () => {
    const generated =
      'CREATE TABLE `later` (\n\t`id` text NOT NULL\n);\n--> statement-breakpoint\nCREATE UNIQUE INDEX `later_id` ON `later` (`id`);'
    expect(admissible(generated)).toEqual([
      'CREATE TABLE IF NOT EXISTS `later` (\n\t`id` text NOT NULL,\n\tCONSTRAINT `later_id` UNIQUE(`id`)\n)',
    ])
    expect(admissible(generated).flatMap(refusals)).toEqual([])
  })
})
