/** Requests of the crash test to a service that may be killed at any time. */
import { randomInt } from 'node:crypto'

export interface Client {
  readonly url: string
  readonly token: string
}

/**
 * Sends a request; `path` may be a ref. Throws for a 5xx status, and if the service is killed; see {@link isBroken}.
 */
export async function call({ url, token }: Client, method: string, path: string, json?: unknown): Promise<Response> {
  const headers = { 'X-Auth-Token': token, 'Content-Type': 'application/json' }
  const target = path.startsWith('http') ? path : url + path
  const response = await fetch(target, { method, headers, ...(json !== undefined && { body: JSON.stringify(json) }) })
  if (response.status >= 500) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return response
}

/** The id at the end of a ref. */
export const idOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1)

export const oneOf = <Value>(values: Iterable<Value>): Value | undefined => {
  const all = [...values]
  return all[randomInt(Math.max(all.length, 1))]
}

/** Reports whether the connection broke: the errors of fetch if the service is killed. */
export const isBroken = (error: unknown): boolean =>
  error instanceof TypeError && /^(fetch failed|terminated)$/.test(error.message)
