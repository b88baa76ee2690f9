/** What a secret text is remembered by where it is not to be kept itself. */

const utf8 = new TextEncoder()

/** SHA-256 of a text as UTF-8, in base64: 44 characters. */
export async function digestOf(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', utf8.encode(text))).toBase64()
}
