/** `meta` of certificate orders: what the contract checks before it accepts one, in its order and words. */
import { checkRequest } from '../crypto/certificate-requests.ts'
import { parseName } from '../crypto/distinguished-names.ts'
import { fault } from '../faults.ts'
import { parseExtensions, type CertificateMeta } from '../state/certificate-orders.ts'
import { stripText } from './python.ts'
import { schemaFault } from './schema.ts'

type Meta = Readonly<Record<string, unknown>>

/** Members that the service acts on: they are text or, but for `extensions`, refused as what they are. */
const textMembers = ['container_ref', 'subject_dn', 'ca_id', 'profile'] as const

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
  if (typeof name !== 'string' || !parseName(name)) throw fault('subjectName', String(name))
  const { extensions } = meta
  if (!extensions) return
  if (typeof extensions !== 'string' || !parseExtensions(extensions)) throw fault('certificateExtensions')
}

/** What each type of request needs; `full-cmc` is known and refused. */
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

/** `meta` as it is kept and shown: as it was sent, but for white space around its strings. */
export async function checkedCertificateMeta(given: Meta): Promise<Meta> {
  const stripped = Object.entries(given).map(([name, value]) => [
    name,
    typeof value === 'string' ? stripText(value) : value,
  ])
  const meta = Object.fromEntries(stripped) as Meta
  if (meta['payload'] !== undefined) {
    throw schemaFault('Order', "'payload' not allowed for certificate type order", 'meta')
  }
  if (meta['profile'] !== undefined) required(meta, 'ca_id')
  const type = meta['request_type'] === undefined ? 'custom' : meta['request_type']
  const check = typeof type === 'string' && Object.hasOwn(requestTypes, type) ? requestTypes[type] : undefined
  if (!check) throw fault('certificateRequestType')
  await check(meta)
  const strange = textMembers.find((name) => meta[name] !== undefined && typeof meta[name] !== 'string')
  if (strange) throw schemaFault('Order', `'${strange}' must be text`, 'meta')
  return meta
}
