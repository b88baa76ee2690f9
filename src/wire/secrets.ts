/** The resources `/secrets`, `/secrets/{id}` and `/secrets/{id}/payload`. */
import type { Context } from 'hono'
import { decodeBase64 } from '../crypto/encoding.ts'
import { Fault, fault } from '../faults.ts'
import { resealSoon } from '../state/keys/project-key-versions.ts'
import { isWritable, requireWritable } from '../state/read-only.ts'
import { listSecrets } from '../state/secrets/secret-list.ts'
import { sawSecret, secretLastSeen } from '../state/secrets/last-seen.ts'
import { readSealedSecret, readSecret } from '../state/secrets/secret-reads.ts'
import type { Secret } from '../state/entities.ts'
import {
  createSecret,
  deleteSecret,
  findSecret,
  readPayload,
  recordRead,
  type SealedSecret,
} from '../state/secrets/secrets.ts'
import { storePayload } from '../state/secrets/new-versions.ts'
import { presentVersion } from '../state/secrets/secret-rows.ts'
import { listEnd, located } from './http/answers.ts'
import { json, parseJson, payload, readWhole, type Payload } from './http/body.ts'
import type { Service } from './http/context.ts'
import type { Shapes } from '../shapes/index.ts'
import { bitLength, dateFilter, sortOrder } from './secret-filters.ts'
import { atLeast } from './http/microversion.ts'
import { markedQuery } from './http/paging.ts'
import { acceptsMetadata, negotiatePayload, normaliseContentType, payloadTypes } from './payload.ts'
import { preconditionOf, setVersionTag, type Precondition } from './http/preconditions.ts'
import { given, type ValuesOf } from './http/query.ts'
import { isCanonicalId, type Refs } from './http/refs.ts'
import { operation, resource, type Call } from './http/resource.ts'
import { NO_CONTENT, type ReplyOf } from './http/replies.ts'
import { newSecret, newSecretBody, SECRET_SCHEMA } from './secret-body.ts'

const OCTETS = 'application/octet-stream'

/** Returns the representation of a secret. Microversion 1.1 added `consumers`. */
export function secretView(secret: Secret, refs: Refs, withConsumers: boolean): Shapes['Secret'] {
  return {
    created: secret.created,
    updated: secret.updated,
    status: 'ACTIVE',
    name: secret.name,
    secret_type: secret.secretType,
    expiration: secret.expiration,
    algorithm: secret.algorithm,
    bit_length: secret.bitLength,
    mode: secret.mode,
    creator_id: secret.creatorId,
    ...(withConsumers && { consumers: secret.consumers }),
    ...(secret.hasPayload && secret.contentType !== null && { content_types: { default: secret.contentType } }),
    secret_ref: refs.to('secrets', secret.id),
  }
}

/** What refuses the secret in a path. */
export const secretFaults = ['secretId', 'secretNotFound'] as const

/** What refuses to store something under the key of a project, which others may replace or destroy meanwhile. */
export const keyFaults = ['keySuperseded', 'projectDestroyed'] as const

const showsConsumers = (c: Context<Service>) => atLeast(c.var.microversion, '1.1')

/**
 * Finds the secret that the path names, in any project, and keeps it as last seen. As in Barbican, a 404 precedes the
 * policy check.
 */
export async function secretOfPath({ backend, param }: Call): Promise<Secret> {
  return sawSecret(backend, await findSecret(backend, secretIdOfPath(param)))
}

/** The secret that the path names as this isolate saw it last, for changes that are stored only over that row. */
export const recallSecretOfPath = ({ backend, param }: Call): Secret | undefined =>
  secretLastSeen(backend, param('secret'))

/** Returns the id of the secret in the path. Throws `secretId` if it is not a canonical id. */
export function secretIdOfPath(param: Call['param']): string {
  const id = param('secret')
  if (!isCanonicalId(id)) throw fault('secretId')
  return id
}

/**
 * `GET` with an `Accept` that does not select JSON is the deprecated way to read the payload, governed by
 * `secret:decrypt`.
 */
const wantsMetadata = ({ c }: Call) => acceptsMetadata(c.req.header('Accept'))

/** A payload that is to be returned, and what opens it. */
interface ReadPayload {
  readonly secret: Secret
  /** The number of its version; null for a secret without payload. */
  readonly version: number | null
  readonly contentType: string | null
  readonly open: () => Promise<Uint8Array<ArrayBuffer>>
}

/** Answers with a payload: of any type that it can be asked for as, or without content if it has no bytes. */
export const payloadAnswers = { 200: { types: Object.keys(payloadTypes) }, 204: null } as const

/** The parameters of Barbican's transport keys, which this service has none of. */
export const transportQuery = {
  transport_key_id: (values: readonly string[]) => Boolean(values[0]),
  trans_wrapped_session_key: (values: readonly string[]) => values.length > 0,
}

/** What refuses to answer with a payload. */
export const payloadFaults = [
  'notAcceptable',
  'sessionKeyAlone',
  'noPayload',
  'notExtractable',
  'payloadAccept',
  'payloadType',
] as const

