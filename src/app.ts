/** The table of contents: what happens to every request, in this order, and which parts of the service there are. */
import { Hono, type Context, type MiddlewareHandler } from 'hono'
import { authenticateEmbedded } from './access/embedded.ts'
import { authenticateKeystone } from './access/keystone.ts'
import { ConfigError, readConfig, type Config, type Environment } from './config.ts'
import { fault } from './faults.ts'
import { connect } from './state/connect.ts'
import { byService } from './state/scope.ts'
import { missingMasterKey } from './state/keys/rotation.ts'
import { formatTime } from './times.ts'
import { admitsVersions } from './wire/http/accept.ts'
import { aclResources } from './wire/acls.ts'
import { auditResource, deploymentAuditResource } from './wire/audit.ts'
import { certificateAuthorityResources } from './wire/certificate-authorities.ts'
import { issuedCertificateResources } from './wire/issued-certificates.ts'
import { consumerResources } from './wire/consumers.ts'
import { containerResources } from './wire/containers.ts'
import type { Service } from './wire/http/context.ts'
import { destructionResource } from './wire/destructions.ts'
import { answerFailure } from './wire/http/failures.ts'
import { answerHealth } from './wire/health.ts'
import { identityRoutes } from './wire/identity/index.ts'
import { parseMicroversion } from './wire/http/microversion.ts'
import { orderResources } from './wire/orders.ts'
import { quotaResources } from './wire/quotas.ts'
import { logRequest } from './wire/http/request-log.ts'
import { originOf, routedPath } from './wire/http/request-url.ts'
import { mount } from './wire/http/resource.ts'
import { respond, setHeader } from './wire/http/response.ts'
import { rotationResource } from './wire/rotation.ts'
import { secretMetadataResources } from './wire/secret-metadata.ts'
import { secretStoreResources } from './wire/secret-stores.ts'
import { secretResources } from './wire/secrets.ts'
import { transportKeyResources } from './wire/transport-keys.ts'
import { answerVersion, answerVersions } from './wire/versions.ts'

/** Every resource under `/v1` and under the tenant path `/v1/{project}`. */
export const resources = [
  ...secretResources,
  ...secretMetadataResources,
  ...containerResources,
  ...consumerResources,
  ...aclResources,
  ...orderResources,
  ...quotaResources,
  ...secretStoreResources,
  ...transportKeyResources,
  ...certificateAuthorityResources,
  ...issuedCertificateResources,
  auditResource,
]

/** `OPTIONS` ends here: no origin is allowed across sites. */
const answerOptions = (c: Context<Service>) => respond(c, 200, null)

/** The configuration of this isolate; throws `misconfigured`, a 503, for one that cannot be used. */
async function configOf(env: Environment): Promise<Config> {
  try {
    return await readConfig(env)
  } catch (error) {
    throw error instanceof ConfigError ? fault('misconfigured', error.message) : error
  }
}

/** Gives the request its configuration and its backend, and logs it. */
const configure: MiddlewareHandler<Service> = async function configure(c, next) {
  const config = await configOf(c.env)
  c.set('config', config)
  c.set('base', config.hostHref || originOf(c.req.url))
  const requestId = `req-${crypto.randomUUID()}`
  const source = { ...byService('Request'), requestId }
  c.set('backend', connect(c.env, config, formatTime(Date.now()), source))
  setHeader(c, 'X-OpenStack-Request-Id', requestId)
  setHeader(c, 'Cache-Control', 'no-store')
  const started = Date.now()
  await next()
  if (config.log === 'requests') logRequest(c, started)
}

/** What is asked of a request before its route is: it throws, or the next one is asked. */
type Gate = (c: Context<Service>) => Promise<void> | void

/** All gates as one middleware: each of Hono's own costs every request a few microseconds. */
const through = (...gates: readonly Gate[]): MiddlewareHandler<Service> =>
  async function passGates(c, next) {
    for (const gate of gates) await gate(c)
    return next()
  }

/** Finds the caller, or ends with 401. Only the token counts: no other header says who is calling. */
async function authenticate(c: Context<Service>): Promise<void> {
  const config = c.get('config')
  const backend = c.get('backend')
  const token = c.req.header('X-Auth-Token') || c.req.header('X-Storage-Token')
  if (!token) throw fault('unauthenticated')
  const serviceToken = c.req.header('X-Service-Token')
  const caller =
    config.identity === 'keystone'
      ? await authenticateKeystone(config.keystoneUrl, token, serviceToken)
      : await authenticateEmbedded(token, backend)
  if (!caller) throw fault('unauthenticated')
  // Keystone has checked both; here a service token adds nothing, but one that is sent must be valid.
  const validService =
    config.identity === 'keystone' || !serviceToken || (await authenticateEmbedded(serviceToken, backend))
  if (!validService) throw fault('unauthenticated')
  if (caller === 'unscoped') throw fault('projectRequired')
  c.set('caller', caller)
}

/**
 * Serves nobody from a keyring that cannot open what is stored: a master key that was removed too early is put back
 * before anything is lost. Asked for a caller only, so that nobody else costs a look-up.
 */
async function requireMasterKeys(c: Context<Service>): Promise<void> {
  const missing = await missingMasterKey(c.get('backend'))
  if (missing !== null) throw fault('masterKeyMissing', missing)
}

/** Finds the microversion that is asked for, or ends with 400 or 406. */
function negotiateVersion(c: Context<Service>): void {
  const microversion = parseMicroversion(c.req.header('OpenStack-API-Version'))
  c.set('microversion', microversion)
  setHeader(c, 'OpenStack-API-Version', `key-manager ${microversion}`)
  setHeader(c, 'Vary', 'OpenStack-API-Version')
}

/** A version document for `GET`; 405 for every other method, 406 for who does not take it. */
const document = (answer: (c: Context<Service>) => Response) =>
  function serveDocument(c: Context<Service>): Response {
    if (c.req.method !== 'GET') {
      setHeader(c, 'Allow', 'GET')
      throw fault('methodNotAllowed')
    }
    if (!admitsVersions(c.req.header('Accept'))) throw fault('notAcceptable')
    return answer(c)
  }

/** The whole service as one Hono app. */
export function createApp(): Hono<Service> {
  const app = new Hono<Service>({ getPath: routedPath })
  app.onError(answerFailure)
  app.notFound((c) => answerFailure(fault('notFound'), c))
  app.options('*', answerOptions)
  app.all('/healthcheck', answerHealth)
  app.use(configure)
  app.route('/identity', identityRoutes())
  app.all('/', through(negotiateVersion), document(answerVersions))
  app.use('/v1/*', through(authenticate, requireMasterKeys, negotiateVersion))
  app.all('/v1', document(answerVersion))
  mount(app, ['/v1', '/v1/:tenant'], resources)
  app.use('/admin/*', through(authenticate, requireMasterKeys))
  mount(app, ['/admin'], [rotationResource, destructionResource, deploymentAuditResource])
  return app
}
