/** What is measured: the operations of a key manager, and for each the ceiling that the platform puts above it. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import type { Request } from './load.ts'

interface Bare {
  readonly name: string
  readonly status: number
  readonly requestFor: (id: string) => Request
}

/** The least that a Worker can do: see `ceilings/index.ts`. */
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

/** A project with secrets in it, of 32 random octets each. */
export interface Project {
  readonly token: string
  readonly secretIds: readonly string[]
}

/** A key manager that runs and is filled. */
export interface Service {
  readonly name: string
  readonly url: string
  /** What is read stays as it is while the benchmark runs; what is written goes into another project. */
  readonly read: Project
  readonly written: Project
  /** More than it answers on this kind of machine: how many requests are made ready for a second. */
  readonly mostPerSecond: number
  /** Tokens of the project `read` that the service has not seen. */
  freshTokens(count: number): Promise<string[]>
  /** Throws unless the answer is 2xx. */
  call(request: Request): Promise<string>
  stop(): Promise<void>
}

export interface Operation {
  readonly name: string
  /** What exactly is measured, for the table's legend. */
  readonly legend: string
  readonly ceiling: Ceiling
  readonly status: number
  /** Whether an answer is what it should be, beside its status. */
  readonly holds: (body: string) => boolean
  /** Each request is good for one time only. */
  readonly once?: boolean
  /** About `count` requests, to be sent in their order over so many connections. */
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

/** Of two secrets that stand beside each other. */
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

/** Registrations that are there before the first deletion, for each connection: none is deleted before it is made. */
const AHEAD = 4

/** `POST` of a new consumer and `DELETE` of one registered a while ago, in turns. */
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

/**
 * In the order of the table, which is that of the measurements. Each pays for the garbage of the one before; long lists
 * and new tokens, which are remembered, leave the most of it and come last.
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
    name: 'secret payload',
    legend: `\`GET /v1/secrets/{id}/payload\`, ${SECRET_BYTES} octets, ids at random`,
    ceiling: 'read',
    status: 200,
    holds: (body) => body.length > 0,
    prepare: ofRandomSecrets((id) => `/v1/secrets/${id}/payload`, 'application/octet-stream'),
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
    legend: '`POST` and `DELETE /v1/secrets/{id}/consumers` in turns',
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
