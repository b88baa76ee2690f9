/** A demo project and user, created through the identity API as an administrator would create them. */
import { StartError } from './options.ts'

const PROJECT = 'demo'
const USER = 'demo'
/**
 * Roles that allow everything in the project, under every POLICY. An application credential has some of its user's roles,
 * so a role that a credential may need alone is assigned by itself:
 *
 * - `admin`: everything in the project under every rule set, for example the choice of a secret store;
 * - `member`: creates, reads and deletes secrets, containers and orders under the secure rules;
 * - `reader`: for a read-only credential under the secure rules: quotas, stores, authorities and the audit log;
 * - `creator`: as `member`, under the legacy rules;
 * - `observer`: for a read-only credential under the legacy rules: everything that is not private;
 * - `audit`: the audit log under the legacy rules.
 */
const ROLES = ['admin', 'member', 'reader', 'creator', 'observer', 'audit'] as const

interface Credentials {
  readonly user: string
  readonly password: string
  readonly project: string
}

interface Named {
  readonly id: string
  readonly name: string
}

export interface Demo {
  readonly token: string
  readonly project: string
  readonly user: string
}

async function call(url: string, method: string, token: string | null, body?: unknown): Promise<Response> {
  const headers = { 'Content-Type': 'application/json', ...(token !== null && { 'X-Auth-Token': token }) }
  return fetch(url, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
}

async function logIn(identity: string, { user, password, project }: Credentials): Promise<string> {
  const domain = { id: 'default' }
  const response = await call(`${identity}/auth/tokens`, 'POST', null, {
    auth: {
      identity: { methods: ['password'], password: { user: { name: user, domain, password } } },
      scope: { project: { name: project, domain } },
    },
  })
  const token = response.headers.get('X-Subject-Token')
  if (!token)
    throw new StartError(`the embedded identity refused '${user}': ${response.status} ${await response.text()}`)
  return token
}

/** Returns the entity with this name, and creates it if it does not exist. */
async function ensure(
  identity: string,
  token: string,
  kind: string,
  entity: { readonly name: string },
): Promise<Named> {
  const found = await call(`${identity}/${kind}s?name=${entity.name}`, 'GET', token)
  const [existing] = ((await found.json()) as Record<string, Named[] | undefined>)[`${kind}s`] ?? []
  if (existing) return existing
  const response = await call(`${identity}/${kind}s`, 'POST', token, { [kind]: entity })
  const created = ((await response.json()) as Record<string, Named | undefined>)[kind]
  if (!created) throw new StartError(`the demo ${kind} could not be created: ${response.status}`)
  return created
}

/** Creates the demo project and user if they do not exist, and returns a token for them. */
export async function seedDemo(url: string, adminPassword: string, demoPassword: string): Promise<Demo> {
  const identity = `${url}/identity/v3`
  const admin = await logIn(identity, { user: 'admin', password: adminPassword, project: 'admin' })
  const project = await ensure(identity, admin, 'project', { name: PROJECT })
  const account = { name: USER, password: demoPassword, default_project_id: project.id }
  const user = await ensure(identity, admin, 'user', account)
  for (const name of ROLES) {
    const role = await ensure(identity, admin, 'role', { name })
    await call(`${identity}/projects/${project.id}/users/${user.id}/roles/${role.id}`, 'PUT', admin)
  }
  const token = await logIn(identity, { user: USER, password: demoPassword, project: PROJECT })
  return { token, project: PROJECT, user: USER }
}
