/** Digests of texts, where the text itself is secret or long. */

const utf8 = new TextEncoder()

/** SHA-256 of a text as UTF-8: 32 bytes. */
export async function digestOf(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', utf8.encode(text)))
}
