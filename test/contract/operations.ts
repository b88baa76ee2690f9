/** The operations of the contract, what their bodies may be, and requests of somebody who may do all of them. */
import { Validator, type Schema } from '@cfworker/json-schema'
import contract from '../../src/contract/openapi.json'
import { stripValues } from '../../src/wire/http/python.ts'
import { entitiesOf } from '../support/entities.ts'
import { adminToken } from '../support/identity.ts'
import { person, type Account } from '../support/people.ts'
import type { JsonSchema } from '../support/schema-values.ts'

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly schema: JsonSchema
}

interface Body {
  readonly content: Readonly<Record<string, { readonly schema?: JsonSchema }>>
}

interface Operation {
  readonly operationId: string
  readonly parameters: readonly (Parameter | { readonly $ref: string })[]
  readonly requestBody?: Body
}

export interface Served extends Operation {
  readonly method: string
  readonly path: string
}

const components = contract.components as unknown as Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>

/** What a `$ref` of the contract names; the empty schema if there is none. */
export const resolve = (ref: string): JsonSchema => {
  const [kind = '', name = ''] = ref.split('/').slice(-2)
  return components[kind]?.[name] ?? {}
}

/** All operations; those below a tenant's path are the same. */
export const operations: readonly Served[] = Object.entries(
  contract.paths as unknown as Readonly<Record<string, Readonly<Record<string, Operation>>>>,
)
  .filter(([path]) => !path.startsWith('/v1/{tenant}'))
  .flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, { operationId }]) => operationId !== undefined)
      .map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  )

/** The parameters of an operation, but for those of its path. */
export const parametersOf = ({ parameters = [] }: Partial<Pick<Served, 'parameters'>>): Parameter[] =>
  parameters.map((parameter) => ('$ref' in parameter ? (resolve(parameter.$ref) as unknown as Parameter) : parameter))

const validators = new Map<string, Validator>()

function admits({ operationId, requestBody }: Served, document: unknown): boolean {
  const [media] = Object.values(requestBody?.content ?? {})
  const found = validators.get(operationId)
  const whole = { ...media?.schema, components: contract.components } as unknown as Schema
  const validator = found ?? new Validator(whole, '2020-12')
  validators.set(operationId, validator)
  return validator.validate(document).valid
}

/**
 * Whether the schema of an operation's body admits the document; `unclear` if it does so only with or without the white
 * space around its texts, which most operations of the key manager strip.
 */
export function isAdmitted(operation: Served, document: unknown): boolean | 'unclear' {
  const [asSent, stripped] = [admits(operation, document), admits(operation, stripValues(document))]
  return asSent === stripped ? asSent : 'unclear'
}

const singles: Readonly<Record<string, string>> = {
  version: 'current',
  key: 'one',
  service: 'identity',
  endpoint: 'identity-public',
  region: 'RegionOne',
  domain: 'default',
}

/** The id of something that is not there. */
export const ABSENT = '11111111-1111-4111-8111-111111111111'

/** Whether an operation is about the caller's own user, and not for administrators. */
const isOfUser = (path: string) => /application_credentials|password/.test(path)

/** Somebody who may do everything in a project of their own, with entities there. */
export interface Actor {
  readonly who: Account
  readonly entities: ReturnType<typeof entitiesOf>
  /** The token with which an operation is permitted. */
  readonly tokenFor: (path: string) => string
  /** The path of an operation, with what is there in most places, and `other` in some. */
  readonly filled: (path: string, other?: Readonly<Record<string, string>>) => Promise<string>
}

/** Creates an {@link Actor}. */
export async function actor(): Promise<Actor> {
  const who = await person(['admin', 'creator', 'member', 'key-manager:service-admin'])
  const operator = await adminToken()
  const entities = entitiesOf(who)
  return {
    who,
    entities,
    tokenFor: (path) => (path.startsWith('/identity') && !isOfUser(path) ? operator : who.token),
    async filled(path, other = {}) {
      let whole = path
      for (const [, name = ''] of path.matchAll(/\{(\w+)\}/g)) {
        const isOwn = name === 'user' && isOfUser(path)
        const there = isOwn ? who.userId : (singles[name] ?? (await entities.of(name)) ?? ABSENT)
        whole = whole.replace(`{${name}}`, encodeURIComponent(other[name] ?? there))
      }
      return whole
    },
  }
}
