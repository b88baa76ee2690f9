/** Shows a JSON Schema of the OpenAPI document as a table of members. */
import { phrase } from './markdown.ts'
import { code, escaped, table } from './markup.ts'
import type { Schema } from './openapi.ts'

/** The id of a named schema's heading. */
export const schemaId = (name: string): string => `schema-${name}`

const nameOf = (reference: string) => reference.slice(reference.lastIndexOf('/') + 1)

const linkTo = (reference: string) => {
  const name = nameOf(reference)
  return `<a href="#${escaped(schemaId(name))}">${code(name)}</a>`
}

const shown = (value: unknown) => code(typeof value === 'string' ? value : JSON.stringify(value))

/** What a schema says about values beside their type, each as one phrase. */
function limitsOf(schema: Schema): readonly string[] {
  const { minLength, maxLength, minimum, maximum, minItems, maxItems, pattern, format } = schema
  const said: readonly [unknown, string][] = [
    [format, `as ${format}`],
    [minLength, `at least ${minLength} characters`],
    [maxLength, `at most ${maxLength} characters`],
    [minimum, `at least ${minimum}`],
    [maximum, `at most ${maximum}`],
    [minItems, `at least ${minItems} items`],
    [maxItems, `at most ${maxItems} items`],
  ]
  return [
    ...said.filter(([value]) => value !== undefined).map(([, text]) => escaped(text)),
    ...(pattern === undefined ? [] : [`matches ${code(pattern)}`]),
    ...(schema.default === undefined ? [] : [`${shown(schema.default)} if absent`]),
  ]
}

/** The type of a schema in one line of HTML. */
export function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return linkTo(schema.$ref)
  if (schema.const !== undefined) return shown(schema.const)
  if (schema.enum !== undefined) return schema.enum.map(shown).join(' or ')
  const choices = schema.oneOf ?? schema.anyOf
  if (choices !== undefined) return choices.map(typeOf).join(' or ')
  if (schema.allOf !== undefined) return schema.allOf.map(typeOf).join(' and ')
  const types = schema.type === undefined ? ['any'] : [schema.type].flat()
  const words = types.map((type) =>
    type === 'array' && schema.items ? `array of ${typeOf(schema.items)}` : escaped(type),
  )
  const limits = limitsOf(schema)
  return words.join(' or ') + (limits.length === 0 ? '' : `, ${limits.join(', ')}`)
}

/** A row for each member of an object, with those of its members below it. */
function rowsOf(schema: Schema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const path = prefix + name
    const needed = schema.required?.includes(name) ? 'required' : ''
    const inner = member.type === 'array' && member.items ? member.items : member
    const row = [code(path), typeOf(member), needed, phrase(member.description)]
    return [row, ...rowsOf(inner, inner === member ? `${path}.` : `${path}[].`)]
  })
}

/** A schema in HTML: its members in a table, or its type. `label` names the table. */
export function showSchema(schema: Schema, label: string): string {
  const choices = schema.oneOf ?? schema.anyOf
  if (choices?.some(({ properties }) => properties !== undefined)) {
    const parts = choices.map((one, at) => showSchema(one, `${label}, form ${at + 1}`))
    return `<p>One of these forms:</p>${parts.join('')}`
  }
  const merged = (schema.allOf ?? []).reduce<Schema>(
    (sum, one) => ({ ...sum, properties: { ...sum.properties, ...one.properties } }),
    schema,
  )
  const title = schema.title === undefined ? '' : `<p>${escaped(schema.title)}</p>`
  const rows = rowsOf(merged, '')
  if (rows.length === 0) return `${title}<p>${typeOf(schema)}</p>`
  return title + table(label, ['member', 'type', 'needed', 'what it is'], rows)
}
