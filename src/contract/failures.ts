/** What operations refuse, with the sentences of `faults.ts`. */
import { Fault, failureNames, titles, type FailureName } from '../faults.ts'
import type { AnyOperation, Method } from '../wire/http/resource.ts'
import { refTo, type JsonSchema } from './schemas.ts'

/** Stands in a sentence for what differs from request to request. */
export const BLANK = '…'
const BLANKS = [BLANK, BLANK, BLANK]
/** Stands in a sentence for the name of the operation, which is its `summary`. */
export const OPERATION = '{operation}'

/** What every operation may refuse. */
export const everywhere: readonly FailureName[] = [
  'unauthenticated',
  'projectRequired',
  'notPermitted',
  'plainHttp',
  'hostInvalid',
  // Of a query as well.
  'notUtf8',
  'unexpected',
  'unavailable',
  'overloaded',
  'identityUnreachable',
  'misconfigured',
  'schemaBehind',
  'schemaAhead',
  'keysForeign',
  'objectsForeign',
  'masterKeyMissing',
]

const ofJson: readonly FailureName[] = [
  'contentType',
  'bodyTooLarge',
  'brokenBody',
  'malformedJson',
  'illFormedText',
  'schema',
]
const ofBytes: readonly FailureName[] = ['contentType', 'brokenBody']

/** What the order of checks refuses for an operation, beside what its table declares; see `wire/http/resource.ts`. */
export function impliedFaults(method: Method, operation: AnyOperation<never>, inProject: boolean): FailureName[] {
  const { accept, body, readsOnly, evenReadOnly } = operation
  const changes = method !== 'GET' && !readsOnly && !evenReadOnly
  return [
    ...everywhere,
    ...(inProject ? (['foreignTenant'] as const) : []),
    ...(accept === 'negotiated' ? [] : (['notAcceptable'] as const)),
    ...(body ? (body.accepted.schema ? ofJson : ofBytes) : []),
    ...(changes ? (['readOnly'] as const) : []),
  ]
}

const statusOf = (name: FailureName) => new Fault(name, BLANKS).status

/** All failures, each with its status and its sentence: with … for what differs, and the operation as `{operation}`. */
export const failureTable = () =>
  Object.fromEntries(
    failureNames.map((name) => [
      name,
      { status: statusOf(name), sentence: new Fault(name, BLANKS).describe(OPERATION) },
    ]),
  )

/** Failures about the microversion have a form of their own, and so have those about the token. */
function schemaFor(status: number, hasMicroversion: boolean) {
  if (status === 401) return refTo('Unauthenticated')
  const isAboutVersion = hasMicroversion && (status === 400 || status === 406)
  return isAboutVersion ? { anyOf: [refTo('Failure'), refTo('VersionFailure')] } : refTo('Failure')
}

function responseOf(status: number, names: readonly FailureName[], hasMicroversion: boolean, description: string) {
  return {
    description,
    ...(status === 503 && { headers: { 'Retry-After': { $ref: '#/components/headers/Retry-After' } } }),
    content: { 'application/json': { schema: schemaFor(status, hasMicroversion) } },
    'x-failures': names,
  }
}

/** The name of the response that only has failures which the order of checks implies. */
function impliedName(status: keyof typeof titles, names: readonly FailureName[], hasMicroversion: boolean): string {
  const has = (name: FailureName, word: string) => (names.includes(name) ? word : '')
  const ofBody = has('malformedJson', 'OfJson') || has('brokenBody', 'OfBytes')
  const variant = status === 400 ? ofBody : has('foreignTenant', 'InProject') + has('readOnly', 'OrReadOnly')
  const about = (status === 400 || status === 406) && !hasMicroversion ? 'WithoutVersion' : ''
  return titles[status].replaceAll(' ', '') + variant + about
}

/** Responses of failures, and those that several operations have. */
export interface FailureResponses {
  readonly responses: JsonSchema
  readonly components: JsonSchema
}

/**
 * The responses of failures, by status. A response with failures of the operation's own says their sentences; the others
 * are components.
 */
export function failureResponses(
  own: readonly FailureName[],
  implied: readonly FailureName[],
  { operation, hasMicroversion }: { readonly operation: string; readonly hasMicroversion: boolean },
): FailureResponses {
  const all = [...new Set([...own, ...implied])]
  const about = hasMicroversion ? ([400, 406] as const) : []
  const statuses = [...new Set([...all.map(statusOf), ...about])].toSorted((one, other) => one - other)
  const [responses, components]: [JsonSchema, JsonSchema] = [{}, {}]
  for (const status of statuses) {
    const names = all.filter((name) => statusOf(name) === status)
    const sentences = own.filter((name) => statusOf(name) === status).map((name) => new Fault(name, BLANKS))
    if (sentences.length === 0) {
      const name = impliedName(status, names, hasMicroversion)
      components[name] = responseOf(status, names, hasMicroversion, titles[status])
      responses[status] = { $ref: `#/components/responses/${name}` }
      continue
    }
    const lines = [...new Set(sentences.map((one) => one.describe(operation) ?? titles[status]))]
    const others = names.length > sentences.length ? ['Or what any request may be refused for: see `x-failures`.'] : []
    responses[status] = responseOf(status, names, hasMicroversion, [...lines, ...others].join('\n\n'))
  }
  return { responses, components }
}

const text = { type: 'string' }

/** The forms of failures. */
export const failureSchemas = {
  Failure: {
    type: 'object',
    properties: {
      code: { type: 'integer' },
      title: text,
      description: { type: ['string', 'null'], description: 'One of the sentences in `components.x-failures`.' },
    },
    required: ['code', 'title', 'description'],
  },
  Unauthenticated: {
    type: 'object',
    properties: {
      error: {
        type: 'object',
        properties: { code: { const: 401 }, title: text, message: text },
        required: ['code', 'title', 'message'],
      },
      code: { const: 401 },
      title: text,
      description: text,
    },
    required: ['error'],
  },
  VersionFailure: {
    description: 'What is wrong with the header OpenStack-API-Version.',
    type: 'object',
    properties: { message: text, code: text, title: text },
    required: ['message', 'code', 'title'],
  },
}
