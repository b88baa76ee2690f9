/**
 * The authorization policy of the embedded identity: one pure, total table from rule name to predicate. The names of
 * the rules are Keystone's.
 *
 * An administrator of the identity has the role `admin` in the administrative project; `admin` in another project
 * grants nothing here. Users may read their own user, projects and roles, change their own password, and manage their
 * own application credentials. Everything else is denied. A decision depends on the token and the path only.
 */

/** The caller, from the validated token. */
export interface IdentityCaller {
  readonly userId: string
  readonly projectId: string | null
  readonly administrator: boolean
  /** Whether the token is from an application credential that may not manage application credentials. */
  readonly restricted: boolean
}

/** The target of the request: the user and the project in the path, or those of the token in the request. */
export interface IdentityTarget {
  readonly userId?: string | undefined
  readonly projectId?: string | undefined
}

type Predicate = (caller: IdentityCaller, target: IdentityTarget) => boolean

const anybody: Predicate = () => true
const administrator: Predicate = (caller) => caller.administrator
const self: Predicate = (caller, target) => caller.userId === target.userId
const inProject: Predicate = (caller, target) => caller.projectId !== null && caller.projectId === target.projectId
const unrestricted: Predicate = (caller) => !caller.restricted

const either =
  (...predicates: readonly Predicate[]): Predicate =>
  (caller, target) =>
    predicates.some((allows) => allows(caller, target))
const all =
  (...predicates: readonly Predicate[]): Predicate =>
  (caller, target) =>
    predicates.every((allows) => allows(caller, target))

const rules = {
  'identity:validate_token': either(administrator, self),
  'identity:revoke_token': either(administrator, self),
  'identity:get_auth_catalog': anybody,
  'identity:get_auth_projects': anybody,
  'identity:get_auth_domains': anybody,

  'identity:list_projects': administrator,
  'identity:get_project': either(administrator, inProject),
  'identity:create_project': administrator,
  'identity:update_project': administrator,
  'identity:delete_project': administrator,

  'identity:list_users': administrator,
  'identity:get_user': either(administrator, self),
  'identity:create_user': administrator,
  'identity:update_user': administrator,
  'identity:delete_user': administrator,
  'identity:change_password': self,
  'identity:list_user_projects': either(administrator, self),

  'identity:list_roles': administrator,
  'identity:get_role': administrator,
  'identity:create_role': administrator,
  'identity:update_role': administrator,
  'identity:delete_role': administrator,
  'identity:list_role_inference_rules': administrator,

  'identity:list_role_assignments': administrator,
  'identity:list_grants': either(administrator, self),
  'identity:check_grant': either(administrator, self),
  'identity:create_grant': administrator,
  'identity:revoke_grant': administrator,

  'identity:list_application_credentials': either(administrator, self),
  'identity:get_application_credential': either(administrator, self),
  'identity:create_application_credential': all(self, unrestricted),
  'identity:delete_application_credential': all(either(administrator, self), unrestricted),

  'identity:list_domains': administrator,
  'identity:get_domain': anybody,
  'identity:list_services': administrator,
  'identity:get_service': administrator,
  'identity:list_endpoints': administrator,
  'identity:get_endpoint': administrator,
  'identity:list_regions': anybody,
  'identity:get_region': anybody,
} as const satisfies Record<string, Predicate>

export type IdentityRule = keyof typeof rules
export const identityRuleNames = Object.keys(rules) as IdentityRule[]

/** Reports whether the rule allows the caller to act on the target. */
export function permitsIdentity(rule: IdentityRule, caller: IdentityCaller, target: IdentityTarget): boolean {
  return rules[rule](caller, target)
}
