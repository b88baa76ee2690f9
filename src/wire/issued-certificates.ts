/** Issued certificates on the wire: `/cas/{id}/certificates`, and `…/{serial}/revoke`. No client of the peer has a word for them. */
import type { Target } from '../access/policy.ts'
import { fault } from '../faults.ts'
import type { IssuedCertificate } from '../state/containers/revocations.ts'
import { findAuthority } from '../state/orders/certificate-authorities.ts'
import {
  findCertificate,
  listCertificates,
  revokeCertificate,
  type AuthorityOfProject,
} from '../state/orders/issued-certificates.ts'
import { pageEnd } from './http/answers.ts'
import { pageQuery } from './http/paging.ts'
import { NO_CONTENT } from './http/replies.ts'
import type { Refs } from './http/refs.ts'
import { operation, projectTarget, resource, type Call } from './http/resource.ts'

type AuthorityTarget = Target & { readonly authority: AuthorityOfProject }
type CertificateTarget = Target & { readonly certificate: IssuedCertificate | null }

async function authorityOfPath({ backend, caller, param }: Call): Promise<AuthorityTarget> {
  const authority = await findAuthority(backend, caller.projectId, param('authority'))
  return { ...projectTarget(caller), authority }
}

/** The authority has to be there; of a certificate only who may revoke one learns whether it is. */
async function certificateOfPath({ backend, caller, param }: Call): Promise<CertificateTarget> {
  const authority = { id: param('authority'), projectId: caller.projectId }
  return { ...projectTarget(caller), certificate: await findCertificate(backend, authority, param('serial')) }
}

/** The container may be gone; the ref says where the certificate was. */
const view = ({ serial, containerId, created, expiration, revoked }: IssuedCertificate, refs: Refs) => ({
  serial,
  container_ref: refs.to('containers', containerId),
  created,
  expiration,
  revoked,
})

const collection = resource<AuthorityTarget>({
  path: '/cas/:authority/certificates',
  reads: 'primary',
  find: authorityOfPath,
  faults: ['authorityNotFound'],
  operations: {
    GET: operation({
      name: 'Issued Certificate(s) retrieval',
      rule: 'certificates:get',
      query: pageQuery,
      answers: { 200: 'IssuedCertificates' },
      faults: [],
      async answer({ backend, search, query, refs }, { authority }) {
        const { items, total } = await listCertificates(backend, authority, query)
        const certificates = items.map((certificate) => view(certificate, refs))
        const href = refs.to('cas', authority.id, 'certificates')
        const end = pageEnd({ href, search, page: query, count: certificates.length, total })
        return { status: 200, json: { certificates, ...end } }
      },
    }),
  },
})

/** Not a DELETE: the certificate stays in the list, as revoked. */
const revocation = resource<CertificateTarget>({
  path: '/cas/:authority/certificates/:serial/revoke',
  find: certificateOfPath,
  faults: ['authorityNotFound'],
  operations: {
    POST: operation({
      name: 'Issued Certificate revocation',
      rule: 'certificate:revoke',
      accept: 'known',
      answers: { 204: null },
      faults: ['certificateNotFound', 'notIssued'],
      async answer({ backend }, { certificate }) {
        if (!certificate) throw fault('certificateNotFound')
        await revokeCertificate(backend, certificate)
        return NO_CONTENT
      },
    }),
  },
})

export const issuedCertificateResources = [collection, revocation]
