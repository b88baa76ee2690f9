/**
 * Stored halves of key pairs, as they are used inside the service: private keys in PEM or DER of PKCS#8, PKCS#1 or SEC1,
 * public ones of SubjectPublicKeyInfo or PKCS#1, and X.509 certificates. No part of a private key becomes a string.
 */
import { createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto'
import { curveOf, ENCRYPTED, labelOf, weaknessOf } from '../certified-keys.ts'
import { elementsOf, readElement, tags } from '../der.ts'
import { pemBlocks, type PemBlock } from './pem.ts'

/** Twice the size of a 16,384-bit RSA key in PEM, and more than any certificate in use. */
const MOST_BYTES = 32 * 1024

export interface KeyPair {
  readonly kind: 'rsa' | 'ec' | 'ed25519'
  /** WebCrypto's name of the curve of an `ec` key; empty for the others. */
  readonly curve: string
  /** Bits of the modulus, or of the curve. */
  readonly bits: number
  /** Null if only the public half is stored. */
  readonly privateKey: KeyObject | null
  readonly publicKey: KeyObject
}

const curveBits: Readonly<Record<string, number>> = { 'P-256': 256, 'P-384': 384, 'P-521': 521 }
const ED25519_BITS = 256

/** Node's names of the encodings of private keys, by PEM label. */
const encodings = { 'PRIVATE KEY': 'pkcs8', 'RSA PRIVATE KEY': 'pkcs1', 'EC PRIVATE KEY': 'sec1' } as const

type Opened = KeyObject | string

function openPrivate(label: string | null, der: Uint8Array): Opened {
  if (label === ENCRYPTED) return 'it is encrypted'
  if (label === null || !Object.hasOwn(encodings, label)) return 'it is no private key'
  const type = encodings[label as keyof typeof encodings]
  const key = Buffer.from(der.buffer, der.byteOffset, der.length)
  return createPrivateKey({ key, format: 'der', type })
}

function openPublic(label: string | null, der: Uint8Array): Opened {
  const key = Buffer.from(der.buffer, der.byteOffset, der.length)
  if (label === 'CERTIFICATE') return new X509Certificate(key).publicKey
  if (label === 'RSA PUBLIC KEY') return createPublicKey({ key, format: 'der', type: 'pkcs1' })
  return label === 'PUBLIC KEY' ? createPublicKey({ key, format: 'der', type: 'spki' }) : 'it is no public key'
}

/** The PEM labels for DER of public keys and certificates, by the tags of the elements in their SEQUENCE. */
const publicForms: readonly { readonly label: string; readonly elements: readonly number[] }[] = [
  { label: 'PUBLIC KEY', elements: [tags.sequence, tags.bitString] },
  { label: 'RSA PUBLIC KEY', elements: [tags.integer, tags.integer] },
  { label: 'CERTIFICATE', elements: [tags.sequence, tags.sequence, tags.bitString] },
]

/** The PEM label for a public key or certificate in DER; null for other DER, such as that of a private key. */
function publicLabelOf(der: Uint8Array): string | null {
  const found = elementsOf(readElement(der), tags.sequence)?.map(({ tag }) => tag)
  return publicForms.find(({ elements }) => elements.join() === found?.join())?.label ?? null
}

const isPrivateBlock = ({ label }: PemBlock) => label.endsWith('PRIVATE KEY')

/** Reads a stored private key, public key or certificate, or returns why it cannot be used. The runtime may throw. */
function opened(stored: Uint8Array, isPrivate: boolean): Opened {
  if (stored.length === 0 || stored.length > MOST_BYTES) return 'it is empty or too long'
  const blocks = pemBlocks(stored)
  if (!blocks) return 'it is PEM that cannot be read'
  try {
    const fitting = blocks.filter((block) => isPrivateBlock(block) === isPrivate)
    if (isPrivate && fitting.length > 1) return 'it is more than one private key'
    // A certificate may be followed by those of its authorities.
    const der = blocks.length === 0 ? stored : fitting[0]?.der
    if (!der || !readElement(der)) return 'it is neither PEM nor DER of such a key'
    return isPrivate ? openPrivate(labelOf(der), der) : openPublic(publicLabelOf(der), der)
  } finally {
    for (const { der } of blocks) der.fill(0)
  }
}

function described(publicKey: KeyObject, privateKey: KeyObject | null): KeyPair | string {
  const weakness = weaknessOf(publicKey)
  if (weakness) return `${weakness.charAt(0).toLowerCase()}${weakness.slice(1)}`
  const both = { privateKey, publicKey }
  if (publicKey.asymmetricKeyType === 'rsa')
    return { kind: 'rsa', curve: '', bits: publicKey.asymmetricKeyDetails?.modulusLength ?? 0, ...both }
  if (publicKey.asymmetricKeyType === 'ed25519') return { kind: 'ed25519', curve: '', bits: ED25519_BITS, ...both }
  const curve = curveOf(publicKey) ?? ''
  return { kind: 'ec', curve, bits: curveBits[curve] ?? 0, ...both }
}

/** Reads a stored key, or returns why it cannot be used, as the end of a sentence. */
export function readKeyPair(stored: Uint8Array, isPrivate: boolean): KeyPair | string {
  try {
    const key = opened(stored, isPrivate)
    if (typeof key === 'string') return key
    return isPrivate ? described(createPublicKey(key), key) : described(key, null)
  } catch {
    return 'it is broken, or of an algorithm or curve that is not supported'
  }
}

type ImportParameters = Parameters<typeof crypto.subtle.importKey>[2]

/** Imports the private half into WebCrypto, for one use. Throws if the pair has only its public half. */
export async function importPrivate({ privateKey }: KeyPair, parameters: ImportParameters, usage: 'sign' | 'decrypt') {
  if (!privateKey) throw new Error('only the public half is stored')
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
  try {
    return await crypto.subtle.importKey('pkcs8', pkcs8, parameters, false, [usage])
  } finally {
    pkcs8.fill(0)
  }
}

/** Imports the public half into WebCrypto, for one use. */
export function importPublic({ publicKey }: KeyPair, parameters: ImportParameters, usage: 'verify' | 'encrypt') {
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return crypto.subtle.importKey('spki', spki, parameters, false, [usage])
}

/** The public half: PEM of SubjectPublicKeyInfo, with a final newline. */
export const publicPem = ({ publicKey }: KeyPair): string =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString()
