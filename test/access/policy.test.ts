/**
 * Every cell of the rules against the answers of Barbican's own policy engine, which `test/peer/record-policy.py`
 * recorded.
 */
import { describe, expect, it } from 'vitest'
import { permits, rules as allRules, type Policy, type Rule as AnyRule, type Target } from '../../src/access/policy.ts'
import type { Caller } from '../../src/caller.ts'
import recorded from '../peer/recorded/policy.json'

/** Rules that Barbican does not have. */
const authorityRules = ['certificate_authorities:get', 'certificate_authority:get'] as const
const certificateRules = ['certificates:get', 'certificate:revoke'] as const
const operatorRules = [
  'key_rotation:get',
  'key_rotation:post',
  'project_destruction:get',
  'project_destruction:put',
  'project_destruction:delete',
  'deployment_audit:get',
  'reconciliation:post',
  'read_only:get',
  'read_only:put',
] as const
const auditorRules = ['audit:get'] as const
const updateRules = ['order:put'] as const
const useRules = [
  'secret:use',
  'secret_key:get',
  'secret_key:patch',
  'secret_use_acl:get',
  'secret_use_acl:put',
  'secret_use_acl:delete',
] as const
const discoveryRules = ['extensions:get'] as const
const versionRules = [
  'secret_version:post',
  'secret_version:patch',
  'secret_version:delete',
  'secret_versioning:put',
] as const
const ownRules = [
  ...authorityRules,
  ...certificateRules,
  ...updateRules,
  ...versionRules,
  ...operatorRules,
  ...auditorRules,
  ...useRules,
  ...discoveryRules,
] as const
type Rule = Exclude<AnyRule, (typeof ownRules)[number]>
const rules = allRules.filter((rule): rule is Rule => !(ownRules as readonly string[]).includes(rule))

const rolesOf = {
  none: [],
  reader: ['reader'],
  member: ['member', 'reader'],
  admin: ['admin', 'member', 'reader'],
  'bare admin': ['admin'],
  creator: ['creator'],
  observer: ['observer'],
  audit: ['audit'],
  'service-admin': ['key-manager:service-admin'],
} as const
type Roles = keyof typeof rolesOf

/** The caller's relation to the entity, which was created by `maker` in the project `home`. */
const placeOf = {
  owner: { userId: 'maker', projectId: 'home' },
  colleague: { userId: 'other', projectId: 'home' },
  stranger: { userId: 'other', projectId: 'elsewhere' },
  'owner elsewhere': { userId: 'maker', projectId: 'elsewhere' },
} as const
type Relation = keyof typeof placeOf

const relations = Object.keys(placeOf) as Relation[]
const bits = [false, true]

interface Cell {
  readonly rule: Rule
  readonly roles: Roles
  readonly relation: Relation
  readonly caller: Caller
  readonly target: Target
  readonly peer: Readonly<Record<'legacy' | 'secure', boolean>>
}

function allowed(words: string, roles: number, cell: number): boolean {
  return words.split(' ')[roles]?.[cell] === '1'
}

/**
 * The target of a check. A collection belongs to the caller's project, and an order of another project is never found,
 * so that there is no target.
 */
function targetOf(rule: Rule, caller: Caller, isPrivate: boolean, onAcl: boolean): Target | null {
  const kind = recorded.kinds[rule]
  if (kind === 'collection') return { projectId: caller.projectId, creatorId: null, private: false, readers: [] }
  const readers = onAcl ? ['somebody', caller.userId] : ['somebody']
  if (kind !== 'order') return { projectId: 'home', creatorId: 'maker', private: isPrivate, readers }
  return caller.projectId === 'home' ? { projectId: 'home', creatorId: 'maker', private: false, readers: [] } : null
}

function cellsOf(rule: Rule): Cell[] {
  return (Object.keys(rolesOf) as Roles[]).flatMap((roles, word) =>
    relations.flatMap((relation, place) =>
      bits.flatMap((isPrivate) =>
        bits.flatMap((onAcl) => {
          // Only a project's `admin`: the peer knows no other without system scope. Those of the cloud have a test below.
          const caller = { ...placeOf[relation], roles: rolesOf[roles], cloudAdmin: false }
          const target = targetOf(rule, caller, isPrivate, onAcl)
          if (!target) return []
          const index = place * 4 + Number(isPrivate) * 2 + Number(onAcl)
          const peer = {
            legacy: allowed(recorded.legacy[rule], word, index),
            secure: allowed(recorded.secure[rule], word, index),
          }
          return [{ rule, roles, relation, caller, target, peer }]
        }),
      ),
    ),
  )
}

