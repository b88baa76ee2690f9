/**
 * A certificate authority: a root that signs one issuing certificate and is not used again, and the
 * issuing key, which signs what is ordered and the revocation list. Profile of RFC 5280.
 *
 * Serial numbers are 128 random bits (the CA/Browser Forum requires at least 64). No certificate outlives its issuer.
 */
import type { Extension, JsonGeneralName, X509Certificate } from '@peculiar/x509'
import { isDnsName } from './alternative-names.ts'
import type { CheckedRequest } from './certificate-requests.ts'
import { encodeUtf8, toHex } from './encoding.ts'
import { issuedFault } from './issued-certificates.ts'

const DAY = 86_400_000
const ROOT_DAYS = 3_650
const ISSUING_DAYS = 1_825
/** The maximum validity of an ordered certificate. */
export const CERTIFICATE_DAYS = 397
/** The clock skew that is tolerated in verifiers whose clocks are behind. */
const BACKDATED_MILLISECONDS = 5 * 60_000
/** The validity of a revocation list; a new one is signed for every request. */
const REVOCATION_LIST_HOURS = 24
const SERIAL_BYTES = 16

const rootKey = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' } as const
const issuingKey = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** Certificate profiles, each with its extended key usage of RFC 5280; null: the extension is absent. */
export const profiles = { default: null, server: 'serverAuth', client: 'clientAuth' } as const
export type Profile = keyof typeof profiles

/** A new authority: certificates as DER and private keys as PKCS#8, which the caller must seal and then discard. */
interface NewAuthority {
  readonly root: Uint8Array<ArrayBuffer>
  readonly rootKey: Uint8Array<ArrayBuffer>
  readonly issuing: Uint8Array<ArrayBuffer>
  readonly issuingKey: Uint8Array<ArrayBuffer>
  /** When the issuing certificate expires, in milliseconds. */
  readonly expires: number
}

/** An authority that can sign: its certificates, and the issuing key as a non-extractable WebCrypto key. */
export interface OpenAuthority {
  readonly root: X509Certificate
  readonly issuing: X509Certificate
  readonly key: CryptoKey
}

export interface IssuedCertificate {
  /** Lower-case hexadecimal, 32 digits. */
  readonly serial: string
  /** When it expires, in milliseconds. */
  readonly expires: number
  /** PEM of the certificate, with a final newline. */
  readonly certificate: Uint8Array
  /** PEM of a PKCS#7 bundle with the issuing certificate, the format in which Barbican stores intermediates. */
  readonly intermediates: Uint8Array
}

const newSerial = () => toHex(crypto.getRandomValues(new Uint8Array(SERIAL_BYTES)))
const pkcs8Of = async (key: CryptoKey) => new Uint8Array((await crypto.subtle.exportKey('pkcs8', key)) as ArrayBuffer)
const withNewline = (pem: string) => encodeUtf8(`${pem.trimEnd()}\n`)

/** Generates an authority whose subject names contain `label`; `now` is in milliseconds. */
export async function newAuthority(label: string, now: number): Promise<NewAuthority> {
  const { BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags, ...library } = await import('./x509.ts')
  const { X509CertificateGenerator, SubjectKeyIdentifierExtension, AuthorityKeyIdentifierExtension } = library
  const usages: KeyUsage[] = ['sign', 'verify']
  const rootKeys = (await crypto.subtle.generateKey(rootKey, true, usages)) as CryptoKeyPair
  const issuingKeys = (await crypto.subtle.generateKey(issuingKey, true, usages)) as CryptoKeyPair
  const signs = new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true)
  const name = (kind: string) => [{ O: ['Portcullis'] }, { CN: [`Portcullis ${kind} ${label}`] }]
  const notBefore = new Date(now - BACKDATED_MILLISECONDS)
  const root = await X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: name('Root CA'),
    notBefore,
    notAfter: new Date(now + ROOT_DAYS * DAY),
    signingAlgorithm: rootKey,
    keys: rootKeys,
    extensions: [
      new BasicConstraintsExtension(true, 1, true),
      signs,
      await SubjectKeyIdentifierExtension.create(rootKeys.publicKey),
    ],
  })
  const expires = now + ISSUING_DAYS * DAY
  const issuing = await X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: name('Issuing CA'),
    issuer: root.subjectName,
    notBefore,
    notAfter: new Date(expires),
    signingAlgorithm: rootKey,
    publicKey: issuingKeys.publicKey,
    signingKey: rootKeys.privateKey,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      signs,
      await SubjectKeyIdentifierExtension.create(issuingKeys.publicKey),
      await AuthorityKeyIdentifierExtension.create(rootKeys.publicKey),
    ],
  })
  return {
    root: new Uint8Array(root.rawData),
    rootKey: await pkcs8Of(rootKeys.privateKey),
    issuing: new Uint8Array(issuing.rawData),
    issuingKey: await pkcs8Of(issuingKeys.privateKey),
    expires,
  }
}

type KeyUsage = 'sign' | 'verify'

/**
 * Opens an authority from its certificates (DER) and its issuing key (PKCS#8), whose bytes it overwrites with zeros.
 */
