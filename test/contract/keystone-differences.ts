/**
 * In what the embedded identity differs from Keystone's document, with the reason: lines as `differencesOf` writes them,
 * in which `…` stands for any text, and the operations that have them.
 */
interface Accepted {
  readonly reason: string
  readonly lines: readonly string[]
  /** By method and path, whose parameters have no names. Every one of them has a difference of every line. */
  readonly of: readonly string[]
}

const USER = '/v3/users/{}'
const CREDENTIALS = `${USER}/application_credentials`
const GRANTS = '/v3/projects/{}/users/{}/roles'

const tokens = ['POST /v3/auth/tokens', 'GET /v3/auth/tokens']
const changesOf = (kind: string) => [`POST /v3/${kind}`, `PATCH /v3/${kind}/{}`]
const credentials = [`GET ${CREDENTIALS}`, `POST ${CREDENTIALS}`, `GET ${CREDENTIALS}/{}`]
const users = ['GET /v3/users', `GET ${USER}`, `PATCH ${USER}`]
const projectsOfUser = ['GET /v3/auth/projects', `GET ${USER}/projects`]

/** The document is not what Keystone does; this service does as Keystone. */
const slips: readonly Accepted[] = [
  {
    reason: 'the document has 200 for every POST that answers with a body; Keystone answers 201',
    lines: ['status: 200 → 201'],
    of: ['POST /v3/auth/tokens', 'POST /v3/projects', 'POST /v3/users', 'POST /v3/roles', `POST ${CREDENTIALS}`],
  },
  { reason: 'Keystone offers its versions with 300', lines: ['status: 200 → 300'], of: ['GET /'] },
  {
    reason: 'the time is in `issued_at`',
    lines: ['answer token/issues_at: string → nothing', 'answer token/issued_at: nothing → string'],
    of: tokens,
  },
  {
    reason: 'links are an object, not a list',
    lines: ['answer links: array → object', 'answer …/*/links: array → object'],
    of: ['GET /v3/auth/projects', 'GET /v3/auth/domains'],
  },
  {
    reason: 'the domain is in the member `domain`',
    lines: [
      'answer description: null|string → nothing',
      'answer enabled: boolean → nothing',
      'answer id: string → nothing',
      'answer name: string → nothing',
      'answer tags: array → nothing',
      'answer domain: nothing → object',
    ],
    of: ['GET /v3/domains/{}'],
  },
  {
    reason: 'the region above is in `parent_region_id`, and there is none',
    lines: ['answer …/parent_id: string → nothing', 'answer …/parent_region_id: nothing → null'],
    of: ['GET /v3/regions', 'GET /v3/regions/{}'],
  },
  {
    reason: 'the filters are called `type` and `name`',
    lines: ['query service: string → nothing', 'query type: nothing → string', 'query name: nothing → string'],
    of: ['GET /v3/services'],
  },
  {
    reason: 'the filter is called `region_id`',
    lines: ['query region: string → nothing', 'query region_id: nothing → string'],
    of: ['GET /v3/endpoints'],
  },
  {
    reason: 'the filter is called `idp_id`',
    lines: ['query id: string → nothing', 'query idp_id: nothing → string'],
    of: ['GET /v3/users'],
  },
  {
    reason: 'what may be without a value may have one: `include_names=true`',
    lines: ['effective', 'include_names', 'include_subtree'].map((name) => `query ${name}: null → boolean`),
    of: ['GET /v3/role_assignments'],
  },
  {
    reason: 'the member of a request must be there, or its own members are missing: 400 in Keystone as well',
    lines: ['body …: object → object, required'],
    of: [
      'POST /v3/auth/tokens',
      ...['projects', 'users', 'roles'].flatMap(changesOf),
      `POST ${USER}/password`,
      `POST ${CREDENTIALS}`,
    ],
  },
  {
    reason: 'what is made has a name',
    lines: ['body …/name: string 1..… → string 1..…, required'],
    of: ['POST /v3/projects', 'POST /v3/roles'],
  },
  {
    reason: 'null is said of a password that does not expire',
    lines: ['answer token/user/password_expires_at: string → null'],
    of: tokens,
  },
  {
    reason: 'null is said of a role without a description',
    lines: ['answer …/description: string → null|string'],
    of: ['GET /v3/roles', ...changesOf('roles'), 'GET /v3/roles/{}', `GET ${GRANTS}`],
  },
]

