/** Keys for tests of their use, and requests to use them. */
import type { Person } from './people.ts'
import { call, type Answer } from './client.ts'
import type { Send } from './worker-with.ts'

export const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64')
export const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))

/** Stores a payload of bytes as a key, and returns its ref. */
export async function storedKey(
  who: Person,
  payload: Uint8Array,
  members: object = {},
  send: Send = call,
): Promise<string> {
  const json = {
    payload: base64(payload),
    payload_content_type: 'application/octet-stream',
    payload_content_encoding: 'base64',
    secret_type: 'symmetric',
    ...members,
  }
  const answer = await send('POST', '/v1/secrets', { token: who.token, json })
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`)
  return answer.json.secret_ref
}

/** Stores a random key of 256 bits, and returns its ref. */
export const aesKey = (who: Person, members: object = {}, send: Send = call) =>
  storedKey(who, crypto.getRandomValues(new Uint8Array(32)), members, send)

/** Uses a key as a person. */
export const use = (who: Person, ref: string, operation: string, json: unknown, send: Send = call): Promise<Answer> =>
  send('POST', `${ref}/${operation}`, { token: who.token, json })

export const NOT_DECRYPTED = 'Decryption issue seen - The ciphertext does not open with this key and context.'

/** Grants operations on a key to users. */
export async function grant(
  who: Person,
  ref: string,
  grants: Readonly<Record<string, readonly string[]>>,
  members: object = {},
  send: Send = call,
): Promise<void> {
  const list = Object.entries(grants).map(([user_id, operations]) => ({ user_id, operations }))
  const answer = await send('PUT', `${ref}/acl/use`, { token: who.token, json: { grants: list, ...members } })
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
}
