/** Certificate requests with arbitrary content, encoded by hand and with valid signatures. */
import { generateKeyPairSync, sign } from 'node:crypto'

export type Bytes = Uint8Array

export const joined = (parts: readonly Bytes[]): Bytes => Uint8Array.from(Buffer.concat(parts))

function lengthOf(length: number): Bytes {
  if (length < 0x80) return Uint8Array.of(length)
  if (length < 0x100) return Uint8Array.of(0x81, length)
  return length < 0x1_0000
    ? Uint8Array.of(0x82, length >> 8, length & 0xff)
    : Uint8Array.of(0x83, length >> 16, (length >> 8) & 0xff, length & 0xff)
}

/** Encodes a DER element. */
export const element = (tag: number, ...parts: readonly Bytes[]): Bytes => {
  const content = joined(parts)
  return joined([Uint8Array.of(tag), lengthOf(content.length), content])
}
export const sequence = (...parts: readonly Bytes[]) => element(0x30, ...parts)
export const set = (...parts: readonly Bytes[]) => element(0x31, ...parts)
export const identifier = (...bytes: number[]) => element(0x06, Uint8Array.from(bytes))
export const characters = (text: string) => new TextEncoder().encode(text)
export const utf8 = (text: string) => element(0x0c, characters(text))
export const printable = (text: string) => element(0x13, characters(text))

export const commonName = identifier(0x55, 0x04, 0x03)
export const alternativeName = identifier(0x55, 0x1d, 0x11)
export const extensionRequest = identifier(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e)
const ed25519 = sequence(identifier(0x2b, 0x65, 0x70))

/** Encodes a Name with one attribute. */
export const name = (value: Bytes, type = commonName) => sequence(set(sequence(type, value)))

export const withExtension = (kind: Bytes, value: Bytes) =>
  sequence(extensionRequest, set(sequence(sequence(kind, element(0x04, value)))))

/** Creates a request, as DER, for this subject with these attributes. */
export function request(subject: Bytes, ...attributes: readonly Bytes[]): Bytes {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const spki = Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' }))
  const asked = sequence(element(0x02, Uint8Array.of(0)), subject, spki, element(0xa0, ...attributes))
  const signature = Uint8Array.from(sign(null, asked, privateKey))
  return sequence(asked, ed25519, element(0x03, Uint8Array.of(0), signature))
}

export const base64 = (bytes: Bytes) => Buffer.from(bytes).toString('base64')
