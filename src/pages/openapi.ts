/** The part of an OpenAPI 3.1 document that the reference shows. */

export interface Schema {
  readonly $ref?: string
  readonly title?: string
  readonly description?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly minItems?: number
  readonly maxItems?: number
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
}

type Media = Readonly<Record<string, { readonly schema?: Schema }>>

export interface Reference {
  readonly $ref: string
}

export interface Parameter {
  readonly name: string
  readonly in: string
  readonly description?: string
  readonly required?: boolean
  readonly schema?: Schema
}

export interface Answer {
  readonly description: string
  /** Names of failures, see {@link OpenApi}. */
  readonly 'x-failures'?: readonly string[]
  readonly content?: Media
}

export interface Body {
  readonly description?: string
  readonly required?: boolean
  readonly content: Media
}

export interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly (Parameter | Reference)[]
  readonly requestBody?: Body | Reference
  readonly responses?: Readonly<Record<string, Answer | Reference>>
  /** No token is needed where this is an empty list. */
  readonly security?: readonly unknown[]
}

/** The members of a path that are operations, in the order in which the reference shows them. */
export const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete'] as const
type Method = (typeof METHODS)[number]

export type PathItem = { readonly [Name in Method]?: Operation } & {
  readonly parameters?: readonly (Parameter | Reference)[]
}

export interface OpenApi {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly tags?: readonly { readonly name: string; readonly description?: string }[]
  readonly paths: Readonly<Record<string, PathItem>>
  readonly security?: readonly unknown[]
  readonly components?: {
    readonly schemas?: Readonly<Record<string, Schema>>
    readonly responses?: Readonly<Record<string, Answer>>
    /** The sentences of failures by their names; `{operation}` is the summary of the operation. */
    readonly 'x-failures'?: Readonly<Record<string, { readonly sentence: string | null }>>
  }
}

/** Whether a part of the document only names another. */
export const isReference = (value: object): value is Reference => '$ref' in value

/** Follows `#/…` to the part of the document that it names. Throws if there is none. */
export function resolved<Part extends object>(document: OpenApi, part: Part | Reference): Part {
  if (!isReference(part)) return part
  const steps = part.$ref.replace(/^#\//, '').split('/')
  let at: unknown = document
  for (const step of steps) at = Object(at)[step.replaceAll('~1', '/').replaceAll('~0', '~')]
  if (typeof at !== 'object' || at === null) throw new Error(`the OpenAPI document has no ${part.$ref}`)
  return resolved(document, at as Part | Reference)
}
