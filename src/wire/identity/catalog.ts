/** The service catalog: the two services of this Worker, their region, and the default domain. */
import type { Context } from 'hono'
import type { Shapes } from '../../shapes/index.ts'
import { identityFault } from '../../state/identity/faults.ts'
import { DEFAULT_DOMAIN } from '../../state/identity/names.ts'
import type { Service } from '../http/context.ts'
import { collection, identityUrl, json, linkTo } from './answers.ts'
import { nameIn, stateOf } from './bodies.ts'
import { guarded, type Call } from './operations.ts'

const REGION = 'RegionOne'
const interfaces = ['public', 'internal', 'admin'] as const

const services = [
  { id: 'identity', type: 'identity', name: 'keystone' },
  { id: 'key-manager', type: 'key-manager', name: 'barbican' },
] as const

type ServiceId = (typeof services)[number]['id']

const urlOf = (c: Context<Service>, service: ServiceId) => (service === 'identity' ? identityUrl(c) : c.var.base)

/** Returns the catalog as token responses contain it. */
export function catalogOf(c: Context<Service>): Shapes['Catalog'] {
  return services.map((service) => ({
    endpoints: interfaces.map((name) => ({
      id: `${service.id}-${name}`,
      interface: name,
      region_id: REGION,
      url: urlOf(c, service.id),
      region: REGION,
    })),
    ...service,
  }))
}

const serviceViews = (c: Context<Service>): Shapes['IdentityService'][] =>
  services.map((service) => ({ ...service, enabled: true, ...linkTo(c, `services/${service.id}`) }))

const endpointViews = (c: Context<Service>): Shapes['IdentityEndpoint'][] =>
  catalogOf(c).flatMap(({ id, endpoints }) =>
    endpoints.map((endpoint) => ({
      ...endpoint,
      service_id: id,
      enabled: true,
      ...linkTo(c, `endpoints/${endpoint.id}`),
    })),
  )

const regionViews = (c: Context<Service>): Shapes['Region'][] => [
  { id: REGION, description: '', parent_region_id: null, ...linkTo(c, `regions/${REGION}`) },
]

const domainViews = (c: Context<Service>): Shapes['Domain'][] => [
  {
    ...DEFAULT_DOMAIN,
    description: 'The default domain',
    enabled: true,
    tags: [],
    options: {},
    ...linkTo(c, `domains/${DEFAULT_DOMAIN.id}`),
  },
]

/**
 * Returns the items whose members `names` equal the query parameters of the same names; other parameters are ignored.
 */
function filtered<Item extends Readonly<Record<string, unknown>>>(
  query: URLSearchParams,
  items: readonly Item[],
  ...names: readonly string[]
): Item[] {
  const filters = names.flatMap((name) => {
    const value = query.get(name)
    return value === null ? [] : [[name, value] as const]
  })
  return items.filter((item) => filters.every(([name, value]) => item[name] === value))
}

function found<Item extends { readonly id: string }>(
  items: readonly Item[],
  noun: 'domain' | 'service' | 'endpoint' | 'region',
  id: string,
): Item {
  const item = items.find((candidate) => candidate.id === id)
  if (!item) throw identityFault('notFound', noun, id)
  return item
}

function listDomains({ c, query }: Call): Response {
  const name = nameIn(query) ?? DEFAULT_DOMAIN.name
  const shown = name.toLowerCase() === DEFAULT_DOMAIN.id && stateOf(query, 'enabled') !== false
  return collection(c, 'domains', shown ? domainViews(c) : [])
}

function answerCatalog({ c, standing }: Call): Response {
  if (!standing.project) throw identityFault('noCatalog')
  return json(c, 200, { catalog: catalogOf(c), ...linkTo(c, 'auth/catalog') })
}

export const catalogOperations = [
  guarded('GET', '/v3/auth/catalog', 'identity:get_auth_catalog', answerCatalog),
  guarded('GET', '/v3/services', 'identity:list_services', ({ c, query }) =>
    collection(c, 'services', filtered(query, serviceViews(c), 'type', 'name')),
  ),
  guarded('GET', '/v3/services/:service', 'identity:get_service', ({ c, param }) =>
    json(c, 200, { service: found(serviceViews(c), 'service', param('service')) }),
  ),
  guarded('GET', '/v3/endpoints', 'identity:list_endpoints', ({ c, query }) =>
    collection(c, 'endpoints', filtered(query, endpointViews(c), 'interface', 'service_id', 'region_id')),
  ),
  guarded('GET', '/v3/endpoints/:endpoint', 'identity:get_endpoint', ({ c, param }) =>
    json(c, 200, { endpoint: found(endpointViews(c), 'endpoint', param('endpoint')) }),
  ),
  guarded('GET', '/v3/regions', 'identity:list_regions', ({ c, query }) =>
    collection(c, 'regions', query.has('parent_region_id') ? [] : regionViews(c)),
  ),
  guarded('GET', '/v3/regions/:region', 'identity:get_region', ({ c, param }) =>
    json(c, 200, { region: found(regionViews(c), 'region', param('region')) }),
  ),
  guarded('GET', '/v3/domains', 'identity:list_domains', listDomains),
  guarded('GET', '/v3/domains/:domain', 'identity:get_domain', ({ c, param }) =>
    json(c, 200, { domain: found(domainViews(c), 'domain', param('domain')) }),
  ),
]
