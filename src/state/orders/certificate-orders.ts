/**
 * Runs of certificate orders. A run returns a container with the certificate, or the error that the order ends with.
 */
import { alternativeName, type AlternativeName } from '../../crypto/alternative-names.ts'
import { issueCertificate, profiles, type IssuedCertificate, type Profile } from '../../crypto/certificate-authority.ts'
import { checkRequest } from '../../crypto/certificate-requests.ts'
import { readSubject } from '../../crypto/distinguished-names.ts'
import { decodeUtf8 } from '../../crypto/encoding.ts'
import { requestForStoredKey } from '../../crypto/stored-key-requests.ts'
import { Fault } from '../../faults.ts'
import { formatTime, millisecondsOf } from '../../times.ts'
import type { Backend } from '../backend.ts'
import { containerRows, findContainer } from '../containers/containers.ts'
import type { Acl, Guarded, NamedSecret, Secret } from '../entities.ts'
import { withMac } from '../integrity/row-authentication.ts'
import type { OrderError, OrderResult } from '../project-calls.ts'
import { findSealedSecret, openPayload, sealedRow } from '../secrets/secrets.ts'
import { allowsOperation, isExtractable } from '../secrets/usages.ts'
import {
  currentAuthority,
  findAuthority,
  openedAuthority,
  type CertificateAuthority,
} from './certificate-authorities.ts'
import { unfinished } from './order-schedule.ts'
import { requesterOf, type Order } from './orders.ts'

/** The `meta` of a certificate order, as validated by `wire`. */
export interface CertificateMeta {
  readonly request_type?: 'custom' | 'simple-cmc' | 'stored-key'
  readonly request_data?: string
  readonly container_ref?: string
  readonly subject_dn?: string
  readonly extensions?: string
  readonly ca_id?: string
  readonly profile?: string
}

/** OpenSSL's names of the kinds of alternative names, with the types of `crypto/alternative-names.ts`. */
const alternativeKinds = { dns: 'dns', ip: 'ip', email: 'email', uri: 'url' } as const

/** Parses `subjectAltName=DNS:a.example,IP:192.0.2.1,…`. Returns null for other extensions and for invalid names. */
export function parseExtensions(text: string): AlternativeName[] | null {
  const [, list = ''] = /^\s*subjectAltName\s*=(.+)$/i.exec(text) ?? []
  const names = list.split(',').map((one) => {
    const [, kind = '', value = ''] = /^\s*(\w+)\s*:\s*(\S+)\s*$/.exec(one) ?? []
    const type = Object.entries(alternativeKinds).find(([name]) => name === kind.toLowerCase())?.[1]
    return type ? alternativeName(type, value) : null
  })
  return names.includes(null) ? null : names.flatMap((name) => (name ? [name] : []))
}

const refused = (reason: string): OrderError => ({
  code: '400',
  reason: `Process TypeOrder issue seen - Invalid operation requested - Reason: ${reason}.`,
})
const noRequestData: OrderError = {
  code: '400',
  reason:
    'Process TypeOrder issue seen - Problem with data in certificate request - Reason: No request_data specified.',
}

/** A certificate request, and the stored secrets that are put into the container with the certificate. */
interface RequestWithSecrets {
  readonly requestData: string
  readonly storedSecrets: readonly (NamedSecret & { readonly name: string })[]
  /** The ACL of the private container that it is all from; null for a request, and for a container that is not private. */
  readonly acl: Acl | null
}

/** Maps a 404 fault to null: a missing entity is an error of the order. Any other fault is one of the service. */
async function nullIfNotFound<Value>(found: Promise<Value>): Promise<Value | null> {
  return found.catch((error: unknown) => {
    if (error instanceof Fault && error.status === 404) return null
    throw error
  })
}

/**
 * Whether an order may use an entity: one of its own project, and a private one only if its ACL or its making lets the
 * user read it who asked last. The roles of that user are not known any more, so none of them opens what is private.
 */
function mayUse(order: Order, entity: Guarded | null): entity is Guarded {
  if (entity?.projectId !== order.projectId) return false
  const user = requesterOf(order)
  return !entity.private || entity.creatorId === user || entity.readers.includes(user)
}

/**
 * Whether an order may sign with a key: one that can be read if it may use the secret; any other as `secret:use` lets
 * the user sign who asked last, of whose roles nothing is known any more.
 */
function maySign(order: Order, key: Secret): boolean {
  if (isExtractable(key)) return mayUse(order, key)
  if (key.projectId !== order.projectId || !allowsOperation(key, 'sign')) return false
  const user = requesterOf(order)
  const isGranted = key.use?.grants.some(({ userId, operations }) => userId === user && operations.includes('sign'))
  return isGranted === true || key.creatorId === user || (!key.private && key.use?.projectAccess !== false)
}

/** Whether an order may read a secret, such as a passphrase. */
const mayRead = (order: Order, secret: Secret): boolean => isExtractable(secret) && mayUse(order, secret)

type Permission = (order: Order, secret: Secret) => boolean

/**
 * The payload of a secret. Null if the secret does not exist, has no payload or may not be used: an order does not
 * reveal which.
 */
async function payloadOf(
  backend: Backend,
  order: Order,
  secretId: string,
  may: Permission,
): Promise<Uint8Array | null> {
  const secret = await nullIfNotFound(findSealedSecret(backend, secretId))
  return secret && may(order, secret) ? nullIfNotFound(openPayload(backend, secret)) : null
}

