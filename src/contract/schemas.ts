/** JSON Schemas from zod's: of the shapes of answers, and of the bodies of requests. */
import * as z from 'zod/mini'
import { shapes } from '../shapes/index.ts'

export type JsonSchema = { [member: string]: unknown }

export const refTo = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` })

/** What a check or a schema of our own means, in JSON Schema; see `wire/http/schema.ts`. */
function saidBy(part: { readonly _zod: { readonly def: object } }): JsonSchema {
  const { params } = part._zod.def as { readonly params?: JsonSchema }
  const said = Object.entries(params ?? {}).filter(([, value]) => typeof value !== 'number' || Number.isFinite(value))
  return Object.fromEntries(said)
}

/** Adds what zod leaves out, and removes the bounds of integers that are those of the language. */
function completed({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: JsonSchema }): void {
  const { def } = zodSchema._zod
  Object.assign(jsonSchema, saidBy(zodSchema), ...(def.checks ?? []).map(saidBy))
  if (jsonSchema['minimum'] === Number.MIN_SAFE_INTEGER) delete jsonSchema['minimum']
  if (jsonSchema['maximum'] === Number.MAX_SAFE_INTEGER) delete jsonSchema['maximum']
  // The lists of views are read-only for the compiler alone.
  if (def.type === 'readonly') delete jsonSchema['readOnly']
  const { discriminator } = def as { readonly discriminator?: string }
  if (discriminator !== undefined) jsonSchema['discriminator'] = { propertyName: discriminator }
}

const options = { io: 'input', unrepresentable: 'any', override: completed } as const

function without(schema: object, ...members: readonly string[]): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([member]) => !members.includes(member)))
}

/** The schema of a body. */
export const schemaOf = (type: z.ZodMiniType): JsonSchema => without(z.toJSONSchema(type, options), '$schema')

/** The schemas of all shapes, by name; where one contains another, it refers to it. */
export function shapeSchemas(): Readonly<Record<string, JsonSchema>> {
  const registry = z.registry<{ id: string }>()
  for (const [id, shape] of Object.entries(shapes)) registry.add(shape, { id })
  const { schemas } = z.toJSONSchema(registry, { ...options, uri: (id) => `#/components/schemas/${id}` })
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, withMapping(without(schema, '$schema', '$id'))]),
  )
}

/** Says which value of the discriminator means which schema, which is not that of the schema's name. */
function withMapping(schema: JsonSchema): JsonSchema {
  const { discriminator, oneOf } = schema as { discriminator?: { propertyName: string }; oneOf?: { $ref: string }[] }
  if (!discriminator || !oneOf) return schema
  const { propertyName } = discriminator
  const named = Object.entries(shapes).flatMap(([name, shape]): [string, string][] => {
    const { $ref } = refTo(name)
    const { shape: members } = shape._zod.def as { readonly shape?: Readonly<Record<string, z.core.$ZodType>> }
    const { values } = (members?.[propertyName]?._zod.def ?? {}) as { readonly values?: readonly string[] }
    return oneOf.some((one) => one.$ref === $ref) && values?.[0] !== undefined ? [[values[0], String($ref)]] : []
  })
  return { ...schema, discriminator: { propertyName, mapping: Object.fromEntries(named) } }
}
