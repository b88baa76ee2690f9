/** The measured operations of a key manager, each with the ceiling that the platform sets for it. */
import { generateKeyPairSync, randomBytes, randomInt, randomUUID } from 'node:crypto'
import type { Request } from './load.ts'

interface Bare {
  readonly name: string
  readonly status: number
  readonly requestFor: (id: string) => Request
}

/** The minimal Workers in `ceilings/index.ts`. */
const bareWorkers = {
  bare: { name: 'bare Worker', status: 200, requestFor: () => ({ method: 'GET', path: '/bare' }) },
  hono: { name: 'bare Hono', status: 200, requestFor: () => ({ method: 'GET', path: '/hono' }) },
  read: { name: 'Hono, one D1 read', status: 200, requestFor: (id) => ({ method: 'GET', path: `/read/${id}` }) },
  write: {
    name: 'Hono, one D1 write',
    status: 201,
    requestFor: (id) => ({ method: 'POST', path: '/write', body: newSecret(id) }),
  },
  object: {
    name: 'Hono, one Durable Object call with one D1 write',
    status: 201,
    requestFor: (id) => ({ method: 'POST', path: '/object', body: newOrder(id) }),
  },
} satisfies Record<string, Bare>

export type Ceiling = keyof typeof bareWorkers
export const ceilings: Readonly<Record<Ceiling, Bare>> = bareWorkers

/** A project with secrets of 32 random octets each. */
export interface Project {
  readonly token: string
  readonly secretIds: readonly string[]
}

/** A running key manager with secrets in it. */
export interface Service {
  readonly name: string
  readonly url: string
  /** The project for reads, which does not change during the benchmark; `written` is the project for writes. */
  readonly read: Project
  readonly written: Project
  /** The number of requests to prepare per second: more than the service can answer on such a machine. */
  readonly mostPerSecond: number
  /** Returns tokens of the project `read` that the service has not received yet. */
  freshTokens(count: number): Promise<string[]>
  /** Sends a request; throws unless the status is 2xx. */
  call(request: Request): Promise<string>
  stop(): Promise<void>
}

export interface Operation {
  readonly name: string
  /** A description of the requests, for the legend of the table. */
  readonly legend: string
  readonly ceiling: Ceiling
  readonly status: number
  /** Whether a response body is as expected. */
  readonly holds: (body: string) => boolean
  /** Whether each request can be sent only once. */
  readonly once?: boolean
  /** The operation whose rate it is compared with, in place of Barbican, which has no such operation. */
  readonly beside?: string
  /** Prepares about `count` requests, to be sent in order over this number of connections. */
  readonly prepare: (service: Service, count: number, connections: number) => Request[] | Promise<Request[]>
}

export const SECRET_BYTES = 32

export const newSecret = (name: string) => ({
  name,
  payload: randomBytes(SECRET_BYTES).toString('base64'),
  payload_content_type: 'application/octet-stream',
  payload_content_encoding: 'base64',
  algorithm: 'aes',
  bit_length: 256,
  mode: 'cbc',
})

const newOrder = (name: string) => ({ type: 'key', meta: { name, algorithm: 'aes', bit_length: 256, mode: 'cbc' } })

/** A container of two consecutive secrets. */
function newContainer({ url, written: { secretIds } }: Service): object {
  const at = randomInt(secretIds.length - 1)
  const refs = secretIds.slice(at, at + 2).map((id) => `${url}/v1/secrets/${id}`)
  return {
    type: 'generic',
    name: 'a container',
    secret_refs: refs.map((ref) => ({ name: ref.slice(-36), secret_ref: ref })),
  }
}

const some = <Value>(values: readonly Value[]): Value => values[randomInt(values.length)]!
const times = <Value>(count: number, make: (index: number) => Value) =>
  Array.from({ length: count }, (_, index) => make(index))

const ofRandomSecrets =
  (pathOf: (id: string) => string, accept = 'application/json') =>
  ({ read }: Service, count: number): Request[] =>
    times(count, () => ({ method: 'GET', path: pathOf(some(read.secretIds)), token: read.token, accept }))

const listOf =
  (limit: number) =>
  ({ read }: Service): Request[] => [{ method: 'GET', path: `/v1/secrets?limit=${limit}`, token: read.token }]

const posts =
  (path: string, bodyOf: (service: Service) => object) =>
  (service: Service, count: number): Request[] =>
    times(count, () => ({ method: 'POST', path, token: service.written.token, body: bodyOf(service) }))

const secretsIn = (body: string) => body.split('"secret_ref"').length - 1
const hasRef = (name: string) => (body: string) => body.includes(`"${name}_ref"`)

/** Registrations per connection before the first deletion, so that no consumer is deleted before it is registered. */
const AHEAD = 4

/** Alternates `POST` of a new consumer and `DELETE` of one that was registered some requests earlier. */
async function consumers(service: Service, count: number, connections: number): Promise<Request[]> {
  const { token, secretIds } = service.written
  const run = randomUUID()
  const ahead = AHEAD * connections + AHEAD
  const requestOf = (method: Request['method'], index: number): Request => ({
    method,
    path: `/v1/secrets/${secretIds[index % secretIds.length]}/consumers`,
    token,
    version: '1.1',
    body: { service: 'compute', resource_type: run, resource_id: String(index) },
  })
  await Promise.all(times(ahead, (index) => service.call(requestOf('POST', index))))
  return times(Math.ceil(count / 2), (index) => [requestOf('POST', ahead + index), requestOf('DELETE', index)]).flat()
}

