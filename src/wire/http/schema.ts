/**
 * Validates bodies with zod and reports violations with the messages of Barbican's JSON schemas. The schema of a body is
 * made within `z.lazy`, on first use: zod's objects are expensive to make, and most isolates need few of them.
 *
 * Barbican reports one violation: the one nearest to the root of the document, and at equal depth the first in the
 * order of its schema. A wrong type, missing members and extra members of an object are violations of the object
 * itself.
 */
import * as z from 'zod/mini'
import { fault } from '../../faults.ts'
import { codePoints, pythonNotation } from './python.ts'

type Property = PropertyKey | undefined

interface TextRules<Values extends readonly string[]> {
  readonly min?: number
  /** Maximum length, in code points like `min`. */
  readonly max?: number
  readonly oneOf?: Values
}

/** What a check means in JSON Schema, as its `params`: for the contract, which is made from these schemas. */
type Said = Readonly<Record<string, unknown>>

const typeError =
  (...types: readonly string[]) =>
  ({ input }: { readonly input?: unknown }) =>
    `${pythonNotation(input)} is not of type ${types.map((type) => `'${type}'`).join(', ')}`

function lengthAndChoice({ min = 0, max = Infinity, oneOf }: TextRules<readonly string[]>) {
  const violated = (message: string, params: Said) => ({
    abort: true,
    params,
    error: ({ input }: { readonly input?: unknown }) => `${pythonNotation(input)} ${message}`,
  })
  const tooLong =
    max < Infinity && z.refine<string>((text) => codePoints(text) <= max, violated('is too long', { maxLength: max }))
  const tooShort =
    min > 0 && z.refine<string>((text) => codePoints(text) >= min, violated('is too short', { minLength: min }))
  const notOne =
    oneOf &&
    z.refine<string>(
      (text) => oneOf.includes(text),
      violated(`is not one of ${pythonNotation(oneOf)}`, { enum: oneOf }),
    )
  return [tooLong, tooShort, notOne].filter((check) => check !== false && check !== undefined)
}

/** Returns the schema of a string; with `oneOf`, of one of these values. */
export function text<const Values extends readonly string[]>(rules: TextRules<Values> = {}) {
  return z.string({ error: typeError('string') }).check(...lengthAndChoice(rules)) as z.ZodMiniType<
    Values[number],
    string
  >
}

/** Returns the schema of a payload or password. Messages do not quote an invalid value, unless it is null. */
export const secretText = () =>
  z.string({ error: ({ input }) => `${input === null ? 'None' : 'The value'} is not of type 'string'` })

/** Returns the schema of a string or null. */
export function textOrNull(rules: TextRules<readonly string[]> = {}) {
  return z.nullable(z.string({ error: typeError('string', 'null') }).check(...lengthAndChoice(rules)))
}

const isInteger = (value: unknown) => typeof value === 'number' && Number.isInteger(value)

/** Returns the schema of an integer within the inclusive bounds; `256.0` is an integer. */
export function integer({ min = -Infinity, max = Infinity }: { readonly min?: number; readonly max?: number } = {}) {
  return z.custom<number>(isInteger, { abort: true, error: typeError('integer'), params: { type: 'integer' } }).check(
    z.refine((value) => value >= min, {
      params: { minimum: min },
      error: ({ input }) => `${pythonNotation(input)} is less than the minimum of ${min}`,
    }),
    z.refine((value) => value <= max, {
      params: { maximum: max },
      error: ({ input }) => `${pythonNotation(input)} is greater than the maximum of ${max}`,
    }),
  )
}

/** Returns the schema of a boolean. */
export const flag = () => z.boolean({ error: typeError('boolean') })

/** Returns the schema of an array. */
export const list = <Item extends z.ZodMiniType>(item: Item) => z.array(item, { error: typeError('array') })

/** Returns the schema of an object whose unknown members are ignored. */
export const object = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.object(shape, { error: typeError('object') })

/** Returns the schema of an object without unknown members. */
export function closedObject<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return typeError('object')(issue)
      const keys = issue.keys.toSorted().map((key) => pythonNotation(key))
      return `Additional properties are not allowed (${keys.join(', ')} ${keys.length > 1 ? 'were' : 'was'} unexpected)`
    },
  })
}

/** Returns the schema of an object whose members are not validated here. */
export const anyObject = () =>
  z.custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    params: { type: 'object' },
    error: typeError('object'),
  })

export interface Schema<Body> {
  /** The name in Barbican's messages, such as `Secret' within 'Order`. */
  readonly name: string
  readonly type: z.ZodMiniLazy<z.ZodMiniType<Body>>
  /** The property that a missing member is reported for: the member, or (by default) the document, as `None`. */
  readonly missingNames?: 'member' | 'document'
  /** The order in which missing members are reported, if it differs from that of the type. */
  readonly missingFirst?: readonly string[]
  /** Whether unknown members are reported before missing ones. */
  readonly extraFirst?: boolean
}

interface Violation {
  readonly depth: number
  readonly reason: string
  readonly property: Property
  /** The missing member, if the violation is one. */
  readonly missing?: string
  readonly extra?: boolean
}

function violation(
  issue: z.core.$ZodIssue,
  document: unknown,
  missingNames: Schema<unknown>['missingNames'],
): Violation {
  const parent = issue.path
    .slice(0, -1)
    .reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)[key], document)
  const last = issue.path.at(-1)
  const missing = last !== undefined && typeof parent === 'object' && parent !== null && !Object.hasOwn(parent, last)
  if (!missing) {
    const extra = issue.code === 'unrecognized_keys'
    return { depth: issue.path.length, reason: issue.message, property: issue.path[0], extra }
  }
  const names = missingNames === 'member' || issue.path.length > 1
  return {
    depth: issue.path.length - 1,
    missing: String(last),
    reason: `${pythonNotation(last)} is a required property`,
    property: names ? issue.path[0] : undefined,
  }
}

/** Returns the rank of a violation among those of the same object; the lowest is reported. */
function rankOf({ extra, missing }: Violation, { extraFirst, missingFirst = [] }: Schema<unknown>): number {
  if (extra) return extraFirst ? -1 : missingFirst.length
  return missing === undefined ? 0 : Math.max(0, missingFirst.indexOf(missing))
}

/** Validates a body and returns it as the schema's type. Throws `schema` with the violation that Barbican reports. */
export function checked<Body>(schema: Schema<Body>, document: unknown): Body {
  const result = z.safeParse(schema.type, document)
  if (result.success) return result.data
  const [first, ...others] = result.error.issues.map((issue) => violation(issue, document, schema.missingNames))
  if (!first) throw fault('malformedJson')
  const before = (one: Violation, other: Violation) =>
    one.depth - other.depth || rankOf(one, schema) - rankOf(other, schema)
  const nearest = others.reduce((best, other) => (before(other, best) < 0 ? other : best), first)
  throw schemaFault(schema.name, nearest.reason, nearest.property)
}

/** Creates the failure for a rule that a schema cannot express. */
export function schemaFault(name: string, reason: string, property: Property) {
  return fault('schema', name, reason, property === undefined ? 'None' : String(property))
}
