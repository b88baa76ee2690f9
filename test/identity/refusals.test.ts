/** Refusals of the identity that no other test provokes: of what is not there, of members, and of the last administrator. */
import { beforeAll, expect, it } from 'vitest'
import { adminToken, asAdmin, create, identity, roleId, unique } from '../support/identity.ts'
import { HOOK_MILLISECONDS } from '../support/people.ts'

const ids: Record<string, string> = {}
beforeAll(async () => {
  ids['project'] = (await create('project', { name: unique('project') })).id
  ids['role'] = (await create('role', { name: unique('role') })).id
}, HOOK_MILLISECONDS)

it.each(['/projects/none', '/roles/none', '/users/none'])('what is not there cannot be deleted: %s', async (path) => {
  const answer = await identity('DELETE', path, { token: await adminToken() })
  expect([answer.status, answer.json.error.code]).toEqual([404, 404])
})

it('a user who is not there is not found', async () => {
  const answer = await identity('GET', '/users/none', { token: await adminToken() })
  expect([answer.status, answer.json.error.message]).toEqual([404, 'Could not find user: none.'])
})

it.each(['project', 'role'])('the name of a %s cannot become a number', async (kind) => {
  const change = { [kind]: { name: 1 } }
  const answer = await identity('PATCH', `/${kind}s/${ids[kind]}`, { token: await adminToken(), json: change })
  expect([answer.status, answer.json.error.message]).toEqual([
    400,
    "Invalid input for field 'name': 1 is not of type 'string'",
  ])
})

const ofLast = [
  ['DELETE', (user: string) => `/users/${user}`, undefined],
  ['PATCH', (user: string) => `/users/${user}`, { user: { enabled: false } }],
  [
    'DELETE',
    (user: string, project: string, role: string) => `/projects/${project}/users/${user}/roles/${role}`,
    undefined,
  ],
] as const
it.each(ofLast)('the last administrator stays one: %s of case %$', async (method, path, json) => {
  const user = (await asAdmin('GET', '/users?name=admin')).json.users[0].id
  const project = (await asAdmin('GET', '/projects?name=admin')).json.projects[0].id
  const url = path(user, project, await roleId('admin'))
  const answer = await identity(method, url, { token: await adminToken(), json })
  expect([answer.status, answer.json.error.title]).toEqual([409, 'Conflict'])
})
