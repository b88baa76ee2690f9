/**
 * `npm run drill -- dump.sql`: proves that a dump can be restored. It loads the dump into a fresh local database in a
 * temporary folder, has the service's own code open every sealed value and check every MAC and every chain of events,
 * prints what it found, and removes everything. Master keys come from the environment (`MASTER_KEYS`) or from a file
 * (`--keys FILE`, lines of `NAME=value`), never from the command line, which every user of the machine can read.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, parseEnv } from 'node:util'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { readKeyring } from '../crypto/keyring.ts'
import type { Question } from './drill-worker/index.ts'
import { DumpError, sortDump } from './dump.ts'
import { loadDump } from './load.ts'
import { StartError } from './options.ts'
import { buildBundle, workerOf } from './runtime.ts'

const USAGE = `npm run drill -- dump.sql [--keys FILE]   (or MASTER_KEYS in the environment)`
const ENTRY = 'src/local/drill-worker/index.ts'
/** Faults that the report names. */
const MOST_NAMED = 20

interface Options {
  readonly dump: string
  readonly masterKeys: string
}

function optionsOf(args: readonly string[]): Options {
  const { values, positionals } = parse(args)
  const [dump, ...rest] = positionals
  if (dump === undefined || rest.length > 0) throw new StartError(USAGE)
  const given = values.keys === undefined ? process.env : parseEnv(readFileSync(values.keys, 'utf8'))
  if (!given['MASTER_KEYS']) throw new StartError(`there is no MASTER_KEYS in ${values.keys ?? 'the environment'}`)
  return { dump, masterKeys: given['MASTER_KEYS'] }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: { keys: { type: 'string' } }, allowPositionals: true })
  } catch (error) {
    throw new StartError(`${(error as Error).message}\n\n${USAGE}`)
  }
}

/** What was found of one part. */
interface Finding {
  readonly title: string
  readonly good: number
  readonly bad: readonly string[]
  readonly reported: readonly string[]
  readonly seconds: number
}

type Ask = (question: Question) => Promise<unknown>

/** Goes through all pages of a part. */
async function pagesOf(ask: Ask, title: string, question: Question): Promise<Finding> {
  const started = performance.now()
  const [bad, reported]: [string[], string[]] = [[], []]
  let [good, after]: [number, unknown] = [0, question.after ?? null]
  do {
    const page = (await ask({ ...question, after })) as {
      good: number
      bad: string[]
      reported?: string[]
      next: unknown
    }
    good += page.good
    bad.push(...page.bad)
    reported.push(...(page.reported ?? []))
    after = page.next
  } while (after !== null)
  return { title, good, bad, reported, seconds: (performance.now() - started) / 1_000 }
}

async function verify(ask: Ask): Promise<readonly Finding[]> {
  const parts = (await ask({ part: 'parts' })) as { sealed: string[]; rows: string[] }
  const findings: Finding[] = []
  for (const name of parts.sealed)
    findings.push(await pagesOf(ask, `sealed values of ${name} opened`, { part: 'sealed', name, after: 0 }))
  for (const name of parts.rows)
    findings.push(await pagesOf(ask, `rows of ${name} authentic`, { part: 'rows', name, after: 0 }))
  findings.push(await pagesOf(ask, 'events in unbroken chains', { part: 'chains' }))
  findings.push(await pagesOf(ask, 'projects whose counts are right', { part: 'counts' }))
  return findings
}

const line = ({ title, good, bad, seconds }: Finding) =>
  `${String(good).padStart(9)}  ${title}${bad.length > 0 ? `, ${bad.length} NOT` : ''} (${seconds.toFixed(1)} s)`

/** Loads and verifies the dump in this folder; returns whether everything is as it should be. */
async function drill({ dump: file, masterKeys }: Options, folder: string): Promise<boolean> {
  const started = performance.now()
  await readKeyring(masterKeys).catch((error: Error) => {
    throw new StartError(`MASTER_KEYS: ${error.message}`)
  })
  const dump = await sortDump(file, folder)
  await buildBundle(folder, { entry: ENTRY })
  const worker = workerOf(folder, { MASTER_KEYS: masterKeys, LOG: 'problems' })
  const miniflare = new Miniflare(convertV4MiniflareOptions(worker))
  try {
    const database = await miniflare.getD1Database('DB')
    const loading = performance.now()
    await loadDump(database, dump)
    const loaded = Object.values(dump.rows).reduce((sum, rows) => sum + rows, 0)
    const seconds = (performance.now() - loading) / 1_000
    console.log(
      line({
        title: `rows of ${Object.keys(dump.rows).length} tables loaded`,
        good: loaded,
        bad: [],
        reported: [],
        seconds,
      }),
    )
    const ask: Ask = async (question) => {
      const answer = await miniflare.dispatchFetch('http://drill/', { method: 'POST', body: JSON.stringify(question) })
      const what = `${question.part}${question.name === undefined ? '' : ` of ${question.name}`}`
      if (!answer.ok) throw new StartError(`${what} cannot be verified: ${await answer.text()}`)
      return answer.json()
    }
    const findings = await verify(ask)
    for (const finding of findings) console.log(line(finding))
    console.log(`${String(await ask({ part: 'unsealed' })).padStart(9)}  events were not sealed yet`)
    const reported = findings.flatMap((finding) => finding.reported)
    for (const name of reported.slice(0, MOST_NAMED)) console.log(`reported by the log as an incident: ${name}`)
    const bad = findings.flatMap((finding) => finding.bad)
    for (const name of bad.slice(0, MOST_NAMED)) console.error(`portcullis: not as it should be: ${name}`)
    const total = ((performance.now() - started) / 1_000).toFixed(1)
    console.log(bad.length > 0 ? `FAILED in ${total} s: ${bad.length} faults` : `The dump can be restored: ${total} s`)
    return bad.length === 0
  } finally {
    await miniflare.dispose()
  }
}

const folder = mkdtempSync(join(tmpdir(), 'portcullis-drill-'))
const remove = () => rmSync(folder, { recursive: true, force: true })
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    remove()
    process.exit(1)
  })
}
try {
  if (!(await drill(optionsOf(process.argv.slice(2)), folder))) process.exitCode = 1
} catch (error) {
  const isExpected =
    error instanceof StartError || error instanceof DumpError || (error as NodeJS.ErrnoException).code === 'ENOENT'
  console.error(isExpected ? `portcullis: ${(error as Error).message}` : error)
  process.exitCode = 1
} finally {
  remove()
}
