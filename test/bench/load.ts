/** The load generator: requests are prepared as bytes, and wrk sends each as soon as the previous one is answered. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runToSuccess, words } from '../peer/process.ts'

export interface Request {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly token?: string
  /** JSON by default. */
  readonly accept?: string
  /** The microversion, such as `1.1`. */
  readonly version?: string
  /** Sent as JSON. */
  readonly body?: object
}

/**
 * The result of one measurement: responses per second, and latencies in milliseconds. `p50` and `p99` are those of the
 * responses. `steady99` is the p99 of requests that arrive at a steady rate, independently of earlier responses.
 */
export interface Measured {
  readonly rate: number
  readonly p50: number
  readonly p99: number
  readonly steady99: number
}

export interface Load {
  readonly connections: number
  readonly seconds: number
  /** Each request can be sent only once: the measurement fails if there are not enough of them. */
  readonly once: boolean
  /** The folder for the file with the requests. */
  readonly folder: string
}

/** The timeout of a request: longer than Barbican takes if all other connections are served first. */
const MOST_ANSWER_SECONDS = 20

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

interface Output {
  readonly requests: number
  readonly microseconds: number
  /** The histogram of wrk's latencies, in ascending order. */
  readonly latencies: readonly (readonly [microseconds: number, count: number])[]
  readonly errors: Readonly<Record<'connect' | 'read' | 'write' | 'timeout' | 'status' | 'exhausted', number>>
}

/** A histogram: the number of responses by latency in microseconds, in ascending order. */
type Latencies = ReadonlyMap<number, number>

const countOf = (latencies: Latencies) => [...latencies.values()].reduce((sum, count) => sum + count, 0)

/**
 * Returns the latencies of the actual responses. wrk corrects its histogram for coordinated omission: for a response
 * that took longer than the mean interval of its connection, it adds latencies that are shorter by one interval, by
 * two, and so on, down to the interval. The count of a latency above the interval therefore includes the count of the
 * latency that is one interval longer.
 */
function latenciesOfAnswers(steady: Latencies, { requests, microseconds }: Output, connections: number): Latencies {
  // Integer arithmetic, as in wrk.
  const interval = Math.floor(microseconds / Math.floor(requests / connections))
  const added = (latency: number) => (latency > interval ? (steady.get(latency + interval) ?? 0) : 0)
  const answers = new Map([...steady].map(([latency, count]) => [latency, count - added(latency)]))
  if (countOf(answers) !== requests)
    throw new Error(`wrk reports ${requests} responses, but the latencies of ${countOf(answers)}`)
  return answers
}

/** Returns a percentile in milliseconds. */
function percentile(latencies: Latencies, percent: number): number {
  let left = (countOf(latencies) * percent) / 100
  for (const [latency, count] of latencies) {
    left -= count
    if (left <= 0) return latency / 1000
  }
  return Number.NaN
}

/**
 * Sends the requests for some seconds. Returns null if there were fewer responses than connections. Throws if a request
 * failed or its response had a status above 399.
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
  const result = JSON.parse(output.trim().split('\n').at(-1)!) as Output
  const { requests: answered, microseconds, errors } = result
  const failed = Object.entries(errors).filter(([, count]) => count > 0)
  if (failed.length > 0) throw new Error(failed.map(([what, count]) => `${what}: ${count}`).join(', '))
  if (answered < load.connections) return null
  const steady = new Map(result.latencies)
  const answers = latenciesOfAnswers(steady, result, load.connections)
  return {
    rate: answered / (microseconds / 1e6),
    p50: percentile(answers, 50),
    p99: percentile(answers, 99),
    steady99: percentile(steady, 99),
  }
}
