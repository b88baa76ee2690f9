/** What the embedded identity answers, in Keystone's forms. */
import * as z from 'zod/mini'
import { described, list, oneOf, ref, textOrNull, timeOrNull } from './members.ts'

const links = () => z.object({ self: ref() })
const named = () => z.object({ id: z.string(), name: z.string() })
const inDomain = () => z.object({ id: z.string(), name: z.string(), domain: named() })
const options = () => z.object({ immutable: z.optional(z.boolean()) })
const instant = () => described(z.string(), 'RFC 3339, in UTC.')

/** An entity that has further members, as the request that made or changed it gave them. */
const extended = <Members extends z.core.$ZodLooseShape>(members: Members) =>
  z.looseObject(members).check(z.meta({ additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } }))

const Project = extended({
  id: z.string(),
  name: z.string(),
  domain_id: z.string(),
  description: z.string(),
  enabled: z.boolean(),
  parent_id: z.string(),
  is_domain: z.literal(false),
  tags: list(z.string()),
  options: options(),
  links: links(),
})

const User = extended({
  id: z.string(),
  name: z.string(),
  domain_id: z.string(),
  enabled: z.boolean(),
  default_project_id: z.optional(z.string()),
  password_expires_at: z.null(),
  options: z.object({}),
  links: links(),
})

const roleMembers = () => ({
  id: z.string(),
  name: z.string(),
  domain_id: z.null(),
  description: textOrNull(),
  options: options(),
})

const Role = z.object({ ...roleMembers(), links: links() })

const RoleAssignment = z.object({
  links: z.object({ assignment: ref(), prior_role: z.optional(ref()) }),
  scope: z.object({ project: z.union([inDomain(), z.object({ id: z.string() })]) }),
  user: z.union([inDomain(), z.object({ id: z.string() })]),
  role: z.union([named(), z.object({ id: z.string() })]),
})

const credentialMembers = () => ({
  id: z.string(),
  name: z.string(),
  description: textOrNull(),
  user_id: z.string(),
  project_id: z.string(),
  system: z.null(),
  expires_at: timeOrNull(),
  unrestricted: z.boolean(),
  roles: list(z.object(roleMembers())),
  links: links(),
})

const ApplicationCredential = z.object(credentialMembers())

const endpointMembers = () => ({
  id: z.string(),
  interface: oneOf(['public', 'internal', 'admin']),
  region_id: z.string(),
  url: ref(),
  region: z.string(),
})
const serviceMembers = () => ({ id: z.string(), type: z.string(), name: z.string() })

const Catalog = list(z.object({ ...serviceMembers(), endpoints: list(z.object(endpointMembers())) }))

const IdentityService = z.object({ ...serviceMembers(), enabled: z.literal(true), links: links() })
const IdentityEndpoint = z.object({
  ...endpointMembers(),
  service_id: z.string(),
  enabled: z.literal(true),
  links: links(),
})
const Region = z.object({ id: z.string(), description: z.string(), parent_region_id: z.null(), links: links() })

const Domain = z.object({
  ...named().shape,
  description: z.string(),
  enabled: z.literal(true),
  tags: list(z.string()),
  options: options(),
  links: links(),
})

const IdentityToken = z.object({
  methods: list(z.string()),
  user: z.object({ ...inDomain().shape, password_expires_at: z.null() }),
  audit_ids: list(z.string()),
  expires_at: instant(),
  issued_at: instant(),
  project: described(z.optional(inDomain()), 'Of a token with a scope, as the next three.'),
  is_domain: z.optional(z.boolean()),
  roles: z.optional(list(named())),
  catalog: described(z.optional(Catalog), 'Left out with `nocatalog`.'),
  application_credential: z.optional(z.object({ ...named().shape, restricted: z.boolean() })),
})

const IdentityVersion = z.object({
  id: z.string(),
  status: z.string(),
  updated: instant(),
  links: list(z.object({ rel: z.string(), href: ref() })),
  'media-types': list(z.object({ base: z.string(), type: z.string() })),
})

/** A whole collection: nothing is left for further pages. */
const collected = <const Member extends string, Entry extends z.ZodMiniType>(member: Member, entry: Entry) =>
  z.object({
    ...({ [member]: list(entry) } as Record<Member, ReturnType<typeof list<Entry>>>),
    links: z.object({ next: z.null(), self: ref(), previous: z.null() }),
  })

export const identityShapes = {
  Project,
  OneProject: z.object({ project: Project }),
  Projects: collected('projects', Project),
  User,
  OneUser: z.object({ user: User }),
  Users: collected('users', User),
  Role,
  OneRole: z.object({ role: Role }),
  Roles: collected('roles', Role),
  RoleInferences: z.object({
    role_inferences: list(
      z.object({
        prior_role: z.object({ ...named().shape, links: links() }),
        implies: list(z.object({ ...named().shape, links: links() })),
      }),
    ),
  }),
  RoleAssignment,
  RoleAssignments: collected('role_assignments', RoleAssignment),
  ApplicationCredential,
  OneApplicationCredential: z.object({ application_credential: ApplicationCredential }),
  NewApplicationCredential: z.object({
    application_credential: z.object({
      ...credentialMembers(),
      secret: described(z.string(), 'Is said this once.'),
    }),
  }),
  ApplicationCredentials: collected('application_credentials', ApplicationCredential),
  Catalog,
  OwnCatalog: z.object({ catalog: Catalog, links: links() }),
  IdentityService,
  OneIdentityService: z.object({ service: IdentityService }),
  IdentityServices: collected('services', IdentityService),
  IdentityEndpoint,
  OneIdentityEndpoint: z.object({ endpoint: IdentityEndpoint }),
  IdentityEndpoints: collected('endpoints', IdentityEndpoint),
  Region,
  OneRegion: z.object({ region: Region }),
  Regions: collected('regions', Region),
  Domain,
  OneDomain: z.object({ domain: Domain }),
  Domains: collected('domains', Domain),
  IdentityToken,
  OneIdentityToken: z.object({ token: IdentityToken }),
  IdentityVersion,
  OneIdentityVersion: z.object({ version: IdentityVersion }),
  IdentityVersions: z.object({ versions: z.object({ values: list(IdentityVersion) }) }),
}
