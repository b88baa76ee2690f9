/** Requests to the identity API of the server under test: log-ins, projects, users, roles and grants. */
import { adminPassword, call, identityBase, peerUrl, type Answer, type Request } from './client.ts'

export const domain = { id: 'default' }
export const unique = (kind: string) => `${kind}-${crypto.randomUUID()}`

/** Sends a request to the identity API; `path` is relative to `/v3`. */
export const identity = (method: string, path: string, request: Request = {}): Promise<Answer> =>
  call(method, identityBase + path, request)

/** Sends `POST /auth/tokens` with these members of `identity` and this scope. */
export function authenticate(members: object, scope?: unknown): Promise<Answer> {
  const auth = { identity: members, ...(scope !== undefined && { scope }) }
  return identity('POST', '/auth/tokens', { json: { auth } })
}

export const byPassword = (name: string, password: string, scope?: unknown): Promise<Answer> =>
  authenticate({ methods: ['password'], password: { user: { name, domain, password } } }, scope)

export const byToken = (id: string, scope?: unknown): Promise<Answer> =>
  authenticate({ methods: ['token'], token: { id } }, scope)

export const byCredential = (credential: object, scope?: unknown): Promise<Answer> =>
  authenticate({ methods: ['application_credential'], application_credential: credential }, scope)

/** Returns the token in the response to a log-in; throws if the log-in failed. */
export function tokenIn(answer: Answer): string {
  const token = answer.headers.get('X-Subject-Token')
  if (answer.status !== 201 || !token) throw new Error(`no token: ${answer.status} ${answer.text}`)
  return token
}

let cached: Promise<string> | undefined

/**
 * Returns a token of the first administrator; `fresh`: request a new one, because the cached one is no longer valid.
 */
export function adminToken(fresh = false): Promise<string> {
  if (fresh || !cached) {
    const scope = { project: { name: 'admin', domain } }
    cached = byPassword('admin', peerUrl ? 'secretadmin' : adminPassword, scope).then(tokenIn)
  }
  return cached
}

/** Sends a request as the administrator; throws if it fails. */
export async function asAdmin(method: string, path: string, json?: unknown): Promise<Answer> {
  const answer = await identity(method, path, { token: await adminToken(), json })
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
  return answer
}

/** Creates an entity as the administrator, and returns it from the response. */
export async function create(kind: 'project' | 'user' | 'role', members: object) {
  return (await asAdmin('POST', `/${kind}s`, { [kind]: members })).json[kind]
}

const roleIds = new Map<string, Promise<string>>()

/** Returns the id of a role, which is cached. */
export function roleId(name: string): Promise<string> {
  const cached = roleIds.get(name)
  if (cached) return cached
  const id = asAdmin('GET', `/roles?name=${encodeURIComponent(name)}`).then(({ json }) => json.roles[0].id as string)
  roleIds.set(name, id)
  return id
}

export const grantPath = (projectId: string, userId: string, role: string) =>
  `/projects/${projectId}/users/${userId}/roles/${role}`
