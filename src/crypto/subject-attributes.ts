/**
 * Subjects of certificates (RFC 5280 section 4.1.2.4): a table of attributes with their names, string types and upper
 * bounds (from appendix A.1, or else X.520 or RFC 4519), validators for their values, and a parser for a Name.
 */
import { isDomainLabel, isMailbox } from './alternative-names.ts'
import {
  asciiOf,
  derFault,
  elementsOf,
  isObjectIdentifier,
  isPrintableString,
  objectIdentifierOf,
  readElement,
  tags,
  type DerElement,
} from './der.ts'
import { decodeUtf8 } from './encoding.ts'

/** The string types that new certificates may use in subjects (RFC 5280 section 4.1.2.4), with their ASN.1 tags. */
const stringTypes = {
  utf8String: tags.utf8String,
  printableString: tags.printableString,
  ia5String: tags.ia5String,
} as const
type StringType = keyof typeof stringTypes

/** Decodes a string of one of these types; null for any other element and for an invalid encoding. */
export function readString(element: DerElement): Pick<SubjectAttribute, 'stringType' | 'text'> | null {
  const stringType = (Object.keys(stringTypes) as StringType[]).find((name) => stringTypes[name] === element.tag)
  if (!stringType) return null
  const text = stringType === 'utf8String' ? decodeUtf8(element.content) : asciiOf(element.content)
  return text === null ? null : { stringType, text }
}

/** An attribute with its value, as encoded in a certificate. */
export interface SubjectAttribute {
  /** Object identifier, dotted. */
  readonly type: string
  readonly stringType: StringType
  readonly text: string
}

/** A RelativeDistinguishedName: its attributes, nearly always one. */
export type RelativeName = readonly SubjectAttribute[]

interface AttributeRule {
  /** Its names, case-insensitive; reasons use the first. */
  readonly names: readonly string[]
  readonly stringTypes: readonly StringType[]
  readonly mostCharacters: number
  /** A further condition; `words` describes it in reasons. */
  readonly form?: { readonly words: string; readonly holds: (text: string) => boolean }
}

/** The DirectoryString of RFC 5280: a PrintableString if the alphabet suffices, otherwise a UTF8String. */
const directory: readonly StringType[] = ['printableString', 'utf8String']
const printable: readonly StringType[] = ['printableString']
const ia5: readonly StringType[] = ['ia5String']

const twoLetters = { words: 'two letters', holds: (value: string) => /^[A-Za-z]{2}$/.test(value) }

const text = (mostCharacters: number, ...names: string[]): AttributeRule => ({
  names,
  stringTypes: directory,
  mostCharacters,
})

const rules: Readonly<Record<string, AttributeRule>> = {
  '2.5.4.3': text(64, 'CN', 'commonName'),
  '2.5.4.4': text(32_768, 'SN', 'surname'),
  '2.5.4.5': { names: ['serialNumber'], stringTypes: printable, mostCharacters: 64 },
  '2.5.4.6': {
    names: ['C', 'countryName'],
    stringTypes: printable,
    mostCharacters: 2,
    form: twoLetters,
  },
  '2.5.4.7': text(128, 'L', 'localityName'),
  '2.5.4.8': text(128, 'ST', 'S', 'stateOrProvinceName'),
  '2.5.4.9': text(128, 'street', 'streetAddress'),
  '2.5.4.10': text(64, 'O', 'organizationName'),
  '2.5.4.11': text(64, 'OU', 'organizationalUnitName'),
  '2.5.4.12': text(64, 'title', 'T'),
  '2.5.4.13': text(1_024, 'description'),
  '2.5.4.15': text(128, 'businessCategory'),
  '2.5.4.17': text(40, 'postalCode'),
  '2.5.4.41': text(32_768, 'name'),
  '2.5.4.42': text(32_768, 'GN', 'givenName'),
  '2.5.4.43': text(32_768, 'initials'),
  '2.5.4.44': text(32_768, 'generationQualifier'),
  '2.5.4.46': { names: ['dnQualifier'], stringTypes: printable, mostCharacters: 64 },
  '2.5.4.65': text(128, 'pseudonym'),
  '2.5.4.97': text(256, 'organizationIdentifier'),
  '0.9.2342.19200300.100.1.1': text(256, 'UID', 'userId'),
  '0.9.2342.19200300.100.1.25': {
    names: ['DC', 'domainComponent'],
    stringTypes: ia5,
    mostCharacters: 63,
    form: { words: 'one label of a domain name', holds: isDomainLabel },
  },
  '1.2.840.113549.1.9.1': {
    names: ['emailAddress', 'E', 'email'],
    stringTypes: ia5,
    mostCharacters: 255,
    form: { words: 'an e-mail address', holds: isMailbox },
  },
  '1.3.6.1.4.1.311.60.2.1.3': {
    names: ['jurisdictionC'],
    stringTypes: printable,
    mostCharacters: 2,
    form: twoLetters,
  },
}

