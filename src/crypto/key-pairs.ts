/**
 * Key pairs that an order can generate: one table from algorithm and length to WebCrypto's parameters.
 *
 * Names are case-insensitive, lengths are in bits. The RSA lengths are Barbican's, plus 3072 bits, on which Barbican's
 * worker fails; Barbican has no elliptic curves. `ec`, `ecdsa` and `ecdh` name the same keys, because the encoding
 * (id-ecPublicKey, RFC 5480) does not distinguish signing from key agreement. The length in an order must be a multiple
 * of 8, so P-521 is ordered as 528 bits: 66 bytes, the size of its field elements.
 */
import { createPrivateKey, createPublicKey, KeyObject, timingSafeEqual, type webcrypto } from 'node:crypto'
import { encodeUtf8 } from './encoding.ts'

/**
 * Whether a pair can be generated. `length`, `kind` and `unknown` are the reasons for which Barbican refuses too;
 * `withdrawn` is DSA, which FIPS 186-5 no longer approves for signing.
 */
type KeyPairOutcome = 'generated' | 'length' | 'kind' | 'unknown' | 'withdrawn'

export interface KeyPair {
  /** PEM of PKCS#8 (RFC 5958), encrypted (RFC 8018) when there is a passphrase, with a final newline. */
  readonly privateKey: Uint8Array
  /** PEM of SubjectPublicKeyInfo (RFC 5280), with a final newline. */
  readonly publicKey: Uint8Array
  readonly containerType: 'rsa' | 'generic'
}

interface Generation {
  readonly containerType: KeyPair['containerType']
  readonly use: 'signature' | 'agreement'
  /** WebCrypto's parameters to generate, import and use the key: one object serves for all. */
  readonly parameters: {
    readonly name: string
    readonly hash?: string
    readonly namedCurve?: string
    readonly modulusLength?: number
    readonly publicExponent?: Uint8Array<ArrayBuffer>
  }
}

const LONGEST_PASSPHRASE_BYTES = 1023

const rsa = (modulusLength: number): Generation => ({
  containerType: 'rsa',
  use: 'signature',
  parameters: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength,
    publicExponent: Uint8Array.of(1, 0, 1),
  },
})

const curve = (namedCurve: 'P-256' | 'P-384' | 'P-521'): Generation => ({
  containerType: 'generic',
  use: 'signature',
  parameters: { name: 'ECDSA', hash: 'SHA-256', namedCurve },
})

const rsaLengths = { 1024: rsa(1024), 2048: rsa(2048), 3072: rsa(3072), 4096: rsa(4096) }
const curveLengths = { 256: curve('P-256'), 384: curve('P-384'), 528: curve('P-521') }

const recipes: Readonly<Record<string, Readonly<Record<number, Generation>>>> = {
  rsa: rsaLengths,
  ec: curveLengths,
  ecdsa: curveLengths,
  ecdh: curveLengths,
  ed25519: { 256: { containerType: 'generic', use: 'signature', parameters: { name: 'Ed25519' } } },
  x25519: { 256: { containerType: 'generic', use: 'agreement', parameters: { name: 'X25519' } } },
}

const withdrawn = new Set(['dsa'])

/** Algorithms that Barbican's plugin supports, but not for key pairs. */
const otherKinds = new Set([
  'aes',
  'des',
  'desede',
  'diffie_hellman',
  'hmacsha1',
  'hmacsha256',
  'hmacsha384',
  'hmacsha512',
])

function lengthsOf(algorithm: string): Readonly<Record<number, Generation>> | undefined {
  const name = algorithm.toLowerCase()
  return Object.hasOwn(recipes, name) ? recipes[name] : undefined
}

/** Reports whether such a key pair can be generated and, if not, for which reason. */
export function keyPairOutcome(algorithm: string, bits: number): KeyPairOutcome {
  const lengths = lengthsOf(algorithm)
  if (lengths) return Object.hasOwn(lengths, bits) ? 'generated' : 'length'
  const name = algorithm.toLowerCase()
  if (withdrawn.has(name)) return 'withdrawn'
  return otherKinds.has(name) ? 'kind' : 'unknown'
}