/** The secret with this name in a container, with its payload; null if there is none that the order may use. */
async function namedPayload(
  backend: Backend,
  order: Order,
  secrets: readonly NamedSecret[],
  name: string,
  may: Permission,
) {
  const secret = secrets.find((each) => each.name === name)
  const payload = secret && (await payloadOf(backend, order, secret.secretId, may))
  return payload ? { name, secretId: secret.secretId, payload } : null
}

/** Creates a certificate request for the key pair in a container of the project. */
async function storedKey(
  backend: Backend,
  order: Order,
  meta: CertificateMeta,
): Promise<RequestWithSecrets | OrderError> {
  // Both were validated when the order was placed, but possibly by an earlier version of the service.
  const subject = readSubject(meta.subject_dn ?? '')
  if (subject.outcome !== 'good') return refused('The subject_dn cannot be used')
  const alternativeNames = meta.extensions ? parseExtensions(meta.extensions) : []
  if (!alternativeNames) return refused('The extensions cannot be used')
  const ref = (meta.container_ref ?? '').replace(/\/$/, '')
  const container = await nullIfNotFound(findContainer(backend, ref.slice(ref.lastIndexOf('/') + 1)))
  if (!container || !mayUse(order, container)) return refused('There is no such container that the order may use')
  const key = await namedPayload(backend, order, container.secrets, 'private_key', maySign)
  if (!key) return refused('The container has no private_key that the order may use')
  const passphrase = await namedPayload(backend, order, container.secrets, 'private_key_passphrase', mayRead)
  const text = passphrase && decodeUtf8(passphrase.payload)
  if (passphrase && text === null) return refused('The private_key_passphrase is not text in UTF-8')
  const requested = await requestForStoredKey({
    privateKey: key.payload,
    passphrase: text,
    subject: subject.names,
    alternativeNames,
  })
  if (requested.outcome === 'refused') return refused(requested.reason)
  const storedSecrets = [key, ...(passphrase ? [passphrase] : [])].map(({ name, secretId }) => ({ name, secretId }))
  return { requestData: requested.request, storedSecrets, acl: container.private ? container.acl : null }
}

async function requestOf(
  backend: Backend,
  order: Order,
  meta: CertificateMeta,
): Promise<RequestWithSecrets | OrderError> {
  if (meta.request_type === 'stored-key') return storedKey(backend, order, meta)
  return meta.request_data ? { requestData: meta.request_data, storedSecrets: [], acl: null } : noRequestData
}

async function authorityFor(
  backend: Backend,
  { projectId }: Order,
  id: string | undefined,
): Promise<CertificateAuthority | null> {
  return id ? nullIfNotFound(findAuthority(backend, projectId, id)) : currentAuthority(backend, projectId)
}

/**
 * The result of an order as rows: two new secrets, those that were there, and the container of all. It belongs to who
 * asked last, and is as private as the container that it came from.
 */
async function resultOf(
  backend: Backend,
  order: Order,
  authority: CertificateAuthority,
  issued: IssuedCertificate,
  { storedSecrets, acl: inherited }: RequestWithSecrets,
): Promise<OrderResult> {
  const owner = { projectId: order.projectId, userId: requesterOf(order), roles: [] }
  const acl = inherited && { ...inherited, created: backend.now, updated: backend.now }
  const described = { name: null, algorithm: null, mode: null, bitLength: null, expiration: null }
  const part = async (name: 'certificate' | 'intermediates') => {
    const contentType = 'application/octet-stream'
    const secret = { ...described, secretType: 'opaque', contentType, payload: issued[name] } as const
    return { name, row: await sealedRow(backend, owner, secret, acl) }
  }
  const parts = [await part('certificate'), await part('intermediates')]
  const { now } = backend
  const { id: orderId, projectId } = order
  const members = [...parts.map(({ name, row }) => ({ name, secretId: row.id })), ...storedSecrets]
  const created = await containerRows(backend, owner, { name: null, type: 'certificate', secrets: members }, acl)
  return {
    orderId,
    projectId,
    mac: order.mac,
    subStatus: 'cert_generated',
    subStatusMessage: 'Certificate has been generated',
    ...created,
    secrets: parts.map(({ row }) => row),
    issued: await withMac(backend, 'issuedCertificates', {
      serial: issued.serial,
      authorityId: authority.id,
      projectId,
      containerId: created.container.id,
      expiration: formatTime(issued.expires),
      created: now,
      revoked: null,
    }),
  }
}

/** Issues the certificate of a PENDING order. A returned error ends the order; after an exception it is run again. */
export async function certificateResult(backend: Backend, order: Order): Promise<OrderResult | OrderError> {
  const meta = JSON.parse(order.meta) as CertificateMeta
  const profile = meta.profile || 'default'
  if (!Object.hasOwn(profiles, profile)) return refused(`There is no profile ${profile.slice(0, 40)}`)
  const authority = await authorityFor(backend, order, meta.ca_id)
  if (!authority) return meta.ca_id ? refused('There is no such certificate authority') : unfinished
  if (authority.expiration <= backend.now) return meta.ca_id ? refused('The authority has expired') : unfinished
  const request = await requestOf(backend, order, meta)
  if ('reason' in request) return request
  const checked = await checkRequest(request.requestData)
  if (checked.outcome === 'refused') return refused(checked.reason)
  if (checked.outcome !== 'good') return refused('The certificate request cannot be used')
  const opened = await openedAuthority(backend, authority)
  const issued = await issueCertificate(opened, checked.request, profile as Profile, millisecondsOf(backend.now))
  if ('reason' in issued) return refused(issued.reason)
  return resultOf(backend, order, authority, issued, request)
}