/** Keystone has it, and the document does not say so. */
const unsaid: readonly Accepted[] = [
  {
    reason: 'the project of a token is in a domain, an endpoint in a region, and a credential is named',
    lines: [
      'answer token/project/domain: nothing → object',
      'answer token/catalog/*/endpoints/*/region_id: nothing → string',
      'answer token/application_credential: nothing → object',
      'query nocatalog: nothing → string',
    ],
    of: tokens,
  },
  {
    reason: 'an endpoint is in a region',
    lines: ['answer catalog/*/endpoints/*/region_id: nothing → string'],
    of: ['GET /v3/auth/catalog'],
  },
  {
    reason: 'collections have links',
    lines: ['answer links: nothing → object'],
    of: [
      'GET /v3/auth/catalog',
      ...['services', 'endpoints', 'regions', 'domains', 'projects', 'users', 'role_assignments'].map(
        (kind) => `GET /v3/${kind}`,
      ),
      `GET ${USER}/projects`,
      `GET ${CREDENTIALS}`,
    ],
  },
  {
    reason: 'what can be read by itself says where',
    lines: ['answer …/links: nothing → object'],
    of: [
      ...['services', 'endpoints', 'regions', 'projects'].flatMap((kind) => [`GET /v3/${kind}`, `GET /v3/${kind}/{}`]),
      'GET /v3/domains',
      ...changesOf('projects'),
      ...users,
      `GET ${USER}/projects`,
      ...credentials,
    ],
  },
  {
    reason: 'a password that does not expire has the time null',
    lines: ['answer …/password_expires_at: nothing → null'],
    of: users,
  },
  {
    reason: 'lists of projects have whole projects',
    lines: ['is_domain: nothing → false', 'options: nothing → object', 'tags: nothing → array'].map(
      (line) => `answer projects/*/${line}`,
    ),
    of: projectsOfUser,
  },
  {
    reason: 'lists of projects have whole projects',
    lines: ['description', 'parent_id'].map((name) => `answer projects/*/${name}: nothing → string`),
    of: ['GET /v3/auth/projects'],
  },
  {
    reason: 'lists of projects have whole projects',
    lines: ['answer projects/*/enabled: nothing → boolean'],
    of: [`GET ${USER}/projects`],
  },
  { reason: 'domains have tags', lines: ['answer domains/*/tags: nothing → array'], of: ['GET /v3/auth/domains'] },
  {
    reason: 'domains have options',
    lines: ['answer domains/*/options: nothing → object'],
    of: ['GET /v3/auth/domains', 'GET /v3/domains'],
  },
  {
    reason: 'roles have the id of their domain, which is null for all that are here',
    lines: ['answer …/domain_id: nothing → null'],
    of: ['GET /v3/roles', ...changesOf('roles'), 'GET /v3/roles/{}', `GET ${GRANTS}`, ...credentials],
  },
  { reason: 'roles have options', lines: ['answer roles/*/options: nothing → object'], of: [`GET ${GRANTS}`] },
  {
    reason: 'a credential has its user, and whole roles',
    lines: [
      'answer …/user_id: nothing → string',
      'answer …/system: nothing → null',
      'answer …/roles/*/description: nothing → null|string',
      'answer …/roles/*/options: nothing → object',
    ],
    of: credentials,
  },
  {
    reason: 'an assignment that a role implies names that role',
    lines: ['answer role_assignments/*/links/prior_role: nothing → string'],
    of: ['GET /v3/role_assignments'],
  },
  {
    reason: 'assignments can be filtered',
    lines: ['query scope.system: nothing → string'],
    of: ['GET /v3/role_assignments'],
  },
  { reason: 'roles can be filtered', lines: ['query name: nothing → string'], of: ['GET /v3/roles'] },
  {
    reason: 'domains can be filtered',
    lines: ['query name: nothing → string', 'query enabled: nothing → boolean'],
    of: ['GET /v3/domains'],
  },
  {
    reason: 'projects can be filtered by tags',
    lines: ['tags', 'tags-any'].map((name) => `query ${name}: nothing → string`),
    of: ['GET /v3/projects'],
  },
  {
    reason: 'the projects of a user can be filtered as all projects can; Keystone has some of these filters',
    lines: [
      ...['domain_id', 'name', 'parent_id', 'tags', 'tags-any'].map((name) => `query ${name}: nothing → string`),
      ...['enabled', 'is_domain'].map((name) => `query ${name}: nothing → boolean`),
    ],
    of: projectsOfUser,
  },
]

