/** SHA-256 of a text as UTF-8, in base64: what a secret text is remembered by where it is not to be kept itself. */
import { encodeBase64 } from './encoding.ts'

const utf8 = new TextEncoder()

export async function digestOf(text: string): Promise<string> {
  return encodeBase64(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8.encode(text))))
}
