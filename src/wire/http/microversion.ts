/** Parses the `OpenStack-API-Version` header and formats the response to an invalid one. */
import { titles } from '../../faults.ts'
import { rootErrorForm } from './accept.ts'
import { parseInteger, pythonNotation, stripText } from './python.ts'

/** All supported microversions, oldest first. */
export const microversions = ['1.0', '1.1', '1.2'] as const
export type Microversion = (typeof microversions)[number]

export const MIN_MICROVERSION = '1.0' satisfies Microversion
export const MAX_MICROVERSION = '1.2' satisfies Microversion

/** Reports whether behaviour introduced in `since` applies to a request at `version`. */
export function atLeast(version: Microversion, since: Microversion): boolean {
  return microversions.indexOf(version) >= microversions.indexOf(since)
}

/** Reports a header that requests an unsupported version (406) or is malformed (400). */
export class MicroversionRefused extends Error {
  override readonly name = 'MicroversionRefused'
  readonly status: 400 | 406
  /** The reason, worded as in the microversion_parse package, which Barbican uses. It quotes the header. */
  readonly tail: string

  constructor(status: 400 | 406, tail: string) {
    super(tail)
    this.status = status
    this.tail = tail
  }
}

/**
 * Returns the version that the header requests. Of several comma-separated entries the last one for `key-manager`
 * applies; entries for other services and incomplete entries are ignored. The default is 1.0. Throws {@link
 * MicroversionRefused}.
 */
export function parseMicroversion(header: string | undefined): Microversion {
  const wanted = header === undefined ? undefined : versionTexts(header).at(-1)
  if (wanted === undefined) return MIN_MICROVERSION
  if (wanted === 'latest') return MAX_MICROVERSION
  const numbers = versionNumbers(wanted).join('.')
  const version = microversions.find((supported) => supported === numbers)
  if (!version) throw new MicroversionRefused(406, `Unacceptable version header: ${wanted}`)
  return version
}

function versionTexts(header: string): string[] {
  return header.split(',').flatMap((entry) => {
    const [, service = '', version = ''] = /^(\S+)\s+(.+)$/.exec(stripText(entry)) ?? []
    return service.toLowerCase() === 'key-manager' ? [version] : []
  })
}

function versionNumbers(wanted: string): bigint[] {
  const point = wanted.indexOf('.')
  const parts = point < 0 ? [wanted] : [wanted.slice(0, point), wanted.slice(point + 1)]
  const numbers = parts.map((part) => {
    const number = parseInteger(part)
    if (number === null) throw malformed(wanted, `invalid literal for int() with base 10: ${pythonNotation(part)}`)
    return number
  })
  if (point < 0) throw malformed(wanted, "Version.__new__() missing 1 required positional argument: 'minor'")
  return numbers
}

function malformed(wanted: string, why: string): MicroversionRefused {
  return new MicroversionRefused(400, `invalid version string: ${wanted}; ${why}`)
}

type Escape = (text: string) => string

/** Returns the HTML message of webob's exception; `escape` is applied to the text that the client sent. */
function messageOf({ status, tail }: MicroversionRefused, accept: string | undefined, escape: Escape): string {
  const detail = `<br /><br />\nInvalid microversion: ${escape(tail)}`
  if (status === 400) {
    return `The server could not comply with the request since it is either malformed or otherwise incorrect.${detail}\n\n`
  }
  // If the header is missing, Barbican does not substitute the placeholder.
  const wanted = accept === undefined ? '${HTTP_ACCEPT}' : escape(accept)
  return `The resource could not be generated that was acceptable to your browser\n(content of type ${wanted}. ${detail}`
}

const unescaped: Escape = (text) => text

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#x27;',
}

/** Escapes text for HTML. */
export const escapeHtml: Escape = (text) => text.replace(/[&<>"']/g, (character) => entities[character] ?? character)

function withoutMarkup(message: string): string {
  return message
    .replaceAll('\n', ' ')
    .replaceAll('<br />', '\n')
    .replaceAll(/<[^>]*>/g, '')
}

/** Returns the response body for a {@link MicroversionRefused}, in the format that {@link rootErrorForm} selects. */
export function refusalBody(
  refused: MicroversionRefused,
  accept: string | undefined,
): { readonly contentType: string; readonly body: string } {
  const status = `${refused.status} ${titles[refused.status]}`
  switch (rootErrorForm(accept)) {
    case 'json': {
      const message = messageOf(refused, accept, unescaped)
      const body = JSON.stringify({ message, code: status, title: titles[refused.status] })
      return { contentType: 'application/json', body }
    }
    case 'html': {
      const heading = `<html>\n <head>\n  <title>${status}</title>\n </head>\n <body>\n  <h1>${status}</h1>\n  `
      const body = `${heading}${messageOf(refused, accept, escapeHtml)}\n </body>\n</html>`
      return { contentType: 'text/html; charset=UTF-8', body }
    }
    case 'text': {
      const body = `${status}\n\n${withoutMarkup(messageOf(refused, accept, unescaped))}`
      return { contentType: 'text/plain; charset=UTF-8', body }
    }
  }
}
