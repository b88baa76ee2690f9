/**
 * The facts of an operation, from the extract of Keystone's document and from the contract, in one form: what is said of
 * each place, such as `body user/name`.
 */
import contract from '../../src/contract/openapi.json'
import keystone from './keystone.json'

/** What is said of a member, a parameter, or other members. */
export interface Said {
  /** Names of types, and values in JSON; none: anything. {@link NOTHING}: it must not be there. */
  readonly types: readonly string[]
  readonly least?: number | undefined
  readonly most?: number | undefined
  readonly isRequired: boolean
}

/** What is said, by its place: `status`, `query NAME`, `body PATH` or `answer PATH`. */
export type Facts = ReadonlyMap<string, Said>

type Found = readonly [path: string, said: Said]

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>

interface OfContract {
  readonly parameters: readonly { readonly name?: string; readonly in?: string; readonly schema?: Schema }[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}

type Members = Readonly<Record<string, string>>

interface OfKeystone {
  readonly query?: Members
  readonly body?: Members
  /** The paths of the members of the body that must be there. */
  readonly required?: readonly string[]
  readonly answers: Readonly<Record<string, Members | typeof UNDESCRIBED>>
}

/** Said of an answer whose members the document leaves out. */
export const UNDESCRIBED = 'undescribed'
/** The member that stands for all that have no name. */
export const OTHERS = '(others)'
export const NOTHING = 'nothing'
const FIRST_FAILURE = 400

const schemas = contract.components.schemas as unknown as Readonly<Record<string, Schema>>

const withoutValues = (schema: Schema): Schema =>
  Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== 'const' && keyword !== 'enum'))

/** One schema in place of alternatives: all of their types and members, of which those of all of them are required. */
function merged(schema: Schema): Schema {
  if (schema.$ref !== undefined) return merged(schemas[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)] ?? {})
  if (!schema.anyOf) return schema
  const { anyOf, ...others } = schema
  const alternatives = anyOf.map(merged)
  const types = alternatives.flatMap(typesOf)
  const options = alternatives.map(withoutValues)
  const properties = Object.assign({}, ...options.map((option) => option.properties), others.properties)
  const [first, ...further] = options.filter((option) => option.properties).map(({ required = [] }) => required)
  const required = (first ?? []).filter((name) => further.every((names) => names.includes(name)))
  return {
    ...Object.assign({}, ...options),
    required,
    ...(others.type === undefined && { type: types }),
    ...others,
    ...(Object.keys(properties).length > 0 && { properties }),
  }
}

/** Of a schema with a choice of values, the values. */
function typesOf(schema: Schema): readonly string[] {
  if ('const' in schema) return [JSON.stringify(schema.const)]
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value))
  return [schema.type ?? []].flat()
}

function said(schema: Schema, isRequired: boolean): Said {
  const { minLength, maxLength, minItems, maxItems } = schema
  const types = [...new Set(typesOf(schema))].toSorted()
  return { types, least: minLength ?? minItems, most: maxLength ?? maxItems, isRequired }
}

const below = (path: string, name: string) => (path === '' ? name : `${path}/${name}`)

function fromSchema(given: Schema, path: string): Found[] {
  const { properties = {}, required = [], items, additionalProperties: others = true } = merged(given)
  const parts = Object.entries(properties).map(
    ([name, member]) => [below(path, name), member, required.includes(name)] as const,
  )
  const all = items ? [...parts, [below(path, '*'), items, false] as const] : parts
  const found = all.flatMap(([at, part, isRequired]): Found[] => [
    [at, said(merged(part), isRequired)],
    ...fromSchema(part, at),
  ])
  if (others === true) return found
  const rest = others === false ? { types: [NOTHING], isRequired: false } : said(merged(others), false)
  return [...found, [below(path, OTHERS), rest]]
}

