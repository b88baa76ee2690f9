/** The embedded identity: the part of Keystone's v3 API that standard OpenStack clients use. */
import { Hono, type Context, type MiddlewareHandler } from 'hono'
import type { Shapes } from '../../shapes/index.ts'
import type { Service } from '../http/context.ts'
import { setHeader } from '../http/response.ts'
import { answerIdentityFailure, answerUnknownPath, identityUrl, json } from './answers.ts'
import { credentialOperations } from './application-credentials.ts'
import { assignmentOperations } from './assignments.ts'
import { catalogOperations } from './catalog.ts'
import { mountOperations, open } from './operations.ts'
import { projectOperations } from './projects.ts'
import { roleOperations } from './roles.ts'
import { tokenOperations } from './tokens.ts'
import { userOperations } from './users.ts'

/** Returns the version of Keystone's API for the discovery documents. */
function version(c: Context<Service>): Shapes['IdentityVersion'] {
  return {
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${identityUrl(c)}/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
  }
}

const discoveryOperations = [
  open('GET', '/', ({ c }) => {
    setHeader(c, 'Location', `${identityUrl(c)}/`)
    return json(c, 300, { versions: { values: [version(c)] } })
  }),
  open('GET', '/v3', ({ c }) => json(c, 200, { version: version(c) })),
]

export const identityOperations = [
  ...discoveryOperations,
  ...tokenOperations,
  ...catalogOperations,
  ...projectOperations,
  ...userOperations,
  ...roleOperations,
  ...assignmentOperations,
  ...credentialOperations,
]

/** Returns 404 unless IDENTITY is `embedded`. Responses depend on the token, so shared caches must not store them. */
const onlyWhenEmbedded: MiddlewareHandler<Service> = async function onlyWhenEmbedded(c, next) {
  if (c.var.config.identity !== 'embedded') return answerUnknownPath(c)
  setHeader(c, 'Vary', 'X-Auth-Token')
  setHeader(c, 'Cache-Control', 'no-store')
  return next()
}

/**
 * Creates the identity API. It is mounted under `/identity`, after the middleware that sets config, backend and base.
 */
export function identityRoutes(): Hono<Service> {
  const app = new Hono<Service>()
  app.onError(answerIdentityFailure)
  app.use(onlyWhenEmbedded)
  mountOperations(app, identityOperations)
  return app
}
