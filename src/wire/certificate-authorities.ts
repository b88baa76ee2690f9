/** A project's certificate authorities on the wire: `/cas` and below, as python-barbicanclient's `cas` manager reads them. */
import {
  findAuthority,
  findWithRevocations,
  listAuthorities,
  revocationsOf,
  type CertificateAuthority,
} from '../state/orders/certificate-authorities.ts'
import type { Target } from '../access/policy.ts'
import type { Shapes } from '../shapes/index.ts'
import { pageEnd } from './http/answers.ts'
import { pageQuery } from './http/paging.ts'
import { operation, projectTarget, resource, type Call } from './http/resource.ts'

/** The media type of PEM certificates, registered by RFC 8555. */
const PEM = 'application/pem-certificate-chain'

type AuthorityTarget = Target & { readonly authority: CertificateAuthority }

/** The path names no project: it leads to the authorities of the caller's, whatever the caller's role. */
async function authorityOfPath({ backend, caller, param }: Call): Promise<AuthorityTarget> {
  const authority = await findAuthority(backend, caller.projectId, param('authority'))
  return { ...projectTarget(caller), authority }
}

function view({ id, created, expiration }: CertificateAuthority): Shapes['CertificateAuthority'] {
  return {
    created,
    updated: created,
    status: 'ACTIVE',
    plugin_name: 'portcullis',
    plugin_ca_id: id,
    expiration,
    meta: [{ name: 'Portcullis' }, { description: 'The certificate authority of this project' }],
  }
}

/** Encodes a DER certificate as PEM (RFC 7468). */
function pemOf(der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

const collection = resource({
  path: '/cas',
  // The first list makes an authority, whose id an order with a profile needs: nobody is to miss the one that is there.
  reads: 'primary',
  operations: {
    GET: operation({
      name: 'CertificateAuthorities(s) retrieval',
      rule: 'certificate_authorities:get',
      query: pageQuery,
      answers: { 200: 'CertificateAuthorities' },
      faults: ['projectDestroyed', 'readOnly'],
      async answer({ backend, caller, search, query, refs }) {
        const { items, total } = await listAuthorities(backend, caller.projectId, query)
        const cas = items.map(({ id }) => refs.to('cas', id))
        const end = pageEnd({ href: refs.to('cas'), search, page: query, count: cas.length, total })
        return { status: 200, json: { cas, ...end } }
      },
    }),
  },
})

const item = resource<AuthorityTarget>({
  path: '/cas/:authority',
  find: authorityOfPath,
  faults: ['authorityNotFound'],
  operations: {
    GET: operation({
      name: 'CertificateAuthority retrieval',
      rule: 'certificate_authority:get',
      answers: { 200: 'CertificateAuthority' },
      faults: [],
      answer: (_call, { authority }) => ({ status: 200, json: view(authority) }),
    }),
  },
})

/** Defines a resource that serves a document of an authority as PEM. `find` reads all its data in one round trip. */
function document<Subject extends AuthorityTarget>(
  part: string,
  name: string,
  find: (call: Call) => Promise<Subject>,
  text: (call: Call, subject: Subject) => Promise<string> | string,
) {
  return resource<Subject>({
    path: `/cas/:authority/${part}`,
    // A revocation must take effect immediately.
    reads: 'primary',
    find,
    faults: ['authorityNotFound'],
    operations: {
      GET: operation({
        name,
        rule: 'certificate_authority:get',
        accept: 'negotiated',
        answers: { 200: { types: [PEM] } },
        faults: [],
        async answer(call, subject) {
          return { status: 200, content: await text(call, subject), type: PEM }
        },
      }),
    },
  })
}

async function revocationsOfPath({ backend, caller, param }: Call) {
  return { ...projectTarget(caller), ...(await findWithRevocations(backend, caller.projectId, param('authority'))) }
}

const documents = [
  // The trust anchor, and the issuing certificate between it and the certificates of subjects.
  document('cacert', 'CA Certificate retrieval', authorityOfPath, (_, { authority }) => pemOf(authority.root)),
  document('intermediates', 'CA Intermediates retrieval', authorityOfPath, (_, { authority }) =>
    pemOf(authority.issuing),
  ),
  document('crl', 'CA Revocation List retrieval', revocationsOfPath, ({ backend }, { authority, revocations }) =>
    revocationsOf(backend, authority, revocations),
  ),
]

export const certificateAuthorityResources = [collection, item, ...documents]
