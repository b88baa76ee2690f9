/**
 * Which keys are certified and how each signs, and private keys as users store them: PEM (RFC 7468) or DER of PKCS#8 (RFC
 * 5958), also encrypted, of PKCS#1 (RFC 8017) or of SEC1 (RFC 5915). What cannot be used is told apart, because its owner
 * is to mend it.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { elementsOf, readElement, tags } from './der.ts'
import { decodeBase64, decodeUtf8, encodeUtf8 } from './encoding.ts'
import { encryptionFault } from './encrypted-keys.ts'

/** RSA of 16,384 bits in PEM, twice: more than any key that is used. */
const MOST_KEY_BYTES = 32 * 1024
/** As many as key orders take, and OpenSSL's PEM reader. */
const MOST_PASSPHRASE_BYTES = 1023

/** `unusable` says what is wrong, as the rest of a sentence that begins with the key. */
export type PrivateKeyOutcome =
  | { readonly outcome: 'opened'; readonly key: KeyObject; readonly publicKey: KeyObject }
  | { readonly outcome: 'unusable'; readonly reason: string }

/** A private key of a form that the runtime reads, as PEM. */
interface FoundKey {
  readonly label: string
  readonly pem: string
  readonly isEncrypted: boolean
}

const unusable = (reason: string): PrivateKeyOutcome => ({ outcome: 'unusable', reason })

/** RFC 7468 section 2: lines of 64 characters, the last of which may be shorter and not empty. */
function pemOf(label: string, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

const ENCRYPTED = 'ENCRYPTED PRIVATE KEY'

/** The forms of DER, by the tags of the first elements in their SEQUENCE, and the label that RFC 7468 and OpenSSL give them. */
const forms: readonly { readonly label: string; readonly starts: readonly number[] }[] = [
  { label: 'PRIVATE KEY', starts: [tags.integer, tags.sequence, tags.octetString] },
  { label: ENCRYPTED, starts: [tags.sequence, tags.octetString] },
  { label: 'RSA PRIVATE KEY', starts: [tags.integer, tags.integer, tags.integer] },
  { label: 'EC PRIVATE KEY', starts: [tags.integer, tags.octetString] },
]

/** The label of a private key in DER; null when it is none. */
function labelOf(der: Uint8Array): string | null {
  const elements = elementsOf(readElement(der), tags.sequence) ?? []
  return forms.find(({ starts }) => starts.every((tag, at) => elements[at]?.tag === tag))?.label ?? null
}

function foundInDer(der: Uint8Array): FoundKey | string {
  const label = labelOf(der)
  if (label === null) return 'is neither PEM nor DER of a private key'
  const fault = label === ENCRYPTED ? encryptionFault(der) : null
  return fault ?? { label, pem: pemOf(label, der), isEncrypted: label === ENCRYPTED }
}

/** The header of a PEM that is itself encrypted (RFC 1421 section 4.6), as OpenSSL wrote keys before PKCS#8. */
const ENCRYPTED_HEADER = /^\s*Proc-Type: 4,ENCRYPTED\r?\nDEK-Info: [\w-]+,[\dA-F]+\s+([A-Za-z0-9+/=\s]+)$/

/** Forms whose PEM may itself be encrypted. In another form there might be a second encryption, at any price, inside. */
const encryptedAsPem = new Set(['RSA PRIVATE KEY', 'EC PRIVATE KEY'])

function foundInPem(text: string): FoundKey | string {
  const begun = text.match(/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/g) ?? []
  if (begun.length === 0) return 'is no private key'
  if (begun.length > 1) return 'is more than one private key'
  const [, label = '', body = ''] = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----(.*?)-----END \1-----/s.exec(text) ?? []
  if (label === 'OPENSSH PRIVATE KEY') return 'is in the format of OpenSSH: convert it to PKCS#8'
  if (label !== '' && !forms.some((form) => form.label === label)) return 'is of an algorithm that is not supported'
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

/** Opens a stored private key in bounded time; a passphrase is not looked at for a key that is not encrypted. */
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
    // The runtime does not say which of these it was.
    return unusable(
      found.isEncrypted
        ? 'does not open with its passphrase, or is broken'
        : 'is broken, or of an algorithm or curve that is not supported',
    )
  }
}

const LEAST_RSA_BITS = 2048
/** Above this the signature's check costs more than it is worth. */
const MOST_RSA_BITS = 8192
const LEAST_RSA_EXPONENT = 65537n

/** The names of curves in node:crypto and in OpenSSL, and WebCrypto's for each. */
const curves: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  'P-256': 'P-256',
  secp384r1: 'P-384',
  'P-384': 'P-384',
  secp521r1: 'P-521',
  'P-521': 'P-521',
}

const curveOf = (key: KeyObject) => {
  const { namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  return Object.hasOwn(curves, namedCurve) ? curves[namedCurve] : undefined
}

/** Why this public key is not certified; null when it is. */
export function weaknessOf(key: KeyObject): string | null {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ed25519') return null
  if (key.asymmetricKeyType === 'ec') return curveOf(key) ? null : 'The curve of the key is not supported'
  if (key.asymmetricKeyType !== 'rsa') return 'The algorithm of the key is not supported'
  if (modulusLength < LEAST_RSA_BITS) return `The RSA key is shorter than ${LEAST_RSA_BITS} bits`
  if (modulusLength > MOST_RSA_BITS) return `The RSA key is longer than ${MOST_RSA_BITS} bits`
  return publicExponent < LEAST_RSA_EXPONENT ? 'The public exponent of the RSA key is too small' : null
}

/** WebCrypto's parameters of importing a certified key and of signing with it. */
export function signingParameters(key: KeyObject) {
  if (key.asymmetricKeyType === 'ec') return { name: 'ECDSA', hash: 'SHA-256', namedCurve: curveOf(key) ?? '' }
  if (key.asymmetricKeyType === 'ed25519') return { name: 'Ed25519' }
  return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
}
