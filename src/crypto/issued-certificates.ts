/**
 * The final check of a certificate before it is stored: it parses the signed bytes strictly, independently of the code
 * that produced them. A certificate that parsers would disagree about, in its validity or its contents, is not issued.
 */
import { areAlternativeNames } from './alternative-names.ts'
import { readSubjectDer } from './subject-attributes.ts'
import { compareBytes, derFault, elementsOf, objectIdentifierOf, readElement, tags, type DerElement } from './der.ts'

/** RFC 5280 section 4.1.2.2. */
const MOST_SERIAL_BYTES = 20
const VERSION = 0xa0
const VERSION_3 = Uint8Array.of(0xa0, 0x03, 0x02, 0x01, 0x02)
const EXTENSIONS = 0xa3
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'
/** keyCertSign and cRLSign, bits 5 and 6 of the first byte of a KeyUsage (RFC 5280 section 4.2.1.3). */
const AUTHORITY_USAGES = 0b0000_0110

const isEmptySequence = (der: Uint8Array) => elementsOf(readElement(der), tags.sequence)?.length === 0

function isEndEntityUsage(der: Uint8Array): boolean {
  const usage = readElement(der)
  return usage?.tag === tags.bitString && ((usage.content[1] ?? 0) & AUTHORITY_USAGES) === 0
}

/** The extensions that certificates may contain, with a validator for each. */
const extensionRules: Readonly<
  Record<string, { readonly name: string; readonly holds: (der: Uint8Array) => boolean }>
> = {
  // The default: `cA` is false and there is no path length.
  '2.5.29.19': { name: 'basic constraints', holds: isEmptySequence },
  '2.5.29.15': { name: 'key usage', holds: isEndEntityUsage },
  '2.5.29.14': { name: 'subject key identifier', holds: (der) => readElement(der)?.tag === tags.octetString },
  '2.5.29.35': { name: 'authority key identifier', holds: (der) => readElement(der)?.tag === tags.sequence },
  '2.5.29.37': { name: 'extended key usage', holds: (der) => readElement(der)?.tag === tags.sequence },
  [SUBJECT_ALTERNATIVE_NAME]: { name: 'alternative names', holds: areAlternativeNames },
}
/** Without these, a certificate could be accepted as a CA certificate. */
const neededExtensions = ['2.5.29.19', '2.5.29.15']

interface ReadExtension {
  readonly type: string
  readonly isCritical: boolean
  readonly value: Uint8Array
}

function readExtension(element: DerElement): ReadExtension | null {
  const parts = elementsOf(element, tags.sequence) ?? []
  const type = parts[0]?.tag === tags.objectIdentifier ? objectIdentifierOf(parts[0].content) : null
  const isCritical = parts.length === 3
  // DER omits FALSE, because it is the default.
  if (type === null || (isCritical && (parts[1]?.tag !== tags.boolean || parts[1].content[0] !== 0xff))) return null
  const value = parts.at(-1)
  return parts.length >= 2 && parts.length <= 3 && value?.tag === tags.octetString
    ? { type, isCritical, value: value.content }
    : null
}

function extensionsFault(list: DerElement | undefined, hasSubject: boolean): string | null {
  const [sequence] = elementsOf(list, EXTENSIONS) ?? []
  const extensions = (elementsOf(sequence, tags.sequence) ?? []).map(readExtension)
  const known = new Map(extensions.map((each) => [each?.type, each] as const))
  if (known.size < extensions.length || neededExtensions.some((type) => !known.has(type)))
    return 'its extensions are not valid'
  for (const extension of extensions) {
    const rule = extension && Object.hasOwn(extensionRules, extension.type) ? extensionRules[extension.type] : undefined
    if (!extension || !rule) return 'it has an extension that is not issued'
    const fault = derFault(extension.value)
    if (fault || !rule.holds(extension.value))
      return `its extension for ${rule.name} is not valid${fault ? `: ${fault}` : ''}`
  }
  const names = known.get(SUBJECT_ALTERNATIVE_NAME)
  return hasSubject || names?.isCritical ? null : 'it names nobody'
}

/** Returns why a certificate that was signed for this subject must not be stored, or null if it is valid. */
export function issuedFault(certificate: Uint8Array, subject: Uint8Array): string | null {
  const fault = derFault(certificate)
  if (fault) return fault
  const [signed, algorithm, signature, ...more] = elementsOf(readElement(certificate), tags.sequence) ?? []
  const parts = elementsOf(signed, tags.sequence) ?? []
  const [version, serial, signedAlgorithm, _issuer, _validity, named, _publicKey, extensions, ...others] = parts
  const isWhole =
    version?.tag === VERSION &&
    compareBytes(version.bytes, VERSION_3) === 0 &&
    signature?.tag === tags.bitString &&
    more.length + others.length === 0
  if (!isWhole || !serial || !signedAlgorithm || !algorithm || !named) return 'it is not a whole certificate'
  if (compareBytes(signedAlgorithm.bytes, algorithm.bytes) !== 0) return 'it names two algorithms'
  if (serial.content.length > MOST_SERIAL_BYTES || (serial.content[0] ?? 0x80) >= 0x80)
    return 'its serial number is not valid'
  if (compareBytes(named.bytes, subject) !== 0) return 'its subject is not the one that was asked for'
  const read = readSubjectDer(named.bytes)
  if ('reason' in read) return read.reason
  return extensionsFault(extensions, named.content.length > 0)
}
