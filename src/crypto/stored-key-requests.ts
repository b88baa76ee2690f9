/** Creates certificate requests (PKCS#10, RFC 2986) for stored private keys. */
import type { KeyObject } from 'node:crypto'
import type { AlternativeName } from './alternative-names.ts'
import { openPrivateKey, signingParameters, weaknessOf } from './certified-keys.ts'
import { compareBytes } from './der.ts'
import type { RelativeName } from './subject-attributes.ts'

interface StoredKeyRequest {
  /** The payload of the private key: PEM or DER, possibly encrypted. */
  readonly privateKey: Uint8Array
  readonly passphrase: string | null
  /** The parts of the subject, the most general first. */
  readonly subject: readonly RelativeName[]
  readonly alternativeNames: readonly AlternativeName[]
}

/** `request` is base64 of DER; `reason` is a sentence without its full stop. */
type StoredKeyOutcome =
  { readonly outcome: 'requested'; readonly request: string } | { readonly outcome: 'refused'; readonly reason: string }

/**
 * Encodes a name as DER. Values are encoded literally: the library's own Name class would interpret escapes in them.
 */
async function encodeSubject(names: readonly RelativeName[]): Promise<Uint8Array<ArrayBuffer>> {
  const { AsnConvert, asn1 } = await import('./x509.ts')
  const relativeName = (attributes: RelativeName) => {
    const encoded = attributes.map(({ type, stringType, text }) => {
      const value = new asn1.AttributeValue({ [stringType]: text })
      const attribute = new asn1.AttributeTypeAndValue({ type, value })
      return { attribute, der: new Uint8Array(AsnConvert.serialize(attribute)) }
    })
    // The library does not sort a SET; DER requires it (X.690 section 11.6).
    const ordered = encoded.toSorted((one, other) => compareBytes(one.der, other.der))
    return new asn1.RelativeDistinguishedName(ordered.map(({ attribute }) => attribute))
  }
  return new Uint8Array(AsnConvert.serialize(new asn1.Name(names.map(relativeName))))
}

/** Imports a key pair into WebCrypto. Throws if WebCrypto rejects one of the keys. */
async function importPair(key: KeyObject, publicKey: KeyObject) {
  const algorithm = signingParameters(publicKey)
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  try {
    const keys = {
      privateKey: await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
      publicKey: await crypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
    }
    return { keys, signingAlgorithm: algorithm }
  } finally {
    pkcs8.fill(0)
  }
}

/** Opens a stored key, in bounded time, and signs a request with it. */
export async function requestForStoredKey(stored: StoredKeyRequest): Promise<StoredKeyOutcome> {
  const opened = openPrivateKey(stored.privateKey, stored.passphrase)
  if (opened.outcome === 'unusable') return { outcome: 'refused', reason: `The private_key ${opened.reason}` }
  const weakness = weaknessOf(opened.publicKey)
  if (weakness) return { outcome: 'refused', reason: weakness }
  const { Name, Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } = await import('./x509.ts')
  const name = new Name(await encodeSubject(stored.subject))
  const names = [...stored.alternativeNames]
  const extensions = names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []
  try {
    const pair = await importPair(opened.key, opened.publicKey)
    const request = await Pkcs10CertificateRequestGenerator.create({ name, extensions, ...pair })
    return { outcome: 'requested', request: request.toString('base64') }
  } catch {
    return { outcome: 'refused', reason: 'The private_key is broken: it cannot sign' }
  }
}
