/** The page `src/docs/roles.md`: its tables of roles and operations are those that the rules give. */
import { expect, it } from 'vitest'
import { adminResources, resources } from '../../src/app.ts'
import { permits, rules, type Policy, type Rule } from '../../src/access/policy.ts'

const [page = ''] = Object.values(
  import.meta.glob<string>('../../src/docs/roles.md', { query: '?raw', eager: true, import: 'default' }),
)
const [BEGIN, END] = ['<!-- roles -->', '<!-- /roles -->']

interface Column {
  readonly title: string
  readonly roles: readonly string[]
  readonly onAcl?: boolean
  readonly isGranted?: boolean
  readonly cloudAdmin?: boolean
}

const serviceAdmin: Column = { title: 'service-admin', roles: ['key-manager:service-admin'] }
const onAcl: Column = { title: 'user of the ACL', roles: [], onAcl: true }
const granted: Column = { title: 'grant of use', roles: [], isGranted: true }

const columns: Readonly<Record<'secure' | 'legacy', readonly Column[]>> = {
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

/** The operations of each rule, as `METHOD path`. One operation has two rules, and tells them apart by `Accept`. */
const operationsOf = new Map<Rule, string[]>(rules.map((rule) => [rule, []]))
const everyResource = [
  ...resources.map((one) => ({ ...one, prefix: '/v1' })),
  ...adminResources.map((one) => ({ ...one, prefix: '/admin' })),
]
for (const { prefix, path, operations } of everyResource) {
  for (const [method, { rule }] of Object.entries(operations)) {
    const operation = `${method} ${(prefix + path).replaceAll(/:(\w+)/g, '{$1}')}`
    if (typeof rule === 'string') operationsOf.get(rule)?.push(operation)
    else {
      operationsOf.get('secret:get')?.push(operation)
      operationsOf.get('secret:decrypt')?.push(`${operation} as its payload`)
    }
  }
}

/** Whether the column's user may do it to an entity of the project `of`. */
function isAllowed(policy: Policy, rule: Rule, column: Column, of: string, isOwner: boolean, isPrivate: boolean) {
  const caller = { userId: 'user', projectId: 'home', roles: column.roles, cloudAdmin: column.cloudAdmin ?? false }
  const creatorId = isOwner ? 'user' : 'another'
  const target = { projectId: of, creatorId, private: isPrivate, readers: column.onAcl ? ['user'] : [] }
  const grants = column.isGranted ? [{ userId: 'user', operations: ['encrypt'] as const }] : []
  return permits(policy, rule, caller, { ...target, use: { projectAccess: !isPrivate, grants } }, 'encrypt')
}

/** Whether the answer depends on the entity: not for collections, for reads of orders, and for the deployment. */
const isOfEntity = (rule: Rule) =>
  /^order:put$|^(secret|container)(_meta|_acls|_consumers?|_secret|_key|_use_acl|_version|_versioning)?:/.test(rule)

function cell(policy: Policy, rule: Rule, column: Column): string {
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

function table(policy: 'secure' | 'legacy'): string {
  const titles = ['rule', 'operations', ...columns[policy].map(({ title }) => title)]
  const rows = rules.map((rule) => [
    `\`${rule}\``,
    operationsOf
      .get(rule)
      ?.map((operation) => `\`${operation}\``)
      .join(', ') ?? '',
    ...columns[policy].map((column) => cell(policy, rule, column)),
  ])
  const lines = [titles, titles.map(() => '-'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return `### \`POLICY=${policy}\`\n\n${lines.join('\n')}`
}

const generated = `${table('secure')}\n\n${table('legacy')}`

/** Without the spaces and dashes by which the formatter aligns a table. */
const unaligned = (text: string) => text.replaceAll(/ +/g, ' ').replaceAll(/-{2,}/g, '-').trim()

it('every rule has an operation, and the page of roles shows what the rules say', () => {
  for (const [rule, operations] of operationsOf) expect(operations, rule).not.toEqual([])
  const written = page.slice(page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END))
  const hint = `src/docs/roles.md: put this between its markers, then run "npm run format":\n\n${generated}\n`
  expect(unaligned(written) === unaligned(generated), hint).toBe(true)
})
