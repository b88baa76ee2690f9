/**
 * Content negotiation by the `Accept` header as in Barbican: the grammar and the precedence of RFC 7231 section 5.3.2,
 * as webob implements them, and the exception of the pecan framework, which also accepts a header that begins with an
 * offered type.
 *
 * In every function here, `undefined` and the empty string mean that the client accepts everything. So does a header
 * outside the grammar (`foo`), unless the function documents otherwise.
 */

interface MediaRange {
  /** `type/subtype` in lower case, either of which may be `*`. */
  readonly type: string
  /** The range has parameters besides `q`, so it does not match offers, which have none. */
  readonly hasParameters: boolean
  /** The quality value in thousandths, 0 to 1000. */
  readonly quality: number
}

const token = String.raw`[!#$%&'*+.^_\x60|~\w-]+`
const quoted = String.raw`"(?:[^"\\]|\\.)*"`
const parameter = String.raw`[ \t]*;[ \t]*(${token})(?:=(${token}|${quoted}))?`

/** A list element between commas. An unterminated quotation mark is an element of its own, and invalid. */
const piecePattern = new RegExp(`(?:[^",]|${quoted})+|"`, 'g')
const rangePattern = new RegExp(`^[ \\t]*(${token}/${token})((?:${parameter})*)[ \\t]*$`)
const parameterPattern = new RegExp(parameter, 'g')
const qualityPattern = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/** Returns the media ranges of a header in their order, or null if the header is outside the grammar. */
function parseAccept(accept: string): readonly MediaRange[] | null {
  const ranges: MediaRange[] = []
  for (const [piece] of accept.matchAll(piecePattern)) {
    if (piece.trim() === '') continue
    const range = parseRange(piece)
    if (!range) return null
    ranges.push(range)
  }
  return ranges
}

function parseRange(piece: string): MediaRange | null {
  const [, type = '', parameters = ''] = rangePattern.exec(piece) ?? []
  if (type === '') return null
  let hasParameters = false
  for (const [, name = '', value = ''] of parameters.matchAll(parameterPattern)) {
    if (name.toLowerCase() === 'q') {
      // Parameters after the quality are accept-ext of RFC 7231, not parameters of the media type.
      if (!qualityPattern.test(value)) return null
      return { type: type.toLowerCase(), hasParameters, quality: Math.round(Number(value) * 1000) }
    }
    if (value === '') return null
    hasParameters = true
  }
  return { type: type.toLowerCase(), hasParameters, quality: 1000 }
}

/**
 * Returns how specifically a range matches an offered type: 3 exactly, 2 as `type/*`, 1 by the full wildcard, 0 not at
 * all.
 */
function specificity(range: MediaRange, offer: string): 0 | 1 | 2 | 3 {
  if (range.type === offer) return range.hasParameters ? 0 : 3
  if (range.type === `${offer.slice(0, offer.indexOf('/'))}/*`) return 2
  return range.type === '*/*' ? 1 : 0
}

/** Returns the quality of the most specific range that matches the offered type (the first of several), 0 for none. */
function qualityOf(ranges: readonly MediaRange[], offer: string): number {
  let highest = 0
  let quality = 0
  for (const range of ranges) {
    const current = specificity(range, offer)
    if (current > highest) [highest, quality] = [current, range.quality]
  }
  return quality
}

/** Reports whether the header accepts one of the offered types, or begins with one. */
function admits(accept: string | undefined, offers: readonly string[]): boolean {
  if (!accept) return true
  const ranges = parseAccept(accept)
  return ranges === null || offers.some((offer) => accept.startsWith(offer) || qualityOf(ranges, offer) > 0)
}

const JSON_TYPE = 'application/json'
const JSON_HOME = 'application/json-home'

/**
 * Reports whether the client accepts JSON. Parameters (`; charset=utf-8`) are ignored. As in Barbican, every header
 * that begins with `application/json` accepts it, including `application/json-home` and `application/json;q=0`.
 */
