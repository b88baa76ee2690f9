/** The resources `/secrets/{id}/versions`, `/versions/{n}`, its payload, and `/versioning`. Barbican has none of them. */
import * as z from 'zod/mini'
import type { Target } from '../access/policy.ts'
import { fault } from '../faults.ts'
import type { Secret } from '../state/entities.ts'
import type { ReadPage } from '../state/database/pages.ts'
import { KEPT_VERSIONS } from '../state/schema/secret-versions.ts'
import { generatedPayload, storePayload, type NewPayload } from '../state/secrets/new-versions.ts'
import { presentVersion } from '../state/secrets/secret-rows.ts'
import { readSealedVersion } from '../state/secrets/secret-reads.ts'
import {
  destroyVersion,
  enableVersion,
  findSealedVersion,
  findVersion,
  listVersions,
  openVersion,
  readVersion,
  type SealedVersion,
  type SecretVersion,
  type VersionOfSecret,
  type WhichVersion,
} from '../state/secrets/secret-versions.ts'
import { MOST_ROTATE_DAYS, putModes, setVersioning } from '../state/secrets/versioning.ts'
import type { Shapes } from '../shapes/index.ts'
import { located, pageEnd } from './http/answers.ts'
import { json } from './http/body.ts'
import { markedQuery, markerAfter, type MarkedPage } from './http/paging.ts'
import { preconditionOf, setVersionTag } from './http/preconditions.ts'
import { valuesIn } from './http/query.ts'
import type { Refs } from './http/refs.ts'
import { NO_CONTENT } from './http/replies.ts'
import { operation, resource, type Call } from './http/resource.ts'
import { closedObject, flag, integer, schemaFault, text } from './http/schema.ts'
import { expirationMember, expirationOf, givenPayload, payloadMembers, SECRET_SCHEMA } from './secret-body.ts'
import {
  answerPayload,
  keyFaults,
  payloadAnswers,
  payloadFaults,
  secretFaults,
  secretIdOfPath,
  recallSecretOfPath,
  secretOfPath,
  transportQuery,
} from './secrets.ts'

/** The numbers that versions can have, as a path or a marker writes them. */
const VERSION_NUMBER = /^[1-9]\d{0,14}$/

/** The subject of operations on versions: the access rules of the secret apply. */
type Guarding<Found> = Target & { readonly found: Found }

function guarding<Found extends VersionOfSecret>(found: Found): Guarding<Found> {
  return { ...found.secret, found }
}

/** What refuses the version in a path. */
const versionFaults = [...secretFaults, 'versionNotFound'] as const

/** The version in the path; throws `versionNotFound` for what is neither a number nor `current` or `previous`. */
function versionOfPath(param: Call['param']): WhichVersion {
  const written = param('version')
  if (written === 'current' || written === 'previous') return written
  if (!VERSION_NUMBER.test(written)) throw fault('versionNotFound')
  return Number(written)
}

const refOf = (refs: Refs, secret: Secret, version: number) =>
  refs.to('secrets', secret.id, 'versions', String(version))

function versionView(shown: SecretVersion, secret: Secret, refs: Refs): Shapes['SecretVersion'] {
  const { version, status, created, creatorId, origin, contentType, destroyed } = shown
  return {
    version,
    status,
    created,
    creator_id: creatorId,
    origin,
    ...(contentType !== null && { content_types: { default: contentType } }),
    ...(destroyed !== null && { destroyed }),
    version_ref: refOf(refs, secret, version),
  }
}

const newVersionBody = {
  name: SECRET_SCHEMA,
  type: z.lazy(() =>
    closedObject({
      ...payloadMembers(),
      generate: z.optional(flag()),
      restore: z.optional(integer({ min: 1 })),
      expiration: expirationMember(),
    }).check(z.meta({ oneOf: ['payload', 'generate', 'restore'].map((member) => ({ required: [member] })) })),
  ),
}
type NewVersionBody = z.infer<typeof newVersionBody.type>
const newVersionReader = json(newVersionBody)

