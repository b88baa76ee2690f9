/**
 * `npm run migration -- --name NAME`: generates the next migration from `src/state/schema/`, including triggers, checks
 * it, and writes all migrations into the module that the Worker carries. A refused migration is not kept. Without a
 * change of the schema it only writes that module, for example after an edit of the newest migration. Expand first and contract one release later: a release must still work
 * with the schema of the next one.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { schemaDifferences } from './comparison.ts'
import { triggers } from '../../src/state/schema/triggers.ts'
import { admissible, refusals, statementsOf } from './rules.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const FOLDER = join(ROOT, 'migrations')
const CARRIED = join(ROOT, 'src/state/schema/migrations.ts')
/** The number of reasons that are printed. */
const MOST_REASONS = 20
const BREAKPOINT = ';\n--> statement-breakpoint\n'

const files = () =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sql'))
    .toSorted()

/** Creates a database in memory with these migrations applied. */
function migrated(names: readonly string[]): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  for (const name of names)
    for (const statement of statementsOf(readFileSync(join(FOLDER, name), 'utf8'))) database.exec(statement)
  return database
}

/** Returns the statements that replace the triggers of a database by those of `schema/triggers.ts`. */
function triggerStatements(database: DatabaseSync): string[] {
  const found = database.prepare("select name, sql from sqlite_master where type = 'trigger'").all()
  const isKept = (name: unknown) => triggers.some((one) => one.name === name && isSame(one.definition, sqlOf(name)))
  const sqlOf = (name: unknown) => found.find((row) => row['name'] === name)?.['sql']
  const isSame = (definition: string, sql: unknown) => sql === `CREATE TRIGGER ${definition}`
  return [
    ...found.filter(({ name }) => !isKept(name)).map(({ name }) => `DROP TRIGGER IF EXISTS ${String(name)}`),
    ...triggers
      .filter(({ name }) => !isKept(name))
      .map(({ definition }) => `CREATE TRIGGER IF NOT EXISTS ${definition}`),
  ]
}

/** Runs drizzle-kit and returns the name of the new file; null if the tables have not changed. */
function generate(args: readonly string[]): string | null {
  const before = new Set(files())
  const kit = join(ROOT, 'node_modules/drizzle-kit/bin.cjs')
  const options = ['--dialect', 'sqlite', '--schema', 'src/state/schema/*.ts', '--out', 'migrations']
  const { status } = spawnSync(process.execPath, [kit, 'generate', ...options, ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error('drizzle-kit failed')
  return files().find((file) => !before.has(file)) ?? null
}

/** Writes the next migration; returns the reasons if it is refused. */
async function writeMigration(args: readonly string[]): Promise<string[]> {
  const earlier = files()
  const changesTriggers = earlier.length > 0 && triggerStatements(migrated(earlier)).length > 0
  const file = generate(args) ?? (changesTriggers ? generate(['--custom', ...args]) : null)
  if (file === null) return []
  const path = join(FOLDER, file)
  const tables = admissible(readFileSync(path, 'utf8'))
  const refused = refusals(tables.join(BREAKPOINT))
  if (refused.length > 0) return refused
  writeFileSync(path, `${tables.join(BREAKPOINT)};\n`)
  const whole = [...tables, ...triggerStatements(migrated(files()))]
  writeFileSync(path, `${whole.join(BREAKPOINT)};\n`)
  const database = migrated(files())
  return schemaDifferences((sql) => database.prepare(sql).all())
}

/** Writes the module with all migrations, which has one line for each statement. */
function writeCarried(): void {
  const lines = files().flatMap((name) => [
    `  {`,
    `    name: ${JSON.stringify(name)},`,
    `    statements: [`,
    ...statementsOf(readFileSync(join(FOLDER, name), 'utf8')).map((statement) => `      ${JSON.stringify(statement)},`),
    `    ],`,
    `  },`,
  ])
  const head = `/** The migrations that the Worker carries. \`npm run migration\` writes this file from \`migrations/\`; do not edit it. */
export const migrations: readonly { readonly name: string; readonly statements: readonly string[] }[] = [`
  writeFileSync(CARRIED, [head, ...lines, ']', ''].join('\n'))
}

async function main(): Promise<void> {
  const before = join(mkdtempSync(join(tmpdir(), 'migrations-')), 'before')
  mkdirSync(FOLDER, { recursive: true })
  cpSync(FOLDER, before, { recursive: true })
  const reasons = await writeMigration(process.argv.slice(2))
  if (reasons.length > 0) {
    rmSync(FOLDER, { recursive: true })
    cpSync(before, FOLDER, { recursive: true })
  }
  rmSync(dirname(before), { recursive: true })
  if (reasons.length > 0)
    throw new Error(`refused, and nothing is written:\n${reasons.slice(0, MOST_REASONS).join('\n')}`)
  writeCarried()
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
