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

/**
 * What one measurement gave: answers per second, and latencies in milliseconds. `p50` and `p99`: of the answers.
 * `steady99`: the p99 of requests that come at a steady rate, whether or not those before them were answered.
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
  /** Each request is good for one time only: when there are not enough of them the measurement fails. */
  readonly once: boolean
  /** A folder for the file of requests. */
  readonly folder: string
}

/** How long an answer may take: longer than the slowest peer with a queue of all connections before it. */
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

interface Written {
  readonly requests: number
  readonly microseconds: number
  /** How many of wrk's latencies had so many microseconds, in ascending order. */
  readonly latencies: readonly (readonly [microseconds: number, count: number])[]
  readonly errors: Readonly<Record<'connect' | 'read' | 'write' | 'timeout' | 'status' | 'exhausted', number>>
}

/** How many answers took so many microseconds, in ascending order. */
type Latencies = ReadonlyMap<number, number>

const countOf = (latencies: Latencies) => [...latencies.values()].reduce((sum, count) => sum + count, 0)

/**
 * The latencies of the answers that came. wrk adds to them what a steady stream would have waited: for an answer that
 * took longer than the mean interval of its connection, another one for each interval that it took, down to the
 * interval. So the count of a latency above the interval has in it that of the latency one interval longer.
 */
function latenciesOfAnswers(steady: Latencies, { requests, microseconds }: Written, connections: number): Latencies {
  // As wrk reckons it, in whole numbers.
  const interval = Math.floor(microseconds / Math.floor(requests / connections))
  const added = (latency: number) => (latency > interval ? (steady.get(latency + interval) ?? 0) : 0)
  const answers = new Map([...steady].map(([latency, count]) => [latency, count - added(latency)]))
  if (countOf(answers) !== requests)
    throw new Error(`wrk has the latencies of ${countOf(answers)} answers, and counts ${requests}`)
  return answers
}

/** In milliseconds. */
function percentile(latencies: Latencies, percent: number): number {
  let left = (countOf(latencies) * percent) / 100
  for (const [latency, count] of latencies) {
    left -= count
    if (left <= 0) return latency / 1000
  }
  return Number.NaN
}

/**
 * Sends the requests for some seconds; null when fewer than one for each connection were answered in that time. Throws
 * when one of them failed or was answered with a status above 399.
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
  const written = JSON.parse(output.trim().split('\n').at(-1)!) as Written
  const { requests: answered, microseconds, errors } = written
  const failed = Object.entries(errors).filter(([, count]) => count > 0)
  if (failed.length > 0) throw new Error(failed.map(([what, count]) => `${what}: ${count}`).join(', '))
  if (answered < load.connections) return null
  const steady = new Map(written.latencies)
  const answers = latenciesOfAnswers(steady, written, load.connections)
  return {
    rate: answered / (microseconds / 1e6),
    p50: percentile(answers, 50),
    p99: percentile(answers, 99),
    steady99: percentile(steady, 99),
  }
}
