/**
 * A strict parser for DER, the distinguished encoding of ASN.1 (X.690 section 10). It accepts only what the strictest
 * certificate parsers accept. The X.509 library also accepts BER, which certificates must not contain.
 */
import { decodeUtf8 } from './encoding.ts'

/** Identifier octets of the universal types that certificates consist of. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

const CONTEXT_SPECIFIC = 0x80
const CONSTRUCTED = 0x20
const TAG_NUMBER = 0x1f
/** Three length bytes allow 16 MiB, more than any input of this parser. */
const MOST_LENGTH_BYTES = 3
/** Bounds the recursion; a certificate has ten levels. */
const MOST_LEVELS = 24
/** The limit of pyca/cryptography for one object identifier. */
const MOST_IDENTIFIER_BYTES = 63
/** Some parsers, such as pyca/cryptography 38, accept at most four bytes of seven bits each for one arc. */
const MOST_ARC = 2 ** 28 - 1

export interface DerElement {
  /** The identifier octet. */
  readonly tag: number
  readonly content: Uint8Array
  /** Identifier, length and content. */
  readonly bytes: Uint8Array
}

/** Parses the element at this offset; null if it is truncated, of indefinite length, or its length is not minimal. */
function elementAt(bytes: Uint8Array, start: number): DerElement | null {
  const tag = bytes[start]
  const first = bytes[start + 1]
  if (tag === undefined || first === undefined || (tag & TAG_NUMBER) === TAG_NUMBER) return null
  const lengthBytes = first < 0x80 ? 0 : first - 0x80
  if (first === 0x80 || lengthBytes > MOST_LENGTH_BYTES) return null
  const contentStart = start + 2 + lengthBytes
  let length = lengthBytes === 0 ? first : 0
  for (const byte of bytes.subarray(start + 2, contentStart)) length = length * 256 + byte
  const isMinimal = lengthBytes === 0 || length >= (lengthBytes === 1 ? 0x80 : 256 ** (lengthBytes - 1))
  const end = contentStart + length
  if (!isMinimal || end > bytes.length) return null
  return { tag, content: bytes.subarray(contentStart, end), bytes: bytes.subarray(start, end) }
}

/** Parses consecutive elements; null if the bytes are not a series of DER elements. */
export function readElements(bytes: Uint8Array): DerElement[] | null {
  const elements: DerElement[] = []
  for (let at = 0; at < bytes.length;) {
    const element = elementAt(bytes, at)
    if (!element) return null
    elements.push(element)
    at += element.bytes.length
  }
  return elements
}

/** Parses exactly one element; null if the bytes are empty, hold several elements, or are not DER. */
export function readElement(bytes: Uint8Array): DerElement | null {
  const element = elementAt(bytes, 0)
  return element?.bytes.length === bytes.length ? element : null
}

/** Parses the content of an element with this tag; null if it has another tag or its content is not DER. */
export function elementsOf(element: DerElement | null | undefined, tag: number): DerElement[] | null {
  return element?.tag === tag ? readElements(element.content) : null
}

/** Compares encodings in the order of a SET OF (X.690 section 11.6); zero if the bytes are equal. */
export function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at += 1) {
    const difference = (one[at] ?? 0) - (other[at] ?? 0)
    if (difference !== 0) return difference
  }
  return one.length - other.length
}

/** Decodes the content of an object identifier (X.690 section 8.19) to dotted form; null if it is invalid. */
export function objectIdentifierOf(content: Uint8Array): string | null {
  const subidentifiers: number[] = []
  let value = 0
  let isFirstByte = true
  for (const byte of content) {
    if (isFirstByte && byte === 0x80) return null
    value = value * 128 + (byte & 0x7f)
    if (value > MOST_ARC) return null
    isFirstByte = byte < 0x80
    if (isFirstByte) {
      subidentifiers.push(value)
      value = 0
    }
  }
  const [first, ...rest] = subidentifiers
  if (first === undefined || !isFirstByte || content.length > MOST_IDENTIFIER_BYTES) return null
  const root = Math.min(Math.floor(first / 40), 2)
  return [root, first - root * 40, ...rest].join('.')
}

