/** Validates `meta` of certificate orders with the checks of the API contract, in its order and with its messages. */
import { checkRequest } from '../crypto/certificate-requests.ts'
import { readSubject } from '../crypto/distinguished-names.ts'
import { fault } from '../faults.ts'
import { parseExtensions, type CertificateMeta } from '../state/orders/certificate-orders.ts'
import { pythonNotation, stripText } from './http/python.ts'
import { schemaFault } from './http/schema.ts'

type Meta = Readonly<Record<string, unknown>>

/** Members of `meta` that are stored and returned, all of them strings; python-barbicanclient fails on any other. */
const shownMembers = [
  'name',
  'request_type',
  'request_data',
  'container_ref',
  'subject_dn',
  'ca_id',
  'profile',
  'requestor_name',
  'requestor_email',
  'requestor_phone',
] as const
/** A member that is stored for the run but not returned, because python-barbicanclient does not support it. */
const HIDDEN_MEMBER = 'extensions'

function required(meta: Meta, field: keyof CertificateMeta): unknown {
  if (meta[field] === undefined || meta[field] === null) throw fault('metadataField', field)
  return meta[field]
}

async function checkRequestData(meta: Meta): Promise<void> {
  const data = required(meta, 'request_data')
  const { outcome } = typeof data === 'string' ? await checkRequest(data) : { outcome: 'encoding' as const }
  if (outcome === 'encoding') throw fault('requestData')
  if (outcome === 'format') throw fault('requestFormat')
  if (outcome === 'signature') throw fault('requestSignature')
}

function checkStoredKey(meta: Meta): void {
  required(meta, 'container_ref')
  const name = required(meta, 'subject_dn')
  if (typeof name !== 'string') throw fault('subjectName', pythonNotation(name))
  const subject = readSubject(name)
  if (subject.outcome === 'syntax') throw fault('subjectName', name)
  if (subject.outcome === 'refused') throw fault('subjectRefused', subject.reason)
  const { extensions } = meta
  if (!extensions) return
  if (typeof extensions !== 'string' || !parseExtensions(extensions)) throw fault('certificateExtensions')
}

/** What refuses the `meta` of a certificate order. */
export const certificateFaults = [
  'metadataField',
  'certificateRequestType',
  'fullCmc',
  'requestData',
  'requestFormat',
  'requestSignature',
  'subjectName',
  'subjectRefused',
  'certificateExtensions',
] as const

/** The checks of each request type. Barbican defines `full-cmc` but rejects it. */
const requestTypes: Readonly<Record<string, (meta: Meta) => void | Promise<void>>> = {
  custom(meta) {
    if (meta['request_data'] !== undefined && typeof meta['request_data'] !== 'string') throw fault('requestData')
  },
  'simple-cmc': checkRequestData,
  'full-cmc'() {
    throw fault('fullCmc')
  },
  'stored-key': checkStoredKey,
}

/**
 * Validates `meta` and returns it in stored form: the known members, without outer white space. Throws the failure of
 * the first violated check.
 */
export async function checkedCertificateMeta(input: Meta): Promise<Meta> {
  const meta: Meta = Object.fromEntries(
    Object.entries(input).map(([name, value]) => [name, typeof value === 'string' ? stripText(value) : value]),
  )
  if (meta['payload'] !== undefined) {
    throw schemaFault('Order', "'payload' not allowed for certificate type order", 'meta')
  }
  if (meta['profile'] !== undefined) required(meta, 'ca_id')
  const type = meta['request_type'] === undefined ? 'custom' : meta['request_type']
  const check = typeof type === 'string' && Object.hasOwn(requestTypes, type) ? requestTypes[type] : undefined
  if (!check) throw fault('certificateRequestType')
  await check(meta)
  const invalid = shownMembers.find((name) => typeof (meta[name] ?? '') !== 'string')
  if (invalid) throw schemaFault('Order', `'${invalid}' must be text`, 'meta')
  const isStored = (name: string) => name === HIDDEN_MEMBER || (shownMembers as readonly string[]).includes(name)
  return Object.fromEntries(Object.entries(meta).filter(([name, value]) => isStored(name) && typeof value === 'string'))
}

/** Returns the stored `meta` of an order without the members that are not returned to clients. */
export function shownCertificateMeta(meta: Meta): Meta {
  const { [HIDDEN_MEMBER]: _, ...shown } = meta
  return shown
}
