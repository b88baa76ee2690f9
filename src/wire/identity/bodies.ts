/** Bodies and filters of identity requests: read up to a limit, checked, and refused in Keystone's words. */
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

/** A name without outer white space: 1 to `most` code points. */
export const nameOf = (most: number) => z.pipe(z.pipe(text(), z.transform(stripText)), text({ least: 1, most }))

const NO_OPTIONS = 'Resource options are not supported'

/** The members that all entities have in common. The domain has to be the only one, and options are refused. */
export const commonMembers = {
  id: z.optional(text()),
  domain_id: z.optional(textOrNull({ least: 1, most: 64 })),
  enabled: z.optional(flag()),
  options: z.optional(
    anyObject().check(z.refine((options) => Object.values(options).every((value) => !value), { error: NO_OPTIONS })),
  ),
}

/** The request's JSON document: an object, or an empty one for no body. Throws `tooLarge`, `expected`, `illFormed`. */
async function readDocument(c: Context<Service>): Promise<Members> {
  const most = c.var.config.maxRequestBytes
  const bytes = await readBytes(c.req.raw, most + 1)
  if (bytes.length > most) throw identityFault('tooLarge')
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

/** The member `member` of the request's document, checked; `given` is its original form. Throws `invalidField`. */
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

/** Like {@link readMember} for a change. Throws `invalid` for one without members, and for one of id or domain. */
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

/** The failure for the first violation: a missing member is a fault of the object that lacks it. */
function violation(issue: z.core.$ZodIssue | undefined, given: unknown) {
  const path = issue?.path ?? []
  const last = path.at(-1)
  const parent = path.slice(0, -1).reduce<unknown>((value, key) => (value as Members)[String(key)], given)
  const missing = last !== undefined && isObject(parent) && !Object.hasOwn(parent, String(last))
  const field = (missing ? path.slice(0, -1) : path).map(String).join('/')
  const reason = missing ? `'${String(last)}' is a required property` : (issue?.message ?? '')
  return field === '' ? identityFault('invalid', reason) : identityFault('invalidField', field, reason)
}

/** The members that are not `known`, which are stored and shown unchanged. Throws `invalidField` for lists and objects. */
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

/** Whether a boolean filter is on: present, and not `0` or `false`. */
export function isOn(query: URLSearchParams, name: string): boolean {
  return query.has(name) && stateOf(query, name) === true
}

/** The value of a boolean filter; undefined: it is absent. Everything but `0` and `false` means true, as in Keystone. */
export function stateOf(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name)
  return value === null ? undefined : !['0', 'false'].includes(value.toLowerCase())
}

/** The name in a filter; undefined: it is absent. */
export function nameIn(query: URLSearchParams): string | undefined {
  const name = query.get('name')
  return name === null ? undefined : stripText(name)
}

/** Whether the filters match the one domain. */
export function inDefaultDomain(query: URLSearchParams): boolean {
  return (query.get('domain_id') ?? DEFAULT_DOMAIN.id) === DEFAULT_DOMAIN.id
}
