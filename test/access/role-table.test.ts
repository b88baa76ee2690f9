/** The page `src/docs/roles.md`: its tables of roles and operations are those that the rules give. */
import { expect, it } from 'vitest'
import { adminResources, resources } from '../../src/app.ts'
import { rules, type Rule } from '../../src/access/policy.ts'
import { columns, opened, type RuleSet } from '../../src/contract/roles.ts'

const [page = ''] = Object.values(
  import.meta.glob<string>('../../src/docs/roles.md', { query: '?raw', eager: true, import: 'default' }),
)
const [BEGIN, END] = ['<!-- roles -->', '<!-- /roles -->']

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

function table(policy: RuleSet): string {
  const titles = ['rule', 'operations', ...columns[policy].map(({ title }) => title)]
  const rows = rules.map((rule) => [
    `\`${rule}\``,
    operationsOf
      .get(rule)
      ?.map((operation) => `\`${operation}\``)
      .join(', ') ?? '',
    ...columns[policy].map((column) => opened(policy, rule, column)),
  ])
  const lines = [titles, titles.map(() => '-'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return `## \`POLICY=${policy}\`\n\n${lines.join('\n')}`
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
