/**
 * The authorization policy: one pure, total table from rule name to predicate, for each of the two rule sets.
 *
 * `legacy` has Barbican's legacy rules (`enforce_new_defaults=false`), `secure` those of its newer personas
 * (`enforce_new_defaults=true`), and `both` allows what either allows. A decision depends on the token and the stored
 * row only.
 *
 * Where the text of Barbican's policy and its controllers disagree, the text applies: its ACL controllers do not pass the
 * privacy of an entity to the policy engine, so that every creator of the project can open it. The text itself omits
 * privacy from `secret:put` and `consumer:get`. Here, who may not read an entity can neither set its payload nor see its
 * consumers.
 */
import type { Caller } from '../caller.ts'
import type { KeyOperation, UseAcl } from '../state/entities.ts'

/** The target of a request: the row of a secret, container or order, or the project of a collection. */
export interface Target {
  readonly projectId: string
  readonly creatorId: string | null
  /** Whether its read ACL has `project-access: false`. */
  readonly private: boolean
  /** The users in its read ACL. */
  readonly readers: readonly string[]
  /** Of a secret: the ACL for the use of its key, if there is one. */
  readonly use?: UseAcl | null
}

/** The input of a predicate. */
interface Facts {
  readonly has: (...roles: readonly string[]) => boolean
  readonly cloudAdmin: boolean
  readonly sameProject: boolean
  /** Whether the caller created it, in this project. */
  readonly owner: boolean
  readonly public: boolean
  readonly onAcl: boolean
  /** Whether neither of its ACLs closes it to the members of the project who did not create it. */
  readonly usable: boolean
  /** Whether the ACL of use grants the caller the operation or, if the rule is about none, any operation. */
  readonly granted: boolean
}

type Predicate = (facts: Facts) => boolean

const SERVICE_ADMIN = 'key-manager:service-admin'
const everyLegacyRole = ['admin', 'creator', 'observer', 'audit', SERVICE_ADMIN] as const

const role =
  (...roles: readonly string[]): Predicate =>
  ({ has }) =>
    has(...roles)
const inProject =
  (...roles: readonly string[]): Predicate =>
  ({ has, sameProject }) =>
    sameProject && has(...roles)
const any =
  (...predicates: readonly Predicate[]): Predicate =>
  (facts) =>
    predicates.some((allows) => allows(facts))
const onAcl: Predicate = (facts) => facts.onAcl
const granted: Predicate = (facts) => facts.granted
/** The admin of the cloud, see {@link Caller}. Barbican checks only the role name, or requires system scope. */
const cloudAdmin: Predicate = (facts) => facts.cloudAdmin
const operator = role(SERVICE_ADMIN)

/**
 * Allows, in the project: an admin; the owner with the role `writer`; the roles `others` if the entity is not private.
 */
const entity =
  (writer: string, ...others: readonly string[]): Predicate =>
  ({ has, sameProject, owner, public: isPublic }) =>
    sameProject && (has('admin') || (owner && has(writer)) || (isPublic && has(...others)))

/**
 * Allows the use of a key without reading it: in the project to an admin, to the owner with the role `writer`, and to
 * others with it unless an ACL closes the key; and to whom the ACL of use names, of any project. To read is not to use.
 */
const use =
  (writer: string): Predicate =>
  ({ has, sameProject, owner, usable, granted: isGranted }) =>
    isGranted || (sameProject && (has('admin') || ((owner || usable) && has(writer))))

const legacyRead = any(entity('creator', 'creator', 'observer', 'audit', SERVICE_ADMIN), onAcl)
const legacyWrite = entity('creator', 'creator')

