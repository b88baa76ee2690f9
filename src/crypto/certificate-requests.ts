/**
 * Certificate requests (PKCS#10, RFC 2986): reading one that a client sent, judging it, and making one for a stored key.
 * Whatever the bytes are, these functions end in bounded time and never throw for them.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import type { JsonGeneralName, Pkcs10CertificateRequest } from '@peculiar/x509'
import { decodeBase64, decodeUtf8 } from './encoding.ts'
import { opensInBoundedTime } from './encrypted-keys.ts'

/** More than any real request has, little enough to be read in milliseconds. */
const MOST_REQUEST_BYTES = 16 * 1024
const LEAST_RSA_BITS = 2048
/** Above this the signature's check costs more than it is worth. */
const MOST_RSA_BITS = 8192
const LEAST_RSA_EXPONENT = 65537n
const MOST_ALTERNATIVE_NAMES = 100
const BASIC_REQUEST_LABEL =
  /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----/

const curves = new Set(['prime256v1', 'P-256', 'secp384r1', 'P-384', 'secp521r1', 'P-521'])
const hashes = new Set(['SHA-256', 'SHA-384', 'SHA-512'])
const printable = (text: string) => /^[\u0021-\u007e]+$/.test(text)
/** Kinds of alternative names that are carried over; others, such as otherName, are left out. */
const alternativeKinds = {
  dns: (text: string) => /^(\*\.)?[\w-]+(\.[\w-]+)*$/.test(text),
  ip: (text: string) => isIP(text) > 0,
  email: printable,
  url: printable,
} as const

/** A name of a kind that is carried over. */
export interface AlternativeName {
  readonly type: keyof typeof alternativeKinds
  readonly value: string
}

const isCarriedOver = (name: JsonGeneralName): name is AlternativeName => Object.hasOwn(alternativeKinds, name.type)

/** Whether the name is one of its kind; one with a NUL, say, which some readers take for the end, is not. */
export const isAlternativeName = ({ type, value }: AlternativeName): boolean => alternativeKinds[type](value)

/** What a request asks for, once it is known that its sender holds the key. */
export interface CheckedRequest {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: ArrayBuffer
  readonly rsa: boolean
  /** The subject's Name, DER; it may be empty when there are alternative names. */
  readonly subject: Pkcs10CertificateRequest['subjectName']
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

function weaknessOf(key: KeyObject, hash: string | undefined): string | null {
  const { modulusLength = 0, publicExponent = 0n, namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ed25519') return null
  if (!hash || !hashes.has(hash)) return 'The signature of the request uses a weak or unknown hash'
  if (key.asymmetricKeyType === 'ec') return curves.has(namedCurve) ? null : 'The curve of the key is not supported'
  if (key.asymmetricKeyType !== 'rsa') return 'The algorithm of the key is not supported'
  if (modulusLength < LEAST_RSA_BITS) return `The RSA key is shorter than ${LEAST_RSA_BITS} bits`
  if (modulusLength > MOST_RSA_BITS) return `The RSA key is longer than ${MOST_RSA_BITS} bits`
  return publicExponent < LEAST_RSA_EXPONENT ? 'The public exponent of the RSA key is too small' : null
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
  try {
    const all = new SubjectAlternativeNameExtension(extension.rawData).names.toJSON()
    const names = all.filter(isCarriedOver)
    return names.every(isAlternativeName) ? names : null
  } catch {
    return null
  }
}

async function judge(request: Pkcs10CertificateRequest): Promise<RequestOutcome> {
  const refused = (reason: string): RequestOutcome => ({ outcome: 'refused', reason })
  const key = keyOf(request.publicKey.rawData)
  if (!key) return refused('The algorithm of the key is not supported')
  const { signatureAlgorithm } = request
  const weakness = weaknessOf(key, (signatureAlgorithm as { readonly hash?: { readonly name: string } }).hash?.name)
  if (weakness) return refused(weakness)
  if (!(await request.verify().catch(() => false))) return { outcome: 'signature' }
  const names = await alternativeNamesOf(request)
  if (!names) return refused('The alternative names of the request cannot be used')
  if (names.length > MOST_ALTERNATIVE_NAMES) return refused(`There are more than ${MOST_ALTERNATIVE_NAMES} names`)
  if (request.subject === '' && names.length === 0) return refused('The request names nobody')
  const { publicKey, subjectName } = request
  const checked = { publicKey: publicKey.rawData, rsa: key.asymmetricKeyType === 'rsa', subject: subjectName }
  return { outcome: 'good', request: { ...checked, alternativeNames: names } }
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
  return judge(request)
}

interface StoredKeyRequest {
  /** PEM of a private key, encrypted when there is a passphrase. */
  readonly privateKey: string
  readonly passphrase: string | null
  /** The subject in the order of a certificate; see `certificateName`. */
  readonly subject: Record<string, string[]>[]
  readonly alternativeNames: readonly AlternativeName[]
}

const signingOf = (key: KeyObject) => {
  const { namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  const named = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }[namedCurve] ?? namedCurve
  if (key.asymmetricKeyType === 'ec') return { name: 'ECDSA', hash: 'SHA-256', namedCurve: named }
  if (key.asymmetricKeyType === 'ed25519') return { name: 'Ed25519' }
  return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
}

/** A request signed with a stored key, as base64 of DER; null for a key that is not read in bounded time or cannot sign. */
export async function requestForStoredKey(stored: StoredKeyRequest): Promise<string | null> {
  const { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } = await import('./x509.ts')
  try {
    if (!(await opensInBoundedTime(stored.privateKey))) return null
    const key = createPrivateKey({
      key: stored.privateKey,
      ...(stored.passphrase && { passphrase: stored.passphrase }),
    })
    const algorithm = signingOf(key)
    const pkcs8 = key.export({ type: 'pkcs8', format: 'der' })
    const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
    const keys = {
      privateKey: await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
      publicKey: await crypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
    }
    pkcs8.fill(0)
    const names = [...stored.alternativeNames]
    const request = await Pkcs10CertificateRequestGenerator.create({
      name: stored.subject,
      keys,
      signingAlgorithm: algorithm,
      extensions: names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : [],
    })
    return request.toString('base64')
  } catch {
    return null
  }
}
