/** What each operation of the embedded identity takes, answers and refuses, beside what all of them do. */
import type * as z from 'zod/mini'
import type { Shapes } from '../shapes/index.ts'
import type { IdentityFailureName } from '../state/identity/faults.ts'
import { newCredential } from '../wire/identity/application-credentials.ts'
import { auth } from '../wire/identity/log-in-request.ts'
import { newProject, projectChange } from '../wire/identity/projects.ts'
import { newRole, roleChange } from '../wire/identity/roles.ts'
import { newUser, passwordChange, userChange } from '../wire/identity/users.ts'

/** The body of a request: the schema of its one member. */
interface IdentityBody {
  readonly member: string
  readonly schema: z.ZodMiniType
  /** Whether other members are kept; `change`: and there must be at least one member. */
  readonly kind?: 'extended' | 'change' | 'extended change'
}

export interface DescribedOperation {
  /** For one that has no rule; others are called as their rule is. */
  readonly summary?: string
  readonly note?: string
  readonly query?: readonly (keyof typeof filters)[]
  readonly hasSubject?: true
  readonly body?: IdentityBody
  /** The status of success, and the shape of the answer. */
  readonly answers: Readonly<Record<number, keyof Shapes | null>>
  readonly faults?: readonly IdentityFailureName[]
}

/** Parameters of queries. */
export const filters = {
  name: ['string', 'Only those of this name.'],
  enabled: ['boolean', 'Only those that are enabled, or not.'],
  domain_id: ['string', 'Only those of this domain: there is one, `default`.'],
  parent_id: ['string', 'Only those below this project: all are below the domain.'],
  is_domain: ['boolean', 'Only projects that are domains: there is none.'],
  tags: ['string', 'Only those with all of these tags: there is none.'],
  'tags-any': ['string', 'Only those with one of these tags: there is none.'],
  type: ['string', 'Only those of this type.'],
  interface: ['string', 'Only those of this interface.'],
  service_id: ['string', 'Only those of this service.'],
  region_id: ['string', 'Only those of this region.'],
  parent_region_id: ['string', 'Only those below this region: there is none.'],
  nocatalog: ['string', 'Leave out the catalogue, whatever the value is.'],
  'user.id': ['string', 'Only those of this user.'],
  'group.id': ['string', 'Only those of this group: there is none.'],
  'role.id': ['string', 'Only those of this role.'],
  'scope.project.id': ['string', 'Only those in this project.'],
  'scope.domain.id': ['string', 'Only those in this domain: there is none.'],
  'scope.system': ['string', 'Only those in the whole system: there is none.'],
  'scope.OS-INHERIT:inherited_to': ['string', 'Only inherited ones: there is none.'],
  effective: ['boolean', 'Also those that others imply.'],
  include_names: ['boolean', 'With names.'],
  idp_id: ['string', 'Only those of this identity provider: there is none.'],
  password_expires_at: ['string', 'Only those whose password expires, before or after a time: none does.'],
  protocol_id: ['string', 'Only those of this protocol of federation: there is none.'],
  unique_id: ['string', 'Only those with this id at their identity provider: there is none.'],
  include_subtree: ['boolean', 'Also those in projects below the project: there is none.'],
} as const satisfies Record<string, readonly ['string' | 'boolean', string]>

const ofProjects = ['domain_id', 'enabled', 'is_domain', 'name', 'parent_id', 'tags', 'tags-any'] as const
const ofAssignments = [
  'effective',
  'group.id',
  'include_names',
  'include_subtree',
  'role.id',
  'scope.domain.id',
  'scope.OS-INHERIT:inherited_to',
  'scope.project.id',
  'scope.system',
  'user.id',
] as const

