/** The media types of payloads: which are taken, how they are kept, and under which of them a payload is handed out. */
import { decodeUtf8 } from '../crypto/encoding.ts'
import { fault } from '../faults.ts'
import { admitsKnownType } from './http/accept.ts'
import { stripText } from './http/python.ts'

interface PayloadRules {
  /** How a client may spell the type when it asks for a payload; the first is how the type is kept. */
  readonly spellings: readonly string[]
  /** Handed out as this type, the bytes must be valid UTF-8. */
  readonly isText: boolean
  /** What `payload_content_encoding` may say, null: nothing. The peer quotes both, although JSON can only carry base64. */
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

/** The type of a payload as it is kept and shown in `content_types`. */
export type PayloadType = keyof typeof payloadTypes

const rules: ReadonlyMap<string, PayloadRules> = new Map(Object.entries(payloadTypes))

/** Every spelling in the peer's order, as its refusal of a `payload_content_type` lists them. */
export const payloadSpellings: readonly string[] = [...rules.values()].flatMap((rule) => rule.spellings)

/**
 * The kept form of the content type that a client gives, or null when it is not supported: case does not matter, and a
 * second piece after `;` must be `<anything>=utf-8`; further pieces are ignored.
 */
export function normaliseContentType(given: string): PayloadType | null {
  const [type = '', parameter] = given.split(';').map((piece) => stripText(piece).toLowerCase())
  const charset = parameter === undefined ? 'utf-8' : stripText(parameter.split('=')[1] ?? '')
  return charset === 'utf-8' && isPayloadType(type) ? type : null
}

function isPayloadType(type: string): type is PayloadType {
  return rules.has(type)
}

/** Whether `GET` of a secret is about its metadata; with any other `Accept` it is about the payload. */
export function acceptsMetadata(accept: string | undefined): boolean {
  return accept === undefined || accept === 'application/json' || accept === '*/*'
}

/**
 * The response's Content-Type for a payload. `Accept` is taken as one literal media type, without lists and wildcards;
 * absent or empty it means octets, and the full wildcard means the stored type. The stored type restricts nothing else:
 * the bytes are the same under every type.
 *
 * Throws `notAcceptable` for a type that no server knows, `payloadType` for another spelling of a supported type, and
 * `payloadAccept` for everything else, also for text that is not valid UTF-8.
 */
export function negotiatePayload(
  accept: string | undefined,
  payload: { readonly bytes: Uint8Array; readonly stored: PayloadType },
): string {
  const wanted = accept || 'application/octet-stream'
  const spelling = wanted === '*/*' ? payload.stored : wanted
  const rule = [...rules.values()].find(({ spellings }) => spellings.includes(spelling))
  if (!rule) throw refusalOf(wanted)
  if (rule.isText && decodeUtf8(payload.bytes) === null) throw fault('payloadAccept')
  return spelling === 'text/plain' ? 'text/plain; charset=UTF-8' : spelling
}

function refusalOf(accept: string) {
  if (!admitsKnownType(accept)) return fault('notAcceptable')
  return normaliseContentType(accept) === null ? fault('payloadAccept') : fault('payloadType', accept)
}
