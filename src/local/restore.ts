/**
 * `npm run restore -- dump.sql`: loads a dump of the database into a new one, locally into a state folder, or with
 * `--remote` into the empty database that `wrangler.toml` binds.
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { DumpError, sortDump, type SortedDump } from './dump.ts'
import { loadDump, localDatabase } from './load.ts'
import { StartError } from './options.ts'
import { buildBundle, WRANGLER } from './runtime.ts'

const USAGE = `npm run restore -- dump.sql --persist-to DIR   into a new state folder of this machine
npm run restore -- dump.sql --remote           into the empty database that wrangler.toml binds`

function optionsOf(args: readonly string[]) {
  const options = { 'persist-to': { type: 'string' }, remote: { type: 'boolean' }, help: { type: 'boolean' } } as const
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    return { dump: positionals[0], rest: positionals.slice(1), state: values['persist-to'], ...values }
  } catch (error) {
    throw new StartError(`${(error as Error).message}\n\n${USAGE}`)
  }
}

/** What is to be done around the load: the program cannot do it, because it has no token of the service. */
const guidance = (place: string) => `
The rows are loaded. Before anybody writes:

1. Have the master keys of the dump in MASTER_KEYS${place}: without them nothing opens.
2. Start the service with READ_ONLY=on, and read a secret.
3. POST /admin/reconcile, with a token that has the role key-manager:service-admin, until the report is complete; then
   send its "confirm" back, and go on with its "marker" if there is one. The Durable Objects then know these rows.
4. Set READ_ONLY to off.`

async function loadLocally(state: string, dump: SortedDump): Promise<void> {
  mkdirSync(state, { recursive: true, mode: 0o700 })
  await buildBundle(state)
  const { database, close } = await localDatabase(state)
  try {
    await loadDump(database, dump)
  } finally {
    await close()
  }
}

function execute(...args: readonly string[]): string {
  const run = spawnSync(process.execPath, [WRANGLER, 'd1', 'execute', 'DB', '--remote', ...args], { encoding: 'utf8' })
  if (run.status !== 0) throw new StartError(`wrangler d1 execute failed:\n${run.stdout}${run.stderr}`)
  return run.stdout
}

async function loadRemotely(folder: string, dump: SortedDump): Promise<void> {
  const isOwn = "type = 'table' and name not glob 'sqlite_*' and name not glob '_cf_*'"
  const found = execute('--json', '--command', `select count(*) as tables from sqlite_schema where ${isOwn}`)
  if (!/"tables":\s*0\b/.test(found)) throw new StartError('the database that wrangler.toml binds is not empty')
  const file = join(folder, 'ordered.sql')
  for await (const statement of dump.statements()) appendFileSync(file, `${statement};\n`, { mode: 0o600 })
  execute('--yes', '--file', file)
}

async function restore(): Promise<void> {
  const { dump: file, rest, state, remote = false, help } = optionsOf(process.argv.slice(2))
  if (help) return console.log(USAGE)
  if (file === undefined || rest.length > 0 || remote === (state !== undefined)) throw new StartError(USAGE)
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-restore-'))
  try {
    const dump = await sortDump(file, folder)
    if (state === undefined) await loadRemotely(folder, dump)
    else await loadLocally(resolve(state), dump)
    const total = Object.values(dump.rows).reduce((sum, rows) => sum + rows, 0)
    console.log(`${total} rows of ${Object.keys(dump.rows).length} tables`)
    console.log(guidance(state === undefined ? '' : ` of ${join(state, 'portcullis.env')}`))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

try {
  await restore()
} catch (error) {
  const isExpected =
    error instanceof StartError || error instanceof DumpError || (error as NodeJS.ErrnoException).code === 'ENOENT'
  console.error(isExpected ? `portcullis: ${(error as Error).message}` : error)
  process.exitCode = 1
}
