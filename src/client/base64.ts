/** Base64 of RFC 4648, as the API has bytes in JSON. */
import { runtime } from './runtime.ts'

export const decodeBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(runtime.atob(text), (character) => character.charCodeAt(0))

export const encodeBase64 = (bytes: Uint8Array): string =>
  runtime.btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
