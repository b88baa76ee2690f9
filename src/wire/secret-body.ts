/** Validates the description of a new secret, which is the body of `POST /secrets` and `meta` of an order. */
import * as z from 'zod/mini'
import { decodeBase64, encodeUtf8 } from '../crypto/encoding.ts'
import { fault } from '../faults.ts'
import { secretTypes, type NewSecret } from '../state/secrets/secrets.ts'
import { normaliseContentType, payloadSpellings } from './payload.ts'
import { pythonNotation, stripText } from './http/python.ts'
import { integer, object, schemaFault, secretText, text, textOrNull } from './http/schema.ts'
import { checkedUse, useMembers } from './key-use-members.ts'
import { parseTime } from '../times.ts'

export const MAX_NAME_CHARACTERS = 255
const MAX_SECRET_TYPE_CHARACTERS = 80
/** The maximum of the signed 16-bit column in which Barbican stores bit lengths. */
const MAX_BITS = 32_767

/** A new version of a secret may have these members as well. */
export const expirationMember = () => z.optional(text({ max: MAX_NAME_CHARACTERS }))
export const payloadMembers = () => ({
  payload: z.optional(secretText()),
  payload_content_type: z.optional(textOrNull({ max: MAX_NAME_CHARACTERS })),
  payload_content_encoding: z.optional(text({ oneOf: ['base64'] })),
})

/** In the order of Barbican's schema, because at equal depth the first violation is reported. */
const secretMembers = ({ payload, ...described } = payloadMembers()) => ({
  name: z.optional(textOrNull({ max: MAX_NAME_CHARACTERS })),
  algorithm: z.optional(text({ max: MAX_NAME_CHARACTERS })),
  mode: z.optional(text({ max: MAX_NAME_CHARACTERS })),
  bit_length: z.optional(integer({ min: 1, max: MAX_BITS })),
  expiration: expirationMember(),
  payload,
  secret_type: z.optional(text({ max: MAX_SECRET_TYPE_CHARACTERS, oneOf: secretTypes })),
  ...described,
  transport_key_needed: z.optional(text({ oneOf: ['true', 'false'] })),
  transport_key_id: z.optional(text()),
})

/** `meta` of an order. */
export const secretBody = z.lazy(() => object(secretMembers()))
export type SecretBody = z.infer<typeof secretBody>
type PayloadBody = Pick<SecretBody, keyof ReturnType<typeof payloadMembers>>

/** The body of `POST /secrets`. */
export const newSecretBody = z.lazy(() => object({ ...secretMembers(), ...useMembers() }))
type NewSecretBody = z.infer<typeof newSecretBody>

export const SECRET_SCHEMA = 'Secret'

/**
 * Returns the expiration in stored form, or null if there is none. Throws if it is not a valid time or is in the past.
 */
export function expirationOf(body: Pick<SecretBody, 'expiration'>, schema: string, now: string): string | null {
  if (!body.expiration) return null
  const time = parseTime(body.expiration)
  if (!time) throw schemaFault(schema, "Invalid date for 'expiration'", 'expiration')
  if (time <= now) throw schemaFault(schema, "'expiration' is before current time", 'expiration')
  return time
}

/** Returns the stored form of the content type. Throws if it is not supported. */
function contentTypeOf(contentType: string, schema: string) {
  const type = normaliseContentType(contentType)
  if (type) return type
  const reason = `payload_content_type is not one of ${pythonNotation(payloadSpellings)}`
  throw schemaFault(schema, reason, 'payload_content_type')
}

export interface GivenPayload {
  readonly contentType: string
  readonly bytes: Uint8Array
}

/**
 * Validates and decodes a payload, with the checks in Barbican's order. `max` limits its size as stored, in bytes; what
 * cannot be decoded is measured as sent.
 */
function payloadOf(body: PayloadBody & { payload: string }, max: number): GivenPayload {
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
  const bytes = isText ? sent : decodeBase64(payload)
  if ((bytes ?? sent).length > max) throw fault('payloadTooLarge', String(max))
  if (!stripText(payload)) throw refuse("If 'payload' specified, must be non empty", 'payload')
  if (!bytes) throw refuse('Invalid payload for payload_content_encoding', 'payload')
  return { contentType, bytes }
}

/**
 * Checks the payload members of an order's `meta`. Throws for an unsupported content type or one missing for a payload.
 */
export function checkOrderedPayload(body: SecretBody, schema: string): void {
  const { payload, payload_content_type: given } = body
  if (payload !== undefined && (given === undefined || given === null)) {
    const reason = "If 'payload' is supplied, 'payload_content_type' must also be supplied."
    throw schemaFault(schema, reason, 'payload_content_type')
  }
  if (given) contentTypeOf(given, schema)
}

/**
 * Validates the payload members of a body; null if there is no payload. `maxPayloadBytes` limits its size as stored, in
 * bytes.
 */
export function givenPayload(body: PayloadBody, maxPayloadBytes: number): GivenPayload | null {
  const { payload } = body
  const given = payload === undefined ? null : payloadOf({ ...body, payload }, maxPayloadBytes)
  if (!given && body.payload_content_type !== undefined) {
    throw schemaFault(SECRET_SCHEMA, 'payload must be provided when payload_content_type is specified', 'payload')
  }
  return given
}

/**
 * Validates a body and returns the secret that it describes. `maxPayloadBytes` limits the UTF-8 size of the payload.
 */
export function newSecret(body: NewSecretBody, now: string, maxPayloadBytes: number): NewSecret {
  const expiration = expirationOf(body, SECRET_SCHEMA, now)
  const given = givenPayload(body, maxPayloadBytes)
  if (body.transport_key_needed === 'true') throw fault('transportKeyUnsupported')
  if (given && body.transport_key_id) throw fault('transportKeyNotFound')
  const secretType = secretTypes.find((type) => type === body.secret_type) ?? 'opaque'
  const algorithm = body.algorithm ?? null
  return {
    ...checkedUse(body, { secretType, algorithm }, SECRET_SCHEMA),
    name: body.name ?? null,
    secretType,
    algorithm,
    mode: body.mode ?? null,
    bitLength: body.bit_length ?? null,
    expiration,
    contentType: given?.contentType ?? null,
    payload: given?.bytes ?? null,
  }
}
