/** Uses of keys in the JSON of the API: bytes are base64 there, and names have underscores. */
import { decodeBase64, encodeBase64 } from './base64.ts'

const BYTES = new Set(['plaintext', 'ciphertext', 'signature', 'mac'])

const renamed = (members: object, rename: (name: string) => string) =>
  Object.fromEntries(Object.entries(members).map(([name, value]) => [rename(name), value]))

const isMembers = (value: unknown): value is object => Object(value) === value && !Array.isArray(value)

export const toKeyJson = (body: object): string =>
  JSON.stringify(body, (_name, value: unknown) => {
    if (value instanceof Uint8Array) return encodeBase64(value)
    return isMembers(value) ? renamed(value, (name) => name.replace(/[A-Z]/g, (one) => `_${one.toLowerCase()}`)) : value
  })

/** Returns what the text says, in the types that the service promises. */
export const fromKeyJson = (text: string) =>
  JSON.parse(text, (name, value: unknown) => {
    if (typeof value === 'string') return BYTES.has(name) ? decodeBase64(value) : value
    const isRenamed = isMembers(value) && !(value instanceof Uint8Array)
    return isRenamed ? renamed(value, (one) => one.replace(/_(.)/g, (_, next: string) => next.toUpperCase())) : value
  })
