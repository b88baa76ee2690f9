/** What all pages have: the document around a page's content, the links to the others, and a table of contents. */
import { DOCS, pathOf } from './contents.ts'
import type { Content } from './markdown.ts'
import { escaped, type Heading } from './markup.ts'
import { STYLE } from './style.ts'

/** A page in the list of pages: its name, which the index has not, and its title in HTML. */
export interface Entry {
  readonly name: string
  readonly title: string
}

/** The depths of headings that a table of contents shows. */
const SHOWN = new Set([2, 3])

function contents(headings: readonly Heading[]): string {
  const shown = headings.filter(({ depth }) => SHOWN.has(depth))
  if (shown.length < 2) return ''
  const item = ({ id, html }: Heading) => `<a href="#${escaped(id)}">${html}</a>`
  const groups: { readonly head: Heading; readonly below: Heading[] }[] = []
  for (const one of shown) {
    const last = groups.at(-1)
    if (one.depth === 2 || last === undefined) groups.push({ head: one, below: [] })
    else last.below.push(one)
  }
  const items = groups.map(({ head, below }) => {
    const list = below.length === 0 ? '' : `<ul>${below.map((one) => `<li>${item(one)}</li>`).join('')}</ul>`
    return `<li>${item(head)}${list}</li>`
  })
  return `<nav class="toc" aria-labelledby="toc" tabindex="0"><h2 id="toc">On this page</h2><ul>${items.join('')}</ul></nav>`
}

function links(current: string, pages: readonly Entry[]): string {
  const items = pages.map(({ name, title }) => {
    const state = name === current ? ' aria-current="page"' : ''
    return `<li><a href="${pathOf(name)}"${state}>${title}</a></li>`
  })
  return `<header class="top"><nav aria-label="Pages"><ul>${items.join('')}</ul></nav></header>`
}

/** Returns the whole document of a page; `pages` are all pages, in their order. */
export function document(name: string, { title, html, headings }: Content, pages: readonly Entry[]): string {
  const whole = name === '' ? title : `${title} – Portcullis`
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${whole}</title><link rel="icon" href="${DOCS}/icon.svg"><style>${STYLE}</style></head><body>`,
    '<a class="skip" href="#content">Skip to the content</a>',
    links(name, pages),
    `<div class="body">${contents(headings)}<main id="content" tabindex="-1">`,
    html,
    `</main></div></body></html>\n`,
  ].join('')
}

/** The title of the index in the list of pages. */
export const INDEX: Entry = { name: '', title: 'Portcullis' }