/** Opens a payload and returns it as the request wants it. */
export async function answerPayload(
  call: Call<ValuesOf<typeof transportQuery>>,
  { secret, version, contentType, open }: ReadPayload,
): Promise<ReplyOf<typeof payloadAnswers>> {
  const { c, backend, query } = call
  if (query.trans_wrapped_session_key && !query.transport_key_id) throw fault('sessionKeyAlone')
  const bytes = await open()
  const stored = normaliseContentType(contentType ?? OCTETS) ?? OCTETS
  const type = negotiatePayload(c.req.header('Accept'), { bytes, stored })
  if (call.config.auditReads === 'strict') {
    await requireWritable(backend)
    await recordRead(backend, secret, 'secret/payload')
  }
  setVersionTag(c, version)
  return bytes.length === 0 ? NO_CONTENT : { status: 200, content: bytes, type }
}

function answerPresentPayload(call: Call<ValuesOf<typeof transportQuery>>, secret: SealedSecret) {
  const { backend } = call
  const open = async () => {
    const bytes = await readPayload(backend, secret)
    if (secret.superseded !== null) resealSoon(backend, secret.id, () => isWritable(backend))
    return bytes
  }
  return answerPayload(call, { secret, version: presentVersion(secret), contentType: secret.contentType, open })
}

/** Which secrets are listed, and in which order. */
const listQuery = {
  created: dateFilter,
  updated: dateFilter,
  expiration: dateFilter,
  name: given,
  alg: given,
  mode: given,
  secret_type: given,
  bits: bitLength,
  acl_only: (values: readonly string[]) => given(values)?.toLowerCase() === 'true',
  sort: sortOrder,
  ...markedQuery,
}

const newSecretReader = json({ name: SECRET_SCHEMA, type: newSecretBody })

const collection = resource({
  path: '/secrets',
  operations: {
    GET: operation({
      name: 'Secret(s) retrieval',
      rule: 'secrets:get',
      query: listQuery,
      answers: { 200: 'Secrets' },
      faults: ['queryParameters', 'markerUnknown'],
      async answer(call) {
        const { c, backend, caller, query, refs } = call
        const { alg: algorithm, secret_type: secretType, bits, acl_only: onAcl, sort, ...others } = query
        if (query.marker !== undefined && sort.length > 0) throw fault('queryParameters')
        const withConsumers = showsConsumers(c)
        const filter = { ...others, algorithm, secretType, bitLength: bits, onAcl }
        const read = await listSecrets(backend, caller, filter, sort, query, withConsumers)
        const secrets = read.items.map((secret) => secretView(secret, refs, withConsumers))
        return { status: 200, json: { secrets, ...listEnd(call, 'secrets', read) } }
      },
    }),
    POST: operation({
      name: 'Secret creation',
      rule: 'secrets:post',
      body: newSecretReader,
      answers: { 201: 'SecretRef' },
      faults: ['payloadTooLarge', 'transportKeyUnsupported', 'transportKeyNotFound', 'quotaReached', ...keyFaults],
      async answer({ c, backend, caller, config, refs }, _project, body) {
        const id = await createSecret(backend, caller, newSecret(body, backend.now, config.maxSecretBytes))
        return { status: 201, json: { secret_ref: located(c, refs.to('secrets', id)) } }
      },
    }),
  },
})

/** The most bytes of base64 that are read per byte of the payload: four for three, and white space between them. */
const MAX_ENCODED_BYTES_PER_BYTE = 2

/** Returns the encoding of a body of octets, in lower case; text ignores the header. */
function encodingOf(c: Context<Service>, type: string): string | undefined {
  const encoding = type === OCTETS ? c.req.header('Content-Encoding') : undefined
  return encoding?.toLowerCase() || undefined
}

/** The most bytes that are read of a `PUT`. */
function maxSentBytes(c: Context<Service>, type: string): number {
  const max = c.var.config.maxSecretBytes
  return encodingOf(c, type) === 'base64' ? Math.max(4, max * MAX_ENCODED_BYTES_PER_BYTE) : max
}

/**
 * Returns the payload of a `PUT`, decoded if octets are sent with `Content-Encoding: base64`. The limit applies to the
 * payload as stored; what cannot be decoded is measured as sent. `checkSecret` throws if the secret takes no payload.
 */
function putBytes(c: Context<Service>, checkSecret: () => void, { type, bytes }: Payload): Uint8Array {
  if (bytes.length === 0) throw fault('noData')
  const max = c.var.config.maxSecretBytes
  const encoding = encodingOf(c, type)
  const isWhole = bytes.length <= maxSentBytes(c, type)
  const decoded = encoding === 'base64' && isWhole ? decodeBase64(new TextDecoder().decode(bytes)) : null
  if ((decoded ?? bytes).length > max) throw fault('payloadTooLargeOnUpdate', String(max))
  checkSecret()
  if (encoding === undefined) return bytes
  if (encoding !== 'base64') throw fault('contentEncoding')
  if (!decoded) throw fault('contentEncodingData')
  return decoded
}

