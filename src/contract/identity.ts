/** The paths of the embedded identity. */
import { permitsIdentity, type IdentityCaller, type IdentityRule } from '../access/identity-policy.ts'
import { Fault, type FailureName } from '../faults.ts'
import { anyIdentityFault, identityFailureNames, identityTitles } from '../state/identity/faults.ts'
import type { IdentityFailureName } from '../state/identity/faults.ts'
import { identityOperations } from '../wire/identity/index.ts'
import { scope } from '../wire/identity/log-in-request.ts'
import type { IdentityOperation } from '../wire/identity/operations.ts'
import { BLANK, everywhere } from './failures.ts'
import { filters, identityTable, type DescribedOperation } from './identity-operations.ts'
import { operationIdOf } from './operation-ids.ts'
import { headerRef, pathParameters } from './parameters.ts'
import { refTo, schemaOf, type JsonSchema } from './schemas.ts'

const BLANKS = [BLANK, BLANK, BLANK]

/** The names of its failures, beside those of the key manager. */
const prefixed = (name: IdentityFailureName) => `identity.${name}`

/** Its failures, each with its status and its sentence. */
export const identityFailureTable = () =>
  Object.fromEntries(
    identityFailureNames.map((name) => {
      const { status, message } = anyIdentityFault(name, BLANKS)
      return [prefixed(name), { status, sentence: message }]
    }),
  )

export const identityFailureSchemas = {
  IdentityFailure: {
    type: 'object',
    properties: {
      error: {
        type: 'object',
        properties: {
          code: { type: 'integer' },
          message: { type: 'string', description: 'One of the sentences in `components.x-failures`.' },
          title: { type: 'string' },
        },
        required: ['code', 'message', 'title'],
      },
    },
    required: ['error'],
  },
}

/** What is refused before the identity has the request, or by what it stands on. */
const ofService = everywhere.filter(
  (name) => !['unauthenticated', 'projectRequired', 'notPermitted', 'identityUnreachable'].includes(name),
)

interface Refused {
  readonly status: number
  readonly name: string
  readonly sentence: string
  readonly isOwn: boolean
}

const refusal = (name: IdentityFailureName, isOwn: boolean): Refused => {
  const { status, message } = anyIdentityFault(name, BLANKS)
  return { status, name: prefixed(name), sentence: message, isOwn }
}

const refusalOfService = (name: FailureName): Refused => ({
  status: new Fault(name, BLANKS).status,
  name,
  sentence: '',
  isOwn: false,
})

/** All that an operation refuses, once each. */
function refusalsOf({ rule, method }: IdentityOperation, { body, faults = [] }: DescribedOperation): Refused[] {
  const implied: IdentityFailureName[] = [
    ...(rule === 'public' ? [] : (['unauthenticated', 'notPermitted'] as const)),
    ...(body ? (['expected', 'illFormed', 'tooLarge'] as const) : []),
    ...(rule !== 'public' && method !== 'GET' ? (['changedConcurrently', 'readOnly'] as const) : []),
  ]
  return [
    ...faults.map((name) => refusal(name, true)),
    ...implied.filter((name) => !faults.includes(name)).map((name) => refusal(name, false)),
    ...[...ofService, ...(body ? (['brokenBody'] as const) : [])].map(refusalOfService),
  ]
}

function formOf(refused: readonly Refused[]): JsonSchema {
  const ofIdentity = refused.some(({ name }) => name.startsWith('identity.'))
  const others = refused.some(({ name }) => !name.startsWith('identity.'))
  if (!ofIdentity) return refTo('Failure')
  return others ? { anyOf: [refTo('IdentityFailure'), refTo('Failure')] } : refTo('IdentityFailure')
}

const titleOf = (status: number) =>
  status === 500 ? 'Internal Server Error' : identityTitles[status as keyof typeof identityTitles]

function refusedResponse(status: number, refused: readonly Refused[]): JsonSchema {
  const own = refused.filter(({ isOwn }) => isOwn).map(({ sentence }) => sentence)
  const sentences = own.filter((sentence) => sentence !== BLANK)
  return {
    description: sentences.length > 0 ? [...new Set(sentences)].join('\n\n') : titleOf(status),
    ...((status === 503 || status === 429) && {
      headers: { 'Retry-After': { $ref: '#/components/headers/Retry-After' } },
    }),
    content: { 'application/json': { schema: formOf(refused) }, ...(status === 404 && { 'text/html': {} }) },
    'x-failures': refused.map(({ name }) => name),
  }
}

/** The responses of failures, by status; without a Keystone of its own, every path is a 404 in HTML. */
function refusedResponses(refused: readonly Refused[], common: JsonSchema): JsonSchema {
  const statuses = [...new Set([404, ...refused.map(({ status }) => status)])].toSorted((one, other) => one - other)
  return Object.fromEntries(
    statuses.map((status) => {
      const those = refused.filter((one) => one.status === status)
      const response = refusedResponse(status, those)
      if (status < 500) return [status, response]
      const own = those.some(({ name }) => name.startsWith('identity.')) ? 'OrReadOnly' : ''
      const name = `Identity${titleOf(status).replaceAll(' ', '')}${own}`
      common[name] = response
      return [status, { $ref: `#/components/responses/${name}` }]
    }),
  )
}

const SCALARS = { type: ['string', 'number', 'boolean', 'null'] }

