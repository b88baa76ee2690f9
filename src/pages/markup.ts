/** Pieces of HTML that the pages are made of. Everything that is not made here is escaped. */

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Returns the text for use between tags and in quoted attributes. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '')

/** Text in the font of code. */
export const code = (text: string): string => `<code>${escaped(text)}</code>`

/** A table or another wide element, which scrolls by itself, also with the keyboard. */
export const scrolling = (html: string, label: string): string =>
  `<div class="scroll" tabindex="0" role="group" aria-label="${escaped(label)}">${html}</div>`

/** A table; `head` and `rows` are HTML. */
export function table(label: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const header = head.map((cell) => `<th scope="col">${cell}</th>`).join('')
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')
  return scrolling(`<table><thead><tr>${header}</tr></thead><tbody>${body}</tbody></table>`, label)
}

/** A block of code. A block of commands is selected as a whole by one click. */
export const block = (text: string, isCommand: boolean): string =>
  `<pre tabindex="0"${isCommand ? ' class="command"' : ''}><code>${escaped(text.replace(/\n$/, ''))}</code></pre>`

/** A heading of a page, which its table of contents lists. */
export interface Heading {
  readonly depth: number
  readonly id: string
  /** HTML without links. */
  readonly html: string
}

/** A heading that links to itself, so that its address can be copied. */
export const heading = ({ depth, id, html }: Heading): string =>
  `<h${depth} id="${escaped(id)}"><a href="#${escaped(id)}">${html}</a></h${depth}>`

/** Gives ids to the headings of one page, as GitHub does: a repeated one gets a number. */
export function headingIds(): (text: string) => string {
  const given = new Map<string, number>()
  return (text) => {
    const id = text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
    const times = given.get(id) ?? 0
    given.set(id, times + 1)
    return times === 0 ? id : `${id}-${times}`
  }
}
