/**
 * Who may do what, written by hand from the text of Barbican's policies (`barbican/common/policies/*.py`) and this
 * service's own rules, as an oracle that shares nothing with `src/access/policy.ts`. Names are those of the text: `legacy`
 * is the `check_str` of the deprecated rules, `secure` that of the new defaults. Where this service departs from the text,
 * a comment says so.
 */

/** What the text can ask about one request. */
export interface Facts {
  readonly roles: readonly string[]
  /** `project_match`: the entity is of the caller's project; true where the path names no entity. */
  readonly projectMatch: boolean
  /** `creator_user`, `owner`: the caller made the entity. */
  readonly creatorUser: boolean
  /** `private_read`: the ACL says `project-access: false`. */
  readonly privateRead: boolean
  /** `acl_read`: the ACL names the caller. */
  readonly aclRead: boolean
  /** The ACL of use says `project-access: false`. */
  readonly useClosed: boolean
  /** The ACL of use grants the caller every operation. */
  readonly useGranted: boolean
  /** In place of `system_admin`: `admin` of the cloud. */
  readonly cloudAdmin: boolean
}

export type Check = (facts: Facts) => boolean

const or =
  (...checks: readonly Check[]): Check =>
  (facts) =>
    checks.some((check) => check(facts))
const and =
  (...checks: readonly Check[]): Check =>
  (facts) =>
    checks.every((check) => check(facts))
const not =
  (check: Check): Check =>
  (facts) =>
    !check(facts)
const role =
  (name: string): Check =>
  ({ roles }) =>
    roles.includes(name)

const projectMatch: Check = (facts) => facts.projectMatch
const creatorUser: Check = (facts) => facts.creatorUser
const privateRead: Check = (facts) => facts.privateRead
const aclRead: Check = (facts) => facts.aclRead
const cloudAdmin: Check = (facts) => facts.cloudAdmin

// base.py, the deprecated rules.
const [admin, creator, observer, audit] = [role('admin'), role('creator'), role('observer'), role('audit')]
const serviceAdmin = role('key-manager:service-admin')
const allUsers = or(admin, observer, creator, audit, serviceAdmin)
const allButAudit = or(admin, observer, creator)
const adminOrCreator = or(admin, creator)
const projectAdmin = and(admin, projectMatch)
const projectCreator = and(creator, projectMatch, creatorUser)
const projectCreatorRole = and(creator, projectMatch)
const nonPrivateRead = and(allUsers, projectMatch, not(privateRead))
const decryptNonPrivateRead = and(allButAudit, projectMatch, not(privateRead))

const legacyRead = or(nonPrivateRead, projectCreator, projectAdmin, aclRead)
const legacyWrite = or(projectAdmin, projectCreator, and(projectCreatorRole, nonPrivateRead))

// base.py, the new defaults.
const projectMember = and(role('member'), projectMatch)
const memberWrite = or(projectAdmin, and(projectMember, creatorUser), and(projectMember, not(privateRead)))
const memberRead = or(memberWrite, aclRead)
/** Not of the text, which lets every member change an ACL while the entity is not private; Barbican's engine does not. */
const ownerOrAdmin = or(projectAdmin, and(projectMember, creatorUser))
const member = role('member')
const reader = role('reader')

export interface Expected {
  readonly legacy: Check
  readonly secure: Check
}

const rule = (legacy: Check, secure: Check): Expected => ({ legacy, secure })
const alike = (check: Check): Expected => rule(check, check)

const read = rule(legacyRead, memberRead)
const write = rule(legacyWrite, memberWrite)
const shown = rule(legacyRead, or(memberRead, cloudAdmin))
const decrypt = rule(or(decryptNonPrivateRead, projectCreator, projectAdmin, aclRead), memberRead)
/** The text of `consumer:get` also opens it to four roles of any project. */
const consumerOfSecret = rule(legacyRead, or(projectAdmin, cloudAdmin))
const consumerOfContainer = rule(legacyRead, or(memberRead, cloudAdmin))
const readAcl = rule(and(allButAudit, projectMatch), ownerOrAdmin)
const writeAcl = rule(legacyWrite, ownerOrAdmin)
/**
 * Not of the text, which knows no use of keys. As for writing: an admin, the creator, and others while nothing closes the
 * key. To be on the read ACL is nothing; a grant of use counts, from anywhere.
 */
const notClosed: Check = (facts) => !facts.privateRead && !facts.useClosed
const granted: Check = (facts) => facts.useGranted
const use = rule(
  or(projectAdmin, projectCreator, and(projectCreatorRole, notClosed), granted),
  or(projectAdmin, and(projectMember, creatorUser), and(projectMember, notClosed), granted),
)
const make = rule(adminOrCreator, member)
const list = rule(allButAudit, member)
const anyRole = rule(allUsers, reader)
/** The text asks for system scope, which no token with a project has. */
const quotas = rule(serviceAdmin, or(cloudAdmin, serviceAdmin))
const transportKeys = rule(serviceAdmin, cloudAdmin)
const preference = alike(admin)
const operator = alike(serviceAdmin)
const certificates = alike(and(or(admin, serviceAdmin), projectMatch))

/** `GET` of a secret is asked for in two ways: its metadata, or by its media type the payload. */
export const PAYLOAD_BY_TYPE = 'GET /secrets/:secret as its payload'