/**
 * Returns the check that a secret takes the payload of a `PUT`: it has none, the request names the version that it
 * replaces, or the secret was set to take others. Whoever may PUT may also add versions: a test of the policy says so.
 */
function takesPut({ isGiven, require }: Precondition): (secret: Secret) => void {
  return (secret) => {
    if (secret.hasPayload && !isGiven && secret.put !== 'replace') throw fault('payloadExists')
    require(presentVersion(secret))
  }
}

const TRUE = new Set(['1', 't', 'true', 'on', 'y', 'yes'])
const FALSE = new Set(['0', 'f', 'false', 'off', 'n', 'no'])

/** Returns the values of `force` in the body. As in Barbican, JSON and form bodies count like the query. */
async function forceInBody(c: Context<Service>): Promise<string[]> {
  const type = c.req.header('Content-Type') ?? ''
  const text = new TextDecoder().decode(await readWhole(c))
  if (type.startsWith('application/x-www-form-urlencoded')) return new URLSearchParams(text).getAll('force')
  if (!type.startsWith('application/json')) return []
  try {
    const { force } = Object(parseJson(text)) as { readonly force?: unknown }
    return force === undefined ? [] : [typeof force === 'string' ? force : JSON.stringify(force)]
  } catch (error) {
    if (error instanceof Fault && error.failure === 'malformedJson') return []
    throw error
  }
}

/**
 * Reports whether a deletion at microversion 1.2 is forced. Throws `queryParameters` for an invalid or repeated value.
 */
async function isForced(c: Context<Service>, inQuery: readonly string[]): Promise<boolean> {
  const values = [...inQuery, ...(await forceInBody(c))]
  const [force = 'false', ...others] = values.map((value) => value.trim().toLowerCase())
  if (others.length > 0 || !(TRUE.has(force) || FALSE.has(force))) throw fault('queryParameters')
  return TRUE.has(force)
}

const item = resource<Secret | SealedSecret>({
  path: '/secrets/:secret',
  faults: secretFaults,
  find(call) {
    if (call.c.req.method !== 'GET') return secretOfPath(call)
    const id = secretIdOfPath(call.param)
    return wantsMetadata(call)
      ? readSecret(call.backend, id, showsConsumers(call.c))
      : readSealedSecret(call.backend, id)
  },
  operations: {
    GET: operation({
      name: 'Secret retrieval',
      rule: {
        of: ['secret:get', 'secret:decrypt'],
        choose: (call) => (wantsMetadata(call) ? 'secret:get' : 'secret:decrypt'),
      },
      accept: 'negotiated',
      query: transportQuery,
      answers: { ...payloadAnswers, 200: { json: 'Secret', ...payloadAnswers[200] } },
      faults: payloadFaults,
      answer(call, secret) {
        if ('sealed' in secret) return answerPresentPayload(call, secret)
        setVersionTag(call.c, presentVersion(secret))
        return { status: 200, json: secretView(secret, call.refs, showsConsumers(call.c)) }
      },
    }),
    PUT: operation({
      name: 'Secret update',
      rule: 'secret:put',
      accept: 'known',
      query: { transport_key_id: transportQuery.transport_key_id },
      answers: { 204: null },
      faults: [
        'noData',
        'payloadTooLargeOnUpdate',
        'payloadExists',
        'preconditionFailed',
        'contentEncoding',
        'contentEncodingData',
        'transportKeyNotFound',
        'versionsFull',
        'changedConcurrently',
        ...keyFaults,
      ],
      body: payload([OCTETS, 'text/plain'], maxSentBytes),
      async answer({ c, backend, query }, secret, body) {
        const check = takesPut(preconditionOf(c))
        const bytes = putBytes(c, () => check(secret), body)
        if (query.transport_key_id) throw fault('transportKeyNotFound')
        const payload = () => ({ bytes, contentType: body.type, origin: 'payload' as const })
        const { version } = await storePayload(backend, secret, { check, payload })
        setVersionTag(c, version)
        return NO_CONTENT
      },
    }),
    DELETE: operation({
      name: 'Secret deletion',
      rule: 'secret:delete',
      accept: 'known',
      query: { force: (values: readonly string[]) => values },
      answers: { 204: null },
      faults: ['queryParameters', 'hasConsumers', 'illFormedText', 'bodyTooLarge'],
      async answer({ c, backend, query }, secret) {
        const unlessConsumed = atLeast(c.var.microversion, '1.2') && !(await isForced(c, query.force))
        await deleteSecret(backend, secret, unlessConsumed)
        return NO_CONTENT
      },
    }),
  },
})

const payloadOfSecret = resource<SealedSecret>({
  path: '/secrets/:secret/payload',
  find: ({ backend, param }) => readSealedSecret(backend, secretIdOfPath(param)),
  faults: secretFaults,
  operations: {
    GET: operation({
      name: 'Secret payload retrieval',
      rule: 'secret:decrypt',
      accept: 'negotiated',
      query: transportQuery,
      answers: payloadAnswers,
      faults: payloadFaults,
      answer: answerPresentPayload,
    }),
  },
})

export const secretResources = [collection, item, payloadOfSecret]
