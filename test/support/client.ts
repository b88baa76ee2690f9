/**
 * One client for two servers: the Worker of this repository in process or, with PEER_URL, a real Barbican. It uses HTTP
 * only, so that tests have the same assertions for both.
 */
import { createExecutionContext } from 'cloudflare:test'
import { env, exports } from 'cloudflare:workers'
import { createApp } from '../../src/app.ts'
import type { Environment } from '../../src/config.ts'
import { differenceIn } from '../peer/accepted-contract.ts'
import { violationOf } from './contract.ts'
import { provoked } from './provoked.ts'
import { recordRequest } from './recorded-requests.ts'

const variables = env as unknown as Readonly<Record<string, string>>

/** The database of the Worker under test, for tests of damaged rows and of state that no route returns. */
export const database = (env as unknown as { readonly DB: D1Database }).DB

/** The URL of a real Barbican to run the suite against; empty: run it against the Worker. */
export const peerUrl = variables['PEER_URL'] ?? ''
/** The v3 API of Barbican's Keystone. */
export const peerIdentityUrl = variables['PEER_IDENTITY_URL'] ?? ''
export const adminPassword = variables['ADMIN_PASSWORD'] ?? ''

/** The base of all hrefs in responses of the server under test. */
export const base = peerUrl || 'https://kms.example:9311'
export const identityBase = peerUrl ? peerIdentityUrl : `${base}/identity/v3`

export interface Request {
  readonly token?: string | undefined
  readonly json?: unknown
  readonly body?: BodyInit
  readonly headers?: Readonly<Record<string, string>>
  /** The version in the `OpenStack-API-Version` header, such as `1.1`. */
  readonly microversion?: string
}

/** A response with its body. `json` is undefined if the body is not JSON. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly bytes: Uint8Array
  readonly json: ReturnType<typeof JSON.parse>
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Returns the absolute URL of a path on the server under test, or of an href that it returned. */
const urlOf = (path: string) => (path.startsWith('http') ? path : base + path)

function initOf(method: string, request: Request): RequestInit {
  const headers = new Headers(request.headers)
  if (request.token !== undefined) headers.set('X-Auth-Token', request.token)
  if (request.microversion) headers.set('OpenStack-API-Version', `key-manager ${request.microversion}`)
  if (request.json !== undefined && !headers.has('Content-Type')) headers.set('Content-Type', 'application/json')
  const body = request.json === undefined ? request.body : JSON.stringify(request.json)
  return { method, headers, redirect: 'manual', ...(body !== undefined && { body }) }
}

/** Builds a request as a Worker receives it. */
export const requestTo = (method: string, path: string, asked: Request) =>
  new globalThis.Request(urlOf(path), initOf(method, asked))

/** Reads the body of a response. */
export async function answerOf(response: Response): Promise<Answer> {
  const bytes = new Uint8Array(await response.arrayBuffer())
  const text = new TextDecoder().decode(bytes)
  return { status: response.status, headers: response.headers, text, bytes, json: parse(text) }
}

/** Returns the answer. Throws if it is not what the contract says. */
function held(method: string, url: string, answer: Answer): Answer {
  const violation = violationOf(method, url, answer, provoked)
  if (violation !== null && !(peerUrl && differenceIn(violation))) throw new Error(`not in the contract: ${violation}`)
  return answer
}

/** Sends a request; `path` may be an absolute href that the server returned. */
export async function call(method: string, path: string, request: Request = {}): Promise<Answer> {
  const [url, init] = [urlOf(path), initOf(method, request)]
  const { default: worker } = exports as unknown as { default: Fetcher }
  const response = peerUrl ? await fetch(url, init) : await worker.fetch(url, init)
  recordRequest(method, url, response)
  return held(method, url, await answerOf(response))
}

/**
 * Simulates another isolate of the deployment: the same database, but empty caches. `variables` override those of the
 * Worker; undefined removes one.
 */
export function isolate(variables: Readonly<Record<string, unknown>> = {}): typeof call {
  const send = isolateOfForgery(variables)
  return async (method, path, request) => held(method, urlOf(path), await send(method, path, request))
}

/** Like {@link isolate}, for a database that somebody has changed: the contract does not say what is answered then. */
export function isolateOfForgery(variables: Readonly<Record<string, unknown>> = {}): typeof call {
  const app = createApp()
  const environment = { ...env, ...variables } as unknown as Environment
  return async (method, path, request) =>
    answerOf(await app.request(urlOf(path), initOf(method, request ?? {}), environment, createExecutionContext()))
}
