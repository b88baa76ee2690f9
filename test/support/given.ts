/** What a test starts from: projects, people with roles, secrets. Made through the public API of either server. */
import { adminPassword, call, identityBase, peerUrl, type Answer, type Request } from './client.ts'

export interface Person {
  readonly token: string
  readonly userId: string
  readonly projectId: string
}

const domain = { id: 'default' }
const unique = (kind: string) => `${kind}-${crypto.randomUUID()}`

async function logIn(name: string, password: string, project?: { id: string } | { name: string; domain: object }) {
  const answer = await call('POST', `${identityBase}/auth/tokens`, {
    json: {
      auth: {
        identity: { methods: ['password'], password: { user: { name, domain, password } } },
        ...(project && { scope: { project } }),
      },
    },
  })
  const token = answer.headers.get('X-Subject-Token')
  if (answer.status !== 201 || !token) throw new Error(`log-in of ${name}: ${answer.status} ${answer.text}`)
  return token
}

/** A token of somebody who names no project. */
export async function unscopedToken(): Promise<string> {
  const name = unique('user')
  const password = unique('password')
  await identity('POST', '/users', { user: { name, password, domain_id: 'default' } })
  return logIn(name, password)
}

let administrator: Promise<string> | undefined

/** A token of the cloud's administrator. */
export function adminToken(): Promise<string> {
  administrator ??= logIn('admin', peerUrl ? 'secretadmin' : adminPassword, { name: 'admin', domain })
  return administrator
}

async function identity(method: string, path: string, json?: unknown): Promise<Answer> {
  const answer = await call(method, identityBase + path, { token: await adminToken(), json })
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
  return answer
}

/** Makes a project and gives its id. */
export async function project(): Promise<string> {
  const answer = await identity('POST', '/projects', { project: { name: unique('project'), domain_id: 'default' } })
  return answer.json.project.id
}

const roleIds = new Map<string, Promise<string>>()

/** The id of a role, asked for once. */
function roleId(role: string): Promise<string> {
  const known = roleIds.get(role)
  if (known) return known
  const found = identity('GET', `/roles?name=${encodeURIComponent(role)}`).then(
    ({ json }) => json.roles[0].id as string,
  )
  roleIds.set(role, found)
  return found
}

async function grant(userId: string, projectId: string, role: string): Promise<void> {
  await identity('PUT', `/projects/${projectId}/users/${userId}/roles/${await roleId(role)}`)
}

/** Makes a user with these roles on a project (a new one unless named) and logs in. */
export async function person(roles: readonly string[], projectId?: string): Promise<Person> {
  const home = projectId ?? (await project())
  const name = unique('user')
  const password = unique('password')
  const answer = await identity('POST', '/users', { user: { name, password, domain_id: 'default' } })
  const userId: string = answer.json.user.id
  await Promise.all(roles.map((role) => grant(userId, home, role)))
  return { token: await logIn(name, password, { id: home }), userId, projectId: home }
}

/** Somebody who may do everything in a project of their own, under every rule set. */
export const owner = (projectId?: string): Promise<Person> => person(['admin', 'creator', 'member'], projectId)

/** Requests of a person, who may be made later, in a hook. */
export const callAs =
  (who: () => Person) =>
  (method: string, path: string, request: Request = {}): Promise<Answer> =>
    call(method, path, { token: who().token, ...request })

/** Stores a secret and gives its ref. */
export async function secret(who: Person, members: object = {}): Promise<string> {
  const answer = await call('POST', '/v1/secrets', { token: who.token, json: members })
  if (answer.status !== 201) throw new Error(`secret: ${answer.status} ${answer.text}`)
  return answer.json.secret_ref
}

/** The id behind a ref. */
export const idOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1)

/** Gives a project limits of its own, as the operator of the cloud. */
export async function limit(projectId: string, limits: Readonly<Record<string, number>>): Promise<void> {
  const { token } = await person(['key-manager:service-admin'])
  const answer = await call('PUT', `/v1/project-quotas/${projectId}`, { token, json: { project_quotas: limits } })
  if (answer.status !== 204) throw new Error(`limits: ${answer.status} ${answer.text}`)
}

/** Registers a consumer of a secret and gives it as the secret shows it. */
export async function consumer(ref: string, who: Person) {
  const json = { service: 'image', resource_type: 'image', resource_id: crypto.randomUUID() }
  const answer = await call('POST', `${ref}/consumers`, { token: who.token, json })
  if (answer.status !== 200) throw new Error(`consumer: ${answer.status} ${answer.text}`)
  return json
}
