/** The Hono app: the middleware that every request passes through, in order, and the routes of the service. */
import { Hono, type Context, type MiddlewareHandler } from 'hono'
import { TrieRouter } from 'hono/router/trie-router'
import { clientAddress } from './access/addresses.ts'
import { fault } from './faults.ts'
import { connect, requireAdmission } from './state/connect.ts'
import { byService } from './state/scope.ts'
import { formatTime } from './times.ts'
import { admitsVersions } from './wire/http/accept.ts'
import { acceptedAge } from './wire/http/accepted-age.ts'
import { aclResources } from './wire/acls.ts'
import { auditResource, deploymentAuditResource } from './wire/audit.ts'
import { certificateAuthorityResources } from './wire/certificate-authorities.ts'
import { issuedCertificateResources } from './wire/issued-certificates.ts'
import { consumerResources } from './wire/consumers.ts'
import { containerResources } from './wire/containers.ts'
import type { Service } from './wire/http/context.ts'
import { destructionResource } from './wire/destructions.ts'
import { answerFailure } from './wire/http/failures.ts'
import { extensionsResource } from './wire/extensions.ts'
import { baseOf, callerOfToken, configOf, requireHttps } from './wire/gates.ts'
import { answerHealth } from './wire/health.ts'
import { identityRoutes } from './wire/identity/index.ts'
import { parseMicroversion } from './wire/http/microversion.ts'
import { orderResources } from './wire/orders.ts'
import { answerDocumentation } from './wire/pages/documentation.ts'
import { frontPage } from './wire/pages/front-page.ts'
import { quotaResources } from './wire/quotas.ts'
import { logRequest } from './wire/http/request-log.ts'
import { routedPath } from './wire/http/request-url.ts'
import { mount } from './wire/http/resource.ts'
import { respond, setHeader } from './wire/http/response.ts'
import { readOnlyResource } from './wire/read-only.ts'
import { reconciliationResource } from './wire/reconciliation.ts'
import { rotationResource } from './wire/rotation.ts'
import { secretMetadataResources } from './wire/secret-metadata.ts'
import { secretStoreResources } from './wire/secret-stores.ts'
import { secretVersionResources } from './wire/secret-versions.ts'
import { secretResources } from './wire/secrets.ts'
import { transportKeyResources } from './wire/transport-keys.ts'
import { encryptionResources } from './wire/transit/encryption-routes.ts'
import { keyResource } from './wire/transit/key.ts'
import { signingResources } from './wire/transit/signing-routes.ts'
import { useAclResource } from './wire/transit/use-acls.ts'
import { answerVersion, answerVersions } from './wire/versions.ts'

/** All resources that are mounted under `/v1` and under the tenant path `/v1/{project}`. */
export const resources = [
  ...secretResources,
  ...secretMetadataResources,
  ...secretVersionResources,
  ...containerResources,
  ...consumerResources,
  ...aclResources,
  ...encryptionResources,
  ...signingResources,
  keyResource,
  useAclResource,
  extensionsResource,
  ...orderResources,
  ...quotaResources,
  ...secretStoreResources,
  ...transportKeyResources,
  ...certificateAuthorityResources,
  ...issuedCertificateResources,
  auditResource,
]

/** All resources that are mounted under `/admin`. */
export const adminResources = [
  rotationResource,
  destructionResource,
  deploymentAuditResource,
  reconciliationResource,
  readOnlyResource,
]

/** Responds to `OPTIONS` without CORS headers, so that browsers refuse requests from every other origin. */
const answerOptions = (c: Context<Service>) => respond(c, 200, null)

/**
 * Sets the configuration, the base URL and the backend of the request, and logs the request if LOG says so. No answer
 * leaves an isolate that is not admitted to its database: of one that needed none, it is asked here.
 */
const configure: MiddlewareHandler<Service> = async function configure(c, next) {
  requireHttps(c)
  const config = await configOf(c.env)
  c.set('config', config)
  c.set('base', baseOf(config, c.req.url))
  const requestId = `req-${crypto.randomUUID()}`
  const address = clientAddress(c.req.header('CF-Connecting-IP'))
  const source = { ...byService('Request'), requestId, address }
  const accepts = acceptedAge(c.req.header('Cache-Control'), config)
  const backend = connect(c.env, config, formatTime(Date.now()), source, accepts)
  c.set('backend', backend)
  setHeader(c, 'X-OpenStack-Request-Id', requestId)
  setHeader(c, 'Cache-Control', 'no-store')
  const started = Date.now()
  await next()
  await requireAdmission(backend)
  if (config.log === 'requests') logRequest(c, started)
}

/** Sets the caller from the token, or throws a 401. No other header contributes to the caller's identity. */
async function authenticate(c: Context<Service>): Promise<void> {
  const token = c.req.header('X-Auth-Token') || c.req.header('X-Storage-Token')
  if (!token) throw fault('unauthenticated')
  c.set('caller', await callerOfToken(c.get('config'), c.get('backend'), token, c.req.header('X-Service-Token')))
}

/** Sets the requested microversion, or throws a 400 or 406. */
function negotiateVersion(c: Context<Service>): void {
  const microversion = parseMicroversion(c.req.header('OpenStack-API-Version'))
  c.set('microversion', microversion)
  setHeader(c, 'OpenStack-API-Version', `key-manager ${microversion}`)
  setHeader(c, 'Vary', 'OpenStack-API-Version')
}

/**
 * Authenticates the caller. The live check of an embedded token may still be open after that: resources have it travel
 * with what they read, and whatever else answers a request waits for it here.
 */
const authenticated = (negotiate: (c: Context<Service>) => void): MiddlewareHandler<Service> =>
  async function requireCaller(c, next) {
    await authenticate(c)
    try {
      negotiate(c)
    } catch (error) {
      await c.get('backend').db.requireAnswers()
      throw error
    }
    await next()
    if (!c.error) await c.get('backend').db.requireAnswers()
  }

const withVersion: MiddlewareHandler<Service> = async function withVersion(c, next) {
  negotiateVersion(c)
  await next()
}

/** Serves a version document to `GET`. Throws a 405 for other methods and a 406 if `Accept` does not admit it. */
const document = (answer: (c: Context<Service>) => Response) =>
  function serveDocument(c: Context<Service>): Response {
    if (c.req.method !== 'GET') {
      setHeader(c, 'Allow', 'GET')
      throw fault('methodNotAllowed')
    }
    if (!admitsVersions(c.req.header('Accept'))) throw fault('notAcceptable')
    return answer(c)
  }

/** Creates the Hono app of the whole service. */
export function createApp(): Hono<Service> {
  // Hono's default tries its RegExpRouter first, with all routes, which does not support `:tenant` beside other paths.
  const app = new Hono<Service>({ getPath: routedPath, router: new TrieRouter() })
  app.onError(answerFailure)
  app.notFound((c) => answerFailure(fault('notFound'), c))
  app.options('*', answerOptions)
  app.all('/healthcheck', answerHealth)
  for (const path of ['/docs', '/docs/*', '/openapi.json']) app.all(path, answerDocumentation)
  app.all('/', frontPage)
  app.use(configure)
  app.route('/identity', identityRoutes())
  app.all('/', withVersion, document(answerVersions))
  app.use('/v1/*', authenticated(negotiateVersion))
  app.all('/v1', document(answerVersion))
  mount(app, ['/v1', '/v1/:tenant'], resources)
  app.use(
    '/admin/*',
    authenticated(() => undefined),
  )
  mount(app, ['/admin'], adminResources)
  return app
}