interface Difference {
  readonly policy: 'legacy' | 'secure'
  readonly rules: readonly Rule[]
  /** The decision of this service in these cells. */
  readonly allows: boolean
  readonly where: (cell: Cell) => boolean
  readonly reason: string
}

const isElsewhere = ({ relation }: Cell) => relation === 'stranger' || relation === 'owner elsewhere'
const isOnAcl = ({ caller, target }: Cell) => target.readers.includes(caller.userId)
/** Created the entity, and has the role that an owner needs. */
const isOwningCreator = ({ roles, relation }: Cell) => roles === 'creator' && relation === 'owner'
/** A creator of the project who did not make the entity, which is private. */
const isShutOutCreator = ({ roles, relation, target }: Cell) =>
  roles === 'creator' && relation === 'colleague' && target.private

/** Every cell in which this service and the packaged peer differ, with the reason. */
const differences: readonly Difference[] = [
  {
    policy: 'legacy',
    rules: ['secret_acls:put_patch', 'secret_acls:delete', 'container_acls:put_patch', 'container_acls:delete'],
    allows: false,
    where: isShutOutCreator,
    reason:
      'the text of the policy asks that the entity is not private; the ACL controllers of the peer leave that out of ' +
      'what they ask about, so every creator of the project opens every private entity',
  },
  {
    policy: 'legacy',
    rules: ['secret:put'],
    allows: false,
    where: isShutOutCreator,
    reason:
      'whoever may not read a private secret must not choose its payload either; the text of the policy does not check privacy',
  },
  {
    policy: 'legacy',
    rules: ['secret_consumer:get', 'container_consumer:get'],
    allows: false,
    where: (cell) =>
      ['admin', 'bare admin', 'creator', 'observer', 'audit'].includes(cell.roles) &&
      !isOnAcl(cell) &&
      (isElsewhere(cell) || (cell.target.private && !cell.roles.includes('admin') && !isOwningCreator(cell))),
    reason:
      'a consumer is shown to who may read its entity, as lists of consumers are; the peer shows it to these roles in ' +
      'any project',
  },
  {
    policy: 'legacy',
    rules: ['secret_consumer:get'],
    allows: true,
    where: (cell) => cell.roles === 'service-admin' && !isElsewhere(cell) && !cell.target.private && !isOnAcl(cell),
    reason: 'the same; the peer asks about a container that is not there',
  },
  {
    policy: 'legacy',
    rules: ['secret_consumer:get'],
    allows: true,
    where: (cell) => ['none', 'reader', 'member', 'service-admin'].includes(cell.roles) && isOnAcl(cell),
    reason: 'the same, for the users of the ACL',
  },
  {
    policy: 'secure',
    rules: ['project_quotas:get', 'project_quotas:put', 'project_quotas:delete'],
    allows: true,
    where: ({ roles }) => roles === 'service-admin',
    reason:
      'the operator of the service keeps the quotas under every rule set; the packaged peer asks for system scope',
  },
  {
    policy: 'secure',
    rules: ['secret_consumer:get'],
    allows: true,
    where: (cell) => ['admin', 'bare admin'].includes(cell.roles) && !isElsewhere(cell),
    reason: 'newer Barbican lets an admin see the consumer; the packaged one asks about a container that is not there',
  },
]

const labelOf = ({ rule, roles, relation, target, caller }: Cell) =>
  [
    `${rule}, ${roles}, ${relation}`,
    ...(target.private ? ['private'] : []),
    ...(target.readers.includes(caller.userId) ? ['on the ACL'] : []),
  ].join(', ')

const isListed = (policy: 'legacy' | 'secure', allows: boolean) => (cell: Cell) =>
  differences.some(
    (one) => one.policy === policy && one.allows === allows && one.rules.includes(cell.rule) && one.where(cell),
  )

describe('the recorded answers', () => {
  it('the recorded answers cover exactly the rules of the service and the callers of this test', () => {
    expect(Object.keys(recorded.kinds).toSorted()).toEqual(rules.toSorted())
    expect(recorded.roles).toEqual(Object.keys(rolesOf))
    expect(recorded.relations).toEqual(relations)
  })
})

const ours = (policy: Policy, { rule, caller, target }: Cell) => permits(policy, rule, caller, target)