/** The embedded identity has it not, or has more. */
const lacking: readonly Accepted[] = [
  {
    reason: 'there are no tokens for a domain or the system, and none of other identity providers',
    lines: [
      'answer token/domain: object → nothing',
      'answer token/system: object → nothing',
      'answer token/user/OS-FEDERATION: object → nothing',
    ],
    of: tokens,
  },
  {
    reason: 'there are no one-time passwords',
    lines: ['body auth/identity/totp: object → nothing'],
    of: ['POST /v3/auth/tokens'],
  },
  {
    reason: 'a scope that is neither a project nor none is refused, whatever is in it',
    lines: ['body auth/scope/OS-TRUST:trust/id: string → nothing', 'body auth/scope/system/all: boolean → nothing'],
    of: ['POST /v3/auth/tokens'],
  },
  {
    reason: 'the user of a credential has the form of one with a password',
    lines: ['body auth/identity/application_credential/user/password: nothing → string'],
    of: ['POST /v3/auth/tokens'],
  },
  {
    reason: 'services have no descriptions, which Keystone leaves out as well',
    lines: ['answer …/description: string → nothing'],
    of: ['GET /v3/services', 'GET /v3/services/{}'],
  },
  {
    reason: 'further members are of a simple type, so that what is stored is small',
    lines: ['body …/(others): nothing → boolean|null|number|string'],
    of: [...changesOf('projects'), ...changesOf('users')],
  },
  {
    reason: 'there are no resource options',
    lines: ['body …/options/…: … → nothing'],
    of: ['projects', 'users', 'roles'].flatMap(changesOf),
  },
  { reason: 'there are no resource options', lines: ['answer …/options/…: … → nothing'], of: users },
  {
    reason: 'there are no projects that are domains, and no tags',
    lines: ['body project/is_domain: boolean → false', 'body project/tags: array ..80 → array ..0'],
    of: changesOf('projects'),
  },
  {
    reason: 'there are no users of other identity providers',
    lines: ['body user/federated: array → nothing'],
    of: changesOf('users'),
  },
  {
    reason: 'there are no users of other identity providers',
    lines: ['answer …/federated: array → nothing'],
    of: users,
  },
  { reason: 'an id cannot be chosen, nor changed', lines: ['body user/id: nothing → string'], of: changesOf('users') },
  {
    reason: 'members that all entities have are checked, though roles are in no domain and always enabled',
    lines: ['body role/domain_id: nothing → null|string 1..64', 'body role/enabled: nothing → boolean'],
    of: changesOf('roles'),
  },
  {
    reason: 'links can only be read, in Keystone as well',
    lines: ['body role/links: object → nothing'],
    of: changesOf('roles'),
  },
  {
    reason: 'Keystone leaves out the descriptions as well',
    lines: ['answer …/prior_role/description: string → nothing', 'answer …/implies/*/description: string → nothing'],
    of: ['GET /v3/role_inferences'],
  },
  {
    reason: 'roles are assigned to users in projects alone; of the role, Keystone has the id and the name',
    lines: [
      'group',
      'links/membership',
      'role/description',
      'role/links',
      'scope/OS-TRUST:trust',
      'scope/domain',
      'scope/system',
    ].map((name) => `answer role_assignments/*/${name}: … → nothing`),
    of: ['GET /v3/role_assignments'],
  },
  {
    reason: 'there are no access rules',
    lines: ['body application_credential/access_rules: array → array ..0'],
    of: [`POST ${CREDENTIALS}`],
  },
  {
    reason: 'there are no access rules, and Keystone leaves them out where there are none',
    lines: ['answer …/access_rules: array → nothing'],
    of: credentials,
  },
]

export const accepted: readonly Accepted[] = [...slips, ...unsaid, ...lacking]

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

/** Whether a line of the table is about a difference. */
export const isAbout = (line: string, difference: string): boolean =>
  new RegExp(`^${line.split('…').map(escaped).join('.+')}$`).test(difference)
