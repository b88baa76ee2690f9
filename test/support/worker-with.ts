/** The service with other variables than those of the Worker under test, in this isolate, on the same database. */
import { env } from 'cloudflare:workers'
import { createApp } from '../../src/app.ts'
import type { Environment } from '../../src/config.ts'
import { base, type Answer, type Request as Asked } from './client.ts'

const app = createApp()

export type Send = (method: string, path: string, request?: Asked) => Promise<Answer>

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Sends requests to a service that has these variables set. */
export function workerWith(variables: Readonly<Record<string, string>>): Send {
  const environment = { ...(env as unknown as Environment), ...variables } as Environment
  return async function send(method, path, { token, json, body, headers: given, microversion } = {}) {
    const headers = new Headers(given)
    if (token !== undefined) headers.set('X-Auth-Token', token)
    if (microversion) headers.set('OpenStack-API-Version', `key-manager ${microversion}`)
    if (json !== undefined && !headers.has('Content-Type')) headers.set('Content-Type', 'application/json')
    const content = json === undefined ? body : JSON.stringify(json)
    const url = path.startsWith('http') ? path : base + path
    const request = new Request(url, { method, headers, ...(content !== undefined && { body: content }) })
    const response = await app.fetch(request, environment)
    const bytes = new Uint8Array(await response.arrayBuffer())
    const text = new TextDecoder().decode(bytes)
    return { status: response.status, headers: response.headers, text, bytes, json: parse(text) }
  }
}
