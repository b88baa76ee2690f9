/** Callers of every kind at no cost: a service that believes the fake Keystone, and entities of one project. */
import type { Answer } from './client.ts'
import { fakeKeystone, KEYSTONE_URL, type TokenOf } from './keystone.ts'
import { workerWith, type Send } from './worker-with.ts'

export const keystoneVariables = { IDENTITY: 'keystone', KEYSTONE_URL }

export interface Somebody {
  readonly token: string
  readonly userId: string
  readonly projectId: string
}

/** A cloud with a Keystone and a service that has these variables besides. */
export function cloud(variables: Readonly<Record<string, string>> = {}) {
  const keystone = fakeKeystone()
  const send = workerWith({ ...keystoneVariables, ...variables })
  function somebody(roles: readonly string[], given: TokenOf = {}): Somebody {
    const userId = given.userId ?? `user-${crypto.randomUUID()}`
    const projectId = given.projectId ?? `project-${crypto.randomUUID()}`
    return { token: keystone.issue({ ...given, userId, projectId, roles }), userId, projectId }
  }
  return { keystone, send, somebody }
}

async function created(send: Send, path: string, who: Somebody, json: object, member: string): Promise<string> {
  const answer = await send('POST', path, { token: who.token, json })
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`)
  return answer.json[member]
}

export const CANARY = 'canary-1f9c5b7e'

/** Makes a secret with a payload that gives itself away. */
export const canarySecret = (send: Send, who: Somebody, members: object = {}) =>
  created(send, '/v1/secrets', who, { payload: CANARY, payload_content_type: 'text/plain', ...members }, 'secret_ref')

export const emptyContainer = (send: Send, who: Somebody, members: object = {}) =>
  created(send, '/v1/containers', who, { type: 'generic', ...members }, 'container_ref')

export const keyOrder = (send: Send, who: Somebody) =>
  created(send, '/v1/orders', who, { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } }, 'order_ref')

/** Closes a secret or container to its project, and opens it to these users. */
export async function close(send: Send, who: Somebody, ref: string, users: readonly string[] = []): Promise<void> {
  const json = { read: { 'project-access': false, users } }
  const answer = await send('PUT', `${ref}/acl`, { token: who.token, json })
  if (answer.status !== 200) throw new Error(`ACL: ${answer.status} ${answer.text}`)
}

/** What of an answer an attacker may compare. */
export const seen = ({ status, json, text }: Answer) => ({ status, body: json ?? text })