const legacy = {
  'secrets:post': role('admin', 'creator'),
  'secrets:get': role('admin', 'creator', 'observer'),
  'secret:get': legacyRead,
  'secret:decrypt': any(entity('creator', 'creator', 'observer'), onAcl),
  'secret:put': legacyWrite,
  'secret:delete': legacyWrite,
  'secret_version:post': legacyWrite,
  'secret_version:patch': legacyWrite,
  'secret_version:delete': legacyWrite,
  'secret_versioning:put': legacyWrite,
  'secret_meta:get': legacyRead,
  'secret_meta:post': legacyWrite,
  'secret_meta:put': legacyWrite,
  'secret_meta:delete': legacyWrite,
  'secret_acls:get': inProject('admin', 'creator', 'observer'),
  'secret_acls:put_patch': legacyWrite,
  'secret_acls:delete': legacyWrite,
  'secret_consumers:get': legacyRead,
  'secret_consumers:post': legacyRead,
  'secret_consumers:delete': legacyRead,
  'secret_consumer:get': legacyRead,
  'secret:use': use('creator'),
  'secret_key:get': any(legacyRead, granted),
  'secret_key:patch': legacyWrite,
  'secret_use_acl:get': inProject('admin', 'creator', 'observer'),
  'secret_use_acl:put': legacyWrite,
  'secret_use_acl:delete': legacyWrite,
  'containers:post': role('admin', 'creator'),
  'containers:get': role('admin', 'creator', 'observer'),
  'container:get': legacyRead,
  'container:delete': entity('creator'),
  'container_secret:post': legacyWrite,
  'container_secret:delete': legacyWrite,
  'container_acls:get': inProject('admin', 'creator', 'observer'),
  'container_acls:put_patch': legacyWrite,
  'container_acls:delete': legacyWrite,
  'container_consumers:get': legacyRead,
  'container_consumers:post': legacyRead,
  'container_consumers:delete': legacyRead,
  'container_consumer:get': legacyRead,
  'orders:post': role('admin', 'creator'),
  'orders:put': role('admin', 'creator'),
  'order:put': entity('creator'),
  'orders:get': role('admin', 'creator', 'observer'),
  'order:get': role(...everyLegacyRole),
  'order:delete': role('admin'),
  'quotas:get': role(...everyLegacyRole),
  'project_quotas:get': operator,
  'project_quotas:put': operator,
  'project_quotas:delete': operator,
  'secretstores:get': role(...everyLegacyRole),
  'secretstores:get_global_default': role(...everyLegacyRole),
  'secretstores:get_preferred': role(...everyLegacyRole),
  'secretstore:get': role(...everyLegacyRole),
  'secretstore_preferred:post': role('admin'),
  'secretstore_preferred:delete': role('admin'),
  'transport_keys:get': role(...everyLegacyRole),
  'transport_keys:post': operator,
  'transport_key:get': role(...everyLegacyRole),
  'transport_key:delete': operator,
  'certificate_authorities:get': role(...everyLegacyRole),
  'certificate_authority:get': role(...everyLegacyRole),
  'certificates:get': inProject('admin', SERVICE_ADMIN),
  'certificate:revoke': inProject('admin', SERVICE_ADMIN),
  'key_rotation:get': operator,
  'key_rotation:post': operator,
  'extensions:get': role(...everyLegacyRole),
  'audit:get': role('audit'),
  'deployment_audit:get': operator,
  'project_destruction:get': operator,
  'project_destruction:put': operator,
  'project_destruction:delete': operator,
  'reconciliation:post': operator,
  'read_only:get': operator,
  'read_only:put': operator,
} as const satisfies Record<string, Predicate>

export type Rule = keyof typeof legacy

const secureEntity = entity('member', 'member')
const secureRead = any(secureEntity, onAcl)
const secureOwner = entity('member')
/** Suffices for `admin` too: Keystone adds the implied roles, member and reader, to the token. */
const writers = inProject('member')
const personas = inProject('reader')

