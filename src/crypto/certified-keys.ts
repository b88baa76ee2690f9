/**
 * The keys that certificates are issued for, their signature algorithms, and a parser for stored private keys: PEM (RFC
 * 7468) or DER of PKCS#8 (RFC 5958, also encrypted), PKCS#1 (RFC 8017) or SEC1 (RFC 5915). Each unusable key is
 * reported with its own reason, so that its owner can fix it.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { elementsOf, readElement, tags } from './der.ts'
import { decodeBase64, decodeUtf8, encodeUtf8 } from './encoding.ts'
import { encryptionFault } from './encrypted-keys.ts'

/** Twice the PEM size of a 16,384-bit RSA key, which is larger than any key in use. */
const MOST_KEY_BYTES = 32 * 1024
/** The limit of key orders and of OpenSSL's PEM reader. */
const MOST_PASSPHRASE_BYTES = 1023

/** The `reason` of `unusable` continues a sentence whose subject is the key: `is empty or too long`. */
type PrivateKeyOutcome =
  | { readonly outcome: 'opened'; readonly key: KeyObject; readonly publicKey: KeyObject }
  | { readonly outcome: 'unusable'; readonly reason: string }

/** A private key as PEM, in a format that the runtime imports. */
interface FoundKey {
  readonly label: string
  readonly pem: string
  readonly isEncrypted: boolean
}

const unusable = (reason: string): PrivateKeyOutcome => ({ outcome: 'unusable', reason })

