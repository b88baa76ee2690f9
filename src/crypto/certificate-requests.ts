/**
 * Certificate requests (PKCS#10, RFC 2986): parsing and validating one that a client sent. For any input, these
 * functions finish in bounded time and do not throw.
 */
import { createPublicKey } from 'node:crypto'
import type { Pkcs10CertificateRequest } from '@peculiar/x509'
import { alternativeName, isAlternativeKind, type AlternativeName } from './alternative-names.ts'
import { weaknessOf } from './certified-keys.ts'
import { elementsOf, readElement, tags } from './der.ts'
import { decodeBase64, decodeUtf8 } from './encoding.ts'
import { readSubjectDer } from './subject-attributes.ts'

/** Larger than any real request, small enough to be parsed in milliseconds. */
const MOST_REQUEST_BYTES = 16 * 1024
const MOST_ALTERNATIVE_NAMES = 100
const BASIC_REQUEST_LABEL =
  /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----/

const hashes = new Set(['SHA-256', 'SHA-384', 'SHA-512'])
const COMMON_NAME = '2.5.4.3'

/** The contents of a request whose sender has proved possession of the private key. */
export interface CheckedRequest {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: ArrayBuffer
  readonly rsa: boolean
  /** The subject's Name, DER; it may be empty if there are alternative names. */
  readonly subject: Uint8Array<ArrayBuffer>
  /** The values of its common names. */
  readonly commonNames: readonly string[]
  readonly alternativeNames: readonly AlternativeName[]
}

/**
 * `encoding`, `format` and `signature` are the errors that the API defines; `refused` has the reason of a rejection.
 */
type RequestOutcome =
  | { readonly outcome: 'encoding' | 'format' | 'signature' }
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'good'; readonly request: CheckedRequest }

/** Decodes PEM, base64 of PEM, or base64 of DER to DER; null if there is no request in it. */
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

/** Returns the alternative names that are copied into the certificate; null if one of them is invalid. */
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
 * Returns the encoded subject from the request: the element after the version in the CertificationRequestInfo. The
 * library's Name is re-encoded and may differ from the bytes that were signed.
 */
function subjectOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const [signed] = elementsOf(readElement(bytes), tags.sequence) ?? []
  const subject = elementsOf(signed, tags.sequence)?.[1]
  return subject ? Uint8Array.from(subject.bytes) : null
}

async function validate(request: Pkcs10CertificateRequest, bytes: Uint8Array): Promise<RequestOutcome> {
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
  // Exported instead of copied, because the runtime also imports keys whose encoding is not strict DER.
  const publicKey = Uint8Array.from(key.export({ type: 'spki', format: 'der' })).buffer
  const rsa = key.asymmetricKeyType === 'rsa'
  return { outcome: 'good', request: { publicKey, rsa, subject, commonNames, alternativeNames: names } }
}

/**
 * Parses a request in PEM, base64 of PEM (sent by users of python-barbicanclient) or base64 of DER. It checks that the
 * key is strong enough and that the signature proves possession of it.
 */
export async function checkRequest(text: string): Promise<RequestOutcome> {
  const bytes = requestBytes(text)
  if (bytes === 'encoding') return { outcome: 'encoding' }
  if (!bytes || bytes.length === 0 || bytes.length > MOST_REQUEST_BYTES) return { outcome: 'format' }
  const library = await import('./x509.ts')
  let request: Pkcs10CertificateRequest
  try {
    request = new library.Pkcs10CertificateRequest(bytes)
    // The library parses these parts lazily; access them here, so that errors in them are caught.
    void [request.publicKey.rawData, request.subject, request.extensions]
  } catch {
    return { outcome: 'format' }
  }
  return validate(request, bytes)
}