/** What is not checked by the schema of the member, but by code beside it. */
function memberSchema({ member, schema, kind }: NonNullable<DescribedOperation['body']>): JsonSchema {
  const { properties, ...others } = schemaOf(schema)
  const described: JsonSchema = { properties, ...others }
  if (kind?.includes('extended')) {
    described['additionalProperties'] = SCALARS
    described['properties'] = { ...(properties as JsonSchema), links: {}, extra: {} }
  }
  if (kind?.includes('change')) described['minProperties'] = 1
  return { type: 'object', properties: { [member]: described }, required: [member] }
}

/** A log-in, whose scope is checked by itself. */
function logInSchema(body: NonNullable<DescribedOperation['body']>): JsonSchema {
  const [whole] = (schemaOf(body.schema)['anyOf'] ?? []) as JsonSchema[]
  const { properties, ...others } = whole ?? {}
  const unscoped = { const: 'unscoped', description: 'A token without a project.' }
  const scopes = { anyOf: [unscoped, { type: 'null' }, schemaOf(scope)] }
  const auth = { ...others, properties: { ...(properties as JsonSchema), scope: scopes } }
  return { type: 'object', properties: { auth }, required: ['auth'] }
}

const caller: IdentityCaller = { userId: 'one', projectId: 'home', administrator: false, restricted: false }
const elsewhere = { userId: 'another', projectId: 'elsewhere' }

/** Whom a rule admits. */
function admittedBy(rule: IdentityRule): string[] {
  if (permitsIdentity(rule, caller, elsewhere)) return ['anybody']
  return [
    ...(permitsIdentity(rule, { ...caller, administrator: true }, elsewhere) ? ['administrator'] : []),
    ...(permitsIdentity(rule, caller, { ...elsewhere, userId: 'one' }) ? ['the user'] : []),
    ...(permitsIdentity(rule, caller, { ...elsewhere, projectId: 'home' }) ? ['users of the project'] : []),
  ]
}

const summaryOf = (rule: string) => {
  const words = rule.replace('identity:', '').replaceAll('_', ' ')
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}

function answerOf(shape: string | null, isLogIn: boolean): JsonSchema {
  const token = isLogIn ? { 'X-Subject-Token': { description: 'The token.', schema: { type: 'string' } } } : {}
  return {
    description: shape === null ? 'No content' : 'Done',
    headers: { 'X-OpenStack-Request-Id': { $ref: '#/components/headers/X-OpenStack-Request-Id' }, ...token },
    ...(shape !== null && { content: { 'application/json': { schema: refTo(shape) } } }),
  }
}

function queryOf(names: readonly (keyof typeof filters)[] = []): JsonSchema[] {
  return names.map((name) => {
    const [type, description] = filters[name]
    return { name, in: 'query', description, schema: { type } }
  })
}

/** `/v3` is the version of Keystone's document, `/` that of all versions. */
function idOf({ method, path }: IdentityOperation): string {
  if (path === '/') return 'getIdentityVersions'
  if (path === '/v3') return 'getIdentityVersion'
  return operationIdOf(method, path.replace('/v3', '/identity').replaceAll(/:(\w+)/g, '{$1}'))
}

function operationObject(operation: IdentityOperation, common: JsonSchema): JsonSchema {
  const { method, path, rule } = operation
  const described = identityTable[`${method} ${path}`]
  if (!described) throw new Error(`contract/identity-operations.ts does not describe ${method} ${path}`)
  const { summary, note, query, hasSubject, body, answers, faults = [] } = described
  const isLogIn = path === '/v3/auth/tokens'
  const admitted = rule === 'public' ? [] : admittedBy(rule)
  const schema = body && (body.member === 'auth' ? logInSchema(body) : memberSchema(body))
  return {
    operationId: idOf(operation),
    summary: summary ?? summaryOf(rule),
    description: [note, rule !== 'public' && `Rule \`${rule}\`: ${admitted.join(', ')}.`].filter(Boolean).join('\n\n'),
    tags: ['identity'],
    ...(rule === 'public' && { security: [] }),
    parameters: [...(hasSubject ? [headerRef('X-Subject-Token')] : []), ...queryOf(query)],
    ...(schema && { requestBody: { required: true, content: { 'application/json': { schema } } } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, shape]) => [status, answerOf(shape, isLogIn && shape !== null)]),
      ),
      ...refusedResponses(refusalsOf(operation, described), common),
    },
    'x-faults': faults.map(prefixed),
    ...(rule !== 'public' && { 'x-roles': [{ rule, admits: admitted }] }),
  }
}

/** The paths; responses that operations have in common go to `common`. Throws for what the table lacks, or has too much. */
export function identityPaths(common: JsonSchema): JsonSchema {
  const served = new Set(identityOperations.map(({ method, path }) => `${method} ${path}`))
  const idle = Object.keys(identityTable).filter((name) => !served.has(name))
  if (idle.length > 0)
    throw new Error(`contract/identity-operations.ts describes what is not served: ${idle.join(', ')}`)
  const paths: Record<string, JsonSchema> = {}
  for (const operation of identityOperations) {
    const path = `/identity${operation.path === '/' ? '' : operation.path}`.replaceAll(/:(\w+)/g, '{$1}')
    const item = (paths[path] ??= { parameters: pathParameters(path) })
    item[operation.method.toLowerCase()] = operationObject(operation, common)
  }
  return paths
}
