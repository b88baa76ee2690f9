/** Which files become pages, under which names, and where a link between them leads. */
import { join, posix, resolve } from 'node:path'

/** The folder of the repository. */
export const ROOT = resolve(import.meta.dirname, '../..')

/** The folder that `wrangler.toml` names as the assets of the Worker. */
export const PAGES = join(ROOT, '.wrangler/pages')

/** The names of pages that are not in `src/docs`, by file. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'README.md': '',
  '.github/CHANGELOG.md': 'changelog',
  '.github/CONTRIBUTING.md': 'contributing',
  '.github/SECURITY.md': 'security-policy',
}

/** The path under which a deployment serves the pages. */
export const DOCS = '/docs'

/** The name of the page that is made from the OpenAPI document. */
export const REFERENCE = 'reference'
/** The name of the page that is made from the figures of the last whole run of `npm run interop`. */
export const FIDELITY = 'fidelity'

/** The path of a page. The index has no name. */
export const pathOf = (name: string): string => (name === '' ? DOCS : `${DOCS}/${name}`)

/** Returns the name of the page that a file of the repository becomes, or null. */
export function pageOf(file: string): string | null {
  const [, name] = /^src\/docs\/([a-z-]+)\.md$/.exec(file) ?? []
  return name ?? ELSEWHERE[file] ?? null
}

/** Where a link or an image of a page leads. */
export type Target =
  | { readonly kind: 'address'; readonly href: string }
  | { readonly kind: 'image'; readonly file: string; readonly href: string }
  /** A file of the repository that is not a page: it can be named, not followed. */
  | { readonly kind: 'file'; readonly file: string }

/** Resolves a link in a file. Addresses elsewhere, paths of the deployment and anchors of the same page stay as they are. */
export function targetOf(from: string, link: string): Target {
  if (/^([a-z]+:|[#/])/.test(link)) return { kind: 'address', href: link }
  const [path = '', anchor] = link.split('#')
  const file = posix.normalize(posix.join(posix.dirname(from), path))
  if (file.endsWith('.svg')) return { kind: 'image', file, href: `${DOCS}/${posix.basename(file)}` }
  const page = pageOf(file)
  if (page === null) return { kind: 'file', file }
  return { kind: 'address', href: pathOf(page) + (anchor === undefined ? '' : `#${anchor}`) }
}
