/** The words in which tests speak with the identity API: users, projects, grants and log-ins. */
import { adminPassword, call, identityBase, type Answer, type Request } from './client.ts'

export const domain = { id: 'default' }
export const unique = (kind: string) => `${kind}-${crypto.randomUUID()}`

/** One request to the identity API; `path` is below `/v3`. */
export const identity = (method: string, path: string, request: Request = {}): Promise<Answer> =>
  call(method, identityBase + path, request)

/** `POST /auth/tokens` with these members of `identity` and this scope. */
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

/** The token of an answer that has to be one. */
export function tokenIn(answer: Answer): string {
  const token = answer.headers.get('X-Subject-Token')
  if (answer.status !== 201 || !token) throw new Error(`no token: ${answer.status} ${answer.text}`)
  return token
}

let known: Promise<string> | undefined

/** A token of the first administrator; `fresh`: the one that is known has ended. */
export function administrator(fresh = false): Promise<string> {
  if (fresh || !known) known = byPassword('admin', adminPassword, { project: { name: 'admin', domain } }).then(tokenIn)
  return known
}

export interface User {
  readonly id: string
  readonly name: string
  readonly password: string
}

/** Creates an entity as the administrator, and gives it as it was answered. */
export async function create(kind: 'project' | 'user' | 'role', members: object, token?: string) {
  const answer = await identity('POST', `/${kind}s`, {
    token: token ?? (await administrator()),
    json: { [kind]: members },
  })
  if (answer.status !== 201) throw new Error(`${kind}: ${answer.status} ${answer.text}`)
  return answer.json[kind]
}

export async function roleId(name: string, token: string): Promise<string> {
  const answer = await identity('GET', `/roles?name=${encodeURIComponent(name)}`, { token })
  return answer.json.roles[0].id
}

export const grantPath = (project: string, user: string, role: string) =>
  `/projects/${project}/users/${user}/roles/${role}`

export interface Member extends User {
  readonly project: string
  readonly token: string
}

/** A new user with these roles in a new project, logged in there. */
export async function member(...roles: readonly string[]): Promise<Member> {
  const token = await administrator()
  const project: string = (await create('project', { name: unique('project') }, token)).id
  const password = unique('password')
  const user = await create('user', { name: unique('user'), password, default_project_id: project }, token)
  for (const role of roles) {
    await identity('PUT', grantPath(project, user.id, await roleId(role, token)), { token })
  }
  return { id: user.id, name: user.name, password, project, token: tokenIn(await byPassword(user.name, password)) }
}