/** By method and path, as the tables of `wire/identity` have them. */
export const identityTable: Readonly<Record<string, DescribedOperation>> = {
  'GET /': { summary: 'Versions of the identity', answers: { 300: 'IdentityVersions' } },
  'GET /v3': { summary: 'Version of the identity', answers: { 200: 'OneIdentityVersion' } },

  'POST /v3/auth/tokens': {
    summary: 'Log in',
    note: 'The token is in the header X-Subject-Token of the answer.',
    query: ['nocatalog'],
    body: { member: 'auth', schema: auth },
    answers: { 201: 'OneIdentityToken' },
    faults: [
      'expected',
      'invalid',
      'invalidField',
      'unauthenticated',
      'unsupportedMethod',
      'credentialScope',
      'notPermitted',
      'tokenNotFound',
      'tooManyAttempts',
    ],
  },
  'GET /v3/auth/tokens': {
    query: ['nocatalog'],
    hasSubject: true,
    answers: { 200: 'OneIdentityToken' },
    faults: ['tokenNotFound', 'noToken'],
  },
  'DELETE /v3/auth/tokens': { hasSubject: true, answers: { 204: null }, faults: ['tokenNotFound', 'noToken'] },
  'GET /v3/auth/projects': { query: ofProjects, answers: { 200: 'Projects' } },
  'GET /v3/auth/domains': { answers: { 200: 'Domains' } },
  'GET /v3/auth/catalog': { answers: { 200: 'OwnCatalog' }, faults: ['noCatalog'] },

  'GET /v3/services': { query: ['type', 'name'], answers: { 200: 'IdentityServices' } },
  'GET /v3/services/:service': { answers: { 200: 'OneIdentityService' }, faults: ['notFound'] },
  'GET /v3/endpoints': { query: ['interface', 'service_id', 'region_id'], answers: { 200: 'IdentityEndpoints' } },
  'GET /v3/endpoints/:endpoint': { answers: { 200: 'OneIdentityEndpoint' }, faults: ['notFound'] },
  'GET /v3/regions': { query: ['parent_region_id'], answers: { 200: 'Regions' } },
  'GET /v3/regions/:region': { answers: { 200: 'OneRegion' }, faults: ['notFound'] },
  'GET /v3/domains': { query: ['name', 'enabled'], answers: { 200: 'Domains' } },
  'GET /v3/domains/:domain': { answers: { 200: 'OneDomain' }, faults: ['notFound'] },

  'GET /v3/projects': { query: ofProjects, answers: { 200: 'Projects' } },
  'POST /v3/projects': {
    body: { member: 'project', schema: newProject, kind: 'extended' },
    answers: { 201: 'OneProject' },
    faults: ['invalid', 'invalidField', 'projectExists'],
  },
  'GET /v3/projects/:project': { answers: { 200: 'OneProject' }, faults: ['notFound'] },
  'PATCH /v3/projects/:project': {
    body: { member: 'project', schema: projectChange, kind: 'extended change' },
    answers: { 200: 'OneProject' },
    faults: ['invalid', 'invalidField', 'notFound', 'projectExists', 'immutableUpdate'],
  },
  'DELETE /v3/projects/:project': { answers: { 204: null }, faults: ['notFound', 'immutableDelete'] },

  'GET /v3/users': {
    query: ['domain_id', 'enabled', 'idp_id', 'name', 'password_expires_at', 'protocol_id', 'unique_id'],
    answers: { 200: 'Users' },
  },
  'POST /v3/users': {
    body: { member: 'user', schema: newUser, kind: 'extended' },
    answers: { 201: 'OneUser' },
    faults: ['invalid', 'invalidField', 'weakPassword', 'notFound', 'userExists'],
  },
  'GET /v3/users/:user': { answers: { 200: 'OneUser' }, faults: ['notFound'] },
  'PATCH /v3/users/:user': {
    body: { member: 'user', schema: userChange, kind: 'extended change' },
    answers: { 200: 'OneUser' },
    faults: ['invalid', 'invalidField', 'weakPassword', 'notFound', 'userExists', 'lastAdministrator'],
  },
  'DELETE /v3/users/:user': { answers: { 204: null }, faults: ['notFound', 'lastAdministrator'] },
  'POST /v3/users/:user/password': {
    note: 'Ends all tokens of the user.',
    body: { member: 'user', schema: passwordChange },
    answers: { 204: null },
    faults: ['invalid', 'invalidField', 'weakPassword', 'unauthenticated', 'tooManyAttempts'],
  },
  'GET /v3/users/:user/projects': { query: ofProjects, answers: { 200: 'Projects' } },

  'GET /v3/roles': { query: ['domain_id', 'name'], answers: { 200: 'Roles' } },
  'POST /v3/roles': {
    body: { member: 'role', schema: newRole },
    answers: { 201: 'OneRole' },
    faults: ['invalid', 'invalidField', 'roleExists'],
  },
  'GET /v3/roles/:role': { answers: { 200: 'OneRole' }, faults: ['notFound'] },
  'PATCH /v3/roles/:role': {
    body: { member: 'role', schema: roleChange, kind: 'change' },
    answers: { 200: 'OneRole' },
    faults: ['invalid', 'invalidField', 'notFound', 'roleExists', 'immutableUpdate'],
  },
  'DELETE /v3/roles/:role': { answers: { 204: null }, faults: ['notFound', 'immutableDelete'] },
  'GET /v3/role_inferences': { answers: { 200: 'RoleInferences' } },

  'GET /v3/role_assignments': { query: ofAssignments, answers: { 200: 'RoleAssignments' }, faults: ['invalid'] },
  'GET /v3/projects/:project/users/:user/roles': { answers: { 200: 'Roles' }, faults: ['notFound'] },
  'GET /v3/projects/:project/users/:user/roles/:role': {
    answers: { 204: null },
    faults: ['notFound', 'assignmentNotFound'],
  },
  'PUT /v3/projects/:project/users/:user/roles/:role': { answers: { 204: null }, faults: ['notFound'] },
  'DELETE /v3/projects/:project/users/:user/roles/:role': {
    answers: { 204: null },
    faults: ['notFound', 'assignmentNotFound', 'lastAdministrator'],
  },

  'GET /v3/users/:user/application_credentials': { query: ['name'], answers: { 200: 'ApplicationCredentials' } },
  'POST /v3/users/:user/application_credentials': {
    body: { member: 'application_credential', schema: newCredential },
    answers: { 201: 'NewApplicationCredential' },
    faults: ['invalid', 'invalidField', 'timestamp', 'expirationPast', 'credentialInvalid', 'credentialExists'],
  },
  'GET /v3/users/:user/application_credentials/:credential': {
    answers: { 200: 'OneApplicationCredential' },
    faults: ['notFound'],
  },
  'DELETE /v3/users/:user/application_credentials/:credential': { answers: { 204: null }, faults: ['notFound'] },
}
