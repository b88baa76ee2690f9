/**
 * A dump of the database as `wrangler d1 export` writes it loads into an empty database with `wrangler d1 execute`.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { schemaDifferences } from '../migrations/comparison.ts'
import { rowsForEveryTable, tableNames } from '../support/every-table.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const WRANGLER = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')
const WRANGLER_MILLISECONDS = 60_000

const folder = mkdtempSync(join(tmpdir(), 'portcullis-dump-'))
const [filled, loaded] = [join(folder, 'filled'), join(folder, 'loaded')]
const dump = join(folder, 'dump.sql')

/** Runs wrangler in a project folder that has the Worker's configuration and a database of its own. */
const wrangler = (project: string, ...args: readonly string[]): string =>
  execFileSync(process.execPath, [WRANGLER, ...args], {
    cwd: project,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })

const execute = (project: string, ...args: readonly string[]) =>
  wrangler(project, 'd1', 'execute', 'DB', '--local', ...args)

/** The database of a project folder, opened as a file, because a hundred queries through wrangler take minutes. */
function open(project: string): DatabaseSync {
  const files = readdirSync(join(project, '.wrangler/state/v3/d1'), { recursive: true, encoding: 'utf8' })
  const file = files.find((one) => one.endsWith('.sqlite') && !one.endsWith('metadata.sqlite'))
  if (!file) throw new Error(`there is no database in ${project}`)
  return new DatabaseSync(join(project, '.wrangler/state/v3/d1', file))
}

function query(project: string, sql: string): Record<string, unknown>[] {
  const database = open(project)
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}

beforeAll(() => {
  for (const project of [filled, loaded]) {
    cpSync(join(ROOT, 'wrangler.toml'), join(project, 'wrangler.toml'))
    cpSync(join(ROOT, 'migrations'), join(project, 'migrations'), { recursive: true })
  }
  wrangler(filled, 'd1', 'migrations', 'apply', 'DB', '--local')
  const rows = join(folder, 'rows.sql')
  writeFileSync(rows, `${rowsForEveryTable().join(';\n')};\n`)
  execute(filled, '--file', rows)
  wrangler(filled, 'd1', 'export', 'DB', '--local', '--output', dump)
  execute(loaded, '--file', dump)
}, 6 * WRANGLER_MILLISECONDS)

afterAll(() => rmSync(folder, { recursive: true }))

it('a loaded dump has every row of every table', () => {
  for (const name of tableNames) {
    const rows = query(filled, `select * from ${name}`)
    expect(rows, name).not.toEqual([])
    expect(query(loaded, `select * from ${name}`), name).toEqual(rows)
  }
})

it('a loaded dump has the schema, its foreign keys and its triggers', async () => {
  expect(await schemaDifferences((sql) => query(loaded, sql))).toEqual([])
  expect(query(loaded, 'pragma foreign_key_check')).toEqual([])
})

it('a loaded dump counts and cascades like the database that it came from', () => {
  execute(loaded, '--command', 'delete from secrets')
  const left = query(
    loaded,
    'select (select secrets from project_counts) as secrets, (select count(*) from secret_metadata) as metadata',
  )
  expect(left).toEqual([{ secrets: 0, metadata: 0 }])
})
