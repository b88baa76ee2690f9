/**
 * CPython's functions for formatting, stripping, measuring and parsing values. Clients of Barbican observe them: error
 * messages quote the invalid value as `repr()` formats it, and strings are stripped as by `str.strip()` before they are
 * validated.
 */

/** White space as in `str.strip()`: Unicode `White_Space` and the separators U+001C to U+001F, but not U+FEFF. */
const space = new RegExp(String.raw`[\p{White_Space}\x1c-\x1f]`, 'u')

/** Removes leading and trailing white space like `str.strip()`. */
export function stripText(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && space.test(text.charAt(start))) start += 1
  while (start < end && space.test(text.charAt(end - 1))) end -= 1
  return text.slice(start, end)
}

/**
 * Strips every string value inside a parsed JSON document, at any depth. Keys are not stripped, and neither is a
 * document that is itself a string. The document is modified in place and returned. The function does not recurse, so a
 * deeply nested document cannot overflow the stack.
 */
export function stripValues(json: unknown): unknown {
  const containers = [json].filter(isContainer)
  for (let container = containers.pop(); container; container = containers.pop()) {
    for (const key of Object.keys(container)) {
      const value = container[key]
      if (typeof value === 'string') container[key] = stripText(value)
      else if (isContainer(value)) containers.push(value)
    }
  }
  return json
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Returns the length in code points, like Python's `len()`; a lone surrogate counts as one. */
export function codePoints(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}

/** CPython's limit for the conversion of integers, which takes quadratic time. */
const MAX_DIGITS = 4300

/**
 * Parses an integer like `int(text)`: decimal digits, optionally with single underscores between them, a sign and outer
 * white space. Returns null for other text and for more than 4300 digits. Digits of other scripts, which Python
 * accepts, are not accepted.
 */
export function parseInteger(text: string): bigint | null {
  const [, sign = '', digits = ''] = /^([+-]?)(\d+(?:_\d+)*)$/.exec(stripText(text)) ?? []
  const plain = digits.replaceAll('_', '')
  if (plain === '' || plain.length > MAX_DIGITS) return null
  return sign === '-' ? -BigInt(plain) : BigInt(plain)
}

/**
 * Formats a value of a parsed JSON document like Python's `repr()`. Integral numbers below 1e16 are formatted as
 * integers (`1.0` cannot be distinguished from `1`), larger ones as floats, and bigints as integers. The function does
 * not recurse.
 */
export function pythonNotation(value: unknown): string {
  const pending: Piece[] = [{ value }]
  let output = ''
  for (let piece = pending.pop(); piece; piece = pending.pop()) {
    if (piece.text !== undefined) output += piece.text
    else if (isContainer(piece.value)) for (const inner of piecesOf(piece.value).toReversed()) pending.push(inner)
    else output += scalarNotation(piece.value)
  }
  return output
}

/** Either text for the output, or a value that remains to be formatted. */
interface Piece {
  readonly text?: string
  readonly value?: unknown
}

function piecesOf(container: Record<string, unknown>): Piece[] {
  const isList = Array.isArray(container)
  const pieces: Piece[] = [{ text: isList ? '[' : '{' }]
  for (const [key, value] of Object.entries(container)) {
    const comma = pieces.length > 1 ? ', ' : ''
    pieces.push({ text: isList ? comma : `${comma}${stringNotation(key)}: ` }, { value })
  }
  pieces.push({ text: isList ? ']' : '}' })
  return pieces
}

function scalarNotation(value: unknown): string {
  if (typeof value === 'string') return stringNotation(value)
  if (typeof value === 'number') return numberNotation(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return 'None'
}

function numberNotation(number: number): string {
  if (Number.isNaN(number)) return 'nan'
  if (!Number.isFinite(number)) return number > 0 ? 'inf' : '-inf'
  const [mantissa = '', power = '0'] = number.toExponential().split('e')
  const exponent = Number(power)
  if (exponent >= -4 && exponent < 16) return String(number)
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

/** Characters for which `str.isprintable()` is false, and the backslash. */
const escaped = /(?! )[\\\p{C}\p{Z}]/gu
const namedEscapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function stringNotation(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const body = text.replace(escaped, (character) => namedEscapes[character] ?? numericEscape(character))
  return quote + (quote === "'" ? body.replaceAll("'", String.raw`\'`) : body) + quote
}

function numericEscape(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const [letter, digits] = code > 0xffff ? ['U', 8] : code > 0xff ? ['u', 4] : ['x', 2]
  return `\\${letter}${code.toString(16).padStart(digits, '0')}`
}