/** The rule for an attribute that is not in the table. */
const otherRule: AttributeRule = {
  names: [],
  stringTypes: ['printableString', 'utf8String', 'ia5String'],
  mostCharacters: 255,
}

const ruleOf = (type: string): AttributeRule => (Object.hasOwn(rules, type) ? rules[type] : undefined) ?? otherRule

const typesByName: ReadonlyMap<string, string> = new Map(
  Object.entries(rules).flatMap(([type, { names }]) => names.map((name) => [name.toLowerCase(), type] as const)),
)

/** Longer names are truncated in reasons. */
const MOST_SHOWN_CHARACTERS = 40

/** Returns the name of an attribute for a reason. */
const shown = (type: string) => ruleOf(type).names[0] ?? type.slice(0, MOST_SHOWN_CHARACTERS)

/** Resolves the type of an attribute: a name, or an object identifier with or without the prefix `OID.`. */
export function attributeType(written: string): { readonly type: string } | { readonly reason: string } {
  const name = written.slice(0, MOST_SHOWN_CHARACTERS)
  const dotted = written.replace(/^oid\.(?=\d)/i, '')
  if (/^\d/.test(dotted)) {
    return isObjectIdentifier(dotted) ? { type: dotted } : { reason: `${name} is not a valid object identifier` }
  }
  const type = typesByName.get(written.toLowerCase())
  return type ? { type } : { reason: `the attribute ${name} is not known` }
}

/**
 * Characters that are not allowed in names: controls, line and paragraph separators, bidirectional controls,
 * surrogates, private-use characters, noncharacters and byte order marks.
 */
const STRANGE_CHARACTERS = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Bidi_Control}\p{Noncharacter_Code_Point}\u{feff}]/u

/** Reports whether a string type can represent all characters of a text. */
function hasCharacters(stringType: StringType, text: string): boolean {
  switch (stringType) {
    case 'utf8String':
      return true
    case 'printableString':
      return isPrintableString(text)
    case 'ia5String':
      return /^\p{ASCII}*$/u.test(text)
  }
}

/** Returns why a certificate may not contain this attribute, or null if it may. */
function attributeFault({ type, stringType, text }: SubjectAttribute): string | null {
  const rule = ruleOf(type)
  const name = shown(type)
  if (text === '') return `${name} has no value`
  if (STRANGE_CHARACTERS.test(text)) return `${name} has control characters`
  if (!hasCharacters(stringType, text)) return `${name} has characters that it may not have`
  if (!rule.stringTypes.includes(stringType)) return `${name} is not of the right type of string`
  // Bounds count characters, not UTF-16 code units.
  if (Array.from(text).length > rule.mostCharacters) return `${name} has more than ${rule.mostCharacters} characters`
  return rule.form && !rule.form.holds(text) ? `${name} is not ${rule.form.words}` : null
}

/** Builds an attribute, with the first of its string types that can represent the text, or else the last. */
export function attributeOf(type: string, text: string): SubjectAttribute {
  const allowed = ruleOf(type).stringTypes
  const stringType = allowed.find((each) => hasCharacters(each, text)) ?? allowed.at(-1) ?? 'utf8String'
  return { type, stringType, text }
}

/** Returns why a certificate may not contain this combination of attributes, or null if it may. */
export function relativeNameFault(attributes: RelativeName): string | null {
  for (const attribute of attributes) {
    const fault = attributeFault(attribute)
    if (fault) return fault
  }
  const types = new Set(attributes.map(({ type }) => type))
  return types.size < attributes.length ? 'an attribute stands twice in one part of the name' : null
}

/** Parses an AttributeTypeAndValue. Returns a string, the reason, if it may not be issued. */
function readAttribute(element: DerElement): SubjectAttribute | string {
  const [type, value, ...others] = elementsOf(element, tags.sequence) ?? []
  const identifier = type?.tag === tags.objectIdentifier ? objectIdentifierOf(type.content) : null
  if (identifier === null || !value || others.length > 0) return 'an attribute is not valid'
  const string = readString(value)
  // TeletexString, BMPString and UniversalString must not be used for new subjects (RFC 5280 section 4.1.2.4).
  return string ? { type: identifier, ...string } : 'a value is not a UTF8String, PrintableString or IA5String'
}

/** Parses a Name in DER to its parts, in order; `reason`: why no certificate may contain it. */
export function readSubjectDer(
  der: Uint8Array,
): { readonly names: readonly RelativeName[] } | { readonly reason: string } {
  const sets = elementsOf(readElement(der), tags.sequence)
  if (!sets) return { reason: 'it is not in DER' }
  const names: RelativeName[] = []
  for (const set of sets) {
    const elements = elementsOf(set, tags.set) ?? []
    if (elements.length === 0) return { reason: 'a part of it is empty or no SET' }
    const read = elements.map(readAttribute)
    const attributes = read.filter((each) => typeof each !== 'string')
    const reason = read.find((each) => typeof each === 'string') ?? relativeNameFault(attributes)
    if (reason !== null) return { reason }
    names.push(attributes)
  }
  const fault = derFault(der)
  return fault ? { reason: fault } : { names }
}