export async function openAuthority(
  root: Uint8Array,
  issuing: Uint8Array,
  pkcs8: Uint8Array<ArrayBuffer>,
): Promise<OpenAuthority> {
  const { X509Certificate: Certificate } = await import('./x509.ts')
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, issuingKey, false, ['sign'])
  pkcs8.fill(0)
  return { root: new Certificate(Uint8Array.from(root)), issuing: new Certificate(Uint8Array.from(issuing)), key }
}

/**
 * Returns the alternative names of a certificate. If the request has none, its common names that are domain names are
 * used, because current TLS clients ignore common names (RFC 9525 section 1.2). A common name without a dot is only
 * used in the `server` profile: in others it is as likely to be the name of a person.
 */
function alternativeNames(request: CheckedRequest, profile: Profile): readonly JsonGeneralName[] {
  if (request.alternativeNames.length > 0) return request.alternativeNames
  const names = new Set(
    request.commonNames.filter((name) => isDnsName(name) && (name.includes('.') || profile === 'server')),
  )
  return Array.from(names, (value) => ({ type: 'dns', value }))
}

async function extensionsOf(authority: OpenAuthority, request: CheckedRequest, profile: Profile): Promise<Extension[]> {
  const library = await import('./x509.ts')
  const { KeyUsageFlags, ExtendedKeyUsage } = library
  const publicKey = new library.PublicKey(request.publicKey)
  const names = alternativeNames(request, profile)
  // RFC 5280 section 4.2.1.6: with an empty subject, the extension is critical. An empty SEQUENCE has two bytes.
  const subjectIsEmpty = request.subject.length === 2
  const extended = profiles[profile]
  // Key encipherment is only used with RSA, in TLS before 1.3.
  const usage = KeyUsageFlags.digitalSignature | (request.rsa ? KeyUsageFlags.keyEncipherment : 0)
  return [
    new library.BasicConstraintsExtension(false, undefined, true),
    new library.KeyUsagesExtension(usage, true),
    await library.SubjectKeyIdentifierExtension.create(publicKey),
    await library.AuthorityKeyIdentifierExtension.create(authority.issuing.publicKey),
    ...(extended ? [new library.ExtendedKeyUsageExtension([ExtendedKeyUsage[extended]])] : []),
    ...(names.length > 0 ? [new library.SubjectAlternativeNameExtension([...names], subjectIsEmpty)] : []),
  ]
}

/**
 * Issues a certificate for a request whose proof of possession was verified; `now` is in milliseconds. Returns the
 * reason instead if a strict parser would reject the signed certificate.
 */
export async function issueCertificate(
  authority: OpenAuthority,
  request: CheckedRequest,
  profile: Profile,
  now: number,
): Promise<IssuedCertificate | { readonly reason: string }> {
  const { Name, PublicKey, X509CertificateGenerator, X509Certificates } = await import('./x509.ts')
  const expires = Math.min(now + CERTIFICATE_DAYS * DAY, authority.issuing.notAfter.getTime())
  const serial = newSerial()
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial,
    subject: new Name(request.subject),
    issuer: authority.issuing.subjectName,
    notBefore: new Date(now - BACKDATED_MILLISECONDS),
    notAfter: new Date(expires),
    signingAlgorithm: issuingKey,
    publicKey: new PublicKey(request.publicKey),
    signingKey: authority.key,
    extensions: await extensionsOf(authority, request, profile),
  })
  const fault = issuedFault(new Uint8Array(certificate.rawData), request.subject)
  if (fault) return { reason: `The certificate would not be valid: ${fault}` }
  // The library labels the bundle CMS; OpenSSL and Barbican use the label PKCS7 for the same bytes.
  const bundle = new X509Certificates([authority.issuing]).toString('pem').replaceAll(/(BEGIN|END) CMS/g, '$1 PKCS7')
  return { serial, expires, certificate: withNewline(certificate.toString('pem')), intermediates: withNewline(bundle) }
}

/** A revoked certificate; `revoked` is in milliseconds. */
interface RevokedCertificate {
  readonly serial: string
  readonly revoked: number
}

/**
 * The signed revocation list as PEM (in RFC 7468's label, not the library's), made `now` in milliseconds. Its number is
 * the time, so that it only grows. Nobody is asked why a certificate is revoked, so that no entry has a reason code.
 */
export async function revocationList(
  authority: OpenAuthority,
  revoked: readonly RevokedCertificate[],
  now: number,
): Promise<string> {
  const { X509CrlGenerator, AuthorityKeyIdentifierExtension, crlNumber } = await import('./x509.ts')
  const list = await X509CrlGenerator.create({
    issuer: authority.issuing.subjectName,
    thisUpdate: new Date(now - BACKDATED_MILLISECONDS),
    nextUpdate: new Date(now + REVOCATION_LIST_HOURS * 3_600_000),
    signingAlgorithm: issuingKey,
    signingKey: authority.key,
    entries: revoked.map(({ serial, revoked: at }) => ({
      serialNumber: serial,
      revocationDate: new Date(at),
    })),
    extensions: [
      await AuthorityKeyIdentifierExtension.create(authority.issuing.publicKey),
      crlNumber(Math.floor(now / 1000)),
    ],
  })
  return `${list
    .toString('pem')
    .replaceAll(/(BEGIN|END) CRL/g, '$1 X509 CRL')
    .trimEnd()}\n`
}
