/**
 * The `Accept` header as the peer reads it: the grammar and the precedence of RFC 7231 section 5.3.2 (webob), and its
 * framework's habit (pecan) to be content with a header that merely begins with a type on offer.
 *
 * In every function here `undefined` and the empty text mean that the client has no wish, and so does a header outside
 * the grammar (`foo`) unless it says otherwise.
 */

interface MediaRange {
  /** Lower case `type/subtype`, either of which may be `*`. */
  readonly type: string
  /** It has parameters besides `q`, so it does not match what is offered without them. */
  readonly narrowed: boolean
  /** Thousandths, 0 to 1000. */
  readonly quality: number
}

const token = String.raw`[!#$%&'*+.^_\x60|~\w-]+`
const quoted = String.raw`"(?:[^"\\]|\\.)*"`
const parameter = String.raw`[ \t]*;[ \t]*(${token})(?:=(${token}|${quoted}))?`

/** What stands between commas; a quotation mark that is never closed is a piece of its own. */
const piecePattern = new RegExp(`(?:[^",]|${quoted})+|"`, 'g')
const rangePattern = new RegExp(`^[ \\t]*(${token}/${token})((?:${parameter})*)[ \\t]*$`)
const parameterPattern = new RegExp(parameter, 'g')
const qualityPattern = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/** The media ranges of a header in its order, or null when it is outside the grammar. */
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
  let narrowed = false
  for (const [, name = '', value = ''] of parameters.matchAll(parameterPattern)) {
    if (name.toLowerCase() === 'q') {
      // What follows the quality are extensions of the header, not parameters of the type.
      if (!qualityPattern.test(value)) return null
      return { type: type.toLowerCase(), narrowed, quality: Math.round(Number(value) * 1000) }
    }
    if (value === '') return null
    narrowed = true
  }
  return { type: type.toLowerCase(), narrowed, quality: 1000 }
}

/** How closely a range names the offered type: 3 by its name, 2 by `type/*`, 1 by the full wildcard, 0 not at all. */
function closeness(range: MediaRange, offer: string): 0 | 1 | 2 | 3 {
  if (range.type === offer) return range.narrowed ? 0 : 3
  if (range.type === `${offer.slice(0, offer.indexOf('/'))}/*`) return 2
  return range.type === '*/*' ? 1 : 0
}

/** The quality that the closest range gives to the offered type (the first of equally close ones), 0 for none. */
function qualityOf(ranges: readonly MediaRange[], offer: string): number {
  let closest = 0
  let quality = 0
  for (const range of ranges) {
    const close = closeness(range, offer)
    if (close > closest) [closest, quality] = [close, range.quality]
  }
  return quality
}

/** Whether the header admits one of the offered types, or begins with one. */
function admits(accept: string | undefined, offers: readonly string[]): boolean {
  if (!accept) return true
  const ranges = parseAccept(accept)
  return ranges === null || offers.some((offer) => accept.startsWith(offer) || qualityOf(ranges, offer) > 0)
}

const JSON_TYPE = 'application/json'
const JSON_HOME = 'application/json-home'

/**
 * Whether JSON may be sent. Parameters (`; charset=utf-8`) do not matter. Anything that begins with `application/json`
 * admits it, as with the peer: also `application/json-home` and `application/json;q=0`.
 */
export function admitsJson(accept: string | undefined): boolean {
  if (admits(accept, [JSON_TYPE])) return true
  return parseAccept(accept ?? '')?.some((range) => range.type === JSON_TYPE && range.quality > 0) ?? true
}

/** Whether the version documents may be sent: their types are JSON and its `json-home`. */
export function admitsVersions(accept: string | undefined): boolean {
  return admitsJson(accept) || admits(accept, [JSON_HOME])
}

/**
 * Whether `application/json-home` is wanted more than JSON, so that `/` redirects to the version's document: by higher
 * quality, or at equal quality by a range that names it more closely. A plain tie is for JSON.
 */
export function prefersJsonHome(accept: string | undefined): boolean {
  const ranges = parseAccept(accept ?? '') ?? []
  return desireFor(ranges, JSON_HOME) > desireFor(ranges, JSON_TYPE)
}

/** A number that orders types by the highest quality of a range for them, then by how closely that range names them. */
function desireFor(ranges: readonly MediaRange[], offer: string): number {
  const wanted = ranges.filter((range) => range.quality > 0 && closeness(range, offer) > 0)
  return wanted.reduce((most, range) => Math.max(most, range.quality * 10 + closeness(range, offer)), 0)
}

/** The usual entries of a system's MIME table. The peer's has some 1200; differences for exotic types are accepted. */
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
 * Whether the header admits any media type that a server usually knows. Routes that answer without a body, and those
 * of payloads, refuse a header that does not (`foo/bar`) before they look at anything else.
 */
export function admitsKnownType(accept: string | undefined): boolean {
  return admits(accept, knownTypes)
}

/** In what form an error outside `/v1`, or of the microversion, is told. */
export type RootErrorForm = 'json' | 'html' | 'text'

/**
 * The better liked of HTML (which wins a tie) and JSON, or plain text when the header admits neither or is absent. A
 * header outside the grammar gets HTML.
 */
export function rootErrorForm(accept: string | undefined): RootErrorForm {
  const ranges = parseAccept(accept ?? '')
  if (ranges === null) return 'html'
  const html = qualityOf(ranges, 'text/html')
  const json = qualityOf(ranges, JSON_TYPE)
  if (html === 0 && json === 0) return 'text'
  return html >= json ? 'html' : 'json'
}