/** The content of an older version, as that of a new one; throws `versionDisabled` and `versionIsDestroyed`. */
async function restoredPayload(call: Call, secret: Secret, version: number): Promise<NewPayload> {
  const found = await findSealedVersion(call.backend, secret.id, version)
  if (found.version.status === 'DESTROYED') throw fault('versionIsDestroyed', String(version))
  const bytes = await openVersion(call.backend, found)
  return { bytes, contentType: found.version.contentType, origin: `restored from ${version}` }
}

/** What makes the payload that a body describes. Throws unless the body says so in exactly one way. */
async function payloadOf(call: Call, secret: Secret, body: NewVersionBody): Promise<(current: Secret) => NewPayload> {
  const given = givenPayload(body, call.config.maxSecretBytes)
  const ways = [given !== null, body.generate === true, body.restore !== undefined]
  if (ways.filter(Boolean).length !== 1) {
    throw schemaFault(SECRET_SCHEMA, "exactly one of 'payload', 'generate' and 'restore' must be given", undefined)
  }
  if (given) return () => ({ ...given, origin: 'payload' })
  if (body.restore === undefined) return generatedPayload
  const restored = await restoredPayload(call, secret, body.restore)
  return () => restored
}

type ListedSecret = Secret & { readonly list?: { readonly asked: MarkedPage; readonly read: ReadPage<SecretVersion> } }

/** Finds the secret of the path with the page of its versions that the query asks for. */
async function listOfPath({ backend, param, search }: Call): Promise<ListedSecret> {
  const asked = valuesIn(markedQuery, search)
  const isFirst = asked.marker === undefined || asked.marker === ''
  if (!isFirst && !VERSION_NUMBER.test(asked.marker ?? '')) throw fault('markerUnknown')
  const wanted = { limit: asked.limit, offset: asked.offset, before: isFirst ? undefined : Number(asked.marker) }
  const { secret, listed } = await listVersions(backend, secretIdOfPath(param), wanted)
  return { ...secret, list: { asked, read: listed } }
}

const collection = resource<ListedSecret>({
  path: '/secrets/:secret/versions',
  find: (call) => (call.c.req.method === 'GET' ? listOfPath(call) : secretOfPath(call)),
  recall: recallSecretOfPath,
  faults: secretFaults,
  operations: {
    GET: operation({
      name: 'Secret version(s) retrieval',
      rule: 'secret:get',
      query: markedQuery,
      answers: { 200: 'SecretVersions' },
      faults: ['markerUnknown'],
      answer({ search, refs }, secret) {
        const { asked, read } = secret.list ?? {}
        if (!asked || !read) throw fault('versionNotFound')
        const items = read.items.map((item) => ({ id: String(item.version), item }))
        const nextMarker = markerAfter(asked, { items, more: read.more })
        const href = refs.to('secrets', secret.id, 'versions')
        const versions = read.items.map((item) => versionView(item, secret, refs))
        const end = pageEnd({ href, search, page: asked, count: versions.length, total: read.total, nextMarker })
        return { status: 200, json: { versions, ...end } }
      },
    }),
    POST: operation({
      name: 'Secret version creation',
      rule: 'secret_version:post',
      body: newVersionReader,
      answers: { 201: 'NewVersion' },
      faults: [
        'payloadTooLarge',
        'preconditionFailed',
        'versionNotFound',
        'versionDisabled',
        'versionIsDestroyed',
        'versionsFull',
        'notGenerated',
        'changedConcurrently',
        ...keyFaults,
      ],
      async answer(call, secret, body) {
        const { c, backend, refs } = call
        const expiration = body.expiration === undefined ? undefined : expirationOf(body, SECRET_SCHEMA, backend.now)
        const { require } = preconditionOf(c)
        const payload = await payloadOf(call, secret, body)
        const check = (current: Secret) => require(presentVersion(current))
        const { version, consumers } = await storePayload(backend, secret, { check, payload, expiration })
        setVersionTag(c, version)
        return { status: 201, json: { version_ref: located(c, refOf(refs, secret, version)), version, consumers } }
      },
    }),
  },
})

type FoundVersion = Awaited<ReturnType<typeof findVersion>>

