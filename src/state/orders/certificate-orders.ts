/** Runs of certificate orders: from what was ordered to a container with the certificate, or the reason why not. */
import { issueCertificate, profiles, type IssuedCertificate, type Profile } from '../../crypto/certificate-authority.ts'
import {
  checkRequest,
  isAlternativeName,
  requestForStoredKey,
  type AlternativeName,
} from '../../crypto/certificate-requests.ts'
import { certificateName, parseName } from '../../crypto/distinguished-names.ts'
import { decodeUtf8 } from '../../crypto/encoding.ts'
import { Fault } from '../../faults.ts'
import { formatTime, millisecondsOf } from '../../times.ts'
import type { Backend } from '../backend.ts'
import {
  currentAuthority,
  findAuthority,
  openedAuthority,
  type CertificateAuthority,
} from './certificate-authorities.ts'
import { containerRows, findContainer } from '../containers/containers.ts'
import type { Guarded, NamedSecret } from '../entities.ts'
import { withMac } from '../integrity/row-authentication.ts'
import type { OrderError, OrderResult } from '../project-calls.ts'
import { unfinished } from './order-schedule.ts'
import type { Order } from './orders.ts'
import { findSealedSecret, openPayload, sealedRow } from '../secrets/secrets.ts'

/** `meta` of a certificate order, as the wire has checked it. */
export interface CertificateMeta {
  readonly request_type?: 'custom' | 'simple-cmc' | 'stored-key'
  readonly request_data?: string
  readonly container_ref?: string
  readonly subject_dn?: string
  readonly extensions?: string
  readonly ca_id?: string
  readonly profile?: string
}

/** The kinds of alternative names in the words of OpenSSL. */
const alternativeKinds = { dns: 'dns', ip: 'ip', email: 'email', uri: 'url' } as const

