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
] as const
const auditorRules = ['audit:get'] as const
const updateRules = ['order:put'] as const
const ownRules = [...authorityRules, ...certificateRules, ...updateRules, ...operatorRules, ...auditorRules] as const
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
          const caller = { ...placeOf[relation], roles: rolesOf[roles] }
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
  readonly rules: readonly Rule[]
  readonly roles: readonly Roles[]
  readonly relations: readonly Relation[]
  readonly reason: string
}

/** Cells that the secure rules allow and the packaged Barbican refuses. There are none for which it is the reverse. */
const secureDifferences: readonly Difference[] = [
  {
    rules: ['secret:get', 'secret:delete'],
    roles: ['admin', 'bare admin'],
    relations: ['stranger', 'owner elsewhere'],
    reason: 'newer Barbican lets an admin of any project see and delete a secret, though not read its payload',
  },
  {
    rules: [
      'project_quotas:get',
      'project_quotas:put',
      'project_quotas:delete',
      'transport_keys:post',
      'transport_key:delete',
    ],
    roles: ['admin', 'bare admin'],
    relations,
    reason:
      'newer Barbican asks for an admin of any project; the packaged one for system scope, which no token has here',
  },
  {
    rules: ['secret_consumer:get'],
    roles: ['admin', 'bare admin'],
    relations,
    reason:
      'newer Barbican asks for an admin of any project, where the packaged one asks about a container that is not',
  },
  {
    rules: ['container_consumer:get'],
    roles: ['admin', 'bare admin'],
    relations: ['stranger', 'owner elsewhere'],
    reason: 'newer Barbican asks for an admin of any project, the packaged one for system scope',
  },
]

const nameOf = ({ rule, roles, relation }: Pick<Cell, 'rule' | 'roles' | 'relation'>) =>
  `${rule}, ${roles}, ${relation}`

const listed = secureDifferences.flatMap((difference) =>
  difference.rules.flatMap((rule) =>
    difference.roles.flatMap((roles) => difference.relations.map((relation) => nameOf({ rule, roles, relation }))),
  ),
)

describe('the recorded answers', () => {
  it('the recorded answers cover exactly the rules of the service and the callers of this test', () => {
    expect(Object.keys(recorded.kinds).toSorted()).toEqual(rules.toSorted())
    expect(recorded.roles).toEqual(Object.keys(rolesOf))
    expect(recorded.relations).toEqual(relations)
  })
})

const differing = (policy: 'legacy' | 'secure') => (cell: Cell) =>
  permits(policy, cell.rule, cell.caller, cell.target) !== cell.peer[policy]

describe.each(rules)('%s', (rule) => {
  const cells = cellsOf(rule)

  it(`the rule ${rule} allows under the legacy rule set what Barbican allows, and nothing else`, () => {
    expect(cells.filter(differing('legacy')).map(nameOf)).toEqual([])
  })

  it(`the rule ${rule} allows under the secure rule set what Barbican allows, and beyond that only what is listed here`, () => {
    const found = new Set(cells.filter(differing('secure')).map(nameOf))
    expect([...found].toSorted()).toEqual(listed.filter((name) => name.startsWith(`${rule},`)).toSorted())
  })

  it(`the rule ${rule} never refuses under the secure rule set what Barbican allows`, () => {
    const refused = cells.filter((cell) => cell.peer.secure && !permits('secure', rule, cell.caller, cell.target))
    expect(refused.map(nameOf)).toEqual([])
  })

  it(`the rule ${rule} allows under both rule sets together what either of them allows`, () => {
    for (const { caller, target } of cells) {
      const one = (policy: Policy) => permits(policy, rule, caller, target)
      expect(one('both')).toBe(one('legacy') || one('secure'))
    }
  })

  it(`the rule ${rule} allows nothing to a caller without a role, except by an ACL`, () => {
    const open = cells.filter(
      ({ roles, caller, target }) =>
        roles === 'none' && permits('both', rule, caller, target) && !target.readers.includes(caller.userId),
    )
    expect(open.map(nameOf)).toEqual([])
  })
})

const opened = (rule: AnyRule, policy: Policy, projectId = 'home') => {
  const target: Target = { projectId, creatorId: null, private: false, readers: [] }
  return (Object.keys(rolesOf) as Roles[]).filter((name) =>
    permits(policy, rule, { ...placeOf.owner, roles: rolesOf[name] }, target),
  )
}

describe.each(authorityRules)('%s', (rule) => {
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
        permits(policy, rule, { ...placeOf[relation], roles: rolesOf[name] }, target),
      )
    expect(allowed('legacy', 'owner')).toEqual(['admin', 'bare admin', 'creator'])
    expect(allowed('secure', 'owner')).toEqual(['member', 'admin', 'bare admin'])
    for (const policy of ['legacy', 'secure'] as const) {
      expect(allowed(policy, 'colleague')).toEqual(['admin', 'bare admin'])
      expect([...allowed(policy, 'stranger'), ...allowed(policy, 'owner elsewhere')]).toEqual([])
    }
  })
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
