/**
 * What Keystone has and the embedded identity has not. Its paths are answered with a sentence that clients print, in
 * Keystone's own words for it, 501, rather than as paths that nobody has heard of.
 */
import type { Hono } from 'hono'
import { identityFault } from '../../state/identity/faults.ts'
import type { Service } from '../http/context.ts'

/** What is not there, as the sentence names it, and the paths of Keystone's API that are about it. */
export const absent: Readonly<Record<string, readonly string[]>> = {
  groups: ['/v3/groups', '/v3/users/:user/groups', '/v3/projects/:project/groups', '/v3/domains/:domain/groups'],
  'domains beside Default': ['/v3/domains', '/v3/domains/:domain/config', '/v3/domains/:domain/users'],
  'services, endpoints and regions beside its own': [
    '/v3/services',
    '/v3/endpoints',
    '/v3/regions',
    '/v3/OS-EP-FILTER',
    '/v3/OS-ENDPOINT-POLICY',
    '/v3/endpoint_groups',
  ],
  'lists of revoked tokens': ['/v3/OS-REVOKE', '/v3/auth/tokens/OS-PKI'],
  'certificates that sign tokens': ['/v3/OS-SIMPLE-CERT'],
  trusts: ['/v3/OS-TRUST'],
  'credentials for EC2 and S3; application credentials are there': [
    '/v3/credentials',
    '/v3/users/:user/credentials',
    '/v3/ec2tokens',
    '/v3/s3tokens',
  ],
  'access rules': ['/v3/users/:user/access_rules'],
  'roles in the whole system': ['/v3/system', '/v3/auth/system'],
  'inherited roles': ['/v3/OS-INHERIT'],
  'implied roles beside those of admin and member': ['/v3/roles/:role/implies'],
  'tags of projects': ['/v3/projects/:project/tags'],
  'policies of other services': ['/v3/policies'],
  'limits of other services': ['/v3/limits', '/v3/registered_limits', '/v3/limits-model'],
  federation: ['/v3/OS-FEDERATION', '/v3/auth/OS-FEDERATION'],
  OAuth: ['/v3/OS-OAUTH1', '/v3/OS-OAUTH2', '/v3/users/:user/OS-OAUTH1'],
}

/** Registers the answers. The operations that there are must be registered before: they have some of these paths. */
export function mountAbsent(app: Hono<Service>): void {
  for (const [what, paths] of Object.entries(absent)) {
    for (const path of paths) {
      app.all(`${path}/*`, () => {
        throw identityFault('absent', what)
      })
    }
  }
}
