/**
 * Creates the secrets, containers, orders, consumers, ACLs and quotas that a test starts with, through the public API.
 */
import { call, type Answer } from './client.ts'
import { person, type Person } from './people.ts'
import type { Send } from './worker-with.ts'

async function created(send: Send, path: string, { token }: Person, json: object, member: string): Promise<string> {
  const answer = await send('POST', path, { token, json })
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`)
  return answer.json[member]
}

/** Stores a secret and returns its ref. */
export const secret = (who: Person, members: object = {}): Promise<string> =>
  created(call, '/v1/secrets', who, members, 'secret_ref')

/** Creates a container and returns its ref. */
export const container = (who: Person, members: object = {}): Promise<string> =>
  created(call, '/v1/containers', who, { type: 'generic', ...members }, 'container_ref')

export const CANARY = 'canary-1f9c5b7e'

/** Stores a secret whose payload is the canary, with `send`. */
export const canarySecret = (send: Send, who: Person, members: object = {}): Promise<string> =>
  created(send, '/v1/secrets', who, { payload: CANARY, payload_content_type: 'text/plain', ...members }, 'secret_ref')

export const emptyContainer = (send: Send, who: Person, members: object = {}): Promise<string> =>
  created(send, '/v1/containers', who, { type: 'generic', ...members }, 'container_ref')

export const keyOrder = (send: Send, who: Person): Promise<string> =>
  created(send, '/v1/orders', who, { type: 'key', meta: { algorithm: 'aes', bit_length: 128 } }, 'order_ref')

/** The id at the end of a ref. */
export const idOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1)

/** Adds the project id to a path under `/v1`; refs in the responses then contain it too. */
export const tenantPath = (who: Person, path: string) => path.replace('/v1/', `/v1/${who.projectId}/`)

/** Sets the read ACL of a secret or container. */
export async function acl(who: Person, ref: string, read: object, send: Send = call): Promise<void> {
  const answer = await send('PUT', `${ref}/acl`, { token: who.token, json: { read } })
  if (answer.status !== 200) throw new Error(`ACL: ${answer.status} ${answer.text}`)
}

/** Restricts a secret or container to its creator and these users. */
export const close = (send: Send, who: Person, ref: string, users: readonly string[] = []): Promise<void> =>
  acl(who, ref, { 'project-access': false, users }, send)

/** Sets quotas of a project, as the operator of the cloud. */
export async function limit(projectId: string, limits: Readonly<Record<string, number>>): Promise<void> {
  const { token } = await person(['key-manager:service-admin'])
  const answer = await call('PUT', `/v1/project-quotas/${projectId}`, { token, json: { project_quotas: limits } })
  if (answer.status !== 204) throw new Error(`limits: ${answer.status} ${answer.text}`)
}

/** Registers a consumer of a secret and returns it as it is in the secret's metadata. */
export async function consumer(ref: string, who: Person) {
  const json = { service: 'image', resource_type: 'image', resource_id: crypto.randomUUID() }
  const answer = await call('POST', `${ref}/consumers`, { token: who.token, json })
  if (answer.status !== 200) throw new Error(`consumer: ${answer.status} ${answer.text}`)
  return json
}

/** Returns the parts of a response that an attacker can compare. */
export const seen = ({ status, json, text }: Answer) => ({ status, body: json ?? text })
