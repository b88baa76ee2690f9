/** The rules of the identity API: whom each rule allows, and that every rule is used by an operation. */
import { describe, expect, it } from 'vitest'
import { identityRuleNames, permitsIdentity, type IdentityCaller } from '../../src/access/identity-policy.ts'
import { identityOperations } from '../../src/wire/identity/index.ts'

const nobody: IdentityCaller = { userId: 'me', projectId: 'mine', administrator: false, restricted: false }
const callers = {
  administrator: { ...nobody, administrator: true },
  'restricted administrator': { ...nobody, administrator: true, restricted: true },
  user: nobody,
  'restricted user': { ...nobody, restricted: true },
  'unscoped user': { ...nobody, projectId: null },
} as const
const targets = {
  me: { userId: 'me' },
  another: { userId: 'another' },
  mine: { projectId: 'mine' },
  other: { projectId: 'other' },
  nothing: {},
} as const

type Cell = `${keyof typeof callers} on ${keyof typeof targets}`
const cells = (Object.keys(callers) as (keyof typeof callers)[]).flatMap((caller) =>
  (Object.keys(targets) as (keyof typeof targets)[]).map((target): Cell => `${caller} on ${target}`),
)
const everything = cells
const ofAdministrators = cells.filter((cell) => /^(restricted )?administrator/.test(cell))
const onMe = cells.filter((cell) => cell.endsWith(' on me'))
const without = (list: readonly Cell[], pattern: RegExp) => list.filter((cell) => !pattern.test(cell))
const union = (...lists: readonly (readonly Cell[])[]) =>
  cells.filter((cell) => lists.some((list) => list.includes(cell)))

/** The cells that each rule allows. A rule that is not listed allows administrators only. */
const allowed: Readonly<Record<string, readonly Cell[]>> = {
  'identity:get_auth_catalog': everything,
  'identity:get_auth_projects': everything,
  'identity:get_auth_domains': everything,
  'identity:get_domain': everything,
  'identity:list_regions': everything,
  'identity:get_region': everything,
  'identity:validate_token': union(ofAdministrators, onMe),
  'identity:revoke_token': union(ofAdministrators, onMe),
  'identity:get_user': union(ofAdministrators, onMe),
  'identity:list_user_projects': union(ofAdministrators, onMe),
  'identity:list_grants': union(ofAdministrators, onMe),
  'identity:check_grant': union(ofAdministrators, onMe),
  'identity:list_application_credentials': union(ofAdministrators, onMe),
  'identity:get_application_credential': union(ofAdministrators, onMe),
  'identity:delete_application_credential': without(union(ofAdministrators, onMe), /^restricted/),
  'identity:create_application_credential': without(onMe, /^restricted/),
  'identity:change_password': onMe,
  'identity:get_project': union(ofAdministrators, ['user on mine', 'restricted user on mine']),
}

describe('the rules of the identity API', () => {
  it.each(identityRuleNames)('the rule %s allows what the table says, and nothing else', (rule) => {
    const permitted = (Object.keys(callers) as (keyof typeof callers)[]).flatMap((caller) =>
      (Object.keys(targets) as (keyof typeof targets)[])
        .filter((target) => permitsIdentity(rule, callers[caller], targets[target]))
        .map((target): Cell => `${caller} on ${target}`),
    )
    expect(permitted).toEqual(allowed[rule] ?? ofAdministrators)
  })

  it('every rule of the identity API is used by an operation, and the table names only existing rules', () => {
    const asked = new Set(identityOperations.map(({ rule }) => rule))
    expect(identityRuleNames.filter((rule) => !asked.has(rule))).toEqual([])
    expect(Object.keys(allowed).filter((rule) => !(identityRuleNames as readonly string[]).includes(rule))).toEqual([])
  })
})