const enabledReader = json({
  name: 'Secret version',
  type: z.lazy(() => closedObject({ enabled: flag() })),
  missingNames: 'member',
})

const item = resource<Guarding<FoundVersion>>({
  path: '/secrets/:secret/versions/:version',
  find: async ({ backend, param }) => guarding(await findVersion(backend, secretIdOfPath(param), versionOfPath(param))),
  faults: versionFaults,
  operations: {
    GET: operation({
      name: 'Secret version retrieval',
      rule: 'secret:get',
      answers: { 200: 'SecretVersion' },
      faults: [],
      answer: ({ refs }, { found }) => ({ status: 200, json: versionView(found.version, found.secret, refs) }),
    }),
    PATCH: operation({
      name: 'Secret version update',
      rule: 'secret_version:patch',
      body: enabledReader,
      answers: { 200: 'SecretVersion' },
      faults: ['versionIsCurrent', 'versionDestroyed', 'changedConcurrently'],
      async answer({ backend, refs }, { found }, { enabled }) {
        return { status: 200, json: versionView(await enableVersion(backend, found, enabled), found.secret, refs) }
      },
    }),
    DELETE: operation({
      name: 'Secret version deletion',
      rule: 'secret_version:delete',
      accept: 'known',
      answers: { 204: null },
      faults: ['versionIsCurrent', 'versionEnabled', 'versionDestroyed', 'changedConcurrently'],
      async answer({ backend }, { found }) {
        await destroyVersion(backend, found)
        return NO_CONTENT
      },
    }),
  },
})

const payloadOfVersion = resource<Guarding<SealedVersion>>({
  path: '/secrets/:secret/versions/:version/payload',
  find: async ({ backend, param }) =>
    guarding(await readSealedVersion(backend, secretIdOfPath(param), versionOfPath(param))),
  faults: versionFaults,
  operations: {
    GET: operation({
      name: 'Secret payload retrieval',
      rule: 'secret:decrypt',
      accept: 'negotiated',
      query: transportQuery,
      answers: payloadAnswers,
      faults: [...payloadFaults, 'versionDisabled', 'versionDestroyed'],
      answer(call, { found }) {
        const { version, contentType } = found.version
        const open = () => readVersion(call.backend, found)
        return answerPayload(call, { secret: found.secret, version, contentType, open })
      },
    }),
  },
})

const versioningReader = json({
  name: 'Secret versioning',
  type: z.lazy(() =>
    closedObject({
      put: z.optional(text({ oneOf: putModes })),
      keep: z.optional(integer({ min: KEPT_VERSIONS.least, max: KEPT_VERSIONS.most })),
      rotate_days: z.optional(integer({ min: 0, max: MOST_ROTATE_DAYS })),
      despite_consumers: z.optional(flag()),
    }),
  ),
})

const versioningView = (
  { put, keep, rotateDays, rotationDue }: Secret,
  keptByDefault: number,
): Shapes['Versioning'] => ({
  put: put ?? 'refuse',
  keep: keep ?? keptByDefault,
  rotate_days: rotateDays ?? 0,
  next_rotation: rotationDue,
})

const versioning = resource<Secret>({
  path: '/secrets/:secret/versioning',
  find: secretOfPath,
  faults: secretFaults,
  operations: {
    GET: operation({
      name: 'Secret versioning retrieval',
      rule: 'secret:get',
      answers: { 200: 'Versioning' },
      faults: [],
      answer: ({ backend }, secret) => ({ status: 200, json: versioningView(secret, backend.keepVersions) }),
    }),
    PUT: operation({
      name: 'Secret versioning update',
      rule: 'secret_versioning:put',
      body: versioningReader,
      answers: { 200: 'Versioning' },
      faults: ['notRotated', 'rotationConsumed', 'changedConcurrently'],
      async answer({ backend }, secret, body) {
        const { put, keep, rotate_days: rotateDays, despite_consumers: despiteConsumers } = body
        const set = await setVersioning(backend, secret, { put, keep, rotateDays, despiteConsumers })
        return { status: 200, json: versioningView(set, backend.keepVersions) }
      },
    }),
  },
})

export const secretVersionResources = [collection, item, payloadOfVersion, versioning]
