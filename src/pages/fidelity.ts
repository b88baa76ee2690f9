/**
 * The page that shows how far the service was tested against Barbican: operation by operation, by which suite and how often.
 * Its figures are those of the last whole run of `npm run interop`, which writes `src/docs/fidelity.json`.
 */
import type { Content } from './markdown.ts'
import { code, escaped, heading, scrolling, table, type Heading } from './markup.ts'
import { METHODS, type OpenApi } from './openapi.ts'

/** Who asked. `own`: the black-box suite against this service; `barbican`: the same suite against Barbican 15. */
export type Suite = 'own' | 'barbican' | 'tempest' | 'castellan' | 'clients'

interface Named {
  readonly name: string
  readonly reason: string
}

/** What `npm run interop` writes. */
export interface Fidelity {
  readonly version: string
  readonly suites: Readonly<Record<Suite, { readonly passed: number; readonly accepted: number }>>
  /** Tests for `own` and `barbican`, requests for the others; a suite that never asked is left out. */
  readonly operations: readonly {
    readonly operation: string
    readonly microversion: string
    readonly counts: Readonly<Partial<Record<Suite, number>>>
  }[]
  /** Answers that differ from Barbican's on purpose. */
  readonly answers: readonly Named[]
  /** Tests of others that fail on purpose. */
  readonly tests: readonly Named[]
}

/** The columns, in their order: what is counted, and what ran. */
const columns: readonly { readonly suite: Suite; readonly title: string; readonly what: string }[] = [
  { suite: 'own', title: 'own tests', what: 'tests of the black-box suite `test/api` against this service' },
  { suite: 'barbican', title: 'on Barbican', what: 'the same tests with the same assertions against Barbican 15' },
  { suite: 'tempest', title: 'Tempest', what: 'tests of Tempest’s Barbican plugin, with both rule sets' },
  { suite: 'castellan', title: 'castellan', what: 'functional tests of castellan' },
  { suite: 'clients', title: 'clients', what: 'steps with the stock clients `openstack` and python-barbicanclient' },
]

const isParameter = (segment: string) => segment.startsWith('{')
const segmentsOf = (path: string) => path.split('/').filter((segment) => segment !== '')

/** The paths under a tenant, `/v1/{project}/secrets`, are those without it. */
const withoutTenant = ([root = '', , ...rest]: readonly string[]) =>
  root === 'v1' && rest.length > 0 ? [root, ...rest] : null

/** Returns the operation of a request as `GET /v1/secrets/{secret}`, or null if the document has none. */
export type FindOperation = (method: string, path: string) => string | null

/** Reads the operations of a document. Where two paths match a request, the one with fewer parameters is meant. */
export function operationsIn(document: OpenApi): FindOperation {
  const all = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method] !== undefined).map((method) => ({
      method: method.toUpperCase(),
      path,
      segments: segmentsOf(path),
    })),
  )
  const parameters = ({ segments }: (typeof all)[number]) => segments.filter(isParameter).length
  const ordered = all.toSorted((one, other) => parameters(one) - parameters(other))
  const find = (method: string, given: readonly string[]) =>
    ordered.find(
      (one) =>
        one.method === method &&
        one.segments.length === given.length &&
        one.segments.every((segment, at) => isParameter(segment) || segment === given[at]),
    )
  return (method, path) => {
    const given = segmentsOf(path)
    const short = withoutTenant(given)
    const found = find(method, given) ?? (short && find(method, short))
    return found ? `${method} ${found.path}` : null
  }
}

const count = (value: number | undefined) => `<td class="number">${value ?? '–'}</td>`

/** All operations of the document with their counts, also those that nothing asked for. */
function operationsTable(document: OpenApi, { operations }: Fidelity): string {
  const rows = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method] !== undefined).flatMap((method) => {
      const operation = `${method.toUpperCase()} ${path}`
      const found = operations.filter((one) => one.operation === operation)
      const shown =
        found.length > 0 ? found : [{ microversion: '–', counts: {} as Fidelity['operations'][0]['counts'] }]
      return shown.map(
        ({ microversion, counts }) =>
          `<tr><td>${code(operation)}</td><td>${escaped(microversion.replace(/^-$/, '–'))}</td>` +
          `${columns.map(({ suite }) => count(counts[suite])).join('')}</tr>`,
      )
    }),
  )
  const titles = columns.map(({ title }) => `<th scope="col" class="number">${title}</th>`).join('')
  const head = `<tr><th scope="col">operation</th><th scope="col">microversion</th>${titles}</tr>`
  return scrolling(`<table><thead>${head}</thead><tbody>${rows.join('')}</tbody></table>`, 'Operations and suites')
}

/** Makes the page from the figures of a run. */
export function renderFidelity(document: OpenApi, found: Fidelity): Content {
  const headings: Heading[] = []
  const add = (depth: number, id: string, html: string) => {
    headings.push({ depth, id, html })
    return heading({ depth, id, html })
  }
  const withCode = (text: string) => escaped(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
  const named = (label: string, given: readonly Named[]) =>
    table(
      label,
      ['name', 'why'],
      given.map(({ name, reason }) => [escaped(name), withCode(reason)]),
    )
  const title = 'Fidelity'
  const html = [
    add(1, 'fidelity', title),
    `<p>How far version ${escaped(found.version)} was tested against Barbican. The figures are those of the last whole run of `,
    `${code('npm run interop')}, which starts a real Keystone, Barbican 15 and the stock clients, and writes them.</p>`,
    add(2, 'suites', 'Suites'),
    table(
      'Suites',
      ['suite', 'what it runs', 'passed', 'accepted differences'],
      columns.map(({ suite, title, what }) => [
        title,
        withCode(what),
        String(found.suites[suite].passed),
        String(found.suites[suite].accepted),
      ]),
    ),
    add(2, 'operations', 'Operations'),
    '<p>The first two columns count tests that sent the request, the others requests that were answered. The microversion is ',
    'the one that the answer was made with; operations without one have a dash. A dash in a column: that suite never asked.</p>',
    operationsTable(document, found),
    add(2, 'answers-that-differ', 'Answers that differ'),
    '<p>The black-box suite expects another answer of Barbican here, and only here.</p>',
    named('Answers that differ', found.answers),
    add(2, 'tests-that-fail', 'Tests of others that fail'),
    named('Tests of others that fail', found.tests),
  ]
  return { title, html: html.join(''), headings, images: [] }
}
