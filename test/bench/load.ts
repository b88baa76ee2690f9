/** The load: requests made ready as bytes, sent by wrk as fast as they are answered. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runToSuccess, words } from '../peer/process.ts'

export interface Request {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly token?: string
  /** JSON when left out. */
  readonly accept?: string
  /** Microversion. */
  readonly version?: string
  /** Sent as JSON. */
  readonly body?: object
}

/** What one measurement gave: answers per second, latencies in milliseconds. */
export interface Measured {
  readonly rate: number
  readonly p50: number
  readonly p99: number
}

export interface Load {
  readonly connections: number
  readonly seconds: number
  /** Each request is good for one time only: when there are not enough of them the measurement fails. */
  readonly once: boolean
  /** A folder for the file of requests. */
  readonly folder: string
}

/** How long an answer may take: longer than the slowest peer with a queue of all connections before it. */
export const MOST_ANSWER_SECONDS = 20

export function headersOf({ token, accept = 'application/json', version, body }: Request): Record<string, string> {
  return {
    Accept: accept,
    ...(token !== undefined && { 'X-Auth-Token': token }),
    ...(version !== undefined && { 'OpenStack-API-Version': `key-manager ${version}` }),
    ...(body !== undefined && { 'Content-Type': 'application/json' }),
  }
}

function bytesOf(url: string, request: Request): string {
  const body = request.body === undefined ? '' : JSON.stringify(request.body)
  const length: Record<string, string> = body ? { 'Content-Length': String(Buffer.byteLength(body)) } : {}
  const headers = { Host: new URL(url).host, ...headersOf(request), ...length }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${request.method} ${request.path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

interface Written {
  readonly requests: number
  readonly microseconds: number
  readonly p50: number
  readonly p99: number
  readonly errors: Readonly<Record<'connect' | 'read' | 'write' | 'timeout' | 'status' | 'exhausted', number>>
}

/**
 * Sends the requests for some seconds; null when none was answered in that time. Throws when one of them failed or was
 * answered with a status above 399.
 */
export async function measure(url: string, requests: readonly Request[], load: Load): Promise<Measured | null> {
  const file = join(load.folder, 'requests')
  const bytes = requests.map((request) => bytesOf(url, request))
  await writeFile(file, bytes.map((text) => `${Buffer.byteLength(text)}\n${text}`).join(''))
  const output = await runToSuccess('wrk', [
    ...words`--threads 1 --connections ${String(load.connections)} --duration ${String(load.seconds)}s`,
    ...words`--timeout ${String(MOST_ANSWER_SECONDS)}s --script ${join(import.meta.dirname, 'replay.lua')} ${url}`,
    ...words`-- ${file} ${load.once ? 'once' : 'again'}`,
  ])
  const { requests: answers, microseconds, p50, p99, errors } = JSON.parse(output.trim().split('\n').at(-1)!) as Written
  const failed = Object.entries(errors).filter(([, count]) => count > 0)
  if (failed.length > 0) throw new Error(failed.map(([what, count]) => `${what}: ${count}`).join(', '))
  if (answers === 0) return null
  return { rate: answers / (microseconds / 1e6), p50: p50 / 1000, p99: p99 / 1000 }
}
