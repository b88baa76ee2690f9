/** The index of the pages: the README's list of pages by reader, and what every deployment adds. */
import { posix } from 'node:path'
import { FIDELITY, pageOf, pathOf, REFERENCE } from './contents.ts'
import { renderMarkdown, type Content } from './markdown.ts'

const LIST = /^## Pages\n+([^]*?)\n(?=## )/m

function listOf(readme: string): string {
  const [, list] = LIST.exec(readme) ?? []
  if (list === undefined) throw new Error('README.md has no list of pages')
  return list
}

/** Returns the files of the README's list of pages, in its order. Throws for one that is no page. */
export function filesOf(readme: string): readonly string[] {
  const links = [...listOf(readme).matchAll(/\]\(([^)\s#]+)\)/g)].map(([, link = '']) => posix.normalize(link))
  const stray = links.find((file) => pageOf(file) === null)
  if (stray !== undefined) throw new Error(`README.md lists ${stray}, which is no page`)
  return [...new Set(links)]
}

const INTRODUCTION = `# Portcullis

Portcullis keeps keys, passwords and certificates for programs, and makes them on request. It is an OpenStack Key Manager
(the Barbican v1 API) on Cloudflare Workers. These pages belong to the deployment at \`https://keys.example\`, and its
address is in their commands. A click on a block of commands selects it.

## Pages

`

/** The index; the README's list gains the rows of what is made from data: the reference and the page on fidelity. */
export function indexOf(readme: string): Content {
  const rows = listOf(readme).trimEnd().split('\n')
  const reference =
    `| programs, and tools that make them | [Reference](${pathOf(REFERENCE)}): every operation, and the same as ` +
    '[OpenAPI document](/openapi.json) |'
  const fidelity = `| who asks how close to Barbican it is | [Fidelity](${pathOf(FIDELITY)}): operation by operation, with counts |`
  const list = [...rows.slice(0, 2), reference, ...rows.slice(2), fidelity].join('\n')
  return renderMarkdown('README.md', INTRODUCTION + list)
}