/** The operation that the use of keys is compared with: it reads the same rows. */
const PAYLOAD = 'secret payload'

const octets = (bytes: Buffer) => ({
  payload: bytes.toString('base64'),
  payload_content_type: 'application/octet-stream',
  payload_content_encoding: 'base64',
})
const encryptionKey = () => ({ ...octets(randomBytes(SECRET_BYTES)), secret_type: 'symmetric', extractable: false })
function signatureKey(): object {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...octets(privateKey.export({ format: 'der', type: 'pkcs8' })), secret_type: 'private', extractable: false }
}

/** Uses one new key of the project for reads. */
const uses =
  (operation: string, newKey: () => object, bodyOf: () => object) =>
  async (service: Service, count: number): Promise<Request[]> => {
    const { token } = service.read
    const made = await service.call({ method: 'POST', path: '/v1/secrets', token, body: newKey() })
    const id = (JSON.parse(made) as { secret_ref: string }).secret_ref.slice(-36)
    return times(count, () => ({ method: 'POST', path: `/v1/secrets/${id}/${operation}`, token, body: bodyOf() }))
  }
const message = () => randomBytes(SECRET_BYTES).toString('base64')

/**
 * The operations in the order of the measurements and of the table. Each is slowed down by the garbage of the previous
 * one; long lists and new tokens, which are cached, leave the most garbage and come last.
 */
export const operations: readonly Operation[] = [
  {
    name: 'discovery',
    legend: '`GET /`, without a token',
    ceiling: 'hono',
    status: 300,
    holds: (body) => body.includes('"versions"'),
    prepare: () => [{ method: 'GET', path: '/' }],
  },
  {
    name: 'token, warm',
    legend: '`GET /v1` with one token: its validation and next to nothing else',
    ceiling: 'hono',
    status: 200,
    holds: (body) => body.includes('"version"'),
    prepare: ({ read }) => [{ method: 'GET', path: '/v1', token: read.token }],
  },
  {
    name: 'secret metadata',
    legend: '`GET /v1/secrets/{id}`, ids at random',
    ceiling: 'read',
    status: 200,
    holds: hasRef('secret'),
    prepare: ofRandomSecrets((id) => `/v1/secrets/${id}`),
  },
  {
    name: PAYLOAD,
    legend: `\`GET /v1/secrets/{id}/payload\`, ${SECRET_BYTES} octets, ids at random`,
    ceiling: 'read',
    status: 200,
    holds: (body) => body.length > 0,
    prepare: ofRandomSecrets((id) => `/v1/secrets/${id}/payload`, 'application/octet-stream'),
  },
  {
    name: 'encryption',
    legend: `\`POST /v1/secrets/{id}/encrypt\`, ${SECRET_BYTES} octets under one AES key of 256 bits`,
    ceiling: 'read',
    status: 200,
    holds: (body) => body.includes('"ciphertext"'),
    beside: PAYLOAD,
    prepare: uses('encrypt', encryptionKey, () => ({ plaintext: message() })),
  },
  {
    name: 'signature',
    legend: `\`POST /v1/secrets/{id}/sign\`, ${SECRET_BYTES} octets with one key of P-256`,
    ceiling: 'read',
    status: 200,
    holds: (body) => body.includes('"signature"'),
    beside: PAYLOAD,
    prepare: uses('sign', signatureKey, () => ({ input: message() })),
  },
  {
    name: 'new secret',
    legend: `\`POST /v1/secrets\` with ${SECRET_BYTES} octets in base64`,
    ceiling: 'write',
    status: 201,
    holds: hasRef('secret'),
    prepare: posts('/v1/secrets', () => newSecret('a secret')),
  },
  {
    name: 'new container',
    legend: '`POST /v1/containers`, generic, of two secrets',
    ceiling: 'write',
    status: 201,
    holds: hasRef('container'),
    prepare: posts('/v1/containers', newContainer),
  },
  {
    name: 'key order',
    legend: '`POST /v1/orders` for an AES key of 256 bits',
    ceiling: 'object',
    status: 202,
    holds: hasRef('order'),
    prepare: posts('/v1/orders', () => newOrder('a key')),
  },
  {
    name: 'secret consumers',
    legend: '`POST` and `DELETE /v1/secrets/{id}/consumers`, alternating',
    ceiling: 'object',
    status: 200,
    holds: hasRef('secret'),
    once: true,
    prepare: consumers,
  },
  {
    name: 'list of 10',
    legend: '`GET /v1/secrets?limit=10`, with `total`',
    ceiling: 'read',
    status: 200,
    holds: (body) => secretsIn(body) === 10,
    prepare: listOf(10),
  },
  {
    name: 'list of 100',
    legend: '`GET /v1/secrets?limit=100`, with `total`',
    ceiling: 'read',
    status: 200,
    holds: (body) => secretsIn(body) === 100,
    prepare: listOf(100),
  },
  {
    name: 'token, cold',
    legend: '`GET /v1`, each request with a token that the service has not seen before',
    ceiling: 'read',
    status: 200,
    holds: (body) => body.includes('"version"'),
    once: true,
    prepare: async (service, count) =>
      (await service.freshTokens(count)).map((token) => ({ method: 'GET', path: '/v1', token })),
  },
]
