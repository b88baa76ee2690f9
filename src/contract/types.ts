/**
 * The contract as types of TypeScript, for programs that call the API from it: `src/client/api.ts`. The form is that of
 * `openapi-typescript`, which tools such as `openapi-fetch` take; that program itself needs an older TypeScript than this
 * repository has.
 */
import type { JsonSchema } from './schemas.ts'

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema: Schema
}

interface Media {
  readonly schema?: Schema
}

interface Message {
  readonly required?: boolean
  readonly content?: Readonly<Record<string, Media>>
}

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly Referred<Parameter>[]
  readonly requestBody?: Message
  readonly responses: Readonly<Record<string, Referred<Message>>>
}

type Referred<Value> = Value | { readonly $ref: string }
type Components = Readonly<Record<string, Readonly<Record<string, unknown>>>>

interface Contract {
  readonly paths: Readonly<Record<string, JsonSchema>>
  readonly components: Components
}

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const

const nameIn = (ref: string) => ref.slice(ref.lastIndexOf('/') + 1)
const quoted = (name: string) => (/^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`)
const literal = (value: unknown) => (typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : String(value))
const union = (types: readonly string[]) => [...new Set(types)].join(' | ')
const isComposed = (type: string) => / [|&] /.test(type)

function resolved<Value extends object>(value: Referred<Value>, components: Components): Value {
  if (!('$ref' in value)) return value
  const [kind = '', name = ''] = value.$ref.split('/').slice(-2)
  return components[kind]?.[name] as Value
}

function objectType({ properties = {}, required = [], additionalProperties }: Schema): string {
  const members = Object.entries(properties).map(
    ([name, member]) => `${quoted(name)}${required.includes(name) ? '' : '?'}: ${typeOf(member)}`,
  )
  // A member of another name would have to be of the types of all that are named.
  const others =
    members.length > 0 ? 'unknown' : typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown'
  const isOpen = typeof additionalProperties === 'object' || members.length === 0
  return `{ ${[...members, ...(isOpen ? [`[name: string]: ${others}`] : [])].join('; ')} }`
}

function simpleType(type: string, schema: Schema): string {
  if (type === 'object') return objectType(schema)
  if (type === 'integer') return 'number'
  if (type !== 'array') return type
  const item = typeOf(schema.items ?? {})
  return isComposed(item) ? `(${item})[]` : `${item}[]`
}

/** Only whether members must be there: says nothing about them. */
const isRequirement = (option: Schema) => Object.keys(option).every((member) => member === 'required')

/** The type of what a schema admits. */
function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return `Schemas['${nameIn(schema.$ref)}']`
  if ('const' in schema) return literal(schema.const)
  if (schema.enum) return union(schema.enum.map(literal))
  const options = (schema.anyOf ?? schema.oneOf ?? []).filter((option) => !isRequirement(option))
  if (options.length > 0) return union(options.map(typeOf))
  if (schema.type === undefined) return 'unknown'
  return union([schema.type].flat().map((type) => simpleType(type, schema)))
}

/** The parameters of an operation that are in one place. */
function parametersIn(place: string, parameters: readonly Parameter[]): string {
  const those = parameters.filter((parameter) => parameter.in === place)
  if (those.length === 0) return `${place}?: never`
  const members = those.map(({ name, required, schema }) => `${quoted(name)}${required ? '' : '?'}: ${typeOf(schema)}`)
  return `${place}${those.some(({ required }) => required) ? '' : '?'}: { ${members.join('; ')} }`
}

const parametersType = (parameters: readonly Parameter[]) =>
  `{ ${['query', 'header', 'path', 'cookie'].map((place) => parametersIn(place, parameters)).join('; ')} }`

function contentType(content: Readonly<Record<string, Media>>): string {
  const types = Object.entries(content).map(
    ([type, { schema }]) => [type, schema ? typeOf(schema) : 'unknown'] as const,
  )
  const [first] = types
  if (types.length === 1 && first?.[0] === 'application/json') return `Json<${first[1]}>`
  return `{ ${types.map(([type, value]) => `'${type}': ${value}`).join('; ')} }`
}

function operationType(operation: Operation, ofPath: readonly Parameter[], components: Components): string {
  const { parameters = [], requestBody, responses } = operation
  const all = [...ofPath, ...parameters.map((parameter) => resolved(parameter, components))]
  const body =
    requestBody && `${requestBody.required ? '' : '?'}: { content: ${contentType(requestBody.content ?? {})} }`
  const answers = Object.entries(responses).map(([status, response]) => {
    const { content } = resolved(response, components)
    return `${status}: Answer<${content ? contentType(content) : 'undefined'}>`
  })
  const members = [
    `parameters: ${parametersType(all)}`,
    `requestBody${body ?? '?: never'}`,
    `responses: { ${answers.join('; ')} }`,
  ]
  return `{ ${members.join('; ')} }`
}

/** The text of `src/client/api.ts`. Of the two forms of a path it has the one without the project. */
export function typesOf(contract: JsonSchema): string {
  const { paths, components } = contract as unknown as Contract
  const [pathLines, operationLines]: [string[], string[]] = [[], []]
  for (const [path, item] of Object.entries(paths)) {
    if ('$ref' in item) continue
    const ofPath = ((item['parameters'] ?? []) as Referred<Parameter>[]).map((one) => resolved(one, components))
    const members = methods.map((method) => {
      const operation = item[method] as Operation | undefined
      if (!operation) return `${method}?: never`
      operationLines.push(`  ${operation.operationId}: ${operationType(operation, ofPath, components)}`)
      return `${method}: operations['${operation.operationId}']`
    })
    pathLines.push(`  '${path}': { parameters: ${parametersType(ofPath)}; ${members.join('; ')} }`)
  }
  const schemas = Object.entries(components['schemas'] ?? {}).map(
    ([name, schema]) => `    ${name}: ${typeOf(schema as Schema)}`,
  )
  return [
    '/** The API, as types: made from the contract by `npm run contract`. */',
    "type Schemas = components['schemas']",
    "type Json<Value> = { 'application/json': Value }",
    'type Answer<Content> = {',
    '  headers: { [name: string]: unknown }',
    '  content: Content',
    '}',
    'export interface paths {',
    ...pathLines,
    '}',
    'export interface operations {',
    ...operationLines,
    '}',
    'export interface components {',
    '  schemas: {',
    ...schemas,
    '  }',
    '}',
    '',
  ].join('\n')
}
