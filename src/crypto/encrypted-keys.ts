/** Checks the encryption parameters of private keys (PKCS#8, RFC 5958; PBES2, RFC 8018) before they are decrypted. */
import { elementsOf, objectIdentifierOf, readElement, tags, type DerElement } from './der.ts'

/** The maximum of key derivation iterations, which takes some tenths of a second. OpenSSL's default is 2,048. */
const MOST_ITERATIONS = 1_000_000

const PBES2 = '1.2.840.113549.1.5.13'
/** SHA-1 and triple DES (RFC 7292 appendix C), used by Java and older versions of OpenSSL. */
const PKCS12_TRIPLE_DES = '1.2.840.113549.1.12.1.3'
const PBKDF2 = '1.2.840.113549.1.5.12'
/** RFC 7914 section 7. */
const SCRYPT = '1.3.6.1.4.1.11591.4.11'
/** AES-128, AES-192, AES-256 and triple DES, all in CBC mode. */
const ciphers = new Set([
  '2.16.840.1.101.3.4.1.2',
  '2.16.840.1.101.3.4.1.22',
  '2.16.840.1.101.3.4.1.42',
  '1.2.840.113549.3.7',
])

/** Parses an AlgorithmIdentifier. */
function algorithmOf(element: DerElement | undefined): {
  readonly type: string | null
  readonly parameters?: DerElement
} {
  const [type, parameters] = elementsOf(element, tags.sequence) ?? []
  const identifier = type?.tag === tags.objectIdentifier ? objectIdentifierOf(type.content) : null
  return { type: identifier, ...(parameters && { parameters }) }
}

/** Decodes a positive INTEGER; Infinity if it exceeds the safe integers. */
function numberOf(content: Uint8Array): number {
  const value = content.reduce((sum, byte) => sum * 256 + byte, 0)
  return Number.isSafeInteger(value) ? value : Infinity
}

/** Checks the iteration count, which is the second parameter of a key derivation, after the salt. */
function iterationsFault(parameters: DerElement | undefined): string | null {
  const iterations = elementsOf(parameters, tags.sequence)?.[1]
  if (iterations?.tag !== tags.integer) return 'is encrypted in a way that cannot be read'
  return numberOf(iterations.content) > MOST_ITERATIONS
    ? `is encrypted with more than ${MOST_ITERATIONS} iterations`
    : null
}

/**
 * Returns why an EncryptedPrivateKeyInfo must not be decrypted, or null if it may be: the runtime does not support its
 * algorithms, or the iteration count, which its sender controls, makes decryption too expensive.
 */
export function encryptionFault(der: Uint8Array): string | null {
  const [encryption] = elementsOf(readElement(der), tags.sequence) ?? []
  const scheme = algorithmOf(encryption)
  if (scheme.type === PKCS12_TRIPLE_DES) return iterationsFault(scheme.parameters)
  if (scheme.type !== PBES2) return 'is encrypted with another scheme than PBES2'
  const [derivation, cipher] = elementsOf(scheme.parameters, tags.sequence) ?? []
  const { type, parameters } = algorithmOf(derivation)
  if (type === SCRYPT) return 'is encrypted with scrypt, which is not supported: use PBKDF2'
  if (type !== PBKDF2) return 'is encrypted with another key derivation than PBKDF2'
  const isKnownCipher = ciphers.has(algorithmOf(cipher).type ?? '')
  return iterationsFault(parameters) ?? (isKnownCipher ? null : 'is encrypted with a cipher that is not supported')
}
