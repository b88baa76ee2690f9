/**
 * Distinguished names as orders give them: text of RFC 4514, the most specific part first (`cn=a.example,o=b,c=US`).
 *
 * Read as section 3 has it, and as most readers do also with spaces around `,`, `+` and `=`. The quotes and semicolons of
 * RFC 2253 section 4 are not read.
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

/** Longer than any real name, short enough that no text takes long to refuse. */
const MOST_NAME_CHARACTERS = 1_000

/** One attribute of a name as it was written: its type, and its value without escapes or the DER behind `#`. */
export interface WrittenAttribute {
  readonly type: string
  readonly value: { readonly text: string } | { readonly der: Uint8Array }
}

/** Attributes that are written side by side, with `+` between them. */
export type WrittenRelativeName = readonly WrittenAttribute[]

const TYPE = / *([a-z][a-z\d-]*|(?:oid\.)?\d+(?:\.\d+)+) *= */iy
const NUMBER_SIGN = /#/y
const HEXADECIMAL_VALUE = /((?:[\da-f]{2})+) */iy
const SEPARATOR = /[,+]/y

interface PieceRule {
  readonly pattern: RegExp
  /** The bytes of UTF-8 that the pattern's group stands for. */
  readonly bytes: (written: string) => Uint8Array
  /** Whether it belongs to the value only when more follows. */
  readonly isPadding: boolean
}

/** The pieces of a string value (`pair`, `stringchar` and SPACE in RFC 4514 section 3). */
const pieceRules: readonly PieceRule[] = [
  { pattern: /\\([\\"+,;<> #=])/y, bytes: encodeUtf8, isPadding: false },
  { pattern: /\\([\da-f]{2})/iy, bytes: (pair) => Uint8Array.of(Number.parseInt(pair, 16)), isPadding: false },
  { pattern: /([^\\"+,;<>\0 ]+)/y, bytes: encodeUtf8, isPadding: false },
  { pattern: /( +)/y, bytes: encodeUtf8, isPadding: true },
]

/** Reads a text from left to right. */
class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length
  }

  /** What the pattern matches here: its first group, or all of it; null when it does not match. */
  take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (!match) return null
    this.#at = pattern.lastIndex
    return match[1] ?? match[0]
  }
}

/** The next piece of a value; null where the value ends. */
function takePiece(scanner: Scanner): { readonly bytes: Uint8Array; readonly isPadding: boolean } | null {
  for (const { pattern, bytes, isPadding } of pieceRules) {
    const written = scanner.take(pattern)
    if (written !== null) return { bytes: bytes(written), isPadding }
  }
  return null
}

/** A string value without its escapes and the spaces around it; null for none and for what is not UTF-8. */
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
 * The relative names of a name, the most specific first; null for what is none: an empty part, no `=`, no value, a
 * character that wants an escape, too long.
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

/** What a name asks for as a subject; `syntax`: it is no distinguished name; `refused`: no certificate can carry it. */
export type SubjectOutcome =
  | { readonly outcome: 'syntax' }
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'good'; readonly names: readonly RelativeName[] }

/** The attribute that was written so; a text says why no certificate can carry it. */
function readAttribute({ type: written, value }: WrittenAttribute): SubjectAttribute | string {
  const known = attributeType(written)
  if ('reason' in known) return known.reason
  if ('text' in value) return attributeOf(known.type, value.text)
  // RFC 4514 section 2.4: after `#` stands the encoding of the value.
  const element = readElement(value.der)
  const string = element && readString(element)
  return string ? { type: known.type, ...string } : 'a value after # is not the DER of a string that subjects have'
}

/** A subject that was given as text, its parts in the order of a certificate, the most general first. */
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