describe.each(rules)('%s', (rule) => {
  const cells = cellsOf(rule)

  it.each(['legacy', 'secure'] as const)(
    `the rule ${rule} allows under the rule set %s what Barbican allows, except for what is listed here`,
    (policy) => {
      for (const allows of [true, false]) {
        const found = cells.filter((cell) => ours(policy, cell) === allows && cell.peer[policy] !== allows)
        expect(found.map(labelOf)).toEqual(cells.filter(isListed(policy, allows)).map(labelOf))
      }
    },
  )

  it(`the rule ${rule} allows under both rule sets together what either of them allows`, () => {
    for (const cell of cells) expect(ours('both', cell)).toBe(ours('legacy', cell) || ours('secure', cell))
  })

  it(`the rule ${rule} allows nothing to a caller without a role, except by an ACL`, () => {
    const open = cells.filter(
      ({ roles, caller, target }) =>
        roles === 'none' && permits('both', rule, caller, target) && !target.readers.includes(caller.userId),
    )
    expect(open.map(labelOf)).toEqual([])
  })
})

const opened = (rule: AnyRule, policy: Policy, projectId = 'home') => {
  const target: Target = { projectId, creatorId: null, private: false, readers: [] }
  return (Object.keys(rolesOf) as Roles[]).filter((name) =>
    permits(policy, rule, { ...placeOf.owner, roles: rolesOf[name], cloudAdmin: false }, target),
  )
}

describe.each([...authorityRules, ...discoveryRules])('%s', (rule) => {
  it(`the rule ${rule} allows every role of the rule set, and nobody without one`, () => {
    expect(opened(rule, 'legacy')).toEqual(['admin', 'bare admin', 'creator', 'observer', 'audit', 'service-admin'])
    expect(opened(rule, 'secure')).toEqual(['reader', 'member', 'admin'])
  })
})

describe.each(certificateRules)('%s', (rule) => {
  it(`the rule ${rule} allows the admins of the project and the operator with a token of the project`, () => {
    const admins = ['admin', 'bare admin', 'service-admin']
    expect([opened(rule, 'legacy'), opened(rule, 'secure')]).toEqual([admins, admins])
    expect([opened(rule, 'legacy', 'elsewhere'), opened(rule, 'secure', 'elsewhere')]).toEqual([[], []])
  })
})

describe.each(updateRules)('%s', (rule) => {
  it(`the rule ${rule} allows an admin of the project, and of those who may order the one who placed the order`, () => {
    const target: Target = { projectId: 'home', creatorId: 'maker', private: false, readers: [] }
    const allowed = (policy: Policy, relation: Relation) =>
      (Object.keys(rolesOf) as Roles[]).filter((name) =>
        permits(policy, rule, { ...placeOf[relation], roles: rolesOf[name], cloudAdmin: false }, target),
      )
    expect(allowed('legacy', 'owner')).toEqual(['admin', 'bare admin', 'creator'])
    expect(allowed('secure', 'owner')).toEqual(['member', 'admin', 'bare admin'])
    for (const policy of ['legacy', 'secure'] as const) {
      expect(allowed(policy, 'colleague')).toEqual(['admin', 'bare admin'])
      expect([...allowed(policy, 'stranger'), ...allowed(policy, 'owner elsewhere')]).toEqual([])
    }
  })
})

describe.each(versionRules)('%s', (rule) => {
  // A PUT that makes a version of a secret asks its own rule alone.
  it.each(['legacy', 'secure', 'both'] as const)(
    `the rule ${rule} allows under the rule set %s whom the rule of PUT allows`,
    (policy) => {
      const differing = cellsOf('secret:put').filter(
        ({ caller, target }) => permits(policy, rule, caller, target) !== permits(policy, 'secret:put', caller, target),
      )
      expect(differing.map(labelOf)).toEqual([])
    },
  )
})

describe.each(auditorRules)('%s', (rule) => {
  it(`the rule ${rule} allows the auditor, and under the secure rule set whoever may read in the project`, () => {
    expect([opened(rule, 'legacy'), opened(rule, 'secure')]).toEqual([['audit'], ['reader', 'member', 'admin']])
  })
})

describe.each(operatorRules)('%s', (rule) => {
  it(`the rule ${rule} allows the operator of the service alone`, () => {
    expect([opened(rule, 'legacy'), opened(rule, 'secure')]).toEqual([['service-admin'], ['service-admin']])
  })
})