export function admitsJson(accept: string | undefined): boolean {
  if (admits(accept, [JSON_TYPE])) return true
  return parseAccept(accept ?? '')?.some((range) => range.type === JSON_TYPE && range.quality > 0) ?? true
}

/** Reports whether the client accepts the version documents, which are offered as JSON and as `json-home`. */
export function admitsVersions(accept: string | undefined): boolean {
  return admitsJson(accept) || admits(accept, [JSON_HOME])
}

/**
 * Reports whether the client prefers `application/json-home` to JSON, in which case `/` redirects to the document of
 * the version. A type is preferred for a higher quality, or at equal quality for a more specific range; JSON wins a
 * tie.
 */
export function prefersJsonHome(accept: string | undefined): boolean {
  const ranges = parseAccept(accept ?? '') ?? []
  return preferenceFor(ranges, JSON_HOME) > preferenceFor(ranges, JSON_TYPE)
}

/**
 * Reports whether a browser asks: it names HTML, and JSON only by a wildcard. A client that names JSON as well, however
 * little it prefers it, is a client of the API.
 */
export function isBrowser(accept: string | undefined): boolean {
  const ranges = parseAccept(accept ?? '') ?? []
  const isNamed = (type: string) => ranges.some((range) => range.type === type && range.quality > 0)
  if (!isNamed('text/html') || isNamed(JSON_TYPE) || isNamed(JSON_HOME)) return false
  return qualityOf(ranges, 'text/html') >= qualityOf(ranges, JSON_TYPE)
}

/** Returns a number that orders types by the highest quality of a matching range, then by its specificity. */
function preferenceFor(ranges: readonly MediaRange[], offer: string): number {
  const matching = ranges.filter((range) => range.quality > 0 && specificity(range, offer) > 0)
  return matching.reduce((max, range) => Math.max(max, range.quality * 10 + specificity(range, offer)), 0)
}

/** Common media types. Barbican uses the system's MIME table of about 1200 types; rare types are omitted here. */
const knownTypes = Object.entries({
  application:
    'octet-stream json json-patch+json ld+json xml xhtml+xml atom+xml javascript wasm cbor pdf zip gzip x-tar msword ' +
    'vnd.ms-excel pkcs7-mime pkcs7-signature pkcs8 pkcs10 pkcs12 pkix-cert pkix-crl pem-certificate-chain ' +
    'pgp-encrypted pgp-keys pgp-signature x-x509-ca-cert',
  text: 'plain html css csv xml markdown javascript calendar',
  image: 'png jpeg gif svg+xml webp',
  audio: 'mpeg ogg',
  video: 'mp4 webm',
  font: 'ttf woff2',
  message: 'rfc822',
  multipart: 'mixed',
  model: 'mesh',
}).flatMap(([type, subtypes]) => subtypes.split(' ').map((subtype) => `${type}/${subtype}`))

/**
 * Reports whether the header accepts at least one common media type. Routes that respond without a body, and those of
 * payloads, reject every other header (`foo/bar`) before any further check.
 */
export function admitsKnownType(accept: string | undefined): boolean {
  return admits(accept, knownTypes)
}

/** The format of error responses outside `/v1`, and of those about the microversion. */
type RootErrorForm = 'json' | 'html' | 'text'

/**
 * Returns whichever of HTML and JSON has the higher quality (HTML wins a tie), or plain text if the header is absent or
 * accepts neither. For a header outside the grammar it returns HTML.
 */
export function rootErrorForm(accept: string | undefined): RootErrorForm {
  const ranges = parseAccept(accept ?? '')
  if (ranges === null) return 'html'
  const html = qualityOf(ranges, 'text/html')
  const json = qualityOf(ranges, JSON_TYPE)
  if (html === 0 && json === 0) return 'text'
  return html >= json ? 'html' : 'json'
}