/** Reads a type of the extract: `null|string 1..64`. */
function parsed(text: string, isRequired: boolean): Said {
  const [, types = '', least, most] = /^(\S+)(?: (\d*)\.\.(\d*))?$/.exec(text) ?? []
  if (types === '') throw new Error(`keystone.json has the type ${text}`)
  const numberOf = (digits: string | undefined) => (digits ? Number(digits) : undefined)
  return { types: types.split('|'), least: numberOf(least), most: numberOf(most), isRequired }
}

const groups: Readonly<Record<string, Members>> = keystone.members

function fromMembers(members: Members, required: readonly string[], path = ''): Found[] {
  return Object.entries(members).flatMap(([name, type]): Found[] => {
    const at = below(path, name)
    const isRequired = required.includes(at)
    if (!/^[A-Z]/.test(type)) return [[at, parsed(type, isRequired)]]
    const group = groups[type]
    if (!group) throw new Error(`keystone.json has no members of ${type}`)
    return [[at, parsed('object', isRequired)], ...fromMembers(group, required, at)]
  })
}

const within = (part: 'query' | 'body' | 'answer', found: readonly Found[]): Found[] =>
  found.map(([path, what]) => [`${part} ${path}`, what])

/** What Keystone's document says of an operation, as the extract has it. */
export function factsOfKeystone({ query = {}, body = {}, required = [], answers }: OfKeystone): Facts {
  const [status = NOTHING] = Object.keys(answers)
  const answer = answers[status] ?? {}
  const inBody = fromMembers(body, required)
  const idle = required.filter((path) => !inBody.some(([at]) => at === path))
  if (idle.length > 0) throw new Error(`keystone.json requires what no body has: ${idle.join(', ')}`)
  return new Map([
    ['status', parsed(status, false)],
    ...within('query', fromMembers(query, [])),
    ...within('body', inBody),
    ...within('answer', answer === UNDESCRIBED ? [['', parsed(UNDESCRIBED, false)]] : fromMembers(answer, [])),
  ])
}

/** What the contract says of an operation. */
export function factsOfContract({ parameters, requestBody, responses }: OfContract): Facts {
  const query = parameters.flatMap(({ in: place, name, schema = {} }): Found[] =>
    place === 'query' && name !== undefined ? [[name, said(schema, false)]] : [],
  )
  const status = Object.keys(responses).find((code) => Number(code) < FIRST_FAILURE) ?? NOTHING
  const inContent = (content?: Content) => fromSchema(content?.['application/json']?.schema ?? {}, '')
  return new Map([
    ['status', parsed(status, false)],
    ...within('query', query),
    ...within('body', inContent(requestBody?.content)),
    // An answer asks for nothing.
    ...within(
      'answer',
      inContent(responses[status]?.content).map(([path, what]) => [path, { ...what, isRequired: false }]),
    ),
  ])
}

/** The path without the names of its parameters. */
const nameless = (path: string) => path.replaceAll(/\{\w+\}/g, '{}')

type Paths = Readonly<Record<string, Readonly<Record<string, OfContract>>>>

/** The operations of the embedded identity, by method and path, whose parameters have no names. */
export const ofContract: ReadonlyMap<string, OfContract> = new Map(
  Object.entries(contract.paths as unknown as Paths)
    .filter(([path]) => path.startsWith('/identity'))
    .flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([, operation]) => 'responses' in operation)
        .map(([method, operation]) => {
          const whole = nameless(path.replace('/identity', '') || '/')
          return [`${method.toUpperCase()} ${whole}`, operation] as const
        }),
    ),
)

const extracted = keystone.operations as unknown as Readonly<Record<string, OfKeystone>>

/** The operations of the extract, by method and path, whose parameters have no names. */
export const ofKeystone: ReadonlyMap<string, OfKeystone> = new Map(
  Object.entries(extracted).map(([name, operation]) => [nameless(name), operation]),
)

/** All paths of Keystone's document, whose parameters have no names. */
export const pathsOfKeystone: readonly string[] = keystone.paths.map(nameless)