describe.each(['legacy', 'secure'] as const)('the use of a key under the rule set %s', (policy) => {
  const writer = policy === 'legacy' ? 'creator' : 'member'
  const target: Target = { projectId: 'home', creatorId: 'maker', private: false, readers: ['other'] }
  const closings = {
    'is open': {},
    'has a private read ACL': { private: true },
    'has a closed ACL of use': { use: { projectAccess: false, grants: [] } },
  }
  const users = (relation: Relation, given: object) =>
    (Object.keys(rolesOf) as Roles[]).filter((name) =>
      permits(
        policy,
        'secret:use',
        { ...placeOf[relation], roles: rolesOf[name], cloudAdmin: true },
        { ...target, ...given },
        'encrypt',
      ),
    )
  const writers = (Object.keys(rolesOf) as Roles[]).filter((name) =>
    [writer, 'admin'].some((role) => (rolesOf[name] as readonly string[]).includes(role)),
  )
  const admins: readonly Roles[] = ['admin', 'bare admin']

  it.each(Object.entries(closings))(
    `under ${policy} a key that %s is used by its owner and the admins of its project`,
    (_what, given) => {
      expect(users('owner', given)).toEqual(writers)
      expect(users('colleague', given)).toEqual(Object.keys(given).length === 0 ? writers : admins)
      for (const relation of ['stranger', 'owner elsewhere'] as const) expect(users(relation, given)).toEqual([])
    },
  )

  it(`under ${policy} a grant lets its user do the operation and no other, from any project and with any role`, () => {
    const use = { projectAccess: false, grants: [{ userId: 'other', operations: ['encrypt'] as const }] }
    for (const relation of ['colleague', 'stranger'] as const) {
      const caller: Caller = { ...placeOf[relation], roles: [], cloudAdmin: false }
      const may = (rule: AnyRule, operation?: 'encrypt' | 'decrypt') =>
        permits(policy, rule, caller, { ...target, readers: [], use }, operation)
      expect([may('secret:use', 'encrypt'), may('secret:use', 'decrypt'), may('secret_key:get')]).toEqual([
        true,
        false,
        true,
      ])
      const others = allRules.filter((rule) => rule !== 'secret:use' && rule !== 'secret_key:get' && may(rule))
      const without = allRules.filter((rule) => permits(policy, rule, caller, { ...target, readers: [] }))
      expect(others).toEqual(without)
    }
  })
})

/** What newer Barbican gives to `admin` of any project, or the packaged one to that of the system. */
const cloudRules: readonly AnyRule[] = [
  'secret:get',
  'secret:delete',
  'secret_consumer:get',
  'secret_key:get',
  'container_consumer:get',
  'project_quotas:get',
  'project_quotas:put',
  'project_quotas:delete',
  'transport_keys:post',
  'transport_key:delete',
]

describe('the admin of the cloud', () => {
  const target: Target = { projectId: 'home', creatorId: 'maker', private: true, readers: [] }
  const admin: Caller = { ...placeOf.stranger, roles: rolesOf.admin, cloudAdmin: true }
  const opensFor = (policy: Policy, caller: Caller) => allRules.filter((rule) => permits(policy, rule, caller, target))
  const gained = (policy: Policy) => {
    const without = opensFor(policy, { ...admin, cloudAdmin: false })
    return opensFor(policy, admin).filter((rule) => !without.includes(rule))
  }

  it('the admin of the cloud reaches into other projects where newer Barbican lets every admin', () => {
    expect(gained('secure').toSorted()).toEqual(cloudRules.toSorted())
    expect(gained('both').toSorted()).toEqual(cloudRules.toSorted())
    expect(gained('legacy')).toEqual([])
  })

  it('the admin of the cloud reads no payload, container or ACL of another project, and writes none', () => {
    for (const rule of [
      'secret:decrypt',
      'secret:put',
      'container:get',
      'container:delete',
      'secret_acls:get',
    ] as const)
      expect(permits('both', rule, admin, target)).toBe(false)
  })

  it.each(['legacy', 'secure', 'both'] as const)(
    'an admin of a project reaches no entity of another one under the rule set %s',
    (policy) => {
      const local: Caller = { ...admin, cloudAdmin: false }
      const kinds: Readonly<Record<string, string>> = recorded.kinds
      const entityRules = allRules.filter(
        (rule) => ['secret', 'container'].includes(kinds[rule] ?? '') || (useRules as readonly string[]).includes(rule),
      )
      expect(entityRules.filter((rule) => permits(policy, rule, local, target))).toEqual([])
    },
  )
})
