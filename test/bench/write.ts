/** Writes the results to the terminal, to two files and, with `--write`, to the page on speed. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { format } from 'prettier'
import { chart } from './chart.ts'
import { comparisonTable, describe, describeRun, type Results } from './results.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const PAGE = 'src/docs/speed.md'
const MARKERS = ['<!-- bench -->', '<!-- /bench -->'] as const

/** Replaces the text between the markers. Throws if they are missing. */
function replaceBetweenMarkers(text: string, replacement: string): string {
  const [begin, end] = [text.indexOf(MARKERS[0]), text.indexOf(MARKERS[1])]
  if (begin < 0 || end < begin) throw new Error(`the page has no ${MARKERS.join(' … ')}`)
  return `${text.slice(0, begin + MARKERS[0].length)}\n\n${replacement}\n${text.slice(end)}`
}

async function writeMarkdown(file: string, text: string): Promise<void> {
  await writeFile(file, await format(text, { parser: 'markdown', printWidth: 120 }))
}

/** Prints the tables, and writes them and the chart; `publish`: to the repository and its page on speed. */
export async function writeResults(results: Results, publish: boolean): Promise<void> {
  const text = describe(results)
  console.log(text)
  const folder = publish ? import.meta.dirname : join(ROOT, '.wrangler', 'bench')
  await mkdir(folder, { recursive: true })
  await writeMarkdown(join(folder, 'results.md'), text)
  await writeFile(join(folder, 'results.svg'), chart(results))
  console.log(`written: ${folder}/results.md and results.svg`)
  if (!publish) return
  const page = join(ROOT, PAGE)
  const count = results.typicalConnections
  const shown = `![Requests per second of Portcullis, its ceiling and Barbican](../../test/bench/results.svg)

${comparisonTable(results, count)}
${describeRun(results, count)} The table is for
${count} connections; [\`test/bench/results.md\`](../../test/bench/results.md) has the others.
`
  await writeMarkdown(page, replaceBetweenMarkers(await readFile(page, 'utf8'), shown))
  console.log(`written: ${PAGE}`)
}
