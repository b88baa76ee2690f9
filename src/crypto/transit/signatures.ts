/**
 * Signatures of stored keys, by the names of JOSE (RFC 7518 section 3.1, RFC 8037 section 3.1): one table from name to
 * WebCrypto's parameters.
 */
import { fromDer, toDer } from './ecdsa.ts'
import { importPrivate, importPublic, type KeyPair } from './key-pairs.ts'
import { signDigest, verifyDigest } from './rsa-digests.ts'

export interface SignatureAlgorithm {
  readonly name: SignatureName
  readonly kind: KeyPair['kind']
  /** WebCrypto's name of the scheme. */
  readonly scheme: string
  readonly hash: string
  /** Of the digest, in bytes; for a randomised RSA signature also that of its salt (RFC 7518 section 3.5). */
  readonly digestBytes: number
  /** The only curve that the algorithm is for. */
  readonly curve: string
  /** Half of a signature in bytes: r or s, or R or S. 0 for RSA, whose key decides. */
  readonly halfBytes: number
}

const rsa = (scheme: string, bits: number) =>
  ({ kind: 'rsa', scheme, hash: `SHA-${bits}`, digestBytes: bits / 8, curve: '', halfBytes: 0 }) as const
const ec = (curve: string, bits: number, halfBytes: number) =>
  ({ kind: 'ec', scheme: 'ECDSA', hash: `SHA-${bits}`, digestBytes: bits / 8, curve, halfBytes }) as const

const PKCS1 = 'RSASSA-PKCS1-v1_5'
const PSS = 'RSA-PSS'

const algorithms = {
  RS256: rsa(PKCS1, 256),
  RS384: rsa(PKCS1, 384),
  RS512: rsa(PKCS1, 512),
  PS256: rsa(PSS, 256),
  PS384: rsa(PSS, 384),
  PS512: rsa(PSS, 512),
  ES256: ec('P-256', 256, 32),
  ES384: ec('P-384', 384, 48),
  ES512: ec('P-521', 512, 66),
  EdDSA: { kind: 'ed25519', scheme: 'Ed25519', hash: '', digestBytes: 0, curve: '', halfBytes: 32 },
} as const

export type SignatureName = keyof typeof algorithms
export const signatureNames = Object.keys(algorithms) as SignatureName[]

/** How a message is to be signed. */
export interface SignatureOptions {
  readonly algorithm?: SignatureName | undefined
  /** The input is a digest of the message. */
  readonly prehashed?: boolean | undefined
  /** The form of an ECDSA signature; the others have one form. */
  readonly format?: 'der' | 'raw' | undefined
}

/** The algorithm for this key and input, or why there is none, as a sentence without its full stop. */
export function signatureAlgorithm(
  key: KeyPair,
  { algorithm, prehashed }: SignatureOptions,
  input: Uint8Array,
): SignatureAlgorithm | string {
  const fitting = signatureNames.filter((name) => {
    const { kind, curve } = algorithms[name]
    return kind === key.kind && curve === key.curve
  })
  const name = algorithm ?? (fitting.length === 1 ? fitting[0] : undefined)
  if (name === undefined) return `An RSA key needs an algorithm: ${fitting.join(', ')}`
  if (!fitting.includes(name)) return `The algorithm ${name} is not for this key, but ${fitting.join(', ')}`
  const chosen = { name, ...algorithms[name] }
  if (prehashed && chosen.kind !== 'rsa') return 'Only RSA keys sign a digest; this key needs the message'
  if (prehashed && input.length !== chosen.digestBytes) return `A digest for ${name} has ${chosen.digestBytes} bytes`
  return chosen
}

const importParameters = ({ scheme, hash, curve, kind }: SignatureAlgorithm) => ({
  name: scheme,
  ...(kind === 'rsa' && { hash }),
  ...(kind === 'ec' && { namedCurve: curve }),
})
const useParameters = ({ scheme, hash, digestBytes, kind }: SignatureAlgorithm) => ({
  name: scheme,
  ...(kind === 'ec' && { hash }),
  ...(scheme === PSS && { saltLength: digestBytes }),
})

/** Signs a message or, of RSA, a digest. */
export async function sign(
  key: KeyPair,
  algorithm: SignatureAlgorithm,
  input: Uint8Array<ArrayBuffer>,
  { prehashed, format = 'der' }: SignatureOptions,
): Promise<Uint8Array> {
  if (prehashed) return signDigest(key, algorithm.hash, algorithm.scheme === PSS, input)
  const imported = await importPrivate(key, importParameters(algorithm), 'sign')
  const signature = new Uint8Array(await crypto.subtle.sign(useParameters(algorithm), imported, input))
  return algorithm.kind === 'ec' && format === 'der' ? toDer(signature) : signature
}

/** Reports whether a signature of a message, or of an RSA digest, is the key's. */
export async function verify(
  key: KeyPair,
  algorithm: SignatureAlgorithm,
  input: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
  { prehashed, format = 'der' }: SignatureOptions,
): Promise<boolean> {
  if (prehashed) return verifyDigest(key, algorithm.hash, algorithm.scheme === PSS, input, signature)
  const { kind, halfBytes } = algorithm
  const plain = kind === 'ec' && format === 'der' ? fromDer(signature, halfBytes) : signature
  // The runtime throws for an Ed25519 signature of another length.
  if (!plain || (kind !== 'rsa' && plain.length !== 2 * halfBytes)) return false
  const imported = await importPublic(key, importParameters(algorithm), 'verify')
  return crypto.subtle.verify(useParameters(algorithm), imported, plain, input)
}
