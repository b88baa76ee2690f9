/** The reference: every operation of the OpenAPI document on one page, so that the browser's search finds everything. */
import { prose, phrase, type Content } from './markdown.ts'
import { block, code, escaped, heading, headingIds, table, type Heading } from './markup.ts'
import {
  isReference,
  METHODS,
  resolved,
  type Answer,
  type Body,
  type OpenApi,
  type Operation,
  type Parameter,
} from './openapi.ts'
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

function parametersOf({ path, parameters }: Placed, method: string): string {
  if (parameters.length === 0) return ''
  const rows = parameters.map(({ name, in: where, required, description, schema }) => [
    code(name),
    escaped(where),
    schema === undefined ? '' : typeOf(schema),
    required ? 'required' : '',
    phrase(description),
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

const answerId = (name: string) => `answer-${name}`

/** What an answer says: the sentences of its failures, or its description. `name`: the operation, which they name. */
function saidBy(document: OpenApi, answer: Answer, name: string): string {
  const known = document.components?.['x-failures'] ?? {}
  const sentences = (answer['x-failures'] ?? []).map((failure) => known[failure]?.sentence ?? failure)
  if (sentences.length === 0) return prose(answer.description)
  const items = sentences.map((sentence) => `<li>${escaped(sentence.replaceAll('{operation}', name))}</li>`)
  return `<ul>${items.join('')}</ul>`
}

const bodiesOf = ({ content = {} }: Answer): string =>
  Object.entries(content)
    .map(([type, { schema = {} }]) => code(type) + (Object.keys(schema).length > 0 ? `: ${typeOf(schema)}` : ''))
    .join('<br>')

function answersOf(document: OpenApi, { path, operation }: Placed, method: string): string {
  const rows = Object.entries(operation.responses ?? {}).map(([status, given]) => {
    const answer = resolved<Answer>(document, given)
    if (!isReference(given)) return [code(status), saidBy(document, answer, operation.summary ?? ''), bodiesOf(answer)]
    const name = given.$ref.slice(given.$ref.lastIndexOf('/') + 1)
    return [code(status), `<a href="#${answerId(name)}">${escaped(answer.description)}</a>`, bodiesOf(answer)]
  })
  return rows.length === 0 ? '' : table(`Answers of ${method} ${path}`, ['status', 'when', 'body'], rows)
}

/** The answers that many operations have. */
function sharedAnswers(document: OpenApi): string {
  const rows = Object.entries(document.components?.responses ?? {}).map(([name, answer]) => [
    `<span id="${answerId(name)}">${escaped(answer.description)}</span>`,
    saidBy(document, answer, 'The operation'),
    bodiesOf(answer),
  ])
  return table('Answers of many operations', ['answer', 'when', 'body'], rows)
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
        command(document, placed),
        parametersOf(placed, method),
        bodyOf(document, placed, method),
        answersOf(document, placed, method),
      )
    }
  }
  parts.push(add(2, 'answers', 'Answers of many operations'), sharedAnswers(document))
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
