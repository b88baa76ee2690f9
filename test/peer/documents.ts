/**
 * Runs the blocks of commands in the pages for readers that are marked `sh run`, with a service that `npm start` started
 * and the variables that it printed: a command that a reader pastes must work. The blocks of a page run in one shell.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { needPackages } from './packages.ts'
import { run, systemEnvironment, type Environment } from './process.ts'
import type { Outcome } from './report.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const PAGES = ['README.md', ...['edge', 'keys', 'openstack', 'operating'].map((page) => `src/docs/${page}.md`)]
/** Precedes each block in the output, so that a failure names its block. */
const MARK = '@@ block'

/** A failed request or command must end the shell, and `curl` by itself does not fail for a status. */
const PROLOGUE = `set -euo pipefail
curl() { command curl --fail-with-body --show-error "$@"; }
`

const blocksOf = (page: string) => [...page.matchAll(/^```sh run\n([^]*?)^```/gm)].map(([, block = '']) => block)

/** Runs the blocks of one page and returns an outcome for each. */
async function runPage(page: string, environment: Environment): Promise<readonly Outcome[]> {
  const blocks = blocksOf(await readFile(join(ROOT, page), 'utf8'))
  if (blocks.length === 0) throw new Error(`${page} has no block to run`)
  const script = PROLOGUE + blocks.map((block, at) => `echo '${MARK} ${at + 1}'\n${block}`).join('\n')
  const PATH = [join(process.execPath, '..'), systemEnvironment['PATH']].join(':')
  const { status, stdout, stderr } = await run('bash', ['-c', script], {
    environment: { ...environment, PATH },
    folder: ROOT,
  })
  const begun = stdout.split(MARK).length - 1
  return blocks.map((_, at) => ({
    name: `documents: ${page}, block ${at + 1}`,
    failure: at + 1 < begun || (at + 1 === begun && status === 0) ? null : `${stdout}\n${stderr}`.slice(-1_000),
  }))
}

/** Runs the pages one after the other and prints a line for each block. */
export async function runDocuments(environment: Environment): Promise<readonly Outcome[]> {
  await needPackages(['curl', 'jq', 'python3-openstackclient', 'python3-barbicanclient'])
  const outcomes: Outcome[] = []
  for (const page of PAGES) outcomes.push(...(await runPage(page, environment)))
  for (const { name, failure } of outcomes)
    console.log(failure === null ? `ok    ${name}` : `FAIL  ${name}: ${failure}`)
  return outcomes
}
