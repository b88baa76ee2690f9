/**
 * The contract: an OpenAPI 3.1 document of the whole service, made from the tables of its resources, the schemas of
 * bodies, the shapes of answers, the failures and the rules. Nothing here is part of the Worker: `npm run contract` writes
 * the document to `openapi.json`, and a test compares.
 */
import { adminResources, resources } from '../app.ts'
import type { FailureName } from '../faults.ts'
import type { Answer } from '../wire/http/replies.ts'
import type { AnyOperation, Method, Resource } from '../wire/http/resource.ts'
import { discoveryPaths } from './discovery.ts'
import recorded from './examples.json' with { type: 'json' }
import { failureResponses, failureSchemas, failureTable, impliedFaults } from './failures.ts'
import { identityFailureSchemas, identityFailureTable, identityPaths } from './identity.ts'
import { notes } from './notes.ts'
import { operationIdOf } from './operation-ids.ts'
import { headerRef, parameterComponents, pathParameters, queryParameters } from './parameters.ts'
import { orderSchemas, requestBody } from './requests.ts'
import { rolesOf } from './roles.ts'
import { refTo, shapeSchemas, type JsonSchema } from './schemas.ts'

/** In the order in which the document has them. */
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const satisfies readonly Method[]

const bytes = (types: readonly string[]) => types.map((type): [string, JsonSchema] => [type, {}])

function contentOf(answer: Exclude<Answer, null>): JsonSchema {
  const name = typeof answer === 'string' ? answer : answer.json
  const json = name === undefined ? [] : [['application/json', { schema: refTo(name) }] as const]
  const types = typeof answer === 'string' ? [] : bytes(answer.types)
  return Object.fromEntries([...json, ...types])
}

const titles: Readonly<Record<string, string>> = { 200: 'Done', 201: 'Created', 202: 'Accepted', 204: 'No content' }

/** Answers that name the version of the secret that they are about, beside those of operations with preconditions. */
const tagged: ReadonlySet<string> = new Set(['getSecret', 'getSecretPayload', 'getSecretVersionPayload'])

interface Facts {
  readonly inProject: boolean
  readonly changes: boolean
  readonly isTagged: boolean
}

function headersOf(status: string, { inProject, changes, isTagged }: Facts): JsonSchema {
  const names = [
    'X-OpenStack-Request-Id',
    ...(inProject ? ['OpenStack-API-Version'] : []),
    ...(status === '201' || status === '202' ? ['Location'] : []),
    ...(isTagged ? ['ETag'] : []),
    changes ? 'X-D1-Bookmark' : 'Age',
  ]
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}

/** Answers of the service, by the id of the operation and the status; a test compares them with what it answers. */
const examples: Readonly<Record<string, Readonly<Record<string, unknown>>>> = recorded

/** Adds the recorded answers to those responses that are not shared with other operations. */
function withExamples(id: string, responses: JsonSchema): JsonSchema {
  const entries = Object.entries(responses as Record<string, { content?: Record<string, object> }>)
  return Object.fromEntries(
    entries.map(([status, response]) => {
      const example = examples[id]?.[status]
      const json = response.content?.['application/json']
      if (example === undefined || !json) return [status, response]
      return [status, { ...response, content: { ...response.content, 'application/json': { ...json, example } } }]
    }),
  )
}

function answerResponses({ answers }: AnyOperation<never>, facts: Facts) {
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [
      status,
      {
        description: titles[status],
        headers: headersOf(status, facts),
        ...(answer !== null && { content: contentOf(answer) }),
      },
    ]),
  )
}

/** What the rules of an operation open, under each of the two rule sets. */
function rolesFor({ rule }: AnyOperation<never>) {
  return (typeof rule === 'string' ? [rule] : rule.of).map((name) => ({
    rule: name,
    secure: rolesOf('secure', name),
    legacy: rolesOf('legacy', name),
  }))
}

function rolesText(roles: ReturnType<typeof rolesFor>): string {
  const users = (opened: Readonly<Record<string, string>>) =>
    Object.entries(opened)
      .map(([user, what]) => (what === 'yes' ? user : `${user} (${what})`))
      .join(', ')
  return roles
    .map(
      ({ rule, secure, legacy }) =>
        `Rule \`${rule}\`. \`POLICY=secure\`: ${users(secure)}. \`POLICY=legacy\`: ${users(legacy)}.`,
    )
    .join('\n\n')
}

