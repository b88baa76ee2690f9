/**
 * The resources under `/cas`: certificate authorities, in the format that python-barbicanclient's `cas` manager reads.
 */
import {
  findAuthority,
  findWithRevocations,
  listAuthorities,
  revocationsOf,
  type CertificateAuthority,
} from '../state/orders/certificate-authorities.ts'
import type { Target } from '../access/policy.ts'
import { json as answer, page } from './http/answers.ts'
import { parsePage } from './http/paging.ts'
import { operation, projectTarget, resource, type Call } from './http/resource.ts'
import { respond } from './http/response.ts'

/** The media type of PEM certificates, registered by RFC 8555. */
const PEM = 'application/pem-certificate-chain'

type AuthorityTarget = Target & { readonly authority: CertificateAuthority }

/** Finds the authority that the path names. Every project has access to it. */
async function authorityOfPath({ backend, caller, param }: Call): Promise<AuthorityTarget> {
  return { ...projectTarget(caller), authority: await findAuthority(backend, param('authority')) }
}

function view({ id, created, expiration }: CertificateAuthority) {
  return {
    created,
    updated: created,
    status: 'ACTIVE',
    plugin_name: 'portcullis',
    plugin_ca_id: id,
    expiration,
    meta: [{ name: 'Portcullis' }, { description: 'The certificate authority of this deployment' }],
  }
}

/** Encodes a DER certificate as PEM (RFC 7468). */
function pemOf(der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

const collection = resource({
  path: '/cas',
  // The first list creates the authority. A replica could still lack an existing one.
  reads: 'primary',
  operations: {
    GET: operation({
      name: 'CertificateAuthorities(s) retrieval',
      rule: 'certificate_authorities:get',
      async answer({ c, backend, query, refs }) {
        const requested = parsePage(query)
        const { items, total } = await listAuthorities(backend, requested)
        const hrefs = items.map(({ id }) => refs.to('cas', id))
        return page(c, 'cas', hrefs, { href: refs.to('cas'), query, page: requested, total })
      },
    }),
  },
})

const item = resource<AuthorityTarget>({
  path: '/cas/:authority',
  find: authorityOfPath,
  operations: {
    GET: operation<AuthorityTarget>({
      name: 'CertificateAuthority retrieval',
      rule: 'certificate_authority:get',
      answer: ({ c }, { authority }) => answer(c, 200, view(authority)),
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
    operations: {
      GET: operation<Subject>({
        name,
        rule: 'certificate_authority:get',
        accept: 'negotiated',
        async answer(call, subject) {
          return respond(call.c, 200, await text(call, subject), PEM)
        },
      }),
    },
  })
}

async function revocationsOfPath({ backend, caller, param }: Call) {
  return { ...projectTarget(caller), ...(await findWithRevocations(backend, param('authority'))) }
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
