/** Writes the results to the terminal, to two files and, with `--write`, to the page on speed. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { format } from 'prettier'
import { chart } from './chart.ts'
import { comparisonTable, describe, describeRun, type Results } from './results.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const PAGE = 'src/docs/speed.md'
const MARKERS = ['<!-- bench -->', '<!-- /bench -->'] as const

/** Replaces the text between two markers of the page on speed. Throws if they are missing. */
export async function writeIntoPage([from, to]: readonly [string, string], replacement: string): Promise<void> {
  const page = join(ROOT, PAGE)
  const text = await readFile(page, 'utf8')
  const [begin, end] = [text.indexOf(from), text.indexOf(to)]
  if (begin < 0 || end < begin) throw new Error(`the page has no ${from} … ${to}`)
  await writeMarkdown(page, `${text.slice(0, begin + from.length)}\n\n${replacement}\n${text.slice(end)}`)
  console.log(`written: ${PAGE}`)
}

async function writeMarkdown(file: string, text: string): Promise<void> {
  await writeFile(file, await format(text, { parser: 'markdown', printWidth: 120 }))
}

/** Returns the folder of results, which exists; `publish`: that of the repository. */
export async function folderOfResults(publish: boolean): Promise<string> {
  const folder = publish ? import.meta.dirname : join(ROOT, '.wrangler', 'bench')
  await mkdir(folder, { recursive: true })
  return folder
}

/** Prints the tables, and writes them and the chart; `publish`: to the repository and its page on speed. */
export async function writeResults(results: Results, publish: boolean): Promise<void> {
  const text = describe(results)
  console.log(text)
  const folder = await folderOfResults(publish)
  await writeMarkdown(join(folder, 'results.md'), text)
  await writeFile(join(folder, 'results.svg'), chart(results))
  console.log(`written: ${folder}/results.md and results.svg`)
  if (!publish) return
  const count = results.typicalConnections
  const shown = `![Requests per second of Portcullis, its ceiling and Barbican](../../test/bench/results.svg)

${comparisonTable(results, count)}
${describeRun(results, count)} The table is for
${count} connections; [\`test/bench/results.md\`](../../test/bench/results.md) has the others.
`
  await writeIntoPage(MARKERS, shown)
}