/** Encodes PEM (RFC 7468 section 2): lines of 64 characters, of which only the last may be shorter. */
function pemOf(label: string, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

/** The PEM label of an encrypted PKCS#8 key. */
export const ENCRYPTED = 'ENCRYPTED PRIVATE KEY'

/** The DER formats, identified by the tags of the first elements in their SEQUENCE, with their PEM labels. */
const formats: readonly { readonly label: string; readonly starts: readonly number[] }[] = [
  { label: 'PRIVATE KEY', starts: [tags.integer, tags.sequence, tags.octetString] },
  { label: ENCRYPTED, starts: [tags.sequence, tags.octetString] },
  { label: 'RSA PRIVATE KEY', starts: [tags.integer, tags.integer, tags.integer] },
  { label: 'EC PRIVATE KEY', starts: [tags.integer, tags.octetString] },
]

/** Returns the PEM label for a private key in DER; null if the bytes are not in one of the formats. */
export function labelOf(der: Uint8Array): string | null {
  const elements = elementsOf(readElement(der), tags.sequence) ?? []
  return formats.find(({ starts }) => starts.every((tag, at) => elements[at]?.tag === tag))?.label ?? null
}

function foundInDer(der: Uint8Array): FoundKey | string {
  const label = labelOf(der)
  if (label === null) return 'is neither PEM nor DER of a private key'
  const fault = label === ENCRYPTED ? encryptionFault(der) : null
  return fault ?? { label, pem: pemOf(label, der), isEncrypted: label === ENCRYPTED }
}

/** The headers of PEM with legacy encryption (RFC 1421 section 4.6), which OpenSSL wrote before it used PKCS#8. */
const ENCRYPTED_HEADER = /^\s*Proc-Type: 4,ENCRYPTED\r?\nDEK-Info: [\w-]+,[\dA-F]+\s+([A-Za-z0-9+/=\s]+)$/

/** Formats that allow legacy PEM encryption. Others could contain a second layer of encryption of unbounded cost. */
const encryptedAsPem = new Set(['RSA PRIVATE KEY', 'EC PRIVATE KEY'])

function foundInPem(text: string): FoundKey | string {
  const begun = text.match(/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/g) ?? []
  if (begun.length === 0) return 'is no private key'
  if (begun.length > 1) return 'is more than one private key'
  const [, label = '', body = ''] = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----(.*?)-----END \1-----/s.exec(text) ?? []
  if (label === 'OPENSSH PRIVATE KEY') return 'is in the format of OpenSSH: convert it to PKCS#8'
  if (label !== '' && !formats.some((format) => format.label === label))
    return 'is of an algorithm that is not supported'
  if (encryptedAsPem.has(label) && ENCRYPTED_HEADER.test(body))
    return { label, pem: `-----BEGIN ${label}-----${body}-----END ${label}-----\n`, isEncrypted: true }
  const der = /^[A-Za-z0-9+/=\s]+$/.test(body) ? decodeBase64(body) : null
  if (!der) return 'is PEM that cannot be read'
  const found = foundInDer(der)
  return typeof found === 'string' || found.label === label ? found : 'is PEM under the label of another form'
}

function findKey(stored: Uint8Array): FoundKey | string {
  if (stored.length === 0 || stored.length > MOST_KEY_BYTES) return 'is empty or too long'
  const text = decodeUtf8(stored)
  return text?.includes('-----BEGIN') ? foundInPem(text) : foundInDer(stored)
}

/** Opens a stored private key in bounded time. The passphrase is ignored for a key that is not encrypted. */
export function openPrivateKey(stored: Uint8Array, passphrase: string | null): PrivateKeyOutcome {
  const found = findKey(stored)
  if (typeof found === 'string') return unusable(found)
  if (found.isEncrypted && !passphrase) return unusable('is encrypted, and there is no passphrase that may be used')
  if (found.isEncrypted && encodeUtf8(passphrase ?? '').length > MOST_PASSPHRASE_BYTES)
    return unusable(`has a passphrase of more than ${MOST_PASSPHRASE_BYTES} bytes`)
  try {
    const key = createPrivateKey({ key: found.pem, ...(found.isEncrypted && passphrase && { passphrase }) })
    return { outcome: 'opened', key, publicKey: createPublicKey(key) }
  } catch {
    // The runtime does not report which of these it was.
    return unusable(
      found.isEncrypted
        ? 'does not open with its passphrase, or is broken'
        : 'is broken, or of an algorithm or curve that is not supported',
    )
  }
}

const LEAST_RSA_BITS = 2048
/** Bounds the cost of verifying a signature. */
const MOST_RSA_BITS = 8192
const LEAST_RSA_EXPONENT = 65537n

/** WebCrypto's curve names by those of node:crypto and OpenSSL. */
const curves: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  'P-256': 'P-256',
  secp384r1: 'P-384',
  'P-384': 'P-384',
  secp521r1: 'P-521',
  'P-521': 'P-521',
}

/** WebCrypto's name of the curve of an elliptic key; undefined for a curve that is not supported. */
export const curveOf = (key: KeyObject): string | undefined => {
  const { namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  return Object.hasOwn(curves, namedCurve) ? curves[namedCurve] : undefined
}

/** Returns why no certificate is issued for this public key, or null if one may be. */
export function weaknessOf(key: KeyObject): string | null {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ed25519') return null
  if (key.asymmetricKeyType === 'ec') return curveOf(key) ? null : 'The curve of the key is not supported'
  if (key.asymmetricKeyType !== 'rsa') return 'The algorithm of the key is not supported'
  if (modulusLength < LEAST_RSA_BITS) return `The RSA key is shorter than ${LEAST_RSA_BITS} bits`
  if (modulusLength > MOST_RSA_BITS) return `The RSA key is longer than ${MOST_RSA_BITS} bits`
  return publicExponent < LEAST_RSA_EXPONENT ? 'The public exponent of the RSA key is too small' : null
}

/** Returns the WebCrypto parameters for importing the key and signing with it. */
export function signingParameters(key: KeyObject) {
  if (key.asymmetricKeyType === 'ec') return { name: 'ECDSA', hash: 'SHA-256', namedCurve: curveOf(key) ?? '' }
  if (key.asymmetricKeyType === 'ed25519') return { name: 'Ed25519' }
  return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
}
