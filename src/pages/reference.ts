/** The reference: every operation of the OpenAPI document on one page, so that the browser's search finds everything. */
import { marked } from 'marked'
import type { Content } from './markdown.ts'
import { block, code, escaped, heading, headingIds, table, type Heading } from './markup.ts'
import { METHODS, resolved, type Answer, type Body, type OpenApi, type Operation, type Parameter } from './openapi.ts'
import { schemaId, showSchema, typeOf } from './schemas.ts'

export type { OpenApi } from './openapi.ts'

/** An operation with its place in the document. */
interface Placed {
  readonly method: string
  readonly path: string
  readonly operation: Operation
  readonly parameters: readonly Parameter[]
}

function operationsOf(document: OpenApi): readonly Placed[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method]
      if (operation === undefined) return []
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])]
      return [{ method, path, operation, parameters: parameters.map((one) => resolved<Parameter>(document, one)) }]
    }),
  )
}

/** Groups operations by their first tag, in the order of the document's tags and then of the paths. */
function grouped(document: OpenApi): ReadonlyMap<string, readonly Placed[]> {
  const groups = new Map<string, Placed[]>((document.tags ?? []).map(({ name }) => [name, []]))
  for (const placed of operationsOf(document)) {
    const [tag = placed.path.split('/').find((part) => part !== '' && part !== 'v1') ?? ''] =
      placed.operation.tags ?? []
    groups.set(tag, [...(groups.get(tag) ?? []), placed])
  }
  return groups
}

/** Descriptions are Markdown (OpenAPI 3.1, section 4.4). Those of this document come from its own tables. */
const prose = (text: string | undefined): string =>
  text === undefined ? '' : marked.parse(escaped(text), { async: false })

function parametersOf({ path, parameters }: Placed, method: string): string {
  if (parameters.length === 0) return ''
  const rows = parameters.map(({ name, in: where, required, description, schema }) => [
    code(name),
    escaped(where),
    schema === undefined ? '' : typeOf(schema),
    required ? 'required' : '',
    escaped(description ?? ''),
  ])
  return table(`Parameters of ${method} ${path}`, ['parameter', 'in', 'type', 'needed', 'what it is'], rows)
}

function bodyOf(document: OpenApi, { path, operation }: Placed, method: string): string {
  if (operation.requestBody === undefined) return ''
  const { content, required, description } = resolved<Body>(document, operation.requestBody)
  const parts = Object.entries(content).map(([type, { schema }]) => {
    const label = `Request body of ${method} ${path} as ${type}`
    return `<p>Request body ${code(type)}${required ? ', required' : ''}</p>${schema ? showSchema(schema, label) : ''}`
  })
  return prose(description) + parts.join('')
}

function answersOf(document: OpenApi, { path, operation }: Placed, method: string): string {
  const rows = Object.entries(operation.responses ?? {}).map(([status, given]) => {
    const { description, content = {} } = resolved<Answer>(document, given)
    const bodies = Object.entries(content).map(
      ([type, { schema }]) => code(type) + (schema ? `: ${typeOf(schema)}` : ''),
    )
    return [code(status), prose(description), bodies.join('<br>')]
  })
  return rows.length === 0 ? '' : table(`Answers of ${method} ${path}`, ['status', 'when', 'body'], rows)
}

/** Who may call an operation, from `x-roles`: a list, or one list for each rule set. */
function rolesOf({ operation }: Placed): string {
  const roles = operation['x-roles']
  if (roles === undefined) return ''
  const list = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(', ') : String(value))
  const said =
    typeof roles === 'object' && roles !== null && !Array.isArray(roles)
      ? Object.entries(roles).map(([rules, given]) => `${code(rules)}: ${escaped(list(given) || 'nobody')}`)
      : [escaped(list(roles))]
  return `<p class="quiet">Roles – ${said.join('; ')}</p>`
}

/** A call with curl. \`https://keys.example\` becomes the address of the deployment when the page is served. */
function command(document: OpenApi, { method, path, operation }: Placed): string {
  const lines = [`curl -X ${method.toUpperCase()} 'https://keys.example${path}'`]
  if ((operation.security ?? document.security ?? []).length > 0) lines.push('-H "X-Auth-Token: $TOKEN"')
  if (operation.requestBody !== undefined) {
    const [type = 'application/json'] = Object.keys(resolved<Body>(document, operation.requestBody).content)
    lines.push(`-H 'Content-Type: ${type}' --data @body`)
  }
  return block(lines.join(' \\\n  '), true)
}

/** Makes the page of the reference. Throws if the document refers to a part that it does not have. */
export function renderReference(document: OpenApi): Content {
  const title = 'Reference'
  const headings: Heading[] = [{ depth: 1, id: 'reference', html: title }]
  const idOf = headingIds()
  idOf(title)
  const add = (depth: number, id: string, html: string) => {
    const made = { depth, id, html }
    headings.push(made)
    return heading(made)
  }
  const { info, tags = [] } = document
  const parts = [
    heading({ depth: 1, id: 'reference', html: title }),
    `<p>${escaped(info.title)} ${escaped(info.version)}, as <a href="/openapi.json">OpenAPI document</a>.</p>`,
    prose(info.description),
  ]
  for (const [tag, operations] of grouped(document)) {
    if (operations.length === 0) continue
    parts.push(add(2, idOf(tag), escaped(tag)), prose(tags.find(({ name }) => name === tag)?.description))
    for (const placed of operations) {
      const { operation, path } = placed
      const method = placed.method.toUpperCase()
      const id = operation.operationId ?? idOf(`${method} ${path}`)
      parts.push(
        add(3, id, `${method} ${escaped(path)}`),
        operation.summary === undefined ? '' : `<p>${escaped(operation.summary)}</p>`,
        prose(operation.description),
        rolesOf(placed),
        command(document, placed),
        parametersOf(placed, method),
        bodyOf(document, placed, method),
        answersOf(document, placed, method),
      )
    }
  }
  const schemas = Object.entries(document.components?.schemas ?? {})
  if (schemas.length > 0) parts.push(add(2, 'schemas', 'Schemas'))
  for (const [name, schema] of schemas) {
    parts.push(
      add(3, schemaId(name), escaped(name)),
      prose(schema.description),
      showSchema(schema, `Members of ${name}`),
    )
  }
  return { title, html: parts.join(''), headings, images: [] }
}
