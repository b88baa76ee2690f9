/**
 * A parser for the distinguished names in orders: strings of RFC 4514, the most specific part first
 * (`cn=a.example,o=b,c=US`).
 *
 * It implements the grammar of section 3 and, like most parsers, allows spaces around `,`, `+` and `=`. It does not
 * support the quotes and semicolons of RFC 2253 section 4.
 */
import { readElement } from './der.ts'
import { decodeUtf8, encodeUtf8 } from './encoding.ts'
import {
  attributeOf,
  attributeType,
  readString,
  relativeNameFault,
  type RelativeName,
  type SubjectAttribute,
} from './subject-attributes.ts'

/** Longer than any real name, short enough to bound the time of parsing. */
const MOST_NAME_CHARACTERS = 1_000

/** One parsed attribute of a name: its type, and its unescaped value or the DER after `#`. */
export interface WrittenAttribute {
  readonly type: string
  readonly value: { readonly text: string } | { readonly der: Uint8Array }
}

/** The attributes of one multi-valued part, which are separated by `+`. */
type WrittenRelativeName = readonly WrittenAttribute[]

const TYPE = / *([a-z][a-z\d-]*|(?:oid\.)?\d+(?:\.\d+)+) *= */iy
const NUMBER_SIGN = /#/y
const HEXADECIMAL_VALUE = /((?:[\da-f]{2})+) */iy
const SEPARATOR = /[,+]/y

interface PieceRule {
  readonly pattern: RegExp
  /** Decodes the pattern's group to UTF-8 bytes. */
  readonly bytes: (written: string) => Uint8Array
  /** Whether the piece is dropped at the end of a value. */
  readonly isPadding: boolean
}

/** The tokens of a string value (`pair`, `stringchar` and SPACE in RFC 4514 section 3). */
const pieceRules: readonly PieceRule[] = [
  { pattern: /\\([\\"+,;<> #=])/y, bytes: encodeUtf8, isPadding: false },
  { pattern: /\\([\da-f]{2})/iy, bytes: (pair) => Uint8Array.of(Number.parseInt(pair, 16)), isPadding: false },
  { pattern: /([^\\"+,;<>\0 ]+)/y, bytes: encodeUtf8, isPadding: false },
  { pattern: /( +)/y, bytes: encodeUtf8, isPadding: true },
]

/** Matches patterns against a text from left to right. */
class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length
  }

  /**
   * Consumes a match of the pattern at the current offset and returns its first group, or else all of it; null: no
   * match.
   */
  take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (!match) return null
    this.#at = pattern.lastIndex
    return match[1] ?? match[0]
  }
}

/** Consumes the next piece of a value; null at the end of the value. */
function takePiece(scanner: Scanner): { readonly bytes: Uint8Array; readonly isPadding: boolean } | null {
  for (const { pattern, bytes, isPadding } of pieceRules) {
    const written = scanner.take(pattern)
    if (written !== null) return { bytes: bytes(written), isPadding }
  }
  return null
}

/** Consumes a string value and returns it unescaped and trimmed; null if it is empty or not UTF-8. */
function takeString(scanner: Scanner): string | null {
  const bytes: number[] = []
  let end = 0
  for (let piece = takePiece(scanner); piece; piece = takePiece(scanner)) {
    bytes.push(...piece.bytes)
    if (!piece.isPadding) end = bytes.length
  }
  return end > 0 ? decodeUtf8(Uint8Array.from(bytes.slice(0, end))) : null
}

function takeHexadecimal(scanner: Scanner): Uint8Array | null {
  const digits = scanner.take(HEXADECIMAL_VALUE)
  return digits === null ? null : Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

function takeAttribute(scanner: Scanner): WrittenAttribute | null {
  const type = scanner.take(TYPE)
  if (type === null) return null
  if (scanner.take(NUMBER_SIGN) === null) {
    const text = takeString(scanner)
    return text === null ? null : { type, value: { text } }
  }
  const der = takeHexadecimal(scanner)
  return der && { type, value: { der } }
}

/**
 * Parses a name to its relative names, the most specific first. Returns null for a syntax error: an empty part, a
 * missing `=` or value, a character that must be escaped, or a text that is too long.
 */
export function parseName(text: string): WrittenRelativeName[] | null {
  if (text.length > MOST_NAME_CHARACTERS || !text.isWellFormed()) return null
  const scanner = new Scanner(text)
  const names: WrittenAttribute[][] = []
  let separator: string | null = ','
  while (separator !== null) {
    const attribute = takeAttribute(scanner)
    if (!attribute) return null
    if (separator === '+') names.at(-1)?.push(attribute)
    else names.push([attribute])
    separator = scanner.take(SEPARATOR)
  }
  return scanner.isAtEnd ? names : null
}

/** `syntax`: the text is not a distinguished name; `refused`: no certificate can contain it. */
type SubjectOutcome =
  | { readonly outcome: 'syntax' }
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'good'; readonly names: readonly RelativeName[] }

/** Converts a parsed attribute. Returns a string, the reason, if no certificate can contain it. */
function readAttribute({ type: written, value }: WrittenAttribute): SubjectAttribute | string {
  const known = attributeType(written)
  if ('reason' in known) return known.reason
  if ('text' in value) return attributeOf(known.type, value.text)
  // RFC 4514 section 2.4: `#` is followed by the BER encoding of the value, in hexadecimal.
  const element = readElement(value.der)
  const string = element && readString(element)
  return string ? { type: known.type, ...string } : 'a value after # is not the DER of a string that subjects have'
}

/** Parses a subject. Its parts are returned in the order of a certificate, the most general first. */
export function readSubject(text: string): SubjectOutcome {
  const written = parseName(text)
  if (!written) return { outcome: 'syntax' }
  const names: RelativeName[] = []
  for (const relativeName of written) {
    const read = relativeName.map(readAttribute)
    const attributes = read.filter((each) => typeof each !== 'string')
    const reason = read.find((each) => typeof each === 'string') ?? relativeNameFault(attributes)
    if (reason !== null) return { outcome: 'refused', reason }
    names.push(attributes)
  }
  return { outcome: 'good', names: names.toReversed() }
}