/** An operation, and the responses that it has in common with others, which it adds to `common`. */
function operationObject(
  prefix: string,
  method: Method,
  resource: Resource,
  operation: AnyOperation<never>,
  common: JsonSchema,
) {
  const path = templateOf(prefix, resource)
  const id = operationIdOf(method, path)
  const inProject = prefix === '/v1'
  const faults: FailureName[] = [...new Set([...(resource.faults ?? []), ...operation.faults])]
  const implied = impliedFaults(method, operation, inProject)
  const failures = failureResponses(faults, implied, { operation: operation.name, hasMicroversion: inProject })
  Object.assign(common, failures.components)
  const isVersioned = operation.faults.includes('preconditionFailed')
  const changes = method !== 'GET' && !operation.readsOnly
  const roles = rolesFor(operation)
  const parameters = [
    ...(inProject ? [headerRef('OpenStack-API-Version')] : []),
    ...(isVersioned ? [headerRef('If-Match'), headerRef('If-None-Match')] : []),
    ...(operation.body && !operation.body.accepted.schema ? [headerRef('Content-Encoding')] : []),
    ...(changes || resource.reads === 'primary' ? [] : [headerRef('Cache-Control'), headerRef('X-D1-Bookmark')]),
    ...queryParameters(operation.query ?? {}),
  ]
  return {
    operationId: id,
    summary: operation.name,
    description: [notes[id], rolesText(roles)].filter(Boolean).join('\n\n'),
    tags: [prefix === '/admin' ? 'admin' : (resource.path.split('/')[1] ?? '')],
    parameters,
    ...(operation.body && { requestBody: requestBody(id, operation.body.accepted) }),
    responses: withExamples(id, {
      ...answerResponses(operation, { inProject, changes, isTagged: isVersioned || tagged.has(id) }),
      ...failures.responses,
    }),
    'x-faults': faults,
    'x-roles': roles,
  }
}

const templateOf = (prefix: string, { path }: Resource) => prefix + path.replaceAll(/:(\w+)/g, '{$1}')

/** The paths of resources below a prefix. */
function resourcePaths(prefix: string, mounted: readonly Resource[], common: JsonSchema) {
  return Object.fromEntries(
    mounted.map((resource) => {
      const path = templateOf(prefix, resource)
      const operations = methods.flatMap((method) => {
        const operation = resource.operations[method]
        return operation ? [[method.toLowerCase(), operationObject(prefix, method, resource, operation, common)]] : []
      })
      return [path, { parameters: pathParameters(path), ...Object.fromEntries(operations) }]
    }),
  )
}

/** The second form of each path: with the project of the token, as clients with an older catalogue write it. */
const tenantPaths = (paths: object) =>
  Object.fromEntries(
    Object.keys(paths).map((path) => [
      path.replace('/v1', '/v1/{tenant}'),
      {
        $ref: `#/paths/${encodeURIComponent(path.replaceAll('/', '~1'))}`,
        parameters: [{ $ref: '#/components/parameters/tenant' }],
      },
    ]),
  )

const text = { type: 'string' }

const headers = {
  'X-OpenStack-Request-Id': { description: 'Names the request in the logs.', schema: text },
  'OpenStack-API-Version': { description: 'The microversion that was used.', schema: text },
  'X-D1-Bookmark': { description: 'Names the change; a read that sends it shows the change.', schema: text },
  Age: {
    description: 'The age of the answer in seconds: it contains every change that was acknowledged before.',
    schema: { type: 'integer', minimum: 0 },
  },
  Location: { description: 'The URL of what was created.', schema: text },
  ETag: { description: 'The number of the current version, in quotation marks.', schema: text },
  'Retry-After': { description: 'After how many seconds to try again.', schema: { type: 'integer' } },
}

const tenant = {
  name: 'tenant',
  in: 'path',
  required: true,
  description: 'The project of the token.',
  schema: { type: 'string' },
}

/** Makes the document. It is plain JSON, the same each time. */
export function openApi(): JsonSchema {
  const responses: JsonSchema = {}
  const inProjects = resourcePaths('/v1', resources, responses)
  const ofOperator = resourcePaths('/admin', adminResources, responses)
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'Portcullis, an OpenStack Key Manager',
      version: '1.2',
      summary: 'Keeps keys, passwords and certificates, and makes them on request.',
      description:
        'The API of the OpenStack Key Manager, version 1, and what this service has beyond it. Every path under `/v1` is also served under `/v1/{tenant}`, with the project of the token. A failure is told apart by its sentence: `x-failures` of a response names those that it may have, and `x-failures` of the components has the sentence of each, with … for what differs and {operation} for the summary of the operation. `x-faults` of an operation names those that are its own. `x-roles` says whom the rule of the operation admits: _yes_ is everything in the project, _own_ what the user has created, and _not private_ what no ACL closes.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths: {
      ...discoveryPaths(responses),
      ...inProjects,
      ...ofOperator,
      ...identityPaths(responses),
      ...tenantPaths(inProjects),
    },
    components: {
      securitySchemes: {
        token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token', description: 'A token of the project.' },
      },
      parameters: { ...parameterComponents, tenant },
      headers,
      responses,
      schemas: { ...shapeSchemas(), ...orderSchemas(), ...failureSchemas, ...identityFailureSchemas },
      'x-failures': { ...failureTable(), ...identityFailureTable() },
    },
  }
  return JSON.parse(JSON.stringify(document)) as JsonSchema
}
