/** The routes that are no resources: the documents of versions, and the health check. */
import { refTo, type JsonSchema } from './schemas.ts'
import { headerRef } from './parameters.ts'
import type { FailureName } from '../faults.ts'
import { everywhere, failureResponses } from './failures.ts'

const asJson = (schema: JsonSchema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

const plain = { 'text/plain': {}, 'text/html': {} }

function failures(names: readonly FailureName[], common: JsonSchema) {
  const { responses, components } = failureResponses([], names, { operation: 'Request', hasMicroversion: true })
  Object.assign(common, components)
  return responses
}

/** Their paths. They need no token, except `/v1`. The responses that they have in common with others go to `common`. */
export const discoveryPaths = (common: JsonSchema) => ({
  '/': {
    get: {
      operationId: 'getVersions',
      summary: 'Versions',
      tags: ['discovery'],
      security: [],
      parameters: [headerRef('OpenStack-API-Version')],
      responses: {
        200: { description: 'A page, for browsers.', content: { 'text/html': {} } },
        300: asJson(refTo('Versions'), 'The versions; a list since microversion 1.1.'),
        302: { description: 'To the document of the version, for clients that prefer `application/json-home`.' },
        ...failures(everywhere, common),
      },
    },
  },
  '/v1': {
    get: {
      operationId: 'getVersion',
      summary: 'Version retrieval',
      tags: ['discovery'],
      parameters: [headerRef('OpenStack-API-Version')],
      responses: {
        200: asJson(refTo('Version'), 'The version.'),
        ...failures([...everywhere, 'notAcceptable'], common),
      },
    },
  },
  '/openapi.json': {
    get: {
      operationId: 'getContract',
      summary: 'OpenAPI document',
      tags: ['discovery'],
      security: [],
      responses: {
        200: asJson({ type: 'object' }, 'This document.'),
        304: { description: 'The client has it already: `If-None-Match` names its `ETag`.' },
      },
    },
  },
  '/healthcheck': {
    get: {
      operationId: 'getHealth',
      summary: 'Health',
      tags: ['discovery'],
      security: [],
      parameters: [
        {
          name: 'detailed',
          in: 'query',
          description: 'Whether the service can serve its database, instead of whether it runs.',
          allowEmptyValue: true,
          schema: { type: 'string' },
        },
      ],
      responses: {
        200: {
          description: 'It runs; with `detailed`, it serves requests.',
          content: { 'application/json': { schema: refTo('Health') }, ...plain },
        },
        503: asJson(refTo('Health'), 'With `detailed`: it refuses requests, for these reasons.'),
      },
    },
  },
})