/** The names in `subjectAltName=DNS:a.example,IP:192.0.2.1,…`; null for any other extension and what is no name. */
export function parseExtensions(text: string): AlternativeName[] | null {
  const [, list = ''] = /^\s*subjectAltName\s*=(.+)$/i.exec(text) ?? []
  const names = list.split(',').map((one) => {
    const [, kind = '', value = ''] = /^\s*(\w+)\s*:\s*(\S+)\s*$/.exec(one) ?? []
    const type = Object.entries(alternativeKinds).find(([name]) => name === kind.toLowerCase())?.[1]
    return type && isAlternativeName({ type, value }) ? { type, value } : null
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

/** A request for a certificate, and the stored secrets that go into the container beside it. */
interface Wanted {
  readonly requestData: string
  readonly kept: readonly (NamedSecret & { readonly name: string })[]
}

/** What may be missing is missing for the order, not for the service. */
async function unlessGone<Value>(found: Promise<Value>): Promise<Value | null> {
  return found.catch((error: unknown) => {
    if (error instanceof Fault) return null
    throw error
  })
}

/**
 * Whether an order may use an entity: one of its own project, and a private one only for whom its ACL or its making
 * lets read it. The order's roles are not known any more, so none of them opens what is private.
 */
function mayUse({ projectId, creatorId }: Order, entity: Guarded | null): entity is Guarded {
  if (entity?.projectId !== projectId) return false
  return !entity.private || entity.creatorId === creatorId || entity.readers.includes(creatorId)
}

async function textOf(backend: Backend, order: Order, secretId: string): Promise<string | null> {
  const secret = await unlessGone(findSealedSecret(backend, secretId))
  if (!secret || !mayUse(order, secret)) return null
  const payload = await unlessGone(openPayload(backend, secret))
  return payload && decodeUtf8(payload)
}

/** The request for a key pair that a container of the project holds; null when it, or a usable key, is not there. */
async function storedKey(backend: Backend, order: Order, meta: CertificateMeta): Promise<Wanted | null> {
  const ref = (meta.container_ref ?? '').replace(/\/$/, '')
  const container = await unlessGone(findContainer(backend, ref.slice(ref.lastIndexOf('/') + 1)))
  const subject = certificateName(parseName(meta.subject_dn ?? '') ?? [])
  if (!container || !mayUse(order, container) || !subject) return null
  const { secrets } = container
  const named = (name: string) => secrets.find((secret) => secret.name === name)
  const [key, secretPassphrase] = [named('private_key'), named('private_key_passphrase')]
  const privateKey = key && (await textOf(backend, order, key.secretId))
  const passphrase = secretPassphrase ? await textOf(backend, order, secretPassphrase.secretId) : null
  if (!key || !privateKey) return null
  const alternativeNames = meta.extensions ? (parseExtensions(meta.extensions) ?? []) : []
  const requestData = await requestForStoredKey({ privateKey, passphrase, subject, alternativeNames })
  const kept = [
    { name: 'private_key', secretId: key.secretId },
    ...(secretPassphrase ? [{ name: 'private_key_passphrase', secretId: secretPassphrase.secretId }] : []),
  ]
  return requestData === null ? null : { requestData, kept }
}

async function wantedBy(backend: Backend, order: Order, meta: CertificateMeta): Promise<Wanted | OrderError> {
  if (meta.request_type === 'stored-key') return (await storedKey(backend, order, meta)) ?? unfinished
  return meta.request_data ? { requestData: meta.request_data, kept: [] } : noRequestData
}

async function authorityFor(backend: Backend, id: string | undefined): Promise<CertificateAuthority | null> {
  return id ? unlessGone(findAuthority(backend, id)) : currentAuthority(backend)
}

/** The result of an order as rows: two new secrets, those that were there, and the container of all. */
async function resultOf(
  backend: Backend,
  order: Order,
  authority: CertificateAuthority,
  issued: IssuedCertificate,
  kept: Wanted['kept'],
): Promise<OrderResult> {
  const owner = { projectId: order.projectId, userId: order.creatorId, roles: [] }
  const described = { name: null, algorithm: null, mode: null, bitLength: null, expiration: null }
  const part = async (name: 'certificate' | 'intermediates') => {
    const contentType = 'application/octet-stream'
    const secret = { ...described, secretType: 'opaque', contentType, payload: issued[name] } as const
    return { name, row: await sealedRow(backend, owner, secret) }
  }
  const parts = [await part('certificate'), await part('intermediates')]
  const { now } = backend
  const { id: orderId, projectId } = order
  const members = [...parts.map(({ name, row }) => ({ name, secretId: row.id })), ...kept]
  const made = await containerRows(backend, owner, { name: null, type: 'certificate', secrets: members })
  return {
    orderId,
    projectId,
    meta: order.meta,
    subStatus: 'cert_generated',
    subStatusMessage: 'Certificate has been generated',
    ...made,
    secrets: parts.map(({ row }) => row),
    issued: await withMac(backend, 'issuedCertificates', {
      serial: issued.serial,
      authorityId: authority.id,
      projectId,
      containerId: made.container.id,
      expiration: formatTime(issued.expires),
      created: now,
      revoked: null,
    }),
  }
}

/** Issues what a PENDING certificate order asks for; an error ends the order, anything thrown has it run again. */
export async function certificateResult(backend: Backend, order: Order): Promise<OrderResult | OrderError> {
  const meta = JSON.parse(order.meta) as CertificateMeta
  const profile = meta.profile || 'default'
  if (!Object.hasOwn(profiles, profile)) return refused(`There is no profile ${profile.slice(0, 40)}`)
  const authority = await authorityFor(backend, meta.ca_id)
  if (!authority || authority.expiration <= backend.now) return unfinished
  const wanted = await wantedBy(backend, order, meta)
  if ('reason' in wanted) return wanted
  const checked = await checkRequest(wanted.requestData)
  if (checked.outcome === 'refused') return refused(checked.reason)
  if (checked.outcome !== 'good') return refused('The certificate request cannot be used')
  const opened = await openedAuthority(backend, authority)
  const issued = await issueCertificate(opened, checked.request, profile as Profile, millisecondsOf(backend.now))
  return resultOf(backend, order, authority, issued, wanted.kept)
}
