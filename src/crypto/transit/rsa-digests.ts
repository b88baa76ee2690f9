/**
 * RSA signatures of a digest, for callers that hash by themselves: RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 8017 sections
 * 8 and 9). WebCrypto signs only messages, so the encoding is made here, and the runtime does the RSA operation.
 */
import { constants, createHash, privateEncrypt, publicDecrypt, timingSafeEqual } from 'node:crypto'
import type { KeyPair } from './key-pairs.ts'

/** DigestInfo up to the digest (RFC 8017 section 9.2, note 1). */
const digestInfo: Readonly<Record<string, string>> = {
  'SHA-256': '3031300d060960864801650304020105000420',
  'SHA-384': '3041300d060960864801650304020205000430',
  'SHA-512': '3051300d060960864801650304020305000440',
}

const hashed = (hash: string, ...parts: readonly Uint8Array[]) => {
  const digest = createHash(hash.replace('-', '').toLowerCase())
  for (const part of parts) digest.update(part)
  return digest.digest()
}

/** XORs the mask that MGF1 (RFC 8017 appendix B.2.1) makes of the seed into the bytes. */
function mask(hash: string, seed: Uint8Array, bytes: Uint8Array): void {
  for (let counter = 0, at = 0; at < bytes.length; counter += 1) {
    const count = new Uint8Array(4)
    new DataView(count.buffer).setUint32(0, counter)
    for (const byte of hashed(hash, seed, count)) {
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ byte
      at += 1
    }
  }
}

const PSS_TRAILER = 0xbc
const EIGHT_ZEROS = new Uint8Array(8)

/** The lengths of a PSS encoding: its bytes, its zero bits at the front, and its bytes before the hash. */
function pssSizes(bits: number, digestBytes: number) {
  const encodedBits = bits - 1
  const bytes = Math.ceil(encodedBits / 8)
  return { bytes, zeroBits: 8 * bytes - encodedBits, maskedBytes: bytes - digestBytes - 1 }
}

/** EMSA-PSS-ENCODE with this salt, in as many bytes as the modulus. */
function pssEncoded(bits: number, hash: string, digest: Uint8Array, salt: Uint8Array): Uint8Array {
  const { bytes, zeroBits, maskedBytes } = pssSizes(bits, digest.length)
  const seed = hashed(hash, EIGHT_ZEROS, digest, salt)
  const block = new Uint8Array(maskedBytes)
  block[maskedBytes - salt.length - 1] = 1
  block.set(salt, maskedBytes - salt.length)
  mask(hash, seed, block)
  block[0] = (block[0] ?? 0) & (0xff >> zeroBits)
  const encoded = new Uint8Array(Math.ceil(bits / 8))
  encoded.set([...block, ...seed, PSS_TRAILER], encoded.length - bytes)
  return encoded
}

/** Signs a digest that has the length of the hash. */
export function signDigest({ privateKey, bits }: KeyPair, hash: string, isPss: boolean, digest: Uint8Array) {
  if (!privateKey) throw new Error('only the public half is stored')
  if (!isPss) {
    const info = Buffer.concat([Buffer.from(digestInfo[hash] ?? '', 'hex'), digest])
    return new Uint8Array(privateEncrypt({ key: privateKey, padding: constants.RSA_PKCS1_PADDING }, info))
  }
  const salt = crypto.getRandomValues(new Uint8Array(digest.length))
  const encoded = pssEncoded(bits, hash, digest, salt)
  return new Uint8Array(privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encoded))
}

/** The salt in a PSS encoding, which is only right if encoding with it gives the same bytes. */
function saltIn(encoded: Uint8Array, bits: number, hash: string, digestBytes: number): Uint8Array {
  const { bytes, maskedBytes } = pssSizes(bits, digestBytes)
  const block = encoded.slice(encoded.length - bytes, encoded.length - bytes + maskedBytes)
  mask(hash, encoded.subarray(encoded.length - digestBytes - 1, encoded.length - 1), block)
  return block.subarray(maskedBytes - digestBytes)
}

/** Reports whether this is a signature of the digest: its encoding is made again and compared as a whole. */
export function verifyDigest(
  { publicKey, bits }: KeyPair,
  hash: string,
  isPss: boolean,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== Math.ceil(bits / 8)) return false
  try {
    const padding = isPss ? constants.RSA_NO_PADDING : constants.RSA_PKCS1_PADDING
    const encoded = new Uint8Array(publicDecrypt({ key: publicKey, padding }, signature))
    const expected = isPss
      ? pssEncoded(bits, hash, digest, saltIn(encoded, bits, hash, digest.length))
      : Buffer.concat([Buffer.from(digestInfo[hash] ?? '', 'hex'), digest])
    return encoded.length === expected.length && timingSafeEqual(encoded, expected)
  } catch {
    return false
  }
}
