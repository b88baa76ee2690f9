/** Renders a page of Markdown. The HTML has no script, no style and no element that Markdown does not have. */
import { Marked, type RendererObject, type Tokens } from 'marked'
import { targetOf } from './contents.ts'
import { block, escaped, heading, headingIds, scrolling, type Heading } from './markup.ts'

/** A page in HTML, without what all pages have. */
export interface Content {
  readonly title: string
  readonly html: string
  readonly headings: readonly Heading[]
  /** Files of the repository that the page shows as images. */
  readonly images: readonly string[]
}

const COMMANDS = /^(sh|bash|console)\b/

/** Only line breaks pass; comments are dropped. */
const ofHtml = (text: string): string => {
  if (text.startsWith('<!--')) return ''
  return /^<br\s*\/?>$/.test(text.trim()) ? '<br>' : escaped(text)
}

/** The renderers of one page of this file, which note its headings and images. */
function renderersOf(file: string, headings: Heading[], images: Set<string>): RendererObject {
  const idOf = headingIds()
  return {
    heading({ tokens, depth, text }: Tokens.Heading) {
      const html = this.parser.parseInline(tokens).replaceAll(/<\/?a\b[^>]*>/g, '')
      const made = { depth, id: idOf(text.replaceAll(/\]\([^)]*\)/g, ']')), html }
      headings.push(made)
      return heading(made)
    },
    code: ({ text, lang = '' }: Tokens.Code) => block(text, COMMANDS.test(lang)),
    html: ({ text }) => ofHtml(text),
    link({ href, tokens }: Tokens.Link) {
      const html = this.parser.parseInline(tokens)
      const target = targetOf(file, href)
      if (target.kind !== 'file') return `<a href="${escaped(target.href)}">${html}</a>`
      const named = html.includes(target.file.slice(target.file.lastIndexOf('/') + 1))
      return named ? html : `${html} (<code>${escaped(target.file)}</code>)`
    },
    image({ href, text }: Tokens.Image) {
      const target = targetOf(file, href)
      if (target.kind !== 'image') throw new Error(`${file}: ${href} is not an SVG of the repository`)
      images.add(target.file)
      return `<img src="${escaped(target.href)}" alt="${escaped(text)}">`
    },
    table({ header, rows }: Tokens.Table) {
      const cells = (row: readonly Tokens.TableCell[], tag: string) =>
        row
          .map(({ tokens, align }) => {
            const side = align === 'right' ? ' class="number"' : ''
            return `<${tag}${side}>${this.parser.parseInline(tokens)}</${tag.split(' ')[0]}>`
          })
          .join('')
      const body = rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('')
      const label = `Table: ${header.map(({ text }) => text.replaceAll('`', '')).join(', ')}`
      const head = `<thead><tr>${cells(header, 'th scope="col"')}</tr></thead>`
      return scrolling(`<table>${head}<tbody>${body}</tbody></table>`, label)
    },
  }
}

const ofDescriptions = new Marked({ gfm: true, async: false }, { renderer: { html: ({ text }) => escaped(text) } })

/** A description of the OpenAPI document, which is Markdown (OpenAPI 3.1, section 4.4), as paragraphs. */
export const prose = (text: string | undefined): string => ofDescriptions.parse(text ?? '', { async: false })

/** The same within a line. */
export const phrase = (text: string | undefined): string => ofDescriptions.parseInline(text ?? '', { async: false })

/** Renders a file of the repository; `markdown` is its text. Throws without a title, and for an image elsewhere. */
export function renderMarkdown(file: string, markdown: string): Content {
  const headings: Heading[] = []
  const images = new Set<string>()
  const marked = new Marked({ gfm: true, async: false }, { renderer: renderersOf(file, headings, images) })
  const html = marked.parse(markdown, { async: false })
  const title = headings.find(({ depth }) => depth === 1)
  if (title === undefined) throw new Error(`${file} has no title`)
  return { title: title.html.replaceAll(/<[^>]*>/g, ''), html, headings, images: [...images] }
}