/**
 * Reports whether a private key can be encrypted under this passphrase. The limit is 1,023 bytes of UTF-8, that of
 * Barbican and of OpenSSL's PEM reader, with which such keys are read.
 */
export function passphraseFits(passphrase: string): boolean {
  return encodeUtf8(passphrase).length <= LONGEST_PASSPHRASE_BYTES
}

/** WebCrypto's key usages: the first is that of the private key, the others are those of the public key. */
const usages = { signature: ['sign', 'verify'], agreement: ['deriveBits'] } as const

interface EncodedPair {
  readonly privatePem: string
  readonly publicPem: string
}

function encodePair(pair: CryptoKeyPair, passphrase: string | null): EncodedPair {
  // PBES2 with PBKDF2-HMAC-SHA-256 and 2048 iterations, as in Barbican: the runtime does not support another count.
  const encryption = passphrase ? { cipher: 'aes-256-cbc', passphrase } : {}
  const privateKey = KeyObject.from(pair.privateKey as webcrypto.CryptoKey)
  const publicKey = KeyObject.from(pair.publicKey as webcrypto.CryptoKey)
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem', ...encryption }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

async function newPair({ use, parameters }: Generation): Promise<CryptoKeyPair> {
  return (await crypto.subtle.generateKey(parameters, true, [...usages[use]])) as CryptoKeyPair
}

async function agree(privateKey: CryptoKey, publicKey: CryptoKey): Promise<Uint8Array> {
  // The runtime reads `public`, the name in the WebCrypto specification; its types declare `$public`.
  const algorithm = { name: privateKey.algorithm.name, public: publicKey } as SubtleCryptoDeriveKeyAlgorithm
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, privateKey, 256))
}

async function halvesAgree(recipe: Generation, privateKey: CryptoKey, publicKey: CryptoKey): Promise<boolean> {
  const other = await newPair(recipe)
  return timingSafeEqual(await agree(privateKey, other.publicKey), await agree(other.privateKey, publicKey))
}

async function halvesVerify({ parameters }: Generation, privateKey: CryptoKey, publicKey: CryptoKey): Promise<boolean> {
  const message = crypto.getRandomValues(new Uint8Array(32))
  const signature = await crypto.subtle.sign(parameters, privateKey, message)
  return crypto.subtle.verify(parameters, publicKey, signature, message)
}

/** The pairwise consistency test of FIPS 140-3, on the encoded keys: imports both and uses one with the other. */
async function belongTogether(recipe: Generation, pair: EncodedPair, passphrase: string | null): Promise<boolean> {
  const { parameters, use } = recipe
  const [privateUsage, ...publicUsages] = usages[use]
  const opened = createPrivateKey({ key: pair.privatePem, ...(passphrase && { passphrase }) })
  const pkcs8 = opened.export({ type: 'pkcs8', format: 'der' })
  const spki = createPublicKey(pair.publicPem).export({ type: 'spki', format: 'der' })
  const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, parameters, false, [privateUsage])
  pkcs8.fill(0)
  const publicKey = await crypto.subtle.importKey('spki', spki, parameters, true, publicUsages)
  return (use === 'signature' ? halvesVerify : halvesAgree)(recipe, privateKey, publicKey)
}

/**
 * Generates a key pair and encodes it. With an empty passphrase, the private key is not encrypted.
 * @throws if {@link keyPairOutcome} is not `generated`, the passphrase is too long, or the keys do not match.
 */
export async function generateKeyPair(algorithm: string, bits: number, passphrase: string | null): Promise<KeyPair> {
  const recipe = lengthsOf(algorithm)?.[bits]
  if (!recipe || !passphraseFits(passphrase ?? '')) throw new Error('a key pair could not be made')
  const pair = encodePair(await newPair(recipe), passphrase)
  if (!(await belongTogether(recipe, pair, passphrase))) throw new Error('a key pair could not be made')
  return {
    privateKey: encodeUtf8(pair.privatePem),
    publicKey: encodeUtf8(pair.publicPem),
    containerType: recipe.containerType,
  }
}
