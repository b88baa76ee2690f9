/** Request bodies: read up to a limit, then parsed and checked, or refused in the contract's words. */
import type { Context } from 'hono'
import { fault } from '../../faults.ts'
import type { Service } from './context.ts'
import { pythonNotation, stripValues } from './python.ts'
import { checked, type Schema } from './schema.ts'

/** Reads the body that an operation wants; `undefined` for operations without one. */
export type BodyReader<Body> = (c: Context<Service>) => Promise<Body>

const JSON_TYPE = 'application/json'

/** Up to `most` bytes of the body; the rest is never read. Throws `brokenBody` when the connection breaks off. */
export async function readBytes(request: Request, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const broken = () => {
    throw fault('brokenBody')
  }
  // The runtime reads no more than was announced, and all of it at once.
  const announced = request.headers.get('Content-Length') ?? ''
  if (/^\d+$/.test(announced) && Number(announced) <= most) {
    return new Uint8Array(await request.arrayBuffer().catch(broken))
  }
  if (!request.body) return new Uint8Array(0)
  const bytes = new Uint8Array(most)
  let length = 0
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader()
  while (length < most) {
    const { done, value } = await reader.read().catch(broken)
    if (done) break
    const part = value.subarray(0, most - length)
    bytes.set(part, length)
    length += part.length
  }
  if (length === most) await reader.cancel()
  return bytes.slice(0, length)
}

function requireType(c: Context<Service>, expected: readonly string[]): string {
  const [given = ''] = (c.req.header('Content-Type') ?? '').split(';')
  const type = given.trim()
  if (!expected.includes(type)) throw fault('contentType', pythonNotation(expected))
  return type
}

/** A byte order mark stays, so that JSON with one is malformed as the peer has it. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw fault('notUtf8')
  }
}

/**
 * The JSON document of the body, every string value stripped of outer white space. Only the first MAX_REQUEST_BYTES
 * count: what is not complete within them is malformed (peer: conventions of bodies).
 */
async function document(c: Context<Service>, whenEmpty: 'malformedJson' | 'noData' = 'malformedJson') {
  const text = decode(await readBytes(c.req.raw, c.var.config.maxRequestBytes))
  if (!text) throw fault(whenEmpty)
  try {
    return stripValues(JSON.parse(text))
  } catch {
    throw fault('malformedJson')
  }
}

/** A JSON body of this schema. */
export function json<Body>(schema: Schema<Body>): BodyReader<Body> {
  return async (c) => {
    requireType(c, [JSON_TYPE])
    return checked(schema, await document(c))
  }
}

/**
 * A JSON body as it stands, for operations that look at something else before they check it. An empty one is the
 * failure `whenEmpty`.
 */
export function unchecked(whenEmpty: 'malformedJson' | 'noData' = 'malformedJson'): BodyReader<() => Promise<unknown>> {
  return async (c) => {
    requireType(c, [JSON_TYPE])
    return () => document(c, whenEmpty)
  }
}

export interface Payload {
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** A body of one of the media types as bytes, at most one byte more than `most` of them. */
export function payload(types: readonly string[], most: (c: Context<Service>) => number): BodyReader<Payload> {
  return async (c) => ({ type: requireType(c, types), bytes: await readBytes(c.req.raw, most(c) + 1) })
}
