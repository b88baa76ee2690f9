/** Certificate authorities on the wire: `/cas` and below, as python-barbicanclient's `cas` manager reads them. */
import {
  findAuthority,
  listAuthorities,
  revocationsOf,
  type CertificateAuthority,
} from '../state/certificate-authorities.ts'
import type { Target } from '../access/policy.ts'
import { encodeBase64 } from '../crypto/encoding.ts'
import { json as answer, page } from './answers.ts'
import { parsePage } from './paging.ts'
import { operation, projectTarget, resource, type Call } from './resource.ts'

/** The media type of PEM, for which RFC 8555 registered a name. */
const PEM = 'application/pem-certificate-chain'

type AuthorityTarget = Target & { readonly authority: CertificateAuthority }

/** An authority belongs to every project. */
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

/** A certificate (DER) as PEM of RFC 7468. */
function pemOf(der: Uint8Array): string {
  const lines = encodeBase64(der).match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

const collection = resource({
  path: '/cas',
  // The first list makes an authority: nobody is to miss the one that is there.
  reads: 'primary',
  operations: {
    GET: operation({
      name: 'CertificateAuthorities(s) retrieval',
      rule: 'certificate_authorities:get',
      async answer({ c, backend, query, refs }) {
        const asked = parsePage(query)
        const { items, total } = await listAuthorities(backend, asked)
        const hrefs = items.map(({ id }) => refs.to('cas', id))
        return page(c, 'cas', hrefs, { href: refs.to('cas'), query, page: asked, total })
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

const documents = {
  /** The root, which is what one trusts. */
  cacert: async (_call: Call, { root }: CertificateAuthority) => pemOf(root),
  /** What stands between the root and a certificate. */
  intermediates: async (_call: Call, { issuing }: CertificateAuthority) => pemOf(issuing),
  crl: ({ backend }: Call, authority: CertificateAuthority) => revocationsOf(backend, authority),
} as const

const names = {
  cacert: 'CA Certificate retrieval',
  intermediates: 'CA Intermediates retrieval',
  crl: 'CA Revocation List retrieval',
} as const

const parts = (Object.keys(documents) as (keyof typeof documents)[]).map((part) =>
  resource<AuthorityTarget>({
    path: `/cas/:authority/${part}`,
    // A revocation counts at once.
    reads: 'primary',
    find: authorityOfPath,
    operations: {
      GET: operation<AuthorityTarget>({
        name: names[part],
        rule: 'certificate_authority:get',
        accept: 'negotiated',
        async answer(call, { authority }) {
          return call.c.body(await documents[part](call, authority), 200, { 'Content-Type': PEM })
        },
      }),
    },
  }),
)

export const certificateAuthorityResources = [collection, item, ...parts]
