/**
 * A demo project and user, made through the identity API as an administrator would make them. The state may be in use
 * for long: whatever became of the two users, the service is served, and what could not be done is said.
 */
import { KEYS_FILE } from './keys.ts'
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
  /** When the token ends, as UTC text. */
  readonly expiresAt: string
  readonly project: string
  readonly projectId: string
  readonly user: string
}

/** The demo, unless its user cannot log in, and what could not be done, one line each. */
export interface Seeded {
  readonly demo: Demo | null
  readonly problems: readonly string[]
}

type LogIn = Pick<Demo, 'token' | 'projectId' | 'expiresAt'>

async function call(url: string, method: string, token: string | null, body?: unknown): Promise<Response> {
  const headers = { 'Content-Type': 'application/json', ...(token !== null && { 'X-Auth-Token': token }) }
  return fetch(url, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
}

async function logIn(identity: string, { user, password, project }: Credentials): Promise<LogIn> {
  const domain = { id: 'default' }
  const response = await call(`${identity}/auth/tokens`, 'POST', null, {
    auth: {
      identity: { methods: ['password'], password: { user: { name: user, domain, password } } },
      scope: { project: { name: project, domain } },
    },
  })
  const token = response.headers.get('X-Subject-Token')
  if (!token)
    throw new StartError(`user '${user}' cannot log in with the password in ${KEYS_FILE} (${response.status})`)
  const { token: body } = (await response.json()) as { token: { project: Named; expires_at: string } }
  return { token, projectId: body.project.id, expiresAt: body.expires_at }
}

/** Returns the entity with this name, and creates it if it does not exist. */
async function ensure(
  identity: string,
  token: string,
  kind: string,
  entity: { readonly name: string },
): Promise<Named> {
  const found = await call(`${identity}/${kind}s?name=${entity.name}`, 'GET', token)
  const [existing] = (await membersOf<Named[]>(found))[`${kind}s`] ?? []
  if (existing) return existing
  const made = await call(`${identity}/${kind}s`, 'POST', token, { [kind]: entity })
  const created = (await membersOf<Named>(made))[kind]
  if (!created) throw new StartError(`the demo ${kind} could not be made: ${made.status}`)
  return created
}

async function membersOf<Value>(response: Response): Promise<Readonly<Record<string, Value | undefined>>> {
  return response.ok ? ((await response.json()) as Record<string, Value>) : {}
}

/** Makes what is missing of the demo project, its user and the roles. */
async function makeDemo(identity: string, adminPassword: string, demoPassword: string): Promise<void> {
  const { token: admin } = await logIn(identity, { user: 'admin', password: adminPassword, project: 'admin' })
  const project = await ensure(identity, admin, 'project', { name: PROJECT })
  const account = { name: USER, password: demoPassword, default_project_id: project.id }
  const user = await ensure(identity, admin, 'user', account)
  for (const name of ROLES) {
    const role = await ensure(identity, admin, 'role', { name })
    await call(`${identity}/projects/${project.id}/users/${user.id}/roles/${role.id}`, 'PUT', admin)
  }
}

/** What was thrown as a line for the terminal; throws what is no {@link StartError}. */
function problemIn(error: unknown): string {
  if (error instanceof StartError) return error.message
  throw error
}

/** Makes sure that the demo project and user are there, and gives a token of theirs that works at once. */
export async function seedDemo(url: string, adminPassword: string, demoPassword: string): Promise<Seeded> {
  const identity = `${url}/identity/v3`
  const problems: string[] = []
  await makeDemo(identity, adminPassword, demoPassword).catch((error: unknown) => {
    problems.push(`The demo project and user were not looked after: ${problemIn(error)}`)
  })
  try {
    const loggedIn = await logIn(identity, { user: USER, password: demoPassword, project: PROJECT })
    return { demo: { ...loggedIn, project: PROJECT, user: USER }, problems }
  } catch (error) {
    return { demo: null, problems: [...problems, `There is no demo token: ${problemIn(error)}`] }
  }
}

/** The demo itself, for programs that are of no use without it; throws {@link StartError}. */
export function requireDemo({ demo, problems }: Seeded): Demo {
  if (!demo) throw new StartError(problems.join('; '))
  return demo
}