const secure: Record<Rule, Predicate> = {
  'secrets:post': writers,
  'secrets:get': writers,
  'secret:get': any(secureRead, cloudAdmin),
  'secret:decrypt': secureRead,
  'secret:put': secureEntity,
  'secret:delete': any(secureEntity, cloudAdmin),
  'secret_version:post': secureEntity,
  'secret_version:patch': secureEntity,
  'secret_version:delete': secureEntity,
  'secret_versioning:put': secureEntity,
  'secret_meta:get': secureRead,
  'secret_meta:post': secureEntity,
  'secret_meta:put': secureEntity,
  'secret_meta:delete': secureEntity,
  'secret_acls:get': secureOwner,
  'secret_acls:put_patch': secureOwner,
  'secret_acls:delete': secureOwner,
  'secret_consumers:get': secureRead,
  'secret_consumers:post': secureRead,
  'secret_consumers:delete': secureRead,
  'secret_consumer:get': any(inProject('admin'), cloudAdmin),
  'secret:use': use('member'),
  'secret_key:get': any(secureRead, cloudAdmin, granted),
  'secret_key:patch': secureEntity,
  'secret_use_acl:get': secureOwner,
  'secret_use_acl:put': secureOwner,
  'secret_use_acl:delete': secureOwner,
  'containers:post': writers,
  'containers:get': writers,
  'container:get': secureRead,
  'container:delete': secureEntity,
  'container_secret:post': secureEntity,
  'container_secret:delete': secureEntity,
  'container_acls:get': secureOwner,
  'container_acls:put_patch': secureOwner,
  'container_acls:delete': secureOwner,
  'container_consumers:get': secureRead,
  'container_consumers:post': secureRead,
  'container_consumers:delete': secureRead,
  'container_consumer:get': any(secureRead, cloudAdmin),
  'orders:post': writers,
  'orders:put': writers,
  'order:put': secureOwner,
  'orders:get': writers,
  'order:get': writers,
  'order:delete': writers,
  'quotas:get': personas,
  'project_quotas:get': any(cloudAdmin, operator),
  'project_quotas:put': any(cloudAdmin, operator),
  'project_quotas:delete': any(cloudAdmin, operator),
  'secretstores:get': personas,
  'secretstores:get_global_default': personas,
  'secretstores:get_preferred': personas,
  'secretstore:get': personas,
  'secretstore_preferred:post': role('admin'),
  'secretstore_preferred:delete': role('admin'),
  'transport_keys:get': personas,
  'transport_keys:post': cloudAdmin,
  'transport_key:get': personas,
  'transport_key:delete': cloudAdmin,
  'certificate_authorities:get': personas,
  'certificate_authority:get': personas,
  'certificates:get': inProject('admin', SERVICE_ADMIN),
  'certificate:revoke': inProject('admin', SERVICE_ADMIN),
  'key_rotation:get': operator,
  'key_rotation:post': operator,
  'extensions:get': personas,
  'audit:get': personas,
  'deployment_audit:get': operator,
  'project_destruction:get': operator,
  'project_destruction:put': operator,
  'project_destruction:delete': operator,
  'reconciliation:post': operator,
  'read_only:get': operator,
  'read_only:put': operator,
}

export const rules = Object.keys(legacy) as Rule[]

export type Policy = 'legacy' | 'secure' | 'both'

/**
 * Reports whether the rule allows the caller to act on the target, in this rule set. `operation` is what `secret:use` is
 * asked for.
 */
export function permits(policy: Policy, rule: Rule, caller: Caller, target: Target, operation?: KeyOperation): boolean {
  const sameProject = caller.projectId === target.projectId
  const grants = target.use?.grants.find(({ userId }) => userId === caller.userId)?.operations ?? []
  const facts: Facts = {
    has: (...roles) => roles.some((name) => caller.roles.includes(name)),
    cloudAdmin: caller.cloudAdmin,
    sameProject,
    owner: sameProject && caller.userId === target.creatorId,
    public: !target.private,
    onAcl: target.readers.includes(caller.userId),
    usable: !target.private && target.use?.projectAccess !== false,
    granted: operation === undefined ? grants.length > 0 : grants.includes(operation),
  }
  return (policy !== 'secure' && legacy[rule](facts)) || (policy !== 'legacy' && secure[rule](facts))
}