/** Reports whether a dotted text is an object identifier that can be encoded (X.660 bounds the first two arcs). */
export function isObjectIdentifier(text: string): boolean {
  if (!/^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))+$/.test(text)) return false
  const [root = 0, second = 0, ...rest] = text.split('.').map(Number)
  if (root > 2 || (root < 2 && second > 39)) return false
  const subidentifiers = [root * 40 + second, ...rest]
  const bytes = subidentifiers.reduce((sum, each) => sum + Math.ceil(each.toString(2).length / 7), 0)
  return subidentifiers.every((each) => each <= MOST_ARC) && bytes <= MOST_IDENTIFIER_BYTES
}

/** Decodes ASCII; null if a byte is not ASCII. */
export function asciiOf(bytes: Uint8Array): string | null {
  return bytes.every((byte) => byte < 0x80) ? decodeUtf8(bytes) : null
}

/** Reports whether a text is in the alphabet of PrintableString (X.680 section 41.4). */
export const isPrintableString = (text: string) => /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text)

function isInteger(content: Uint8Array): boolean {
  const [first, second = 0] = content
  if (first === undefined) return false
  return content.length === 1 || !((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))
}

function isBitString(content: Uint8Array): boolean {
  const [unused, ...bits] = content
  if (unused === undefined || unused > 7 || (bits.length === 0 && unused > 0)) return false
  return ((bits.at(-1) ?? 0) & ((1 << unused) - 1)) === 0
}

const matches = (pattern: RegExp) => (content: Uint8Array) => pattern.test(asciiOf(content) ?? '')

interface PrimitiveRule {
  readonly name: string
  readonly holds: (content: Uint8Array) => boolean
}

const primitives: Readonly<Record<number, PrimitiveRule>> = {
  [tags.boolean]: {
    name: 'a BOOLEAN',
    holds: ({ length, 0: value }) => length === 1 && (value === 0 || value === 0xff),
  },
  [tags.integer]: { name: 'an INTEGER', holds: isInteger },
  [tags.bitString]: { name: 'a BIT STRING', holds: isBitString },
  [tags.octetString]: { name: 'an OCTET STRING', holds: () => true },
  [tags.null]: { name: 'a NULL', holds: ({ length }) => length === 0 },
  [tags.objectIdentifier]: { name: 'an object identifier', holds: (content) => objectIdentifierOf(content) !== null },
  [tags.utf8String]: { name: 'a UTF8String', holds: (content) => decodeUtf8(content) !== null },
  [tags.printableString]: { name: 'a PrintableString', holds: (content) => isPrintableString(asciiOf(content) ?? '*') },
  [tags.ia5String]: { name: 'an IA5String', holds: (content) => asciiOf(content) !== null },
  [tags.utcTime]: { name: 'a UTCTime', holds: matches(/^\d{12}Z$/) },
  [tags.generalizedTime]: { name: 'a GeneralizedTime', holds: matches(/^\d{14}Z$/) },
}

/** Returns why the bytes are not one DER element that consists of the types above, or null if they are. */
export function derFault(bytes: Uint8Array): string | null {
  const element = readElement(bytes)
  return element ? elementFault(element, MOST_LEVELS) : 'its encoding is not DER'
}

function elementFault({ tag, content }: DerElement, levels: number): string | null {
  const isContextSpecific = (tag & 0xc0) === CONTEXT_SPECIFIC
  if ((tag & CONSTRUCTED) === 0) {
    // The type of a context-specific element depends on its parent, so its content is not checked here.
    if (isContextSpecific) return null
    const rule = Object.hasOwn(primitives, tag) ? primitives[tag] : undefined
    if (!rule) return `it has an element of a type that is not used, 0x${tag.toString(16)}`
    return rule.holds(content) ? null : `${rule.name} in it is not valid`
  }
  if (!isContextSpecific && tag !== tags.sequence && tag !== tags.set) return 'it has a string in pieces'
  const elements = levels > 0 ? readElements(content) : null
  if (!elements) return 'its encoding is not DER'
  if (
    tag === tags.set &&
    elements.some(({ bytes }, at) => at > 0 && compareBytes(elements[at - 1]?.bytes ?? bytes, bytes) > 0)
  )
    return 'a SET in it is not in order'
  for (const inner of elements) {
    const fault = elementFault(inner, levels - 1)
    if (fault) return fault
  }
  return null
}
