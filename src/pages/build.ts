/**
 * Makes the pages that a deployment serves under `/docs`, and `/openapi.json`, from the Markdown of the repository and the
 * OpenAPI document. `wrangler.toml` runs it before each build of the Worker:
 *
 *     node src/local/node.mjs src/pages/build.ts
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FIDELITY, PAGES, pageOf, REFERENCE, ROOT } from './contents.ts'
import { renderFidelity, type Fidelity } from './fidelity.ts'
import { indexOf, filesOf } from './index-page.ts'
import { document, INDEX, type Entry } from './layout.ts'
import { renderMarkdown, type Content } from './markdown.ts'
import { renderReference, type OpenApi } from './reference.ts'

const CONTRACT = 'src/contract/openapi.json'
/** Is there once `npm run interop` has run as a whole. */
const FIGURES = 'src/docs/fidelity.json'
const ICON = 'src/pages/icon.svg'

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

/** Returns the files to serve: their paths below the folder, and their texts. */
function made(): ReadonlyMap<string, string> {
  const readme = read('README.md')
  const contract = JSON.parse(read(CONTRACT)) as OpenApi
  const written = filesOf(readme).map((file) => [pageOf(file) ?? '', renderMarkdown(file, read(file))] as const)
  const named: readonly (readonly [string, Content])[] = [
    [REFERENCE, renderReference(contract)],
    ...written,
    [FIDELITY, renderFidelity(contract, JSON.parse(read(FIGURES)) as Fidelity)],
  ]
  const pages: readonly Entry[] = [INDEX, ...named.map(([name, { title }]) => ({ name, title }))]
  const files = new Map([
    ['openapi.json', JSON.stringify(contract)],
    [`docs/${basename(ICON)}`, read(ICON)],
  ])
  files.set('docs/index.html', document('', indexOf(readme), pages))
  for (const [name, content] of named) {
    files.set(`docs/${name}.html`, document(name, content, pages))
    for (const image of content.images) files.set(`docs/${basename(image)}`, read(image))
  }
  return files
}

/** Writes a file unless it has this text already: builds may run side by side, and a service may be reading. */
function write(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** Makes all pages and removes those of earlier builds. Throws if a file of a page is missing. */
export function buildPages(): void {
  const files = made()
  for (const [path, text] of files) write(join(PAGES, path), text)
  const present = readdirSync(PAGES, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const entry of present) {
    const path = join(entry.parentPath, entry.name)
    if (!files.has(path.slice(PAGES.length + 1).replaceAll('\\', '/'))) rmSync(path)
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) buildPages()
