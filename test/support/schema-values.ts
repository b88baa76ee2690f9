/**
 * Arbitrary values of a JSON Schema, for as much of JSON Schema as the contract has; it throws for more. What a value is,
 * a validator says: these values only come near to the schema, so that many of them are what it admits, and the others
 * not far from it.
 */
import * as fc from 'fast-check'
import { stripText } from '../../src/wire/http/python.ts'

export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly propertyNames?: JsonSchema
  readonly items?: JsonSchema
  readonly minItems?: number
  readonly maxItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
}

/** Values that mean something to the service, which random ones hardly ever hit. */
export interface Notable {
  readonly texts: readonly string[]
  readonly numbers: readonly number[]
}

const MOST_CHARACTERS = 12
const MOST_ENTRIES = 3
const MOST_INTEGER = 2 ** 31 - 1

/** The arbitrary value of one schema; `resolve` finds what a `$ref` names. */
export function valuesOf(
  schema: JsonSchema,
  notable: Notable,
  resolve: (ref: string) => JsonSchema,
): fc.Arbitrary<unknown> {
  const of = (part: JsonSchema): fc.Arbitrary<unknown> => {
    if (part.$ref !== undefined) return of(resolve(part.$ref))
    if ('const' in part) return fc.constant(part.const)
    if (part.enum) return fc.constantFrom(...part.enum)
    const { anyOf, oneOf, ...others } = part
    const options = anyOf ?? oneOf
    if (options) return fc.oneof(...options.map((option) => of({ ...others, ...option })))
    if (part.type === undefined) return fc.jsonValue({ maxDepth: 2 })
    return fc.oneof(...[part.type].flat().map((type) => ofType(type, part)))
  }

  const ofType = (type: string, part: JsonSchema): fc.Arbitrary<unknown> => {
    if (type === 'null') return fc.constant(null)
    if (type === 'boolean') return fc.boolean()
    if (type === 'integer' || type === 'number') return numbers(type, part)
    if (type === 'string') return texts(part)
    if (type === 'array') return arrays(part)
    if (type === 'object') return objects(part)
    throw new Error(`test/support/schema-values.ts has no values of type ${type}`)
  }

  const numbers = (type: string, { minimum = -MOST_INTEGER, maximum = MOST_INTEGER }: JsonSchema) => {
    const fitting = notable.numbers.filter((number) => number >= minimum && number <= maximum)
    const integers = fc.integer({ min: minimum, max: maximum })
    const random =
      type === 'integer' ? integers : fc.oneof(integers, fc.double({ noNaN: true, noDefaultInfinity: true }))
    return fitting.length > 0 ? fc.oneof(random, fc.constantFrom(...fitting)) : random
  }

  const texts = ({ minLength = 0, maxLength, pattern }: JsonSchema) => {
    if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern))
    const most = Math.max(minLength, Math.min(maxLength ?? MOST_CHARACTERS, MOST_CHARACTERS))
    const random = fc.string({ unit: 'grapheme', minLength, maxLength: most }).map(stripText)
    const longest = maxLength === undefined ? [] : [fc.constant('x'.repeat(maxLength))]
    return fc.oneof(
      { arbitrary: fc.constantFrom(...notable.texts), weight: 3 },
      { arbitrary: random, weight: 3 },
      ...longest,
    )
  }

  const arrays = ({ items = {}, minItems = 0, maxItems = MOST_ENTRIES }: JsonSchema) =>
    fc.array(of(items), { minLength: minItems, maxLength: Math.max(minItems, Math.min(maxItems, MOST_ENTRIES)) })

  const objects = ({ properties = {}, required = [], additionalProperties, propertyNames }: JsonSchema) => {
    const members = Object.entries(properties).map(([name, member]) => [name, of(member)] as const)
    const unnamed = required.filter((name) => !(name in properties)).map((name) => [name, of({})] as const)
    const known = fc.record(Object.fromEntries([...members, ...unnamed]), { requiredKeys: [...required] })
    if (additionalProperties === false) return known
    const names = propertyNames ? of({ type: 'string', ...propertyNames }) : fc.string({ maxLength: MOST_CHARACTERS })
    const values = of(typeof additionalProperties === 'object' ? additionalProperties : {})
    const others = fc.dictionary(names.map(String), values, { maxKeys: MOST_ENTRIES })
    const more = fc.tuple(others, known).map(([first, second]) => ({ ...first, ...second }))
    const isOpen = members.length === 0
    return isOpen ? more : fc.oneof({ arbitrary: known, weight: 4 }, { arbitrary: more, weight: 1 })
  }

  return of(schema)
}

type Path = readonly string[]

function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([name, member]) => pathsIn(member, [...path, name]))]
}

/** The value with another in a place of it; undefined takes the place out. */
function replaced(value: unknown, [name, ...path]: Path, by: unknown): unknown {
  if (name === undefined) return by
  if (Array.isArray(value)) return value.map((item, at) => (String(at) === name ? replaced(item, path, by) : item))
  const members = Object.entries(value as object).map(([key, member]) =>
    key === name ? [key, replaced(member, path, by)] : [key, member],
  )
  return Object.fromEntries(members)
}

/** The values with something else in one place of each, or nothing. */
export const nearly = (values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.tuple(values, fc.nat(), fc.option(fc.jsonValue({ maxDepth: 1 }), { nil: undefined })).map(([value, at, by]) => {
    const paths = pathsIn(value)
    return replaced(value, paths[at % paths.length] ?? [], by) ?? null
  })
