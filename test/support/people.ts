/**
 * Users with roles on projects. {@link person} creates one through the identity API of the server under test;
 * {@link cloudOfKeystone} creates one with a token of the fake Keystone, which needs no requests.
 */
import { call, type Answer, type Request } from './client.ts'
import { asAdmin, byPassword, create, domain, grantPath, roleId, tokenIn, unique } from './identity.ts'
import { fakeKeystone, keystoneVariables, type FakeKeystone, type TokenOf } from './keystone.ts'
import { workerWith } from './worker-with.ts'

export interface Person {
  readonly token: string
  readonly userId: string
  readonly projectId: string
}

/** A person with the credentials to log in again. */
export interface Account extends Person {
  readonly name: string
  readonly password: string
}

/** The timeout of a hook that creates people: Barbican's Keystone hashes passwords slowly. */
export const HOOK_MILLISECONDS = 120_000

/** Creates a project and returns its id. */
export const project = async (): Promise<string> =>
  (await create('project', { name: unique('project'), domain_id: domain.id })).id

/** Creates a user with these roles on a project, by default a new one, and logs in there. */
export async function person(roles: readonly string[], given: { readonly projectId?: string } = {}): Promise<Account> {
  const projectId = given.projectId ?? (await project())
  const [name, password] = [unique('user'), unique('password')]
  const user = { name, password, domain_id: domain.id, default_project_id: projectId }
  const userId: string = (await create('user', user)).id
  for (const role of roles) await asAdmin('PUT', grantPath(projectId, userId, await roleId(role)))
  // A token can only be scoped to a project on which the user has a role.
  const scope = roles.length > 0 ? { project: { id: projectId } } : undefined
  return { token: tokenIn(await byPassword(name, password, scope)), userId, projectId, name, password }
}

/** Creates a person with a new project and all permissions in it, under every policy. */
export const owner = (): Promise<Account> => person(['admin', 'creator', 'member'])

/** Creates a user and returns an unscoped token. */
export async function unscopedToken(): Promise<string> {
  const [name, password] = [unique('user'), unique('password')]
  await create('user', { name, password, domain_id: domain.id })
  return tokenIn(await byPassword(name, password))
}

/** Sends requests as a person who may be created later, in a hook. */
export const callAs =
  (who: () => Person) =>
  (method: string, path: string, request: Request = {}): Promise<Answer> =>
    call(method, path, { token: who().token, ...request })

/** Creates people with tokens of this Keystone; `given` overrides other members of a token. */
export const peopleOf =
  (keystone: FakeKeystone) =>
  (roles: readonly string[], given: TokenOf = {}): Person => {
    const userId = given.userId ?? unique('user')
    const projectId = given.projectId ?? unique('project')
    return { token: keystone.issue({ ...given, userId, projectId, roles }), userId, projectId }
  }

/** Returns a fake Keystone, a service that uses it, with these variables, and a function that creates people. */
export function cloudOfKeystone(variables: Readonly<Record<string, string>> = {}) {
  const keystone = fakeKeystone()
  return { keystone, send: workerWith({ ...keystoneVariables, ...variables }), person: peopleOf(keystone) }
}
