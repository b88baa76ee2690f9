/** The media types of payloads: which are accepted, how they are stored, and which one a payload is returned as. */
import { decodeUtf8 } from '../crypto/encoding.ts'
import { fault } from '../faults.ts'
import { admitsKnownType } from './http/accept.ts'
import { stripText } from './http/python.ts'

interface PayloadRules {
  /** The accepted spellings of the type in `Accept`; the first is the stored form. */
  readonly spellings: readonly string[]
  /** Whether the payload must be valid UTF-8 to be returned as this type. */
  readonly isText: boolean
  /**
   * The values of `payload_content_encoding` in Barbican's messages, although JSON can only carry base64; null for
   * none.
   */
  readonly encodings: readonly string[] | null
}

export const payloadTypes = {
  'text/plain': {
    spellings: ['text/plain', 'text/plain;charset=utf-8', 'text/plain; charset=utf-8'],
    isText: true,
    encodings: null,
  },
  'application/octet-stream': {
    spellings: ['application/octet-stream'],
    isText: false,
    encodings: ['base64', 'binary'],
  },
  'application/pkcs8': { spellings: ['application/pkcs8'], isText: false, encodings: ['base64', 'binary'] },
} as const satisfies Readonly<Record<string, PayloadRules>>

/** The type of a payload as stored, and as returned in `content_types`. */
export type PayloadType = keyof typeof payloadTypes

const rules: ReadonlyMap<string, PayloadRules> = new Map(Object.entries(payloadTypes))

/** All spellings, in the order in which Barbican's message about `payload_content_type` lists them. */
export const payloadSpellings: readonly string[] = [...rules.values()].flatMap((rule) => rule.spellings)

/**
 * Returns the stored form of a content type, or null if it is not supported. The comparison is case-insensitive. As in
 * Barbican, the first parameter must have the value `utf-8`, whatever its name, and further parameters are ignored.
 */
export function normaliseContentType(contentType: string): PayloadType | null {
  const [type = '', parameter] = contentType.split(';').map((part) => stripText(part).toLowerCase())
  const charset = parameter === undefined ? 'utf-8' : stripText(parameter.split('=')[1] ?? '')
  return charset === 'utf-8' && isPayloadType(type) ? type : null
}

function isPayloadType(type: string): type is PayloadType {
  return rules.has(type)
}

/**
 * Reports whether `GET` of a secret returns its metadata; with any other `Accept` it returns the payload. An empty header
 * counts as absent, because the runtime drops headers without a value.
 */
export function acceptsMetadata(accept: string | undefined): boolean {
  return !accept || accept === 'application/json' || accept === '*/*'
}

/**
 * Returns the Content-Type of the response for a payload. `Accept` is read as one literal media type, without lists and
 * partial wildcards. An absent or empty header requests octets, and the full wildcard the stored type. Any supported
 * type may be requested whatever the stored type is, since the bytes are the same.
 *
 * Throws `notAcceptable` if the header accepts no common media type, `payloadType` for another spelling of a supported
 * type, and `payloadAccept` otherwise, also if the bytes are not valid UTF-8 and text is requested.
 */
export function negotiatePayload(
  accept: string | undefined,
  payload: { readonly bytes: Uint8Array; readonly stored: PayloadType },
): string {
  const requested = accept || 'application/octet-stream'
  const spelling = requested === '*/*' ? payload.stored : requested
  const rule = [...rules.values()].find(({ spellings }) => spellings.includes(spelling))
  if (!rule) throw refusalOf(requested)
  if (rule.isText && decodeUtf8(payload.bytes) === null) throw fault('payloadAccept')
  return spelling === 'text/plain' ? 'text/plain; charset=UTF-8' : spelling
}

function refusalOf(accept: string) {
  if (!admitsKnownType(accept)) return fault('notAcceptable')
  return normaliseContentType(accept) === null ? fault('payloadAccept') : fault('payloadType', accept)
}
