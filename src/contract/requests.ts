/** Bodies of requests: what the reader of an operation takes. */
import * as z from 'zod/mini'
import { shapes } from '../shapes/index.ts'
import type { Accepted } from '../wire/http/body.ts'
import { useMembers } from '../wire/key-use-members.ts'
import { secretBody } from '../wire/secret-body.ts'
import { refTo, schemaOf, type JsonSchema } from './schemas.ts'

const MOST_ITEMS = 100

/** What `meta` of an order for a key or key pair has: of a secret, what is not its payload. */
function generatedMeta(more: JsonSchema = {}): JsonSchema {
  const { properties, ...schema } = schemaOf(secretBody)
  const { payload: _payload, payload_content_encoding: _encoding, ...described } = properties as JsonSchema
  return { ...schema, properties: { ...described, ...more }, required: ['algorithm', 'bit_length'] }
}

const certificateMeta = (): JsonSchema => {
  const { properties, ...schema } = schemaOf(shapes.CertificateOrder.shape.meta)
  const known: JsonSchema = {
    ...(properties as JsonSchema),
    request_type: { type: 'string', enum: ['custom', 'simple-cmc', 'stored-key'], default: 'custom' },
    extensions: { type: 'string', examples: ['subjectAltName=DNS:a.example'] },
  }
  return { ...schema, properties: known }
}

const orderOf = (type: string, meta: JsonSchema, members: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  properties: { type: { type: 'string', const: type }, meta, ...members },
  required: ['meta', 'type'],
})

const use = () => schemaOf(z.object(useMembers()))['properties'] as JsonSchema

/** The bodies of orders, of which the checks of `meta` are written by hand: `wire/orders.ts`, `wire/certificate-orders.ts`. */
export function orderSchemas(): Readonly<Record<string, JsonSchema>> {
  const passphrase = { type: 'string', description: 'Of the private key.' }
  return {
    NewKeyOrder: orderOf('key', generatedMeta(), use()),
    NewKeyPairOrder: orderOf('asymmetric', generatedMeta({ passphrase }), use()),
    NewCertificateOrder: orderOf('certificate', certificateMeta()),
    NewOrder: {
      oneOf: ['NewKeyOrder', 'NewKeyPairOrder', 'NewCertificateOrder'].map(refTo),
      discriminator: {
        propertyName: 'type',
        mapping: {
          key: refTo('NewKeyOrder')['$ref'],
          asymmetric: refTo('NewKeyPairOrder')['$ref'],
          certificate: refTo('NewCertificateOrder')['$ref'],
        },
      },
    },
    ChangedOrder: { type: 'object', properties: { meta: certificateMeta() }, required: ['meta'] },
  }
}

/** Bodies whose schema in the Worker says less than what is checked. */
const written: Readonly<Record<string, JsonSchema>> = {
  postOrders: refTo('NewOrder'),
  putOrder: refTo('ChangedOrder'),
  putSecretMetadata: {
    type: 'object',
    properties: {
      metadata: {
        type: 'object',
        propertyNames: { pattern: '^[A-Za-z0-9_-]*$', maxLength: 255 },
        additionalProperties: { type: 'string', maxLength: 255 },
      },
    },
    required: ['metadata'],
  },
}

function jsonSchema(operationId: string, type: z.ZodMiniType, inBatch: boolean): JsonSchema {
  const one = written[operationId] ?? schemaOf(type)
  if (!inBatch) return one
  const batch = { type: 'array', items: one, minItems: 1, maxItems: MOST_ITEMS }
  const inBatches = { type: 'object', properties: { batch }, required: ['batch'], additionalProperties: false }
  return { anyOf: [one, inBatches] }
}

/** The request body of an operation. */
export function requestBody(operationId: string, { types, schema, isOptional, inBatch }: Accepted): JsonSchema {
  const content = schema ? { schema: jsonSchema(operationId, schema, inBatch === true) } : {}
  return { required: !isOptional, content: Object.fromEntries(types.map((type) => [type, content])) }
}
