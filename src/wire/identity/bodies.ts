/** Reads and validates the bodies and filters of identity requests, with Keystone's error messages. */
import type { Context } from 'hono'
import * as z from 'zod/mini'
import { decodeUtf8 } from '../../crypto/encoding.ts'
import { identityFault } from '../../state/identity/faults.ts'
import { DEFAULT_DOMAIN } from '../../state/identity/names.ts'
import type { ExtraProperties } from '../../state/schema/identity.ts'
import { readBytes } from '../http/body.ts'
import type { Service } from '../http/context.ts'
import { stripText } from '../http/python.ts'
import { anyObject, flag, text, textOrNull } from '../http/schema.ts'
import { isWellFormedJson } from '../http/well-formed.ts'

type Members = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Returns the schema of a name, which is stripped of outer white space and then has 1 to `max` code points. */
export const nameOf = (max: number) =>
  z.pipe(z.pipe(text(), z.transform(stripText)), text({ min: 1, max })).check(z.meta({ minLength: 1, maxLength: max }))

const NO_OPTIONS = 'Resource options are not supported'

/** The members that all entities have in common. Resource options are rejected unless they are falsy. */
export const commonMembers = () => ({
  id: z.optional(text()),
  domain_id: z.optional(textOrNull({ min: 1, max: 64 })),
  enabled: z.optional(flag()),
  options: z.optional(
    anyObject().check(
      z.refine((options) => Object.values(options).every((value) => !value), {
        error: NO_OPTIONS,
        params: { additionalProperties: { enum: [null, false, 0, ''] } },
      }),
    ),
  ),
})

/**
 * Returns the JSON document of the request, which must be an object; an empty body counts as an empty object. Throws
 * `tooLarge` if it exceeds MAX_REQUEST_BYTES, `expected` for another media type or document, and
 * `illFormed` for text with half of a surrogate pair.
 */
async function readDocument(c: Context<Service>): Promise<Members> {
  const max = c.var.config.maxRequestBytes
  const bytes = await readBytes(c.req.raw, max + 1)
  if (bytes.length > max) throw identityFault('tooLarge')
  if (bytes.length === 0) return {}
  const [type = ''] = (c.req.header('Content-Type') ?? '').split(';')
  if (type.trim() !== '' && type.trim() !== 'application/json') {
    throw identityFault('expected', 'application/json', 'Content-Type header')
  }
  const json = decodeUtf8(bytes)
  const document = parse(json)
  if (json === null || !isObject(document)) throw identityFault('expected', 'valid JSON', 'request body')
  if (!isWellFormedJson(json, document)) throw identityFault('illFormed')
  return document
}

function parse(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Validates the member `member` of the request's document. `given` is its original form. Throws `invalid` or
 * `invalidField` for the first violation.
 */
export async function readMember<Value>(
  c: Context<Service>,
  member: string,
  schema: z.ZodMiniType<Value>,
): Promise<{ readonly value: Value; readonly given: Members }> {
  const document = await readDocument(c)
  const given = Object.hasOwn(document, member) ? document[member] : {}
  const result = z.safeParse(schema, given)
  if (result.success) return { value: result.data, given: given as Members }
  throw violation(result.error.issues[0], given)
}

/** Like {@link readMember}, for updates. Throws `invalid` for an update without members, or of the id or the domain. */
export async function readChange<Value extends { id?: string | undefined; domain_id?: string | null | undefined }>(
  c: Context<Service>,
  member: string,
  schema: z.ZodMiniType<Value>,
  id: string,
): Promise<{ readonly value: Value; readonly given: Members }> {
  const change = await readMember(c, member, schema)
  if (Object.keys(change.given).length === 0) throw identityFault('invalid', '{} does not have enough properties')
  if (change.value.id !== undefined && change.value.id !== id) throw identityFault('invalid', 'Cannot change ID')
  const { domain_id: domain } = change.value
  if (typeof domain === 'string' && domain !== DEFAULT_DOMAIN.id) {
    throw identityFault('invalid', 'Cannot change Domain ID')
  }
  return change
}

/** Returns the failure for a violation. A missing member is reported for the object that lacks it. */
function violation(issue: z.core.$ZodIssue | undefined, given: unknown) {
  const path = issue?.path ?? []
  const last = path.at(-1)
  const parent = path.slice(0, -1).reduce<unknown>((value, key) => (value as Members)[String(key)], given)
  const missing = last !== undefined && isObject(parent) && !Object.hasOwn(parent, String(last))
  const field = (missing ? path.slice(0, -1) : path).map(String).join('/')
  const reason = missing ? `'${String(last)}' is a required property` : (issue?.message ?? '')
  return field === '' ? identityFault('invalid', reason) : identityFault('invalidField', field, reason)
}

/** Returns the members that are not `known`, to be stored unchanged. Throws `invalidField` for arrays and objects. */
export function extraOf(given: Members, known: readonly string[]): ExtraProperties {
  const others = Object.entries(given).filter(([name]) => !known.includes(name) && name !== '__proto__')
  return Object.fromEntries(
    others.map(([name, value]) => {
      if (value === null) return [name, null]
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return [name, value]
      throw identityFault('invalidField', name, "The value is not of type 'string'")
    }),
  )
}

/** Reports whether a boolean filter is present and not `0` or `false`. */
export function isOn(query: URLSearchParams, name: string): boolean {
  return query.has(name) && stateOf(query, name) === true
}

/** Returns the value of a boolean filter, or undefined if absent. As in Keystone, all but `0` and `false` is true. */
export function stateOf(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name)
  return value === null ? undefined : !['0', 'false'].includes(value.toLowerCase())
}

/** Returns the name to filter by, or undefined if the filter is absent. */
export function nameIn(query: URLSearchParams): string | undefined {
  const name = query.get('name')
  return name === null ? undefined : stripText(name)
}

/** Reports whether the domain filter is absent or matches the default domain, which is the only one. */
export function inDefaultDomain(query: URLSearchParams): boolean {
  return (query.get('domain_id') ?? DEFAULT_DOMAIN.id) === DEFAULT_DOMAIN.id
}
