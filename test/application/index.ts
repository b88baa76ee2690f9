/**
 * An example of an application at the edge: a Worker that signs links. It has no secret of its own; its configuration names
 * an application credential by the id, and the key is the newest secret `links` that the credential may read.
 */
import { keyManager, KeyManagerError, type KeyManagerBinding } from 'portcullis/client'

interface Env {
  readonly KEYS: KeyManagerBinding
}

const hexadecimal = (bytes: ArrayBuffer) =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url)
    const keys = keyManager(env.KEYS)
    try {
      const key = await keys.key({ name: 'links' }, { name: 'HMAC', hash: 'SHA-256' }, ['sign'])
      const signature = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(pathname))
      return new Response(`${pathname}?signature=${hexadecimal(signature)}\n`)
    } catch (error) {
      if (!(error instanceof KeyManagerError)) throw error
      return new Response(`${error.failure}: ${error.message}\n`, { status: 503 })
    }
  },
}
