/**
 * Certificate requests (PKCS#10, RFC 2986): reading one that a client sent, and judging it. Whatever the bytes are, these
 * functions end in bounded time and never throw for them.
 */
import { createPublicKey } from 'node:crypto'
import type { Pkcs10CertificateRequest } from '@peculiar/x509'
import { alternativeName, isAlternativeKind, type AlternativeName } from './alternative-names.ts'
import { weaknessOf } from './certified-keys.ts'
import { elementsOf, readElement, tags } from './der.ts'
import { decodeBase64, decodeUtf8 } from './encoding.ts'
import { readSubjectDer } from './subject-attributes.ts'

/** More than any real request has, little enough to be read in milliseconds. */
const MOST_REQUEST_BYTES = 16 * 1024
const MOST_ALTERNATIVE_NAMES = 100
const BASIC_REQUEST_LABEL =
  /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----/

const hashes = new Set(['SHA-256', 'SHA-384', 'SHA-512'])
const COMMON_NAME = '2.5.4.3'

/** What a request asks for, once it is known that its sender holds the key. */
export interface CheckedRequest {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: ArrayBuffer
  readonly rsa: boolean
  /** The subject's Name, DER; it may be empty when there are alternative names. */
  readonly subject: Uint8Array<ArrayBuffer>
  /** The texts of its common names. */
  readonly commonNames: readonly string[]
  readonly alternativeNames: readonly AlternativeName[]
}

/** `encoding`, `format` and `signature` are the contract's faults of a request; `refused` says why none is issued. */
export type RequestOutcome =
  | { readonly outcome: 'encoding' | 'format' | 'signature' }
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'good'; readonly request: CheckedRequest }

/** The DER behind PEM, base64 of PEM, or base64 of DER; null when there is none. */
function requestBytes(text: string): Uint8Array<ArrayBuffer> | 'encoding' | null {
  const ofPem = (pem: string) => decodeBase64(BASIC_REQUEST_LABEL.exec(pem)?.[1] ?? '')
  if (text.includes('-----BEGIN')) return ofPem(text)
  const bytes = decodeBase64(text)
  if (!bytes) return 'encoding'
  const pem = decodeUtf8(bytes)
  return pem?.includes('-----BEGIN') ? ofPem(pem) : bytes
}

const keyOf = (spki: ArrayBuffer) => {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  } catch {
    return null
  }
}

/** The alternative names to be carried over; null when they cannot be read or are none. */
async function alternativeNamesOf(request: Pkcs10CertificateRequest): Promise<AlternativeName[] | null> {
  const { SubjectAlternativeNameExtension } = await import('./x509.ts')
  const extension = request.getExtension('2.5.29.17')
  if (!extension) return []
  const names: AlternativeName[] = []
  try {
    for (const { type, value } of new SubjectAlternativeNameExtension(extension.rawData).names.toJSON()) {
      if (!isAlternativeKind(type)) continue
      const name = alternativeName(type, value)
      if (!name) return null
      names.push(name)
    }
  } catch {
    return null
  }
  return names
}

/**
 * The subject as it stands in the request: CertificationRequest, its first element, and there after the version. The
 * library's Name would be one that it wrote itself, which may differ from what was signed.
 */
function subjectOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const [signed] = elementsOf(readElement(bytes), tags.sequence) ?? []
  const subject = elementsOf(signed, tags.sequence)?.[1]
  return subject ? Uint8Array.from(subject.bytes) : null
}

async function judge(request: Pkcs10CertificateRequest, bytes: Uint8Array): Promise<RequestOutcome> {
  const refused = (reason: string): RequestOutcome => ({ outcome: 'refused', reason })
  const key = keyOf(request.publicKey.rawData)
  if (!key) return refused('The algorithm of the key is not supported')
  const { hash } = request.signatureAlgorithm as { readonly hash?: { readonly name: string } }
  const isHashed = key.asymmetricKeyType !== 'ed25519'
  if (isHashed && !hashes.has(hash?.name ?? ''))
    return refused('The signature of the request uses a weak or unknown hash')
  const weakness = weaknessOf(key)
  if (weakness) return refused(weakness)
  if (!(await request.verify().catch(() => false))) return { outcome: 'signature' }
  const subject = subjectOf(bytes)
  if (!subject) return refused('The request is not in DER')
  const read = readSubjectDer(subject)
  if ('reason' in read) return refused(`The subject of the request cannot be used: ${read.reason}`)
  const names = await alternativeNamesOf(request)
  if (!names) return refused('The alternative names of the request cannot be used')
  if (names.length > MOST_ALTERNATIVE_NAMES) return refused(`There are more than ${MOST_ALTERNATIVE_NAMES} names`)
  const attributes = read.names.flat()
  if (attributes.length === 0 && names.length === 0) return refused('The request names nobody')
  const commonNames = attributes.filter(({ type }) => type === COMMON_NAME).map(({ text }) => text)
  // Written anew, because the runtime reads keys that are not quite DER.
  const publicKey = Uint8Array.from(key.export({ type: 'spki', format: 'der' })).buffer
  const rsa = key.asymmetricKeyType === 'rsa'
  return { outcome: 'good', request: { publicKey, rsa, subject, commonNames, alternativeNames: names } }
}

/**
 * Reads a request given as PEM, base64 of PEM (python-barbicanclient's users send that) or base64 of DER, and checks
 * that its signature proves possession of a key that is strong enough.
 */
export async function checkRequest(text: string): Promise<RequestOutcome> {
  const bytes = requestBytes(text)
  if (bytes === 'encoding') return { outcome: 'encoding' }
  if (!bytes || bytes.length === 0 || bytes.length > MOST_REQUEST_BYTES) return { outcome: 'format' }
  const library = await import('./x509.ts')
  let request: Pkcs10CertificateRequest
  try {
    request = new library.Pkcs10CertificateRequest(bytes)
    // Reading lazily parsed parts: what is broken there is a broken request as well.
    void [request.publicKey.rawData, request.subject, request.extensions]
  } catch {
    return { outcome: 'format' }
  }
  return judge(request, bytes)
}
