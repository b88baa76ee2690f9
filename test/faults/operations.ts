/** Operations that change something or read a secret: what each needs, made while nothing fails, and its request. */
import { base, type Answer, type Request } from '../support/client.ts'
import type { Person } from '../support/people.ts'
import vectors from '../vectors/certificate-requests.json' with { type: 'json' }

type Send = (method: string, path: string, request?: Request) => Promise<Answer>

/** A request. A path without a host is one of the service. */
export interface Asking {
  readonly method: string
  readonly path: string
  readonly request: Request
}

/** Who asks, and what sends their requests while an operation is prepared. */
export interface Given {
  readonly send: Send
  readonly who: Person
}

export interface Operation {
  readonly name: string
  readonly asking: (given: Given) => Promise<Asking>
  /** An order that is run after it was accepted: if the run fails, it takes place later. */
  readonly isRun?: boolean
}

const json = (method: string, path: string, value: unknown): Asking => ({ method, path, request: { json: value } })
const bare = (method: string, path: string): Asking => ({ method, path, request: {} })

async function refOf({ send, who }: Given, path: string, body: object, member: string): Promise<string> {
  const answer = await send('POST', path, { token: who.token, json: body })
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`)
  return (answer.json[member] as string).replace(base, '')
}

const payload = { payload: 'a payload', payload_content_type: 'text/plain' }
const keyOrder = { type: 'key', meta: { algorithm: 'aes', bit_length: 256 } }
const consumer = { service: 'image', resource_type: 'image', resource_id: 'one' }
const containerConsumer = { name: 'one', URL: 'http://image.example' }

const secret = (given: Given, body: object = payload) => refOf(given, '/v1/secrets', body, 'secret_ref')
const container = (given: Given, body: object = {}) =>
  refOf(given, '/v1/containers', { type: 'generic', ...body }, 'container_ref')
const order = (given: Given) => refOf(given, '/v1/orders', keyOrder, 'order_ref')
const asked = async ({ send, who }: Given, method: string, path: string, value: unknown) => {
  const answer = await send(method, path, { token: who.token, json: value })
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
}

const secretIn = (ref: string) => ({ name: 'part', secret_ref: base + ref })
const acl = { read: { 'project-access': false, users: ['somebody'] } }

/** Prepares a secret, and asks for something below it. */
const ofSecret =
  (path: string, asking: (path: string) => Asking, prepare?: (given: Given, ref: string) => Promise<void>) =>
  async (given: Given) => {
    const ref = await secret(given)
    await prepare?.(given, ref)
    return asking(ref + path)
  }

const ofContainer =
  (path: string, asking: (path: string, secretRef: string) => Asking, body: (ref: string) => object = () => ({})) =>
  async (given: Given) => {
    const secretRef = await secret(given)
    const ref = await container(given, body(secretRef))
    return asking(ref + path, secretRef)
  }

export const operations: readonly Operation[] = [
  { name: 'storing a secret', asking: async () => json('POST', '/v1/secrets', payload) },
  { name: 'reading a payload', asking: ofSecret('/payload', (path) => bare('GET', path)) },
  { name: 'listing secrets', asking: async () => bare('GET', '/v1/secrets') },
  {
    name: 'giving a secret its payload',
    asking: async (given) => ({
      method: 'PUT',
      path: await secret(given, {}),
      request: { body: 'a payload', headers: { 'Content-Type': 'text/plain' } },
    }),
  },
  { name: 'deleting a secret', asking: ofSecret('', (path) => bare('DELETE', path)) },
  {
    name: 'replacing metadata',
    asking: ofSecret('/metadata', (path) => json('PUT', path, { metadata: { key: 'value' } })),
  },
  {
    name: 'adding a metadatum',
    asking: ofSecret('/metadata', (path) => json('POST', path, { key: 'key', value: 'value' })),
  },
  {
    name: 'changing a metadatum',
    asking: ofSecret(
      '/metadata/key',
      (path) => json('PUT', path, { key: 'key', value: 'other' }),
      (given, ref) => asked(given, 'PUT', `${ref}/metadata`, { metadata: { key: 'value' } }),
    ),
  },
  {
    name: 'deleting a metadatum',
    asking: ofSecret(
      '/metadata/key',
      (path) => bare('DELETE', path),
      (given, ref) => asked(given, 'PUT', `${ref}/metadata`, { metadata: { key: 'value' } }),
    ),
  },
  { name: 'setting an ACL', asking: ofSecret('/acl', (path) => json('PUT', path, acl)) },
  {
    name: 'changing an ACL',
    asking: ofSecret(
      '/acl',
      (path) => json('PATCH', path, { read: { users: ['somebody else'] } }),
      (given, ref) => asked(given, 'PUT', `${ref}/acl`, acl),
    ),
  },
  {
    name: 'deleting an ACL',
    asking: ofSecret(
      '/acl',
      (path) => bare('DELETE', path),
      (given, ref) => asked(given, 'PUT', `${ref}/acl`, acl),
    ),
  },
  { name: 'registering a consumer', asking: ofSecret('/consumers', (path) => json('POST', path, consumer)) },
  {
    name: 'removing a consumer',
    asking: ofSecret(
      '/consumers',
      (path) => json('DELETE', path, consumer),
      (given, ref) => asked(given, 'POST', `${ref}/consumers`, consumer),
    ),
  },
  {
    name: 'creating a container',
    asking: async (given) =>
      json('POST', '/v1/containers', { type: 'generic', secret_refs: [secretIn(await secret(given))] }),
  },
  {
    name: 'adding a secret to a container',
    asking: ofContainer('/secrets', (path, ref) => json('POST', path, secretIn(ref))),
  },
  {
    name: 'taking a secret out of a container',
    asking: ofContainer(
      '/secrets',
      (path, ref) => json('DELETE', path, secretIn(ref)),
      (ref) => ({ secret_refs: [secretIn(ref)] }),
    ),
  },
  {
    name: "registering a container's consumer",
    asking: ofContainer('/consumers', (path) => json('POST', path, containerConsumer)),
  },
  {
    name: 'deleting a container',
    asking: ofContainer(
      '',
      (path) => bare('DELETE', path),
      (ref) => ({ secret_refs: [secretIn(ref)] }),
    ),
  },
  { name: 'ordering a key', asking: async () => json('POST', '/v1/orders', keyOrder) },
  {
    name: 'ordering a key pair',
    asking: async () => json('POST', '/v1/orders', { type: 'asymmetric', meta: { algorithm: 'ec', bit_length: 256 } }),
    isRun: true,
  },
  {
    name: 'ordering a certificate',
    asking: async () =>
      json('POST', '/v1/orders', {
        type: 'certificate',
        meta: { request_type: 'simple-cmc', request_data: vectors.requests.p256 },
      }),
    isRun: true,
  },
  { name: 'deleting an order', asking: async (given) => bare('DELETE', await order(given)) },
  {
    name: 'setting quotas',
    asking: async ({ who }) =>
      json('PUT', `/v1/project-quotas/${who.projectId}`, { project_quotas: { secrets: 1000 } }),
  },
  {
    name: 'deleting quotas',
    asking: async (given) => {
      const path = `/v1/project-quotas/${given.who.projectId}`
      await asked(given, 'PUT', path, { project_quotas: { secrets: 1000 } })
      return bare('DELETE', path)
    },
  },
]
