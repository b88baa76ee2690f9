/**
 * People: users with roles on projects. {@link person} makes one through the identity API of either server;
 * {@link cloudOfKeystone} makes one with a token of the fake Keystone, which costs no request.
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

/** A person whose user can log in again. */
export interface Account extends Person {
  readonly name: string
  readonly password: string
}

/** How long a hook that makes people may take: Barbican's Keystone hashes passwords slowly. */
export const HOOK_MILLISECONDS = 120_000

/** Makes a project and returns its id. */
export const project = async (): Promise<string> =>
  (await create('project', { name: unique('project'), domain_id: domain.id })).id

/** Makes a user with these roles on a project, a new one unless given, and logs in there. */
export async function person(roles: readonly string[], given: { readonly projectId?: string } = {}): Promise<Account> {
  const projectId = given.projectId ?? (await project())
  const [name, password] = [unique('user'), unique('password')]
  const user = { name, password, domain_id: domain.id, default_project_id: projectId }
  const userId: string = (await create('user', user)).id
  for (const role of roles) await asAdmin('PUT', grantPath(projectId, userId, await roleId(role)))
  // Without a role on it, the project cannot be the scope.
  const scope = roles.length > 0 ? { project: { id: projectId } } : undefined
  return { token: tokenIn(await byPassword(name, password, scope)), userId, projectId, name, password }
}

/** A person who may do everything in a project of their own, under every rule set. */
export const owner = (): Promise<Account> => person(['admin', 'creator', 'member'])

/** A token that is scoped to no project. */
export async function unscopedToken(): Promise<string> {
  const [name, password] = [unique('user'), unique('password')]
  await create('user', { name, password, domain_id: domain.id })
  return tokenIn(await byPassword(name, password))
}

/** Sends requests of a person who may be made later, in a hook. */
export const callAs =
  (who: () => Person) =>
  (method: string, path: string, request: Request = {}): Promise<Answer> =>
    call(method, path, { token: who().token, ...request })

/** Makes people whose tokens this Keystone issued; `given` decides what else a token holds. */
export const peopleOf =
  (keystone: FakeKeystone) =>
  (roles: readonly string[], given: TokenOf = {}): Person => {
    const userId = given.userId ?? unique('user')
    const projectId = given.projectId ?? unique('project')
    return { token: keystone.issue({ ...given, userId, projectId, roles }), userId, projectId }
  }

/** A fake Keystone, a service that trusts it and has these variables besides, and the people of both. */
export function cloudOfKeystone(variables: Readonly<Record<string, string>> = {}) {
  const keystone = fakeKeystone()
  return { keystone, send: workerWith({ ...keystoneVariables, ...variables }), person: peopleOf(keystone) }
}
