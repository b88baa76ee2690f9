/** Version discovery: `GET /` without authentication, and `GET /v1` with a token. */
import type { Context } from 'hono'
import type { Shapes } from '../shapes/index.ts'
import { prefersJsonHome } from './http/accept.ts'
import { json } from './http/answers.ts'
import type { Service } from './http/context.ts'
import { respond, setHeader } from './http/response.ts'
import { atLeast, MAX_MICROVERSION, MIN_MICROVERSION, type Microversion } from './http/microversion.ts'

const MEDIA_TYPE = 'application/vnd.openstack.key-manager-v1+json'

function links(base: string) {
  return [
    { rel: 'self', href: `${base}/v1/` },
    { rel: 'describedby', type: 'text/html', href: 'https://docs.openstack.org/' },
  ]
}

/** Returns the version document. Since microversion 1.1 it contains the range of microversions. */
function version(base: string, microversion: Microversion): Shapes['Version']['version'] {
  if (atLeast(microversion, '1.1')) {
    return {
      id: 'v1',
      status: 'CURRENT',
      min_version: MIN_MICROVERSION,
      max_version: MAX_MICROVERSION,
      links: links(base),
    }
  }
  return {
    id: 'v1',
    status: 'stable',
    links: links(base),
    'media-types': [{ base: 'application/json', type: MEDIA_TYPE }],
  }
}

/**
 * Returns the list of versions with status 300, as in Barbican, or redirects clients that prefer json-home to `/v1/`.
 */
export function answerVersions(c: Context<Service>): Response {
  const { base, microversion } = c.var
  // A browser gets a page here.
  setHeader(c, 'Vary', 'OpenStack-API-Version, Accept')
  if (prefersJsonHome(c.req.header('Accept'))) {
    setHeader(c, 'Location', `${base}/v1/`)
    return respond(c, 302, null)
  }
  const v1 = version(base, microversion)
  return json(c, 300, { versions: atLeast(microversion, '1.1') ? [v1] : { values: [v1] } })
}

/** Returns the document of version 1. */
export function answerVersion(c: Context<Service>): Response {
  return json(c, 200, { version: version(c.var.base, c.var.microversion) })
}
