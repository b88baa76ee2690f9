/** Request bodies: read up to a size limit, parsed and validated. */
import type { Context } from 'hono'
import type * as z from 'zod/mini'
import { fault } from '../../faults.ts'
import type { Service } from './context.ts'
import { pythonNotation, stripValues } from './python.ts'
import { checked, type Schema } from './schema.ts'
import { isWellFormedJson } from './well-formed.ts'

/** What a reader takes, for the contract. */
export interface Accepted {
  readonly types: readonly string[]
  /** The schema of a JSON document; without one, the body is bytes. */
  readonly schema?: z.ZodMiniType
  /** Whether the body may be missing. */
  readonly isOptional?: true
  /** Whether the document may also be a batch of what the schema says. */
  readonly inBatch?: true
}

/** Reads and validates the request body of an operation. */
export interface BodyReader<Body> {
  (c: Context<Service>): Promise<Body>
  readonly accepted: Accepted
}

/** Says what a reader takes. */
export const reader = <Body>(accepted: Accepted, read: (c: Context<Service>) => Promise<Body>): BodyReader<Body> =>
  Object.assign(read, { accepted })

export const JSON_TYPES = ['application/json'] as const

/** Reads up to `max` bytes of the body and never reads the rest. Throws `brokenBody` if the connection is lost. */
export async function readBytes(request: Request, max: number): Promise<Uint8Array<ArrayBuffer>> {
  const broken = () => {
    throw fault('brokenBody')
  }
  // The runtime reads no more bytes than Content-Length declares, so the body can be read in one call.
  const declared = request.headers.get('Content-Length') ?? ''
  if (/^\d+$/.test(declared) && Number(declared) <= max) {
    return new Uint8Array(await request.arrayBuffer().catch(broken))
  }
  if (!request.body) return new Uint8Array(0)
  const bytes = new Uint8Array(max)
  let length = 0
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader()
  while (length < max) {
    const { done, value } = await reader.read().catch(broken)
    if (done) break
    const part = value.subarray(0, max - length)
    bytes.set(part, length)
    length += part.length
  }
  if (length === max) await reader.cancel()
  return bytes.slice(0, length)
}

function requireType(c: Context<Service>, expected: readonly string[]): string {
  const [mediaType = ''] = (c.req.header('Content-Type') ?? '').split(';')
  const type = mediaType.trim()
  if (!expected.includes(type)) throw fault('contentType', pythonNotation(expected))
  return type
}

/** Keeps a byte order mark, so that JSON with one is malformed, as in Barbican. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw fault('notUtf8')
  }
}

/**
 * Reads the whole body. Throws `bodyTooLarge` if it has more than `max` bytes, of which one more is read, and
 * `brokenBody`.
 */
export async function readWhole(
  c: Context<Service>,
  max = c.var.config.maxRequestBytes,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readBytes(c.req.raw, max + 1)
  if (bytes.length > max) throw fault('bodyTooLarge', String(max))
  return bytes
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw fault('malformedJson')
  }
}

/** Parses JSON that was read from UTF-8. Throws `malformedJson`, and `illFormedText` for a lone surrogate in it. */
export function parseJson(text: string): unknown {
  const json = parsed(text)
  if (!isWellFormedJson(text, json)) throw fault('illFormedText')
  return json
}

/**
 * Parses the JSON document of the body and strips white space around every string value. Throws `bodyTooLarge`,
 * `notUtf8`, `malformedJson`, `illFormedText`, and for an empty body the failure `whenEmpty`.
 */
async function document(c: Context<Service>, whenEmpty: 'malformedJson' | 'noData' = 'malformedJson') {
  const text = decode(await readWhole(c))
  if (!text) throw fault(whenEmpty)
  return stripValues(parseJson(text))
}

/**
 * Reads a JSON document of up to `max` bytes, whose texts are taken as they are sent and which is not validated. It
 * throws as {@link json}.
 */
export async function documentAsSent(c: Context<Service>, max: number): Promise<unknown> {
  requireType(c, JSON_TYPES)
  return parseJson(decode(await readWhole(c, max)))
}

/** Returns a reader for JSON bodies of this schema. It throws `contentType` for any other media type. */
export function json<Body>(schema: Schema<Body>): BodyReader<Body> {
  return reader({ types: JSON_TYPES, schema: schema.type }, async (c) => {
    requireType(c, JSON_TYPES)
    return checked(schema, await document(c))
  })
}

/** Returns a reader for JSON bodies that may be missing, which they are without a media type; they are then `{}`. */
export function optionalJson<Body>(schema: Schema<Body>): BodyReader<Partial<Body>> {
  const read = json(schema)
  return reader({ ...read.accepted, isOptional: true }, async (c) =>
    c.req.header('Content-Type') === undefined ? {} : read(c),
  )
}

/**
 * Returns a reader for JSON bodies that checks the media type and defers the rest, for operations that check something
 * else before the document. The body that it reads is a function that parses and validates the document; for an empty
 * body that function throws `whenEmpty`.
 */
export function deferred<Body>(
  schema: Schema<Body>,
  whenEmpty: 'malformedJson' | 'noData' = 'malformedJson',
): BodyReader<() => Promise<Body>> {
  return reader({ types: JSON_TYPES, schema: schema.type }, async (c) => {
    requireType(c, JSON_TYPES)
    return async () => checked(schema, await document(c, whenEmpty))
  })
}

export interface Payload {
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/**
 * Returns a reader for binary bodies of the given media types. It reads at most `max` + 1 bytes, so that a body over
 * the limit is detected without reading it in full.
 */
export function payload(
  types: readonly string[],
  max: (c: Context<Service>, type: string) => number,
): BodyReader<Payload> {
  return reader({ types }, async (c) => {
    const type = requireType(c, types)
    return { type, bytes: await readBytes(c.req.raw, max(c, type) + 1) }
  })
}
