/**
 * Bodies, checked with zod and refused in the words of the peer's JSON schemas.
 *
 * The peer reports one violation: the one nearest to the document's root, and at equal depth the first in the order of
 * its schema. Wrong type, missing and extra members of an object count as faults of the object itself.
 */
import * as z from 'zod/mini'
import { fault } from '../../faults.ts'
import { codePoints, pythonNotation } from './python.ts'

type Property = PropertyKey | undefined

interface TextRules<Values extends readonly string[]> {
  readonly least?: number
  /** In code points. */
  readonly most?: number
  readonly oneOf?: Values
}

const notOfType =
  (...types: readonly string[]) =>
  ({ input }: { readonly input?: unknown }) =>
    `${pythonNotation(input)} is not of type ${types.map((type) => `'${type}'`).join(', ')}`

function lengthAndChoice({ least = 0, most = Infinity, oneOf }: TextRules<readonly string[]>) {
  const about = (words: string) => ({
    abort: true,
    error: ({ input }: { readonly input?: unknown }) => `${pythonNotation(input)} ${words}`,
  })
  const checks = [
    z.refine<string>((text) => codePoints(text) <= most, about('is too long')),
    z.refine<string>((text) => codePoints(text) >= least, about('is too short')),
  ] as const
  const choices = z.refine<string>(
    (text) => !oneOf || oneOf.includes(text),
    about(`is not one of ${pythonNotation(oneOf)}`),
  )
  return [...checks, choices] as const
}

/** A string; with `oneOf`, exactly one of these. */
export function text<const Values extends readonly string[]>(rules: TextRules<Values> = {}) {
  return z.string({ error: notOfType('string') }).check(...lengthAndChoice(rules)) as z.ZodMiniType<
    Values[number],
    string
  >
}

/** A payload or password: what is given instead is in no message, unless it is null. */
export const secretText = () =>
  z.string({ error: ({ input }) => `${input === null ? 'None' : 'The value'} is not of type 'string'` })

/** A string or null. */
export function textOrNull(rules: TextRules<readonly string[]> = {}) {
  return z.nullable(z.string({ error: notOfType('string', 'null') }).check(...lengthAndChoice(rules)))
}

const isInteger = (value: unknown) => typeof value === 'number' && Number.isInteger(value)

/** An integer within the bounds; `256.0` is one. */
export function integer({
  least = -Infinity,
  most = Infinity,
}: { readonly least?: number; readonly most?: number } = {}) {
  return z.custom<number>(isInteger, { abort: true, error: notOfType('integer') }).check(
    z.refine((value) => value >= least, {
      error: ({ input }) => `${pythonNotation(input)} is less than the minimum of ${least}`,
    }),
    z.refine((value) => value <= most, {
      error: ({ input }) => `${pythonNotation(input)} is greater than the maximum of ${most}`,
    }),
  )
}

/** Strictly true or false. */
export const flag = () => z.boolean({ error: notOfType('boolean') })

/** A list of such items. */
export const list = <Item extends z.ZodMiniType>(item: Item) => z.array(item, { error: notOfType('array') })

/** An object whose unknown members are ignored. */
export const object = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.object(shape, { error: notOfType('object') })

/** An object that refuses unknown members. */
export function closedObject<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return notOfType('object')(issue)
      const keys = issue.keys.toSorted().map((key) => pythonNotation(key))
      return `Additional properties are not allowed (${keys.join(', ')} ${keys.length > 1 ? 'were' : 'was'} unexpected)`
    },
  })
}

/** An object whose members are looked at elsewhere. */
export const anyObject = () =>
  z.custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    error: notOfType('object'),
  })

export interface Schema<Body> {
  /** The name in the peer's words, such as `Secret' within 'Order`. */
  readonly name: string
  readonly type: z.ZodMiniType<Body>
  /** A missing member is reported as this property: itself, or the document (`None`). */
  readonly missingNames?: 'member' | 'document'
  /** The order in which missing members are reported, where it is not that of the type. */
  readonly missingFirst?: readonly string[]
  /** Unknown members are reported before missing ones. */
  readonly extraFirst?: boolean
}

interface Violation {
  readonly depth: number
  readonly reason: string
  readonly property: Property
  /** The member that is missing, if that is what is wrong. */
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

/** Where a violation of a whole object stands among others of the same object. */
function placeOf({ extra, missing }: Violation, { extraFirst, missingFirst = [] }: Schema<unknown>): number {
  if (extra) return extraFirst ? -1 : missingFirst.length
  return missing === undefined ? 0 : Math.max(0, missingFirst.indexOf(missing))
}

/** The body as the schema's type; throws the fault `schema` with the violation that the peer would report. */
export function checked<Body>(schema: Schema<Body>, document: unknown): Body {
  const result = z.safeParse(schema.type, document)
  if (result.success) return result.data
  const [first, ...others] = result.error.issues.map((issue) => violation(issue, document, schema.missingNames))
  if (!first) throw fault('malformedJson')
  const before = (one: Violation, other: Violation) =>
    one.depth - other.depth || placeOf(one, schema) - placeOf(other, schema)
  const nearest = others.reduce((best, other) => (before(other, best) < 0 ? other : best), first)
  throw schemaFault(schema.name, nearest.reason, nearest.property)
}

/** The fault of a rule that a schema cannot say. */
export function schemaFault(name: string, reason: string, property: Property) {
  return fault('schema', name, reason, property === undefined ? 'None' : String(property))
}
