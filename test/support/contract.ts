/**
 * Holds every answer of the suite to the contract: its status, its media type, the shape of its body, and for a failure its
 * sentence. Objects may have no members but those of their shape. Against Barbican, what is listed in
 * `test/peer/accepted-contract.ts` may differ.
 */
import { Validator, type Schema } from '@cfworker/json-schema'
import contract from '../../src/contract/openapi.json'

interface ResponseObject {
  readonly $ref?: string
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>
  readonly 'x-failures'?: readonly string[]
}

interface OperationObject {
  readonly operationId: string
  readonly summary: string
  readonly responses: Readonly<Record<string, ResponseObject>>
}

interface Failure {
  readonly status: number
  readonly sentence: string | null
}

const paths = contract.paths as unknown as Readonly<Record<string, Readonly<Record<string, OperationObject>>>>
const responses = contract.components.responses as unknown as Readonly<Record<string, ResponseObject>>
const failures = contract.components['x-failures'] as unknown as Readonly<Record<string, Failure>>

/** The schemas of the components, in which objects have no other members. */
const components = { schemas: closed(contract.components.schemas) }

function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const members = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]))
  return 'properties' in members && !('additionalProperties' in members)
    ? { ...members, additionalProperties: false }
    : members
}

const validators = new Map<object, Validator>()

function validatorOf(schema: object): Validator {
  const found = validators.get(schema)
  if (found) return found
  const whole = { ...(closed(schema) as object), components } as unknown as Schema
  const made = new Validator(whole, '2020-12')
  validators.set(schema, made)
  return made
}

const templates = Object.keys(paths)
  .filter((path) => !path.startsWith('/v1/{tenant}'))
  .map((path) => ({ path, segments: path.split('/').filter(Boolean) }))

const isParameter = (segment: string) => segment.startsWith('{')

/** The path of the contract that a path is, literal segments before parameters. */
function templateOf(pathname: string, tenants: boolean): string | null {
  const segments = pathname.split(/\/|%2f/i).filter(Boolean)
  const fitting = templates.filter(
    (template) =>
      template.segments.length === segments.length &&
      template.segments.every((segment, at) => isParameter(segment) || segment === segments[at]),
  )
  const [best] = fitting.toSorted(
    (one, other) => one.segments.filter(isParameter).length - other.segments.filter(isParameter).length,
  )
  if (best) return best.path
  const [version, , ...rest] = segments
  return tenants && version === 'v1' && rest.length > 0 ? templateOf(`/v1/${rest.join('/')}`, false) : null
}

/** The operation of the contract that a request is for; null if the contract has none. */
export function operationOf(method: string, url: string): OperationObject | null {
  const path = templateOf(new URL(url).pathname, true)
  return (path !== null && paths[path]?.[method.toLowerCase()]) || null
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

const patterns = new Map<string, RegExp>()

function patternOf(sentence: string, operation: string): RegExp {
  const whole = sentence.replace('{operation}', operation)
  const found = patterns.get(whole)
  if (found) return found
  const made = new RegExp(`^${whole.split('…').map(escaped).join('[^]*')}$`)
  patterns.set(whole, made)
  return made
}

interface Checked {
  readonly status: number
  readonly headers: Headers
  readonly json: unknown
  readonly text: string
}

/** The failures of a response that a body may be, by its sentence. */
function failuresIn({ status, json }: Checked, names: readonly string[], operation: string): string[] {
  const { error, description = error?.message } = json as {
    readonly error?: { readonly message: string }
    readonly description?: string | null
  }
  return names.filter((name) => {
    const failure = failures[name]
    if (failure?.status !== status) return false
    if (typeof description !== 'string' || failure.sentence === null) return description === failure.sentence
    return patternOf(failure.sentence, operation).test(description)
  })
}

/** What is wrong with an answer; null: nothing. Adds to `provoked` which failures of which operation were seen. */
export function violationOf(method: string, url: string, answer: Checked, provoked: Set<string>): string | null {
  const operation = operationOf(method, url)
  if (!operation) return null
  const said = operation.responses[answer.status]
  if (!said && answer.status === 405) return null
  const what = `${operation.operationId} ${answer.status}`
  if (!said) return `${what}: the contract has no such status: ${answer.text.slice(0, 300)}`
  const response = said.$ref ? responses[said.$ref.slice(said.$ref.lastIndexOf('/') + 1)] : said
  const { content, 'x-failures': names } = response ?? {}
  const type = answer.headers.get('Content-Type')?.split(';')[0]
  // A redirect may say where to in words as well.
  const isRedirect = answer.status >= 300 && answer.status < 400
  if (!content) return answer.text === '' || isRedirect ? null : `${what}: it has a body`
  if (answer.text === '' && method === 'HEAD') return null
  const media = type === undefined ? undefined : content[type]
  // Failures about the microversion are of the type that the request asks for.
  if (!media) return names && type?.startsWith('text/') ? null : `${what}: its type is ${type}`
  if (media.schema) {
    const { valid, errors } = validatorOf(media.schema).validate(answer.json)
    if (!valid) return `${what}: ${JSON.stringify(errors.slice(-3))} in ${answer.text.slice(0, 1_000)}`
  }
  if (!names || typeof answer.json !== 'object' || answer.json === null) return null
  // About the microversion: its sentence is not in the table.
  if ('message' in answer.json && 'code' in answer.json && typeof answer.json.code === 'string') return null
  // The identity does not name its operations in failures of the service.
  const named = new URL(url).pathname.startsWith('/identity') ? 'Request' : operation.summary
  const found = failuresIn(answer, names, named)
  if (found.length === 0) return `${what}: none of its failures says ${answer.text.slice(0, 300)}`
  for (const name of found) provoked.add(`${operation.operationId} ${name}`)
  return null
}