/** Every operation of the service, by method and path. */
export const expectedRights: Readonly<Record<string, Expected>> = {
  'GET /secrets': list,
  'POST /secrets': make,
  'GET /secrets/:secret': shown,
  [PAYLOAD_BY_TYPE]: decrypt,
  // The text, `admin_or_creator and project_match`, forgets privacy.
  'PUT /secrets/:secret': write,
  'DELETE /secrets/:secret': rule(
    or(projectAdmin, projectCreator, and(projectCreatorRole, not(privateRead))),
    or(memberWrite, cloudAdmin),
  ),
  'GET /secrets/:secret/payload': decrypt,
  'GET /secrets/:secret/versions': shown,
  'POST /secrets/:secret/versions': write,
  'GET /secrets/:secret/versions/:version': shown,
  'PATCH /secrets/:secret/versions/:version': write,
  'DELETE /secrets/:secret/versions/:version': write,
  'GET /secrets/:secret/versions/:version/payload': decrypt,
  'GET /secrets/:secret/versioning': shown,
  'PUT /secrets/:secret/versioning': write,
  'GET /secrets/:secret/metadata': read,
  'PUT /secrets/:secret/metadata': write,
  'POST /secrets/:secret/metadata': write,
  'GET /secrets/:secret/metadata/:key': read,
  'PUT /secrets/:secret/metadata/:key': write,
  'DELETE /secrets/:secret/metadata/:key': write,
  'GET /secrets/:secret/acl': readAcl,
  'PUT /secrets/:secret/acl': writeAcl,
  'PATCH /secrets/:secret/acl': writeAcl,
  'DELETE /secrets/:secret/acl': writeAcl,
  'GET /secrets/:secret/consumers': read,
  'POST /secrets/:secret/consumers': read,
  'DELETE /secrets/:secret/consumers': read,
  'GET /secrets/:secret/consumers/:consumer': consumerOfSecret,

  'POST /secrets/:secret/encrypt': use,
  'POST /secrets/:secret/decrypt': use,
  'POST /secrets/:secret/rewrap': use,
  'POST /secrets/:secret/datakey': use,
  'POST /secrets/:secret/sign': use,
  'POST /secrets/:secret/verify': use,
  'POST /secrets/:secret/mac': use,
  'GET /secrets/:secret/key': rule(or(legacyRead, granted), or(memberRead, cloudAdmin, granted)),
  'PATCH /secrets/:secret/key': write,
  'GET /secrets/:secret/acl/use': readAcl,
  'PUT /secrets/:secret/acl/use': writeAcl,
  'DELETE /secrets/:secret/acl/use': writeAcl,

  'GET /containers': list,
  'POST /containers': make,
  'GET /containers/:container': read,
  'DELETE /containers/:container': rule(or(projectAdmin, projectCreator), memberWrite),
  'POST /containers/:container/secrets': write,
  'DELETE /containers/:container/secrets': write,
  'GET /containers/:container/acl': readAcl,
  'PUT /containers/:container/acl': writeAcl,
  'PATCH /containers/:container/acl': writeAcl,
  'DELETE /containers/:container/acl': writeAcl,
  'GET /containers/:container/consumers': read,
  'POST /containers/:container/consumers': read,
  'DELETE /containers/:container/consumers': read,
  'GET /containers/:container/consumers/:consumer': consumerOfContainer,

  'GET /orders': list,
  'POST /orders': make,
  'PUT /orders': make,
  'GET /orders/:order': rule(and(allUsers, projectMatch), projectMember),
  // An order runs with the rights of who updates it: not of the text, where any creator may.
  'PUT /orders/:order': rule(or(projectAdmin, projectCreator), ownerOrAdmin),
  'DELETE /orders/:order': rule(and(admin, projectMatch), projectMember),

  'GET /quotas': anyRole,
  'GET /project-quotas': quotas,
  'GET /project-quotas/:project': quotas,
  'PUT /project-quotas/:project': quotas,
  'DELETE /project-quotas/:project': quotas,

  'GET /secret-stores': anyRole,
  'GET /secret-stores/global-default': anyRole,
  'GET /secret-stores/preferred': anyRole,
  'GET /secret-stores/:store': anyRole,
  'POST /secret-stores/:store/preferred': preference,
  'DELETE /secret-stores/:store/preferred': preference,

  'GET /transport_keys': anyRole,
  'POST /transport_keys': transportKeys,
  'GET /transport_keys/:key': anyRole,
  'DELETE /transport_keys/:key': transportKeys,

  // What Barbican does not have, or no longer.
  'GET /cas': anyRole,
  'GET /cas/:authority': anyRole,
  'GET /cas/:authority/cacert': anyRole,
  'GET /cas/:authority/intermediates': anyRole,
  'GET /cas/:authority/crl': anyRole,
  'GET /cas/:authority/certificates': certificates,
  'POST /cas/:authority/certificates/:serial/revoke': certificates,
  'GET /extensions': anyRole,
  'GET /audit': rule(audit, reader),
  'GET /admin/rotate': operator,
  'POST /admin/rotate': operator,
  'GET /admin/audit': operator,
  'POST /admin/reconcile': operator,
  'GET /admin/read-only': operator,
  'PUT /admin/read-only': operator,
  'GET /admin/projects/:project/destruction': operator,
  'PUT /admin/projects/:project/destruction': operator,
  'DELETE /admin/projects/:project/destruction': operator,
}

/** Whether the caller of these facts is to be admitted; `both` admits whom either set admits. */
export function isExpected(operation: string, policy: 'legacy' | 'secure' | 'both', facts: Facts): boolean {
  const expected = expectedRights[operation]
  if (!expected) throw new Error(`no expectation for ${operation}`)
  return (policy !== 'secure' && expected.legacy(facts)) || (policy !== 'legacy' && expected.secure(facts))
}
