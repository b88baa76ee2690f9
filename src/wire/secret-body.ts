/** The description of a new secret in a body: of `POST /secrets`, and as `meta` of an order. */
import * as z from 'zod/mini'
import { decodeBase64, encodeUtf8 } from '../crypto/encoding.ts'
import { fault } from '../faults.ts'
import { secretTypes, type NewSecret } from '../state/secrets/secrets.ts'
import { normaliseContentType, payloadSpellings } from './payload.ts'
import { pythonNotation, stripText } from './http/python.ts'
import { integer, object, schemaFault, secretText, text, textOrNull } from './http/schema.ts'
import { parseTime } from '../times.ts'

export const MOST_NAME_CHARACTERS = 255
const MOST_SECRET_TYPE_CHARACTERS = 80
/** The largest value of the signed 16-bit column that the peer keeps bit lengths in. */
const MOST_BITS = 32_767

/** In the peer's schema order: at equal depth the first violation is the one that is reported. */
const secretMembers = {
  name: z.optional(textOrNull({ most: MOST_NAME_CHARACTERS })),
  algorithm: z.optional(text({ most: MOST_NAME_CHARACTERS })),
  mode: z.optional(text({ most: MOST_NAME_CHARACTERS })),
  bit_length: z.optional(integer({ least: 1, most: MOST_BITS })),
  expiration: z.optional(text({ most: MOST_NAME_CHARACTERS })),
  payload: z.optional(secretText()),
  secret_type: z.optional(text({ most: MOST_SECRET_TYPE_CHARACTERS, oneOf: secretTypes })),
  payload_content_type: z.optional(textOrNull({ most: MOST_NAME_CHARACTERS })),
  payload_content_encoding: z.optional(text({ oneOf: ['base64'] })),
  transport_key_needed: z.optional(text({ oneOf: ['true', 'false'] })),
  transport_key_id: z.optional(text()),
}

export const secretBody = object(secretMembers)
export type SecretBody = z.infer<typeof secretBody>

export const SECRET_SCHEMA = 'Secret'

/** The expiration in stored form, or null for none; throws when it is no time or lies in the past. */
export function expirationOf(body: SecretBody, schema: string, now: string): string | null {
  if (!body.expiration) return null
  const time = parseTime(body.expiration)
  if (!time) throw schemaFault(schema, "Invalid date for 'expiration'", 'expiration')
  if (time <= now) throw schemaFault(schema, "'expiration' is before current time", 'expiration')
  return time
}

/** The stored form of the content type; throws when it is not one of the supported. */
function contentTypeOf(given: string, schema: string) {
  const type = normaliseContentType(given)
  if (type) return type
  const reason = `payload_content_type is not one of ${pythonNotation(payloadSpellings)}`
  throw schemaFault(schema, reason, 'payload_content_type')
}

interface GivenPayload {
  readonly contentType: string
  readonly bytes: Uint8Array
}

/** Type, encoding and bytes of a payload, in the peer's order of checks. `most` is in bytes of UTF-8 as sent. */
function payloadOf(body: SecretBody & { payload: string }, most: number): GivenPayload {
  const { payload, payload_content_type: given, payload_content_encoding: encoding } = body
  const refuse = (reason: string, property: string) => schemaFault(SECRET_SCHEMA, reason, property)
  if (given === undefined || given === null) {
    const reason = "If 'payload' is supplied, 'payload_content_type' must also be supplied."
    throw refuse(reason, 'payload_content_type')
  }
  const contentType = contentTypeOf(given, SECRET_SCHEMA)
  const isText = contentType === 'text/plain'
  if (isText !== (encoding === undefined)) {
    const allowed = isText ? 'None' : "['base64', 'binary']"
    throw refuse(`payload_content_encoding is not one of ${allowed}`, 'payload_content_encoding')
  }
  const sent = encodeUtf8(payload)
  if (sent.length > most) throw fault('payloadTooLarge')
  if (!stripText(payload)) throw refuse("If 'payload' specified, must be non empty", 'payload')
  const bytes = isText ? sent : decodeBase64(payload)
  if (!bytes) throw refuse('Invalid payload for payload_content_encoding', 'payload')
  return { contentType, bytes }
}

/** Throws unless `meta` of an order obeys the rules on payloads: none is allowed there, a content type is. */
export function checkOrderedPayload(body: SecretBody, schema: string): void {
  const { payload, payload_content_type: given } = body
  if (payload !== undefined && (given === undefined || given === null)) {
    const reason = "If 'payload' is supplied, 'payload_content_type' must also be supplied."
    throw schemaFault(schema, reason, 'payload_content_type')
  }
  if (given) contentTypeOf(given, schema)
}

/** The new secret that a body describes. */
export function newSecret(body: SecretBody, now: string, mostPayloadBytes: number): NewSecret {
  const expiration = expirationOf(body, SECRET_SCHEMA, now)
  const { payload } = body
  const given = payload === undefined ? null : payloadOf({ ...body, payload }, mostPayloadBytes)
  if (!given && body.payload_content_type !== undefined) {
    throw schemaFault(SECRET_SCHEMA, 'payload must be provided when payload_content_type is specified', 'payload')
  }
  if (body.transport_key_needed === 'true') throw fault('transportKeyUnsupported')
  if (given && body.transport_key_id) throw fault('transportKeyNotFound')
  return {
    name: body.name ?? null,
    secretType: secretTypes.find((type) => type === body.secret_type) ?? 'opaque',
    algorithm: body.algorithm ?? null,
    mode: body.mode ?? null,
    bitLength: body.bit_length ?? null,
    expiration,
    contentType: given?.contentType ?? null,
    payload: given?.bytes ?? null,
  }
}
