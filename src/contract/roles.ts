/** Which role each rule opens, under each of the two rule sets: what the policy decides for a user of each kind. */
import { permits, type Rule } from '../access/policy.ts'

export type RuleSet = 'secure' | 'legacy'

export interface Column {
  readonly title: string
  readonly roles: readonly string[]
  readonly onAcl?: boolean
  readonly isGranted?: boolean
  readonly cloudAdmin?: boolean
}

const serviceAdmin: Column = { title: 'service-admin', roles: ['key-manager:service-admin'] }
const onAcl: Column = { title: 'user of the ACL', roles: [], onAcl: true }
const granted: Column = { title: 'grant of use', roles: [], isGranted: true }

/** The kinds of users that a rule set tells apart. */
export const columns: Readonly<Record<RuleSet, readonly Column[]>> = {
  secure: [
    { title: 'admin', roles: ['admin', 'member', 'reader'] },
    { title: 'member', roles: ['member', 'reader'] },
    { title: 'reader', roles: ['reader'] },
    { title: 'admin of the cloud', roles: ['admin', 'member', 'reader'], cloudAdmin: true },
    serviceAdmin,
    onAcl,
    granted,
  ],
  legacy: [
    { title: 'admin', roles: ['admin'] },
    { title: 'creator', roles: ['creator'] },
    { title: 'observer', roles: ['observer'] },
    { title: 'audit', roles: ['audit'] },
    serviceAdmin,
    onAcl,
    granted,
  ],
}

/** Whether the column's user may do it to an entity of the project `of`. */
function isAllowed(policy: RuleSet, rule: Rule, column: Column, of: string, isOwner: boolean, isPrivate: boolean) {
  const caller = { userId: 'user', projectId: 'home', roles: column.roles, cloudAdmin: column.cloudAdmin ?? false }
  const creatorId = isOwner ? 'user' : 'another'
  const target = { projectId: of, creatorId, private: isPrivate, readers: column.onAcl ? ['user'] : [] }
  const grants = column.isGranted ? [{ userId: 'user', operations: ['encrypt'] as const }] : []
  return permits(policy, rule, caller, { ...target, use: { projectAccess: !isPrivate, grants } }, 'encrypt')
}

/** Whether the answer depends on the entity: not for collections, for reads of orders, and for the deployment. */
const isOfEntity = (rule: Rule) =>
  /^order:put$|^(secret|container)(_meta|_acls|_consumers?|_secret|_key|_use_acl|_version|_versioning)?:/.test(rule)

/** What the rule opens for users of this kind; `–` for nothing. */
export function opened(policy: RuleSet, rule: Rule, column: Column): string {
  const inProject = (isOwner: boolean, isPrivate: boolean) =>
    isAllowed(policy, rule, column, 'home', isOwner, isPrivate)
  const everywhere = isAllowed(policy, rule, column, 'elsewhere', false, true)
  if (!isOfEntity(rule)) return inProject(false, false) ? 'yes' : '–'
  if (everywhere) return 'any project'
  const [own, othersOpen, othersPrivate] = [inProject(true, true), inProject(false, false), inProject(false, true)]
  if (othersPrivate) return 'yes'
  if (own) return othersOpen ? 'own, or not private' : 'own'
  return othersOpen ? 'not private' : '–'
}

/** What the rule opens, by the title of each kind of users that it opens anything for. */
export function rolesOf(policy: RuleSet, rule: Rule): Readonly<Record<string, string>> {
  const cells = columns[policy].map((column): [string, string] => [column.title, opened(policy, rule, column)])
  return Object.fromEntries(cells.filter(([, cell]) => cell !== '–'))
}
